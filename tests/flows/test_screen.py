"""What the desk sees of every caller: past calls and tickets, and nothing of who is not to be known."""

from __future__ import annotations

from typing import Any

from engine.testing.home import Home

FLOW = """
wait:
  - answer
  - identify: number
  - queue: {name: desk, full: bye, too_long: bye, no_agents: bye}
  - go: bye
bye:
  - hangup
"""
NUMBER = "+8613800000007"


def shop(home: Home, more: str = "") -> Home:
    home.write(
        "plugins/shop/sample/parties.csv",
        f"kind,code,name,stage,numbers\ncustomer,1,Wang,kept,{NUMBER}\n",
    )
    return home.flow("shop/main", FLOW).number("8000", "shop/main", more)


def talk_and_tickets(centre: Any) -> dict[str, Any]:
    """Somebody calls, talks, and has two tickets; what the desk sees when they call again."""
    first = centre.caller(number=NUMBER).dials("8000")
    agent = centre.agent("201").ready()
    agent.is_offered(first).answers()
    agent.hangs_up()
    first.hangs_up()
    records = centre.app.records
    party = centre.app.parties.by_number(NUMBER)

    def open_two(session: Any) -> None:
        desk = records.desk(session, department="shop")
        desk.open("late", party=party.id)
        desk.answer(desk.open("fee", caller=NUMBER).number, "paid back")

    records.work(open_two)
    centre.clock.advance(30)
    centre.app.store.flush()
    again = centre.caller(number=NUMBER).dials("8000")
    centre.clock.advance(2)
    [call] = [one for one in centre.calls() if one.id == again.uuid]
    return dict(call.popped)


def test_the_desk_sees_past_calls_and_tickets(home: Home, centre_of: Any) -> None:
    seen = talk_and_tickets(centre_of(shop(home)))
    assert seen["stage"] == "kept"
    assert [one.split(" ", 2)[2] for one in seen["past_calls"]] == ["desk: talked with 201"]
    assert [one.split(" ", 1)[1] for one in seen["open_tickets"]] == ["late: open"]
    assert [one.split(" ", 1)[1] for one in seen["solved_tickets"]] == ["fee: solved"]


def test_who_is_not_to_be_known_has_no_past(home: Home, centre_of: Any) -> None:
    centre = centre_of(shop(home, "identity: deferred"))
    caller = centre.caller(number=NUMBER).dials("8000")
    centre.clock.advance(2)
    [call] = [one for one in centre.calls() if one.id == caller.uuid]
    assert dict(call.popped) == {}
