"""Why this agent and this caller: what the journal keeps of a decision (see :mod:`engine.acd.report`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.acd.board import Board, Match, Seat, lacks
from engine.acd.places import Place, Stage


def whys(
    board: Board,
    match: Match,
    place: Place,
    seat: Callable[[str], Seat],
    places: Callable[[str], Place | None],
) -> dict[str, Any]:
    """Who stood beside a match that was made just now, in short."""
    beside = board.beside(match)
    found: dict[str, Any] = {}
    if beside.next:
        found["next"] = [{"agent": agent, "tier": tier, "rank": rank} for agent, tier, rank in beside.next]
    if beside.unfit:
        asked = place.ticket.needs
        found["unfit"] = [{"agent": agent, "lacks": lacks(seat(agent).has, asked)} for agent in beside.unfit]
    if beside.ahead:
        found["ahead"] = [_ahead(call, places(call), seat(match.agent)) for call in beside.ahead]
    return found


def _ahead(call: str, place: Place | None, seat: Seat) -> dict[str, Any]:
    if place is None or place.stage is not Stage.WAITING:
        return {"call": call, "why": "offered"}
    return {"call": call, "lacks": lacks(seat.has, place.ticket.needs)}
