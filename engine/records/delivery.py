"""How one notice gets out one way: mail, webhook, telephone, a plugin's notifier.

Nothing here raises for what the far end does: an :class:`~engine.records.notices.Outcome` says what became of it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import smtplib
import ssl
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any, Final, Protocol

import httpx
import orjson
import structlog

from engine.calls.call import Call
from engine.calls.outbound import Outbound
from engine.calls.registry import Calls
from engine.calls.ring import CallFloor
from engine.clock import Clock, TimeUp
from engine.errors import DialRefused, HungUp, InsidelineError, SwitchError
from engine.esl.commands import Dial, Digits, PhoneDial
from engine.hooks.notifiers import Notifier
from engine.records.notices import Outcome
from engine.records.notify_file import Mail, NoticeGroup, NoticeWay, NotifyFile
from engine.types import NoticeView, RingKind

log = structlog.get_logger(__name__)

PATIENCE: Final = 20.0
"""Seconds for a mail server, a webhook, a notifier."""
ASKED: Final = 3
"""How often somebody on the phone is asked for the key."""


class Said(Protocol):
    """Words ready to be played."""

    @property
    def playback(self) -> str: ...
    @property
    def seconds(self) -> float: ...


#: (prompt, values, language, department) -> what is played.
Speak = Callable[[str, Mapping[str, Any], str, str], Said]
#: Runs a notifier of a plugin in a transaction; raises what it raises.
Send = Callable[[Notifier, NoticeView, str, float], None]


class Delivery:
    """Delivers; each call blocks its own greenlet."""

    def __init__(
        self,
        clock: Clock,
        file: NotifyFile,
        *,
        calls: Calls,
        outbound: Outbound,
        extensions: Callable[[str], bool],
        speak: Speak,
        notifiers: Mapping[str, Notifier],
        send: Send,
        language: str,
        centre: str,
    ) -> None:
        """``extensions`` knows the phones of the house; ``centre`` names us in the subject of a mail."""
        self._clock = clock
        self._file = file
        self._calls = calls
        self._floor = CallFloor(calls)
        self._outbound = outbound
        self._extensions = extensions
        self._speak = speak
        self._notifiers = notifiers
        self._send = send
        self._language = language
        self._centre = centre

    def __call__(self, notice: NoticeView, way: NoticeWay, group: NoticeGroup) -> Outcome:
        """Try ``way`` once."""
        match way.kind:
            case "mail":
                return self._by_mail(notice, way)
            case "webhook":
                return self._by_webhook(notice, way)
            case "phone":
                return self._by_phone(notice, way, group.language or self._language)
        return self._by_notifier(notice, way)

    # -- mail -------------------------------------------------------------------------------------------

    def _by_mail(self, notice: NoticeView, way: NoticeWay) -> Outcome:
        mail = self._file.mail
        if mail is None or not way.mail:
            return Outcome(False, error="there is no mail server in conf/notify.yaml", final=True)
        message = EmailMessage()
        message["From"] = mail.sender
        message["To"] = ", ".join(way.mail)
        # One line, whatever stands in the values: EmailMessage refuses a header with a line's end in it.
        first = " ".join(notice.text.split())[:120]
        message["Subject"] = f"[{self._centre}] {notice.level}: {first}"
        message["Date"] = format_datetime(self._clock.now())
        message["Message-ID"] = f"<notice-{notice.id}@{mail.sender.rpartition('@')[2]}>"
        message.set_content(
            f"{notice.text}\n\nNotice {notice.id}, {notice.level}, for {notice.group}\n"
            f"insideline notice ack {notice.id}\n"
        )
        try:
            with self._clock.outside():
                _post(mail, message)
        except smtplib.SMTPRecipientsRefused as error:
            final = all(code >= 500 for code, _ in error.recipients.values())
            return Outcome(False, error="the mail server refuses every recipient", final=final)
        except (OSError, smtplib.SMTPException) as error:
            return Outcome(False, error=f"mail: {_one_line(error)}")
        return Outcome(True)

    # -- webhook ------------------------------------------------------------------------------------------

    def _by_webhook(self, notice: NoticeView, way: NoticeWay) -> Outcome:
        assert way.webhook is not None
        body = orjson.dumps(
            {
                "id": notice.id, "group": notice.group, "level": notice.level, "text": notice.text,
                "prompt": notice.prompt, "values": dict(notice.values), "created": notice.created,
                "call": notice.call,
            },
            default=str,
        )  # fmt: skip
        headers = {"content-type": "application/json", "idempotency-key": notice.id}
        if way.secret is not None:
            headers |= signed(way.secret, body, int(self._clock.now().timestamp()))
        try:
            with self._clock.outside(), httpx.Client(timeout=PATIENCE, follow_redirects=False) as client:
                answer = client.post(way.webhook, content=body, headers=headers)
        except httpx.HTTPError as error:
            return Outcome(False, error=f"webhook: {_one_line(error)}")
        if answer.is_success:
            return Outcome(True)
        final = 400 <= answer.status_code < 500 and answer.status_code not in (408, 425, 429)
        return Outcome(False, error=f"webhook: it answered {answer.status_code}", final=final)

    # -- telephone ----------------------------------------------------------------------------------------

    def _by_phone(self, notice: NoticeView, way: NoticeWay, language: str) -> Outcome:
        assert way.phone is not None
        number = number_of(way.phone, notice.values)
        if not number:
            return Outcome(False, error=f"phone {way.phone}: the notice says no number", final=True)
        owner = f"notice-{notice.id}"
        shown = ""
        try:
            dial: Dial
            if self._extensions(number):
                dial = PhoneDial(number)
            else:
                allowed = self._outbound.dial(number, purpose="notice", call=notice.call)
                dial, shown = allowed.dial, allowed.caller
            self._calls.pledged.add(owner)
            ring = self._floor.dial(
                owner, dial, seconds=way.rings, number=shown, name=self._centre,
                variables={"playback_terminators": "none"},
            )  # fmt: skip
            try:
                result = ring.wait()
                if result.kind is not RingKind.ANSWERED:
                    return Outcome(False, error=f"phone {number}: {result.kind}")
                return self._on_the_phone(ring.leg, notice, way, number, language)
            finally:
                ring.drop()
        except DialRefused as error:
            return Outcome(False, error=f"phone: {error}", final=error.why not in ("too_many", "too_often"))
        except SwitchError as error:
            return Outcome(False, error=f"phone: {error}")
        finally:
            self._calls.pledged.discard(owner)

    def _on_the_phone(
        self, uuid: str, notice: NoticeView, way: NoticeWay, number: str, language: str
    ) -> Outcome:
        leg = self._calls.legs.get(uuid)
        if leg is None:
            return Outcome(False, error=f"phone {number}: hung up at once")
        call = Call(self._calls, leg, number=number, dialled="", name="", origin="")
        said = self._speak(notice.prompt, notice.values, language, notice.department)
        asks = self._speak("press_to_acknowledge", {"key": way.key}, language, "")
        try:
            for _ in range(ASKED):
                call.play(said.playback, said.seconds)
                digits = Digits(minimum=1, maximum=1, first=6.0, terminators="", prompt=asks.playback)
                heard = call.collect(digits, event_uuid=call.new_event_uuid(), limit=asks.seconds + 25.0)
                if heard is not None and heard.digits == way.key:
                    thanks = self._speak("notice_acknowledged", {}, language, "")
                    try:
                        call.play(thanks.playback, thanks.seconds)
                    except HungUp:
                        pass  # the key was pressed; who then hangs up has done enough
                    return Outcome(True, acknowledged=f"phone {number}")
        except HungUp:
            return Outcome(True, error=f"phone {number}: hung up without the key")
        return Outcome(True, error=f"phone {number}: no key was pressed")

    # -- a plugin's ------------------------------------------------------------------------------------------

    def _by_notifier(self, notice: NoticeView, way: NoticeWay) -> Outcome:
        notifier = self._notifiers.get(way.notifier or "")
        if notifier is None:
            return Outcome(False, error=f"there is no notifier {way.notifier}", final=True)
        try:
            with self._clock.timeout(PATIENCE + 5.0) as mine:
                self._send(notifier, notice, way.to or "", PATIENCE)
        except TimeUp as up:
            if up is not mine:
                raise
            return Outcome(False, error=f"{notifier.name}: no answer in time")
        except InsidelineError as error:
            return Outcome(False, error=f"{notifier.name}: {error}")
        except Exception as error:
            log.exception("notifier.failed", notifier=notifier.name)
            return Outcome(False, error=f"{notifier.name}: {type(error).__name__}")
        return Outcome(True)


def number_of(phone: str, values: Mapping[str, Any]) -> str:
    """The number that a way rings: itself, or the notice's value of that name (`"{branch_phone}"`); "" when it
    says none."""
    if not phone.startswith("{"):
        return phone
    said = values.get(phone[1:-1])
    number = said if isinstance(said, str) else ""
    return number if re.fullmatch(r"\+?[0-9]{2,20}", number) else ""


def signed(secret: str, body: bytes, timestamp: int) -> dict[str, str]:
    """The headers that prove to a webhook whose the body is: HMAC-SHA256 over ``<timestamp>.<body>``, in hex."""
    proof = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"x-insideline-timestamp": str(timestamp), "x-insideline-signature": f"sha256={proof}"}


def _post(mail: Mail, message: EmailMessage) -> None:
    context = ssl.create_default_context()
    if mail.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(mail.host, mail.port, timeout=PATIENCE, context=context)
    else:
        server = smtplib.SMTP(mail.host, mail.port, timeout=PATIENCE)
    with server:
        if mail.security == "starttls":
            server.starttls(context=context)
        if mail.user is not None:
            server.login(mail.user, mail.password or "")
        server.send_message(message)


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]
