"""``${…}`` in an application's argument, with ``api-expansion`` off as the shipped configuration has it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.switch.simulator.channels import Channel

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
DENIED = "API Execute Permission Denied"


def expand(channel: Channel, text: str) -> str:
    """Put variables (and fields of the caller profile) in the place of ``${name}``; unknown: nothing.

    ``${api(…)}`` is never run: the switch that the engine accepts refuses it with a fixed text.
    """
    if "${" not in text:
        return text
    return _VARIABLE.sub(lambda found: _value(channel, found.group(1)), text)


def _value(channel: Channel, name: str) -> str:
    if "(" in name or " " in name:
        return DENIED
    base, _, cut = name.partition(":")
    value = channel.get(base)
    if value is None:
        value = _profile_field(channel, base)
    if value is None:
        value = channel.switch.globals.get(base)
    if value is None:
        return ""
    return _cut(value, cut) if cut else value


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
    return (
        value[start:]
        if length is None
        else value[start : start + length]
        if length >= 0
        else value[start:length]
    )
