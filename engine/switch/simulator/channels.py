"""A channel: its variables and headers, its stack of running applications, its commands, its end.

A channel of FreeSWITCH is a thread that runs applications; here it is an object that timers move. What
is kept of the thread is its order of doing things: it looks at its commands once in a frame of 20 ms,
an application started by a command runs inside the one that was running (a stack), commands are not
looked at while an ``event-lock`` is held, and whatever ends an application early (a transfer, a bridge,
a hang-up) is noticed at the next frame.

Source: switch_ivr.c (park, parse_event), switch_core_session.c (exec), seen on FreeSWITCH 1.11.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.switch.simulator import report, running
from engine.switch.simulator.causes import Q850, disposition
from engine.switch.simulator.commands import Command
from engine.switch.simulator.events import Headers, fragment
from engine.switch.simulator.expansion import expand
from engine.switch.simulator.party import Party
from engine.switch.simulator.profile import Profile
from engine.switch.simulator.variables import Variables

if TYPE_CHECKING:
    from engine.switch.simulator.bridges import Bridge
    from engine.switch.simulator.digits import DigitMachine
    from engine.switch.simulator.eavesdrop import Eavesdrop
    from engine.switch.simulator.originate import Originate
    from engine.switch.simulator.recording import Recording
    from engine.switch.simulator.switch import Switch

FRAME = 0.02  # seconds between two looks of a channel at its commands

_STATE_NAMES = """CS_NEW CS_INIT CS_ROUTING CS_SOFT_EXECUTE CS_EXECUTE CS_EXCHANGE_MEDIA CS_PARK
    CS_CONSUME_MEDIA CS_HIBERNATE CS_RESET CS_HANGUP CS_REPORTING CS_DESTROY CS_NONE"""
STATES = {name: number for number, name in enumerate(_STATE_NAMES.split())}

CALL_STATES = ("DOWN", "DIALING", "RINGING", "EARLY", "ACTIVE", "HELD", "RING_WAIT", "HANGUP", "UNHELD")

_MEDIA_VARIABLES = {
    "read_codec": "PCMU",
    "read_rate": "8000",
    "write_codec": "PCMU",
    "write_rate": "8000",
    "dtmf_type": "rfc2833",
}
_CODEC = {
    "Channel-Read-Codec-Name": "PCMU",
    "Channel-Read-Codec-Rate": "8000",
    "Channel-Read-Codec-Bit-Rate": "64000",
    "Channel-Write-Codec-Name": "PCMU",
    "Channel-Write-Codec-Rate": "8000",
    "Channel-Write-Codec-Bit-Rate": "64000",
}
_CODEC_JSON = fragment(_CODEC)


@dataclass(frozen=True, slots=True)
class Key:
    """A key that was pressed, whether it is part of a secret, and where it came from."""

    digit: str
    secret: bool
    source: str


class Channel:
    """One leg of a call. Made by :class:`~engine.switch.simulator.switch.Switch`, which keeps it by UUID."""

    def __init__(self, switch: Switch, profile: Profile, party: Party) -> None:
        self.switch = switch
        self.clock = switch.clock
        self.uuid = profile.uuid
        self.name = profile.channel_name
        self.inbound = profile.direction == "inbound"
        self.profile = profile
        self.party = party
        self.born = self.clock.monotonic()
        self.state = "CS_NEW"
        self.state_number = 0  # of the state that is wanted; runs ahead of ``state`` at times
        self.callstate = "DOWN"
        self.answer_state = "ringing"
        self.hangup_cause = ""
        self.call_uuid = profile.uuid
        self.hit_dialplan = self.inbound
        self.media = False  # sound flows: answered, or early media
        self.flipped = False
        self.variables = Variables()
        self.stack: list[running.Running] = []
        self.plan: deque[tuple[str, str]] = deque()  # what the dialplan has still to run
        self.pending: deque[Command] = deque()
        self.keys: deque[Key] = deque()  # keys that nobody took yet
        self.dialled_keys: list[str] = []
        self.lock = 0  # how many running applications hold the event lock
        self.break_flag = 0
        self.broadcast = False
        self.stop_broadcast = False
        self.redirect: Callable[[], None] | None = None
        self.gone = False
        self.bridge: Bridge | None = None  # the talk it is in
        self.promise: Bridge | None = None  # the bridge it was promised to
        self.other: Profile | None = None  # the other leg's profile, as it was when they met
        self.other_type = ""
        self.recordings: dict[str, Recording] = {}
        self.originate: Originate | None = None  # while it rings
        self.digit_machine: DigitMachine | None = None
        self.eavesdroppers: list[Eavesdrop] = []
        self.mourners: list[Callable[[], None]] = []  # called when it is gone
        self.in_conference = False
        self.sounds = 0  # how many playbacks run now (they nest)
        self.last_app = ""
        self.last_arg = ""
        self._waking = False
        self._unwinding = False
        self._caller_json: bytes | None = None

    # -- headers ----------------------------------------------------------------------------------

    def _status(self) -> dict[str, str]:
        status = {
            "Channel-State": self.state,
            "Channel-Call-State": self.callstate,
            "Channel-State-Number": str(self.state_number),
            "Channel-Name": self.name,
            "Unique-ID": self.uuid,
            "Call-Direction": self.profile.direction,
            "Presence-Call-Direction": self.profile.direction,
            "Channel-HIT-Dialplan": "true" if self.hit_dialplan else "false",
            "Channel-Call-UUID": self.call_uuid,
            "Answer-State": self.answer_state,
        }
        if self.hangup_cause:
            status["Hangup-Cause"] = self.hangup_cause
        return status

    def _caller(self) -> dict[str, str]:
        headers = self.profile.headers("Caller")
        if self.other is not None:
            headers["Other-Type"] = self.other_type
            headers.update(self.other.headers("Other-Leg", own=False))
        return headers

    def groups(self, variables: bool) -> list[Headers]:
        groups: list[Headers] = [
            self._status(),
            *([_CODEC] if self.inbound or self.media else []),
            self._caller(),
        ]
        if variables:
            groups.append(self.variables.headers())
        return groups

    def fragments(self, variables: bool) -> list[bytes]:
        if self._caller_json is None:
            self._caller_json = fragment(self._caller())
        pieces = [fragment(self._status())]
        if self.inbound or self.media:
            pieces.append(_CODEC_JSON)
        pieces.append(self._caller_json)
        if variables:
            pieces.append(self.variables.json())
        return pieces

    def fire(
        self, name: str, extra: Headers | None = None, *, variables: bool = True, body: str | None = None
    ) -> None:
        """Fire an event about this channel."""
        self.switch.bus.fire(name, self, extra, variables=variables, body=body)

    def touched(self) -> None:
        """The profile changed: its headers are written anew."""
        self._caller_json = None

    # -- variables --------------------------------------------------------------------------------

    def set(self, name: str, value: str | list[str] | None) -> None:
        """Set a variable; None or the empty text unsets it, as on the switch."""
        self.variables.set(name, value)

    def get(self, name: str) -> str | None:
        """A variable's value; an array as ``ARRAY::a|:b``."""
        return self.variables.text(name)

    def true(self, name: str) -> bool:
        """Whether a variable says yes."""
        return self.variables.true(name)

    def microseconds(self) -> int:
        """The wall time in microseconds since the epoch."""
        return round(self.clock.now().timestamp() * 1_000_000)

    # -- state ------------------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether the channel goes on with what it does: no hang-up, transfer or bridge is under way."""
        return not self.hangup_cause and self.redirect is None

    def set_state(self, state: str) -> None:
        self.state = state
        self.state_number = STATES[state]
        self.fire("CHANNEL_STATE", variables=False)

    def set_callstate(self, callstate: str) -> None:
        if callstate != self.callstate:
            original, self.callstate = self.callstate, callstate
            number = str(CALL_STATES.index(callstate))
            extra = {"Original-Channel-Call-State": original, "Channel-Call-State-Number": number}
            self.fire("CHANNEL_CALLSTATE", extra, variables=False)

    def unheld(self) -> None:
        """It is off hold since a moment: an ordinary call again."""
        if self.callstate == "UNHELD":
            self.set_callstate("ACTIVE")

    def next_frame(self) -> float:
        """Seconds until this channel's next frame."""
        left = FRAME - self.clock.monotonic() % FRAME  # all channels beat together, as on the switch's timer
        return left if left > 1e-6 else FRAME

    def answer(self) -> None:
        """Answer the channel, if it is not: media flows and CHANNEL_ANSWER is fired."""
        if self.answer_state in ("answered", "hangup"):
            return
        self.answer_state = "answered"
        self.media = True
        self.profile.times.answered = self.microseconds()
        self.touched()
        if not self.inbound:
            self.variables.update(_MEDIA_VARIABLES)
        self.fire("CHANNEL_ANSWER")
        self.set_callstate("ACTIVE")
        self.set("endpoint_disposition", "ANSWER")
        self.party.answered()

    def pre_answer(self) -> None:
        """Let sound flow before the answer."""
        if self.media or self.answer_state != "ringing":
            return
        self.media = True
        self.answer_state = "early"
        self.profile.times.progress_media = self.microseconds()
        self.touched()
        self.set("endpoint_disposition", "EARLY MEDIA")
        self.fire("CHANNEL_PROGRESS_MEDIA")
        self.set_callstate("EARLY")

    def ring(self) -> None:
        """Tell the far end that it rings."""
        if self.answer_state == "ringing" and not self.profile.times.progress:
            self.profile.times.progress = self.microseconds()
            self.touched()
            self.fire("CHANNEL_PROGRESS")
            self.set_callstate("RINGING")
            self.party.ringing()

    def flip_caller_id(self) -> None:
        """Change caller and callee of an outbound leg, so that it looks like a call from that phone."""
        profile = self.profile
        if self.flipped:
            return
        self.flipped = True
        self.set("pre_transfer_caller_id_name", profile.caller_id_name)
        self.set("pre_transfer_caller_id_number", profile.caller_id_number)
        profile.caller_id_name, profile.callee_id_name = profile.callee_id_name, profile.caller_id_name
        profile.caller_id_number, profile.callee_id_number = (
            profile.callee_id_number,
            profile.caller_id_number,
        )
        profile.logical_direction = "inbound"
        self.touched()
        self.set("channel_cid_flipped", "yes")

    @property
    def talks(self) -> bool:
        """Whether it is in a bridge or a conference."""
        return self.bridge is not None or self.in_conference

    @property
    def hears_playback(self) -> bool:
        """Whether a sound is played to it now."""
        return self.sounds > 0

    def sounding(self, begins: bool) -> None:
        """A playback begins or ends (also: is suspended by another)."""
        self.sounds += 1 if begins else -1
        for recording in self.recordings.values():
            recording.plays(begins)

    # -- commands ---------------------------------------------------------------------------------

    def command(self, command: Command) -> None:
        """Queue a command of ``sendmsg``; it is looked at in the next frame."""
        self.pending.append(command)
        self.wake()

    def wake(self) -> None:
        """Make sure that the channel looks at its commands, keys and breaks in its next frame."""
        if not self._waking and not self.gone:
            self._waking = True
            self.clock.after(self.next_frame(), self._frame)

    def _frame(self) -> None:
        self._waking = False
        if not self.ready or not self.stack:
            return
        top = self.stack[-1]
        if self.break_flag and top.breakable():
            flag, self.break_flag = self.break_flag, 0
            top.broken(flag)
            return
        self.pump()
        if self.ready and self.keys and self.stack:
            self.stack[-1].take_keys()
            if self.keys:
                self.wake()

    def pump(self) -> None:
        """Run the queued commands until a lock or the end of the queue.

        What takes time looks at the commands before its first frame, so the next one runs inside it:
        "play A" and "play B" sent together play B first.
        """
        while self.pending and not self.lock and self.ready and self.stack and self.stack[-1].listens:
            top = self.stack[-1]
            self._obey(self.pending.popleft())
            if not top.hasty:
                if self.pending:
                    self.clock.after(FRAME, self.wake)
                return

    def do_what_is_instant(self) -> None:
        """Run the queued commands up to one that takes time."""
        while self.pending and not self.lock and self.ready:
            command = self.pending[0]
            application = self.switch.applications.get(command.app)
            if command.kind != "execute" or application is None or not application.instant:
                return
            self._obey(self.pending.popleft())

    def _obey(self, command: Command) -> None:
        if command.kind == "hangup":
            self.hangup(command.arg)
            return
        if command.kind != "execute" or not command.app:
            return
        self.stop_broadcast = False
        command.inner = self.bridge is None
        if not self.broadcast:
            self.broadcast = True
            command.inner = False
        self._once(command)

    def _once(self, command: Command) -> None:
        if command.lock:
            self.lock += 1
        command.loop += 1
        self.set("current_loop", str(command.loop))
        self.set("total_loops", str(command.loops))
        if not self.execute(command.app, command.arg, command=command):
            self._obeyed(command, 0.0, again=False)

    def _obeyed(self, command: Command, taken: float, *, again: bool = True) -> bool:
        """A command's application is over; True when the break that ended it goes on to the outer one."""
        if command.lock:
            self.lock -= 1
        more = command.loops < 0 or command.loop < command.loops
        if again and more and self.ready and not self.stop_broadcast and taken >= 0.5:
            self._once(command)
            return False
        self.set("current_loop", None)
        self.set("total_loops", None)
        if not command.inner:
            self.broadcast = False
        if self.stop_broadcast:
            self.broadcast = False
            self.break_flag = 1
        return bool(self.break_flag)

    # -- applications -----------------------------------------------------------------------------

    def execute(self, app: str, arg: str = "", *, command: Command | None = None) -> bool:
        """Start an application on top of the stack; False when it was refused (the switch hangs up)."""
        application = self.switch.applications.get(app)
        if application is None:
            self.hangup("DESTINATION_OUT_OF_ORDER")
            return False
        if application.needs_media and not self.media:
            if not self.inbound:
                return False
            self.pre_answer()
        chosen = command.event_uuid if command else ""
        uuid = (chosen if "${" not in chosen else "") or self.get("app_uuid") or self.switch.new_uuid()
        self.set("app_uuid", None)
        data = arg if self.true("app_disable_expand_variables") else expand(self, arg)
        self.last_app, self.last_arg = app, data
        self.set("current_application", app)
        self.set("current_application_data", data)
        self.set("current_application_response", None)
        task = application.make(self, app, data, uuid)
        task.command = command
        task.began = self.clock.monotonic()
        below = self.stack[-1] if self.stack else None
        if below is not None and not application.instant and not below.suspended:
            below.suspended = True
            below.suspend()
        self.stack.append(task)
        self.fire("CHANNEL_EXECUTE", task.headers())
        self.break_flag = 0
        task.start()
        task.starting = False
        if task.over and below is not None:
            self._uncover(below)
        return True

    def finish(self, task: running.Running, response: str | None = None) -> None:
        """An application on top of the stack is over: report it, then go on with what was below it."""
        self._pop(task, response)
        broke = self._obeyed(task.command, self.clock.monotonic() - task.began) if task.command else False
        if task.starting or not self.ready:
            return  # whoever started it goes on
        if not self.stack:
            self.follow_plan()
            return
        top = self.stack[-1]
        if not broke:
            self.pump()
        self._uncover(top)

    def _uncover(self, task: running.Running) -> None:
        if self.ready and self.stack and self.stack[-1] is task:
            if task.suspended:
                task.suspended = False
                task.resume()
            if self.pending or self.break_flag or self.keys:
                self.wake()

    def _pop(self, task: running.Running, response: str | None) -> None:
        assert self.stack
        assert self.stack[-1] is task
        self.stack.pop()
        task.over = True
        if response is not None:
            self.set("current_application_response", response)
        if task.silent:
            return
        extra = task.headers()
        named = {key: extra.pop(key) for key in list(extra) if key.startswith("Application-UUID")}
        extra["Application-Response"] = self.get("current_application_response") or "_none_"
        extra |= named
        self.fire("CHANNEL_EXECUTE_COMPLETE", extra)

    def follow_plan(self) -> None:
        """Run what the dialplan has still to run; at its end the channel is hung up."""
        while self.ready and not self.stack:
            if not self.plan:
                self.hangup("NORMAL_CLEARING")
                return
            self.execute(*self.plan.popleft())
        self.pump()

    def enter(self, task: running.Running, state: str) -> None:
        """Sit in ``task`` because of a state (park, bridge), not because an application was executed."""
        self.set_state(state)
        task.silent = True
        self.stack.append(task)
        task.start()
        if self.stack and self.stack[-1] is task and (self.pending or self.keys):
            self.wake()

    # -- keys -------------------------------------------------------------------------------------

    def press(self, digits: Iterable[str]) -> None:
        """Keys arrive from the far end. Those that are part of a bound sequence are held back or swallowed."""
        for digit in digits:
            if self.digit_machine is None or not self.digit_machine.feed(digit):
                self.queue_keys(digit, "RTP")

    def queue_keys(self, digits: Iterable[str], source: str) -> None:
        """Keys to be taken by what runs; from ``uuid_recv_dtmf`` and the like they come from an APP."""
        if self.hangup_cause or self.gone:
            return
        secret = self.true("sensitive_dtmf")  # decided when a key comes, not when it is taken
        self.keys.extend(Key(digit, secret, source) for digit in digits)
        self.wake()

    def take_key(self) -> str:
        """Take the oldest key, with its event: none, and not remembered, when it is a secret."""
        key = self.keys.popleft()
        if not key.secret:
            self.dialled_keys.append(key.digit)
            duration = "800" if key.source == "RTP" else "2000"  # in samples
            self.fire(
                "DTMF",
                {"DTMF-Digit": key.digit, "DTMF-Duration": duration, "DTMF-Source": key.source},
                variables=False,
            )
        return key.digit

    def send_keys(self, digits: str) -> None:
        """Keys are sent to the far end."""
        for digit in digits:
            self.party.key_heard(digit)

    # -- interruption and end ---------------------------------------------------------------------

    def interrupt(self, state: str, then: Callable[[], None]) -> None:
        """Leave all that runs at the next frame for ``state``, then do ``then`` (a transfer, a bridge, a park)."""
        if self.hangup_cause:
            return
        self.state_number = STATES[state]
        self.redirect = then
        if not self.deaf:
            self._unwind_soon()

    @property
    def deaf(self) -> bool:
        """Whether it waits for a bridge in vain; only the other leg's end, or its own, gets it out of that."""
        return bool(self.stack) and self.stack[-1].deaf

    def wake_from_vain(self) -> bool:
        """The leg it waited for is gone: go where it was sent meanwhile. False when it was sent nowhere."""
        if self.redirect is None:
            return False
        self._unwind_soon()
        return True

    def _unwind_soon(self) -> None:
        if not self._unwinding and not self.gone:
            self._unwinding = True
            self.clock.after(self.next_frame() if self.stack else 0.0, self._unwind)

    def _unwind(self) -> None:
        self._unwinding = False
        if self.gone:
            return
        while self.stack:
            if self.drop_top():
                self._drain(depth=len(self.stack))
        self.break_flag = 0
        if self.hangup_cause:
            self.redirect = None
            report.finish(self)
            return
        then, self.redirect = self.redirect, None
        if then is not None:
            then()

    def drop_top(self) -> bool:
        """End what is on top of the stack early, with its events; whether commands are looked at after it."""
        task = self.stack[-1]
        self._pop(task, task.abort())
        if task.command:
            return not self._obeyed(task.command, 0.0, again=False)
        return not task.listens

    def _drain(self, depth: int) -> None:
        """What still waits behind an application that ended early is looked at even now.

        After a hang-up only applications that may run on a dead channel do; the others are passed over.
        """
        while self.pending and not self.lock and len(self.stack) == depth:
            command = self.pending.popleft()
            application = self.switch.applications.get(command.app)
            if command.kind != "execute" or application is None:
                continue
            if self.hangup_cause and not application.posthumous:
                continue
            self._once(command)
            while len(self.stack) > depth:
                task = self.stack[-1]
                self._pop(task, task.abort())

    def hangup(self, cause: str = "NORMAL_CLEARING", *, by_far_end: bool = False) -> None:
        """Hang the channel up; what runs on it ends at its next frame, then the channel is reported and gone."""
        if self.hangup_cause:
            return
        self.hangup_cause = cause
        self.answer_state = "hangup"
        self.profile.times.hangup = self.microseconds()
        self.touched()
        self.redirect = None
        self.state_number = STATES["CS_HANGUP"]
        if by_far_end:
            self.set("sip_term_status", "200")
            self.set("proto_specific_hangup_cause", "sip:200")
            self.set("sip_term_cause", str(Q850.get(cause, 16)))
        self.fire("CHANNEL_HANGUP")
        self.set(
            "sip_hangup_disposition", disposition(self.profile.times.answered > 0, self.inbound, by_far_end)
        )
        self._unwind_soon()
