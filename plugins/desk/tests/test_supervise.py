"""A supervisor hears an agent by phone: *18, number and PIN, the agent's number; the phone rings back."""

from __future__ import annotations

from typing import Any

SUPERVISE = "*18"


def asks(centre: Any, number: str, pin: str, agent: str, phone: str = "1002") -> Any:
    caller = centre.caller(number=phone, origin="internal").dials(SUPERVISE)
    caller.hears("desk/enter_agent").presses(f"{number}#")
    caller.hears("desk/enter_pin").presses(f"{pin}#")
    return caller.hears("desk/enter_heard").presses(f"{agent}#")


def test_the_phone_rings_back_and_the_talk_is_heard(centre: Any) -> None:
    one = centre.agent("8012")
    for other in ("8013", "8014"):
        centre.agent(other).pauses("meeting")
    caller = centre.caller().dials("8004")
    request = centre.app.calls  # the caller talks to 8012, wherever the flow had led it
    centre.clock.advance(1)
    call = request.get(caller.uuid)
    call.queue = "logistics"
    from engine.acd.places import Request

    centre.app.acd.enter(Request(caller.uuid, "+8613800000000", "logistics"))
    one.is_offered(caller).answers()
    supervisor = asks(centre, "8013", "4813", "8012")
    supervisor.hears("desk/rings_back").hangs_up()
    phone = centre.simulator.phone("1002")
    assert phone.wait_ring(5) is not None
    phone.answer()
    centre.clock.advance(1)
    (ear,) = centre.app.calls.supervision.views()
    assert (ear.by, ear.agent, ear.listens) == ("8013", "8012", True)
    centre.nowhere("4813")


def test_who_is_no_supervisor_hears_nobody(centre: Any) -> None:
    asks(centre, "8012", "4812", "8014", phone="1001").hears("desk/supervisors_only")


def test_an_agent_who_talks_to_nobody_can_t_be_heard(centre: Any) -> None:
    asks(centre, "8013", "4813", "8012").hears("desk/agent_not_talking")
    asks(centre, "8013", "4813", "7777").hears("desk/agent_not_talking")


def test_a_wrong_pin_hears_nobody(centre: Any) -> None:
    asks(centre, "8013", "0000", "8012").hears("desk/wrong_pin")
