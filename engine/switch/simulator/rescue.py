"""What the shipped ``rescue.lua`` does when no engine is alive: the dead man's switch.

The engine writes the epoch into ``hash insert/il/alive/…``. When that is too old, and was so in the run before,
every marked call that is in no talk goes to the fallback, and again at each run, so that a caller whose talk
ends without an engine does not sit in silence. A talk is never touched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.switch.simulator.media import integer

if TYPE_CHECKING:
    from engine.switch.simulator.switch import Switch

TOO_OLD = 15  # seconds without a sign of life


def run(switch: Switch, limit: int = TOO_OLD) -> list[str]:
    """One run; the UUIDs of the calls that it moved."""
    alive = switch.hashes.values.get(("il", "alive"))
    if alive is None or switch.epoch() - integer(alive) <= limit:
        return []
    if switch.hashes.values.get(("il", "silent")) != alive:
        # One look is not enough: when the wall clock was set forward, the last sign looks old until the next comes.
        switch.hashes.values["il", "silent"] = alive
        return []
    moved = []
    for channel in list(switch.channels.values()):
        if channel.talks or channel.hangup_cause:
            continue
        if channel.true("il_call"):
            if not channel.true("il_fallback"):
                moved.append(channel.uuid)
                switch.transfer(channel, "fallback", "XML", "fallback")
        elif channel.variables.get("il_owner"):
            channel.hangup("NORMAL_CLEARING")
    return moved
