"""Two weeks of the sample company's questions (``insideline data seed``): Monday peaks, and the stories that the
reports show: an expert on an old version, a branch that asks no more, one person who asks again and again, an expert
whose manner is disliked, questions that nobody has closed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Float, String, column, insert, select, table
from sqlalchemy.orm import Session

from engine.api import Moment

from .models import Missed, Question, StaffMember

if TYPE_CHECKING:
    from engine.api import History

#: What the engine wrote of the ordinary calls to the experts: each of them was about a question, too.
_CDR = table(
    "cdr",
    column("call", String),
    column("arrived", Moment),
    column("ended", Moment),
    column("number", String),
    column("queue", String),
    column("agent", String),
    column("waited", Float),
    column("talked", Float),
)
_TOPICS = {
    "8031": "tariff",
    "8032": "claims",
    "8033": "policy",
    "8034": "systems",
    "8035": "credit",
    "8036": "tariff",
}
_ANSWERS = {"tariff": ("1001", 3), "claims": ("2001", 2), "credit": ("3501", 1), "policy": ("4001", 3)}
_SILENT = "成都双流营业部"  # the branch whose questions fall away
_AGAIN = "60301"  # who asks about tariffs again and again
_OLD = "8031"  # who goes on to give the version before


def write(session: Session, history: History) -> None:
    """Into empty tables, in seconds."""
    past = _Past(session, history)
    past.ordinary()
    past.served()
    past.branch_that_asks_no_more()
    past.one_who_asks_again()
    past.write()


class _Past:
    def __init__(self, session: Session, history: History) -> None:
        self._session, self._history = session, history
        self._staff = {one.number: one for one in session.scalars(select(StaffMember))}
        self._phones = {
            number: party.code
            for party in history.parties.search(kind="employee", limit=1000)
            if party.code in self._staff
            for number in party.numbers
        }
        self._changed = history.at(history.days[-7], "08:00")  # when the third version of 1001 was published
        self._rows: list[dict[str, Any]] = []

    # -- what happened ----------------------------------------------------------------------------------

    def ordinary(self) -> None:
        """A question for each call that the engine wrote down."""
        for call in self._session.execute(
            select(_CDR).where(_CDR.c.queue == "expert").order_by(_CDR.c.arrived)
        ):
            topic = _TOPICS.get(call.agent) or self._history.random.choice(sorted(_ANSWERS))
            self._talk(
                call.call,
                call.arrived,
                self._phones.get(call.number, ""),
                topic,
                call.agent,
                call.waited,
                call.talked,
            )

    def served(self) -> None:
        """Those whom the standard answer helped, without an expert."""
        people = sorted(
            number for number, one in self._staff.items() if not one.left and one.branch != _SILENT
        )
        for day in self._history.days:
            for at in self._history.times(day, 9):
                topic = self._history.random.choice(sorted(_ANSWERS))
                staff = self._history.random.choice(people)
                call = self._history.call(
                    at, served=70.0, dialled="8002", party=self._history.party(staff, "employee")
                )
                answer, version = self._answer(topic, at)
                self._question(
                    call, at, staff, topic, heard=answer, heard_version=version, ended=at + timedelta(seconds=70),
                    disposition="heard", closed=at + timedelta(seconds=70), closed_by="caller",
                    answer=answer, version=version, standard_version=version,
                )  # fmt: skip

    def branch_that_asks_no_more(self) -> None:
        """Twenty questions in the first week, two in the second."""
        for at in range(22):
            day = self._history.days[at % 5 if at < 20 else 8 + at % 2]
            self._own(day, f"{9 + at % 8:02}:{at * 7 % 60:02}", ("60401", "60402")[at % 2], "claims", "8032")

    def one_who_asks_again(self) -> None:
        """The same about tariffs, every other day."""
        for at in range(7):
            self._own(self._history.days[at * 2], f"10:{5 + at * 6:02}", _AGAIN, "tariff", "8036")

    def _own(self, day: Any, clock: str, staff: str, topic: str, agent: str) -> None:
        at = self._history.at(day, clock)
        party = self._history.party(staff, "employee")
        call = self._history.call(
            at, queue="expert", agent=agent, party=party, waited=14.0, talked=95.0, wrap=20.0, dialled="8002"
        )
        self._talk(call, at, staff, topic, agent, 14.0, 95.0)

    # -- its question --------------------------------------------------------------------------------------

    def _talk(
        self, call: str, at: datetime, staff: str, topic: str, agent: str, waited: float, talked: float
    ) -> None:
        draw = self._history.random
        queued = at + timedelta(seconds=30)
        facts: dict[str, Any] = {"queued": queued, "holding": draw.random() < 0.6}
        facts["ended"] = queued + timedelta(seconds=waited + talked)
        if talked:
            facts |= {"answered": queued + timedelta(seconds=waited), "talked": round(talked)}
            facts |= {"expert": agent, "last_expert": agent}
            if draw.random() < 0.35:
                sullen = agent == "8034"
                facts["solution"] = draw.choice((2, 3, 4, 4) if sullen else (3, 4, 5, 5, 5))
                facts["attitude"] = draw.choice((1, 2, 3) if sullen else (4, 5, 5))
                facts["effort"] = draw.choice((2, 3, 4) if sullen else (3, 4, 5))
            facts |= self._closing(topic, agent, facts["ended"])
        self._question(call, at, staff, topic, **facts)

    def _closing(self, topic: str, agent: str, at: datetime) -> dict[str, Any]:
        """What the expert closed it with; nothing for one in fifty."""
        kind = self._history.random.random()
        done = {"closed": at + timedelta(seconds=40), "closed_by": agent}
        if kind < 0.02:
            return {}
        if topic not in _ANSWERS or kind < 0.08:
            return {"disposition": "gap", **done}
        answer, published = self._answer(topic, at)
        given = published - 1 if agent == _OLD and at >= self._changed and kind < 0.7 else published
        if topic == "claims" and kind > 0.96:
            answer, given, published = "2002", 1, 1  # another answer than the caller had found
        heard = {"heard": self._answer(topic, at)[0], "heard_version": self._answer(topic, at)[1]}
        return {
            "disposition": "answer", "answer": answer, "version": given, "standard_version": published,
            **done, **heard,
        }  # fmt: skip

    def _answer(self, topic: str, at: datetime) -> tuple[str, int]:
        """The standard answer of a topic at that moment, and its version."""
        answer, version = _ANSWERS[topic]
        return answer, version - 1 if answer == "1001" and at < self._changed else version

    def _question(self, call: str, at: datetime, staff: str, topic: str, **facts: Any) -> None:
        one = self._staff.get(staff)
        who = {"name": one.name, "branch": one.branch, "region": one.region} if one is not None else {}
        self._rows.append(
            {"call": call, "asked": at, "staff": staff, "topic": topic, "language": "zh-CN", **who, **facts}
        )

    def write(self) -> None:
        """All of it, at once."""
        empty = {
            column.key: column.default.arg if column.default is not None else None
            for column in Question.__table__.columns
            if column.key != "id"
        }
        self._session.execute(insert(Question), [{**empty, **row} for row in self._rows])
        asked = self._session.execute(
            select(Question.id, Question.queued).where(
                Question.topic == "systems", Question.queued.is_not(None)
            )
        ).all()
        missed = [
            {"question": id, "at": queued, "expert": "8034", "why": "no_answer"} for id, queued in asked[::4]
        ]
        if missed:
            self._session.execute(insert(Missed), missed)
