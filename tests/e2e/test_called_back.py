"""Departments call back, experts pass callers on, and a customer joins: on a real FreeSWITCH, with keys and sound."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.house import House
from tests.e2e.keyed import Keyed
from tests.e2e.test_experts import asks, at
from tests.e2e.test_orders import regions
from tests.e2e.test_talks import hears, state
from tests.sip.phone import Call, Telephone

pytestmark = pytest.mark.switch


def ready(house: House, agent: str) -> None:
    house.wait_for(lambda: state(house, agent) in ("ready", "paused", "wrap_up"), f"{agent} is not there", 30)
    house.post(f"/agents/{agent}/ready")


def answers(house: House, phone: Telephone) -> Call:
    """The agent's phone rings, and the two talk."""
    ring = phone.wait_ring(30)
    ring.answer()
    house.wait_state("talking")
    house.clock.sleep(1.0)
    return ring


def accepts(house: House, carrier: Telephone, number: str, prompt: str) -> Call:
    """Whoever is called back answers, and presses 1."""
    out = carrier.wait_ring(40)
    assert number in out.invite.uri
    out.answer()
    call = house.wait_step(prompt)
    house.wait_for(
        lambda: "play_and_get_digits" in house.switch(f"uuid_getvar {call['id']} current_application"),
        "no question",
    )
    house.clock.sleep(0.4)
    out.press("1")
    return out


def quiet(house: House) -> None:
    house.wait_for(lambda: not house.calls(), "a call did not end", 30)


def called_back(house: House, number: str) -> dict[str, Any]:
    """The CDR of the call back to that number, once it is done."""

    def done() -> list[dict[str, Any]]:
        rows = house.cli("callback", "list", "--all")
        return [one for one in rows if one["number"] == number and one["state"] == "done"]

    house.wait_for(done, "not done")
    found = [row for row in house.cli("cdr", "list") if row["data"]["direction"] == "out"]
    return next(row for row in found if row["number"] == number)


def facts(house: House, question: int) -> dict[str, Any]:
    return {row["fact"]: row["value"] for row in house.cli("expert", "show", str(question))}


def test_who_is_called_back_passed_on_and_joined(house: House) -> None:
    carrier = house.carrier("+861")
    regions(house)
    house.start("--switch", "freeswitch")
    _a_dealer(house, carrier)
    one, two = house.desk("1035"), house.desk("1036")
    _a_question(house, carrier, one, two)
    _the_customer_of_the_first_line(house, carrier, one)
    _the_customer_of_an_agent(house, one)
    assert house.stop() == 0


def _a_dealer(house: House, carrier: Telephone) -> None:
    """A dealer does not wait for the region's supervisor, and is called back by him."""
    supervisor = house.desk("1021")
    ready(house, "8021")
    house.post("/agents/8021/pause", reason="meeting")
    dealer = Keyed(house, house.outside("13802880002"), "8001")
    dealer.at("greet[2] menu", "1").at("main[1] menu", "0").reaches("hours[3] queue")
    house.clock.sleep(1.0)
    dealer.call.press("1")
    dealer.ends()
    ready(house, "8021")
    out = accepts(house, carrier, "+8613802880002", "greet[1] menu")
    desk = answers(house, supervisor)
    [view] = house.calls()
    assert view["told"]["dealer"] == "44030002"
    hears(house, out, desk, 1013, "the supervisor does not hear the dealer")
    hears(house, desk, out, 1237, "the dealer does not hear the supervisor")
    desk.hang_up()
    quiet(house)
    cdr = called_back(house, "+8613802880002")
    assert (cdr["outcome"], cdr["agent"], cdr["flow"], cdr["department"]) == (
        "talked", "8021", "orders/callback_orders", "orders",
    )  # fmt: skip
    house.post("/agents/8021/ready")
    acts = house.cli("report", "orders.acts", "--who", "8021")
    assert [(one["what"], one["about"]) for one in acts] == [("talked", cdr["call"])]


def _a_question(house: House, carrier: Telephone, one: Telephone, two: Telephone) -> None:
    """It is dictated, called back about, passed on to another expert by keys without asking; three marks."""
    ready(house, "8035")
    house.post("/agents/8035/pause", reason="meeting")
    staff = asks(house, "13900000001", "2")
    staff.press("1")
    at(house, staff, "later[1] menu")
    house.clock.sleep(0.6)
    staff.press("1")
    at(house, staff, "call_back[1] dictate")
    house.wait_for(
        lambda: house.switch(f"uuid_getvar {house.calls()[0]['id']} current_application").strip() == "record",
        "not recorded",
        30,
    )
    staff.say_tone(600, 2.5)
    house.clock.sleep(3.0)
    staff.press("#")
    house.clock.sleep(1.5)
    staff.press("3")
    staff.wait_over(40)
    quiet(house)
    ready(house, "8035")
    out = accepts(house, carrier, "+8613900000001", "greet[1] menu")
    first = answers(house, one)
    hears(house, out, first, 1013, "the expert does not hear who asks")
    ready(house, "8036")
    first.press("*28036#")
    second = answers(house, two)
    assert first.over, "the first expert is free"
    hears(house, out, second, 1013, "the second expert does not hear who asks")
    hears(house, second, out, 1237, "who asks does not hear the second expert")
    second.hang_up()
    for step, mark in (("solution", "5"), ("attitude", "4"), ("effort", "3")):
        house.wait_step(f"{step}[1] rate")
        house.clock.sleep(0.6)
        out.press(mark)
    house.wait_for(lambda: out.over, "not taken leave of", 30)
    house.command("agent", "disposition", "8036", "answer")
    found = facts(house, 1)
    assert (found["staff"], found["expert"], found["last_expert"], found["closed_by"]) == (
        "60101", "8035", "8036", "8036",
    )  # fmt: skip
    assert (found["disposition"], found["answer"], bool(found["clip"])) == ("answer", "3501", True)
    assert (found["solution"], found["attitude"], found["effort"]) == (5, 4, 3)
    cdr = called_back(house, "+8613900000001")
    assert (cdr["call"], cdr["outcome"]) == (found["called_back"], "talked")
    assert list(cdr["data"]["agents"]) == ["8035", "8036"], cdr["data"]


def _the_customer_of_the_first_line(house: House, carrier: Telephone, expert: Telephone) -> None:
    """Its customer waits at a telephone: the expert rings it, and all three talk."""
    ready(house, "8035")
    staff = asks(house, "13900000002", "1")
    talk = answers(house, expert)
    talk.press("*5")
    house.clock.sleep(1.0)
    talk.press("013700000003#")
    customer = carrier.wait_ring(20)
    assert "+8613700000003" in customer.invite.uri
    customer.answer()
    house.clock.sleep(1.5)
    talk.press("*3")
    house.clock.sleep(1.5)
    hears(house, customer, staff, 1013, "the first line does not hear its customer")
    hears(house, customer, talk, 1013, "the expert does not hear the customer")
    hears(house, staff, customer, 1237, "the customer does not hear the first line")
    talk.hang_up()
    hears(house, customer, staff, 1571, "the two were not left together")
    staff.hang_up()
    house.wait_for(lambda: customer.over, "the customer was left over", 10)
    quiet(house)
    house.command("agent", "disposition", "8035", "ticket")
    found = facts(house, 2)
    assert (found["staff"], found["holding"], found["disposition"]) == ("60101", True, "ticket")


def _the_customer_of_an_agent(house: House, expert: Telephone) -> None:
    """The first line is an agent of the centre, whose caller is the customer: the queue of the experts is asked."""
    agent = house.desk("1001")
    ready(house, "8012")
    customer = Keyed(house, house.outside("13900000003"), "8004")
    customer.at("greet[2] menu", "1").at("main[1] menu", "0")
    talk = answers(house, agent)
    ready(house, "8035")
    talk.press("*5")
    house.clock.sleep(1.0)
    talk.press("8302#")
    ring = expert.wait_ring(30)
    ring.answer()
    house.clock.sleep(1.5)
    talk.press("*3")
    house.clock.sleep(1.5)
    hears(house, customer.call, ring, 1013, "the expert does not hear the customer")
    hears(house, ring, customer.call, 1237, "the customer does not hear the expert")
    hears(house, talk, ring, 1571, "the expert does not hear the first line")
    talk.press("*2")
    house.wait_for(lambda: talk.over, "the first line was not let go", 5)
    hears(house, ring, customer.call, 1237, "the two were not left together")
    ring.hang_up()
    customer.call.hang_up()
    quiet(house)
    house.command("agent", "disposition", "8035", "gap")
    found = facts(house, 3)
    assert (found["staff"], found["holding"], found["expert"], found["disposition"]) == (
        "8012", True, "8035", "gap",
    )  # fmt: skip
