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


def test_an_engine_that_dies_behind_the_deed_opens_no_second_ticket(desk: Any) -> None:
    centre = desk(OPEN)
    caller = centre.caller().dials("8000")
    caller.hears("number_is")
    number = centre.one("tickets")["number"]
    centre.engine.kill()
    centre.engine.start()
    centre.clock.advance(20)
    assert [row["number"] for row in centre.rows("tickets")] == [number]


def test_a_redial_hears_the_first_number(desk: Any) -> None:
    centre = desk(OPEN.replace("into: ticket", 'into: ticket\n      once: "{caller.number}"'))
    heard = []
    for number in ("+8613800000001", "+8613800000001", "+8613800000002"):
        caller = centre.caller(number=number).dials("8000")
        heard.append(caller.hears("number_is").values["ticket.number"])
        caller.hangs_up()
    assert heard[0] == heard[1] != heard[2]
    assert len(centre.rows("tickets")) == 2


def test_when_the_database_is_away_the_caller_hears_so(desk: Any, monkeypatch: Any) -> None:
    from engine.errors import StoreDown

    centre = desk(OPEN)

    def away(*_: Any, **__: Any) -> Any:
        raise StoreDown("the database is away")

    monkeypatch.setattr(centre.app.store, "deed", away)
    caller = centre.caller().dials("8000")
    caller.hears("sorry")
    assert centre.rows("tickets") == []


def test_an_overdue_ticket_is_escalated_once_and_its_group_is_told(desk: Any) -> None:
    notify = 'groups: {leads: {ways: [{phone: "1002", tries: 1}]}}'
    centre = desk(OPEN.replace("due: 4h", "due: 30m").replace("calendar: office", "escalate: leads"), notify)
    caller = centre.caller().dials("8000")
    number = caller.hears("number_is").values["ticket.number"]
    caller.hangs_up()
    centre.clock.advance("29m")
    assert centre.rows("notices") == []
    ring = centre.simulator.phone("1002").wait_ring(120.0)
    assert ring is not None
    centre.clock.advance("10m")
    assert centre.one("tickets")["escalated"] is not None
    notice = centre.one("notices")
    assert notice["text"].endswith("is overdue, with exceptions.")
    assert number in notice["values"]
    assert len(centre.journal(kind="ticket.escalated")) == 1
