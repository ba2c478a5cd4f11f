"""The sample company's past, and that the reports show its stories; on both databases."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.app.app import department_tables
from engine.app.history import seed
from engine.app.installation import read_installation
from engine.clock import Clock
from engine.config import Folders
from engine.errors import WrongState
from engine.hooks.context import Context
from engine.records.history import Calendar, History
from engine.records.past_calls import REPEATING
from engine.reports.built_in import built_in
from engine.store.rows import Cdr
from engine.store.store import Store
from engine.testing.home import Home

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 28, 9, tzinfo=ZONE)
PLUGIN = """
from datetime import timedelta
from engine.api import Department, TicketKind, hookimpl


def past(session, history):
    day = history.calendar.workdays[-3]
    at = history.at(day, "10:00")
    call = history.call(at, queue="shop", agent="201", number="+8613800000099", waited=5, talked=60, wrap=10)
    good = history.desk(at).open("late", within=timedelta(hours=4), call=call).number
    history.desk(at + timedelta(hours=2), "201").answer(good, "on its way")
    bad = history.desk(at).open("late", within=timedelta(hours=4)).number
    history.desk(at + timedelta(hours=1), "201").assign(bad, "201")
    history.desk(at + timedelta(hours=2), "201").give_back(bad, "not mine")
    history.desk(at + timedelta(hours=9), "202").solve(bad, "late")
    history.desk(at).open("late", within=timedelta(hours=4))
    history.rating(call, "solution", 1, at, agent="201", queue="shop")


department = Department("shop", tables="shop_", tickets=[TicketKind("late")], history=past)


@hookimpl
def register_department() -> Department:
    return department
"""


class Fixed(Clock):
    """A clock that stands still on a Saturday morning."""

    def now(self) -> datetime:
        return NOW


@pytest.fixture
def made(home: Home, database_url: str, tmp_path: Any) -> Any:
    home.write(
        "conf/queues.yaml", "grammar: 1\nqueues:\n  shop: {title: {en: Shop}, offer: 20s, wrap_up: 15s}\n"
    )
    agents = "".join(
        f"  20{n}: {{name: Agent {n}, phone: 100{n}, languages: [en], queues: [shop]}}\n" for n in (1, 2)
    )
    home.write("conf/agents.yaml", f"grammar: 1\nagents:\n{agents}")
    home.plugin("shop", PLUGIN).flow("shop/main", "hi:\n  - answer\n  - hangup\n").number("8000", "shop/main")
    made = read_installation(home.folder, Fixed())
    made.require_sound()
    made.folders = Folders(**{**_fields(made.folders), "var": tmp_path / "var", "database_url": database_url})
    return made


def _fields(folders: Folders) -> dict[str, Any]:
    return {name: getattr(folders, name) for name in folders.__dataclass_fields__}


@pytest.fixture
def store(made: Any, database_url: str, tmp_path: Any) -> Any:
    store = Store(database_url, Fixed(), tmp_path / "var", departments=department_tables(made))
    store.open()
    yield store
    store.close()


def report(store: Store, name: str, **given: Any) -> list[dict[str, Any]]:
    one = built_in({"shop": 20.0})[name]
    rows = store.read(
        lambda session: list(one.rows(Context(now=NOW, log=None, session=session, where=name), **given)), 30.0
    )
    return [dict(zip(one.columns, row, strict=True)) for row in rows]


def test_the_reports_show_what_happened(made: Any, store: Store) -> None:
    done = seed(made, store, Fixed(), 14)
    assert (done.days, done.departments) == (14, ("shop",))
    days = {row["by"]: row for row in report(store, "calls")}
    assert len(days) == 14
    monday, wednesday, typhoon = (days[one] for one in ("2026-11-23 Mon", "2026-11-25 Wed", "2026-11-24 Tue"))
    assert monday["calls"] > 1.4 * wednesday["calls"]
    assert typhoon["calls"] > 1.4 * monday["calls"]
    share = {name: float(row["abandonment"].rstrip("%")) for name, row in days.items()}
    assert max(share, key=lambda one: share[one]) == "2026-11-24 Tue"
    assert float(typhoon["in time"].rstrip("%")) < float(wednesday["in time"].rstrip("%"))
    assert float(typhoon["occupancy"].rstrip("%")) > float(wednesday["occupancy"].rstrip("%"))
    [again] = [row for row in report(store, "repeats") if row["number"] == REPEATING]
    assert again["calls"] == 5
    hours = {row["by"]: row["calls"] for row in report(store, "calls", by="hour")}
    assert hours["10:00"] > 2 * hours["12:00"]
    assert sum(hours.values()) == sum(row["calls"] for row in days.values())
    assert {row["agent"] for row in report(store, "agents")} == {"201", "202"}


def test_a_call_that_was_lost_counts_and_what_we_dialled_or_an_agent_heard_does_not(store: Store) -> None:
    for call, data in {
        "c1": {"direction": "in"},
        "c2": {},  # of an engine that did not say it
        "c3": {"direction": "out"},
        "c4": {"direction": "asked"},
    }.items():
        store.cdr(Cdr(call=call, arrived=NOW, ended=NOW + timedelta(seconds=9), outcome="lost", data=data))
    assert store.flush()
    assert [row["calls"] for row in report(store, "calls")] == [2]


def test_tickets_of_the_past_are_on_time_or_not(made: Any, store: Store) -> None:
    seed(made, store, Fixed(), 14)
    [row] = report(store, "tickets")
    assert (row["month"], row["department"], row["tickets"], row["solved"]) == ("2026-11", "shop", 3, 2)
    assert (row["on time"], row["late"], row["open past due"], row["returned"]) == ("33.3%", 1, 1, 1)
    assert store.read(lambda session: report_of_untold(session), 5.0) == 0
    marks = {row["question"]: row for row in report(store, "surveys")}
    assert set(marks) == {"solution", "attitude", "effort"}
    assert marks["solution"]["1-2"] >= 1


def report_of_untold(session: Any) -> int:
    from sqlalchemy import func, select

    from engine.store.tables_tickets import ticket_history

    return session.execute(select(func.count()).where(ticket_history.c.told.is_(False))).scalar()


def test_twice_is_as_once_and_real_calls_are_refused(made: Any, store: Store) -> None:
    first = seed(made, store, Fixed(), 14)
    again = seed(made, store, Fixed(), 14)
    assert (first.calls > 1000, again.days, again.calls) == (True, 0, 0)


def test_a_database_with_real_calls_is_refused(made: Any, store: Store) -> None:
    store.cdr(Cdr(call="c1", arrived=NOW, ended=NOW + timedelta(seconds=9)))
    assert store.flush()
    with pytest.raises(WrongState, match="1 real calls"):
        seed(made, store, Fixed(), 14)


def test_the_days_of_a_past() -> None:
    calendar = Calendar(date(2026, 11, 28), 14)
    assert (calendar.days[0], calendar.days[-1]) == (date(2026, 11, 14), date(2026, 11, 27))
    assert calendar.typhoon == date(2026, 11, 24)
    assert calendar.mondays == [date(2026, 11, 16), date(2026, 11, 23)]
    weights = [calendar.weight(day) for day in (date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 25))]
    assert weights == [1.6, 2.6, 1.0]


def test_the_same_day_has_the_same_past() -> None:
    def history() -> History:
        return History(
            None,  # type: ignore[arg-type]
            Calendar(date(2026, 11, 28), 14),
            department="shop",
            zone=ZONE,
            e164=str,
            due=lambda calendar, at, seconds: at,
        )

    one, other = history(), history()
    assert [one.times(day, 50) for day in one.days] == [other.times(day, 50) for day in other.days]
