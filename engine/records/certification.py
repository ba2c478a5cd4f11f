"""Certification: who has read what must be read, and passed its short quiz, for each version.

An item of the knowledge that holds today and names skills in ``must_read`` has to be passed by every agent with one
of these skills; until then the skill does not count for them. When a new version holds, the certificate for the one
before counts for the ``grace`` that conf/engine.yaml gives, and no longer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from engine.errors import NotFound, WrongState
from engine.records.knowledge import Library
from engine.records.quiz import marked
from engine.store.tables_knowledge import certifications as table
from engine.store.tables_knowledge import knowledge
from engine.types import CertificateView, KnowledgeView, LackView


class Certifications:
    """The certificates within one session."""

    def __init__(self, session: Session, library: Library, *, now: datetime, grace: float = 0.0) -> None:
        """``grace`` in seconds."""
        self._session = session
        self._library = library
        self._now = now
        self._grace = timedelta(seconds=grace)

    # -- looking --------------------------------------------------------------------------------------

    def passed(self, agent: str, id: str, version: int = 0) -> bool:
        """Whether an agent (by id) passed exactly that version; without one, the version that holds today, and then
        also within its time of grace. :class:`NotFound` for an item, or a version, that there is not."""
        item = self._item(id, version)
        if self._certificate(agent, item.id, item.version).passed is not None:
            return True
        return not version and self._grace_until(agent, item) is not None

    def certificate(self, agent: str, id: str, version: int = 0) -> CertificateView:
        """How far an agent is with a version (the one that holds today)."""
        item = self._item(id, version)
        return self._certificate(agent, item.id, item.version)

    def search(self, agent: str = "", id: str = "", limit: int = 1000) -> list[CertificateView]:
        """Certificates, the newest first."""
        query = (
            select(table).order_by(table.c.passed.is_(None), table.c.passed.desc(), table.c.id).limit(limit)
        )
        for column, value in ((table.c.agent, agent), (table.c.id, id)):
            if value:
                query = query.where(column == value)
        return [CertificateView(**row._mapping) for row in self._session.execute(query)]

    def missing(self, agent: str, skills: Iterable[str]) -> list[LackView]:
        """What an agent with these skills has to pass and has not."""
        return self.all_missing({agent: skills})

    def all_missing(
        self, agents: Mapping[str, Iterable[str]], items: Sequence[KnowledgeView] | None = None
    ) -> list[LackView]:
        """What agents (with their skills) have to pass and have not, in the order of the agents. ``items`` is what
        ``must_be_passed`` answered, for who has it already."""
        if items is None:
            items = self._library.must_be_passed()
        if not items:
            return []
        query = select(table.c.agent, table.c.id, table.c.version).where(
            table.c.passed.is_not(None), table.c.id.in_([one.id for one in items])
        )
        passed = {(row.agent, row.id, row.version) for row in self._session.execute(query)}
        began = {
            (agent, id): version for agent, id, version in sorted(passed, reverse=True)
        }  # the first passed
        first = self._first_versions(items)
        graces = [(item, self._grace_of(item, first)) for item in items]
        found = []
        for agent, skills in agents.items():
            mine = set(skills)
            for item, (until, renewed) in graces:
                needing = tuple(skill for skill in item.must_read if skill in mine)
                if needing and (agent, item.id, item.version) not in passed:
                    counts = not renewed or began.get((agent, item.id), item.version) < item.version
                    found.append(LackView(agent, item, needing, until if counts else None))
        return found

    # -- learning -------------------------------------------------------------------------------------

    def read(self, agent: str, id: str) -> KnowledgeView:
        """The agent reads what holds today: the text, and the questions of its quiz."""
        item = self._item(id)
        if self._certificate(agent, item.id, item.version).read is None:
            self._keep(agent, item, read=self._now)
        return item

    def answer(self, agent: str, id: str, answers: Sequence[int], *, least: float = 1.0) -> CertificateView:
        """The agent answers the quiz by the numbers of the choices. From the share ``least`` of right answers on it is
        passed. :class:`WrongState` before it was read, when there is no quiz, or for too few answers."""
        item = self._item(id)
        if self._certificate(agent, item.id, item.version).read is None:
            raise WrongState(f"{agent} has not read {item.id} v{item.version} yet")
        if not item.quiz:
            raise WrongState(f"{item.id} v{item.version} has no quiz: say that it was understood (pass)")
        right, of = marked(item.quiz, answers)
        return self.record(agent, item.id, item.version, right, of, passed=right >= least * of)

    def acknowledge(self, agent: str, id: str) -> CertificateView:
        """The agent has read and understood something that has no quiz. :class:`WrongState` when it has one."""
        item = self._item(id)
        if item.quiz:
            raise WrongState(f"{item.id} v{item.version} has a quiz of {len(item.quiz)} questions to pass")
        return self.record(agent, item.id, item.version, 0, 0, passed=True)

    def record(
        self, agent: str, id: str, version: int, score: int = 0, of: int = 0, *, passed: bool = True
    ) -> CertificateView:
        """Keep a result, e.g. of a course elsewhere. What was passed once stays passed."""
        item = self._item(id, version)
        before = self._certificate(agent, id, item.version)
        self._keep(
            agent,
            item,
            read=before.read or self._now,
            passed=before.passed or (self._now if passed else None),
            score=score,
            of=of,
            tries=before.tries + 1,
        )
        return self._certificate(agent, id, item.version)

    # -- inside ---------------------------------------------------------------------------------------

    def _item(self, id: str, version: int = 0) -> KnowledgeView:
        found = self._library.get(id, version)
        if found is None:
            shown = f"{id} v{version}" if version else f"{id} that holds today"
            raise NotFound(f"there is no knowledge item {shown}")
        return found

    def _certificate(self, agent: str, id: str, version: int) -> CertificateView:
        row = self._session.execute(
            select(table).where(table.c.agent == agent, table.c.id == id, table.c.version == version)
        ).one_or_none()
        return CertificateView(agent, id, version) if row is None else CertificateView(**row._mapping)

    def _grace_until(self, agent: str, item: KnowledgeView) -> datetime | None:
        """Until when the skill counts though this version was not passed: for a new item everybody's, for a new
        version those agents' who passed an earlier one."""
        until, renewed = self._grace_of(item, self._first_versions([item]))
        if until is None or not renewed:
            return until
        passed = self._session.execute(
            select(table.c.version).where(
                table.c.agent == agent, table.c.id == item.id, table.c.version < item.version,
                table.c.passed.is_not(None),
            )
        ).first()  # fmt: skip
        return until if passed is not None else None

    def _first_versions(self, items: Sequence[KnowledgeView]) -> dict[str, int]:
        """The first version of each that was ever published."""
        rows = self._session.execute(
            select(knowledge.c.id, func.min(knowledge.c.version))
            .where(knowledge.c.id.in_([one.id for one in items]), knowledge.c.published.is_not(None))
            .group_by(knowledge.c.id)
        )
        return {row[0]: row[1] for row in rows}

    def _grace_of(self, item: KnowledgeView, first: Mapping[str, int]) -> tuple[datetime | None, bool]:
        """Until when a version has its time of grace (None: it has none, or it is over), and whether there was one
        before it."""
        if item.published is None or not self._grace:
            return None, False
        begins = item.published
        if item.valid_from is not None:
            begins = max(begins, datetime.combine(item.valid_from, time(), begins.tzinfo))
        until = begins + self._grace
        if until <= self._now:
            return None, False
        return until, first.get(item.id, item.version) < item.version

    def _keep(self, agent: str, item: KnowledgeView, **values: Any) -> None:
        key = (table.c.agent == agent, table.c.id == item.id, table.c.version == item.version)
        if (
            self._session.execute(update(table).where(*key).values(**values).returning(table.c.agent)).first()
            is None
        ):
            self._session.execute(
                insert(table).values(agent=agent, id=item.id, version=item.version, **values)
            )


def withheld(lacks: Iterable[LackView]) -> dict[str, dict[str, str]]:
    """Agent -> skill -> why it does not count now."""
    found: dict[str, dict[str, str]] = {}
    for lack in lacks:
        if lack.until is None:
            for skill in lack.skills:
                found.setdefault(lack.agent, {}).setdefault(skill, lack.why())
    return found
