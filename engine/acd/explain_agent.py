"""Why an agent did nothing while callers waited: its hours, told from the journal's rows.

Each stretch in one state is one entry. Where the agent was not on a call, it says who waited meanwhile in the queues
that the agent serves, and why that was not this agent's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.acd import reasons
from engine.acd.reasons import Reason, seconds, short
from engine.acd.replay import LEAVING, LOGGED_OUT, READY, Person, Picture, Waiter
from engine.types import JournalEntry

AT_ONCE = 0.05  # seconds: a wait that is no longer was none
MOST = 5  # callers of a stretch that are named; the others are counted
ON_A_CALL = frozenset({"offered", "talking", "hold"})


@dataclass(frozen=True, slots=True)
class Passed:
    """A caller who waited while the agent had no call, and why the agent did not get it."""

    call: str
    queue: str
    seconds: float  # for which both were so
    reason: Reason


@dataclass(slots=True)
class Stretch:
    """The agent in one state."""

    began: datetime
    ended: datetime
    state: str
    text: str
    call: str = ""
    reason: str = ""
    passed: list[Passed] = field(default_factory=list)
    waiting: int = 0  # callers in its queues, the most at one time
    seconds: float = 0.0


@dataclass(slots=True)
class AgentExplanation:
    """An agent's time from ``since`` to ``until``."""

    agent: str
    since: datetime
    until: datetime
    queues: dict[str, int] = field(default_factory=dict)
    stretches: list[Stretch] = field(default_factory=list)
    idle: float = 0.0  # seconds logged in without a call while somebody waited in its queues


_WORDS = {
    "ready": "ready",
    "offered": "its phone rang",
    "talking": "talked",
    "hold": "had its caller on hold",
    "wrap_up": "worked after the call",
    "paused": "paused",
    "unreachable": "its phone could not be reached",
    "logged_out": "logged out",
}


def explain_agent(
    rows: Sequence[JournalEntry], agent: str, since: datetime, until: datetime
) -> AgentExplanation:
    """The agent's stretches between the two moments. ``rows``: the oldest first, and those before ``since`` too."""
    return _Hours(rows, agent, since, until).told()


@dataclass(slots=True)
class _Met:
    """A caller who waits while the agent is in one state: for which reasons it did not get the agent, how long."""

    queue: str
    since: datetime
    reason: Reason
    reason_since: datetime
    lasted: dict[Reason, float] = field(default_factory=dict)

    def turn_to(self, reason: Reason, at: datetime) -> None:
        seconds = (at - self.reason_since).total_seconds()
        self.lasted[self.reason] = self.lasted.get(self.reason, 0.0) + seconds
        self.reason, self.reason_since = reason, at

    def main(self, at: datetime) -> Reason:
        """The reason that lasted longest."""
        self.turn_to(self.reason, at)
        return max(self.lasted, key=lambda reason: self.lasted[reason])


class _Hours:
    def __init__(self, rows: Sequence[JournalEntry], agent: str, since: datetime, until: datetime) -> None:
        self.rows = rows
        self.picture = Picture()
        self.me = self.picture.person(agent)
        self.told_of = AgentExplanation(agent, since, until)
        self.stretch: Stretch | None = None
        self.met: dict[str, _Met] = {}  # callers who wait in this stretch
        self.idle_since: datetime | None = None
        self.offer: JournalEntry | None = None

    def told(self) -> AgentExplanation:
        told = self.told_of
        begun = False
        for row in self.rows:
            if not begun and row.at >= told.since:
                begun = True
                self._begin(told.since)
            if row.at >= told.until:
                break
            self._row(row, begun)
        if not begun:
            self._begin(told.since)
        self._end(told.until)
        told.queues = dict(self.me.queues or {})
        return told

    def _row(self, row: JournalEntry, begun: bool) -> None:
        self.picture.take(row)
        mine = row.agent == self.me.id
        if mine and row.kind == "offer.made":
            self.offer = row
        if not begun:
            return
        if mine and row.kind == "agent.state":
            self._end(row.at)
            self._begin(row.at)
        elif row.kind in LEAVING:
            self._gone(row.call, row.at)
        elif mine or row.kind.startswith(("queue.", "offer.", "offers.")):
            self._look(row.at)

    def _begin(self, at: datetime) -> None:
        me = self.me
        self.stretch = Stretch(at, at, me.state, self._words(me), me.call, me.reason)
        self._look(at)

    def _words(self, me: Person) -> str:
        words = _WORDS.get(me.state, me.state)
        if me.state == "paused" and me.reason:
            return f"{words}: {me.reason}"
        if me.state == "offered" and self.offer is not None and self.offer.call == me.call:
            why = reasons.chosen(self.offer.data, me.id, self.picture.waiting.get(me.call))
            return f"{words} for {short(me.call)}: {why.text}"
        return f"{words} ({short(me.call)})" if me.call else words

    def _end(self, at: datetime) -> None:
        stretch = self.stretch
        if stretch is None:
            return
        for call in list(self.met):
            self._gone(call, at)
        self._count_idle(at, False)
        stretch.ended = at
        stretch.seconds = round((at - stretch.began).total_seconds(), 3)
        if stretch.seconds > 0:
            self.told_of.stretches.append(stretch)
        self.stretch = None

    def _look(self, at: datetime) -> None:
        """Who waits now that the agent could be asked about."""
        stretch = self.stretch
        if stretch is None or self.me.state in ON_A_CALL:
            return
        waiting = [one for one in self.picture.waiting.values() if self.me.serves(one.queue)]
        stretch.waiting = max(stretch.waiting, len(waiting))
        self._count_idle(at, bool(waiting) and self.me.state != LOGGED_OUT)
        for waiter in waiting:
            reason = self._reason(waiter)
            met = self.met.get(waiter.call)
            if met is None:
                self.met[waiter.call] = _Met(waiter.queue, at, reason, at)
            elif reason != met.reason:
                met.turn_to(reason, at)

    def _reason(self, waiter: Waiter) -> Reason:
        state = reasons.not_free(self.me)
        if state is not None:
            return state
        unable = reasons.not_able(self.me, waiter)
        if unable is not None:
            return Reason(unable.code, f"the agent {unable.text}")
        if waiter.rings:
            return Reason("offered", f"it rang at {', '.join(waiter.rings)}")
        if self.picture.held:
            return Reason("held", f"no offers were made ({', '.join(self.picture.held)})")
        return Reason("free", "it could have: both were free in the same moment")

    def _gone(self, call: str, at: datetime) -> None:
        met, stretch = self.met.pop(call, None), self.stretch
        if met is None or stretch is None:
            return
        length = (at - met.since).total_seconds()
        if length >= AT_ONCE:
            stretch.passed.append(Passed(call, met.queue, round(length, 3), met.main(at)))
        still = self.me.state != LOGGED_OUT and any(
            self.me.serves(one.queue) for one in self.picture.waiting.values()
        )
        self._count_idle(at, still)

    def _count_idle(self, at: datetime, waiting: bool) -> None:
        if self.idle_since is not None:
            self.told_of.idle += (at - self.idle_since).total_seconds()
        self.idle_since = at if waiting else None


def passed_told(state: str, passed: Sequence[Mapping[str, Any]]) -> list[str]:
    """Those who waited meanwhile (as the control API gives them) in lines for people, the longest first."""
    if not passed:
        return []
    if state != READY:
        # One reason for all: the state itself. How many and how long is what is new.
        longest = max(one["seconds"] for one in passed)
        calls = len({one["call"] for one in passed})
        many = "1 caller" if calls == 1 else f"{calls} callers"
        return [f"meanwhile {many} waited in its queues, up to {seconds(longest)}"]
    by_length = sorted(passed, key=lambda one: -float(one["seconds"]))
    told = [
        f"{short(one['call'])} waited in {one['queue']} for {seconds(one['seconds'])}: {one['reason']['text']}"
        for one in by_length[:MOST]
    ]
    if len(by_length) > MOST:
        told.append(f"and {len(by_length) - MOST} more")
    return told
