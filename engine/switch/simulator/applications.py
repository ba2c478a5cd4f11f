"""The applications that a channel can run. What is not here, the switch does not know.

An instant application is a function of the channel and its argument that returns what
CHANNEL_EXECUTE_COMPLETE answers (None: nothing in particular). One that takes time is a class of
:mod:`running`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.switch.simulator import collect, recording, running
from engine.switch.simulator.bridge_app import BridgeApp
from engine.switch.simulator.causes import cause_named
from engine.switch.simulator.conference import Conference
from engine.switch.simulator.digits import bind_digit_action, clear_digit_action, digit_action_set_realm
from engine.switch.simulator.eavesdrop import Eavesdrop
from engine.switch.simulator.expansion import expand
from engine.switch.simulator.fax import TxFax
from engine.switch.simulator.media import integer
from engine.switch.simulator.record_app import RecordApp

if TYPE_CHECKING:
    from engine.switch.simulator.channels import Channel

Make = Callable[["Channel", str, str, str], running.Running]


@dataclass(frozen=True, slots=True)
class Application:
    """How to start an application, and whether it needs sound (an unanswered call gets early media then)."""

    make: Make
    needs_media: bool = True
    instant: bool = False
    posthumous: bool = False  # runs on a channel that was hung up, too


def _instant(deed: running.Deed, *, needs_media: bool = False, posthumous: bool = False) -> Application:
    def make(channel: Channel, app: str, arg: str, uuid: str) -> running.Running:
        return running.Instant(channel, app, arg, uuid, deed)

    return Application(make, needs_media=needs_media, instant=True, posthumous=posthumous)


def _collect(channel: Channel, app: str, arg: str, uuid: str) -> running.Running:
    return collect.Collect(channel, app, arg, uuid, collect.pagd_arguments(arg), checks=True)


def _read(channel: Channel, app: str, arg: str, uuid: str) -> running.Running:
    return collect.Collect(channel, app, arg, uuid, collect.read_arguments(arg), checks=False)


# -- instant applications ---------------------------------------------------------------------------


def _answer(channel: Channel, arg: str) -> str | None:
    channel.answer()
    return None


def _pre_answer(channel: Channel, arg: str) -> str | None:
    channel.pre_answer()
    return None


def _ring_ready(channel: Channel, arg: str) -> str | None:
    channel.ring()
    return None


def _hangup(channel: Channel, arg: str) -> str | None:
    channel.hangup(cause_named(arg) if arg else "NORMAL_CLEARING")
    return None


def assign(channel: Channel, text: str) -> str:
    """``name=value`` (or ``name,value``); returns the name. The value is expanded, for the second time."""
    name, has_value, value = text.partition("=" if "=" in text else ",")
    if name:
        channel.set(name, expand(channel, value) if has_value else None)
    return name


def _set(channel: Channel, arg: str) -> str | None:
    assign(channel, arg)
    return None


def _set_name(channel: Channel, arg: str) -> str | None:
    if arg:  # the profile keeps the name that it has (switch_channel.c)
        channel.name = arg
        channel.set("channel_name", arg)
        channel.touched()
    return None


#: The switch's word for a field of the profile -> ours.
_PROFILE = {
    "username": "username",
    "caller_id_name": "caller_id_name",
    "caller_id_number": "caller_id_number",
    "callee_id_name": "callee_id_name",
    "callee_id_number": "callee_id_number",
    "ani": "ani",
    "chan_name": "channel_name",
}


def _set_profile_var(channel: Channel, arg: str) -> str | None:
    """What of the caller profile an application may write: not the numbers that the call began with."""
    name, has_value, value = arg.partition("=")
    if has_value and name in _PROFILE:
        setattr(channel.profile, _PROFILE[name], expand(channel, value))
        channel.touched()
    return None


def _multiset(channel: Channel, arg: str) -> str | None:
    delimiter, text = " ", arg
    if arg.startswith("^^") and len(arg) > 2:
        delimiter, text = arg[2], arg[3:]
    for pair in text.split(delimiter):
        if "=" in pair:
            assign(channel, pair)
    return None


def _unset(channel: Channel, arg: str) -> str | None:
    channel.set(arg.strip(" "), None)
    return None


def _multiunset(channel: Channel, arg: str) -> str | None:
    delimiter, text = " ", arg
    if arg.startswith("^^") and len(arg) > 2:
        delimiter, text = arg[2], arg[3:]
    for name in text.split(delimiter):
        channel.set(name, None)
    return None


def _export(channel: Channel, arg: str) -> str | None:
    name = assign(channel, arg.removeprefix("nolocal:"))
    if name:
        known = channel.get("export_vars")
        channel.set("export_vars", f"{known},{name}" if known else name)
    return None


def _record_session(channel: Channel, arg: str) -> str | None:
    words = arg.split("+")
    recording.start(channel, words[0].strip(), integer(words[1]) if len(words) > 1 else 0)
    return None


def _stop_record_session(channel: Channel, arg: str) -> str | None:
    recording.stop(channel, arg.strip())
    return None


def _transfer(channel: Channel, arg: str) -> str | None:
    words = arg.split()
    if words and words[0] in ("-bleg", "-both"):
        words = words[1:]
    if words:
        words += ["", ""]
        channel.switch.transfer(channel, words[0], words[1], words[2])
    return None


def due(channel: Channel, when: str) -> int:
    """``+seconds`` from now or an epoch, as a moment of the wall clock in whole seconds."""
    if when.startswith("+"):
        return math.floor(channel.switch.scheduler.epoch()) + integer(when[1:])
    return integer(when)


def _sched_transfer(channel: Channel, arg: str) -> str | None:
    words = arg.split()
    if len(words) >= 2:
        words += ["", ""]
        task = channel.switch.schedule_transfer(channel, due(channel, words[0]), words[1], words[2], words[3])
        channel.set("last_sched_id", str(task))
    return None


def _sched_hangup(channel: Channel, arg: str) -> str | None:
    words = arg.split()
    if words:
        cause = cause_named(words[1]) if len(words) > 1 else "ALLOTTED_TIMEOUT"
        task = channel.switch.schedule_hangup(channel, due(channel, words[0]), cause)
        channel.set("last_sched_id", str(task))
    return None


def _sched_cancel(channel: Channel, arg: str) -> str | None:
    channel.switch.scheduler.delete(arg.strip() or channel.uuid)
    return None


def _log(channel: Channel, arg: str) -> str | None:
    return None


def _start_dtmf(channel: Channel, arg: str) -> str | None:
    return None


def _mask(channel: Channel, arg: str) -> str | None:
    recording.mask(channel, arg.strip(), True)
    return None


def _unmask(channel: Channel, arg: str) -> str | None:
    recording.mask(channel, arg.strip(), False)
    return None


def _break(channel: Channel, arg: str) -> str | None:
    channel.break_flag = 1
    return None


def _flush_dtmf(channel: Channel, arg: str) -> str | None:
    channel.keys.clear()
    return None


def _hold(channel: Channel, arg: str) -> str | None:
    channel.set_callstate("HELD")
    channel.fire("CHANNEL_HOLD")
    return None


def _unhold(channel: Channel, arg: str) -> str | None:
    if channel.callstate == "HELD":
        channel.set_callstate("UNHELD")
        channel.fire("CHANNEL_UNHOLD")
        channel.clock.after(channel.next_frame(), channel.unheld)
    return None


def _send_dtmf(channel: Channel, arg: str) -> str | None:
    channel.send_keys(arg.partition("@")[0])
    return None


def _event(channel: Channel, arg: str) -> str | None:
    channel.switch.fire_event_application(channel, arg)
    return None


APPLICATIONS: dict[str, Application] = {
    "answer": _instant(_answer),
    "pre_answer": _instant(_pre_answer),
    "ring_ready": _instant(_ring_ready),
    "hangup": _instant(_hangup),
    "set": _instant(_set, posthumous=True),
    "set_name": _instant(_set_name),
    "set_profile_var": _instant(_set_profile_var),
    "multiset": _instant(_multiset, posthumous=True),
    "unset": _instant(_unset, posthumous=True),
    "multiunset": _instant(_multiunset, posthumous=True),
    "export": _instant(_export, posthumous=True),
    "log": _instant(_log, posthumous=True),
    "info": _instant(_log, posthumous=True),
    "event": _instant(_event, posthumous=True),
    "start_dtmf": _instant(_start_dtmf, needs_media=True),
    "stop_dtmf": _instant(_start_dtmf, needs_media=True),
    "send_dtmf": _instant(_send_dtmf, needs_media=True),
    "bind_digit_action": _instant(bind_digit_action),
    "clear_digit_action": _instant(clear_digit_action),
    "digit_action_set_realm": _instant(digit_action_set_realm),
    "break": _instant(_break),
    "flush_dtmf": _instant(_flush_dtmf),
    "hold": _instant(_hold),
    "unhold": _instant(_unhold),
    "record_session_mask": _instant(_mask),
    "record_session_unmask": _instant(_unmask),
    "record": Application(RecordApp),
    "bridge": Application(BridgeApp, needs_media=False),
    "record_session": _instant(_record_session, needs_media=True),
    "stop_record_session": _instant(_stop_record_session),
    "transfer": _instant(_transfer),
    "sched_transfer": _instant(_sched_transfer),
    "sched_hangup": _instant(_sched_hangup),
    "sched_cancel": _instant(_sched_cancel),
    "park": Application(running.Park, needs_media=False),
    "playback": Application(running.PlaybackApp),
    "endless_playback": Application(running.EndlessPlayback),
    "play_and_get_digits": Application(_collect),
    "read": Application(_read),
    "sleep": Application(running.Sleep, needs_media=False),
    "echo": Application(running.Echo),
    "conference": Application(Conference),
    "eavesdrop": Application(Eavesdrop),
    "txfax": Application(TxFax),
}
