"""Reports and commands that departments bring, by the command line, in a home without an engine."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from engine.cli.init import make_home
from engine.cli.main import cli
from engine.cli.offline import store_of
from tests.shipped import compiled

Insideline = Callable[..., Result]
HEAD = ("number", "origin", "destination", "due", "handed_to", "events")
ROWS = (
    ("44019001", "广州", "昆明", "2026-11-20 18:00", "", "2026-11-18 10:00 accepted 广州"),
    ("44019002", "广州", "成都", "2026-11-22 18:00", "", "2026-11-20 10:00 accepted 广州"),
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with tables, and no engine."""
    folder = tmp_path_factory.mktemp("centre") / "home"
    make_home(folder)
    with compiled(folder):
        made = CliRunner().invoke(cli, ["db", "upgrade", "--home", str(folder)])
    assert made.exit_code == 0, made.output
    with (folder / "new.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEAD, *ROWS])
    return folder


@pytest.fixture
def insideline(place: Path, monkeypatch: pytest.MonkeyPatch) -> Insideline:
    """The command line in that home, with two waybills taken in."""
    monkeypatch.chdir(place)

    def run(*words: str) -> Result:
        return CliRunner().invoke(cli, list(words))

    taken = run("logistics", "import", "new.csv")
    assert (taken.exit_code, taken.stdout) == (0, "2 waybills\n")
    return run


def test_what_was_imported_is_tracked(insideline: Insideline) -> None:
    (found,) = json.loads(insideline("logistics", "track", "44019001", "--json").stdout)
    assert (found["number"], found["destination"]) == ("44019001", "昆明")
    assert "昆明" in insideline("logistics", "track", "44019001").stdout


def test_a_refusal_is_told_with_its_reason_and_exit_1(insideline: Insideline) -> None:
    done = insideline("logistics", "track", "44019009")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "insideline: there is no waybill 44019009\n"
    assert "nowhere.csv can't be read" in insideline("logistics", "import", "nowhere.csv").stderr


def test_a_report_takes_its_arguments_as_options_and_tells_moments_in_the_centre_s_time(
    insideline: Insideline,
) -> None:
    done = insideline("report", "logistics.late", "--at", "2026-11-23 09:00", "--hours", "48")
    assert done.exit_code == 0, done.stderr
    assert "44019001" in done.stdout
    assert "44019002" not in done.stdout
    assert "2026-11-20 18:00" in done.stdout
    found = json.loads(
        insideline("report", "logistics.late", "--at", "2026-11-23 09:00", "--city", "成都", "--json").stdout
    )
    assert [(one["number"], one["hours"]) for one in found] == [("44019002", 15)]


@pytest.mark.parametrize(
    ("words", "shows"),
    [
        (("logistics", "track", "44019001", "--home", "{home}"), "昆明"),
        (("--home", "{home}", "logistics", "track", "44019001"), "昆明"),
        (("logistics", "--home={home}", "track", "44019001"), "昆明"),
        (("report", "logistics.late", "--at", "2026-11-23 09:00", "--home={home}"), "44019001"),
        (("report", "--home", "{home}", "logistics.late", "--at", "2026-11-23 09:00"), "44019001"),
        (("report", "calls", "--home", "{home}"), ""),
        (("report", "list", "--home", "{home}"), "logistics.late"),
    ],
)
def test_the_home_may_be_said_anywhere(
    insideline: Insideline,
    place: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    shows: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    done = insideline(*(word.format(home=place) for word in words))
    assert (done.exit_code, done.stderr) == (0, "")
    assert shows in done.stdout


def test_the_home_that_is_said_wins_over_the_one_we_are_in(
    insideline: Insideline, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_home(tmp_path / "other")  # without tables, and so without waybills
    monkeypatch.chdir(tmp_path / "other")
    with compiled(tmp_path / "other"):
        assert insideline("logistics", "track", "44019001").exit_code == 1
    assert "昆明" in insideline("logistics", "track", "44019001", "--home", str(place)).stdout
    wrong = insideline("logistics", "track", "44019001", "--home", str(tmp_path / "none"))
    assert wrong.exit_code == 2
    assert "does not exist" in wrong.stderr


def test_a_past_that_is_too_short_for_the_departments_stories_is_refused(insideline: Insideline) -> None:
    for days in ("2d", "91d", "soon"):
        done = insideline("data", "seed", "--history", days)
        assert done.exit_code == 2
        assert "is none of 14d to 90d; 0 for no past" in done.stderr


def test_reports_are_listed_and_a_wrong_name_is_told(insideline: Insideline) -> None:
    listed = json.loads(insideline("report", "list", "--json").stdout)
    (found,) = [one for one in listed if one["name"] == "logistics.late"]
    assert found["options"] == ["--at", "--hours", "--city"]
    wrong = insideline("report", "logistics.lat")
    assert wrong.exit_code == 1
    assert 'did you mean "logistics.late"?' in wrong.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("report", "logistics.late", "--at", "yesterday"), "write 2026-11-01"),
        (("logistics", "track"), "Missing argument"),
        (("logistics", "trak", "1"), "No such command"),
    ],
)
def test_what_does_not_fit_is_told_before_anything_is_asked(
    insideline: Insideline, words: tuple[str, ...], said: str
) -> None:
    done = insideline(*words)
    assert done.exit_code == 2
    assert said in done.stderr


SHOP = '''
"""A shop with a command that owes something."""

from datetime import timedelta

from engine.api import CliCommand, Context, Department, hookimpl

department = Department("shop")


def owed(ctx: Context, what: str, broken: bool = False) -> dict[str, list[dict[str, str]]]:
    found = ctx.tickets.open("owed", group="desk", within=timedelta(hours=4), calendar="office", data={"what": what})
    if broken:
        raise ValueError("no")
    return {"owed": [{"ticket": found.number, "due": found.due}], "paid": []}


@hookimpl
def register_commands() -> list[CliCommand]:
    return [CliCommand("owed", owed)]


@hookimpl
def register_department() -> Department:
    return department
'''


@pytest.fixture
def shop(place: Path, insideline: Insideline) -> Insideline:
    """The command line of a home that has the shop, too."""
    (place / "plugins" / "shop").mkdir(exist_ok=True)
    (place / "plugins" / "shop" / "plugin.py").write_text(SHOP, encoding="utf-8")
    return insideline


def test_a_command_opens_a_ticket_and_its_tables_have_titles(shop: Insideline) -> None:
    done = shop("shop", "owed", "a lamp")
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "owed"
    assert lines[-2:] == ["paid", "nothing"]
    found = json.loads(shop("shop", "owed", "a lamp", "--json").stdout)
    assert (list(found), found["paid"]) == (["owed", "paid"], [])
    assert found["owed"][0]["ticket"] in str(tickets())


def test_a_command_that_fails_has_opened_no_ticket(shop: Insideline) -> None:
    before = tickets()
    assert shop("shop", "owed", "a chair", "--broken").exit_code == 1
    assert tickets() == before


def tickets() -> list[str]:
    """The numbers of all tickets."""
    with store_of(Path()) as store:
        return store.read(lambda session: list(session.scalars(text("select number from tickets"))), 10.0)


@pytest.fixture
def answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Insideline:
    """The command line in a home with what the departments add to the sample company's two weeks (its ordinary calls
    take longest to write, and nothing here is about them)."""
    folder = tmp_path / "home"
    make_home(folder)
    monkeypatch.setattr("engine.app.history._queues", lambda made, parties: {})

    def run(*words: str) -> Result:
        return CliRunner().invoke(cli, list(words))

    monkeypatch.chdir(folder)
    with compiled(folder):
        assert run("data", "seed").exit_code == 0
    return run


def test_the_records_of_commands_and_reports_are_those_of_the_engine(answered: Insideline) -> None:
    """Who sits where, what a department's tickets are, what became of notices: the same beside the engine."""
    with store_of(Path.cwd(), readonly=False) as store:
        store.open()
        branch = store.read(
            lambda session: session.execute(
                text("SELECT number FROM tickets WHERE kind = 'feedback' AND away_from = 'guangzhou_baiyun'"
                     " AND state = 'open'")
            ).scalars().first(), 10.0
        )  # fmt: skip
    kept = answered("hr", "take", branch, "8044")
    assert (kept.exit_code, "kept away from guangzhou_baiyun, and 8044 is there" in kept.stderr) == (1, True)
    taken = answered("hr", "take", branch, "8043")
    assert (taken.exit_code, taken.stdout) == (0, f"feedback {branch} is with 8043\n")
    assert answered("report", "logistics.pickups", "--days", "14").exit_code == 0
