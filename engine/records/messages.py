"""Messages: what callers left in a box, for whom, heard or not.

A box is a name: an agent's number, a queue, a department. It exists once somebody left a message in it. The row is
written before the caller speaks (``open``), so that a message is found again when the engine died in the middle of it
and the caller hung up meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import structlog
from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from engine.clock import Clock
from engine.errors import NotFound
from engine.records.clips import LOOK, MESSAGE, Clips, Said, kept_before
from engine.store.store import Store
from engine.store.tables_clips import messages as table
from engine.types import JournalEntry

log = structlog.get_logger(__name__)

OPEN: Final = "open"
NEW: Final = "new"
KEPT: Final = "kept"
DELETED: Final = "deleted"
LIMIT: Final = 100
SHORTEST: Final = 0.5  # seconds of sound in a message that nobody could ask again about
_BOX = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./*-]{0,63}")


@dataclass(frozen=True, slots=True)
class Message:
    """A message in a box. ``number`` is "" when the caller is not to be known."""

    id: str
    box: str
    state: str  # "new", "kept" (somebody heard it), "deleted"; "open" while it is spoken
    call: str
    number: str
    name: str
    language: str
    left: datetime
    seconds: float
    heard: datetime | None = None
    heard_by: str = ""


class Messages:
    """The boxes of an installation. ``on_left`` is told of each message, once, on the hub: where a notice starts."""

    def __init__(self, store: Store, clock: Clock, clips: Clips, *, keep: timedelta) -> None:
        self.clips = clips
        self.on_left: Callable[[Message], object] | None = None
        self._store = store
        self._clock = clock
        self.keep_for = keep

    # -- leaving one --------------------------------------------------------------------------------

    def begin(
        self, id: str, box: str, call: str, *, number: str = "", name: str = "", language: str = ""
    ) -> None:
        """Somebody is about to speak. ValueError for what can't be the name of a box."""
        if _BOX.fullmatch(box) is None:
            raise ValueError(f"{box!r} can't be the name of a box")
        values = {
            "box": box,
            "state": OPEN,
            "call": call,
            "number": number,
            "name": name,
            "language": language,
        }
        self._store.save(table, id, {**values, "left": self._clock.now()})

    def keep(self, said: Said, call: str, *, flow: str = "", step: str = "") -> Message:
        """The message is in its box."""
        self.clips.keep(said, call, MESSAGE, flow=flow, step=step)
        self._store.change(table, said.id, {"state": NEW, "seconds": said.seconds, "left": self._clock.now()})
        self._store.flush(LOOK)
        left = self.show(said.id)
        self._tell(left)
        return left

    def drop(self, id: str, said: Said | None) -> None:
        """Nothing was said, or nothing that is to be kept."""
        self._store.remove(table, id)
        if said is not None:
            self.clips.drop(said)
        else:
            self.clips.forget(id)

    def close_lost(self, live: Collection[str]) -> int:
        """After a restart: messages of callers who hung up while no engine was there; how many were kept."""
        self._store.flush(LOOK)
        kept = 0
        for row in self._store.read(lambda session: listed(session, states=(OPEN,), limit=1000), LOOK):
            if row.call in live:
                continue
            said = self.clips.said(row.id)
            if said is None or said.heard < SHORTEST:
                self.drop(row.id, said)
            else:
                self.keep(said, row.call)
                kept += 1
        return kept

    def _tell(self, left: Message) -> None:
        data = {"box": left.box, "message": left.id, "seconds": left.seconds}
        self._store.journal(
            JournalEntry(at=self._clock.now(), kind="message.left", call=left.call, data=data)
        )
        if self.on_left is not None:
            self.on_left(left)

    # -- hearing them -------------------------------------------------------------------------------

    def listed(
        self, boxes: Collection[str] = (), *, states: Collection[str] = (NEW, KEPT), limit: int = LIMIT
    ) -> list[Message]:
        """The messages of some boxes (of all when none is named), the new ones first, the oldest of them first."""
        self._store.flush(LOOK)
        return self._store.read(lambda s: listed(s, boxes=boxes, states=states, limit=limit), LOOK)

    def boxes(self) -> list[tuple[str, int, int]]:
        """Every box with its new and its kept messages."""
        return self._store.read(counted, LOOK)

    def show(self, id: str) -> Message:
        """A message by its id; :class:`NotFound` when there is none."""
        found = self._store.read(lambda session: message(session, id), LOOK)
        if found is None:
            raise NotFound(f"there is no message {id}")
        return found

    def file(self, id: str) -> Path:
        """The sound of a message; :class:`NotFound` when it is not there any more."""
        return self.clips.file(self.show(id).id)

    def heard(self, id: str, by: str) -> None:
        """Somebody heard it; of several the first one counts."""
        found = self.show(id)
        if found.state == NEW:
            self._store.change(table, id, {"state": KEPT, "heard": self._clock.now(), "heard_by": by})

    def delete(self, id: str, by: str = "") -> Message:
        """Delete a message: its sound is gone at once, the row says who did it. :class:`NotFound`."""
        found = self.show(id)
        if found.state != DELETED:
            try:
                self.clips.delete(id)
            except NotFound:
                log.warning("message.without_clip", message=id)
            heard = {} if found.heard else {"heard": self._clock.now(), "heard_by": by}
            self._store.change(table, id, {"state": DELETED, "number": "", "name": "", **heard})
            entry = JournalEntry(at=self._clock.now(), kind="message.deleted", data={"message": id, "by": by})
            self._store.journal(entry)
        return found

    def sweep(self) -> int:
        """Delete the messages that are kept no longer; how many."""
        limit, swept = self._clock.now() - self.keep_for, 0
        while rows := self._store.read(lambda session: kept_before(session, MESSAGE, limit), LOOK):
            for row in rows:
                try:
                    self.delete(row.id, "sweep")
                except NotFound:
                    self.clips.delete(row.id)
                swept += 1
            if not self._store.caught_up(LOOK):
                break
        return swept


# -- what is read -------------------------------------------------------------------------------------


def message(session: Session, id: str) -> Message | None:
    """One message, by its id or by a beginning of it that only one has."""
    rows = session.execute(select(table).where(table.c.id.startswith(id, autoescape=True)).limit(2)).all()
    exact = [row for row in rows if row.id == id]
    if exact or (len(rows) == 1 and len(id) >= 4):
        return _message((exact or rows)[0])
    return None


def listed(
    session: Session,
    *,
    boxes: Collection[str] = (),
    states: Collection[str] = (NEW, KEPT),
    limit: int = LIMIT,
) -> list[Message]:
    """Messages, the new ones before those heard, the oldest first."""
    query = select(table).where(table.c.state.in_(list(states)))
    if boxes:
        query = query.where(table.c.box.in_(list(boxes)))
    query = query.order_by((table.c.state == NEW).desc(), table.c.left, table.c.id).limit(limit)
    return [_message(row) for row in session.execute(query)]


def counted(session: Session) -> list[tuple[str, int, int]]:
    """Box, new messages, kept ones."""
    query = (
        select(table.c.box, table.c.state, func.count())
        .where(table.c.state.in_([NEW, KEPT]))
        .group_by(table.c.box, table.c.state)
    )
    found: dict[str, dict[str, int]] = {}
    for box, state, count in session.execute(query):
        found.setdefault(box, {})[state] = count
    return [(box, states.get(NEW, 0), states.get(KEPT, 0)) for box, states in sorted(found.items())]


def _message(row: Row[Any]) -> Message:
    return Message(**row._mapping)
