"""What people do with parties at a terminal, beside a running engine and without one.

Each deed takes and gives plain values, so that the control API can pass it on as it is.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.errors import NotFound, WrongState
from engine.records.parties import FIELDS, Parties
from engine.records.party_table import PartyRow
from engine.records.pins import looks_like_a_hash
from engine.types import PartyView

MOST: Final = 10_000
"""Parties of one listing, and rows of one import."""


def do(parties: Parties, deed: str, told: Mapping[str, Any]) -> Any:
    """Carry out one of ``DEEDS``. :class:`NotFound`, :class:`WrongState`, StoreError."""
    function = DEEDS.get(deed)
    if function is None:
        raise NotFound(f"nobody can {deed} a party")
    return function(parties, told)


def _list(parties: Parties, told: Mapping[str, Any]) -> list[dict[str, Any]]:
    names = ("kind", "tier", "region", "site", "department", "text")
    wanted = {name: str(told.get(name) or "") for name in names}
    found = parties.search(**wanted, limit=min(MOST, int(told.get("limit") or 100)))
    return [row_of(parties, one) for one in found]


def _show(parties: Parties, told: Mapping[str, Any]) -> dict[str, Any]:
    return row_of(parties, _named(parties, told))


def _add(parties: Parties, told: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: str(told.get(name) or "") for name in FIELDS}
    numbers = [str(number) for number in told.get("numbers") or ()]
    made = parties.add(values, numbers, str(told.get("pin") or ""), change=bool(told.get("change")))
    return row_of(parties, made)


def _set_pin(parties: Parties, told: Mapping[str, Any]) -> dict[str, Any]:
    party = _named(parties, told)
    parties.set_pin(party, str(told.get("pin") or ""))
    return row_of(parties, party)


def _unlock(parties: Parties, told: Mapping[str, Any]) -> dict[str, Any]:
    number = str(told.get("number") or "")
    if number:
        parties.unlock_number(number)
        return {"number": parties.e164(number)}
    party = _named(parties, told)
    parties.unlock(party)
    return row_of(parties, party)


def _remove(parties: Parties, told: Mapping[str, Any]) -> dict[str, Any]:
    party = _named(parties, told)
    parties.remove(party)
    return row_of(parties, party)


def _import(parties: Parties, told: Mapping[str, Any]) -> dict[str, Any]:
    rows = read_csv(str(told.get("csv") or ""))
    kept = parties.add_all(rows, change=bool(told.get("change")))
    return {"kept": len(kept)}


def read_csv(text: str) -> list[PartyRow]:
    """The rows of a table with a head: the names of a party's fields, ``numbers`` (blanks between), ``pin`` or
    ``pin_hash`` (argon2). Lines that begin with # say something to people.

    :class:`WrongState` for a column that nobody knows, or too many rows.
    """
    lines = [
        line for line in io.StringIO(text.removeprefix("\ufeff"), newline="") if not line.startswith("#")
    ]
    reader = csv.DictReader(lines)
    known = {*FIELDS, "numbers", "pin", "pin_hash"}
    head = [name.strip() for name in reader.fieldnames or ()]
    if odd := sorted(set(head) - known):
        raise WrongState(f"there is no column {odd[0]!r}; there are {', '.join(sorted(known))}")
    if not {"kind", "name"} <= set(head):
        raise WrongState("the first line must name the columns, kind and name among them")
    rows = []
    for number, row in enumerate(reader, 1):
        if None in row:
            raise WrongState(f"row {number}: more values than there are columns")
        values = {key.strip(): (value or "").strip() for key, value in row.items()}
        hashed = values.get("pin_hash", "")
        if hashed and not looks_like_a_hash(hashed):
            raise WrongState(f"row {number}: pin_hash is no argon2 hash")
        rows.append(
            PartyRow(
                {name: values.get(name, "") for name in FIELDS},
                values.get("numbers", "").split(),
                values.get("pin", ""),
                hashed,
            )
        )
        if len(rows) > MOST:
            raise WrongState(f"more than {MOST} rows: import them in parts")
    return rows


def row_of(parties: Parties, party: PartyView) -> dict[str, Any]:
    """A party as lists show it, with the seconds that it is locked for."""
    values = {name: getattr(party, name) for name in FIELDS}
    return {
        "id": party.id,
        **values,
        "numbers": list(party.numbers),
        "locked": round(parties.locked(party)),
    }


def _named(parties: Parties, told: Mapping[str, Any]) -> PartyView:
    return parties.named(str(told.get("name") or ""))


DEEDS: Final[Mapping[str, Callable[[Parties, Mapping[str, Any]], Any]]] = {
    "list": _list,
    "show": _show,
    "add": _add,
    "set-pin": _set_pin,
    "unlock": _unlock,
    "remove": _remove,
    "import": _import,
}
