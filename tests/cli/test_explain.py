"""``insideline explain``, beside a running engine and without one: what is told is the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from engine.clock import Clock, VirtualClock
from engine.store.store import Store
from engine.types import JournalEntry
from engine.web.parts import Parts
from tests.acd.desk import Desk

Say = Callable[..., Result]
FIRST, SECOND = "11111111-aaaa", "22222222-bbbb"


@pytest.fixture
def rows() -> list[JournalEntry]:
    """Two calls and three agents, some days ago; the second caller waits for 40 s."""
    clock = VirtualClock()
    desk = Desk(
        clock,
        ("8012", {"skills": {"waybill": "3"}}),
        ("8013", {"skills": {"waybill": "1"}}),
        ("8014", {"login": "by_hand"}),
    )
    clock.advance(60)
    desk.acd.pause("8013", "lunch")
    desk.enter(FIRST)
    desk.answer("8012")
    clock.advance(20)
    desk.journal.append(JournalEntry(clock.now(), "call.arrived", SECOND, data={"number": "+8613800000000"}))
    desk.enter(SECOND, skills={"waybill": 2})
    clock.advance(10)
    desk.acd.ready("8013")
    clock.advance(30)
    desk.hang_up(FIRST)
    desk.answer("8012")
    clock.close()
    return desk.journal


WAITED = """\
call 22222222 from +8613800000000, in desk from {began}: answered by 8012, waited 40 s

   0.0 s  came into desk as number 1; needs waybill 2
            8012: talks (11111111)
            8013: has a pause (lunch)
            logged out: 8014
    10 s  8013 became free: it has waybill 1, 2 is needed
    40 s  offered to 8012: it became free, and this call was first in the queue
            8013: has waybill 1, 2 is needed
            logged out: 8014
    40 s  answered by 8012 after 40 s of waiting
"""


def _began(rows: list[JournalEntry]) -> str:
    from engine.cli.show import moment

    return moment(next(row.at for row in rows if row.call == SECOND).isoformat())


def _keep(store: Any, rows: list[JournalEntry]) -> None:
    for row in rows:
        store.journal(row)
    assert store.flush()


def test_a_call_is_explained_by_a_running_engine(engine: Parts, say: Say, rows: list[JournalEntry]) -> None:
    _keep(engine.store, rows)
    done = say("explain call 2222")
    assert done.exit_code == 0, done.stderr
    assert done.stdout == WAITED.format(began=_began(rows))


def test_and_the_same_without_one(home: Path, say: Say, rows: list[JournalEntry]) -> None:
    (home / "var").mkdir()
    store = Store(f"sqlite:///{home}/var/insideline.db", Clock(), home / "var")
    store.open()
    _keep(store, rows)
    store.close()
    assert say(f"explain call {SECOND}").stdout == WAITED.format(began=_began(rows))
    since = rows[0].at.isoformat()
    until = (rows[-1].at + timedelta(seconds=1)).isoformat()
    shown = say(f"explain agent 8013 --since {since} --until {until}").stdout.splitlines()
    assert shown[0].endswith("serves desk (tier 1)")
    assert shown[1] == "logged in without a call while somebody waited in its queues: 40 s"
    assert [re.sub(r"^[\d:-]+( [\d:]+)?", "", line).strip() for line in shown[3:]] == [
        "1:00  ready",
        "30 s  paused: lunch",
        "meanwhile 1 caller waited in its queues, up to 10 s",
        "31 s  ready",
        "22222222 waited in desk for 30 s: the agent has waybill 1, 2 is needed",
    ]


def test_programs_get_reasons_with_names(
    engine: Parts, told: Callable[[str], Any], rows: list[JournalEntry]
) -> None:
    _keep(engine.store, rows)
    found = told("explain call 2222")
    assert [one["kind"] for one in found["moments"]] == [
        "queue.entered",
        "agent.state",
        "offer.made",
        "queue.answered",
    ]
    assert found["moments"][2]["reason"]["code"] == "turn"
    codes = {other["agent"]: other["reason"]["code"] for other in found["moments"][2]["others"]}
    assert codes == {"8013": "lacks", "8014": "logged_out"}


def test_what_nobody_knows_is_one_clear_line(engine: Parts, say: Say, rows: list[JournalEntry]) -> None:
    _keep(engine.store, rows)
    assert say("explain call 9999").stderr == "insideline: there is no call 9999\n"
    assert say("explain agent 9999").stderr == "insideline: the journal knows no agent 9999\n"
    assert say("explain call 2").exit_code == 1
