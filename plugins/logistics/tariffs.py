"""What carriage costs: the contract of the tariffs, the department's own tables, and a company's system over http."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.api import Digits, HttpClient, Record

from .models import City, TariffRow


class Place(Record):
    """A city."""

    code: Digits  # its area code
    name: str


class Tariff(Record):
    """What carriage between two cities costs, in yuan, in one version."""

    origin: str
    destination: str
    version: int
    since: date
    heavy: Decimal  # per kg
    light: Decimal  # per m3
    minimum: Decimal  # of the freight
    pickup: Decimal
    delivery: Decimal
    entry: Decimal
    crate: Decimal  # per m3
    insurance: Decimal  # per mille of the insured value
    cod: Decimal  # per mille of what is collected


class Tariffs(Protocol):
    """The company's tariffs."""

    def city(self, code: str) -> Place | None:
        """The city of an area code ("020"), or None."""

    def tariff(self, origin: str, destination: str, *, on: date) -> Tariff | None:
        """The version that holds on a day for carriage between two cities (by name), or None."""

    def versions(self, origin: str, destination: str) -> list[Tariff]:
        """All versions, the newest first."""


class SqlTariffs:
    """Tariffs from the department's own tables."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def city(self, code: str) -> Place | None:
        row = self._session.get(City, code)
        return None if row is None else Place.model_validate(row)

    def tariff(self, origin: str, destination: str, *, on: date) -> Tariff | None:
        return next((one for one in self.versions(origin, destination) if one.since <= on), None)

    def versions(self, origin: str, destination: str) -> list[Tariff]:
        rows = self._session.scalars(
            select(TariffRow)
            .where(TariffRow.origin == origin, TariffRow.destination == destination)
            .order_by(TariffRow.since.desc(), TariffRow.version.desc())
        )
        return [Tariff.model_validate(row) for row in rows]


class HttpTariffs:
    """Tariffs from the company's own system: ``POST city`` with ``{"code"}``, ``tariff`` with ``{"origin",
    "destination", "on"}``, ``versions`` with ``{"origin", "destination"}``."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def city(self, code: str) -> Place | None:
        found: Place | None = self._client.ask("city", {"code": code}, Place | None)
        return found

    def tariff(self, origin: str, destination: str, *, on: date) -> Tariff | None:
        asked = {"origin": origin, "destination": destination, "on": on}
        found: Tariff | None = self._client.ask("tariff", asked, Tariff | None)
        return found

    def versions(self, origin: str, destination: str) -> list[Tariff]:
        asked = {"origin": origin, "destination": destination}
        found: list[Tariff] = self._client.ask("versions", asked, list[Tariff])
        return found
