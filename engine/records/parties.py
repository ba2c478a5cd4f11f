"""Parties: who calls, found by the number that they call from or by the code that they type.

    parties.by_number("+8613802880001")            -> PartyView | None
    parties.by_code("44010001", kinds=("dealer",)) -> PartyView | None
    parties.check_pin(party, "2580", origin="+86138…", code="44010001")   # raises LoginRefused

Everything here reads and writes the database in the store's threads; a caller's greenlet may wait. Handlers of
departments that run in a worker thread use :class:`PartiesIn`, on the session that they have.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar

import structlog
from gevent.threadpool import ThreadPool
from sqlalchemy import Table, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.clock import Clock
from engine.errors import LoginRefused, WrongState
from engine.records.party_table import FIELDS, PartiesIn, PartyRow, hash_of, require_pin, view_of
from engine.records.pin_locks import KeptLocks
from engine.records.pins import PinDesk
from engine.store.tables_parties import parties, party_numbers
from engine.types import PartyView

log = structlog.get_logger(__name__)
T = TypeVar("T")

LOOK: Final = 2.0
"""Seconds that the database may take while a caller waits."""
WORK: Final = 10.0
"""Seconds that a change at a terminal may take."""
_HIDDEN = "hidden:"


class Database(Protocol):
    """What is needed of the store (:class:`engine.store.store.Store`)."""

    def read(self, function: Callable[[Session], T], timeout: float) -> T: ...
    def work(self, function: Callable[[Session], T], timeout: float) -> T: ...
    def save(self, table: Table, key: Any, values: Mapping[str, Any]) -> None: ...
    def remove(self, table: Table, key: Any) -> None: ...


class Parties:
    """The parties of a centre. Its methods may be called from any greenlet; they wait, the hub does not."""

    def __init__(
        self,
        store: Database,
        clock: Clock,
        e164: Callable[[str], str],
        *,
        tries: int = 5,
        lock: float = 900.0,
        longest: float = 86_400.0,
    ) -> None:
        """``e164`` reads a number as people dial it. ``tries`` wrong PINs lock the party, and the number that they
        came from, for ``lock`` seconds, each time twice as long up to ``longest``."""
        self.e164 = e164
        self._store = store
        self._clock = clock
        self._pool: ThreadPool | None = None
        self._salt = secrets.token_bytes(16)
        self._locks = KeptLocks(store, clock)
        self.desk = PinDesk(clock, tries=tries, lock=lock, longest=longest, kind="party", keep=self._keep)

    def open(self) -> None:
        """Take over the locks that an earlier engine made. Raises StoreError."""
        self._locks.restore(self.desk)

    def close(self) -> None:
        """Give the threads back."""
        self.desk.close()
        if self._pool is not None:
            self._clock.end_threads(self._pool)
            self._pool = None

    # -- finding --------------------------------------------------------------------------------------

    def within(self, session: Session) -> PartiesIn:
        """The parties for code that runs in a thread of the store's."""
        return PartiesIn(session, self.e164, self._clock.now())

    def get(self, id: int) -> PartyView | None:
        """The party of that id. Raises StoreError, as all that follow."""
        return self._read(lambda known: known.get(id))

    def by_number(self, number: str) -> PartyView | None:
        """Whose number it is, however it is written; None when it is nobody's."""
        return self._read(lambda known: known.by_number(number))

    def by_code(self, code: str, *kinds: str) -> PartyView | None:
        """Whose code it is, among parties of these kinds."""
        return self._read(lambda known: known.by_code(code, *kinds))

    def named(self, text: str) -> PartyView:
        """The party that a person means. :class:`NotFound`."""
        return self._read(lambda known: known.named(text))

    def search(self, **wanted: Any) -> list[PartyView]:
        """Parties for lists; see :meth:`PartiesIn.search`."""
        return self._read(lambda known: known.search(**wanted))

    # -- PINs -----------------------------------------------------------------------------------------

    def check_pin(self, party: PartyView | None, pin: str, *, code: str, origin: str = "") -> None:
        """Return when ``pin`` is the party's; else :class:`LoginRefused` (``wrong_pin`` or ``locked``).

        An unknown party (None) is refused as a wrong PIN is, after the same time, and its ``code`` is locked as a
        party's is. ``origin`` is the number that the caller calls from, or what :meth:`hidden` made of it.
        """
        stored = self._pin_of(party) if party is not None else None
        self.desk.check(
            str(party.id) if party is not None and party.id else f"code-{code}", origin, stored, pin
        )

    def verify(self, code: str, pin: str, *kinds: str, origin: str = "") -> PartyView:
        """Who that is, by code and PIN, with the locks of :meth:`check_pin`. :class:`LoginRefused`."""
        party = self.by_code(code, *kinds)
        self.check_pin(party, pin, code=code, origin=self.e164(origin) or origin)
        assert party is not None  # nobody has no right PIN
        return party

    def hidden(self, number: str) -> str:
        """A number as an origin of tries that nobody can read back: it lives in this memory only."""
        digest = hmac.new(self._salt, number.encode(), hashlib.sha256).hexdigest()
        return _HIDDEN + digest if number else ""

    def locked(self, party: PartyView) -> float:
        """Seconds that a party is locked for; 0 when it is not."""
        return self.desk.locked(self.desk.account_key(str(party.id)))

    def unlock(self, party: PartyView) -> None:
        """Let a party try again, and the numbers that are its own."""
        self.desk.unlock(
            self.desk.account_key(str(party.id)), *(self.desk.origin_key(number) for number in party.numbers)
        )

    def unlock_number(self, number: str) -> None:
        """Let callers from a number try again."""
        self.desk.unlock(self.desk.origin_key(self.e164(number)))

    def set_pin(self, party: PartyView, pin: str) -> None:
        """Give a party its PIN ("" takes it away) and unlock it. :class:`WrongState` for what is no PIN."""
        hashed = self._hashed(pin) if pin else ""

        def work(session: Session) -> None:
            self.within(session).set_hash(party, hashed)

        self._store.work(work, WORK)
        self.desk.unlock(self.desk.account_key(str(party.id)))

    # -- changing -------------------------------------------------------------------------------------

    def add(
        self, values: Mapping[str, str], numbers: Iterable[str] = (), pin: str = "", *, change: bool = False
    ) -> PartyView:
        """Keep a new party: ``values`` by the names of ``FIELDS`` (``kind`` and ``name`` at least).

        With ``change`` a party of that kind and code is changed instead, by what is given. :class:`WrongState` when
        the code or a number belongs to another party, or a value can't be used.
        """
        return self.add_all([PartyRow(values, numbers, pin)], change=change)[0]

    def add_all(self, rows: Sequence[PartyRow], *, change: bool = False) -> list[PartyView]:
        """Keep many parties at once, all or none; see :meth:`add`. The message of an error names its row."""
        made = [row._replace(pin="", hashed=self._hashed(row.pin)) if row.pin else row for row in rows]

        def work(session: Session) -> list[PartyView]:
            known = self.within(session)
            kept = []
            for number, row in enumerate(made, 1):
                try:
                    kept.append(known.keep(row, change=change))
                except (WrongState, IntegrityError) as error:
                    where = f"row {number}: " if len(rows) > 1 else ""
                    why = str(error) if isinstance(error, WrongState) else "the code or a number is taken"
                    raise WrongState(f"{where}{why}") from None
            return kept

        return self._store.work(work, WORK + 0.01 * len(rows))

    def change(self, party: PartyView, **values: str) -> PartyView:
        """Change what is said of a party; see :meth:`PartiesIn.change`."""
        return self._work(lambda known: known.change(party, **values))

    def add_number(self, party: PartyView, number: str) -> PartyView:
        """One more number that the party calls from. :class:`WrongState` when it is another's."""
        return self._work(lambda known: known.add_number(party, number))

    def remove_number(self, party: PartyView, number: str) -> PartyView:
        """The party calls from that number no more."""
        return self._work(lambda known: known.remove_number(party, number))

    def remove(self, party: PartyView) -> None:
        """Forget a party, its numbers and its PIN. Calls that it made stay in the journal."""

        def work(session: Session) -> None:
            session.execute(delete(party_numbers).where(party_numbers.c.party == party.id))
            session.execute(delete(parties).where(parties.c.id == party.id))

        self._store.work(work, WORK)
        self.unlock(party)

    # -- inside ---------------------------------------------------------------------------------------

    def _read(self, look: Callable[[PartiesIn], T]) -> T:
        return self._store.read(lambda session: look(self.within(session)), LOOK)

    def _work(self, change: Callable[[PartiesIn], T]) -> T:
        return self._store.work(lambda session: change(self.within(session)), WORK)

    def _pin_of(self, party: PartyView) -> str | None:
        """The hash; of a party that a plugin brought, that of our own party of its kind and code."""

        def read(session: Session) -> str | None:
            query = select(parties.c.pin).where(parties.c.id == party.id)
            if not party.id:
                query = select(parties.c.pin).where(
                    parties.c.kind == party.kind, parties.c.code == party.code, parties.c.code != ""
                )
            return session.execute(query).scalar_one_or_none() or None

        return self._store.read(read, LOOK)

    def _hashed(self, pin: str) -> str:
        require_pin(pin)
        if self._pool is None:
            self._pool = ThreadPool(1)
        return self._clock.blocking(self._pool, hash_of, pin)

    def _keep(self, key: str, seconds: float, locks: int) -> None:
        """A lock of the desk's: in the database, unless it would say who called without wanting to be known."""
        if _HIDDEN not in key:
            self._locks.keep(key, seconds, locks)


__all__ = ["FIELDS", "LoginRefused", "Parties", "PartiesIn", "PartyView", "view_of"]
