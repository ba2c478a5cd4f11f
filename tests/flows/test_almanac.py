"""Public holidays are looked up once, and are the same when they come from the file."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from engine.flows import almanac as almanacs
from engine.flows.almanac import Almanac, HolidayYear
from tests.flows.test_calendars import REPO, TEXT, TODAY

PLACES = [("CN", None, 2026), ("CN", None, 2025), ("DE", "BY", 2026), ("HK", None, 2027)]


def filled(file: Path) -> Almanac:
    almanac = Almanac(file)
    for place in PLACES:
        almanac.year(*place)
    almanac.keep()
    return almanac


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None, int]]:
    """What the package was asked for."""
    found: list[tuple[str, str | None, int]] = []

    def looked_up(*place: object) -> HolidayYear:
        found.append(place)  # type: ignore[arg-type]
        return HolidayYear({date(2026, 1, 1): "asked"}, ())

    monkeypatch.setattr(almanacs, "_looked_up", looked_up)
    return found


def test_what_is_kept_is_what_was_said(tmp_path: Path) -> None:
    first, again = filled(tmp_path / "holidays"), Almanac(tmp_path / "holidays")
    for country, region, year in PLACES:
        said, kept = first.year(country, region, year), again.year(country, region, year)
        assert kept.names == said.names
        assert len(kept.names) > 5
        assert set(kept.moved) == set(said.moved)
    assert date(2026, 1, 4) in again.year("CN", None, 2026).moved
    known = [again.knows(*place) for place in (("DE", "BY"), ("DE", "SN"), ("DE", None))]
    assert known == [True, False, False]


def test_nobody_is_asked_twice(tmp_path: Path, asked: list[tuple[str, str | None, int]]) -> None:
    filled(tmp_path / "holidays")
    assert asked == PLACES
    filled(tmp_path / "holidays")
    assert asked == PLACES


@pytest.mark.parametrize(
    "found",
    [
        b"",
        b"[]",
        b'{"version": "0.1", "years": {}}',
        b'{"version": 1}',
        b'{"version": "%s", "years": {"CN - 2026": {"names": {"no day": "x"}, "moved": []}}}',
        b'{"version": "%s", "years": {"CN - 2026": 7}}',
        b"\xff\xfe",
    ],
)
def test_a_file_that_says_nothing_is_written_anew(
    tmp_path: Path, found: bytes, asked: list[tuple[str, str | None, int]]
) -> None:
    file = tmp_path / "holidays"
    file.write_bytes(found.replace(b"%s", almanacs.version("holidays").encode()))
    filled(file)
    assert asked == PLACES
    filled(file)
    assert asked == PLACES


def test_a_folder_that_can_not_be_written_is_said_and_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    with capture_logs() as logs:
        almanac = filled(tmp_path / "cache" / "holidays")
    assert [one["event"] for one in logs] == ["holidays.cache_unreadable", "holidays.cache_not_written"]
    assert almanac.year("CN", None, 2026).names


LATER = """
import sys
from datetime import date
from pathlib import Path
from engine.flows.almanac import Almanac
from engine.flows.calendars import load_calendars

almanac = Almanac(Path(sys.argv[2]))
found, faults = load_calendars(Path(sys.argv[1]), today=date.fromisoformat(sys.argv[3]), almanac=almanac)
assert found is not None
print(found.day("office", date(2026, 2, 17)).why, "holidays" in sys.modules)
"""


def test_a_later_start_does_not_read_the_package(tmp_path: Path) -> None:
    file = tmp_path / "calendars.yaml"
    file.write_text(TEXT, encoding="utf-8")

    def start(today: date = TODAY) -> str:
        places = [str(file), str(tmp_path / "holidays"), today.isoformat()]
        done = subprocess.run(
            [sys.executable, "-c", LATER, *places], capture_output=True, text=True, cwd=REPO
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    assert start() == "Chinese New Year (Spring Festival) True"
    assert start() == "Chinese New Year (Spring Festival) False"
    assert (
        start(date(2027, 1, 1)) == "Chinese New Year (Spring Festival) True"
    )  # the year after it is looked up
