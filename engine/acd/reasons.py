"""Why this one and not the others: each reason with its name for programs and its words for people.

The names are few and stay: tools compare them, and the tests hold them against the board's own choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from engine.acd.board import AGENT, AWAY, LANGUAGE, OR, SITE, SKILL
from engine.acd.opening import HOURS
from engine.acd.replay import LOGGED_OUT, READY, Person, Waiter, missing


@dataclass(frozen=True, slots=True)
class Reason:
    """``code`` for programs, ``text`` for people."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Other:
    """An agent who did not get the call, and why."""

    agent: str
    reason: Reason


RULES: Mapping[str, str] = {
    "longest_idle": "free for longest",
    "most_skilled": "has most of what was asked for",
    "least_talk": "has talked least",
    "fewest_calls": "has taken fewest calls",
    "round_robin": "its turn",
    "top_down": "first in the list",
    "random": "by chance",
    "ring_all": "all are rung",
}
"""What each strategy's choice says of the agent that was chosen."""

_STATES: Mapping[str, str] = {
    "talking": "talks",
    "hold": "has its caller on hold",
    "wrap_up": "does the work after a call",
    "offered": "its phone rings",
    "unreachable": "its phone can't be reached",
    LOGGED_OUT: "is logged out",
}


def closed_by(data: Mapping[str, Any]) -> str:
    """Why a queue takes nobody, of a row that says so: "by 8019: a typhoon", "its calendar office: Saturday"."""
    why = str(data.get("why", ""))
    if why == HOURS:
        return f"its calendar {data['calendar']}: {data.get('says')}" if data.get("calendar") else "its hours"
    by = f"by {data['by']}" if data.get("by") else ""
    return ": ".join(part for part in (by, why if why != "command" or not by else "") if part)


def short(call: str) -> str:
    """The beginning of a call's id, as lists show it."""
    return call[:8]


def seconds(length: float) -> str:
    """A length of time: ``0.3 s``, ``12 s``, ``2:05``, ``1:02:05``."""
    if length < 9.95:
        return f"{max(0.0, length):.1f} s"
    whole = round(length)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def thing_asked(thing: str, level: int) -> str:
    """A need, in words: ``waybill 2``, ``zh-CN``, ``site north or south``."""
    kind, _, name = thing.partition(":")
    words = name.replace(OR, " or ")
    if f"{kind}:" == SKILL:
        return f"{words} {level}"
    if f"{kind}:" == AWAY:
        return f"not of site {words}"
    return words if f"{kind}:" == LANGUAGE else f"{kind} {words}"


def asked(needs: Mapping[str, int]) -> str:
    """All needs, in words; "nothing special" when there are none."""
    return ", ".join(thing_asked(thing, level) for thing, level in sorted(needs.items())) or "nothing special"


def lacking(
    having: Mapping[str, int], lacks: Mapping[str, int], withheld: Mapping[str, str] = MappingProxyType({})
) -> str:
    """What an agent has too little of, in words; ``withheld``: skills that it has, and why they don't count."""
    parts = []
    for thing, level in sorted(lacks.items()):
        if thing.startswith(SKILL):
            had = having.get(thing, 0)
            name = thing.removeprefix(SKILL)
            if name in withheld:
                parts.append(f"{withheld[name]}, so {name} does not count")
                continue
            parts.append(
                f"has {name} {had}, {level} is needed" if had else f"has not the skill {name} ({level})"
            )
        elif thing.startswith(LANGUAGE):
            parts.append(f"does not speak {thing.removeprefix(LANGUAGE)}")
        elif thing.startswith(SITE):
            parts.append(f"is not of site {thing.removeprefix(SITE).replace(OR, ' or ')}")
        elif thing.startswith(AWAY):
            parts.append(f"is of site {thing.removeprefix(AWAY)}, which must not have this call")
        elif thing.startswith(AGENT):
            parts.append(f"the call is kept for {thing.removeprefix(AGENT)}")
        else:
            parts.append(f"lacks {thing} {level}")
    return ", ".join(parts)


def not_free(person: Person, call: str = "") -> Reason | None:
    """Why an agent can't be offered anything now; None when it can. ``call`` is the one that is asked about."""
    if person.state == READY:
        return None
    if person.state == "paused":
        return Reason("paused", f"has a pause ({person.reason})" if person.reason else "has a pause")
    words = _STATES.get(person.state, person.state)
    other = f" ({short(person.call)})" if person.call and person.call != call else ""
    return Reason(person.state, words + other)


def not_able(person: Person, waiter: Waiter) -> Reason | None:
    """Why an agent could not serve a caller even if it were free; None when it could."""
    lacks = missing(person.has or {}, waiter.needs)
    if not lacks:
        return None
    code = "kept" if any(thing.startswith(AGENT) for thing in lacks) else "lacks"
    return Reason(code, lacking(person.has or {}, lacks, person.withheld))


def why_not(person: Person, waiter: Waiter) -> Reason | None:
    """Why an agent of the queue is not offered to this caller at this moment; None when nothing is in the way."""
    if person.state == "offered" and person.call == waiter.call and person.id not in waiter.rings:
        return Reason("missed", "was rung for this call just now")
    return not_free(person, waiter.call) or not_able(person, waiter)


def chosen(offer: Mapping[str, Any], agent: str, waiter: Waiter | None) -> Reason:
    """By which rule the board brought these two together, from the row ``offer.made``."""
    free, able = int(offer.get("free", 0)), int(offer.get("able", 0))
    rule = str(offer.get("rule", ""))
    words = RULES.get(rule, rule)
    after = list(offer.get("next") or ())
    count = f"of {able} who were free and able" if able > 1 else f"of {free} who were free"
    side = offer.get("side", "caller")
    if waiter is not None and waiter.prefer == agent:
        sticky = "; the call was kept for it" if waiter.sticky else ""
        return Reason("prefer", f"the call asked for this agent{sticky}")
    if side == "all":
        return Reason("all", "the phones of all ring together")
    if side == "agent":
        return Reason("turn", _turn(offer))
    if able <= 1:
        only = "the only one who was free" if free <= 1 else f"the only one {count} who can take it"
        return Reason("only", only)
    if offer.get("by_plugin"):
        return Reason("plugin", f"first {count}, as a plugin ranks them")
    if after and all(int(one.get("tier", 1)) > int(offer.get("tier", 1)) for one in after):
        return Reason("tier", f"the nearest {count} (tier {offer.get('tier', 1)})")
    idle = f" ({seconds(float(offer['idle']))})" if rule == "longest_idle" and "idle" in offer else ""
    return Reason("rank", f"{words}{idle}, {count}")


def _turn(offer: Mapping[str, Any]) -> str:
    ahead = list(offer.get("ahead") or ())
    position = int(offer.get("position", 1))
    if position <= 1:
        return "it became free, and this call was first in the queue"
    parts = []
    for one in ahead:
        call = short(str(one.get("call", "")))
        lacks = one.get("lacks")
        if lacks:
            needed = asked(lacks)
            parts.append(f"{call} needs {needed}, which it has not")
        else:
            parts.append(
                f"{call} rings at another agent"
                if one.get("why") == "offered"
                else f"{call} {one.get('why')}"
            )
    more = position - 1 - len(parts)
    if more > 0:
        parts.append(f"{more} more" if parts else f"{more} calls before it could not be served by this agent")
    return f"it became free, and this call was the first that it can serve; before it: {', '.join(parts)}"


def not_chosen(person: Person, waiter: Waiter, offer: Mapping[str, Any], agent: str) -> Reason:
    """Why an agent who was free and able did not get the offer that ``agent`` got."""
    rule = str(offer.get("rule", ""))
    tier = (person.queues or {}).get(waiter.queue, 1)
    mine = int(offer.get("tier", 1)) if "tier" in offer else None
    if rule == "ring_all" and waiter.prefer != agent:
        return Reason("all", "free too, and rung at the same time")
    if waiter.prefer == agent:
        return Reason("prefer", f"free too, but the call asked for {agent}")
    if mine is not None and tier > mine:
        return Reason("tier", f"free too, on tier {tier}")
    if offer.get("by_plugin"):
        return Reason("plugin", f"free too, comes after {agent} as a plugin ranks them")
    listed = {str(one.get("agent")): one for one in offer.get("next") or ()}
    if rule == "longest_idle" and person.id in listed and "rank" in offer:
        later = float(listed[person.id].get("rank", 0.0)) - float(offer["rank"])
        idle = float(offer.get("idle", 0.0)) - later
        if later > 0:
            return Reason("rank", f"free too, for {seconds(idle)} only")
    return Reason("rank", f"free too, comes after {agent} ({RULES.get(rule, rule)})")


def taken_first(person: Person, mine: Waiter, other: Waiter) -> Reason:
    """Why an agent of my queue, who became free, was given another caller."""
    cannot = not_able(person, mine)
    if cannot is not None:
        return Reason(cannot.code, f"this call is none for it: it {cannot.text}")
    if mine.rings:
        return Reason("offered", f"this call was ringing at {', '.join(mine.rings)}")
    if other.prefer == person.id:
        return Reason("prefer", f"{short(other.call)} asked for this agent")
    if other.queue != mine.queue:
        near, far = ((person.queues or {}).get(queue, 1) for queue in (other.queue, mine.queue))
        if near < far:
            return Reason("tier", f"it serves the queue {other.queue} on tier {near}, this one on tier {far}")
    if other.turn <= mine.turn:
        if other.since <= mine.since and other.head_start <= mine.head_start:
            longer = (mine.since - other.since).total_seconds()
            return Reason("turn", f"{short(other.call)} has waited {seconds(longer)} longer")
        worth = f", which is worth {seconds(other.head_start)} of waiting" if other.head_start else ""
        return Reason("priority", f"{short(other.call)} has priority {other.priority}{worth}")
    return Reason("unknown", "the journal does not say why")
