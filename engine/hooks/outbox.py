"""Commands to remote systems, exactly once for their key, whatever dies in between.

The intent and its key are kept before the first request goes out. The request is sent by a greenlet of the outbox
and not by the call's, so that a caller who hangs up changes nothing. Whoever asked waits for the outcome as long as
his step allows; after that it is *pending*, and the outbox goes on until the remote has told the result for that key.

Rules that hold:
- The same key is always sent for the same deed: a remote that keeps keys does it once (docs/adapters.md).
- What waits for one remote goes in the order in which it was meant: a second command is not sent while an earlier one
  waits for its next try. Commands to a remote that is well run side by side.
- A restarted engine goes on with what lies in the table; two engines never both do (``leads``).
- A remote that can't be reached is tried for a day, one that answers with errors twenty times; then the command is
  *stuck*: an alarm, and a person's matter (``insideline outbox``). A redial with its key tries again.
- An outcome that the database can't take now is told all the same, and learnt from the remote once more.
"""

from __future__ import annotations

import random
from bisect import insort
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import structlog

from engine.clock import Clock, Event
from engine.errors import DepartmentFailed, NotFound, Pending, Refused, RemoteFailed, StoreDown, StoreError
from engine.types import SettledView

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from engine.store.outbox import OutboxRow
    from engine.store.rows import DeedRow

log = structlog.get_logger(__name__)
T = TypeVar("T")

FIRST, LONGEST = 1.0, 60.0  # seconds between two tries, doubled each time
MOST_ATTEMPTS = 20  # that the remote did not answer well
MOST_SECONDS = 24 * 3600.0  # for one that can't even be reached
LOOK_EVERY = 30.0  # seconds between two looks for what another engine left
LOOK = 5.0  # seconds that the database may take
LEAST_LIMIT = 10.0  # seconds of a request: more than a caller waits, so that fewer outcomes stay unknown


class Database(Protocol):
    """What the outbox needs of the store."""

    def read(self, work: Callable[[Session], T], timeout: float, /) -> T: ...
    def work(self, work: Callable[[Session], T], timeout: float, /) -> T: ...


#: Send a command: (its name, arguments or None for those that are kept, key, limit) -> the result as JSON. Raises
#: Refused, RemoteFailed (whether it may have arrived), and anything else, which counts as "may have arrived".
Send = Callable[[str, Mapping[str, Any], str, float], Any]


@dataclass(slots=True, order=True)
class _Work:
    """One command on its way, in memory."""

    id: int
    key: str = field(compare=False)
    command: str = field(compare=False)
    remote: str = field(compare=False)
    call: str = field(compare=False)
    arguments: Mapping[str, Any] | None = field(compare=False)
    within: float = field(compare=False)
    created: datetime = field(compare=False)
    news: Event = field(compare=False)
    attempts: int = field(default=0, compare=False)
    counted: int = field(default=0, compare=False)  # attempts that the remote had a part in
    unsure: bool = field(default=False, compare=False)
    due: float = field(default=0.0, compare=False)
    waiters: int = field(default=0, compare=False)
    told_pending: bool = field(default=False, compare=False)
    outcome: object = field(default=None, compare=False)  # a _Told, Refused, DepartmentFailed
    greenlet: Any = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Told:
    """The remote did it; ``plain`` is the result as it was kept."""

    plain: Any


@dataclass(frozen=True, slots=True)
class OutboxView:
    """How the outbox does at this moment."""

    waiting: int
    stuck: int
    oldest: datetime | None
    remotes: Mapping[str, int]


class Outbox:
    """The outbox of a centre."""

    def __init__(self, clock: Clock, store: Database, send: Send, *, seed: int = 0) -> None:
        self._clock = clock
        self._store = store
        self._send = send
        self._random = random.Random(seed)
        self._works: dict[str, _Work] = {}
        self._lines: dict[str, _Line] = {}
        self._greenlets: set[Any] = set()
        self._stuck = 0
        self._alarmed = 0  # how many the alarm told of last
        self._stopped = False
        self._wake = clock.event()
        self.leads: Callable[[], bool] = lambda: True
        self.alarm: Callable[[str, bool, str], object] = lambda name, on, detail: None
        self.settled: Callable[[SettledView], object] = lambda view: None

    # -- life ---------------------------------------------------------------------------------------

    def start(self) -> None:
        """Go on with what lies in the table, now and whenever this engine leads."""
        self._spawn(self._look_for_rows)

    def look(self) -> None:
        """Look into the table soon: this engine leads now, or somebody changed it."""
        self._wake.set()

    def stop(self) -> None:
        """Send nothing more. What is on its way stays in the table for the next engine."""
        self._stopped = True
        for greenlet in list(self._greenlets):
            greenlet.kill(block=False)

    def view(self) -> OutboxView:
        """For ``status``."""
        remotes: dict[str, int] = {}
        for work in self._works.values():
            remotes[work.remote] = remotes.get(work.remote, 0) + 1
        oldest = min((work.created for work in self._works.values()), default=None)
        return OutboxView(len(self._works), self._stuck, oldest, remotes)

    # -- doing --------------------------------------------------------------------------------------

    def do(
        self,
        command: str,
        arguments: Mapping[str, Any],
        *,
        department: str,
        remote: str,
        key: str,
        within: float,
        call: str,
        private: bool,
        admits: Callable[[], None],
        patient: bool,
    ) -> Told | Refused | Pending:
        """Carry out ``command`` once for ``key``, and wait ``within`` seconds for what comes of it.

        ``admits`` raises when nothing new may be begun now. Without ``patient`` a command that certainly did not
        reach its remote in time is dropped and raises :class:`DepartmentFailed`; with it, it is pending like one of
        which that is not known. Also raises :class:`DepartmentFailed` when nothing was done.
        """
        from engine.store import deeds
        from engine.store.outbox import REFUSED, STUCK, Intent, put

        end = self._clock.monotonic() + within
        work = self._works.get(key)
        if work is None:
            if self._first_seen(command, key, within):
                admits()
            work = self._works.get(key)
        if work is None:
            kept = None if private else arguments
            intent = Intent(key, department, command, remote, call, kept, within)
            now = self._clock.now()
            try:
                known, row = self._store.work(lambda session: put(session, intent, now), min(LOOK, within))
            except StoreError as error:
                raise DepartmentFailed(command, "busy", str(error)) from error
            except Pending as pending:
                return pending  # the intent may have been kept; then it is sent before long
            if known is not None and known.state == deeds.DONE:
                return Told(known.result)
            if row is None:
                return Pending(f"{command} was begun before, and its result is not known")
            if row.state == REFUSED:
                self._work_or_log(lambda session: _release(session, key), key)
                return Refused(row.reason, **dict(row.details or {}))
            if row.state == STUCK:
                self._unstick(key)
            work = self._works.get(key) or self._take(row, arguments, fresh=known is None)
        if work.arguments is None:
            work.arguments = arguments
        return self._wait(work, end, patient)

    def _first_seen(self, command: str, key: str, within: float) -> bool:
        try:
            known, _ = self._store.read(lambda session: _known(session, key), min(LOOK, within))
        except StoreError as error:
            raise DepartmentFailed(command, "busy", str(error)) from error
        return known is None

    def _wait(self, work: _Work, end: float, patient: bool) -> Told | Refused | Pending:
        work.waiters += 1
        try:
            self._hurry(work)
            work.news.wait(max(0.0, end - self._clock.monotonic()))
        finally:
            work.waiters -= 1
        outcome = work.outcome
        if (
            outcome is None
            and not patient
            and not work.unsure
            and work.greenlet is None
            and not work.told_pending
        ):
            self._line(work.remote).leave(work)
            if self._work_or_log(lambda session: _release(session, work.key), work.key):
                self._works.pop(work.key, None)
                raise DepartmentFailed(work.command, "remote", "it was not reached in time")
        if outcome is None:
            work.told_pending = True
            return Pending(f"{work.command} was sent, and its result is not known yet")
        if isinstance(outcome, DepartmentFailed):
            raise outcome
        assert isinstance(outcome, Told | Refused)
        return outcome

    def _take(self, row: OutboxRow, arguments: Mapping[str, Any] | None, *, fresh: bool) -> _Work:
        work = _Work(
            id=row.id,
            key=row.key,
            command=row.command,
            remote=row.remote,
            call=row.call,
            arguments=arguments if arguments is not None else row.arguments,
            within=row.within,
            created=row.created,
            news=self._clock.event(),
            attempts=row.attempts,
            # What an earlier engine began may have been sent, and its end not written.
            unsure=not fresh,
            told_pending=not fresh,
        )
        self._works[row.key] = work
        return work

    def _hurry(self, work: _Work) -> None:
        """Send it now, unless something older waits for the same remote; then that is tried now."""
        if self._stopped or work.outcome is not None or work.greenlet is not None:
            return
        line = self._line(work.remote)
        if not line.waiting or line.waiting[0] is work:
            line.leave(work)
            work.greenlet = self._spawn(self._at_once, work)
        else:
            line.join(work)
            line.hurry()

    def _at_once(self, work: _Work) -> None:
        line = self._line(work.remote)
        if not self._attempt(work):
            line.join(work)

    # -- one attempt ----------------------------------------------------------------------------------

    def _attempt(self, work: _Work) -> bool:
        """Send it once. True when its way is over (or is a person's matter now)."""
        if work.arguments is None:
            return self._give_up(work, "its private values were in the memory of an engine that is gone")
        work.attempts += 1
        wait: float | None = None
        try:
            plain = self._send(work.command, work.arguments, work.key, max(work.within, LEAST_LIMIT))
        except Refused as refusal:
            return self._end_refused(work, refusal)
        except RemoteFailed as failed:
            error, wait = str(failed), failed.retry_after
            if failed.lasting and not failed.sent and not work.unsure:
                return self._end_failed(work, error)
            work.unsure = work.unsure or failed.sent
            work.counted += failed.sent or failed.lasting
        except Exception as raised:  # noqa: BLE001 - the sender has logged it; it may have arrived
            error = str(raised) if isinstance(raised, DepartmentFailed) else type(raised).__name__
            work.unsure = True
            work.counted += 1
        else:
            return self._end_done(work, plain)
        finally:
            work.greenlet = None
        age = (self._clock.now() - work.created).total_seconds()
        if work.counted >= MOST_ATTEMPTS or age > MOST_SECONDS:
            return self._give_up(work, error)
        pause = min(LONGEST, FIRST * 2 ** min(10, work.attempts - 1)) * self._random.uniform(0.8, 1.0)
        if wait is not None:
            pause = wait  # as the remote asks, or as long as it rests
        work.due = self._clock.monotonic() + pause
        due = self._clock.now() + timedelta(seconds=pause)
        log.warning("outbox.again", command=work.command, key=work.key, attempts=work.attempts, error=error)
        self._note(work, attempts=work.attempts, unsure=work.unsure, error=error, due=due)
        return False

    def _end_done(self, work: _Work, plain: Any) -> bool:
        from engine.store import outbox as table

        now = self._clock.now()
        try:
            kept = self._store.work(lambda session: table.done(session, work.key, now, plain), LOOK)
        except NotFound:
            kept = plain  # somebody dropped it meanwhile
        except (StoreError, Pending):
            # The remote keeps it for this key; it will be asked again when the database is back.
            self._say(work, Told(table.json_of(plain)))
            work.due = self._clock.monotonic() + FIRST
            work.unsure = True
            return False
        self._over(work, Told(kept), "done", result=kept)
        return True

    def _end_refused(self, work: _Work, refusal: Refused) -> bool:
        from engine.store import outbox as table

        details = table.json_of(refusal.details)
        if work.waiters:
            kept = self._work_or_log(lambda session: _release(session, work.key), work.key)
        else:
            kept = self._work_or_log(
                lambda session: table.refused(session, work.key, refusal.reason, details), work.key
            )
        if not kept:
            self._say(work, refusal)
            work.due = self._clock.monotonic() + FIRST
            return False
        self._over(work, refusal, "refused", reason=refusal.reason)
        return True

    def _end_failed(self, work: _Work, error: str) -> bool:
        """It certainly was not done, and trying again is of no use."""
        if not work.waiters or work.told_pending:
            return self._give_up(work, error)  # somebody was told that it is on its way
        if not self._work_or_log(lambda session: _release(session, work.key), work.key):
            return self._give_up(work, error)
        self._over(work, DepartmentFailed(work.command, "remote", error), "")
        return True

    def _give_up(self, work: _Work, error: str) -> bool:
        from engine.store.outbox import STUCK

        log.error("outbox.stuck", command=work.command, key=work.key, attempts=work.attempts, error=error)
        self._note(work, state=STUCK, attempts=work.attempts, unsure=work.unsure, error=error)
        self._works.pop(work.key, None)
        self._line(work.remote).leave(work)
        work.greenlet = None
        work.told_pending = True
        work.news.set()
        self._count_stuck()
        self._tell(work, "stuck", error=error)
        return True

    def _over(self, work: _Work, outcome: object, word: str, **more: Any) -> None:
        self._works.pop(work.key, None)
        self._line(work.remote).leave(work)
        late = work.told_pending and work.outcome is None
        self._say(work, outcome)
        if late and word:
            self._tell(work, word, **more)

    def _say(self, work: _Work, outcome: object) -> None:
        if work.outcome is None:
            work.outcome = outcome
            work.news.set()

    def _tell(self, work: _Work, word: str, *, reason: str = "", error: str = "", result: Any = None) -> None:
        log.info("outbox.settled", command=work.command, key=work.key, outcome=word, attempts=work.attempts)
        self.settled(
            SettledView(
                command=work.command,
                key=work.key,
                call=work.call,
                outcome=word,
                reason=reason,
                error=error,
                attempts=work.attempts,
                since=work.created,
                result=result,
            )
        )

    def _note(self, work: _Work, **changed: Any) -> None:
        from engine.store import outbox as table

        self._work_or_log(lambda session: table.note(session, work.key, **changed), work.key)

    def _work_or_log(self, function: Callable[[Session], object], key: str) -> bool:
        try:
            self._store.work(function, LOOK)
        except (StoreError, Pending) as error:
            log.warning("outbox.not_written", key=key, error=str(error))
            return False
        return True

    # -- what waits -----------------------------------------------------------------------------------

    def _line(self, remote: str) -> _Line:
        line = self._lines.get(remote)
        if line is None:
            line = self._lines[remote] = _Line(self, remote, self._clock)
        return line

    def _spawn(self, function: Callable[..., object], *args: Any) -> Any:
        greenlet = self._clock.spawn(function, *args)
        self._greenlets.add(greenlet)
        greenlet.rawlink(self._greenlets.discard)
        return greenlet

    def _look_for_rows(self) -> None:
        from engine.store import outbox as table

        while not self._stopped:
            if self.leads():
                try:
                    rows = self._store.read(lambda session: table.rows(session, (table.WAITING,)), LOOK)
                    for row in rows:
                        if row.key not in self._works:
                            self._line(row.remote).join(self._take(row, None, fresh=False))
                    self._count_stuck()
                except StoreError as error:
                    log.warning("outbox.not_read", error=str(error))
            self._wake.wait(LOOK_EVERY)
            self._wake.clear()

    def _count_stuck(self) -> None:
        from engine.store import outbox as table

        try:
            self._stuck = self._store.read(table.counts, LOOK).get(table.STUCK, 0)
        except StoreError:
            return
        if self._stuck != self._alarmed:
            on, self._alarmed = self._stuck > 0, self._stuck
            self.alarm("outbox.stuck", on, f"{self._stuck} commands to remote systems need a person" * on)

    def still(self, work: _Work) -> bool:
        """Whether ``work`` is still to be sent: a person or another engine may have ended it."""
        from engine.store import deeds
        from engine.store import outbox as table

        known, row = self._store.read(lambda session: _known(session, work.key), LOOK)
        if row is not None and row.state == table.WAITING:
            return True
        self._works.pop(work.key, None)
        if known is not None and known.state == deeds.DONE:
            self._say(work, Told(known.result))
        return False

    # -- for operators --------------------------------------------------------------------------------

    def rows(self) -> list[OutboxRow]:
        """Everything in the table, in its order."""
        from engine.store import outbox as table

        return self._store.read(table.rows, LOOK)

    def retry(self, key: str) -> OutboxRow:
        """Try it now, also when it was given up. :class:`NotFound` when it is not there."""
        row = self._row(key)
        self._unstick(row.key)
        work = self._works.get(row.key) or self._take(row, None, fresh=False)
        self._hurry(work)
        return row

    def drop(self, key: str) -> OutboxRow:
        """Send it no more, and forget its key: whoever asks again does it anew."""
        row = self._row(key)
        work = self._works.pop(row.key, None)
        if work is not None:
            self._line(work.remote).leave(work)
            if work.greenlet is not None:
                work.greenlet.kill(block=False)
        self._store.work(lambda session: _release(session, row.key), LOOK)
        self._count_stuck()
        log.warning("outbox.dropped", command=row.command, key=row.key)
        return row

    def _row(self, key: str) -> OutboxRow:
        rows = self.rows()
        found = [row for row in rows if str(row.id) == key or row.key == key]
        if not found:
            raise NotFound(f"there is nothing in the outbox under {key}")
        return found[0]

    def _unstick(self, key: str) -> None:
        from engine.store import outbox as table

        now = self._clock.now()
        self._store.work(
            lambda session: table.note(session, key, state=table.WAITING, attempts=0, due=now), LOOK
        )
        self._count_stuck()


class _Line:
    """What waits for one remote, the oldest first, and the greenlet that tries it."""

    def __init__(self, outbox: Outbox, remote: str, clock: Clock) -> None:
        self.waiting: list[_Work] = []
        self._outbox = outbox
        self._remote = remote
        self._clock = clock
        self._wake = clock.event()
        self._greenlet: Any = None

    def join(self, work: _Work) -> None:
        if work not in self.waiting:
            insort(self.waiting, work)
        if self._greenlet is None or self._greenlet.dead:
            self._greenlet = self._outbox._spawn(self._run)
        self._wake.set()

    def leave(self, work: _Work) -> None:
        if work in self.waiting:
            self.waiting.remove(work)

    def hurry(self) -> None:
        """Try the oldest one now."""
        if self.waiting:
            self.waiting[0].due = 0.0
            self._wake.set()

    def _run(self) -> None:
        outbox = self._outbox
        while self.waiting:
            work = self.waiting[0]
            self._wake.clear()
            left = work.due - self._clock.monotonic()
            if left > 0 or not outbox.leads():
                self._wake.wait(max(0.05, left) if left > 0 else 1.0)
                continue
            try:
                if not outbox.still(work):
                    self.leave(work)
                    continue
                if work.greenlet is not None:  # somebody who asked for it is sending it now
                    work.due = self._clock.monotonic() + FIRST
                    continue
                if outbox._attempt(work):
                    self.leave(work)
                    for other in self.waiting:
                        other.due = 0.0  # the remote is well: they only waited their turn
            except StoreDown as error:
                log.info("outbox.waits_for_the_database", error=str(error))
                work.due = self._clock.monotonic() + FIRST
            except StoreError as error:
                log.warning("outbox.not_read", error=str(error))
                work.due = self._clock.monotonic() + FIRST


def _known(session: Session, key: str) -> tuple[DeedRow | None, OutboxRow | None]:
    from engine.store import deeds
    from engine.store import outbox as table

    return deeds.find(session, key), table.find(session, key)


def _release(session: Session, key: str) -> bool:
    from engine.store import outbox as table

    return table.release(session, key)
