"""The moment in which a caller and a leg begin to talk: the leg gets its keys, the call its talk.

An agent may press a key in the very moment in which it hears the caller. So the keys are bound before the bridge, and
those of which the switch tells before the bridge was heard of are kept (``Leg.early``) for the talk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.calls import account, keys

if TYPE_CHECKING:
    from engine.calls.call import Call
    from engine.calls.leg import Leg
    from engine.calls.registry import Calls


def give_keys(calls: Calls, leg: Leg) -> None:
    """An agent's leg gets the keys of a talk. Call it right before the ``uuid_bridge`` whose second leg it is: the
    switch then does it before the two talk, without a wait (docs/decisions/0100)."""
    leg.early = ()
    if leg.agent:
        calls.require_line().post(*keys.bind(leg.uuid, calls.keys))


def begin_talk(calls: Calls, call: Call, leg: Leg, *, new: bool = True) -> None:
    """``leg`` was bridged with the caller, from a queue or by a step. ``new``: just now, and not by an engine before
    this one."""
    from engine.calls.talk import Talk  # it rings further legs, and so stands above engine.calls.ring

    if call.talk is not None:
        call.talk.close()
    call.talk = Talk(calls, call, leg)
    call.talk.take_early_keys()
    if new and leg.agent:
        calls.require_line().post(account.keep(call, [leg.agent], calls.clock.now().timestamp()))


__all__ = ["begin_talk", "give_keys"]
