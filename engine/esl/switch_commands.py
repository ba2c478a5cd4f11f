"""Commands about the switch itself: what it shows, its scheduler, its hash (see :mod:`engine.esl.commands`)."""

from __future__ import annotations

from typing import Literal

from engine.errors import UnsafeText
from engine.esl import command as build
from engine.esl import text
from engine.esl.command import Command

# -- API commands about the switch --------------------------------------------------------------------------


def show_channels() -> Command:
    """All channels as ``{"row_count": n, "rows": [...]}``; lags 190-300 ms for new and gone ones."""
    return build.api("show", "channels", "as", "json")


def show_bridged_calls() -> Command:
    """The pairs that talk now, in the same form."""
    return build.api("show", "bridged_calls", "as", "json")


def show_registrations() -> Command:
    """The registered phones, in the same form."""
    return build.api("show", "registrations", "as", "json")


def status() -> Command:
    """The switch's own words about itself."""
    return build.api("status")


def version() -> Command:
    """Its version, one line."""
    return build.api("version")


def global_getvar(name: str) -> Command:
    """A global variable, e.g. ``core_uuid``; empty when it is not set."""
    return build.api("global_getvar", text.variable(name))


def global_setvar(name: str, value: str) -> Command:
    """Set a global variable, which each channel reads that has none of its own of that name."""
    return build.api("global_setvar", f"{text.variable(name)}={text.token(value, name)}")


def create_uuid() -> Command:
    """A fresh UUID by the switch."""
    return build.api("create_uuid")


def reloadxml() -> Command:
    """Read the configuration's XML again (the directory of phones; profiles need a rescan)."""
    return build.api("reloadxml")


def sofia_status(kind: Literal["profile", "gateway"] | None = None, name: str = "") -> Command:
    """State of all SIP profiles and gateways, or of one. As text; it is for people and for ``doctor``."""
    if kind is None:
        return build.api("sofia", "status")
    return build.api("sofia", "status", build.one_of(kind, "profile", "gateway"), text.word(name, kind))


def sofia_registrations(profile: str) -> Command:
    """The registrations of a SIP profile as XML, each with its ``ping-status``."""
    return build.api("sofia", "xmlstatus", "profile", text.word(profile, "profile"), "reg")


def sofia_profile(name: str, action: Literal["rescan", "restart", "start", "stop"]) -> Command:
    """Make a SIP profile read its configuration again, or start and stop it."""
    action_ = build.one_of(action, "rescan", "restart", "start", "stop")
    return build.api("sofia", "profile", text.word(name, "profile"), action_)


def conference(
    name: str, action: Literal["list", "kick", "mute", "unmute", "deaf", "undeaf"], member: str = ""
) -> Command:
    """Act on a conference; ``member`` is a member's number or ``all``. ``list`` takes none."""
    room, action_ = (
        text.word(name, "conference"),
        build.one_of(action, "list", "kick", "mute", "unmute", "deaf", "undeaf"),
    )
    return build.api("conference", room, action_, *((text.word(member, "member"),) if member else ()))


def fsctl(action: Literal["shutdown now", "shutdown elegant", "pause inbound", "resume inbound"]) -> Command:
    """Stop the switch, or keep new calls out and let them in again."""
    return build.api(
        "fsctl", build.one_of(action, "shutdown now", "shutdown elegant", "pause inbound", "resume inbound")
    )


def module_exists(name: str) -> Command:
    """``true`` or ``false``: is this module loaded."""
    return build.api("module_exists", text.word(name, "module"))


def load_module(name: Literal["mod_spandsp"]) -> Command:
    """Load a module that only some installations use (the fax machine)."""
    return build.api("load", build.one_of(name, "mod_spandsp"))


def expand_probe() -> Command:
    """Asks the switch to expand an API call within text; see :func:`expands`."""
    return build.api("expand", "echo", "il-${create_uuid()}-il")


def expands(answer: str) -> bool:
    """Whether the answer to :func:`expand_probe` shows that ``${api()}`` in any argument is run."""
    middle = answer.strip().removeprefix("il-").removesuffix("-il")
    return text.is_uuid(middle)


# -- scheduling and the switch's hash -----------------------------------------------------------------------


def sched_api(
    seconds: int, group: str, command: Command, *, repeat: bool = False, thread: bool = False
) -> Command:
    """Run an API command in ``seconds``, or every ``seconds``; ``thread``: in one of its own, for slow ones.

    Answers ``+OK Added: <task id>``. A group of digits alone would be taken for a task id when it is deleted.
    """
    if command.api is None:
        raise UnsafeText(f"{command.name} is no API command; it can't be scheduled")
    if command.api.endswith("&"):
        raise UnsafeText("a scheduled command ends with &")
    when = f"{'@' if repeat else '+'}{build.seconds(seconds)}"
    return build.api("sched_api", when, build.group(group), command.api + ("&" if thread else ""))


def rescue(limit: int) -> Command:
    """The shipped dead man's switch (``freeswitch/scripts/rescue.lua``), to be scheduled: it acts when the
    engine's sign of life (``hash insert/il/alive/<epoch>``) is older than ``limit`` seconds."""
    return build.api("lua", "rescue.lua", str(build.seconds(limit)))


def sched_transfer(
    seconds: int, uuid: str, destination: str, dialplan: str = "XML", context: str = "default"
) -> Command:
    """Transfer a channel in ``seconds`` unless :func:`sched_del` of its UUID comes first."""
    target = (text.destination(destination), text.word(dialplan, "dialplan"), text.word(context, "context"))
    return build.api("sched_transfer", f"+{build.seconds(seconds)}", text.uuid(uuid), *target)


def sched_hangup(seconds: int, uuid: str, cause: str = "ALLOTTED_TIMEOUT") -> Command:
    """Hang a channel up in ``seconds``."""
    return build.api("sched_hangup", f"+{build.seconds(seconds)}", text.uuid(uuid), text.word(cause, "cause"))


def sched_del(what: str | int) -> Command:
    """Delete a task by its id, or all tasks of a group (for a channel's own: its UUID)."""
    return build.api("sched_del", str(int(what)) if isinstance(what, int) else build.group(what))


def hash_insert(realm: str, key: str, value: str) -> Command:
    """Keep a value in the switch's memory; it outlives the engine."""
    return _hash("insert", realm, key, value)


def hash_insert_ifempty(realm: str, key: str, value: str) -> Command:
    """Keep it unless there is one; ``-ERR key already exists`` otherwise. Atomic: the lease rests on it."""
    return _hash("insert_ifempty", realm, key, value)


def hash_select(realm: str, key: str) -> Command:
    """The value; an empty answer when there is none."""
    return _hash("select", realm, key)


def hash_delete(realm: str, key: str) -> Command:
    """Forget it; ``-ERR Not found`` when there is none."""
    return _hash("delete", realm, key)


def hash_delete_ifmatch(realm: str, key: str, value: str) -> Command:
    """Forget it if it still is ``value``; ``-ERR Doesn't match`` otherwise. Atomic."""
    return _hash("delete_ifmatch", realm, key, value)


def _hash(action: str, realm: str, key: str, *value: str) -> Command:
    parts = [
        action,
        text.token(realm, "realm"),
        text.token(key, "key"),
        *(text.token(v, "value") for v in value),
    ]
    return Command(f"hash {action}", "api hash " + "/".join(parts))
