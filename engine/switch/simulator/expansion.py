"""``${…}`` in an application's argument; ``${api(…)}`` only with api-expansion, which the engine refuses.

An argument with a variable or an escape in it is gone through once: ``\\$`` becomes ``$``, two
backslashes become one, ``\\'`` disappears. ``set`` goes through its value a second time.

Source: switch_channel_expand_variables_check (switch_channel.c).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.switch.simulator.channels import Channel

DENIED = "<API Execute Permission Denied>"
_CALL = re.compile(r"([^ (]*)[ (](.*)", re.DOTALL)
_ESCAPED = re.compile(r"\\[\\nst']")


def expand(channel: Channel, text: str) -> str:
    """Put variables (and fields of the caller profile) in the place of ``${name}``; unknown: nothing.

    ``${api(…)}`` is refused with a fixed text, unless somebody switched api-expansion on.
    """

    def value(name: str) -> str | None:
        found = channel.get(name)
        if found is None:
            found = _profile_field(channel, name)
        return channel.switch.globals.get(name) if found is None else found

    return expand_with(value, text, channel.switch.expansion(DENIED))


def expand_with(value: Callable[[str], str | None], text: str, api: Callable[[str, str], str]) -> str:
    """The same with any source of values; ``api(name, argument)`` is what ``${name(argument)}`` becomes."""
    if "${" not in text and not _ESCAPED.search(text):
        return text
    out: list[str] = []
    index = 0
    while index < len(text):
        char, follower = text[index], text[index + 1 : index + 2]
        if char == "\\" and follower == "$":
            index += 2
            if text[index : index + 1] == "$":
                index += 1
            out.append("$")
        elif char == "\\" and follower == "'":
            index += 2
        elif char == "\\" and follower == "\\":
            out.append("\\")
            index += 2
        elif text.startswith(("${", "$${"), index):
            name, index = _braced(text, text.index("{", index))
            out.append(_evaluated(value, name, api))
        else:
            out.append(char)
            index += 1
    return "".join(out)


def _braced(text: str, opened: int) -> tuple[str, int]:
    """What stands between the brace at ``opened`` and its partner, and where the text goes on."""
    depth, index = 0, opened
    while index < len(text):
        if text[index] == "{":
            depth += 1
        elif text[index] == "}":
            depth -= 1
            if not depth:
                return text[opened + 1 : index], index + 1
        index += 1
    return text[opened + 1 :], len(text)


def _evaluated(value: Callable[[str], str | None], name: str, api: Callable[[str, str], str]) -> str:
    called = _CALL.match(name)
    if called:
        return api(called.group(1), called.group(2).removesuffix(")"))
    base, _, cut = name.partition(":")
    found = value(base)
    if found is None:
        return ""
    return _cut(found, cut) if cut else found


def _profile_field(channel: Channel, name: str) -> str | None:
    profile = channel.profile
    return {
        "caller_id_name": profile.caller_id_name,
        "caller_id_number": profile.caller_id_number,
        "ani": profile.ani,
        "destination_number": profile.destination_number,
        "context": profile.context,
        "network_addr": profile.network_addr,
        "uuid": profile.uuid,
        "channel_name": profile.channel_name,
        "state": channel.state,
    }.get(name)


def _cut(value: str, cut: str) -> str:
    """``${name:offset:length}``, a negative offset counts from the end."""
    offset_text, _, length_text = cut.partition(":")
    try:
        offset = int(offset_text)
        length = int(length_text) if length_text else None
    except ValueError:
        return value
    start = offset if offset >= 0 else max(0, len(value) + offset)
    if length is None:
        return value[start:]
    return value[start : start + length] if length >= 0 else value[start:length]
