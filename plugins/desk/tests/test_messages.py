"""An agent hears the messages of his boxes: *17, number and PIN."""

from __future__ import annotations

from typing import Any

from engine.switch.simulator.recording import header

MESSAGES = "*17"
PIN = "4812"  # of agent 8012, published in conf/agents.yaml


def left(centre: Any, box: str, call: str) -> str:
    """A message in a box, as the step leaves it (see tests/flows/test_run_clips.py for leaving one by phone)."""
    sounds = centre.app.sounds
    new = sounds.clips.new(call)
    sounds.messages.begin(new.id, box, call, number="+8613800000000")
    with open(new.file, "wb") as file:
        file.write(header(1, 8000) + b"\x00\x20" * 8000)
    said = sounds.clips.said(new.id)
    sounds.messages.keep(said, call)
    return str(new.id)


def logs_in(centre: Any, pin: str = PIN, agent: str = "8012") -> Any:
    caller = centre.caller(number="1001", origin="internal").dials(MESSAGES)
    caller.hears("desk/enter_agent").presses(f"{agent}#")
    return caller.hears("desk/enter_pin").presses(f"{pin}#")


def test_an_agent_hears_the_messages_of_the_own_box_and_of_the_queues(centre: Any) -> None:
    own = left(centre, "8012", "00000000-0000-4000-8000-000000000001")
    queued = left(centre, "logistics", "00000000-0000-4000-8000-000000000002")
    left(centre, "8999", "00000000-0000-4000-8000-000000000003")
    caller = logs_in(centre)
    caller.hears("messages_count", new=2, old=0)
    caller.hears("messages_entry", number=1)
    caller.hears_clip(own).hears("messages_keys").presses("4")
    caller.hears("messages_entry", number=2)
    caller.hears_clip(queued).hears("messages_keys").presses("3")
    caller.hears("messages_deleted")
    caller.hears("messages_end")
    assert centre.one("messages", id=own)["heard_by"] == "8012"
    assert centre.one("messages", id=queued)["state"] == "deleted"
    centre.nowhere(PIN)


def test_empty_boxes_say_so(centre: Any) -> None:
    logs_in(centre).hears("desk/no_messages")


def test_a_wrong_pin_hears_nothing(centre: Any) -> None:
    left(centre, "8012", "00000000-0000-4000-8000-000000000001")
    logs_in(centre, pin="0000").hears("desk/wrong_pin")


def test_a_call_from_outside_is_turned_away(centre: Any) -> None:
    centre.caller(number="1001").dials(MESSAGES).hears("desk/from_inside_only")
