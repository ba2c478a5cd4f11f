"""The ``api`` commands, text for text as the switch answers them. A command that is not here is unknown.

A command answers with text; one that takes time (``originate``, ``msleep``) answers with a
:class:`Later`, and the connection that asked waits for it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.switch.simulator import api_channels, fax, listings, rescue
from engine.switch.simulator.causes import cause_named
from engine.switch.simulator.expansion import expand_with
from engine.switch.simulator.later import Later
from engine.switch.simulator.media import integer
from engine.switch.simulator.originate import USAGE as ORIGINATE_USAGE
from engine.switch.simulator.originate import Originate, read

if TYPE_CHECKING:
    from engine.switch.simulator.switch import Switch

Answer = str | Later
Api = Callable[["Switch", str], Answer]

_MODULES = """mod_commands mod_conference mod_dialplan_xml mod_dptools mod_event_socket mod_hash
    mod_local_stream mod_loopback mod_lua mod_sndfile mod_sofia mod_tone_stream"""
MODULES = frozenset(_MODULES.split())
LOADABLE = frozenset({fax.MODULE})  # installed, and loaded when somebody wants it
_RULE = "=" * 97


def run(switch: Switch, text: str) -> Answer:
    """Run ``NAME ARGUMENTS``. Nothing to say becomes ``-ERR no reply``, as on the switch."""
    name, _, argument = text.partition(" ")
    command = switch.commands.get(name.lower())
    if command is None:
        return f"-ERR {name} Command not found!\n"
    argument = argument.strip(" ")
    switch.bus.fire(
        "API", extra={"API-Command": name, **({"API-Command-Argument": argument} if argument else {})}
    )
    answer = command(switch, argument)
    return answer if isinstance(answer, Later) or answer else "-ERR no reply\n"


def _status(switch: Switch, arg: str) -> str:
    live = len(switch.channels)
    return (
        f"UP {switch.up_time()}\nFreeSWITCH (Version 1.11.2-dev simulator 64bit) is ready\n"
        f"{switch.sessions} session(s) since startup\n{live} session(s) - peak {switch.peak}, "
        f"last 5min {switch.peak} \n"
        "0 session(s) per Sec out of max 30, peak 0, last 5min 0 \n1000 session(s) max\nmin idle cpu 0.00/98.00\n"
        "Current Stack Size/Max 240K/8192K\n"
    )


def _version(switch: Switch, arg: str) -> str:
    return "1.11.2-dev\n" if arg == "short" else "FreeSWITCH Version 1.11.2-dev~64bit (simulator 64bit)\n"


def _uptime(switch: Switch, arg: str) -> str:
    seconds = switch.clock.monotonic() - switch.started
    scale = {"ms": 1_000, "m": 1_000, "us": 1_000_000, "u": 1_000_000}.get(arg, 1)
    return f"{int(seconds * scale)}\n"


def _show(switch: Switch, arg: str) -> str:
    return listings.show(switch, arg)


def _create_uuid(switch: Switch, arg: str) -> str:
    return switch.new_uuid()


def _hostname(switch: Switch, arg: str) -> str:
    return switch.hostname


def _strepoch(switch: Switch, arg: str) -> str:
    return str(switch.epoch())


def _md5(switch: Switch, arg: str) -> str:
    return "!err!" if not arg else hashlib.md5(arg.encode(), usedforsecurity=False).hexdigest()


def _echo(switch: Switch, arg: str) -> str:
    return arg


def _log(switch: Switch, arg: str) -> str:
    return "+OK\n"


def _reloadxml(switch: Switch, arg: str) -> str:
    switch.bus.fire("RELOADXML")
    return "+OK [Success]\n"


def _global_getvar(switch: Switch, arg: str) -> str:
    if not arg:
        return "".join(f"{name}={value}\n" for name, value in switch.globals.items())
    return switch.globals.get(arg, "")


def _global_setvar(switch: Switch, arg: str) -> str:
    name, has_value, value = arg.partition("=")
    if not name:
        return "-USAGE: <var>=<value> [=<value2>]\n"
    if has_value and value:
        switch.globals[name] = value
    else:
        switch.globals.pop(name, None)
    return "+OK"


def _module_exists(switch: Switch, arg: str) -> str:
    return ("true" if arg in switch.modules else "false") if arg else ""


def _load(switch: Switch, arg: str) -> str:
    if arg in switch.modules:
        return "+OK Reloading XML\n-ERR [Module already loaded]\n"
    if arg not in LOADABLE or arg in switch.lacks:
        return "+OK Reloading XML\n-ERR [module load file routine returned an error]\n"
    switch.modules.add(arg)
    return "+OK Reloading XML\n+OK\n"


def _eval(switch: Switch, arg: str) -> str:
    return _expanded(switch, arg)


def _expand(switch: Switch, arg: str) -> Answer:
    """Expands its argument, then runs what came out of it as a command."""
    answer = run(switch, _expanded(switch, arg))
    if isinstance(answer, str) and answer.endswith("Command not found!\n"):
        return "INVALID COMMAND!\n-ERR Cannot execute command\n"
    return answer


def _expanded(switch: Switch, text: str) -> str:
    return expand_with(switch.globals.get, text, switch.expansion("<API execute Permission Denied>"))


def _hash(switch: Switch, arg: str) -> str:
    return switch.hashes.obey(arg)


def _fsctl(switch: Switch, arg: str) -> str:
    words = arg.split()
    verb = words[0] if words else ""
    if verb == "api_expansion":
        if words[1:]:
            switch.api_expansion = words[1] == "on"
        return f"+OK api_expansion is {'on' if switch.api_expansion else 'off'} \n"
    if verb == "max_sessions" and len(words) == 1:
        return "+OK max sessions: 1000\n"
    if verb == "hupall":
        return _hupall(switch, words[1] if len(words) > 1 else "")
    if verb in ("pause", "resume") and words[1:] in ([], ["inbound"], ["outbound"]):
        chosen = words[1:] or ["inbound", "outbound"]
        switch.paused = switch.paused | set(chosen) if verb == "pause" else switch.paused - set(chosen)
        return "+OK\n"
    if verb == "loglevel":
        return "+OK log level: DISABLE [-1]\n"
    return (
        "-ERR Invalid command\nUSAGE: fsctl [api_expansion [on|off]|hupall|max_sessions|loglevel [level]]\n"
    )


def _hupall(switch: Switch, arg: str) -> str:
    words = arg.split()
    cause = cause_named(words[0]) if words else "MANAGER_REQUEST"
    for channel in list(switch.channels.values()):
        if len(words) < 3 or channel.get(words[1]) == words[2]:
            channel.hangup(cause)
    if len(words) >= 3:
        return f"+OK hangup all channels matching [{words[1]}]=[{words[2]}] with cause {cause}\n"
    return f"+OK hangup all channels with cause {cause}\n"


def _sofia(switch: Switch, arg: str) -> str:
    words = arg.split()
    if words[:1] == ["profile"] and len(words) == 3 and words[2] in ("rescan", "start"):
        if words[1] not in ("internal", "external"):
            return f"Invalid Profile [{words[1]}]"
        done = "+OK scan complete" if words[2] == "rescan" else f"{words[1]} started successfully"
        return f"Reload XML [Success]\n{done}\n"
    if words[:1] != ["status"]:
        return "-ERR not simulated\n"
    rest = words[1:]
    if not rest:
        gateways = "".join(
            f"           external::{name}\tgateway\t            sip:FreeSWITCH@127.0.0.1\tNOREG\n"
            for name in sorted(switch.gateways)
        )
        return (
            f"                     Name\t   Type\t                                      Data\tState\n{_RULE}\n"
            f"                 external\tprofile\t             sip:mod_sofia@127.0.0.1:5080\tRUNNING (0)\n{gateways}"
            f"                 internal\tprofile\t             sip:mod_sofia@127.0.0.1:5060\tRUNNING (0)\n{_RULE}\n"
            "2 profiles 0 aliases\n"
        )
    if rest[0] == "profile" and len(rest) > 1:
        if rest[1] not in ("internal", "external"):
            return "Invalid Profile!\n"
        if rest[2:3] == ["reg"]:
            return switch.registrations.report() if rest[1] == "internal" else "\nTotal items returned: 0\n"
        return f"{_RULE}\nName             \t{rest[1]}\nDomain Name      \tN/A\n{_RULE}\n"
    if rest[0] == "gateway" and len(rest) > 1:
        if rest[1] not in switch.gateways:
            return "Invalid Gateway!\n"
        return f"{_RULE}\nName    \t{rest[1]}\nProfile \texternal\nState   \tNOREG\nStatus  \tUP\n{_RULE}\n"
    return "-ERR not simulated\n"


def _originate(switch: Switch, arg: str) -> Answer:
    order = read(arg)
    if order is None:
        return ORIGINATE_USAGE
    later = Later()
    Originate(switch, order, later.answer).start()
    return later


def _msleep(switch: Switch, arg: str) -> Answer:
    later = Later()
    switch.clock.after(max(0, integer(arg)) / 1000, later.answer, "+OK")
    return later


def _when(switch: Switch, word: str) -> tuple[int, int]:
    """``+seconds``, ``@seconds`` (again and again) or an epoch: the moment and the repetition."""
    now = math.floor(switch.scheduler.epoch())
    if word.startswith("@"):
        every = integer(word[1:])
        return now + every, every
    if word.startswith("+"):
        return now + integer(word[1:]), 0
    return integer(word), 0


def _sched_api(switch: Switch, arg: str) -> str:
    words = arg.split(" ", 2)
    if len(words) < 3:
        return "-ERR Invalid syntax. USAGE: [+@]<time> <group_name> <command_string>[&]\n"
    runtime, repeat = _when(switch, words[0])
    command = words[2].removesuffix("&").strip()
    group = "" if words[1] == "none" else words[1]
    task = switch.scheduler.add(
        runtime, "sched_api_function", group or "none", lambda: run(switch, command), repeat=repeat
    )
    return f"+OK Added: {task.id}\n"


def _sched_del(switch: Switch, arg: str) -> str:
    if not arg:
        return "+OK Deleted: 0\n"
    return f"+OK Deleted: {switch.scheduler.delete(arg)}\n"


def _sched_transfer(switch: Switch, arg: str) -> str:
    words = arg.split()
    if len(words) < 3:
        return "-USAGE: [+]<time> <uuid> <extension> [<dialplan>] [<context>]\n"
    channel = switch.channels.get(words[1])
    if channel is None:
        return "-ERR No such channel!\n"
    words += ["", ""]
    switch.schedule_transfer(channel, _when(switch, words[0])[0], words[2], words[3], words[4])
    return "+OK\n"


def _sched_hangup(switch: Switch, arg: str) -> str:
    words = arg.split()
    if len(words) < 2:
        return "-USAGE: [+]<time> <uuid> [<cause>]\n"
    channel = switch.channels.get(words[1])
    if channel is None:
        return "-ERR No such channel!\n"
    cause = cause_named(words[2]) if len(words) > 2 else "ALLOTTED_TIMEOUT"
    switch.schedule_hangup(channel, _when(switch, words[0])[0], cause)
    return "+OK\n"


def _conference(switch: Switch, arg: str) -> str:
    words = arg.split()
    if words[:1] == ["list"]:
        return switch.conferences.listing()
    if words[:1] == ["xml_list"]:
        return switch.conferences.xml()
    if len(words) >= 3 and words[1] in ("kick", "hup"):
        return switch.conferences.kick(words[0], words[2])
    if words and words[0] not in switch.conferences.rooms:
        return f"-ERR Conference {words[0]} not found\n"
    if words[1:2] == ["list"]:
        return switch.conferences.members(words[0])
    return "-ERR not simulated\n"


def _lua(switch: Switch, arg: str) -> str:
    words = arg.split()
    if words[:1] == ["rescue.lua"]:
        rescue.run(switch, integer(words[1]) if len(words) > 1 else rescue.TOO_OLD)
        return "+OK\n"
    return "-ERR Cannot execute script\n" if words else ""


COMMANDS: dict[str, Api] = {
    "conference": _conference,
    "create_uuid": _create_uuid,
    "echo": _echo,
    "eval": _eval,
    "expand": _expand,
    "fsctl": _fsctl,
    "global_getvar": _global_getvar,
    "global_setvar": _global_setvar,
    "hash": _hash,
    "hostname": _hostname,
    "hupall": _hupall,
    "load": _load,
    "log": _log,
    "lua": _lua,
    "luarun": _lua,
    "md5": _md5,
    "module_exists": _module_exists,
    "msleep": _msleep,
    "originate": _originate,
    "reloadxml": _reloadxml,
    "sched_api": _sched_api,
    "sched_del": _sched_del,
    "sched_hangup": _sched_hangup,
    "sched_transfer": _sched_transfer,
    "show": _show,
    "sofia": _sofia,
    "status": _status,
    "strepoch": _strepoch,
    "uptime": _uptime,
    "version": _version,
    **api_channels.COMMANDS,
}
