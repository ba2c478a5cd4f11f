"""Branches: which one is the nearest that is open. The contract, the department's own tables, a system over http."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import asin, cos, radians, sin, sqrt
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.api import Digits, HttpClient, Record

from .models import BranchRow, DistrictRow

EARTH = 6371.0  # km


class District(Record):
    """A part of a city."""

    area: str  # the city's area code
    name: str


class Branch(Record):
    """A branch as a caller may know it."""

    code: Digits
    name: str
    area: str
    district: str
    phone: str  # whom a notice rings


class Near(Branch):
    """A branch, seen from a district at a moment."""

    km: float  # from the middle of the district
    open: bool
    opens: datetime | None  # when it opens next, where it is closed


class Branches(Protocol):
    """The company's branches."""

    def branch(self, code: str) -> Branch | None:
        """The branch of that code, or None."""

    def districts(self, area: str) -> list[District]:
        """The parts of a city, by its area code; none for one in which we have no branch."""

    def nearest(self, area: str, district: str, *, at: datetime, most: int) -> list[Near]:
        """The branches of a city for somebody in one of its districts: those that are open at ``at`` first, of these
        those in the same district, then by distance; those that are closed by when they open. ``most`` at most."""


class SqlBranches:
    """Branches from the department's own tables."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def branch(self, code: str) -> Branch | None:
        row = self._session.get(BranchRow, code)
        return None if row is None else _branch(row)

    def districts(self, area: str) -> list[District]:
        rows = self._session.scalars(
            select(DistrictRow).where(DistrictRow.area == area).order_by(DistrictRow.name)
        )
        return [District(area=row.area, name=row.name) for row in rows]

    def nearest(self, area: str, district: str, *, at: datetime, most: int) -> list[Near]:
        here = self._session.get(DistrictRow, (area, district))
        found = []
        for row in self._session.scalars(select(BranchRow).where(BranchRow.area == area)):
            km = 0.0 if here is None else distance(here.lat, here.lon, row.lat, row.lon)
            opens = next_open(row, at)
            is_open = opens is not None and opens <= at
            found.append(
                Near(
                    **_branch(row).model_dump(),
                    km=round(km, 1),
                    open=is_open,
                    opens=None if is_open else opens,
                )
            )
        return sorted(found, key=lambda one: _order(one, district, at))[:most]


def _order(one: Near, district: str, at: datetime) -> tuple[object, ...]:
    never = at + timedelta(days=3650)
    return (
        not one.open,
        one.opens or (at if one.open else never),
        one.district != district,
        one.km,
        one.code,
    )


def _branch(row: BranchRow) -> Branch:
    return Branch(code=row.code, name=row.name, area=row.area, district=row.district, phone=row.phone)


def next_open(row: BranchRow, at: datetime) -> datetime | None:
    """``at`` itself where the branch is open then, else when it opens next; None for one that never does. Hours are
    those of ``at``'s time zone."""
    for ahead in range(8):
        day = (at + timedelta(days=ahead)).date()
        if str(day.isoweekday()) not in row.days:
            continue
        begin = datetime.combine(day, row.opens, at.tzinfo)
        end = datetime.combine(day, row.closes, at.tzinfo)
        if begin <= at < end:
            return at
        if at < begin:
            return begin
    return None


def distance(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Kilometres as the crow flies between two places, in degrees (haversine)."""
    a, b = radians(lat), radians(other_lat)
    half = sin((b - a) / 2) ** 2 + cos(a) * cos(b) * sin(radians(other_lon - lon) / 2) ** 2
    return 2 * EARTH * asin(min(1.0, sqrt(half)))


class HttpBranches:
    """Branches from the company's own system: ``POST branch`` with ``{"code"}``, ``districts`` with ``{"area"}``,
    ``nearest`` with ``{"area", "district", "at", "most"}``."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def branch(self, code: str) -> Branch | None:
        found: Branch | None = self._client.ask("branch", {"code": code}, Branch | None)
        return found

    def districts(self, area: str) -> list[District]:
        found: list[District] = self._client.ask("districts", {"area": area}, list[District])
        return found

    def nearest(self, area: str, district: str, *, at: datetime, most: int) -> list[Near]:
        asked = {"area": area, "district": district, "at": at, "most": most}
        found: list[Near] = self._client.ask("nearest", asked, list[Near])
        return found
