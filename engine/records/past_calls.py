"""The ordinary traffic of a sample past: callers come as busy as the day was, wait for the agents that there were, and
hang up when it takes too long. So that a Monday, and the day of the typhoon, show in every figure as they would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from engine.records.history import History
from engine.types import PartyView

TALK: Final = 170.0
"""Mean seconds of a talk."""
PATIENCE: Final = 150.0
"""Mean seconds that a caller is ready to wait."""
AT_WORK: Final = 2
"""Agents of a queue who work on a day."""
REST: Final = timedelta(hours=40)
"""For so long a party does not call again."""
SURVEYED: Final = 0.35
"""Share of the callers who answer the survey."""
REPEATING: Final = "+8613955550199"
"""Whose number the repeat caller has: an invented one."""
_QUESTIONS: Final = ("solution", "attitude", "effort")
_REPEATS: Final = 5


@dataclass(frozen=True, slots=True)
class PastQueue:
    """A queue as it was: who worked for it, and who called."""

    name: str
    agents: tuple[str, ...]
    dialled: str = ""
    flow: str = ""
    parties: tuple[PartyView, ...] = ()
    anonymous: bool = False  # callers' numbers are not known
    calls: float = 120.0  # of an ordinary day


def fill(history: History, queues: Sequence[PastQueue]) -> int:
    """The calls of all days; how many there were. ``queues`` share agents."""
    count, called = 0, dict[int, datetime]()
    for number, day in enumerate(history.days):
        free: dict[str, datetime] = {}
        arrivals = [(at, queue) for queue in queues if queue.agents for at in history.times(day, queue.calls)]
        shifts = {queue.name: _shift(queue.agents, number) for queue in queues}
        slow = 1.3 if day == history.typhoon else 1.0  # people have more to say
        for at, queue in sorted(arrivals, key=lambda one: one[0]):
            _one(history, at, queue, shifts[queue.name], free, called, slow)
            count += 1
    return count


def _shift(agents: Sequence[str], day: int) -> tuple[str, ...]:
    """Who of a queue's agents works on a day: two, in turn."""
    return tuple(agents[(AT_WORK * day + place) % len(agents)] for place in range(min(AT_WORK, len(agents))))


def _one(
    history: History,
    at: datetime,
    queue: PastQueue,
    at_work: Sequence[str],
    free: dict[str, datetime],
    called: dict[int, datetime],
    slow: float,
) -> None:
    draw = history.random
    party = draw.choice(queue.parties) if queue.parties and draw.random() < 0.7 else None
    if party is not None and at - called.get(party.id, at - REST) < REST:
        party = None  # nobody calls every day for nothing
    elif party is not None:
        called[party.id] = at
    number = "" if queue.anonymous else "" if party is not None else f"+86139{draw.randrange(10**8):08d}"
    served = draw.uniform(20, 60)
    entered = at + timedelta(seconds=served)
    about: dict[str, Any] = {"dialled": queue.dialled, "flow": queue.flow}
    who = None if queue.anonymous else party
    if draw.random() < 0.3:  # the machine was enough
        history.call(at, number=number, party=who, served=served * 1.5, **about)
        return
    agent = min(at_work, key=lambda one: free.get(one, entered))
    ready = free.get(agent, entered)
    waited = max(0.0, (ready - entered).total_seconds()) + draw.uniform(2, 7)
    if waited > draw.expovariate(1 / PATIENCE) + 20:
        given_up = min(waited, 20 + draw.expovariate(1 / PATIENCE))
        history.call(
            at,
            queue=queue.name,
            number=number,
            party=who,
            waited=given_up,
            abandoned=True,
            served=served,
            **about,
        )
        return
    talked, wrap = max(25.0, draw.expovariate(1 / (TALK * slow))), draw.uniform(8, 40)
    begun = entered + timedelta(seconds=waited)
    if agent in free and begun > free[agent]:
        history.free(begun, agent, (begun - free[agent]).total_seconds())
    call = history.call(
        at, queue=queue.name, agent=agent, number=number, party=who, waited=waited, talked=talked, wrap=wrap,
        served=served, **about,
    )  # fmt: skip
    ended = begun + timedelta(seconds=talked)
    free[agent] = ended + timedelta(seconds=wrap)
    if draw.random() < SURVEYED:
        _survey(history, call, ended, queue.name, agent, waited, who)


def _survey(
    history: History, call: str, at: datetime, queue: str, agent: str, waited: float, party: PartyView | None
) -> None:
    """Who waited long gives fewer marks, and some hang up between two questions."""
    mean = {"solution": 4.4, "attitude": 4.6, "effort": 4.3}
    for number, question in enumerate(_QUESTIONS):
        if number and history.random.random() < 0.15:
            return
        mark = history.random.gauss(mean[question] - min(1.5, waited / 200), 0.7)
        history.rating(
            call, question, max(1, min(5, round(mark))), at + timedelta(seconds=8 * (number + 1)),
            agent=agent, queue=queue, party=party,
        )  # fmt: skip


def repeat_caller(history: History, queue: PastQueue) -> int:
    """One who called again and again, because it was not solved: five times on three days."""
    if len(history.calendar.workdays) < 3:
        return 0
    for number in range(_REPEATS):
        day = history.calendar.workdays[-3:][min(2, number // 2)]
        at = history.at(day, "09:40") + timedelta(hours=3 * (number % 2), minutes=number * 7)
        history.call(
            at, queue=queue.name, agent=queue.agents[number % len(queue.agents)], number=REPEATING,
            waited=35.0 + 20 * number,
            talked=150.0, wrap=20.0, dialled=queue.dialled, flow=queue.flow,
        )  # fmt: skip
    return _REPEATS
