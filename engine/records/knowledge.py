"""Knowledge: answers and rules of the house, in versions; written by one, reviewed by another, published, withdrawn.

    draft -> reviewed -> published -> withdrawn
                             \\-> superseded, when a later version holds

The functions here run in a session's transaction (a handler's, a command's). A publication is told to plugins and
rendered ahead afterwards, from its row (:meth:`Library.untold`), also when the engine died in between.
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from engine.errors import NotFound, WrongState
from engine.records.quiz import check_quiz
from engine.records.search_terms import terms
from engine.store.columns import decode, encode
from engine.store.tables_knowledge import knowledge as table
from engine.store.tables_knowledge import knowledge_terms
from engine.types import KnowledgeView

STATES: Final = ("draft", "reviewed", "published", "superseded", "withdrawn")
KINDS: Final = ("answer", "rule")
EDITOR: Final = "knowledge_editor"
FIELDS: Final = (
    "title", "titles", "kind", "topic", "skill", "department", "owner", "answers", "spoken", "must_read", "quiz",
    "valid_from", "valid_until",
)  # fmt: skip
"""What is written in an item."""
_JSON: Final = frozenset({"titles", "answers", "spoken", "must_read", "quiz"})
_BY_LANGUAGE: Final = ("titles", "answers", "spoken")
LIMIT: Final = 20
MOST_TERMS: Final = 40
_TITLE, _TOPIC, _TEXT = 6, 3, 1
_ID: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")

#: Who somebody is: the roles of an agent by id or name, None for who is no agent (an operator at a terminal).
RolesOf = Callable[[str], Sequence[str] | None]


class Library:
    """The knowledge within one session. ``by`` is who acts where nobody else is named."""

    def __init__(
        self,
        session: Session,
        *,
        now: datetime,
        today: date,
        department: str = "",
        by: str = "",
        numbers: random.Random | None = None,
        roles_of: RolesOf = lambda who: None,
    ) -> None:
        self._session = session
        self._now = now
        self._today = today
        self._department = department
        self._by = by
        self._numbers = numbers or random.SystemRandom()
        self._roles_of = roles_of

    # -- looking --------------------------------------------------------------------------------------

    def get(self, id: str, version: int = 0) -> KnowledgeView | None:
        """That version of an item; without one the version that holds today, None when there is none."""
        query = select(table).where(table.c.id == id)
        if version:
            query = query.where(table.c.version == version)
        else:
            query = query.where(self._holds()).order_by(table.c.version.desc()).limit(1)
        return self._one(query)

    def latest(self, id: str) -> KnowledgeView | None:
        """The newest version of an item, whatever its state."""
        return self._one(select(table).where(table.c.id == id).order_by(table.c.version.desc()).limit(1))

    def versions(self, id: str) -> list[KnowledgeView]:
        """All versions of an item, the newest first."""
        rows = self._session.execute(select(table).where(table.c.id == id).order_by(table.c.version.desc()))
        return [view(row) for row in rows]

    def search(
        self,
        text: str = "",
        *,
        topic: str = "",
        department: str = "",
        skill: str = "",
        kind: str = "",
        state: str = "published",
        limit: int = LIMIT,
    ) -> list[KnowledgeView]:
        """Items, those that fit ``text`` best first (by id when there is none). Of ``published`` ones the version that
        holds today; ``state=""`` means the newest version of each, whatever its state."""
        query = select(table)
        wanted = {"topic": topic, "department": department, "skill": skill, "kind": kind}
        for name, value in wanted.items():
            if value:
                query = query.where(table.c[name] == value)
        if state == "published":
            query = query.where(self._holds())
        elif state:
            query = query.where(table.c.state == state)
        best: dict[tuple[str, int], float] = {}
        if text.strip():
            best = self._fit(text)
            if not best:
                return []
            query = query.where(table.c.id.in_({id for id, _ in best}))
        newest: dict[str, KnowledgeView] = {}
        for row in self._session.execute(query.order_by(table.c.id, table.c.version)):
            newest[row.id] = view(row)
        found = list(newest.values())
        if best:
            found = [one for one in found if (one.id, one.version) in best]
            found.sort(key=lambda one: (-best[one.id, one.version], one.id))
        return found[:limit]

    def must_be_passed(self, skills: Iterable[str] | None = None) -> list[KnowledgeView]:
        """What holds today and has to be passed for one of these skills (for any skill, without them)."""
        wanted = None if skills is None else set(skills)
        query = select(table).where(self._holds(), table.c.must_read.is_not(None))
        newest: dict[str, KnowledgeView] = {}
        for row in self._session.execute(query.order_by(table.c.id, table.c.version)):
            newest[row.id] = view(row)
        return [
            one
            for one in newest.values()
            if one.must_read and (wanted is None or wanted.intersection(one.must_read))
        ]

    def _fit(self, text: str) -> dict[tuple[str, int], float]:
        """How well versions fit a text: rare terms count more (idf), and so does what stands in the title."""
        asked = [term for term, _ in terms(text).most_common(MOST_TERMS)]
        rows = self._session.execute(
            select(
                knowledge_terms.c.term,
                knowledge_terms.c.id,
                knowledge_terms.c.version,
                knowledge_terms.c.weight,
            ).where(knowledge_terms.c.term.in_(asked))
        ).all()
        items: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            items[row.term].add(row.id)
        total = self._session.execute(select(func.count(table.c.id.distinct()))).scalar() or 1
        found: dict[tuple[str, int], float] = defaultdict(float)
        for row in rows:
            rarity = math.log(1 + total / len(items[row.term]))
            found[row.id, row.version] += rarity * (1 + math.log(row.weight))
        return dict(found)

    def _holds(self) -> ColumnElement[bool]:
        return and_(
            table.c.state == "published",
            or_(table.c.valid_from.is_(None), table.c.valid_from <= self._today),
            or_(table.c.valid_until.is_(None), table.c.valid_until >= self._today),
        )

    def _one(self, query: Any) -> KnowledgeView | None:
        row = self._session.execute(query).one_or_none()
        return None if row is None else view(row)

    # -- writing --------------------------------------------------------------------------------------

    def draft(
        self,
        title: str,
        answers: Mapping[str, str] | None = None,
        *,
        id: str = "",
        topic: str = "",
        skill: str = "",
        department: str = "",
        kind: str = "answer",
        owner: str = "",
        spoken: Mapping[str, str] | None = None,
        titles: Mapping[str, str] | None = None,
        must_read: Sequence[str] = (),
        quiz: Sequence[Mapping[str, Any]] = (),
        valid_from: date | None = None,
        valid_until: date | None = None,
        call: str = "",
        by: str = "",
    ) -> KnowledgeView:
        """A new item; without an ``id`` six digits are drawn, so that it can be said and typed. ``call`` is the one
        that showed the gap. :class:`WrongState` for an id that there is already, or values that can't be used."""
        if id and self.latest(id) is not None:
            raise WrongState(f"there is an item {id} already: edit it")
        values = {
            "title": title.strip(), "titles": _clean(titles or {}), "kind": kind, "topic": topic, "skill": skill,
            "department": department or self._department, "owner": owner, "answers": _clean(answers or {}),
            "spoken": _clean(spoken or {}), "must_read": list(must_read), "quiz": [dict(one) for one in quiz],
            "valid_from": valid_from, "valid_until": valid_until,
        }  # fmt: skip
        return self._insert(id or self._draw(), 1, values, by or self._by, call)

    def edit(self, id: str, *, by: str = "", **changes: Any) -> KnowledgeView:
        """Change what is written (``FIELDS``). A draft is changed in its place, a reviewed one is a draft again; of
        what was published or withdrawn a new version is begun."""
        found = self._latest(id)
        if odd := sorted(changes.keys() - set(FIELDS)):
            raise WrongState(f"an item has no {odd[0]}")
        by = by or self._by
        for name in _BY_LANGUAGE:
            if name in changes:
                changes[name] = _clean(changes[name])
        values = {name: changes.get(name, _field(found, name)) for name in FIELDS}
        if found.state not in ("draft", "reviewed"):
            self._insert(id, found.version + 1, values, by, "")
            return self._latest(id)
        editors = sorted({*found.editors, by})
        self._update(found, **_stored(values), state="draft", by=by, editors=encode(editors), reviewed_by="")
        self._index(id, found.version, values)
        return self._latest(id)

    def review(self, id: str, by: str = "") -> KnowledgeView:
        """A second person has read the draft and agrees. :class:`WrongState` when it is no draft, when they wrote at
        it, or when they are an agent who is no knowledge editor."""
        found, by = self._latest(id), by or self._by
        self._state(found, ("draft",), "be reviewed")
        self._may(by)
        if not by or by in found.editors:
            raise WrongState(f"{id} was written by {', '.join(found.editors)}: somebody else must review it")
        if not found.answers:
            raise WrongState(f"{id} has no answer yet")
        return self._update(found, state="reviewed", reviewed_by=by)

    def publish(self, id: str, by: str = "") -> KnowledgeView:
        """It holds from now on, or from its day on, in place of earlier versions."""
        found, by = self._latest(id), by or self._by
        self._state(found, ("reviewed",), "be published")
        self._may(by)
        self._update(found, state="published", published_by=by, published=self._now, told=False)
        if found.valid_from is None or found.valid_from <= self._today:
            self._session.execute(
                update(table)
                .where(table.c.id == id, table.c.version < found.version, table.c.state == "published")
                .values(state="superseded")
            )
        return self._latest(id)

    def withdraw(self, id: str, by: str = "", why: str = "") -> KnowledgeView:
        """It holds no more: its newest version, whatever its state, and every one that holds."""
        found, by = self._latest(id), by or self._by
        self._state(found, ("draft", "reviewed", "published"), "be withdrawn")
        self._may(by)
        self._session.execute(
            update(table)
            .where(table.c.id == id, or_(table.c.version == found.version, table.c.state == "published"))
            .values(state="withdrawn", withdrawn=self._now, withdrawn_by=by, why=why)
        )
        return self._latest(id)

    def put(self, item: KnowledgeView, *, told: bool = False) -> KnowledgeView:
        """Keep a version as a file tells of it, with its state: for samples and for moving a whole base. A version that
        is there already stays as it is. ``told``: nobody is told of the publication."""
        known = self.get(item.id, item.version)
        if known is not None:
            return known
        values = {name: _field(item, name) for name in FIELDS}
        for name in _BY_LANGUAGE:
            values[name] = _clean(values[name])
        made = self._insert(
            item.id, item.version, values, item.by or self._by, item.call, state=item.state,
            editors=item.editors, reviewed_by=item.reviewed_by, published_by=item.published_by,
            published=item.published or (self._now if item.state == "published" else None), told=told,
            **({"created": item.created} if item.created is not None else {}), why=item.why,
        )  # fmt: skip
        if made.state == "published" and (made.valid_from is None or made.valid_from <= self._today):
            self._session.execute(
                update(table)
                .where(table.c.id == made.id, table.c.version < made.version, table.c.state == "published")
                .values(state="superseded")
            )
        return made

    # -- telling --------------------------------------------------------------------------------------

    def untold(self, limit: int = 100) -> list[tuple[KnowledgeView, KnowledgeView | None]]:
        """Publications that plugins don't know of, each with the version before it; marked as told here."""
        query = (
            select(table)
            .where(table.c.told.is_(False), table.c.state == "published")
            .order_by(table.c.published, table.c.id, table.c.version)
            .limit(limit)
        )
        found = [view(row) for row in self._session.execute(query)]
        told = []
        for one in found:
            self._update(one, told=True)
            earlier = self._one(
                select(table)
                .where(table.c.id == one.id, table.c.version < one.version, table.c.published.is_not(None))
                .order_by(table.c.version.desc())
                .limit(1)
            )
            told.append((one, earlier))
        return told

    def said_texts(self) -> list[tuple[str, str]]:
        """Language and text of all that may be said by phone, now or from a day to come."""
        rows = self._session.execute(
            select(table).where(
                table.c.state == "published",
                or_(table.c.valid_until.is_(None), table.c.valid_until >= self._today),
            )
        )
        found = [view(row) for row in rows]
        return list(
            dict.fromkeys((language, one.said(language)) for one in found for language in one.answers)
        )

    # -- inside ---------------------------------------------------------------------------------------

    def _insert(
        self, id: str, version: int, values: Mapping[str, Any], by: str, call: str, **more: Any
    ) -> KnowledgeView:
        if not id or not set(id) <= _ID or len(id) > 40:
            raise WrongState("an id is letters, digits, - _ and ., at most 40 of them")
        _check(id, values)
        editors = more.pop("editors", ()) or ([by] if by else [])
        self._session.execute(
            insert(table).values(
                id=id,
                version=version,
                **_stored(values),
                by=by,
                editors=encode(list(editors)),
                call=call,
                **{"state": "draft", "created": self._now, "told": False, **more},
            )
        )
        self._index(id, version, values)
        made = self.get(id, version)
        assert made is not None
        return made

    def _update(self, found: KnowledgeView, **values: Any) -> KnowledgeView:
        if any(name in values for name in FIELDS):
            _check(found.id, {name: values[name] for name in FIELDS if name in values and name not in _JSON})
        self._session.execute(
            update(table).where(table.c.id == found.id, table.c.version == found.version).values(**values)
        )
        made = self.get(found.id, found.version)
        assert made is not None
        return made

    def _index(self, id: str, version: int, values: Mapping[str, Any]) -> None:
        weights: Counter[str] = Counter()
        parts = [(values["title"], _TITLE), (values["topic"], _TOPIC), (id, _TOPIC)]
        parts += [(text, _TITLE) for text in values["titles"].values()]
        parts += [(text, _TEXT) for text in {**values["answers"], **values["spoken"]}.values()]
        for text, weight in parts:
            for term, count in terms(text).items():
                weights[term] += weight * count
        here = (knowledge_terms.c.id == id, knowledge_terms.c.version == version)
        self._session.execute(delete(knowledge_terms).where(*here))
        if weights:
            rows = [
                {"term": term, "id": id, "version": version, "weight": weight}
                for term, weight in weights.items()
            ]
            self._session.execute(insert(knowledge_terms), rows)

    def _latest(self, id: str) -> KnowledgeView:
        found = self.latest(id)
        if found is None:
            raise NotFound(f"there is no knowledge item {id}")
        return found

    def _state(self, found: KnowledgeView, allowed: Sequence[str], what: str) -> None:
        if found.state not in allowed:
            raise WrongState(f"{found.id} v{found.version} is {found.state}: it can't {what}")

    def _may(self, by: str) -> None:
        roles = self._roles_of(by)
        if roles is not None and EDITOR not in roles:
            raise WrongState(f"{by} is no knowledge editor")

    def _draw(self) -> str:
        for _ in range(50):
            id = str(self._numbers.randrange(100_000, 1_000_000))
            if self.latest(id) is None:
                return id
        raise RuntimeError("no free id was found in fifty draws")


def _clean(texts: Mapping[str, str]) -> dict[str, str]:
    """Texts by language as they are kept: one kind of line ends, nothing around them, none that is empty."""
    cleaned = {
        language: text.replace("\r\n", "\n").replace("\r", "\n").strip() for language, text in texts.items()
    }
    return {language: text for language, text in cleaned.items() if text}


def _check(id: str, values: Mapping[str, Any]) -> None:
    if not str(values.get("title", "x")).strip():
        raise WrongState(f"{id} needs a title: the question that it answers")
    if values.get("kind", KINDS[0]) not in KINDS:
        raise WrongState(f"{id}: an item is an {' or a '.join(KINDS)}, not {values['kind']}")
    begin, end = values.get("valid_from"), values.get("valid_until")
    if begin is not None and end is not None and end < begin:
        raise WrongState(f"{id} would hold until {end}, before it begins on {begin}")
    if values.get("quiz"):
        check_quiz(id, values["quiz"])


def _stored(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as the columns take them; what is empty in JSON is NULL."""
    return {
        name: (encode(value) if value else None) if name in _JSON else value for name, value in values.items()
    }


def _field(item: KnowledgeView, name: str) -> Any:
    value = getattr(item, name)
    return list(value) if isinstance(value, tuple) else dict(value) if isinstance(value, Mapping) else value


def view(row: Any) -> KnowledgeView:
    """A row as everybody else sees it."""
    told = {name: row._mapping[name] for name in (*_JSON, "editors")}
    plain = {name: decode(value) if isinstance(value, str) else value for name, value in told.items()}
    return KnowledgeView(
        id=row.id,
        version=row.version,
        state=row.state,
        kind=row.kind,
        title=row.title,
        topic=row.topic,
        skill=row.skill,
        department=row.department,
        owner=row.owner,
        answers=plain["answers"] or {},
        spoken=plain["spoken"] or {},
        titles=plain["titles"] or {},
        must_read=tuple(plain["must_read"] or ()),
        quiz=tuple(plain["quiz"] or ()),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        by=row.by,
        editors=tuple(plain["editors"] or ()),
        reviewed_by=row.reviewed_by,
        published_by=row.published_by,
        published=row.published,
        created=row.created,
        why=row.why,
        call=row.call,
    )


__all__ = ["EDITOR", "FIELDS", "KINDS", "STATES", "Library", "RolesOf", "view"]
