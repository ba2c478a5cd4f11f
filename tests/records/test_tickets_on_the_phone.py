"""Tickets that callers open, as callers, people behind the desk and plugins meet them."""

from __future__ import annotations

from typing import Any

from engine.records import numbering

OPEN = """
open:
  - answer
  - id: complaint
    ticket:
      kind: complaint
      group: exceptions
      data: {about: late, from: "{caller.number}"}
      due: 4h
      calendar: office
      into: ticket
      failed: sorry
  - say: number_is
  - hangup
sorry:
  - play: sorry
  - hangup
"""


def test_a_caller_hears_the_number_of_the_ticket_and_it_stands_in_the_table(desk: Any) -> None:
    centre = desk(OPEN)
    caller = centre.caller(number="+8613800000007").dials("8000")
    caller.hears("number_is")
    caller.hangs_up()
    ticket = centre.one("tickets")
    assert numbering.is_number(ticket["number"])
    assert (ticket["kind"], ticket["group"], ticket["state"]) == ("complaint", "exceptions", "open")
    assert (ticket["caller"], ticket["call"]) == ("+8613800000007", caller.uuid)
    # Nine on Monday, and four hours of work: over the lunch break to half past two in Shanghai.
    assert str(ticket["due"]).startswith("2026-11-23 06:30:0")
    [told] = centre.journal(kind="ticket.opened")
    assert told.data["ticket"] == ticket["number"]
