"""Supervisors on the simulator: who listens how, taking over, what is refused; queues closed and callers moved."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import InsidelineError
from engine.testing.home import Home
from tests.flows.shop import Shop
from tests.flows.test_talks import FLOW, QUEUES, hears_music_now, order, talking

AGENTS = """\
grammar: 1
agents:
  201: {name: Agent One, phone: 1001, languages: [en], queues: [desk], login: auto}
  202: {name: Agent Two, phone: 1002, languages: [en], queues: [second], login: auto}
  209: {name: Lead, phone: 1009, languages: [en], roles: [supervisor]}
"""


@pytest.fixture
def centre(home: Home, shop: Shop) -> Any:
    home.write("conf/agents.yaml", AGENTS)
    home.write("conf/queues.yaml", QUEUES)
    return shop(FLOW)


def listens(centre: Any, mode: str = "listen") -> tuple[Any, Any, Any]:
    caller, one, _ = talking(centre)
    view = centre.app.calls.supervision.begin("209", "201", "1009", mode)
    assert not view.listens
    phone = centre.simulator.phone("1009")
    assert phone.wait_ring(5) is not None
    phone.answer()
    centre.clock.advance(0.5)
    return caller, one, phone


def how(centre: Any) -> str:
    (view,) = centre.app.calls.supervision.views()
    assert view.listens
    return str(view.mode)


def test_a_supervisor_listens_whispers_and_barges_and_the_journal_has_it(centre: Any) -> None:
    caller, one, phone = listens(centre)
    assert how(centre) == "listen"
    centre.app.calls.supervision.begin("209", "201", "1009", "whisper")
    assert how(centre) == "whisper"
    phone.press("3")
    centre.clock.advance(1)
    assert how(centre) == "barge"
    assert caller.sim.bridged_to == one.phone.ring.uuid
    phone.hang_up()
    centre.clock.advance(1)
    assert centre.app.calls.supervision.views() == []
    kinds = [entry.kind for entry in centre.journal(caller) if entry.kind.startswith("supervise.")]
    assert kinds == [
        "supervise.rung",
        "supervise.began",
        "supervise.mode",
        "supervise.mode",
        "supervise.ended",
    ]
    assert all(
        entry.data["by"] == "209" for entry in centre.journal(caller) if entry.kind.startswith("supervise.")
    )


def test_the_ear_follows_the_agent_s_leg_through_a_hold(centre: Any) -> None:
    caller, one, phone = listens(centre, "barge")
    assert how(centre) == "barge"
    order(centre, caller, "hold")
    order(centre, caller, "resume")
    assert how(centre) == "barge"
    assert phone.state != "idle"
    one.hangs_up()
    centre.clock.advance(2)
    assert phone.state == "idle"
    assert centre.app.calls.supervision.views() == []


@pytest.mark.parametrize("how", ["command", "key"])
def test_a_supervisor_takes_the_caller_over(centre: Any, how: str) -> None:
    caller, one, phone = listens(centre)
    if how == "key":
        phone.press("99")  # who is in a hurry presses it twice
    else:
        assert centre.app.calls.supervision.take_over("209") == caller.uuid
    centre.clock.advance(1)
    assert caller.sim.bridged_to == phone.ring.uuid
    assert one.phone.state == "idle"
    assert one.state == "wrap_up"
    assert caller.view.agent == "209"
    centre.clock.advance(20)
    phone.hang_up()
    caller.hears("Thank you.")
    assert caller.ended
    (cdr,) = centre.cdrs()
    assert cdr.data["agents"]["209"] == pytest.approx(20, abs=2)
    assert cdr.data["moves"] == [{"how": "taken over", "from": "201", "to": "209"}]


def test_what_can_t_be_is_refused(centre: Any) -> None:
    supervision = centre.app.calls.supervision
    with pytest.raises(InsidelineError, match="201 talks to nobody"):
        supervision.begin("209", "201", "1009")
    caller, _, _ = talking(centre)
    with pytest.raises(InsidelineError, match="is no way to listen"):
        supervision.begin("209", "201", "1009", "shout")
    with pytest.raises(InsidelineError, match="nobody listens to himself"):
        supervision.begin("201", "201", "1009")
    with pytest.raises(InsidelineError, match="209 listens to nobody"):
        supervision.take_over("209")
    # A phone that does not answer leaves nothing.
    supervision.begin("209", "201", "1009")
    phone = centre.simulator.phone("1009")
    phone.wait_ring(5)
    with pytest.raises(InsidelineError, match="does not listen yet"):
        supervision.take_over("209")
    phone.reject()
    centre.clock.advance(1)
    assert supervision.views() == []
    assert centre.journal(caller, "supervise.missed")


def test_a_waiting_caller_is_moved_to_the_front_and_to_another_queue(centre: Any) -> None:
    centre.agent("201").pauses("break")
    centre.agent("202").pauses("break")
    first = centre.caller("+8613800000001").dials("8000").hears_music()
    second = centre.caller("+8613800000002").dials("8000").hears_music()
    centre.app.acd.raise_priority(second.uuid, 1000, "209")
    assert [one.call for one in centre.app.acd.queue("desk").waiting] == [second.uuid, first.uuid]
    centre.app.acd.move(first.uuid, "second", "209")
    two = centre.agent("202").ready()
    two.is_offered(first).answers()
    first.talks_to(two)
    assert hears_music_now(centre, second)


def test_a_queue_that_was_closed_stays_closed_over_a_restart_and_opens_for_good(centre: Any) -> None:
    def again() -> None:
        centre.clock.advance(0.5)
        centre.engine.kill()
        centre.engine.start()

    centre.app.acd.close_queue("desk", "fire alarm", "209")
    again()
    assert centre.app.acd.queue("desk").closed == "fire alarm"
    assert centre.app.acd.queue("second").closed == ""
    centre.caller().dials("8000").hears("Away.")
    centre.app.acd.open_queue("desk", "209")
    again()
    assert centre.app.acd.queue("desk").closed == ""
    assert [row.data["by"] for row in centre.journal(kind="queue.closed")] == ["209"], "it happened once"


def test_who_was_moved_to_the_front_stays_there_over_a_restart_and_in_another_queue(centre: Any) -> None:
    for name in ("201", "202"):
        centre.agent(name).pauses("break")
    first = centre.caller("+8613800000001").dials("8000").hears_music()
    second = centre.caller("+8613800000002").dials("8000").hears_music()

    def line(queue: str) -> list[str]:
        return [one.call for one in centre.app.acd.queue(queue).waiting]

    centre.app.acd.raise_priority(second.uuid, 1000, "209")
    centre.clock.advance(0.1)
    centre.engine.kill()
    centre.clock.advance(1)
    centre.engine.start()
    assert line("desk") == [second.uuid, first.uuid]
    centre.app.acd.move(first.uuid, "second", "209")
    centre.app.acd.move(second.uuid, "second", "209")
    assert line("second") == [second.uuid, first.uuid]
    centre.clock.advance(0.1)
    centre.engine.kill()
    centre.engine.start()
    assert line("second") == [second.uuid, first.uuid]
