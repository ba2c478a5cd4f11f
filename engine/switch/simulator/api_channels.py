"""The ``uuid_…`` commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.switch.simulator import recording
from engine.switch.simulator.arguments import split
from engine.switch.simulator.bridges import park, uuid_bridge
from engine.switch.simulator.causes import cause_named
from engine.switch.simulator.events import Event
from engine.switch.simulator.media import integer

if TYPE_CHECKING:
    from engine.switch.simulator.channels import Channel
    from engine.switch.simulator.switch import Switch

GONE = "-ERR No such channel!\n"
LOST = "-ERR Cannot locate session!\n"
_KEYS = set("0123456789*#ABCDabcdwWF+~")


def _find(switch: Switch, uuid: str) -> Channel | None:
    channel = switch.channels.get(uuid)
    return None if channel is None or channel.hangup_cause else channel


def _exists(switch: Switch, arg: str) -> str:
    return "true" if _find(switch, arg) is not None else "false"


def _dump(switch: Switch, arg: str) -> str:
    words = arg.split()
    if not words:
        return "-USAGE: <uuid> [format]\n"
    channel = _find(switch, words[0])
    if channel is None:
        return GONE
    event = Event("CHANNEL_DATA", switch.bus.envelope("CHANNEL_DATA"), channel, True, {}, None, "", None)
    if words[1:] == ["json"]:
        return event.json_body().decode()
    if len(words) > 1 and words[1] not in ("plain", "txt"):
        return "-ERR not simulated\n"
    return event.plain_body().decode("utf-8", "surrogateescape")


def _getvar(switch: Switch, arg: str) -> str:
    words = arg.split(" ")
    if len(words) < 2:
        return "-USAGE: <uuid> <var>\n"
    channel = _find(switch, words[0])
    if channel is None:
        return GONE
    value = channel.get(words[1])
    return "_undef_" if value is None else value


def set_unescaped(channel: Channel, name: str, value: str | None) -> None:
    """Set a variable as uuid_setvar does; ``ARRAY::a|:b`` becomes an array."""
    if value is not None and value.startswith("ARRAY::"):
        channel.set(name, value.removeprefix("ARRAY::").split("|:"))
    else:
        channel.set(name, value)


def _setvar(switch: Switch, arg: str) -> str:
    words = split(arg, 3)
    if len(words) < 2:
        return "-USAGE: <uuid> <var> [value]\n"
    channel = _find(switch, words[0])
    if channel is None:
        return GONE
    set_unescaped(channel, words[1], words[2] if len(words) > 2 else None)
    return "+OK\n"


def _setvar_multi(switch: Switch, arg: str) -> str:
    uuid, _, rest = arg.partition(" ")
    channel = _find(switch, uuid)
    if channel is None:
        return GONE + "-USAGE: <uuid> <var>=<value>;<var>=<value>...\n"
    if not rest:
        return ""
    for pair in split(rest, 1024, ";"):
        name, has_value, value = pair.partition("=")
        if name:
            set_unescaped(channel, name, value if has_value else None)
    return "+OK\n"


def _kill(switch: Switch, arg: str) -> str:
    words = arg.split()
    if not words:
        return "-USAGE: <uuid> [cause]\n"
    channel = _find(switch, words[0])
    if channel is None:
        return GONE
    channel.hangup(cause_named(words[1]) if len(words) > 1 else "NORMAL_CLEARING")
    return "+OK\n"


def _break(switch: Switch, arg: str) -> str:
    words = arg.split()
    if not words:
        return "-USAGE: <uuid> [all]\n"
    channel = _find(switch, words[0])
    if channel is None:
        return GONE
    all_of_it = any("all" in word for word in words[1:])
    if all_of_it:
        channel.pending.clear()
    if channel.broadcast:
        channel.stop_broadcast = True
        channel.break_flag = 1
    else:
        channel.break_flag = 2 if all_of_it else 1
    channel.wake()
    return "+OK\n"


def _bridge(switch: Switch, arg: str) -> str:
    words = arg.split()
    if len(words) < 2:
        return "-USAGE: <uuid> <other_uuid>\n"
    a, b = _find(switch, words[0]), _find(switch, words[1])
    if a is None or b is None or not uuid_bridge(a, b):
        return "-ERR Invalid uuid\n"
    return f"+OK {words[1]}\n"


def _park(switch: Switch, arg: str) -> str:
    channel = _find(switch, arg.strip())
    if channel is None:
        return GONE
    channel.promise = None
    channel.interrupt("CS_PARK", lambda: park(channel))
    return "+OK\n"


def _transfer(switch: Switch, arg: str) -> str:
    words = split(arg, 6)
    if len(words) < 2:
        return "-USAGE: <uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]\n"
    channel = _find(switch, words[0])
    if channel is None:
        return GONE
    which = words[1] if words[1] in ("-bleg", "-both") else ""
    rest = [*words[2 if which else 1 :], "", "", ""]
    legs = [channel]
    if which:
        if channel.bridge is None:
            return "+OK\n"
        other = channel.bridge.other(channel)
        legs = [other] if which == "-bleg" else [channel, other]
    for leg in legs:
        switch.transfer(leg, rest[0], rest[1], rest[2])
    return "+OK\n"


def _record(switch: Switch, arg: str) -> str:
    words = split(arg, 5)
    usage = "-USAGE: <uuid> [start|stop|mask|unmask] <path> [<limit>] [<recording_vars>]\n"
    if len(words) < 3:
        return usage
    channel = _find(switch, words[0])
    if channel is None:
        return LOST
    verb, path = words[1].lower(), words[2]
    if verb == "start":
        if not channel.media:
            return "-ERR Cannot record session!\n"
        limit = integer(words[3]) if len(words) > 3 else 0
        return "+OK Success\n" if recording.start(channel, path, limit) else "-ERR Cannot record session!\n"
    if verb == "stop":
        return "+OK Success\n" if recording.stop(channel, path) else "-ERR Cannot stop record session!\n"
    if verb in ("mask", "unmask"):
        one = channel.recordings.get(path)
        if one is None:
            return (
                "-ERR Cannot mask recording session!\n"
                if verb == "mask"
                else "-ERR Cannot unmask recording session!\n"
            )
        one.mask(verb == "mask")
        return "+OK Success\n"
    return usage


def _buglist(switch: Switch, arg: str) -> str:
    channel = _find(switch, arg.strip())
    if channel is None:
        return ""
    known = [("session_record", path) for path in channel.recordings]
    known += [("eavesdrop", channel.uuid) for _ in channel.eavesdroppers]
    bugs = "".join(
        f" <media-bug>\n  <function>{function}</function>\n  <target>{target}</target>\n"
        "  <thread-locked>0</thread-locked>\n </media-bug>\n"
        for function, target in known
    )
    return f"<media-bugs>\n{bugs}</media-bugs>\n"


def _recv_dtmf(switch: Switch, arg: str) -> str:
    uuid, _, digits = arg.partition(" ")
    if not digits:
        return "-USAGE: <uuid> <dtmf_data>\n"
    channel = _find(switch, uuid)
    if channel is None:
        return LOST
    keys = digits.partition("@")[0]
    if not keys or not _KEYS.issuperset(keys):
        return "-USAGE: <uuid> <dtmf_data>\n"
    channel.queue_keys((key for key in keys if key not in "wWF+~"), "APP")
    return f"+OK {uuid} received DTMF {digits}.\n"


def _send_dtmf(switch: Switch, arg: str) -> str:
    uuid, _, digits = arg.partition(" ")
    if not digits:
        return "-USAGE: <uuid> <dtmf_data>\n"
    channel = _find(switch, uuid)
    if channel is None:
        return LOST
    channel.send_keys(digits.partition("@")[0])
    return f"+OK {uuid} sent DTMF {digits}.\n"


def _flush_dtmf(switch: Switch, arg: str) -> str:
    channel = _find(switch, arg.strip())
    if channel is None:
        return "-ERR No such session\n"
    channel.keys.clear()
    return "+OK\n"


def _answer(switch: Switch, arg: str) -> str:
    channel = _find(switch, arg.strip())
    if channel is None:
        return "-ERROR\n"
    channel.answer()
    return "+OK\n"


def _phone_event(switch: Switch, arg: str) -> str:
    channel = _find(switch, arg.split(" ")[0]) if arg else None
    return "+OK Success\n" if channel is not None else "-ERR Operation failed\n"


COMMANDS: dict[str, Callable[[Switch, str], str]] = {
    "uuid_answer": _answer,
    "uuid_break": _break,
    "uuid_bridge": _bridge,
    "uuid_buglist": _buglist,
    "uuid_dump": _dump,
    "uuid_exists": _exists,
    "uuid_flush_dtmf": _flush_dtmf,
    "uuid_getvar": _getvar,
    "uuid_kill": _kill,
    "uuid_park": _park,
    "uuid_phone_event": _phone_event,
    "uuid_record": _record,
    "uuid_recv_dtmf": _recv_dtmf,
    "uuid_send_dtmf": _send_dtmf,
    "uuid_setvar": _setvar,
    "uuid_setvar_multi": _setvar_multi,
    "uuid_transfer": _transfer,
}
