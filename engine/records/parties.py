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
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, TypeVar

import structlog
from gevent.threadpool import ThreadPool
from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.clock import Clock
from engine.errors import LoginRefused, NotFound, StoreError, WrongState
from engine.records.pins import PinDesk, hash_pin
from engine.store.tables_parties import parties, party_numbers, pin_locks
from engine.types import PartyView

log = structlog.get_logger(__name__)
T = TypeVar("T")

LOOK: Final = 2.0
"""Seconds that the database may take while a caller waits."""
WORK: Final = 10.0
"""Seconds that a change at a terminal may take."""
FIELDS: Final = (
    "kind",
    "code",
    "name",
    "tier",
    "language",
    "site",
    "region",
    "stage",
    "department",
    "notes",
)
"""What can be said of a party besides its numbers and its PIN."""
PIN_LENGTH: Final = range(4, 13)
_HIDDEN = "hidden:"


class Database(Protocol):
    """What is needed of the store (:class:`engine.store.store.Store`)."""

    def read(self, function: Callable[[Session], T], timeout: float) -> T: ...
    def work(self, function: Callable[[Session], T], timeout: float) -> T: ...
    def save(self, table: Table, key: Any, values: Mapping[str, Any]) -> None: ...
    def remove(self, table: Table, key: Any) -> None: ...


class PartiesIn:
    """The parties as one session sees them: for code that runs in a thread of the store's."""

    def __init__(self, session: Session, e164: Callable[[str], str]) -> None:
        self._session = session
        self._e164 = e164

    def get(self, id: int) -> PartyView | None:
        """The party of that id."""
        return self._one(select(parties).where(parties.c.id == id))

    def by_number(self, number: str) -> PartyView | None:
        """Whose number it is, however it is written; None when it is nobody's, or withheld."""
        known = self._e164(number)
        if not known:
            return None
        return self._one(
            select(parties)
            .join(party_numbers, party_numbers.c.party == parties.c.id)
            .where(party_numbers.c.number == known)
        )

    def by_code(self, code: str, *kinds: str) -> PartyView | None:
        """Whose code it is, among parties of these kinds (of any when none is given).

        A code that several kinds use is nobody's until the kind is said: None, and a line in the log.
        """
        if not code:
            return None
        query = select(parties).where(parties.c.code == code)
        if kinds:
            query = query.where(parties.c.kind.in_(kinds))
        rows = self._session.execute(query.limit(2)).mappings().all()
        if len(rows) > 1:
            log.warning("party.code_of_several", kinds=sorted(str(row["kind"]) for row in rows))
            return None
        return self._view(rows[0]) if rows else None

    def search(self, *, kind: str = "", tier: str = "", text: str = "", limit: int = 100) -> list[PartyView]:
        """Parties in the order of kind and code; ``text`` is a part of the name, or a code or number."""
        query = select(parties).order_by(parties.c.kind, parties.c.code, parties.c.id).limit(limit)
        if kind:
            query = query.where(parties.c.kind == kind)
        if tier:
            query = query.where(parties.c.tier == tier)
        if text:
            calls = select(party_numbers.c.party).where(party_numbers.c.number == self._e164(text))
            query = query.where(
                parties.c.name.contains(text, autoescape=True)
                | (parties.c.code == text)
                | parties.c.id.in_(calls)
            )
        rows = self._session.execute(query).mappings().all()
        numbers: dict[int, list[str]] = {int(row["id"]): [] for row in rows}
        found = (
            select(party_numbers).where(party_numbers.c.party.in_(numbers)).order_by(party_numbers.c.number)
        )
        for row in self._session.execute(found).mappings():
            numbers[int(row["party"])].append(str(row["number"]))
        return [view_of(row, numbers[int(row["id"])]) for row in rows]

    def named(self, text: str) -> PartyView:
        """The party that a person means by an id, ``kind/code``, a code or a number. :class:`NotFound`."""
        kind, slash, code = text.partition("/")
        found: PartyView | None = None
        if slash:
            found = self.by_code(code, kind)
        else:
            found = self.by_code(text) or self.by_number(text)
            if found is None and text.isdecimal() and len(text) < 19:
                found = self.get(int(text))
        if found is None:
            raise NotFound(f"there is no party {text} (say kind/code, a code, a number or an id)")
        return found

    def _one(self, query: Any) -> PartyView | None:
        row = self._session.execute(query).mappings().one_or_none()
        return None if row is None else self._view(row)

    def _view(self, row: Any) -> PartyView:
        query = select(party_numbers.c.number).where(party_numbers.c.party == row["id"])
        return view_of(row, self._session.execute(query.order_by(party_numbers.c.number)).scalars())


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
        self.desk = PinDesk(clock, tries=tries, lock=lock, longest=longest, kind="party", keep=self._keep)

    def open(self) -> None:
        """Take over the locks that an earlier engine made. Raises StoreError."""
        now = self._clock.now()

        def read(session: Session) -> list[tuple[str, datetime, int]]:
            rows = session.execute(select(pin_locks).where(pin_locks.c.until > now))
            return [(row.key, row.until, row.locks) for row in rows]

        for key, until, locks in self._store.read(read, LOOK):
            self.desk.restore(key, (until - now).total_seconds(), locks)

    def close(self) -> None:
        """Give the threads back."""
        self.desk.close()
        if self._pool is not None:
            self._clock.end_threads(self._pool)
            self._pool = None

    # -- finding --------------------------------------------------------------------------------------

    def within(self, session: Session) -> PartiesIn:
        """The parties for code that runs in a thread of the store's."""
        return PartiesIn(session, self.e164)

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

    def search(self, *, kind: str = "", tier: str = "", text: str = "", limit: int = 100) -> list[PartyView]:
        """Parties for lists."""
        return self._read(lambda known: known.search(kind=kind, tier=tier, text=text, limit=limit))

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
        now = self._clock.now()

        def work(session: Session) -> None:
            session.execute(update(parties).where(parties.c.id == party.id).values(pin=hashed, changed=now))

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
        return self.add_all([(values, tuple(numbers), pin)], change=change)[0]

    def add_all(
        self, rows: Sequence[tuple[Mapping[str, str], Sequence[str], str]], *, change: bool = False
    ) -> list[PartyView]:
        """Keep many parties at once, all or none; see :meth:`add`. The message of an error names its row."""
        now = self._clock.now()
        hashed = [self._hashed(pin) if pin else "" for _, _, pin in rows]

        def work(session: Session) -> list[PartyView]:
            kept = []
            for number, ((values, calls, _), pin) in enumerate(zip(rows, hashed, strict=True), 1):
                try:
                    kept.append(self._keep_one(session, values, calls, pin, now, change=change))
                except (WrongState, IntegrityError) as error:
                    where = f"row {number}: " if len(rows) > 1 else ""
                    why = str(error) if isinstance(error, WrongState) else "the code or a number is taken"
                    raise WrongState(f"{where}{why}") from None
            return kept

        return self._store.work(work, WORK + 0.01 * len(rows))

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

    def _keep_one(
        self,
        session: Session,
        values: Mapping[str, str],
        numbers: Sequence[str],
        pin: str,
        now: datetime,
        *,
        change: bool,
    ) -> PartyView:
        values = {name: value.strip() for name, value in values.items() if value and value.strip()}
        if odd := sorted(values.keys() - set(FIELDS)):
            raise WrongState(f"a party has no {odd[0]}")
        for needed in ("kind", "name"):
            if not values.get(needed) and not (change and needed == "name"):
                raise WrongState(f"a party needs a {needed}")
        known = self.within(session)
        old = known.by_code(values.get("code", ""), values["kind"]) if values.get("code") else None
        more = {"pin": pin} if pin else {}
        if old is not None and not change:
            raise WrongState(f"{values['kind']} {values['code']} is there already ({old.name})")
        if old is None:
            if not values.get("name"):
                raise WrongState("a party needs a name")
            row = {"since": now, "changed": now, **values, **more}
            (id,) = session.execute(insert(parties).values(**row).returning(parties.c.id)).one()
        else:
            id = old.id
            session.execute(update(parties).where(parties.c.id == id).values(changed=now, **values, **more))
        for given in numbers:
            number = self.e164(given)
            if not number:
                raise WrongState(f"`{given}` is no number")
            owner = known.by_number(number)
            if owner is not None and owner.id != id:
                raise WrongState(f"{number} is the number of {owner.kind} {owner.code or owner.name}")
            if owner is None:
                session.execute(insert(party_numbers).values(number=number, party=id))
        made = known.get(id)
        assert made is not None
        return made

    def _hashed(self, pin: str) -> str:
        if not (pin.isascii() and pin.isdigit() and len(pin) in PIN_LENGTH):
            raise WrongState("a PIN is 4 to 12 digits")
        if self._pool is None:
            self._pool = ThreadPool(1)
        return self._clock.blocking(self._pool, hash_pin, pin)

    def _keep(self, key: str, seconds: float, locks: int) -> None:
        """A lock of the desk's: in the database, unless it would say who called without wanting to be known."""
        if _HIDDEN in key:
            return
        try:
            if seconds:
                until = self._clock.now() + timedelta(seconds=seconds)
                self._store.save(pin_locks, key, {"until": until, "locks": locks})
            else:
                self._store.remove(pin_locks, key)
        except StoreError as error:
            log.warning("party.lock_not_kept", error=str(error))


def view_of(row: Any, numbers: Iterable[str]) -> PartyView:
    """A row of the table as people and flows see it: never the PIN."""
    return PartyView(id=int(row["id"]), numbers=tuple(numbers), **{name: row[name] for name in FIELDS})


__all__ = ["FIELDS", "LoginRefused", "Parties", "PartiesIn", "PartyView", "view_of"]
