from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import NullPool, create_engine
from sqlalchemy.orm import Session

from engine.hooks.loading import load_folder

TODAY = date(2026, 11, 23)
LINE = "8004"
STRANGER = "+8613800000000"


class Line:
    """Callers of the shipments line, at the places where conversations begin."""

    def __init__(self, centre: Any) -> None:
        self.centre = centre

    def opened(self, language: str = "zh-CN", *, number: str = STRANGER) -> Any:
        """A caller who chose a language and hears the main menu."""
        caller = self.centre.caller(number=number).dials(LINE)
        caller.hears("logistics/choose_language").presses("1" if language == "zh-CN" else "2")
        caller.hears("recorded_notice")
        return caller.hears("logistics/main_menu")

    def chose(self, key: str, language: str = "zh-CN", *, number: str = STRANGER) -> Any:
        """A caller who pressed a key of the main menu."""
        return self.opened(language, number=number).presses(key)

    def tracked(self, waybill: str, language: str = "zh-CN", *, number: str = STRANGER) -> Any:
        """A caller who typed a waybill number."""
        caller = self.chose("1", language, number=number)
        return caller.hears("logistics/enter_waybill").presses(f"{waybill}#")


@pytest.fixture
def line(centre: Any) -> Line:
    """Callers of 8004."""
    return Line(centre)


@pytest.fixture
def logistics() -> ModuleType:
    """The department's plugin, as the engine loads it."""
    return load_folder(Path(__file__).parents[1])


@pytest.fixture
def sampled(logistics: ModuleType, database_url: str) -> Iterator[Session]:
    """A database (SQLite, then PostgreSQL) with the sample shipments, put in on ``TODAY``."""
    database = create_engine(database_url, poolclass=NullPool)
    logistics.department.models.create_all(database)
    with Session(database) as session:
        logistics.department.sample(session, TODAY)
        session.flush()
        yield session
    database.dispose()


class Office:
    """Reports and commands of the department, as the command line runs them, on the centre of a conversation."""

    def __init__(self, centre: Any) -> None:
        self._centre = centre

    def report(self, name: str, **options: Any) -> list[dict[str, Any]]:
        """The rows of a report, by column."""
        one = self._centre.installation.host.reports[name]
        rows = self._run(name, one, one.rows, options, writes=False)
        return [dict(zip(one.columns, row, strict=True)) for row in rows]

    def does(self, name: str, **arguments: Any) -> Any:
        """What the command ``insideline logistics <name>`` answers; raises what it refuses."""
        one = self._centre.installation.host.commands["logistics"][name]
        answer = self._run(name, one, one.run, arguments, writes=True)
        self._centre.app.records.settled()
        return answer

    def _run(self, name: str, one: Any, function: Any, given: dict[str, Any], *, writes: bool) -> Any:
        def work(ctx: Any) -> Any:
            answer = function(ctx, **given)
            return answer if answer is None or isinstance(answer, (str, dict)) else list(answer)

        return self._centre.app.departments.in_context(
            "logistics", name, work, 10.0, writes=writes, over=one.over
        )


@pytest.fixture
def office(centre: Any) -> Office:
    """The department's reports and commands."""
    return Office(centre)
