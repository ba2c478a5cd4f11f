"""The event socket breaks, falls silent, or the whole process stands still; and two engines want one switch."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.app import App
from engine.calls.call import Abandon
from engine.prompts import MuteVoice
from engine.switch.simulator import Simulator
from tests.faults.test_events import TALK
from tests.flows.shop import Shop

FLOW = """
greet:
  - answer
  - play: Good morning to you all, and to everybody who is listening to this.
  - collect: {into: x, as: digits, length: 2-4, prompt: Type it., give_up: end, first: 40s, between: 20s}
  - {journal: {event: note, data: {x: "{x}"}}}
  - queue: {name: desk, full: end, too_long: end, no_agents: end}
  - play: Thank you.
  - go: end
end:
  - hangup
"""
GREETING = "Good morning to you all, and to everybody who is listening to this."


def cut(centre: Any) -> None:
    for pipe in centre.simulator.pipes:
        pipe.cut()


# -- row 9 ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["cut", "silence"])
def test_a_lost_socket_loses_no_call_and_no_digit(shop: Shop, how: str) -> None:
    centre = shop(FLOW)
    caller = centre.caller().dials("8000")
    caller.hears(GREETING)
    caller.hears("Type it.").presses("4")
    centre.clock.advance(1)
    if how == "cut":
        cut(centre)
    else:
        centre.simulator.pipes[0].silence()
    caller.presses("711")
    centre.clock.advance(15)
    assert centre.app.connection.up
    caller.presses("#") if caller.view.step.endswith("collect") else None
    agent = centre.agent("201").is_offered(caller)
    (note,) = centre.journal(caller, "flow.note")
    assert note.data["x"] == "4711"
    agent.answers()
    caller.talks_to(agent)


def test_a_socket_cut_in_a_prompt_is_not_noticed_by_the_caller(shop: Shop) -> None:
    centre = shop(FLOW)
    caller = centre.caller().dials("8000")
    caller.hears(GREETING)
    cut(centre)
    caller.hears("Type it.")
    assert [centre.describe(sound.path).text for sound in caller.sim.played] == [GREETING, "Type it."]


def test_a_socket_cut_in_a_talk_lets_it_go_on_and_its_end_is_known(shop: Shop) -> None:
    centre = shop(TALK)
    caller = centre.caller().dials("8000")
    agent = centre.agent("201").is_offered(caller).answers()
    caller.talks_to(agent)
    cut(centre)
    agent.phone.hang_up()  # nobody hears of it
    caller.hears("Thank you.")
    assert caller.ended
    assert agent.state in ("wrap_up", "ready")


def test_a_caller_who_hung_up_while_the_socket_was_away_is_closed(shop: Shop) -> None:
    centre = shop(FLOW)
    caller = centre.caller().dials("8000")
    caller.hears(GREETING)
    cut(centre)
    caller.sim.hang_up()
    centre.clock.advance(10)
    assert centre.calls() == []
    assert len(centre.cdrs()) == 1


def test_a_call_that_comes_while_the_socket_is_away_is_led_when_it_is_back(shop: Shop) -> None:
    centre = shop(FLOW)
    cut(centre)
    caller = centre.caller().dials("8000")
    caller.hears(GREETING)


def test_a_half_open_socket_is_found_within_ten_seconds(shop: Shop) -> None:
    centre = shop(FLOW)
    centre.simulator.pipes[0].silence()
    before = centre.virtual.monotonic()
    while centre.app.ready.is_set():
        centre.clock.advance(0.25)
        assert centre.virtual.monotonic() - before <= 10.5
    centre.clock.advance(5)
    assert centre.app.ready.is_set()


# -- row 6: this process stood still -------------------------------------------------------------------------


def test_calls_that_the_switch_took_back_meanwhile_are_let_go_and_the_rest_goes_on(shop: Shop) -> None:
    centre = shop(FLOW)
    caller, other = centre.caller().dials("8000"), centre.caller().dials("8000")
    caller.hears(GREETING)
    caller.hears("Type it.")
    other.hears(GREETING)
    other.hears("Type it.")
    # What the switch's own guard would have done in that time:
    centre.simulator.switch.transfer(caller.sim.channel, "fallback", "XML", "fallback")
    centre.simulator.pipes[0].silence()
    centre.clock.advance(8)
    assert [call.id for call in centre.calls()] == [other.uuid]
    assert caller.ended == "NORMAL_TEMPORARY_FAILURE"
    assert caller.sim.fell_back
    other.presses("4711")
    centre.agent("201").is_offered(other)
    assert caller.uuid in {cdr.call for cdr in centre.cdrs()}


@pytest.mark.parametrize("over", [False, True], ids=["in the fallback", "over"])
def test_of_an_engine_whose_lease_ran_out_meanwhile_each_call_is_accounted_for(
    shop: Shop, over: bool
) -> None:
    """Stopped as a whole, its socket open: nobody else led, and the fallback came to one of two calls."""
    centre = shop(FLOW)
    caller, other = centre.caller().dials("8000"), centre.caller().dials("8000")
    for one in (caller, other):
        one.hears(GREETING)
        one.hears("Type it.")
    renewed = centre.app.calls.lease_until
    while centre.app.calls.lease_until == renewed:  # its next look at the lease is to find all that follows
        centre.clock.advance(0.05)
    centre.simulator.switch.hashes.obey("delete/il/lease")
    centre.app.calls.may_send(0.0)  # until then the lease was ours: whoever wants to send waits
    if over:
        caller.sim.press("4711", gap=0.01)  # so does this one, which hears of nothing more
        centre.clock.advance(0.1)
    centre.simulator.switch.transfer(caller.sim.channel, "fallback", "XML", "fallback")
    centre.clock.advance(0.1)
    if over:
        caller.sim.hang_up()
    centre.clock.advance(4)
    assert centre.app.calls.leading
    assert caller.sim.fell_back
    assert [call.id for call in centre.calls()] == [other.uuid]
    assert {cdr.call: cdr.outcome for cdr in centre.cdrs()} == {caller.uuid: "handed_over"}
    other.presses("4711")
    centre.agent("201").is_offered(other)
    other.hangs_up()
    assert {cdr.call for cdr in centre.cdrs()} == {caller.uuid, other.uuid}


# -- row 16: two engines -----------------------------------------------------------------------------------


def second_engine(centre: Any, tmp_path: Any) -> App:
    """Another engine on the same switch, with a database of its own."""
    from engine.app import read_installation

    made = read_installation(centre.installation.home, centre.virtual)
    var = tmp_path / "second"
    made.folders = replace(
        made.folders,
        var=var,
        recordings=centre.installation.folders.recordings,
        prompt_cache=centre.installation.folders.prompt_cache,
        control_socket=var / "insideline.sock",
        database_url=f"sqlite:///{var}/insideline.db",
    )
    var.mkdir()
    app = App(
        made.home,
        switch="simulator",
        clock=centre.virtual,
        installation=made,
        voice=MuteVoice(),
        control=False,
        simulator=centre.simulator,
    )
    app.start()
    return app


def test_one_of_two_engines_leads_and_the_other_takes_over_when_it_dies(shop: Shop, tmp_path: Any) -> None:
    centre = shop(FLOW)
    second = second_engine(centre, tmp_path)
    try:
        caller = centre.caller().dials("8000")
        caller.hears(GREETING)
        centre.clock.advance(20)
        assert (centre.app.calls.leading, second.calls.leading) == (True, False)
        assert second.calls.views() == []
        assert not second.ready.is_set()
        centre.app.kill()
        centre.clock.advance(9)
        assert second.calls.leading
        assert [call.id for call in second.calls.views()] == [caller.uuid]
        caller.presses("4711")
        ring = centre.simulator.phone("1001").wait_ring(20)
        assert ring is not None
        assert len(centre.simulator.phone("1001").rings) + len(centre.simulator.phone("1002").rings) == 1
    finally:
        second.stop()
        centre.engine.start()


def test_the_engine_that_waits_does_not_keep_the_switch_busy(shop: Shop, tmp_path: Any) -> None:
    centre = shop(FLOW)
    second = second_engine(centre, tmp_path)
    try:
        asked = [0]
        api = second.connection.api
        second.connection.api = lambda *args: (asked.__setitem__(0, asked[0] + 1), api(*args))[1]
        centre.clock.advance(30)
        assert asked[0] <= 30 / 1.5 * 4 + 4
    finally:
        second.stop()


def test_an_engine_that_lost_the_lease_touches_no_call(shop: Shop) -> None:
    centre = shop(FLOW)
    caller = centre.caller().dials("8000")
    caller.hears(GREETING)
    centre.simulator.switch.hashes.values["il", "lease"] = "other.1.thief"
    centre.clock.advance(3)
    assert not centre.app.calls.leading
    assert centre.calls() == []
    assert caller.sim.ended is None
    assert issubclass(Abandon, BaseException)
    assert not issubclass(Abandon, Exception)


# -- row 18: the wall clock ---------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [0.5 * step for step in range(10)])
def test_the_dead_man_s_switch_is_not_fooled_by_the_wall_clock(shop: Shop, after: float) -> None:
    centre = shop(FLOW)
    caller = centre.caller().dials("8000")
    caller.hears(GREETING)
    centre.clock.advance(10 + after)
    centre.virtual.shift_wall(timedelta(hours=1))
    centre.clock.advance(12)
    assert not caller.sim.fell_back


@pytest.mark.parametrize("hours", [1, -1])
def test_a_jump_of_the_wall_clock_moves_no_wait_and_no_time_out(shop: Shop, hours: int) -> None:
    centre = shop(
        "greet:\n  - answer\n  - queue: {name: desk, longest: 2m, full: end, too_long: late, no_agents: end}\n"
        "  - go: end\nlate:\n  - play: Too long.\n  - hangup\nend:\n  - hangup\n"
    )
    for agent in ("201", "202"):
        centre.agent(agent).pauses("meal")
    caller = centre.caller().dials("8000").hears_music()
    centre.clock.advance(30)
    centre.virtual.shift_wall(timedelta(hours=hours))
    centre.clock.advance(60)
    assert caller.view.state == "queued"
    assert not caller.sim.fell_back
    caller.hears("Too long.")
    assert caller.ended
    (cdr,) = centre.cdrs()
    assert cdr.waited == pytest.approx(120, abs=2)
    assert centre.app.calls.leading


# -- row 8: the switch died ---------------------------------------------------------------------------------


def test_calls_of_a_switch_that_died_are_closed_and_the_new_one_is_led(shop: Shop) -> None:
    centre = shop(TALK)
    talker = centre.caller().dials("8000")
    agent = centre.agent("201").is_offered(talker).answers()
    talker.talks_to(agent)
    centre.agent("202").pauses("meal")
    waiter = centre.caller().dials("8000").hears_music()
    old = centre.simulator
    new = Simulator(centre.virtual, password=old.password, seed=7, spool=old.spool)
    for extension in ("1001", "1002"):
        new.phone(extension)
    centre.app.connection._make = new.pipe
    centre.simulator = new
    old.stop()
    centre.clock.advance(20)
    assert centre.calls() == []
    assert {cdr.call: (cdr.cause, cdr.ordinary) for cdr in centre.cdrs()} == {
        talker.uuid: ("SYSTEM_SHUTDOWN", False),
        waiter.uuid: ("SYSTEM_SHUTDOWN", False),
    }
    assert agent.state in ("wrap_up", "ready")
    caller = centre.caller().dials("8000")
    agent.is_offered(caller).answers()
    caller.talks_to(agent)
