"""What the shipped ``rescue.lua`` does when no engine is alive: the dead man's switch.

The engine writes the epoch into ``hash insert/il/alive/…``. When that is too old, every marked call
that is in no talk goes to the fallback, and again at each run, so that a caller whose talk ends without
an engine does not sit in silence. A talk is never touched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.switch.simulator.media import integer

if TYPE_CHECKING:
    from engine.switch.simulator.switch import Switch

TOO_OLD = 15  # seconds without a sign of life


def run(switch: Switch) -> list[str]:
    """One run; the UUIDs of the calls that it moved."""
    alive = switch.hashes.values.get(("il", "alive"))
    if alive is None or switch.epoch() - integer(alive) <= TOO_OLD:
        return []
    moved = []
    for channel in list(switch.channels.values()):
        marked = channel.true("il_call") and channel.inbound
        if not marked or channel.bridge is not None or channel.hangup_cause:
            continue
        if channel.profile.context == "fallback":
            continue
        moved.append(channel.uuid)
        switch.transfer(channel, "fallback", "XML", "fallback")
    return moved
