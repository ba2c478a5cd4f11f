"""A SIP telephone for tests: registers, calls, rings, answers, presses keys, hears, hangs up, or vanishes.

It is an endpoint over UDP on one machine and no more: no TLS, no proxies, no forking. One
:class:`Telephone` can hold many calls (a trunk's worth of callers). Everything waits with a limit and on
the clock it was given.

    agent = Telephone(clock, ("127.0.0.1", 5060), user="1001", password="…")
    agent.register()
    ring = agent.wait_ring(5); ring.answer(); ring.press("1#"); ring.hang_up()

    caller = Telephone(clock, ("127.0.0.1", 5080), user="+8613800000000")
    call = caller.dial("8004"); call.wait_answered(5); call.sound.hears(440)
"""

from __future__ import annotations

import secrets
import socket
from typing import Any

from engine.clock import Clock, Empty

from .message import Message, authorization, parse
from .sound import Stream, tone

REASONS = {
    100: "Trying",
    180: "Ringing",
    183: "Session Progress",
    200: "OK",
    404: "Not Found",
    480: "Unavailable",
    481: "No Such Call",
    486: "Busy Here",
    487: "Request Terminated",
    503: "Unavailable",
    603: "Decline",
}
T1 = 0.5


ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY, UPDATE"


class NoAnswer(AssertionError):
    """Nothing came within the limit."""


class Telephone:
    """One SIP user on one UDP port."""

    def __init__(
        self,
        clock: Clock,
        server: tuple[str, int],
        *,
        user: str,
        password: str = "",
        name: str = "",
        ip: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.clock = clock
        self.server = server
        self.user, self.password, self.name = user, password, name
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind((ip, port))
        self.ip, self.port = self.socket.getsockname()
        self.rings = clock.queue()
        self.calls: dict[str, Call] = {}
        self.asked = 0  # OPTIONS that we answered
        self.gone = False
        self.deaf = False  # gets everything, answers nothing
        self.agent = "test telephone"  # what it calls itself: a switch knows some makers' displays
        self.display: list[str] = []  # each UPDATE that would change what its display shows, as it came
        self.auto: int | None = None  # answer each call with this status at once: 200, 486, 603 …
        self._register_id = secrets.token_hex(8)
        self._register_cseq = 0
        self._waiting: dict[tuple[str, str], Any] = {}  # (branch, method) -> mailbox for responses
        self._reader = clock.spawn(self._read)

    # -- what a person does with it --------------------------------------------------------------

    def register(self, *, expires: int = 300, timeout: float = 5.0) -> int:
        """Register (0: unregister) and return the final status."""
        uri = f"sip:{self.server[0]}:{self.server[1]}"
        tag = secrets.token_hex(6)
        extra: list[tuple[str, str]] = []
        for _ in range(3):
            self._register_cseq += 1
            request = self.request(
                "REGISTER",
                uri,
                cseq=self._register_cseq,
                call_id=self._register_id,
                to=f"<sip:{self.user}@local>",
                from_=f"<sip:{self.user}@local>;tag={tag}",
                extra=[("Expires", str(expires)), *extra],
            )
            response = self.send_request(request, timeout)
            if response.status not in (401, 407):
                return response.status
            if extra or not self.password:
                return response.status
            extra = [self.credentials(response, "REGISTER", uri)]
        return response.status

    def unregister(self) -> int:
        return self.register(expires=0)

    def dial(
        self, number: str, *, name: str | None = None, headers: list[tuple[str, str]] | None = None
    ) -> Call:
        """Call a number; returns at once."""
        call = Call(self, incoming=False)
        call.begin(number, self.name if name is None else name, headers or [])
        return call

    def wait_ring(self, timeout: float) -> Call:
        """The next call that rings here."""
        try:
            call: Call = self.rings.get(timeout)
        except Empty:
            raise NoAnswer(f"{self.user}: nothing rang within {timeout:g} s") from None
        return call

    def vanish(self) -> None:
        """Pull the plug: no unregistering, no BYE; the port is closed."""
        self.gone = True
        for call in list(self.calls.values()):
            call.sound.close()
        self.calls.clear()
        self._reader.kill()
        self.socket.close()

    def close(self) -> None:
        """Hang up everything, then go."""
        for call in list(self.calls.values()):
            if not call.over:
                call.hang_up(wait=False)
        self.vanish()

    # -- the wire ------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        uri: str,
        *,
        cseq: int,
        call_id: str,
        to: str,
        from_: str,
        extra: list[tuple[str, str]] | None = None,
        body: str = "",
        branch: str | None = None,
    ) -> Message:
        """A request with the headers that every request has."""
        branch = branch or f"z9hG4bK{secrets.token_hex(8)}"
        headers = [
            ("Via", f"SIP/2.0/UDP {self.ip}:{self.port};branch={branch};rport"),
            ("Max-Forwards", "70"),
            ("From", from_),
            ("To", to),
            ("Call-ID", call_id),
            ("CSeq", f"{cseq} {method}"),
            ("Contact", f"<sip:{self.user}@{self.ip}:{self.port}>"),
            ("User-Agent", self.agent),
            *(extra or []),
        ]
        if body:
            headers.append(("Content-Type", "application/sdp"))
        return Message(method=method, uri=uri, headers=headers, body=body)

    def credentials(self, challenge: Message, method: str, uri: str) -> tuple[str, str]:
        proxy = challenge.status == 407
        offered = challenge.all("proxy-authenticate" if proxy else "www-authenticate")
        line = next((text for text in offered if "MD5" in text or "algorithm" not in text), offered[0])
        answer = authorization(line, method=method, uri=uri, user=self.user, password=self.password)
        return ("Proxy-Authorization" if proxy else "Authorization", answer)

    def send(self, message: Message) -> None:
        try:
            self.socket.sendto(message.encode(), self.server)
        except OSError:  # vanished meanwhile
            return

    def send_request(self, request: Message, timeout: float) -> Message:
        """Send, repeat while nothing comes back, and return the final response."""
        box = self.clock.queue()
        key = (_branch(request), request.method)
        self._waiting[key] = box
        deadline = self.clock.monotonic() + timeout
        pause = T1
        try:
            self.send(request)
            while True:
                left = deadline - self.clock.monotonic()
                try:
                    response: Message = box.get(max(0.0, min(pause, left)))
                except Empty:
                    if left <= 0:
                        raise NoAnswer(
                            f"{self.user}: no answer to {request.method} within {timeout:g} s"
                        ) from None
                    self.send(request)
                    pause *= 2
                    continue
                if response.status >= 200:
                    return response
                pause = timeout
        finally:
            del self._waiting[key]

    def respond(
        self,
        request: Message,
        status: int,
        *,
        tag: str = "",
        body: str = "",
        extra: list[tuple[str, str]] | None = None,
    ) -> Message:
        """Answer a request."""
        headers = []
        for key, value in request.headers:
            if key.lower() == "to" and tag and "tag=" not in value:
                value = f"{value};tag={tag}"
            if key.lower() in ("via", "from", "to", "call-id", "cseq", "record-route"):
                headers.append((key, value))
        headers.append(("Contact", f"<sip:{self.user}@{self.ip}:{self.port}>"))
        headers += [("User-Agent", self.agent), ("Allow", ALLOW), *(extra or [])]
        if body:
            headers.append(("Content-Type", "application/sdp"))
        response = Message(status=status, reason=REASONS.get(status, "x"), headers=headers, body=body)
        self.send(response)
        return response

    def _read(self) -> None:
        while True:
            try:
                data, _ = self.socket.recvfrom(65536)
            except OSError:
                return
            if self.deaf or not data.strip():
                continue
            message = parse(data)
            if message.status:
                self._response(message)
            else:
                self._request(message)

    def _response(self, message: Message) -> None:
        key = (_branch(message), message.cseq[1])
        if (box := self._waiting.get(key)) is not None:
            box.put(message)
        elif (call := self.calls.get(message.call_id)) is not None:
            call.on_response(message)

    def _request(self, message: Message) -> None:
        call = self.calls.get(message.call_id)
        if message.method == "OPTIONS":
            self.asked += 1
            self.respond(message, 200, tag="options")
        elif call is not None and message.method == "UPDATE":
            self.display.append(message.encode().decode())
            self.respond(message, 200)
        elif call is not None:
            call.on_request(message)
        elif message.method == "INVITE":
            call = Call(self, incoming=True)
            call.ring(message)
            if self.auto == 200:
                call.answer()
            elif self.auto is not None:
                call.reject(self.auto)
            self.rings.put(call)
        elif message.method == "NOTIFY":
            self.respond(message, 200, tag="notify")
        elif message.method != "ACK":
            self.respond(message, 481, tag="none")


class Call:
    """One call on a telephone, from its first message to its last."""

    def __init__(self, phone: Telephone, *, incoming: bool) -> None:
        self.phone, self.clock, self.incoming = phone, phone.clock, incoming
        self.sound = Stream(phone.clock, phone.ip)
        self.status = 0  # the last status of the INVITE, ours or theirs
        self.invite = Message()
        self.answered_at: float | None = None
        self.reason = ""  # the Reason header that ended it
        self.ended_by = ""  # "us" | "them"
        self._tag = secrets.token_hex(6)
        self._cseq = 1
        self._remote_uri = ""
        self._local = self._peer = ""  # From and To of our own requests
        self._final: Message | None = None  # our final response, to repeat
        self._progress, self._answered = phone.clock.event(), phone.clock.event()
        self._acked, self._over = phone.clock.event(), phone.clock.event()
        self._given_up = False  # we have cancelled our INVITE

    @property
    def over(self) -> bool:
        return self._over.is_set()

    # -- calling -------------------------------------------------------------------------------

    def begin(self, number: str, name: str, headers: list[tuple[str, str]]) -> None:
        host, port = self.phone.server
        uri = f"sip:{number}@{host}:{port}"
        shown = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '" ' if name else ""
        self._local = f"{shown}<sip:{self.phone.user}@{self.phone.ip}>;tag={self._tag}"
        self._peer = f"<{uri}>"
        self._remote_uri = uri
        self._headers = headers
        self._send_invite([])

    def _send_invite(self, extra: list[tuple[str, str]]) -> None:
        call_id = self.invite.call_id or secrets.token_hex(12)
        self.invite = self.phone.request(
            "INVITE",
            self._remote_uri,
            cseq=self._cseq,
            call_id=call_id,
            to=self._peer,
            from_=self._local,
            extra=[*self._headers, ("Allow", ALLOW), *extra],
            body=self.sound.offer(),
        )
        self.phone.calls[call_id] = self
        self._progress.clear()
        self.clock.spawn(self._repeat, self.invite, self._progress)

    def _repeat(self, message: Message, until: Any) -> None:
        pause = T1
        self.phone.send(message)
        for _ in range(6):
            if until.wait(pause) or self.over:
                return
            self.phone.send(message)
            pause *= 2

    def on_response(self, response: Message) -> None:
        number, method = response.cseq
        if method != "INVITE" or number != self.invite.cseq[0]:
            return
        self._progress.set()
        if response.status < 200:
            self.status = response.status
            if response.body and self.answered_at is None:
                self.sound.connect(response.body)  # early media
            return
        if response.status < 300:
            self._ack_answer(response)
            return
        self._ack_refusal(response)
        if response.status in (401, 407) and self.phone.password and self._cseq == 1:
            self._cseq += 1
            self._send_invite([self.phone.credentials(response, "INVITE", self._remote_uri)])
            return
        self.status = response.status
        self._end("them", response)

    def _ack_answer(self, response: Message) -> None:
        if self.answered_at is None:
            self.answered_at = self.clock.monotonic()
            self.status = response.status
            self._peer = response.get("to")
            self._remote_uri = response.contact_uri
            self.sound.connect(response.body)
        number = self.invite.cseq[0]
        self.phone.send(
            self.phone.request(
                "ACK",
                self._remote_uri,
                cseq=number,
                call_id=self.invite.call_id,
                to=self._peer,
                from_=self._local,
            )
        )
        self._answered.set()
        if self._given_up and not self.over:
            self._bye(wait=False)  # the answer and our CANCEL have crossed: the call is up

    def _ack_refusal(self, response: Message) -> None:
        self.phone.send(
            self.phone.request(
                "ACK",
                self.invite.uri,
                cseq=self.invite.cseq[0],
                call_id=self.invite.call_id,
                to=response.get("to"),
                from_=self._local,
                branch=_branch(self.invite),
            )
        )

    # -- being called --------------------------------------------------------------------------

    def ring(self, invite: Message) -> None:
        self.invite = invite
        self.phone.calls[invite.call_id] = self
        self._remote_uri = invite.contact_uri
        self._local, self._peer = f"{invite.get('to')};tag={self._tag}", invite.get("from")
        self.status = 180
        self.phone.respond(invite, 180, tag=self._tag)

    def answer(self) -> None:
        """Lift the receiver."""
        self.sound.connect(self.invite.body)
        self.status = 200
        self.answered_at = self.clock.monotonic()
        self._final = self.phone.respond(self.invite, 200, tag=self._tag, body=self.sound.offer())
        self._answered.set()
        self.clock.spawn(self._repeat, self._final, self._acked)

    def reject(self, status: int = 486) -> None:
        """Refuse: 486 busy, 603 decline, 480 …"""
        self.status = status
        self._final = self.phone.respond(self.invite, status, tag=self._tag)
        self._end("us")

    def on_request(self, request: Message) -> None:
        if request.method == "ACK":
            self._acked.set()
        elif request.method == "BYE":
            self.phone.respond(request, 200)
            self._end("them", request)
        elif request.method == "CANCEL":
            self.phone.respond(request, 200, tag=self._tag)
            if self._final is None:
                self._final = self.phone.respond(self.invite, 487, tag=self._tag)
                self.status = 487
                self._end("them", request)
        elif request.method == "INVITE" and request.cseq == self.invite.cseq:
            if self._final is not None:
                self.phone.send(self._final)
        elif request.method == "INVITE":  # moved to another address, or held
            if request.body:
                self.sound.connect(request.body)
            self.invite = request
            self.phone.respond(request, 200, tag=self._tag, body=self.sound.offer())
        else:
            self.phone.respond(request, 200, tag=self._tag)

    # -- during the call -----------------------------------------------------------------------

    def press(self, keys: str, *, held: float = 0.1, pause: float = 0.06, wait: bool = True) -> None:
        """Press keys (RFC 4733); returns when they have gone out."""
        self.sound.press(keys, held=held, pause=pause)
        if wait:
            self.sound.wait_said(len(keys) * (held + pause + 0.1) + 2)

    def say_tone(self, hz: float, seconds: float) -> None:
        """Speak: a tone."""
        self.sound.say(tone(hz, seconds))

    def hang_up(self, *, wait: bool = True) -> None:
        """End it, in whatever state it is."""
        if self.over:
            return
        if self._answered.is_set():
            self._bye(wait=wait)
        elif self.incoming:
            self.reject(486)
        else:
            invite = self.invite
            self._given_up = True
            self.phone.send(
                self.phone.request(
                    "CANCEL",
                    invite.uri,
                    cseq=invite.cseq[0],
                    call_id=invite.call_id,
                    to=self._peer,
                    from_=self._local,
                    branch=_branch(invite),
                )
            )
            if wait:
                self.wait_over(5.0)

    def _bye(self, *, wait: bool) -> None:
        self._cseq += 1
        bye = self.phone.request(
            "BYE",
            self._remote_uri,
            cseq=self._cseq,
            call_id=self.invite.call_id,
            to=self._peer,
            from_=self._local,
        )
        self._end("us")
        if wait:
            self.phone.send_request(bye, 5.0)
        else:
            self.phone.send(bye)

    def wait_answered(self, timeout: float) -> Call:
        """Until the other side answered; :class:`NoAnswer` when it did not."""
        if not self._answered.wait(timeout):
            raise NoAnswer(f"not answered within {timeout:g} s (status {self.status})")
        return self

    def wait_over(self, timeout: float) -> str:
        """Until it ended; returns who ended it."""
        if not self._over.wait(timeout):
            raise NoAnswer(f"still up after {timeout:g} s (status {self.status})")
        return self.ended_by

    def wait_hears(self, hz: float, timeout: float, *, above: float = 1000.0, last: float = 0.2) -> None:
        """Until this tone is in the ear."""
        deadline = self.clock.monotonic() + timeout
        while self.sound.hears(hz, last=last) < above:
            if self.clock.monotonic() > deadline:
                raise NoAnswer(
                    f"did not hear {hz:g} Hz within {timeout:g} s ({self.sound.packets} packets came)"
                )
            self.clock.sleep(0.02)

    def _end(self, who: str, message: Message | None = None) -> None:
        if self.over:
            return
        self.ended_by = who
        self.reason = message.get("reason") if message else ""
        self._over.set()
        self._progress.set()
        self.sound.close()


def _branch(message: Message) -> str:
    _, _, rest = message.get("via").partition("branch=")
    return rest.partition(";")[0].strip()
