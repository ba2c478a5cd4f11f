"""Notices: what people have to be told, kept until they were.

A notice is written with what it is about (in a handler's transaction, a step's deed) and delivered from its row:
by the ways of its group in order, again with pauses, on to the next way when one fails or nobody acknowledges. So it
survives the engine, and whoever asks sees how it stands. A way that was under way when the engine died is tried
again: rather told twice than never.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from engine.clock import Clock
from engine.errors import NotFound, StoreError, WrongState
from engine.records.notify_file import NoticeGroup, NoticeWay, NotifyFile
from engine.store.columns import decode, encode
from engine.store.store import Store
from engine.store.tables_tickets import notices
from engine.types import JournalEntry, NoticeView

log = structlog.get_logger(__name__)

STATES: Final = ("waiting", "trying", "told", "acknowledged", "failed")
"""waiting: for its next try, or (``way`` > 0, or after a way got through) for somebody to acknowledge; told: it got
through and nobody has to acknowledge; failed: no way got through, or nobody acknowledged on the last one."""
LEVELS: Final = ("info", "warning", "critical")
LONGEST_PAUSE: Final = 3600.0
DATABASE: Final = 5.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one try: it got through or not, and perhaps a person acknowledged at once."""

    through: bool
    acknowledged: str = ""  # by whom
    error: str = ""
    final: bool = False  # trying the same again is of no use


#: Tells one notice one way. Blocks its greenlet; never raises for what the far end does.
Deliver = Callable[[NoticeView, NoticeWay, NoticeGroup], Outcome]


def add(
    session: Session,
    group: str,
    prompt: str,
    values: Mapping[str, Any],
    *,
    now: datetime,
    level: str = "warning",
    department: str = "",
    key: str = "",
    window: float = 0.0,
    call: str = "",
) -> str:
    """Keep a notice; its id, or "" when the same ``key`` was told within ``window`` seconds."""
    if level not in LEVELS:
        raise ValueError(f"a notice's level is one of {', '.join(LEVELS)}, not {level!r}")
    if key:
        since = now - timedelta(seconds=window)
        known = session.execute(
            select(notices.c.id).where(notices.c.key == key, notices.c.created > since).limit(1)
        ).first()
        if known is not None:
            return ""
    made = secrets.token_hex(6)
    session.execute(
        insert(notices).values(
            id=made, group=group, level=level, prompt=prompt, values=encode(dict(values)), key=key,
            department=department, call=call, state="waiting", created=now, next=now, way=0, tries=0,
        )
    )  # fmt: skip
    return made


def rows(session: Session, *, state: str = "", group: str = "", limit: int = 100) -> list[dict[str, Any]]:
    """Notices, the newest first."""
    query = select(notices)
    for name, value in (("state", state), ("group", group)):
        if value:
            query = query.where(notices.c[name] == value)
    query = query.order_by(notices.c.created.desc(), notices.c.id).limit(limit)
    return [_plain(row) for row in session.execute(query)]


def by_key(session: Session, key: str) -> NoticeView | None:
    """The newest notice of that key as it stands (its text once it was tried), or None."""
    query = select(notices).where(notices.c.key == key).order_by(notices.c.created.desc()).limit(1)
    row = session.execute(query).one_or_none()
    if row is None:
        return None
    found = _plain(row)
    return NoticeView(
        found["id"], found["group"], found["level"], found["text"] or "", found["prompt"], found["values"],
        found["created"], found["call"] or "", found["department"] or "", found["state"], found["by"] or "",
        found["ended"],
    )  # fmt: skip


def acknowledge(session: Session, id: str, by: str, now: datetime) -> dict[str, Any]:
    """Somebody has seen to it: nobody else is told. :class:`NotFound`, :class:`WrongState`."""
    near = session.execute(select(notices).where(notices.c.id.startswith(id, autoescape=True)).limit(2)).all()
    if len(id) < 4 or not near:
        raise NotFound(f"there is no notice {id}")
    if len(near) > 1:
        raise NotFound(f"more than one notice begins with {id}")
    row = near[0]
    if row.state == "acknowledged":
        raise WrongState(f"notice {row.id} was acknowledged by {row.by} before")
    session.execute(
        update(notices).where(notices.c.id == row.id).values(state="acknowledged", by=by, ended=now)
    )
    return {**_plain(row), "state": "acknowledged", "by": by}


class Notices:
    """Delivers. ``work`` is a :class:`~engine.records.duty.Duty`'s."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        file: NotifyFile,
        *,
        deliver: Deliver,
        text_of: Callable[[str, Mapping[str, Any], str, str], str],
        language: str,
    ) -> None:
        """``text_of(prompt, values, language, department)`` makes the words; ``language`` is the centre's own."""
        self._store = store
        self._clock = clock
        self._file = file
        self._deliver = deliver
        self._text_of = text_of
        self._language = language
        self._busy: set[str] = set()
        self._greenlets: set[Any] = set()
        self.wake: Callable[[], None] = lambda: None

    def work(self) -> float | None:
        """Begin every try that is due; seconds until the next one."""
        now = self._clock.now()

        def look(session: Session) -> tuple[list[dict[str, Any]], datetime | None]:
            live = notices.c.state.in_(("waiting", "trying"))
            due = session.execute(
                select(notices).where(live, notices.c.next <= now).order_by(notices.c.next).limit(50)
            ).all()
            later = session.execute(
                select(func.min(notices.c.next)).where(live, notices.c.next > now)
            ).scalar()
            return [_plain(row) for row in due], later

        due, later = self._store.read(look, DATABASE)
        for row in due:
            if row["id"] not in self._busy:
                self._busy.add(row["id"])
                greenlet = self._clock.spawn(self._try, row)
                self._greenlets.add(greenlet)
                greenlet.rawlink(self._greenlets.discard)
        return None if later is None else (later - now).total_seconds()

    def stop(self) -> None:
        """Let go of what is being delivered; the next engine delivers it again."""
        for greenlet in list(self._greenlets):
            greenlet.kill(block=False)

    def _try(self, row: Mapping[str, Any]) -> None:
        try:
            self._try_once(row)
        except StoreError as error:
            log.warning("notice.not_kept", notice=row["id"], error=str(error))
        except Exception:
            log.exception("notice.crashed", notice=row["id"])
            self._keep(
                row["id"], next=self._clock.now() + timedelta(seconds=60), error="it crashed, see the log"
            )
        finally:
            self._busy.discard(row["id"])
            self.wake()

    def _try_once(self, row: Mapping[str, Any]) -> None:
        group = self._file.groups.get(row["group"])
        if group is None:
            self._end(row, "failed", error=f"there is no group {row['group']} in conf/notify.yaml any more")
            return
        if row["way"] >= len(group.ways):
            self._end(row, "failed", error=row["error"] or "nobody acknowledged")
            return
        way = group.ways[row["way"]]
        notice = self._view(row, group)
        if not self._keep(row["id"], state="trying", text=notice.text, tries=row["tries"] + 1):
            return  # acknowledged meanwhile
        outcome = self._deliver(notice, way, group)
        self._journal("notice.tried", row, way=way.kind, through=outcome.through, error=outcome.error)
        now, tries = self._clock.now(), row["tries"] + 1
        if outcome.acknowledged:
            self._end(row, "acknowledged", by=outcome.acknowledged)
        elif outcome.through and group.acknowledge is None and way.phone is None:
            self._end(row, "told")
        elif outcome.through and way.phone is None:
            wait = group.acknowledge or 0.0
            self._keep(
                row["id"], state="waiting", way=row["way"] + 1, tries=0, error="",
                next=now + timedelta(seconds=wait),
            )  # fmt: skip
        elif tries < way.tries and not outcome.final:
            pause = way.every if way.phone is not None else min(way.every * 2 ** (tries - 1), LONGEST_PAUSE)
            self._keep(row["id"], state="waiting", error=outcome.error, next=now + timedelta(seconds=pause))
        else:
            self._keep(row["id"], state="waiting", way=row["way"] + 1, tries=0, error=outcome.error, next=now)

    def _view(self, row: Mapping[str, Any], group: NoticeGroup) -> NoticeView:
        values = row["values"]
        language = group.language or self._language
        try:
            text = self._text_of(row["prompt"], values, language, row["department"])
        except Exception as error:  # noqa: BLE001 - a notice without its words is still one
            log.warning("notice.without_words", notice=row["id"], error=str(error))
            text = f"{row['prompt']} {values}"
        return NoticeView(
            row["id"],
            row["group"],
            row["level"],
            text,
            row["prompt"],
            values,
            row["created"],
            row["call"],
            row["department"],
        )

    def _keep(self, id: str, **values: Any) -> bool:
        """Change a notice that is still live; False when it is not."""

        def change(session: Session) -> bool:
            live = notices.c.state.in_(("waiting", "trying"))
            done = session.execute(
                update(notices).where(notices.c.id == id, live).values(**values).returning(notices.c.id)
            )
            return done.first() is not None

        return self._store.work(change, DATABASE)

    def _end(self, row: Mapping[str, Any], state: str, *, by: str = "", error: str = "") -> None:
        if self._keep(row["id"], state=state, by=by, error=error, ended=self._clock.now()):
            self._journal(f"notice.{state}", row, by=by, error=error)

    def _journal(self, kind: str, row: Mapping[str, Any], **data: Any) -> None:
        told = {name: value for name, value in data.items() if value not in ("", None)}
        self._store.journal(
            JournalEntry(
                at=self._clock.now(), kind=kind, call=row["call"],
                data={"notice": row["id"], "group": row["group"], **told},
            )
        )  # fmt: skip


def _plain(row: Any) -> dict[str, Any]:
    made = dict(row._mapping)
    values = made["values"]
    made["values"] = decode(values) if isinstance(values, str) else (values or {})
    return made
