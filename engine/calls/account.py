"""Who has talked with a caller for how long, whom it was moved to, who was asked about it: what its CDR says of that.

It stands in a variable of the caller's channel, too, so that the CDR is whole whichever engine writes it. Whoever is
talking when it is written goes on talking without an engine: the time since then is added by the next one.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import orjson
import structlog

from engine.esl import commands

if TYPE_CHECKING:
    from engine.calls.call import Call
    from engine.esl.commands import Command

log = structlog.get_logger(__name__)

VARIABLE: Final = "il_talked"
LIMIT: Final = 1000
"""Bytes of the variable, which each event of the channel carries: a caller who was moved about for longer than that has
its first moves in the journal alone, should the engine die."""


def keep(call: Call, talking: Iterable[str] = (), now: float = 0.0) -> Command:
    """The command that puts the account of ``call`` on its channel. ``talking``: who talks with the caller now, since
    ``now`` (seconds since 1970)."""
    moves, asked = list(call.moves), list(call.asked)
    while True:
        facts = {
            "a": {who: round(spent, 1) for who, spent in call.agents.items()},
            "m": moves,
            "c": asked,
            **({"l": call.talker} if call.talker else {}),
            **({"w": list(talking), "s": round(now, 1)} if talking else {}),
        }
        text = base64.urlsafe_b64encode(orjson.dumps(facts)).rstrip(b"=").decode("ascii")
        if len(text) <= LIMIT or not (moves or asked):
            break
        log.warning("call.account_cut", call=call.id, moves=len(moves), asked=len(asked))
        (moves or asked).pop(0)
    return commands.uuid_setvar(call.id, VARIABLE, text)


def take_up(call: Call, text: str, now: float) -> None:
    """Give ``call`` the account that an earlier engine left on its channel."""
    if not text:
        return
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        facts = orjson.loads(raw)
        agents = {str(who): float(spent) for who, spent in facts["a"].items()}
        for who in facts.get("w", ()):
            agents[who] = agents.get(who, 0.0) + max(0.0, now - float(facts["s"]))
        moves, asked = list(facts["m"]), list(facts["c"])
    except (binascii.Error, ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("call.account_unreadable", call=call.id, error=str(error))
        return
    call.agents, call.moves, call.asked = agents, moves, asked
    call.talker = str(facts.get("l") or "")


__all__ = ["VARIABLE", "keep", "take_up"]
