"""Counting faults by area: each meter once while its time lasts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

FAULTS = """
ask:
  - answer
  - tally: {name: faults, by: {area: "{caller.number}"}, once: "{caller.number}", window: 2h, into: tally}
  - choose:
      - {when: tally.again, go: known}
      - {when: tally.first, go: first}
      - {otherwise: counted}
known:
  - play: known
  - hangup
first:
  - play: first_one
  - hangup
counted:
  - say: counted
  - hangup
"""
SHARED = FAULTS.replace('{area: "{caller.number}"}', '{area: "0201"}')


def hears(centre: Any, number: str, prompt: str, **values: Any) -> None:
    caller = centre.caller(number=number).dials("8000")
    caller.hears(prompt, **values)
    caller.hangs_up()


def test_the_first_the_second_and_the_same_again(desk: Any) -> None:
    centre = desk(SHARED)
    hears(centre, "+8613800000001", "first_one")
    hears(centre, "+8613800000002", "counted")
    hears(centre, "+8613800000001", "known")
    [row] = centre.app.records.read(lambda session: rows(session, centre))
    assert (row["name"], row["area"], row["count"]) == ("help.faults", "area=0201", 2)
    centre.virtual.shift_wall(timedelta(hours=3))
    hears(centre, "+8613800000001", "first_one")


def rows(session: Any, centre: Any) -> Any:
    from engine.records import tallies

    return tallies.rows(session, centre.virtual.now())


def test_a_call_that_is_taken_up_in_the_step_is_not_told_that_it_was_counted(desk: Any) -> None:
    centre = desk(SHARED)
    caller = centre.caller().dials("8000")
    caller.hears("first_one")
    centre.engine.kill()
    centre.engine.start()
    centre.clock.advance(10)
    assert [entry.data["first"] for entry in centre.journal(kind="flow.tally")] == [True]
