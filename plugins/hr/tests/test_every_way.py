"""Employees, families and the desk who take every way of the line: each key, wrong keys, silence, hanging up, and all
that may go wrong behind it; every other call is in English."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.testing.explorer import Explorer

from .conftest import LINE, NUMBER, PINS, Line

#: Parts that no caller of the line comes to, with their parameters: they are walked on their own.
PARTS = {
    "callback_hr": {
        "callback": {"id": "x", "call": "first", "queue": "hr", "data": {"owner": "8042", "ticket": "1"}}
    },
}
WALKED = ("main", "employee", "requests", "feedback", "follow_up", "relatives", "hardship", "desk", "about")
FLOWS = [f"hr/{one}" for one in (*WALKED, *PARTS)]


def but(**values: Any) -> Callable[[Any], Any]:
    """The answer, but for these fields."""
    return lambda answer: answer.model_copy(update=values)


ANSWERS = {
    "hr.follow_up": {
        "answered in words": but(state="answered", reply="It was so.", clip=""),
        "answered by voice": but(state="answered", reply="", clip="nobody-has-it"),
        "worked on": but(state="working"),
        "waiting": but(state="waiting"),
    },
    "hr.take_feedback": {"its clip is gone": but(clips=["nobody-has-it"])},
    "hr.requests": {"none": lambda _: []},
    "hr.leave": {"none": lambda _: []},
    "hr.benefits": {"none": lambda _: []},
    "hr.branches": {"none": lambda _: []},
    "hr.ask_for_help": {"again": but(again=True)},
}
#: What only a state of its own leads to: test_feedback walks it.
ELSEWHERE = {"hr/follow_up agree: command next", "hr/follow_up unknown: choose cases.1.otherwise"}
LANGUAGES = {"hr/main:greet.1": ("options.1", "options.2", "silence")}


@pytest.fixture
def explorer(centre: Any, monkeypatch: pytest.MonkeyPatch) -> Explorer:
    outbound = centre.app.records.callbacks.outbound
    monkeypatch.setattr(type(outbound), "check", lambda *_, **__: "")  # any number may be called
    line = Line(centre)
    caller = line.nobody()
    code = line.files(caller)
    caller.hangs_up()
    centre.app.store.flush()
    typed = {
        "hr/employee.identify": (f"30011 {PINS['30011']}",),
        "hr/feedback.identify": (f"30011 {PINS['30011']}",),
        "hr/employee.month": ("202610",),
        "hr/requests.month": ("202610",),
        "hr/requests.amount": ("100 1", "99999 1"),
        "hr/follow_up.code": (code, "0000000001"),
        "hr/hardship.employee": ("30011", "39999"),
        "hr/hardship.number": ("13802881234 1",),
        "hr/staff.agent_number": ("8043",),
        "hr/staff.code": ("4843",),
        "hr/staff.number": (centre.one("tickets", kind="feedback")["number"],),
    }
    return Explorer(centre, typed=typed, answers=ANSWERS, always=LANGUAGES)


def test_every_way_of_the_employees_line(explorer: Explorer) -> None:
    for flow, params in PARTS.items():
        explorer.explores("8999", flow=f"hr/{flow}", params=params, number=NUMBER)
    explorer.explores(LINE, number=NUMBER)
    missed = explorer.missed(*FLOWS)
    assert set(missed) == ELSEWHERE


def test_every_way_of_the_desk_by_phone(centre: Any, explorer: Explorer) -> None:
    number = centre.one("tickets", kind="feedback")["number"]

    def owed() -> None:
        """It is still to be answered."""
        if centre.one("tickets", number=number)["state"] == "solved":
            centre.app.records.work(
                lambda session: centre.app.records.desk(session).reopen(number, "once more")
            )

    explorer.explores("*19", number="1043", origin="internal", prepare=owed)
    assert explorer.missed("hr/staff") == []
