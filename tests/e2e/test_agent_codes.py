"""What agents and supervisors dial on a real FreeSWITCH: *16 (what came of a call), *17 (messages), *18 (listening)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.house import House
from tests.e2e.test_talks import hears, hears_not, state
from tests.e2e.test_voicemail import VOICE, wait_beep
from tests.sip.phone import Call
from tests.sip.sound import loudness, pcm, strength

pytestmark = pytest.mark.switch

FLOW = """\
grammar: 1
flow: codes/main
revision: 1
title: Codes
owner: tests
languages: [en]
start: arrive
blocks:
  arrive:
    - answer
    - menu: {prompt: One for a message., options: {1: message, 2: talk}, first: 20s, give_up: bye}
  message:
    - voicemail: {box: "8012", prompt: Your message., silence: 2s, give_up: bye}
    - go: bye
  talk:
    - queue: {name: logistics, full: bye, too_long: bye, no_agents: bye}
    - go: bye
  bye:
    - hangup
"""


def in_step(house: House, phone: str, step: str) -> bool:
    """Is the call of that phone in this step?"""
    return any(call["number"] == phone and step in call["step"] for call in house.calls())


def keys(house: House, call: Call, phone: str, step: str, typed: str) -> None:
    """Wait until a phone's call is in a step and its question is heard, and type."""
    house.wait_for(lambda: in_step(house, phone, step), f"{phone} is not in {step}: {house.calls()}", 20)
    begin = len(call.sound.heard)
    house.wait_for(
        lambda: loudness(pcm(bytes(call.sound.heard[max(begin, len(call.sound.heard) - 2400) :]))) > 300,
        f"nothing is asked in {step}",
        20,
    )
    call.press(typed)


def heard_tone(call: Call, hz: float) -> bool:
    heard = pcm(bytes(call.sound.heard))
    return any(strength(heard[n : n + 1600], hz) > 1000 for n in range(0, len(heard) - 1600, 1600))


def agent(house: House, name: str) -> dict[str, Any]:
    return next(row for row in house.get("/agents") if row["id"] == name)


def test_a_result_a_message_and_a_supervisors_ear(house: House) -> None:
    house.add_department("codes", "8057", {"flows/main.yaml": FLOW})
    queues = house.home / "conf" / "queues.yaml"
    text = queues.read_text(encoding="utf-8")
    assert "\n  logistics:\n" in text
    queues.write_text(
        text.replace("\n  logistics:\n", "\n  logistics:\n    dispositions: {1: solved, 2: ticket}\n", 1),
        encoding="utf-8",
    )
    house.start("--switch", "freeswitch", within=150)
    desk, lead = house.desk("1001"), house.desk("1002")
    house.post("/agents/8013/pause", reason="meeting")

    # *17: a message that was left, heard at the desk by number and PIN, and deleted there.
    caller = house.outside().dial("8057").wait_answered(10)
    house.wait_step("menu")
    caller.press("1")
    wait_beep(house, caller, 0)
    caller.say_tone(VOICE, 2.0)
    caller.wait_over(30.0)
    house.wait_for(lambda: house.get("/messages"), "no message", 10)
    listening = desk.dial("*17").wait_answered(10)
    keys(house, listening, "1001", "collect", "8012#")
    keys(house, listening, "1001", "code", "4812#")
    house.wait_for(lambda: heard_tone(listening, VOICE), "the message is not heard", 30)
    keys(house, listening, "1001", "messages", "3")
    listening.wait_over(30.0)
    left = [row for row in house.get("/messages") or [] if row["state"] != "deleted"]
    assert left == []
    assert "4812" not in house.output()

    # *18: the supervisor types his PIN and the agent's number, is rung back, and hears the talk.
    house.wait_for(lambda: state(house, "8012") == "ready", "8012 is not ready", 30)
    caller = house.outside().dial("8057").wait_answered(10)
    house.wait_step("menu")
    caller.press("2")
    talking = desk.wait_ring(10)
    talking.answer()
    house.wait_for(lambda: state(house, "8012") == "talking", "no talk", 10)
    asking = lead.dial("*18").wait_answered(10)
    keys(house, asking, "1002", "collect", "8013#")
    keys(house, asking, "1002", "code", "4813#")
    keys(house, asking, "1002", "whom", "8012#")
    asking.wait_over(20.0)
    ear = lead.wait_ring(10)
    ear.answer()
    house.wait_for(lambda: (house.get("/supervisions") or [{}])[0].get("listens"), "does not listen", 5)
    house.clock.sleep(0.5)
    hears(house, caller, ear, 1013, "the supervisor does not hear the caller")
    hears_not(house, ear, caller, 1571, "the caller hears who only listens")
    ear.hang_up()
    assert "4813" not in house.output()

    # *16: the call is over, and the agent says what came of it.
    caller.hang_up()
    house.wait_for(lambda: state(house, "8012") == "wrap_up", "no wrap-up", 10)
    saying = desk.dial("*16").wait_answered(10)
    keys(house, saying, "1001", "code", "7#")  # not in the list: asked again
    house.wait_for(lambda: in_step(house, "1001", "again"), "the unknown code was taken", 10)
    keys(house, saying, "1001", "code", "2#")
    saying.wait_over(20.0)
    row = next(row for row in house.cli("cdr", "list") if row["agent"] == "8012")
    assert row["disposition"] == "ticket"

    # *10: the supervisor logs an agent out, closes a queue, and opens it again.
    steering = lead.dial("*10").wait_answered(10)
    keys(house, steering, "1002", "collect", "8013#")
    keys(house, steering, "1002", "code", "4813#")
    keys(house, steering, "1002", "top", "1")
    keys(house, steering, "1002", "agent[1] collect", "8014#")
    keys(house, steering, "1002", "agent[3] menu", "2")
    house.wait_for(lambda: state(house, "8014") == "logged_out", "8014 is not logged out", 10)
    for key, closed in (("2", "phone"), ("2", "")):
        keys(house, steering, "1002", "top", "2")
        keys(house, steering, "1002", "queue[2] pick", "4")
        keys(house, steering, "1002", "menu", key)
        house.wait_for(
            lambda closed=closed: house.get("/queues/logistics")["closed"] == closed, "not as told", 10
        )
    steering.hang_up()
    assert house.output().count("4813") == 0
