"""The moment in which a caller and a leg begin to talk: the leg gets its keys, the call its talk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.calls import account, keys

if TYPE_CHECKING:
    from engine.calls.call import Call
    from engine.calls.leg import Leg
    from engine.calls.registry import Calls


def begin_talk(calls: Calls, call: Call, leg: Leg, *, bind: bool = True) -> None:
    """``leg`` was bridged with the caller, from a queue, by a step, or by a transfer."""
    from engine.calls.talk import Talk  # it rings further legs, and so stands above engine.calls.ring

    if call.talk is not None:
        call.talk.close()
    call.talk = Talk(calls, call, leg)
    if bind and leg.agent:
        calls.require_line().post(
            *keys.bind(leg.uuid, calls.keys),
            account.keep(call, [leg.agent], calls.clock.now().timestamp()),
        )


__all__ = ["begin_talk"]
