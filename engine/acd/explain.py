"""Why a call waited, and why this agent took it: told from the journal's rows, and from nothing else.

    explanation = explain_call(rows, "3f2a9c1b-…")
    for moment in explanation.moments:
        print(moment.seconds, moment.text, *moment.others)

``rows`` are those that :mod:`engine.acd.evidence` finds: all of the call, and what agents and other callers did in the
meantime and shortly before. :class:`~engine.acd.replay.Picture` is the state of the floor after each of them; a moment
is written down where something happened to this call, or to an agent who could have taken it. The reasons and their
words are in :mod:`engine.acd.reasons`; what the rows mean stands in :mod:`engine.acd.report`. Agents are explained in
:mod:`engine.acd.explain_agent`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.acd import reasons
from engine.acd.reasons import Other, Reason, asked, seconds, short
from engine.acd.replay import JOINING, LEAVING, LOGGED_OUT, READY, Person, Picture, Waiter, missing
from engine.types import JournalEntry

SAME = 0.02  # seconds: what is so close together was one decision


@dataclass(frozen=True, slots=True)
class Moment:
    """One point of a wait. ``seconds`` count from the first time that the call came into a queue."""

    at: datetime
    seconds: float
    kind: str  # of the journal's row that it tells of
    text: str
    queue: str = ""
    agent: str = ""
    reason: Reason | None = None  # of an offer: by which rule
    others: tuple[Other, ...] = ()  # each other agent of the queue, and why not


@dataclass(slots=True)
class Explanation:
    """The whole of a call's waiting, and how it ended."""

    call: str
    number: str = ""
    queues: list[str] = field(default_factory=list)
    began: datetime | None = None
    waited: float = 0.0
    outcome: str = ""
    moments: list[Moment] = field(default_factory=list)


_LEFT = {
    "full": "sent on: the queue is full",
    "too_long": "sent on: it had waited for as long as the queue or its flow allow",
    "no_agents": "sent on: nobody is logged in who could take it",
    "closed": "sent on: the queue is closed",
    "caller": "the caller hung up",
    "key": "the caller pressed a key that leads out of the queue",
    "overflow": "sent on by the queue's overflow",
    "withdrawn": "not to be called back any more: cancelled, its time over, or taken over by the caller on the line",
    "back": "who asked is with the caller again, or has hung up",
    "not_reached": "put aside: who was to be called back was not reached",
    "stopping": "let go of by an engine that ended",
}
_PROMISES = {
    "callback.owed": "is to be called back",
    "callback.waits": "waits to be called back",
    "callback.missed": "was called back in vain",
    "callback.put_aside": "its place was put aside for a while",
    "callback.taken_over": "called again, and took its place over on the line",
    "callback.done": "was called back",
    "callback.declined": "was called back, and needs it no more",
    "callback.failed": "could not be called back",
    "callback.expired": "was not called back: the time for it was over",
    "callback.cancelled": "is not called back: it was cancelled",
}
_ENDED = frozenset({"callback.expired", "callback.failed"})
_MISSED = {
    "no_answer": "did not answer",
    "busy": "was busy",
    "rejected": "declined",
    "unreachable": "could not be reached",
    "cancelled": "was not rung any more",
    "failed": "could not be rung or connected",
}
_STICKY = {"owner": "the flow named it", "last": "the caller talked to it last"}


def explain_call(rows: Sequence[JournalEntry], call: str, now: datetime | None = None) -> Explanation:
    """What happened to ``call`` while it waited, and why. ``rows``: the oldest first. No row of it: no moments.

    ``now``: of a call that waits still, who could not take it at that moment is told, too.
    """
    return _Telling(rows, call).told(now)


def _closed(data: Mapping[str, Any], row: JournalEntry) -> str:
    """Of one who met a closed queue: by what it was closed."""
    if data.get("reason") != "closed" or not data.get("why"):
        return ""
    text = f" ({reasons.closed_by(data)}"
    if data.get("since"):
        passed = (row.at - datetime.fromisoformat(str(data["since"]))).total_seconds()
        text += f", {seconds(passed)} before"
    return text + ")"


class _Telling:
    def __init__(self, rows: Sequence[JournalEntry], call: str) -> None:
        self.rows = rows
        self.call = call
        self.picture = Picture()
        self.explanation = Explanation(call)
        self.left = False  # it has been out of a queue before: answered, or gone its way
        self.freed: dict[str, datetime] = {}  # who became ready, when: an offer at once is explained by that
        self.own = [at for at, row in enumerate(rows) if row.call == call]

    def told(self, now: datetime | None) -> Explanation:
        for at, row in enumerate(self.rows):
            before = self.picture.waiting.get(self.call)
            self.picture.take(row)
            mine = self.picture.waiting.get(self.call) or before
            if row.call == self.call:
                self._mine(at, row, mine)
            elif mine is not None and row.kind not in LEAVING:
                self._theirs(at, row, mine)
        waits = self.picture.waiting.get(self.call)
        if waits is not None:
            self.explanation.outcome = "waits still"
            if now is not None:
                self.explanation.waited = round((now - waits.since).total_seconds(), 3)
                still = JournalEntry(now, "now", self.call, "", waits.queue)
                rings = f"rings at {', '.join(waits.rings)} now" if waits.rings else "waits still"
                place = [one.call for one in self.picture.line(waits.queue)].index(self.call) + 1
                text = f"{rings}, number {place} in {waits.queue}"
                self._add(still, text, others=self._others(waits))
        return self.explanation

    def _add(
        self,
        row: JournalEntry,
        text: str,
        *,
        reason: Reason | None = None,
        others: tuple[Other, ...] = (),
        agent: str = "",
    ) -> None:
        told = self.explanation
        told.began = told.began or row.at
        passed = round((row.at - told.began).total_seconds(), 3)
        told.moments.append(
            Moment(row.at, passed, row.kind, text, row.queue, agent or row.agent, reason, others)
        )

    # -- what happened to the call itself -----------------------------------------------------------

    def _mine(self, at: int, row: JournalEntry, mine: Waiter | None) -> None:
        data, told = row.data, self.explanation
        if row.kind == "call.arrived":
            told.number = str(data.get("number", ""))
        if row.kind in JOINING:
            told.began = told.began or row.at
            if row.queue not in told.queues:
                told.queues.append(row.queue)
        if row.kind in LEAVING and data.get("reason") != "stopping":
            self.left = True
        if row.kind in LEAVING and "waited" in data:
            told.waited = float(data["waited"])
        if self._beside(row):
            return
        if mine is None:
            if (row.kind, data.get("reason")) == ("queue.left", "closed"):  # it was never let in
                self._turned_away(row)
            return
        others = self._others(mine) if self._waits_on(at) else ()
        match row.kind:
            case "queue.entered" | "queue.resumed" | "queue.moved":
                self._add(row, self._came(row, mine), others=others)
            case "queue.sticky":
                why = _STICKY.get(str(data.get("why")), str(data.get("why")))
                length = seconds(float(data.get("seconds", 0.0)))
                self._add(row, f"kept for {data.get('prefer')} for {length}: {why}", others=others)
            case "queue.sticky_over":
                gone = data.get("why") == "agent gone"
                self._add(
                    row,
                    f"not kept for {data.get('prefer')} any longer: "
                    + ("it is gone" if gone else "time is up"),
                    others=others,
                )
            case "queue.relaxed":
                needs, before = data.get("needs") or {}, data.get("before") or {}
                gone = {thing: level for thing, level in before.items() if needs.get(thing) != level}
                self._add(
                    row,
                    f"relaxed (step {data.get('step', 1)}): needs {asked(needs)} now, instead of {asked(gone)}",
                    others=others,
                )
            case "queue.raised":
                self._add(
                    row,
                    f"its priority was changed from {data.get('before')} to {data.get('priority')}"
                    f"{_by(data.get('by'))}, number {data.get('position')} now",
                    others=others,
                )
            case "queue.overflow":
                self._add(row, f"overflows to {data.get('to')} ({data.get('why')})")
            case "queue.overflow_failed":
                self._add(
                    row,
                    f"should have overflowed to {data.get('to')}, which can't take it ({data.get('why')}); waits on",
                    others=others,
                )
            case "queue.handed":
                by = data.get("by") or "who asked"
                self._add(row, f"{by} has handed the caller over, which waits in its place", others=others)
            case "offer.made":
                self._offered(row, mine)
            case "offer.missed":
                why = str(data.get("why", ""))
                cause = str(data.get("cause", ""))
                more = f", {cause}" if cause and why in ("failed", "unreachable") else ""
                rang = seconds(float(data.get("rang", 0.0)))
                self._add(row, f"{row.agent} {_MISSED.get(why, why)} (after {rang}{more})", others=others)
            case "offer.recalled":
                self._add(row, f"{row.agent} is rung no longer: {data.get('why')}", others=others)
            case "offer.lost":
                self._add(row, f"{row.agent} is rung no longer: {data.get('to')} answered first")
            case "queue.answered":
                told.outcome = f"answered by {row.agent}"
                self._add(row, f"answered by {row.agent} after {seconds(told.waited)} of waiting")
            case "queue.left":
                reason = str(data.get("reason", ""))
                told.outcome = _LEFT.get(reason, reason) + _closed(data, row)
                rang = f", while {', '.join(mine.rings)} was rung" if mine.rings else ""
                text = f"{told.outcome}, after {seconds(told.waited)}{rang}"
                self._add(row, text, others=self._others(mine))
            case "call.ended":
                told.outcome = "ended while no engine looked"
                self._add(row, told.outcome)

    def _turned_away(self, row: JournalEntry) -> None:
        told = self.explanation
        told.queues += [row.queue] if row.queue not in told.queues else []
        told.outcome = _LEFT["closed"] + _closed(row.data, row)
        self._add(row, f"wanted {row.queue}: {told.outcome}")

    def _beside(self, row: JournalEntry) -> bool:
        """What happened to the caller out of a queue. False: it is none of that."""
        data = row.data
        if row.kind == "talk.transferred":
            how = f" ({data['how']})" if data.get("how") else ""
            text = f"{data.get('from')} has transferred the caller to {data.get('to')}{how}"
            self._add(row, text, agent=str(data.get("from")))
        elif row.kind == "transfer.missed":
            self._add(row, f"{data.get('to')} did not take the transfer: {data.get('why')}")
        elif row.kind in _PROMISES:
            self._promised(row)
        else:
            return False
        return True

    def _promised(self, row: JournalEntry) -> None:
        """What became of the call back that the caller was promised."""
        data, told = row.data, self.explanation
        text = _PROMISES[row.kind]
        if row.kind in _ENDED:
            told.outcome = f"{text}, after {data.get('tries', 0)} attempts"
            text = told.outcome
        if data.get("why"):
            text += f" ({str(data['why']).replace('_', ' ')})"
        self._add(row, f"{text} [callback {data.get('callback')}]")

    def _came(self, row: JournalEntry, mine: Waiter) -> str:
        data = row.data
        back, self.left = self.left, False
        words = {
            "queue.entered": f"came into {row.queue}",
            "queue.resumed": f"is back in {row.queue}"
            if back
            else f"found waiting in {row.queue} by a new engine",
            "queue.moved": f"moved into {row.queue} by {data.get('by') or 'somebody'}",
        }[row.kind]
        parts = [f"{words} as number {data['position']}" if "position" in data else words]
        parts.append(f"needs {asked(mine.needs)}")
        if mine.priority:
            worth = f", worth {seconds(mine.head_start)} of waiting" if mine.head_start else ""
            parts.append(f"priority {mine.priority}{worth}")
        if float(data.get("waited", 0.0)) >= 1:
            parts.append(f"has waited {seconds(float(data['waited']))} before")
        if mine.prefer:
            parts.append(f"wants {mine.prefer}")
        if data.get("virtual"):
            parts.append("is not on the line, and will be called back")
        if data.get("asks"):
            parts.append(f"{data['asks']} asks, with the caller on hold")
        held = ", ".join(self.picture.held)
        if held:
            parts.append(f"no offers are made now ({held})")
        return "; ".join(parts)

    def _offered(self, row: JournalEntry, mine: Waiter) -> None:
        why = reasons.chosen(row.data, row.agent, mine)
        others = []
        for person in self.picture.of_queue(row.queue):
            if person.id == row.agent or person.id in mine.rings:
                continue
            reason = reasons.why_not(person, mine)
            if reason is None:
                reason = reasons.not_chosen(person, mine, row.data, row.agent)
            others.append(Other(person.id, self._until(reason, person, row)))
        self._add(row, f"offered to {row.agent}: {why.text}", reason=why, others=tuple(others))

    # -- what happened to others --------------------------------------------------------------------

    def _theirs(self, at: int, row: JournalEntry, mine: Waiter) -> None:
        if row.kind in ("queue.closed", "queue.opened") and row.queue == mine.queue:
            shut = row.kind == "queue.closed"
            text = f"was closed ({reasons.closed_by(row.data)})" if shut else "takes callers again"
            self._add(row, f"{row.queue} {text}")
            return
        if row.kind in ("offers.held", "offers.made_again"):
            again = row.kind == "offers.made_again"
            self._add(row, "offers are made again" if again else f"no offers are made: {row.data.get('why')}")
            return
        person = self.picture.people.get(row.agent)
        if person is None or not person.serves(mine.queue):
            return
        if row.kind == "offer.made" and (other := self.picture.waiting.get(row.call)) is not None:
            since = self.freed.get(row.agent)
            if since is not None and (row.at - since).total_seconds() <= SAME:
                why = reasons.taken_first(person, mine, other)
                text = f"{row.agent} became free and was given {short(row.call)}: {why.text}"
                self._add(row, text, reason=why)
        elif row.kind == "agent.state" and person.state == READY:
            self.freed[row.agent] = row.at
            if not self._offered_at_once(at, row.agent) and (reason := self._still_not(person, mine)):
                self._add(row, f"{row.agent} became free: {reason.text}", reason=reason)

    def _still_not(self, person: Person, mine: Waiter) -> Reason | None:
        if (unable := reasons.not_able(person, mine)) is not None:
            return Reason(unable.code, f"it {unable.text}")
        if mine.rings:
            return Reason("offered", f"this call was ringing at {', '.join(mine.rings)}")
        if self.picture.held:
            return Reason("held", f"no offers are made now ({', '.join(self.picture.held)})")
        return None

    # -- looking around -----------------------------------------------------------------------------

    def _others(self, mine: Waiter) -> tuple[Other, ...]:
        """Why each agent of the queue does not take the call now."""
        found = []
        for person in self.picture.of_queue(mine.queue):
            if person.id in mine.rings:
                continue
            reason = reasons.why_not(person, mine)
            if reason is None and self.picture.held:
                reason = Reason("held", f"free, but no offers are made now ({', '.join(self.picture.held)})")
            if reason is not None:
                found.append(Other(person.id, self._until(reason, person, None)))
        return tuple(found)

    def _until(self, reason: Reason, person: Person, row: JournalEntry | None) -> Reason:
        """When a need that keeps an agent away will be dropped, that is said: the rows that follow know it."""
        if reason.code not in ("lacks", "kept"):
            return reason
        start = self.explanation.began or (row.at if row is not None else None)
        for at in self.own:
            later = self.rows[at]
            if row is not None and later.at < row.at:
                continue
            relaxed = later.kind in ("queue.relaxed", "queue.sticky_over") and "needs" in later.data
            passed = relaxed and not missing(person.has or {}, later.data["needs"] or {})
            if passed and start is not None:
                when = seconds((later.at - start).total_seconds())
                return Reason(reason.code, f"{reason.text} until {when}")
        return reason

    def _waits_on(self, at: int) -> bool:
        """Whether the call goes on waiting after this row, so that it is worth saying who can't take it."""
        row = self.rows[at]
        for later in self.own:
            if later <= at:
                continue
            after = self.rows[later]
            if (after.at - row.at).total_seconds() > SAME:
                return True
            if after.kind in ("offer.made", "queue.overflow", "queue.sticky", *LEAVING, *JOINING):
                return False
        return True

    def _offered_at_once(self, at: int, agent: str) -> bool:
        """Whether the agent who became free with this row was given a call in the same moment."""
        row = self.rows[at]
        for after in self.rows[at + 1 :]:
            if (after.at - row.at).total_seconds() > SAME:
                return False
            if after.agent == agent and after.kind in ("offer.made", "agent.state"):
                return True
        return False


def _by(who: object) -> str:
    return f" by {who}" if who else ""


def others_told(others: Sequence[Mapping[str, Any]]) -> list[str]:
    """The others of a moment (as the control API gives them) in lines for people; those who are not even logged in
    together in one."""
    away = [other["agent"] for other in others if other["reason"]["code"] == LOGGED_OUT]
    told = [
        f"{other['agent']}: {other['reason']['text']}"
        for other in others
        if other["reason"]["code"] != LOGGED_OUT
    ]
    if away:
        told.append(f"logged out: {', '.join(away)}")
    return told
