"""A supervisor steers by phone: *10, number and PIN, then agents, queues, and those who wait in them."""

from __future__ import annotations

from typing import Any

import pytest

from engine.acd.places import Request


def lead(centre: Any, number: str = "8013", pin: str = "4813", phone: str = "1002") -> Any:
    caller = centre.caller(number=phone, origin="internal").dials("*10")
    caller.hears("desk/enter_agent").presses(f"{number}#")
    caller.hears("desk/enter_pin").presses(f"{pin}#")
    return caller


def queue_key(centre: Any, name: str) -> str:
    return str([one.name for one in centre.app.acd.queues()].index(name) + 1)


def in_queue(centre: Any, supervisor: Any, name: str) -> Any:
    supervisor.hears("desk/lead_top").presses("2")
    supervisor.hears("desk/which_queue").presses(queue_key(centre, name))
    return supervisor.hears("desk/queue_stands")


def waits(centre: Any, number: str, queue: str = "logistics") -> Any:
    """A caller in a queue, wherever its flow had led it."""
    caller = centre.caller(number).dials("8004")
    centre.clock.advance(1)
    centre.app.calls.get(caller.uuid).queue = queue
    centre.app.acd.enter(Request(caller.uuid, number, queue))
    return caller


def line(centre: Any, queue: str) -> list[str]:
    return [one.call for one in centre.app.acd.queue(queue).waiting]


def away(centre: Any) -> None:
    for agent in ("8012", "8013", "8014"):
        centre.agent(agent).pauses("meeting")


def test_an_agent_is_paused_made_ready_and_logged_out(centre: Any) -> None:
    supervisor = lead(centre)
    agent = centre.agent("8014")
    for keys, heard in (
        (("1", "2"), ("paused", "meal")),
        (("3",), ("ready", "")),
        (("2",), ("logged_out", "")),
        (("3",), ("logged_out", "")),
    ):
        supervisor.hears("desk/lead_top").presses("1")
        supervisor.hears("desk/enter_colleague").presses("8014#")
        supervisor.hears("desk/lead_agent").presses(keys[0])
        if len(keys) > 1:
            supervisor.hears("desk/pause_reasons").presses(keys[1])
        out = keys == ("3",) and heard[0] == "logged_out"
        supervisor.hears("desk/agent_is_out" if out else "desk/done")
        assert (agent.state, centre.app.acd.agent("8014").reason) == heard
    supervisor.hears("desk/lead_top").presses("1")
    supervisor.hears("desk/enter_colleague").presses("7777#")
    supervisor.hears("desk/lead_agent").presses("2")
    supervisor.hears("desk/no_such_agent").hears("desk/lead_top").hangs_up()
    steered = [row.data for row in centre.journal(kind="flow.steered_agent")]
    assert [(row["by"], row["agent"], row["what"]) for row in steered] == [
        ("8013", "8014", "pause"),
        ("8013", "8014", "ready"),
        ("8013", "8014", "logout"),
    ]
    centre.nowhere("4813")


def test_a_queue_is_closed_and_opened(centre: Any) -> None:
    supervisor = lead(centre)
    in_queue(centre, supervisor, "logistics").hears("desk/lead_queue").presses("2")
    supervisor.hears("desk/done")
    assert centre.app.acd.queue("logistics").closed == "phone"
    in_queue(centre, supervisor, "logistics").hears("desk/queue_is_closed")
    supervisor.hears("desk/lead_closed_queue").presses("2")
    supervisor.hears("desk/done")
    assert centre.app.acd.queue("logistics").closed == ""
    (closed,) = centre.journal(kind="queue.closed")
    assert (closed.queue, closed.data["by"]) == ("logistics", "8013")


def test_who_waits_is_moved_to_the_front_and_to_another_queue(centre: Any) -> None:
    away(centre)
    first, second = waits(centre, "+8613800000001"), waits(centre, "+8613800000002")
    supervisor = lead(centre)
    stands = in_queue(centre, supervisor, "logistics")
    stands.hears("desk/lead_queue").presses("1")
    supervisor.hears("desk/which_caller").presses("2")
    supervisor.hears("desk/lead_caller").presses("1")
    supervisor.hears("desk/done")
    assert line(centre, "logistics") == [second.uuid, first.uuid]
    in_queue(centre, supervisor, "logistics").hears("desk/lead_queue").presses("1")
    supervisor.hears("desk/which_caller").presses("2")
    supervisor.hears("desk/lead_caller").presses("2")
    for agent in ("8051", "8052", "8053"):
        centre.agent(agent).pauses("meeting")
    supervisor.hears("desk/to_which_queue").presses(queue_key(centre, "exceptions"))
    supervisor.hears("desk/done")
    assert (line(centre, "logistics"), line(centre, "exceptions")) == ([second.uuid], [first.uuid])

    # Who is rung for just now, or gone meanwhile, is left alone.
    in_queue(centre, supervisor, "logistics").hears("desk/lead_queue").presses("1")
    supervisor.hears("desk/which_caller").presses("1")
    supervisor.hears("desk/lead_caller")
    centre.agent("8012").ready().is_offered(second)
    supervisor.presses("2").hears("desk/to_which_queue").presses(queue_key(centre, "exceptions"))
    supervisor.hears("desk/not_now")
    in_queue(centre, supervisor, "exceptions").hears("desk/lead_queue").presses("1")
    supervisor.hears("desk/which_caller").presses("1")
    supervisor.hears("desk/lead_caller")
    first.hangs_up()
    centre.app.acd._waiting(first.uuid).leave("caller")
    supervisor.presses("1").hears("desk/caller_gone")
    in_queue(centre, supervisor, "exceptions").hears("desk/lead_queue").presses("1")
    supervisor.hears("desk/nobody_waits").hears("desk/lead_top")


def silent_at(supervisor: Any, prompt: str) -> str:
    """Press nothing, three times; what is heard then."""
    for _ in range(3):
        supervisor.hears(prompt).stays_silent()
        heard = supervisor.hears_next()
    return str(heard.key)


def test_whoever_says_nothing_is_led_back_and_let_go_at_last(centre: Any) -> None:
    away(centre)
    waits(centre, "+8613800000001")
    supervisor = lead(centre)
    supervisor.hears("desk/lead_top").presses("1")
    assert silent_at(supervisor, "desk/enter_colleague") == "desk/lead_top"
    supervisor.presses("1").hears("desk/enter_colleague").presses("8014#")
    supervisor.hears("desk/lead_agent").presses("1")
    assert silent_at(supervisor, "desk/pause_reasons") == "desk/lead_top"
    supervisor.presses("1").hears("desk/enter_colleague").presses("8014#")
    supervisor.hears("desk/lead_agent").presses("*")
    in_queue(centre, supervisor, "logistics").hears("desk/lead_queue").presses("1")
    supervisor.hears("desk/which_caller").presses("1")
    for _ in range(3):
        supervisor.hears("desk/lead_caller").stays_silent()
        if supervisor.ended:
            break
        supervisor.hears_next()
    assert supervisor.ended
    assert centre.app.acd.agent("8014").reason == "meeting", "nothing was done"


@pytest.mark.parametrize(
    ("number", "pin", "said"),
    [("8012", "4812", "supervisors_only"), ("8013", "0000", "wrong_pin"), ("7777", "4813", "wrong_pin")],
)
def test_who_is_no_supervisor_steers_nothing(centre: Any, number: str, pin: str, said: str) -> None:
    caller = lead(centre, number, pin)
    caller.hears(f"desk/{said}")
    assert caller.ended


def test_a_call_from_outside_is_turned_away(centre: Any) -> None:
    caller = centre.caller("+8613800138000").dials("*10")
    caller.hears("desk/from_inside_only")
    assert caller.ended
