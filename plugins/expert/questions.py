"""The book of questions, in the department's own tables."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .contracts import Asked, Disposition, TopicView
from .models import Missed, Question, Topic


class SqlQuestions:
    """Each act is one row or two; the engine commits them with the deed."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def topics(self, language: str) -> list[TopicView]:
        found = self._session.scalars(select(Topic).order_by(Topic.place, Topic.code))
        return [
            TopicView(
                code=one.code, title=one.en if language == "en" else one.zh, owner=one.owner, hours=one.hours
            )
            for one in found
        ]

    def begin(self, call: str, *, now: datetime, caller: str, language: str) -> int:
        before = self._last(call)
        made = Question(
            call=call,
            nth=1 if before is None else before.nth + 1,
            asked=now,
            caller=caller,
            language=language,
        )
        if before is not None:
            before.ended = before.ended or now
            for name in ("staff", "name", "branch", "region"):  # the same person asks again
                setattr(made, name, getattr(before, name))
        self._session.add(made)
        self._session.flush()
        return made.id

    def current(self, call: str) -> Asked | None:
        found = self._last(call)
        return None if found is None else Asked.model_validate(found)

    def get(self, id: int) -> Asked | None:
        found = self._session.get(Question, id)
        return None if found is None else Asked.model_validate(found)

    def note(self, call: str, *, now: datetime, **facts: object) -> int:
        question = self._last(call)
        if question is None:
            question = Question(call=call, asked=now)
            self._session.add(question)
        for name, value in facts.items():
            setattr(question, name, value)
        self._session.flush()
        return question.id

    def ended(self, call: str, *, now: datetime, agents: list[str], talked: int) -> int | None:
        question = self._last(call)
        if question is None:
            return None
        before = list(
            self._session.scalars(select(Question).where(Question.call == call, Question.nth < question.nth))
        )
        mine = max(0, talked - sum(one.talked for one in before))
        earlier = {one.last_expert for one in before}
        # Who talked about an earlier question of this call has talked about this one only if there was more talk since.
        here = [one for one in agents if one not in earlier or (mine and one == agents[-1])]
        if question.ended is None:
            question.ended = now
            if here:
                question.talked += mine
                question.answered = question.answered or now - timedelta(seconds=mine)
                question.expert, question.last_expert = question.expert or here[0], here[-1]
        if not question.topic and not question.closed and not question.expert:
            self.close(question.id, "none", now=now, by="engine")
        self._session.flush()
        return question.id

    def close(self, id: int, disposition: Disposition, *, now: datetime, by: str, **facts: object) -> bool:
        question = self._session.get(Question, id)
        if question is None or question.closed is not None:
            return False
        question.disposition, question.closed, question.closed_by = disposition, now, by
        for name, value in facts.items():
            setattr(question, name, value)
        self._session.flush()
        return True

    def call_back(self, call: str, again: str) -> int:
        question = self._last(call)
        if question is None:
            return 0
        question.called_back, question.ended = again, None
        self._session.flush()
        return question.id

    def talked_with(self, call: str, expert: str) -> Asked | None:
        question = self._last(call)
        if question is None:
            return None
        question.expert = question.expert or expert
        question.last_expert = question.last_expert or expert
        self._session.flush()
        return Asked.model_validate(question)

    def missed(self, call: str, expert: str, why: str, *, now: datetime) -> None:
        question = self._last(call)
        if question is not None:
            self._session.add(Missed(question=question.id, at=now, expert=expert, why=why))
            self._session.flush()

    def open_of(self, expert: str, *, most: int) -> list[Asked]:
        found = self._session.scalars(
            select(Question)
            .where(Question.closed.is_(None), (Question.last_expert == expert) | (Question.expert == expert))
            .order_by(Question.asked.desc(), Question.id.desc())
            .limit(most)
        )
        return [Asked.model_validate(one) for one in found]

    def earlier(self, staff: str, topic: str, *, since: datetime, but: int) -> list[Asked]:
        if not staff or not topic:
            return []
        found = self._session.scalars(
            select(Question)
            .where(
                Question.staff == staff, Question.topic == topic, Question.asked >= since, Question.id != but
            )
            .order_by(Question.asked.desc(), Question.id.desc())
        )
        return [Asked.model_validate(one) for one in found]

    def gaps_of(self, staff: str) -> list[Asked]:
        if not staff:
            return []
        found = self._session.scalars(
            select(Question)
            .where(Question.staff == staff, Question.draft != "", Question.told.is_(None))
            .order_by(Question.asked, Question.id)
        )
        return [Asked.model_validate(one) for one in found]

    def told(self, ids: list[int], *, now: datetime) -> int:
        for one in ids:
            if (question := self._session.get(Question, one)) is not None:
                question.told = now
        self._session.flush()
        return len(ids)

    def filled(self, draft: str, version: int) -> int:
        found = self._session.scalars(select(Question).where(Question.draft == draft)).all()
        for question in found:
            question.answer, question.version, question.standard_version = draft, version, version
        self._session.flush()
        return len(found)

    def unclosed(self, *, before: datetime) -> tuple[int, datetime | None]:
        found = self._session.execute(
            select(func.count(), func.min(Question.asked)).where(
                Question.closed.is_(None), Question.asked < before
            )
        ).one()
        return int(found[0]), found[1]

    def _last(self, call: str) -> Question | None:
        return self._session.scalars(
            select(Question)
            .where((Question.call == call) | (Question.called_back == call))
            .order_by(Question.nth.desc())
            .limit(1)
        ).first()
