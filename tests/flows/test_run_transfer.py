"""The transfer step in a running flow: to a number, an extension, an agent; every way out; hang-ups; restarts."""

from __future__ import annotations

from typing import Any

import pytest

from engine.testing.home import Home
from tests.calls.test_adoption import killed
from tests.flows.shop import Shop, shop_home

TRUNKS = """\
grammar: 1
trunks:
  - {name: pstn, host: 192.0.2.20}
outbound: {allow: ["+8620", "+86138"], ours: ["+8620888866"], caller: "+862088886600", per_number: 2}
"""
WAYS = """
busy:
  - play: Busy.
  - hangup
no_answer:
  - play: No answer.
  - hangup
refused:
  - play: Refused.
  - hangup
failed:
  - play: Failed.
  - hangup
"""


def blocks(target: str) -> str:
    return (
        f"""
greet:
  - answer
  - transfer: {{{target}, ring: 20s, into: talk, busy: busy, no_answer: no_answer, refused: refused, failed: failed}}
  - {{journal: {{event: note, data: {{to: "{{talk.to}}", by: "{{talk.by}}", seconds: "{{talk.seconds}}"}}}}}}
  - play: Thank you.
  - hangup
"""
        + WAYS
    )


@pytest.fixture
def house(home: Home, shop: Shop) -> Any:
    def make(target: str) -> Any:
        home.write("conf/trunks.yaml", TRUNKS)
        return shop(blocks(target))

    return make


def line(centre: Any) -> Any:
    """The call that went out last."""
    centre.clock.advance(0.3)
    assert centre.simulator.lines, "nothing was dialled"
    return centre.simulator.lines[-1]


def nobody_lifts(centre: Any) -> None:
    centre.simulator.line_answers = lambda number: None


def test_a_number_outside_is_rung_and_the_flow_goes_on_after_the_talk(house: Any) -> None:
    centre = house("to: 020-38880000")
    caller = centre.caller("+8613900000000").dials("8000")
    assert caller.sim.wait_bridged(10)
    other = line(centre)
    assert other.number == "+862038880000"
    assert (
        other.caller_id[1] == "+8613900000000" or other.channel.profile.callee_id_number == "+8613900000000"
    )
    assert caller.view.state == "talking"
    centre.clock.advance("2m")
    other.hang_up()
    caller.hears("Thank you.")
    assert caller.ended == "NORMAL_CLEARING"
    (note,) = centre.journal(caller, "flow.note")
    assert (note.data["to"], note.data["by"]) == ("+862038880000", "agent")
    assert float(note.data["seconds"]) == pytest.approx(120, abs=2)
    (cdr,) = centre.cdrs()
    assert (cdr.outcome, cdr.data["transferred"]) == ("talked", "+862038880000")
    assert cdr.talked == pytest.approx(120, abs=2)
    kinds = [row.kind for row in centre.journal(caller)]
    for kind in ("outbound.dialled", "transfer.rung", "call.talking", "transfer.over"):
        assert kind in kinds


def test_a_caller_who_hangs_up_in_the_talk_ends_the_other_leg(house: Any) -> None:
    centre = house("to: 02038880000")
    caller = centre.caller().dials("8000")
    assert caller.sim.wait_bridged(10)
    centre.clock.advance(30)
    caller.hangs_up()
    assert line(centre).ended == "NORMAL_CLEARING"
    (cdr,) = centre.cdrs()
    assert (cdr.outcome, cdr.data["ended_by"]) == ("talked", "caller")
    assert cdr.talked == pytest.approx(30, abs=1)
    assert not centre.simulator.switch.channels


def test_a_caller_who_hangs_up_while_it_rings_cancels_the_ring_at_once(house: Any) -> None:
    centre = house("to: 02038880000")
    nobody_lifts(centre)
    caller = centre.caller().dials("8000")
    centre.clock.advance(2)
    other = line(centre)
    assert other.ended is None
    caller.hangs_up()
    assert other.ended == "ORIGINATOR_CANCEL"
    assert not centre.simulator.switch.channels
    assert not centre.app.calls.legs


@pytest.mark.parametrize("moment", [2.98, 2.99, 3.0, 3.01, 3.02, 3.05, 3.08, 3.1, 3.15])
def test_a_hang_up_in_the_moment_of_the_answer_leaves_nobody_in_limbo(house: Any, moment: float) -> None:
    centre = house("to: 02038880000")
    caller = centre.caller().dials("8000")
    centre.clock.advance(moment)
    caller.hangs_up()
    centre.clock.advance(2)
    assert not centre.simulator.switch.channels
    assert not centre.app.calls.legs
    assert len(centre.cdrs()) == 1


def test_a_busy_number(house: Any) -> None:
    centre = house("to: 02038880000")
    nobody_lifts(centre)
    caller = centre.caller().dials("8000")
    centre.clock.advance(1)
    line(centre).reject("USER_BUSY")
    caller.hears("Busy.")
    assert caller.ended


def test_nobody_answers(house: Any) -> None:
    centre = house("to: 02038880000")
    nobody_lifts(centre)
    caller = centre.caller().dials("8000")
    caller.hears("No answer.")
    assert line(centre).ended == "NO_ANSWER"
    assert caller.ended


def test_a_number_that_does_not_exist(house: Any) -> None:
    centre = house("to: 02038880000")
    nobody_lifts(centre)
    caller = centre.caller().dials("8000")
    centre.clock.advance(1)
    line(centre).reject("UNALLOCATED_NUMBER")
    caller.hears("Failed.")


@pytest.mark.parametrize(
    ("number", "why"),
    [("0900123456", "unlisted"), ("+12025550123", "unlisted"), ("020 8888 6612", "loop"), ("1", "malformed")],
)
def test_a_number_that_may_not_be_rung_goes_the_refused_way(house: Any, number: str, why: str) -> None:
    centre = house(f'to: "{number}"')
    caller = centre.caller().dials("8000").hears("Refused.")
    assert not centre.simulator.lines
    (row,) = centre.journal(caller, "outbound.refused")
    assert row.data["why"] == why


def test_the_same_number_again_and_again_is_refused(house: Any) -> None:
    centre = house("to: 02038880000")
    for _ in range(2):
        assert centre.caller().dials("8000").sim.wait_bridged(10)
    centre.caller().dials("8000").hears("Refused.")


def test_a_number_of_ours_leads_to_its_flow_and_not_outside(home: Home, house: Any) -> None:
    home.flow("shop/other", "hello:\n  - play: The other desk.\n  - hangup\n").number("8009", "shop/other")
    centre = house("to: 8009")
    centre.caller().dials("8000").hears("The other desk.")
    assert not centre.simulator.lines


def test_an_extension_of_the_dialplan_rings_that_phone(home: Home, house: Any) -> None:
    home.rule('{to: "86xx", extension: "10{1}"}')
    centre = house("to: 8602")
    caller = centre.caller().dials("8000")
    ring = centre.simulator.phone("1002").wait_ring(5)
    assert ring is not None
    ring.answer()
    assert caller.sim.wait_bridged(2)
    ring.hang_up()
    caller.hears("Thank you.")


def test_an_agent_s_phone_rings_and_the_agent_stands_in_the_cdr(house: Any) -> None:
    centre = house("agent: 202")
    caller = centre.caller().dials("8000")
    ring = centre.agent("202").phone.wait_ring(5)
    ring.answer()
    assert caller.sim.wait_bridged(2)
    centre.clock.advance(0.5)
    assert caller.view.agent == "202"
    ring.hang_up()
    caller.hears("Thank you.")
    assert caller.ended
    assert centre.cdrs()[0].agent == "202"


def test_a_declined_ring_and_a_phone_that_is_not_there(house: Any) -> None:
    centre = house("extension: 1002")
    caller = centre.caller().dials("8000")
    centre.simulator.phone("1002").wait_ring(5).reject()
    caller.hears("Busy.")
    assert caller.ended
    centre.simulator.phone("1002").unregister()
    centre.caller().dials("8000").hears("Failed.")


def test_an_unknown_agent_goes_the_failed_way(house: Any) -> None:
    centre = house("agent: 999")
    centre.caller().dials("8000").hears("Failed.")


def test_where_the_identity_is_deferred_the_carrier_and_the_journal_see_no_caller(
    home: Home, centre_of: Any
) -> None:
    home.write("conf/trunks.yaml", TRUNKS)
    made = shop_home(home, blocks("to: 02038880000"))
    made.number("8003", "shop/main", "identity: deferred")
    centre = centre_of(made)
    caller = centre.caller("+8613811112222").dials("8003")
    assert caller.sim.wait_bridged(10)
    shown = line(centre).channel.profile
    assert "+862088886600" in (shown.caller_id_number, shown.callee_id_number)
    assert "13811112222" not in str(centre.journal())
    (row,) = centre.journal(caller, "outbound.dialled")
    assert row.data["number"] == ""


def test_the_engine_is_killed_while_it_rings_and_the_next_one_connects_the_two(house: Any) -> None:
    centre = house("to: 02038880000")
    nobody_lifts(centre)
    caller = centre.caller().dials("8000")
    centre.clock.advance(2)
    other = line(centre)
    killed(centre, 3)
    assert other.ended is None
    other.answer()
    assert caller.sim.wait_bridged(5)
    centre.clock.advance(10)
    other.hang_up()
    caller.hears("Thank you.")
    assert caller.ended
    assert len(centre.simulator.lines) == 1
    (cdr,) = centre.cdrs()
    assert cdr.talked == pytest.approx(10, abs=1)


def test_the_engine_is_killed_in_the_ring_and_the_other_side_answers_meanwhile(house: Any) -> None:
    centre = house("to: 02038880000")
    nobody_lifts(centre)
    caller = centre.caller().dials("8000")
    centre.clock.advance(2)
    other = line(centre)
    centre.engine.kill()
    other.answer()
    centre.clock.advance(2)
    centre.engine.start()
    assert caller.sim.wait_bridged(5)
    caller.hangs_up()
    assert other.ended


def test_the_engine_is_killed_in_the_talk_and_the_two_go_on(house: Any) -> None:
    centre = house("to: 02038880000")
    caller = centre.caller().dials("8000")
    assert caller.sim.wait_bridged(10)
    centre.clock.advance(20)
    killed(centre, 5)
    other = line(centre)
    assert caller.sim.state == "talking"
    assert caller.view.state == "talking"
    centre.clock.advance(20)
    other.hang_up()
    caller.hears("Thank you.")
    assert caller.ended
    (note,) = centre.journal(caller, "flow.note")
    assert float(note.data["seconds"]) == pytest.approx(45, abs=3)
    assert centre.cdrs()[0].talked == pytest.approx(45, abs=3)


def test_the_talk_ends_while_no_engine_is_there(house: Any) -> None:
    centre = house("to: 02038880000")
    caller = centre.caller().dials("8000")
    assert caller.sim.wait_bridged(10)
    centre.clock.advance(20)
    centre.engine.kill()
    line(centre).hang_up()
    centre.clock.advance(2)
    centre.engine.start()
    caller.hears("Thank you.")
    assert len(centre.simulator.lines) == 1
