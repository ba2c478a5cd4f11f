"""The public holidays of a country, year by year, as the ``holidays`` package knows them.

That package reads all countries of the world before it answers for one, which is a tenth of the engine's start. So
what it said is kept in a file (``var/cache/holidays``) until another version of it is installed.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import structlog

log = structlog.get_logger(__name__)


class HolidayYear(NamedTuple):
    """``names``: public holidays by day. ``moved``: the weekend days that are working days in exchange."""

    names: Mapping[date, str]
    moved: Collection[date]


class Almanac:
    """Public holidays of any country. ``file`` None: nothing is kept from one start to the next."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._version = version("holidays")
        self._years: dict[str, HolidayYear] = {}
        self._new = False
        if file is not None:
            self._read(file)

    def year(self, country: str, region: str | None, year: int) -> HolidayYear:
        """The holidays of one year. The country and its region must be known ones (:meth:`regions`). The first look at
        one that is not kept takes some 0.2 s."""
        key = f"{country} {region or '-'} {year}"
        found = self._years.get(key)
        if found is None:
            found = self._years[key] = _looked_up(country, region, year)
            self._new = True
        return found

    def knows(self, country: str, region: str | None) -> bool:
        """Has it told of this country and region before? Then there are such."""
        return any(key.startswith(f"{country} {region or '-'} ") for key in self._years)

    def regions(self, country: str) -> list[str] | None:
        """The regions of a country that have holidays of their own; None for a country that is not known."""
        import holidays

        return holidays.list_supported_countries().get(country)

    def keep(self) -> None:
        """Write it down, if there is anything new."""
        if self._file is None or not self._new:
            return
        years = {key: {"names": one.names, "moved": sorted(one.moved)} for key, one in self._years.items()}
        temporary = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            kept = {"version": self._version, "years": years}
            temporary.write_bytes(orjson.dumps(kept, option=orjson.OPT_NON_STR_KEYS))
            temporary.replace(self._file)
        except OSError as error:
            log.warning("holidays.cache_not_written", file=str(self._file), error=str(error))
        self._new = False

    def _read(self, file: Path) -> None:
        try:
            kept = orjson.loads(file.read_bytes())
            if kept["version"] == self._version:
                self._years = {str(key): _year(one) for key, one in kept["years"].items()}
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("holidays.cache_unreadable", file=str(file), error=str(error))


def _year(kept: Mapping[str, Any]) -> HolidayYear:
    names = {date.fromisoformat(day): str(name) for day, name in kept["names"].items()}
    return HolidayYear(names, frozenset(date.fromisoformat(day) for day in kept["moved"]))


def _looked_up(country: str, region: str | None, year: int) -> HolidayYear:
    import holidays

    found = holidays.country_holidays(country, subdiv=region, years=year, language="en_US")
    return HolidayYear(dict(found), frozenset(getattr(found, "weekend_workdays", ())))
