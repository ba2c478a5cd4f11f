"""`insideline calendar`, `dialplan` and `reload`: without an engine, and through one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from engine.cli.main import cli
from engine.errors import WrongState
from engine.types import CalendarView, ClosureView
from engine.web.parts import Parts

ROOT = Path(__file__).parents[2]


@pytest.fixture
def centre(centre: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That centre's home, and we are in it."""
    monkeypatch.chdir(centre)
    monkeypatch.delenv("INSIDELINE_HOME", raising=False)
    return centre


def say(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words))


def told(*words: str) -> Any:
    done = say(*words, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


# -- without an engine --------------------------------------------------------------------------


def test_a_month_says_why_each_day_is_as_it_is(centre: Path) -> None:
    days = {row["day"]: row for row in told("calendar", "show", "office", "--month", "2026-10")["days"]}
    assert len(days) == 31
    assert (days["2026-10-01"]["hours"], days["2026-10-01"]["why"]) == ("closed", "National Day")
    assert days["2026-10-10"]["hours"] == "08:30-12:00, 13:30-17:30"  # a Saturday
    assert days["2026-10-10"]["why"] == "moved working day 2026-10-10"
    shown = say("calendar", "show", "office", "--month", "2026-10").stdout
    assert "office, October 2026, Asia/Shanghai" in shown
    assert "National Day" in shown


def test_a_moment_is_tested(centre: Path) -> None:
    done = say("calendar", "test", "office", "--at", "2026-10-01 09:00")
    assert done.stdout.splitlines() == [
        "office is closed (National Day) until 2026-10-08 08:30",
        "callers hear the prompt closed",
    ]


def test_a_closure_without_an_engine_is_kept_for_the_next_one(centre: Path) -> None:
    assert "office" in say("calendar", "list").stdout  # there is no database yet
    done = say(
        "calendar",
        "close",
        "always",
        "--until",
        "2h",
        "--why",
        "red warning",
        "--prompt",
        "storm",
        "--by",
        "li.na",
    )
    assert done.exit_code == 0, done.stderr
    assert "always is closed (closed by li.na: red warning)" in done.stdout
    assert "no engine runs; it is kept for the next one" in done.stdout
    [view] = [row for row in told("calendar", "list") if row["name"] == "always"]
    assert (view["open"], view["closures"][0]["by"]) == (False, "li.na")
    with sqlite3.connect(centre / "var" / "insideline.db") as database:
        kinds = [row[0] for row in database.execute("select kind from journal")]
    assert kinds == ["calendar.closed"]
    done = say("calendar", "open", "always", "--by", "li.na")
    assert "always is open" in done.stdout
    assert (
        say("calendar", "open", "always").stderr == "insideline: always has no closure that could be ended\n"
    )


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("close", "ofice", "--until", "2h", "--why", "x"), 1, "there is no calendar ofice"),
        (("close", "office", "--until", "later", "--why", "x"), 2, "'later' is no time"),
        (
            ("close", "office", "--until", "2020-01-01 08:00", "--why", "x"),
            1,
            "2020-01-01 08:00 is over already",
        ),
        (
            ("close", "office", "--until", "2h", "--why", "x", "--prompt", "strom"),
            1,
            "there is no prompt strom",
        ),
        (("close", "office", "--until", "2h"), 2, "--why"),
        (("show", "office", "--month", "October"), 2, "'October' is no month"),
    ],
)
def test_what_makes_no_sense_is_said_so(centre: Path, words: tuple[str, ...], code: int, why: str) -> None:
    done = say("calendar", *words)
    assert done.exit_code == code
    assert why in done.stderr


PLAN = """\
grammar: 1
dialplan: main
lists: {nuisance: {deny: ["+86170."], say: refused}}
numbers:
  - {to: "8800", flow: reception/main, languages: [zh-CN, en]}
  - {to: "8004", from: {tier: diamond}, flow: logistics/main, priority: 50}
  - {to: "8004", during: {calendar: office, closed: true}, flow: reception/operator, record: never, language: en}
  - {to: "8004", flow: logistics/main, identity: deferred}
  - {to: "86xx", extension: "10{1}"}
otherwise: {flow: reception/unknown_number}
"""


@pytest.fixture
def plan(centre: Path) -> Path:
    (centre / "dialplans" / "main.yaml").write_text(PLAN, encoding="utf-8")
    return centre


def test_the_rule_that_a_call_meets_is_told_with_those_before_it(plan: Path) -> None:
    done = say("dialplan", "test", "--to", "8004", "--from", "13900000000", "--at", "2026-10-01 09:00")
    assert done.exit_code == 0, done.stderr
    assert "8004 from +8613900000000, Thu 2026-10-01 09:00 Asia/Shanghai" in done.stdout
    assert "1 rule before it is for other numbers" in done.stdout
    assert "main.yaml:6  8004 from tier diamond: no, the caller is of no tier that we know" in done.stdout
    assert "main.yaml:7: yes, 8004 was dialled and office is closed (National Day)" in done.stdout
    assert "never, whatever the flow says" in done.stdout
    assert "desk is open (thu)" in done.stdout
    assert "We connect you now." in done.stdout


def test_the_tier_the_hour_and_the_list_decide(plan: Path) -> None:
    asked = ("dialplan", "test", "--to", "8004", "--at", "2026-11-24 09:00")
    assert told(*asked, "--from", "13900000000", "--tier", "diamond")["match"]["priority"] == 50
    plain = told(*asked, "--from", "13900000000")
    assert (plain["match"]["flow"], plain["match"]["deferred"]) == ("logistics/main", True)
    assert plain["tried"][-1]["why_not"] == "office is open (tue)"
    assert plain["meets"][0]["what"] == "asked"
    denied = say(*asked, "--from", "17012345678").stdout
    assert "turned away" in denied
    assert "+8617012345678 is on the list nuisance" in denied
    assert "rings      extension 1004" in say("dialplan", "test", "--to", "8604").stdout


def test_closed_hours_show_what_is_heard(plan: Path) -> None:
    say("calendar", "close", "desk", "--until", "2h", "--why", "storm", "--prompt", "storm")
    night = (datetime.now(UTC) + timedelta(minutes=30)).isoformat()
    done = say("dialplan", "test", "--to", "8800", "--at", night)
    assert "desk closed (closed by" in done.stdout


def test_all_rules_are_listed(plan: Path) -> None:
    rows = told("dialplan", "show")
    assert [(row["to"], row["leads_to"]) for row in rows] == [
        ("8800", "reception/main"),
        ("8004", "logistics/main"),
        ("8004", "reception/operator"),
        ("8004", "logistics/main"),
        ("86xx", "extension 10{1}"),
        ("otherwise", "reception/unknown_number"),
    ]
    assert rows[2]["when"] == "during office closed"
    assert "during office closed" in say("dialplan", "show").stdout


def test_a_broken_dialplan_can_not_be_tried(plan: Path) -> None:
    (plan / "dialplans" / "main.yaml").write_text(PLAN.replace("otherwise", "otherwse"), encoding="utf-8")
    done = say("dialplan", "test", "--to", "8004")
    assert done.exit_code == 1
    assert "insideline flow check" in done.stderr


# -- through a running engine -------------------------------------------------------------------

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


class OneCalendar:
    def __init__(self) -> None:
        self.deeds: list[tuple[Any, ...]] = []

    def state(self, calendar: str, at: datetime | None = None) -> CalendarView:
        closure = ClosureView(calendar, AT, AT + timedelta(hours=8), by="li.na", why="storm", how="command")
        return CalendarView(
            calendar, "Asia/Shanghai", not self.deeds, "mon", closures=(closure,) if self.deeds else ()
        )

    def states(self) -> list[CalendarView]:
        return [self.state("office")]

    def close(self, calendar: str, until: datetime, **more: Any) -> CalendarView:
        self.deeds.append(("close", calendar, until, more["by"], more["why"], more["prompt"]))
        return self.state(calendar)

    def open(self, calendar: str, **more: Any) -> CalendarView:
        if not self.deeds:
            raise WrongState(f"{calendar} has no closure that could be ended")
        self.deeds.clear()
        return self.state(calendar)


def test_a_running_engine_is_asked_so_that_it_holds_at_once(
    engine: Parts, say: Callable[[str], Result]
) -> None:
    engine.closing = mine = OneCalendar()
    done = say("calendar close office --until 2099-01-01T20:00 --why storm --by li.na --prompt storm")
    assert done.exit_code == 0, done.stderr
    assert mine.deeds == [
        ("close", "office", datetime.fromisoformat("2099-01-01T20:00+08:00"), "li.na", "storm", "storm")
    ]
    assert "closure 2026-11-23" in done.stdout
    assert "no engine runs" not in done.stdout
    assert say("calendar open office").exit_code == 0
    assert say("calendar open office").stderr == "insideline: office has no closure that could be ended\n"


def test_a_reload_tells_what_was_taken_and_what_waits(engine: Parts, say: Callable[[str], Result]) -> None:
    answers = [
        {"ok": True, "faults": [], "changed": ["flow a/b"], "later": ["conf/queues.yaml"], "flows": "abc"},
        {"ok": True, "faults": [], "changed": [], "later": [], "flows": "abc"},
        {"ok": False, "faults": [{"pretty": "a.yaml:3:1: error[x]: y", "severity": "error"}], "changed": [],
         "later": [], "flows": "abc"},
    ]  # fmt: skip
    engine.reload = lambda by: answers.pop(0)
    done = say("reload")
    assert done.stdout == "taken: flow a/b (set abc)\nat the next start: conf/queues.yaml\n"
    assert say("reload").stdout == "nothing has changed\n"
    done = say("reload")
    assert done.exit_code == 1
    assert done.stderr == "a.yaml:3:1: error[x]: y\n1 fault; what was there serves on\n"


def test_without_an_engine_there_is_nothing_to_reload(home: Path, say: Callable[[str], Result]) -> None:
    done = say("reload")
    assert done.exit_code == 1
    assert "no engine runs" in done.stderr
