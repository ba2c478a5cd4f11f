"""Faxes: queued by flows, sent by the switch's fax machine, tried again, and accounted for.

A fax is a row and a TIFF. The engine that leads the switch dials the far end through a trunk (within what
``engine.calls.outbound`` allows) and lets the switch run ``txfax`` on the answered leg; how it ended comes as an event
of the leg. The state is in the store at every moment, with the leg's UUID: an engine that comes after this one finds a
transmission that goes on and waits for its end, or one that is gone and tries again. So a page may, in the worst case,
arrive twice; it never gets lost in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import structlog
from gevent.threadpool import ThreadPool
from sqlalchemy import Row, insert, or_, select, update
from sqlalchemy.orm import Session

from engine.calls.outbound import Outbound
from engine.calls.registry import Calls, EventLike
from engine.clock import Clock, Empty
from engine.config import Fax as Settings
from engine.errors import DialRefused, FaxError, NotConnected, NotFound, StoreError, SwitchError, WrongState
from engine.esl import commands
from engine.esl.text import display_text
from engine.records.fax_pages import find_font, write_pages
from engine.store.store import Store
from engine.store.tables_faxes import faxes as table
from engine.types import JournalEntry

log = structlog.get_logger(__name__)

LOOK: Final = 5.0
RINGS: Final = 60  # seconds until the far end is given up
A_PAGE: Final = 240.0  # seconds that a page may take at the slowest rate
RESULT: Final = 3.0  # seconds between a leg's end and its fax result, whichever comes first
HOPELESS: Final = ("UNALLOCATED_NUMBER", "INVALID_NUMBER_FORMAT", "NO_ROUTE_DESTINATION", "NUMBER_CHANGED")
MODULE: Final = "mod_spandsp"
LACKS: Final = "the switch can't send faxes: it has no mod_spandsp (Debian: freeswitch-mod-spandsp)"


@dataclass(frozen=True, slots=True)
class FaxView:
    """A fax and how far it is. Times are aware UTC; ``code`` and ``result`` are the switch's, of the last attempt."""

    id: str
    state: str  # queued, dialling, sending, sent, failed
    queued: datetime
    number: str
    pages: int
    title: str = ""
    call: str = ""
    flow: str = ""
    next: datetime | None = None
    ended: datetime | None = None
    sent: int = 0
    attempts: int = 0
    code: int | None = None
    result: str = ""
    station: str = ""
    trunk: str = ""
    leg: str = ""
    file: str = field(default="", repr=False)


_COLUMNS = tuple(table.c[name] for name in FaxView.__slots__)


class Faxes:
    """The faxes of an installation."""

    def __init__(
        self,
        store: Store,
        calls: Calls,
        outbound: Outbound,
        clock: Clock,
        *,
        settings: Settings,
        folder: Path,
        header: str,
    ) -> None:
        """``folder`` is where TIFFs are kept; ``header`` stands at the top of each page."""
        self._store = store
        self._calls = calls
        self._outbound = outbound
        self._clock = clock
        self._settings = settings
        self._folder = folder
        self._header = display_text(header)
        self._pool = ThreadPool(1)
        self._wake = clock.event()
        self._under_way: dict[str, Any] = {}  # fax -> the mailbox of its transmission
        self._stopped = False
        self._able: bool | None = None

    # -- whether ------------------------------------------------------------------------------------

    @property
    def fault(self) -> str:
        """Why this installation can't send faxes now, one line; "" when it can (or it is not known yet)."""
        if self._able is False:
            return LACKS
        try:
            find_font(self._settings.font)
        except FaxError as error:
            return str(error)
        return ""

    # -- for flows and people -----------------------------------------------------------------------

    def queue(
        self,
        key: str,
        number: str,
        text: str,
        *,
        call: str = "",
        flow: str = "",
        title: str = "",
        trunk: str = "",
    ) -> FaxView:
        """Draw ``text`` and queue it for ``number``; the fax that ``key`` queued before, when there is one.

        Raises :class:`FaxError` (it can't be drawn, or sent by this switch), DialRefused (nobody may ring that
        number), StoreError.
        """
        if self._able is False:
            raise FaxError(LACKS)
        if (known := self._store.read(lambda session: _one(session, table.c.key == key), LOOK)) is not None:
            return known
        if why := self._outbound.check(number, trunk=trunk):
            raise DialRefused("unlisted", why)
        now, id = self._clock.now(), uuid4().hex[:12]
        name = f"{now:%Y-%m}/{id}.tif"
        font = find_font(self._settings.font)
        pages = self._clock.blocking(self._pool, write_pages, text, font, self._folder / name)
        row = {
            "id": id, "key": key, "state": "queued", "queued": now, "next": now, "number": number, "trunk": trunk,
            "title": title, "call": call, "flow": flow, "file": name, "pages": pages,
        }  # fmt: skip
        made = self._store.work(lambda session: _insert(session, row), LOOK)
        self._journal("fax.queued", made, pages=pages)
        self._wake.set()
        return made

    def list(self, *, state: str = "", limit: int = 100) -> list[FaxView]:
        """The faxes, newest first."""
        where = (table.c.state == state,) if state else ()
        query = select(*_COLUMNS).where(*where).order_by(table.c.queued.desc()).limit(limit)
        return self._store.read(lambda session: [_view(row) for row in session.execute(query)], LOOK)

    def show(self, id: str) -> FaxView:
        """One fax, by the beginning of its id; NotFound."""
        found = self._store.read(
            lambda session: session.execute(
                select(*_COLUMNS).where(table.c.id.startswith(id, autoescape=True)).limit(2)
            ).all(),
            LOOK,
        )
        if len(found) != 1:
            raise NotFound(f"there is no fax {id}" if not found else f"several faxes begin with {id}")
        return _view(found[0])

    def retry(self, id: str) -> FaxView:
        """Send a fax that failed once more, now; WrongState for any other."""
        fax = self.show(id)
        if fax.state != "failed":
            raise WrongState(f"fax {fax.id} is {fax.state}")
        if not (self._folder / fax.file).is_file():
            raise WrongState(f"the pages of fax {fax.id} are gone")
        self._save(fax, state="queued", next=self._clock.now(), ended=None, attempts=0)
        self._journal("fax.retried", fax)
        self._wake.set()
        return self.show(fax.id)

    # -- the leader's work ----------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to work; nothing is sent before :meth:`settled`."""
        self._clock.spawn(self._work)

    def stop(self) -> None:
        """Send no more. What is on the line goes on in the switch, and the next engine hears of it."""
        self._stopped = True
        for fax, box in self._under_way.items():
            box.put({"stopped": fax})
        self._wake.set()
        with self._clock.outside():
            self._pool.kill()

    def settled(self, *, used: bool) -> None:
        """This engine leads the switch now (or again): see what it can, and what became of faxes on the line.

        ``used``: a flow sends faxes, so that a switch without the module is worth an error in the log.
        """
        open_ = self._store.read(_open, LOOK)
        if used or open_:
            self._able = self._find_module()
            if not self._able:
                log.error("fax.switch_cannot", why=LACKS, waiting=len(open_))
        for fax in open_:
            if fax.state == "queued":
                continue
            there = self._exists(fax.leg)
            box = self._under_way.get(fax.id)
            if box is not None:
                if not there:
                    box.put({"gone": "LOST"})
            elif there:
                self._clock.spawn(self._see_through, fax, self._mailbox(fax))
            else:
                self._again(fax, "the engine was away when it ended")
        self._wake.set()

    def _find_module(self) -> bool:
        line = self._calls.require_line()
        if line.api(commands.module_exists(MODULE), LOOK).strip() == "true":
            return True
        try:
            line.api(commands.load_module(MODULE), 10.0)
        except SwitchError as error:
            log.info("fax.module_not_loaded", error=str(error))
        return line.api(commands.module_exists(MODULE), LOOK).strip() == "true"

    def _exists(self, leg: str) -> bool:
        return bool(leg) and self._calls.ask(commands.uuid_exists(leg), LOOK).strip() == "true"

    def _work(self) -> None:
        pause: float | None = None
        while not self._stopped:
            self._wake.wait(pause)
            self._wake.clear()
            pause = 60.0
            if self._stopped or not self._calls.leading or self._able is not True:
                pause = None  # the next `settled` wakes this
                continue
            try:
                pause = self._send_due()
            except StoreError as error:
                log.warning("fax.store", error=str(error))

    def _send_due(self) -> float | None:
        """Start what is due; seconds until something else is."""
        now = self._clock.now()
        waiting = [
            fax for fax in self._store.read(_open, LOOK) if fax.state == "queued" and fax.next is not None
        ]
        for fax in waiting:
            if len(self._under_way) >= self._settings.lines:
                return None  # the end of one of them wakes this
            if fax.id not in self._under_way and fax.next is not None and fax.next <= now:
                self._clock.spawn(self._send, fax, self._mailbox(fax))
        later = [fax.next for fax in waiting if fax.next is not None and fax.next > now]
        return max(0.1, (min(later) - now).total_seconds()) if later else None

    def _mailbox(self, fax: FaxView) -> Any:
        box = self._under_way[fax.id] = self._clock.queue()
        return box

    def _send(self, fax: FaxView, box: Any) -> None:
        try:
            allowed = self._outbound.dial(fax.number, purpose="fax", trunk=fax.trunk, call=fax.call)
        except DialRefused as refused:
            self._under_way.pop(fax.id, None)
            if refused.why in ("too_many", "too_often"):
                self._save(fax, next=self._clock.now() + timedelta(minutes=15), result=str(refused))
                self._wake.set()
            else:
                self._over(fax, "failed", str(refused))
            return
        leg = str(uuid4())
        settings = self._settings
        order = commands.Originate(
            uuid=leg,
            dial=allowed.dial,
            timeout=RINGS,
            caller_id_number=allowed.caller,
            app="txfax",
            arg=str(self._folder / fax.file),
            variables={
                "il_fax": fax.id,
                "ignore_early_media": "true",
                "fax_enable_t38": "true" if settings.t38 else "false",
                "fax_enable_t38_request": "true" if settings.t38 else "false",
                "fax_use_ecm": "true",
                "fax_ident": display_text(settings.station or allowed.caller).removeprefix("+")[:20],
                "fax_header": self._header[:50],
            },
        )
        dialling = self._save(fax, state="dialling", leg=leg, attempts=fax.attempts + 1, code=None, result="")
        self._journal("fax.dialling", dialling, attempt=dialling.attempts)
        self._see_through(dialling, box, order)

    def _see_through(self, fax: FaxView, box: Any, order: commands.Originate | None = None) -> None:
        """Follow a transmission to its end, and write down how it ended."""
        calls = self._calls
        calls.others[fax.leg] = lambda event: _hear(event, box)
        try:
            if order is not None:
                self._ring(order, box)
            self._judge(fax, self._until_over(fax, box, answered=order is None))
        except NotConnected as error:
            # Another engine, or this one once it leads again, sees what became of the leg.
            log.warning("fax.line_lost", fax=fax.id, error=str(error))
        except (SwitchError, StoreError) as error:
            log.warning("fax.trouble", fax=fax.id, error=str(error))
            if not self._stopped:
                self._again(fax, str(error))
        finally:
            calls.others.pop(fax.leg, None)
            self._under_way.pop(fax.id, None)
            self._wake.set()

    def _ring(self, order: commands.Originate, box: Any) -> None:
        jobs: list[Any] = []

        def answered(answer: str) -> None:
            # An answer that was lost with the connection says nothing: `settled` looks at the leg itself.
            if not (jobs and jobs[0].lost):
                box.put({"originated": answer})

        jobs.append(self._calls.require_line().bgapi(commands.originate(order), answered))

    def _until_over(self, fax: FaxView, box: Any, *, answered: bool) -> Mapping[str, str]:
        clock = self._clock
        end = clock.monotonic() + (RINGS + 5.0 if not answered else A_PAGE * fax.pages + 60.0)
        known: dict[str, str] = {}
        while True:
            try:
                known.update(box.get(max(0.0, end - clock.monotonic())))
            except Empty:
                if known.get("code") is None and known.get("gone") is None:
                    self._calls.require_line().post(commands.uuid_kill(fax.leg, "ALLOTTED_TIMEOUT"))
                    known["gone"] = "ALLOTTED_TIMEOUT"
                return known
            if self._stopped:
                raise NotConnected("this engine stops")
            if known.get("originated", "").startswith("-ERR"):
                known.setdefault("gone", known["originated"][4:].strip().split(" ", 1)[0])
                return known
            if "originated" in known and not answered:
                answered = True
                self._save(fax, state="sending")
                end = clock.monotonic() + A_PAGE * fax.pages + 60.0
            if "code" in known and "gone" in known:
                return known
            if "code" in known or "gone" in known:
                end = min(end, clock.monotonic() + RESULT)

    def _judge(self, fax: FaxView, known: Mapping[str, str]) -> None:
        code = int(known["code"]) if known.get("code", "").lstrip("-").isdigit() else None
        words = known.get("text", "") or known.get("gone", "") or "no result"
        facts: dict[str, Any] = {
            "code": code,
            "sent": int(known["pages"]) if known.get("pages", "").isdigit() else 0,
            "station": display_text(known.get("station", "")),
        }
        if known.get("success") == "1":
            self._over(fax, "sent", words, **facts)
            (self._folder / fax.file).unlink(missing_ok=True)
        elif known.get("gone") in HOPELESS:
            self._over(fax, "failed", words, **facts)
        else:
            self._again(fax, words, **facts)

    def _again(self, fax: FaxView, why: str, **facts: Any) -> None:
        if fax.attempts >= self._settings.attempts:
            self._over(fax, "failed", why, **facts)
            return
        pause = min(3600.0, self._settings.again * 2 ** max(0, fax.attempts - 1))
        due = self._clock.now() + timedelta(seconds=pause)
        self._save(fax, state="queued", leg="", next=due, result=why, **facts)
        self._journal("fax.again", fax, why=why, code=facts.get("code"), attempt=fax.attempts, after=pause)
        self._wake.set()

    def _over(self, fax: FaxView, state: str, why: str, **facts: Any) -> None:
        self._save(fax, state=state, leg="", next=None, ended=self._clock.now(), result=why, **facts)
        self._journal(f"fax.{state}", fax, why=why, code=facts.get("code"), pages=facts.get("sent", 0))

    def _save(self, fax: FaxView, **values: Any) -> FaxView:
        if self._stopped:
            raise NotConnected("this engine stops")  # the next one writes down what becomes of it

        def work(session: Session) -> FaxView | None:
            session.execute(update(table).where(table.c.id == fax.id).values(**values))
            return _one(session, table.c.id == fax.id)

        saved = self._store.work(work, LOOK)
        if saved is None:
            raise NotFound(f"there is no fax {fax.id}")
        return saved

    def _journal(self, kind: str, fax: FaxView, **data: Any) -> None:
        self._store.journal(
            JournalEntry(at=self._clock.now(), kind=kind, call=fax.call, data={"fax": fax.id, **data})
        )


def _hear(event: EventLike, box: Any) -> None:
    """An event of the leg: its result, or its end (which carries the result as variables, if there was one)."""
    if event.get("Event-Subclass") == "spandsp::txfaxresult":
        box.put(
            {
                "code": event.get("fax-result-code") or "",
                "success": event.get("fax-success") or "",
                "text": event.get("fax-result-text") or "",
                "pages": event.get("fax-document-transferred-pages") or "",
                "station": event.get("fax-remote-station-id") or "",
            }
        )
    elif event.name == "CHANNEL_HANGUP":
        found = {"gone": event.get("Hangup-Cause") or "NORMAL_CLEARING"}
        if (code := event.var("fax_result_code")) is not None:
            found |= {
                "code": code,
                "success": event.var("fax_success") or "",
                "text": event.var("fax_result_text") or "",
                "pages": event.var("fax_document_transferred_pages") or "",
                "station": event.var("fax_remote_station_id") or "",
            }
        box.put(found)


def _open(session: Session) -> list[FaxView]:
    query = select(*_COLUMNS).where(or_(table.c.next.is_not(None), table.c.leg != "")).order_by(table.c.next)
    return [_view(row) for row in session.execute(query)]


def _insert(session: Session, row: dict[str, Any]) -> FaxView:
    session.execute(insert(table).values(**row))
    found = _one(session, table.c.id == row["id"])
    assert found is not None
    return found


def _one(session: Session, where: Any) -> FaxView | None:
    row = session.execute(select(*_COLUMNS).where(where)).one_or_none()
    return None if row is None else _view(row)


def _view(row: Row[Any]) -> FaxView:
    return FaxView(**row._mapping)


__all__ = ["FaxView", "Faxes"]
