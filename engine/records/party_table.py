"""The parties as one session sees them: for code that runs in a thread of the store's, a handler's among it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

import structlog
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from engine.errors import NotFound, PluginError, WrongState
from engine.records.pins import hash_pin
from engine.store.tables_parties import parties, party_numbers
from engine.types import PartyView

log = structlog.get_logger(__name__)

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


class PartyRow(NamedTuple):
    """A party to keep: ``values`` by the names of ``FIELDS``, with its PIN or the argon2 hash of one."""

    values: Mapping[str, str]
    numbers: Iterable[str] = ()
    pin: str = ""
    hashed: str = ""


class PartiesIn:
    """The parties as one session sees them. What it changes is committed, or rolled back, with the rest."""

    def __init__(self, session: Session, e164: Callable[[str], str], now: datetime) -> None:
        self._session = session
        self._e164 = e164
        self._now = now

    # -- finding --------------------------------------------------------------------------------------

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

    def search(
        self,
        *,
        kind: str = "",
        tier: str = "",
        region: str = "",
        site: str = "",
        department: str = "",
        text: str = "",
        limit: int = 100,
    ) -> list[PartyView]:
        """Parties in the order of kind and code; ``text`` is a part of the name, or a code or number."""
        query = select(parties).order_by(parties.c.kind, parties.c.code, parties.c.id).limit(limit)
        wanted = {"kind": kind, "tier": tier, "region": region, "site": site, "department": department}
        for column, value in wanted.items():
            if value:
                query = query.where(parties.c[column] == value)
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

    # -- changing -------------------------------------------------------------------------------------

    def add(
        self, values: Mapping[str, str], numbers: Iterable[str] = (), pin: str = "", *, change: bool = False
    ) -> PartyView:
        """Keep a new party: ``values`` by the names of ``FIELDS`` (``kind`` and ``name`` at least).

        With ``change`` a party of that kind and code is changed instead, by what is given. :class:`WrongState` when
        the code or a number belongs to another party, or a value can't be used.
        """
        return self.keep(PartyRow(values, numbers, hashed=hash_of(pin) if pin else ""), change=change)

    def change(self, party: PartyView, **values: str) -> PartyView:
        """Change what is said of a party (``FIELDS``, but for its kind and code); "" takes a value away."""
        if odd := sorted(values.keys() - (set(FIELDS) - {"kind", "code"})):
            raise WrongState(f"a party's {odd[0]} can't be changed")
        if not values.get("name", "as it is").strip():
            raise WrongState("a party needs a name")
        self._changed(party, **{name: value.strip() for name, value in values.items()})
        return self._again(party)

    def add_number(self, party: PartyView, number: str) -> PartyView:
        """One more number that the party calls from. :class:`WrongState` when it is no number, or another's."""
        self._take_number(party.id, number)
        self._changed(party)
        return self._again(party)

    def remove_number(self, party: PartyView, number: str) -> PartyView:
        """The party calls from that number no more."""
        known = self._e164(number)
        self._session.execute(
            delete(party_numbers).where(party_numbers.c.party == party.id, party_numbers.c.number == known)
        )
        self._changed(party)
        return self._again(party)

    def set_pin(self, party: PartyView, pin: str) -> None:
        """Give a party its PIN ("" takes it away). A lock after wrong PINs lasts on. :class:`WrongState` for what is no
        PIN. It takes a thread some 50 ms: never on the hub."""
        self.set_hash(party, hash_of(pin) if pin else "")

    def set_hash(self, party: PartyView, hashed: str) -> None:
        """The argon2 hash of a party's PIN; "" takes it away."""
        self._changed(party, pin=hashed)

    def keep(self, row: PartyRow, *, change: bool = False) -> PartyView:
        """Keep a party whose PIN is hashed already; see :meth:`add`."""
        values = {name: value.strip() for name, value in row.values.items() if value and value.strip()}
        if odd := sorted(values.keys() - set(FIELDS)):
            raise WrongState(f"a party has no {odd[0]}")
        for needed in ("kind", "name"):
            if not values.get(needed) and not (change and needed == "name"):
                raise WrongState(f"a party needs a {needed}")
        old = self.by_code(values.get("code", ""), values["kind"]) if values.get("code") else None
        more = {"pin": row.hashed} if row.hashed else {}
        if old is not None and not change:
            raise WrongState(f"{values['kind']} {values['code']} is there already ({old.name})")
        if old is None:
            if not values.get("name"):
                raise WrongState("a party needs a name")
            made = {"since": self._now, "changed": self._now, **values, **more}
            (id,) = self._session.execute(insert(parties).values(**made).returning(parties.c.id)).one()
        else:
            id = old.id
            self._changed(old, **values, **more)
        for number in row.numbers:
            self._take_number(id, number)
        kept = self.get(id)
        assert kept is not None
        return kept

    # -- only where the hub is ------------------------------------------------------------------------

    def verify(self, code: str, pin: str, *kinds: str, origin: str = "") -> PartyView:
        """Only in handlers over "engine": wrong PINs are counted where all calls are."""
        raise PluginError('PINs are compared on the hub: say over="engine"')

    def unlock(self, party: PartyView) -> None:
        """Only in handlers over "engine"."""
        raise PluginError('locks are kept on the hub: say over="engine"')

    # -- inside ---------------------------------------------------------------------------------------

    def _take_number(self, id: int, given: str) -> None:
        number = self._e164(given)
        if not number:
            raise WrongState(f"`{given}` is no number")
        owner = self.by_number(number)
        if owner is not None and owner.id != id:
            raise WrongState(f"{number} is the number of {owner.kind} {owner.code or owner.name}")
        if owner is None:
            self._session.execute(insert(party_numbers).values(number=number, party=id))

    def _changed(self, party: PartyView, **values: Any) -> None:
        done = self._session.execute(
            update(parties)
            .where(parties.c.id == party.id)
            .values(changed=self._now, **values)
            .returning(parties.c.id)
        ).first()
        if done is None:
            raise NotFound(f"there is no party {party.id} ({party.kind} {party.code})")

    def _again(self, party: PartyView) -> PartyView:
        found = self.get(party.id)
        assert found is not None
        return found

    def _one(self, query: Any) -> PartyView | None:
        row = self._session.execute(query).mappings().one_or_none()
        return None if row is None else self._view(row)

    def _view(self, row: Any) -> PartyView:
        query = select(party_numbers.c.number).where(party_numbers.c.party == row["id"])
        return view_of(row, self._session.execute(query.order_by(party_numbers.c.number)).scalars())


def hash_of(pin: str) -> str:
    """The hash of a PIN. :class:`WrongState` for what is none. Slow on purpose: in a thread."""
    require_pin(pin)
    return hash_pin(pin)


def require_pin(pin: str) -> None:
    """:class:`WrongState` for what is no PIN."""
    if not (pin.isascii() and pin.isdigit() and len(pin) in PIN_LENGTH):
        raise WrongState("a PIN is 4 to 12 digits")


def view_of(row: Any, numbers: Iterable[str]) -> PartyView:
    """A row of the table as people and flows see it: never the PIN."""
    return PartyView(id=int(row["id"]), numbers=tuple(numbers), **{name: row[name] for name in FIELDS})
