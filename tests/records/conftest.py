from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.testing.home import Home

CALENDARS = """\
grammar: 1
calendars:
  always: {timezone: Asia/Shanghai, week: {mon-sun: "00:00-24:00"}}
  office:
    timezone: Asia/Shanghai
    week: {mon-fri: ["08:30-12:00", "13:30-17:30"], sat-sun: closed}
    days: {"2026-11-25": {closed: true}}
"""
TRUNKS = """\
grammar: 1
trunks: [{name: pstn, host: 127.0.0.1}]
outbound: {allow: ["+861"], deny: ["+8616"], per_number: 20}
"""


def desk_home(home: Home, blocks: str, notify: str = "", **more: Any) -> Home:
    """A centre whose number 8000 runs ``blocks``; +861… may be dialled outside."""
    home.write("conf/calendars.yaml", CALENDARS).write("conf/trunks.yaml", TRUNKS)
    if notify:
        home.write("conf/notify.yaml", f"grammar: 1\n{notify}")
    home.prompts(
        bye="Goodbye.",
        no_agents="No agent is at work.",
        callback_greeting="You asked us to call you. Press 1 to speak to us, 2 if it is done.",
        callback_connecting="You asked us to call you. We connect you now.",
        callback_kept="You are number {position:count} in line. Press 1 to stay, 2 to be called back.",
        callback_stays="We will call you back.",
        press_to_acknowledge="Press {key:digits} to see to it.",
        notice_acknowledged="Noted.",
        ticket_overdue="Ticket {number:digits} is overdue, with {owner}.",
        number_is="Your ticket is {ticket.number:digits}, due {ticket.due:date}.",
        fault="A fault in area {area:digits}.",
        counted="There are {tally.count:count} in your area.",
        first_one="You are the first.",
        known="We know of it already.",
        sorry="That did not work.",
        owed="We will call you.",
    )
    home.flow("help/main", blocks, **more)
    return home.number("8000", "help/main")


@pytest.fixture
def desk(home: Home, centre_of: Any) -> Callable[..., Any]:
    """``desk(blocks, notify="groups: …")``: a centre."""

    def make(blocks: str, notify: str = "", **more: Any) -> Any:
        return centre_of(desk_home(home, blocks, notify, **more))

    return make
