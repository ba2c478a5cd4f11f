"""Every command that the engine sends: the only place where command text is made.

Each function returns a :class:`Command`, built from typed parts that were checked by
:mod:`engine.esl.text`; what can't be sent safely raises :class:`~engine.errors.UnsafeText` here, before a
byte is written. Facts about the switch's parsing are from mod_event_socket.c, mod_commands.c and
mod_dptools.c of FreeSWITCH 1.11.

Three kinds of command share the socket, and each gets exactly one reply, in the order of sending:

- plain ones (``auth``, ``event``, ``exit`` …) -> ``command/reply``
- ``api NAME ARGUMENTS`` -> ``api/response``; the connection waits in line behind a slow one, so what may
  take time goes as ``bgapi`` (:meth:`Command.background`) -> ``command/reply``, and its result as an event
- ``sendmsg UUID`` + headers + body -> ``command/reply`` when it was queued on the channel, long before it ran
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from engine.errors import UnsafeText
from engine.esl import command as build
from engine.esl import text
from engine.esl.command import Command
from engine.esl.dial import Dial, GatewayDial, LoopbackDial, Originate, PhoneDial
from engine.esl.switch_commands import (
    conference,
    create_uuid,
    expand_probe,
    expands,
    fsctl,
    global_getvar,
    global_setvar,
    hash_delete,
    hash_delete_ifmatch,
    hash_insert,
    hash_insert_ifempty,
    hash_select,
    load_module,
    module_exists,
    reloadxml,
    rescue,
    sched_api,
    sched_del,
    sched_hangup,
    sched_transfer,
    show_bridged_calls,
    show_channels,
    show_registrations,
    sofia_profile,
    sofia_registrations,
    sofia_status,
    status,
    version,
)
from engine.esl.text import display_text, safe_value

__all__ = [
    "APPLICATIONS",
    "Command",
    "Dial",
    "Digits",
    "GatewayDial",
    "LoopbackDial",
    "Originate",
    "PhoneDial",
    "conference",
    "create_uuid",
    "display_text",
    "expand_probe",
    "expands",
    "fsctl",
    "global_getvar",
    "global_setvar",
    "hash_delete",
    "hash_delete_ifmatch",
    "hash_insert",
    "hash_insert_ifempty",
    "hash_select",
    "load_module",
    "module_exists",
    "reloadxml",
    "rescue",
    "safe_value",
    "sched_api",
    "sched_del",
    "sched_hangup",
    "sched_transfer",
    "show_bridged_calls",
    "show_channels",
    "show_registrations",
    "sofia_profile",
    "sofia_registrations",
    "sofia_status",
    "status",
    "version",
]

#: The applications that may be executed. An unknown one answers ``+OK`` and then hangs the call up, and some
#: known ones (system, lua, socket, eval …) would hand the switch to whoever wrote their argument.
APPLICATIONS = frozenset(
    {
        "answer",
        "bind_digit_action",
        "break",
        "clear_digit_action",
        "conference",
        "digit_action_set_realm",
        "eavesdrop",
        "echo",
        "endless_playback",
        "event",
        "export",
        "flush_dtmf",
        "hangup",
        "hold",
        "multiset",
        "park",
        "play_and_get_digits",
        "playback",
        "pre_answer",
        "record",
        "record_session",
        "record_session_mask",
        "record_session_unmask",
        "ring_ready",
        "sched_cancel",
        "sched_hangup",
        "sched_transfer",
        "send_dtmf",
        "set",
        "set_name",
        "set_profile_var",
        "sleep",
        "stop_record_session",
        "transfer",
        "unhold",
        "unset",
    }
)


#: Of these, and of the dialplan's, the ones that take no time: nobody waits for their end, which is not delivered.
NOT_TOLD = ("answer", "export", "multiset", "park", "record_session", "sched_transfer", "set")
UNHEARD = "0"
"""The Event-UUID of other applications whose end nobody waits for: it is not delivered either."""
PROBE = ("unset", "il_probe")
"""An application, with its argument, that does nothing; its end tells that what was locked before it is over."""


#: Of :func:`bind_digit_action`: each key by itself. A pattern that is alone in its realm matches at once; one among
#: others would hold every key back until a time-out.
ANY_KEY = "~^[0-9*#]$"

# -- the connection itself --------------------------------------------------------------------------------


def auth(password: str) -> Command:
    """Log in. A password that does not fit on one line can't be one."""
    return Command("auth", f"auth {text.plain(password, 'password')}", secret=True)


def event_json(*names: str) -> Command:
    """Subscribe to events as JSON. Names of CUSTOM subclasses (with ``::``) come last, after ``CUSTOM``."""
    if not names:
        raise UnsafeText("event: no event named")
    plain_names = [text.token(name, "event name") for name in names if "::" not in name and name != "CUSTOM"]
    custom = [text.token(name, "event subclass") for name in names if "::" in name]
    return Command("event", " ".join(["event json", *plain_names, *(["CUSTOM", *custom] if custom else [])]))


def only(header: str, value: str) -> Command:
    """Of the events subscribed to, deliver those whose ``header`` is ``value``; several add up, and ``-value`` keeps
    out what the ones before it let through. The switch looks each header up in each event: few filters are cheap."""
    return Command("filter", f"filter {text.token(header, 'header')} {text.token(value, 'value')}")


def noevents() -> Command:
    """Unsubscribe from everything, and drop what is queued."""
    return Command("noevents", "noevents")


def exit_() -> Command:
    """Close the connection from the switch's side."""
    return Command("exit", "exit")


def raw_api(line: str) -> Command:
    """An operator's own API command, as typed (``insideline fs …``). Still one line."""
    if not line.strip():
        raise UnsafeText("no command")
    return Command("raw", f"api {text.plain(line, 'command').strip()}")


# -- applications on a channel ------------------------------------------------------------------------------


def execute(
    uuid: str, app: str, arg: str = "", *, event_uuid: str | None = None, lock: bool = False
) -> Command:
    """Run an application on a channel.

    ``event_uuid`` comes back as Application-UUID of CHANNEL_EXECUTE_COMPLETE: match on it. ``lock``
    (event-lock) keeps what is sent later from nesting inside; put it on everything that takes time. The
    argument travels as a body (a plain word in a header) and holds nothing that the switch would expand.
    """
    if app not in APPLICATIONS:
        raise UnsafeText(f"unknown application {app!r}")
    headers = [("call-command", "execute"), ("execute-app-name", app)]
    if event_uuid is not None:
        headers.append(("event-uuid", text.token(event_uuid, "event uuid")))
    if lock:
        headers.append(("event-lock", "1"))
    line = f"sendmsg {text.uuid(uuid)}"
    return Command(f"execute {app}", line, tuple(headers), text.inert(arg, f"argument of {app}"))


def answer(uuid: str) -> Command:
    """Answer the call, at once: an application would wait for the channel's next frame, and make three more events
    of all its variables."""
    return build.api("uuid_answer", text.uuid(uuid))


def set_(uuid: str, name: str, value: str, *, event_uuid: str | None = None, lock: bool = False) -> Command:
    """Set a channel variable in the order of the channel's other commands (``uuid_setvar`` acts at once).

    A backslash is refused: the switch expands this argument twice, and how many would be left depends on
    what follows them. An empty value unsets.
    """
    if "\\" in value:
        raise UnsafeText(f"value of {name} holds a backslash")
    argument = f"{text.variable(name)}={safe_value(value)}"
    return execute(uuid, "set", argument, event_uuid=event_uuid, lock=lock)


def unset(uuid: str, name: str) -> Command:
    """Remove a channel variable, in the order of the channel's other commands."""
    return execute(uuid, "unset", text.variable(name))


def playback(uuid: str, media: str, *, event_uuid: str | None = None, lock: bool = True) -> Command:
    """Play a file or stream. Without the lock (queue music) later commands nest inside and it resumes."""
    return execute(uuid, "playback", text.media(media), event_uuid=event_uuid, lock=lock)


def clips(paths: Sequence[str]) -> str:
    """Several files as one medium (``file_string://``), played without a gap."""
    if not paths:
        raise UnsafeText("nothing to play")
    if len(paths) == 1:
        return text.media(paths[0])
    for path in paths:
        if "!" in text.media(path):
            raise UnsafeText("a clip's path holds the separator of file_string")
    return "file_string://" + "!".join(paths)


@dataclass(frozen=True, slots=True)
class Digits:
    """What ``play_and_get_digits`` shall collect; times in seconds.

    The switch's quirks (mod_dptools.c, play_and_get_digits_function):

    - ``first`` (to the first key) below 1 s counts as 1 s; ``between`` keys may be shorter
    - no terminators at all would mean ``#``; :data:`terminators` ``""`` is therefore sent as ``none``
    - on time-out the variable is absent and ``read_result`` is ``failure``, unless enough keys had come
    - ``pattern`` is matched anywhere in the digits unless it is anchored, and a backslash in it is eaten
    - only keys pressed after it began count: keys pressed in music or while parked are lost to it
    """

    minimum: int
    maximum: int
    variable: str = "il_digits"
    tries: int = 1
    first: float = 5.0
    between: float = 3.0
    terminators: str = "#"
    prompt: str = "silence_stream://1"
    wrong: str = "silence_stream://1"
    pattern: str = "^[0-9*#]+$"

    def argument(self) -> str:
        if not 0 <= self.minimum <= self.maximum <= 127:  # the switch's buffer holds 128 with the NUL
            raise UnsafeText("digits: minimum and maximum must be 0 <= minimum <= maximum <= 127")
        if self.tries < 1:
            raise UnsafeText("digits: at least one try")
        if "\\" in self.pattern or "'" in self.pattern or not self.pattern:
            raise UnsafeText("digits: the pattern is empty or holds a backslash or an apostrophe")
        terminators = text.digits(self.terminators, "terminators") if self.terminators else "none"
        pieces = (
            str(self.minimum),
            str(self.maximum),
            str(self.tries),
            str(max(1, round(self.first * 1000))),
            terminators,
            text.escape(text.media(self.prompt, "prompt"), blanks=True),
            text.escape(text.media(self.wrong, "wrong"), blanks=True),
            text.variable(self.variable),
            text.escape(text.inert(self.pattern, "pattern"), blanks=True),
            str(max(1, round(self.between * 1000))),
        )
        return " ".join(pieces)


def play_and_get_digits(
    uuid: str, digits: Digits, *, event_uuid: str | None = None, lock: bool = True
) -> Command:
    """Play a prompt and collect keys; they are in ``variable_<variable>`` of its EXECUTE_COMPLETE."""
    return execute(uuid, "play_and_get_digits", digits.argument(), event_uuid=event_uuid, lock=lock)


def record_session(uuid: str, path: str, *, event_uuid: str | None = None) -> Command:
    """Record the call to a file, through every bridge. Set ``RECORD_STEREO`` first for two channels."""
    return execute(uuid, "record_session", text.escape(text.path(path), blanks=True), event_uuid=event_uuid)


def clip_argument(path: str, limit: int, threshold: int, silence: int) -> str:
    """The argument of ``record``: at most ``limit`` whole seconds into ``path``, ended by ``silence`` seconds in
    which the mean sample (of 32767) is below ``threshold``, or by a key among ``playback_terminators``."""
    if min(limit, threshold, silence) < 1:
        raise UnsafeText("record: limit, threshold and silence are whole numbers above 0")
    return f"{text.escape(text.path(path), blanks=True)} {limit} {threshold} {silence}"


def stop_record_session(uuid: str, path: str) -> Command:
    """End that recording."""
    return execute(uuid, "stop_record_session", text.path(path))


def bind_digit_action(
    uuid: str, digits: str, subclass: str, fields: Mapping[str, str], *, realm: str = "talk"
) -> Command:
    """Turn keys pressed on this leg, also in mid-bridge, into a CUSTOM event instead of sound.

    The event carries ``fields`` and all variables of the leg (``last_matching_digits``: the keys), and is sent in the
    moment of the last key. Execute it on the agent's leg. ``digits``: keys, or :data:`ANY_KEY` alone in its realm.
    The realm that is bound first anew is the one that counts from then on.
    """
    pairs = [f"Event-Subclass={text.token(subclass, 'subclass')}", "Event-Name=CUSTOM"]
    pairs += [f"{text.variable(name)}={text.token(value, name)}" for name, value in fields.items()]
    keys = digits if digits == ANY_KEY else text.digits(digits)
    argument = f"{text.word(realm, 'realm')},{keys},exec[i]:event,'{','.join(pairs)}',self,self"
    return execute(uuid, "bind_digit_action", argument, event_uuid=UNHEARD)


def bind_digit_realm(uuid: str, digits: str, to: str, *, realm: str = "talk") -> Command:
    """Keys after which those of the realm ``to`` count, from the very next one on.

    The switch tells of it by the end of the application ``digit_action_set_realm``, whose argument is ``to``.
    """
    deed = f"exec[i]:digit_action_set_realm,{text.word(to, 'realm')},self,self"
    argument = f"{text.word(realm, 'realm')},{text.digits(digits)},{deed}"
    return execute(uuid, "bind_digit_action", argument, event_uuid=UNHEARD)


def digit_action_set_realm(uuid: str, realm: str) -> Command:
    """From now on the bound keys of this realm count on this leg, and no others."""
    return execute(uuid, "digit_action_set_realm", text.word(realm, "realm"), event_uuid=UNHEARD)


def clear_digit_action(uuid: str, realm: str = "talk") -> Command:
    """Forget the bound keys of a realm."""
    return execute(uuid, "clear_digit_action", f"{text.word(realm, 'realm')},self")


# -- API commands about one channel -------------------------------------------------------------------------


def uuid_kill(uuid: str, cause: str = "NORMAL_CLEARING") -> Command:
    """Hang a channel up, or cancel its ringing. ``cause`` by the switch's name, e.g. ``USER_BUSY``; the ordinary one
    is the switch's default and not sent."""
    return build.api(
        "uuid_kill", text.uuid(uuid), *(() if cause == "NORMAL_CLEARING" else (text.word(cause, "cause"),))
    )


def uuid_break(uuid: str, *, all: bool = False) -> Command:
    """End the running playback; ``all`` also throws away the commands that wait behind it."""
    return build.api("uuid_break", text.uuid(uuid), *(("all",) if all else ()))


def uuid_setvar(uuid: str, name: str, value: str) -> Command:
    """Set a channel variable at once, ahead of what is queued on the channel. Empty: unset it."""
    value = safe_value(value)
    return build.api(
        "uuid_setvar", text.uuid(uuid), text.variable(name), *((text.escape(value),) if value else ())
    )


def uuid_getvar(uuid: str, name: str) -> Command:
    """A channel variable; ``_undef_`` when it is not set."""
    return build.api("uuid_getvar", text.uuid(uuid), text.variable(name))


def uuid_dump(uuid: str) -> Command:
    """Everything about a channel, as a JSON object of the headers that its events carry."""
    return build.api("uuid_dump", text.uuid(uuid), "json")


def uuid_exists(uuid: str) -> Command:
    """``true`` or ``false``."""
    return build.api("uuid_exists", text.uuid(uuid))


def uuid_bridge(uuid: str, other: str) -> Command:
    """Bridge two legs. ``+OK`` is no bridge yet: wait for CHANNEL_BRIDGE, on either leg. Answer first."""
    return build.api("uuid_bridge", text.uuid(uuid), text.uuid(other, "other uuid"))


def uuid_park(uuid: str) -> Command:
    """Park a channel, out of whatever it is in."""
    return build.api("uuid_park", text.uuid(uuid))


def uuid_transfer(
    uuid: str,
    destination: str,
    dialplan: str = "XML",
    context: str = "default",
    *,
    leg: Literal["bleg", "both"] | None = None,
) -> Command:
    """Send a channel (or its partner, or both) to an extension of a dialplan."""
    target = (text.destination(destination), text.word(dialplan, "dialplan"), text.word(context, "context"))
    return build.api(
        "uuid_transfer",
        text.uuid(uuid),
        *((f"-{build.one_of(leg, 'bleg', 'both')}",) if leg else ()),
        *target,
    )


def uuid_transfer_to_park(uuid: str) -> Command:
    """End whatever runs on a channel and park it."""
    return build.api("uuid_transfer", text.uuid(uuid), "park", "inline")


def uuid_transfer_to_conference(
    uuid: str, name: str, *, profile: str = "default", flags: Sequence[str] = ()
) -> Command:
    """Put a channel into a conference (a three-way talk). ``flags`` such as ``mute``, ``moderator``."""
    room = f"{text.word(name, 'conference')}@{text.word(profile, 'profile')}"
    if flags:
        room += "+flags{" + "|".join(text.word(flag, "flag") for flag in flags) + "}"
    return build.api("uuid_transfer", text.uuid(uuid), f"conference:{room},park", "inline")


def uuid_record(
    uuid: str, action: Literal["start", "stop", "mask", "unmask", "pause", "resume"], path: str
) -> Command:
    """Start, stop, mask (write silence) or unmask the recording of a channel to that file."""
    action_ = build.one_of(action, "start", "stop", "mask", "unmask", "pause", "resume")
    return build.api("uuid_record", text.uuid(uuid), action_, text.escape(text.path(path), blanks=True))


def uuid_buglist(uuid: str) -> Command:
    """What listens on a channel: the only source for what is recorded now. Empty when nothing is."""
    return build.api("uuid_buglist", text.uuid(uuid))


def uuid_send_dtmf(uuid: str, digits: str) -> Command:
    """Send keys to the other end of this leg."""
    return build.api("uuid_send_dtmf", text.uuid(uuid), text.digits(digits))


def uuid_recv_dtmf(uuid: str, digits: str) -> Command:
    """Act as if this leg had sent these keys (whisper and barge of a supervisor, tests)."""
    return build.api("uuid_recv_dtmf", text.uuid(uuid), text.digits(digits))


def uuid_flush_dtmf(uuid: str) -> Command:
    """Forget keys that were pressed and not read."""
    return build.api("uuid_flush_dtmf", text.uuid(uuid))


def originate(call: Originate) -> Command:
    """Ring somebody. Send it with ``bgapi``; the reply comes when it was answered or gave up."""
    return build.api("originate", call.line())


def eavesdrop(
    supervisor: str, dial: Dial, target: str, *, timeout: int = 30, caller_id_name: str = ""
) -> Command:
    """Ring a supervisor, to listen to a leg; :func:`uuid_recv_dtmf` 1, 2, 3, 0 then changes the mode."""
    return originate(
        Originate(
            supervisor, dial, timeout=timeout, caller_id_name=caller_id_name, app="eavesdrop", arg=target
        )
    )
