"""Agents on a real FreeSWITCH: phones that nobody answers, that vanish and come back, mobiles, what is said before a
talk, and how fast a ring ends when the caller has gone."""

from __future__ import annotations

import shutil
import wave
from typing import Any

import pytest

from tests.e2e.house import REPOSITORY, House, beside_the_shipped
from tests.sip.phone import Telephone
from tests.sip.sound import pcm, tone

pytestmark = pytest.mark.switch

FLOW = """\
grammar: 1
flow: {name}/main
revision: 1
title: Straight to the queue
owner: tests
languages: [en]
start: arrive
blocks:
  arrive:
    - answer
    - queue: {{name: {queue}, full: bye, too_long: bye, no_agents: bye}}
    - go: bye
  bye:
    - play: Bye.
    - hangup
"""
QUEUES = """\
grammar: 1
queues:
  logistics: {title: {en: Shipments}}
  desk: {title: {en: Desk}, offer: 3s, dispositions: {1: solved}}
  told: {title: {en: Told}, whisper: for_the_agent, announce_agent: for_both}
  mobile: {title: {en: Mobile}, offer: 20s}
"""
AGENTS = """\
grammar: 1
rules: {misses: 2, pauses: [break, meal]}
agents:
  8012: {name: One, phone: 1001, queues: [desk], login: auto, skills: {waybill: 3, complaint: 3}}
  8013: {name: Two, phone: 1002, queues: [told, logistics], login: auto, languages: [en]}
  8014: {name: Three, phone: {number: "+8613900000012", trunk: pstn}, queues: [mobile], login: auto}
"""
WHISPER, GREETING = 1000, 1500


@pytest.fixture
def carrier(house: House) -> Telephone:
    """The other end of the trunk; and the house with its agents."""
    phone = house.carrier("+86139", caller="+862088886600")
    conf = house.home / "conf"
    beside_the_shipped(conf / "queues.yaml", "queues", QUEUES)
    beside_the_shipped(conf / "agents.yaml", "agents", AGENTS)
    for number, name, queue in (
        ("8055", "desk_line", "desk"),
        ("8056", "told", "told"),
        ("8057", "mobile", "mobile"),
    ):
        house.add_department(name, number, {"flows/main.yaml": FLOW.format(name=name, queue=queue)})
    (house.home / "prompts").unlink()
    shutil.copytree(REPOSITORY / "prompts", house.home / "prompts")
    for language in ("en", "zh-CN"):
        folder = house.home / "prompts" / "audio" / language
        folder.mkdir(parents=True, exist_ok=True)
        with (house.home / "prompts" / f"{language}.yaml").open("a", encoding="utf-8") as texts:
            texts.write("for_the_agent: A caller.\nfor_both: Hello.\n")
        for name, hz in (("for_the_agent", WHISPER), ("for_both", GREETING)):
            with wave.open(str(folder / f"{name}.wav"), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(8000)
                file.writeframes(pcm(tone(hz, 1.5)).tobytes())
    return phone


def agent(house: House, name: str) -> dict[str, Any]:
    return dict(house.get(f"/agents/{name}"))


def wait_state(house: House, name: str, state: str, within: float = 20.0) -> dict[str, Any]:
    house.wait_for(
        lambda: agent(house, name).get("state") == state,
        f"{name} is not {state}: {agent(house, name)}",
        within,
    )
    return agent(house, name)


def figure(name: str, seconds: float) -> None:
    print(f"FIGURE {name} {seconds * 1000:.0f} ms")


def test_phones_that_do_not_answer_vanish_and_come_back(house: House, carrier: Telephone) -> None:
    house.start("--switch", "freeswitch", within=120)
    clock = house.clock
    desk = house.desk("1001")
    wait_state(house, "8012", "ready")

    # The caller hangs up while it rings: the ring ends at once.
    for _ in range(5):
        caller = house.outside().dial("8055").wait_answered(10)
        ring = desk.wait_ring(10)
        began = clock.monotonic()
        caller.hang_up(wait=False)
        ring.wait_over(3)
        cancelled = clock.monotonic() - began
        figure("caller's hang-up -> CANCEL at the agent's phone", cancelled)
        assert cancelled < 1.0
        wait_state(house, "8012", "ready")

    # Nobody answers, twice: paused with the reason; ready again by command.
    caller = house.outside().dial("8055").wait_answered(10)
    desk.wait_ring(10)
    desk.wait_ring(15)
    paused = wait_state(house, "8012", "paused")
    assert paused["reason"] == "no answer"
    assert caller.over is False
    assert house.cli("agent", "ready", "8012")["state"] in ("ready", "offered")
    ring = desk.wait_ring(10)
    ring.answer()
    house.wait_state("talking")
    clock.sleep(1)
    ring.hang_up()
    wait_state(house, "8012", "ready")
    assert agent(house, "8012")["calls_taken"] == 1

    # The phone vanishes without a word: never offered a call; it comes back, and is.
    desk.vanish()
    began = clock.monotonic()
    wait_state(house, "8012", "unreachable", 30)
    figure("phone vanished -> agent unreachable", clock.monotonic() - began)
    caller = house.outside().dial("8055").wait_answered(10)
    clock.sleep(2)
    assert agent(house, "8012")["state"] == "unreachable"
    assert house.calls()[0]["state"] == "queued"
    desk = house.desk("1001")
    began = clock.monotonic()
    desk.wait_ring(10).answer()
    figure("phone back -> answered", clock.monotonic() - began)
    house.wait_state("talking")
    caller.hang_up()
    house.wait_for(lambda: not house.calls(), "the call did not end")
    assert house.get("/status")["mended"] == 0
    assert house.stop() == 0


def test_a_mobile_must_accept_and_an_agent_is_told_alone(house: House, carrier: Telephone) -> None:
    house.start("--switch", "freeswitch", within=120)
    clock = house.clock
    told = house.desk("1002")
    wait_state(house, "8013", "ready")

    # What the agent is told is heard by the agent alone; who is there, by both.
    caller = house.outside().dial("8056").wait_answered(10)
    ring = told.wait_ring(10)
    began = clock.monotonic()
    ring.answer()
    house.wait_for(lambda: ring.sound.hears(WHISPER) > 1000, "the agent is not told", 10)
    assert caller.sound.hears(WHISPER) < 200
    assert agent(house, "8013")["state"] == "offered"
    house.wait_for(lambda: caller.sound.hears(GREETING) > 1000, "the caller does not hear who is there", 10)
    house.wait_state("talking")
    figure("answer -> talk, 1.5 s of whisper and 1.5 s of greeting within", clock.monotonic() - began)
    ring.say_tone(700, 1.5)
    house.wait_for(lambda: caller.sound.hears(700) > 1000, "the caller does not hear the agent")
    caller.hang_up()
    house.wait_for(lambda: not house.calls(), "the call did not end")
    wait_state(house, "8013", "ready")

    # Who hangs up while the agent is told frees it at once.
    caller = house.outside().dial("8056").wait_answered(10)
    ring = told.wait_ring(10)
    ring.answer()
    house.wait_for(lambda: ring.sound.hears(WHISPER) > 1000, "the agent is not told", 10)
    began = clock.monotonic()
    caller.hang_up(wait=False)
    ring.wait_over(3)
    figure("caller's hang-up -> agent freed, while told", clock.monotonic() - began)
    wait_state(house, "8013", "ready")

    # A mobile over the trunk: a mailbox presses nothing and gets nobody, a person presses 1.
    caller = house.outside().dial("8057").wait_answered(10)
    mailbox = carrier.wait_ring(10)
    assert "+8613900000012" in mailbox.invite.uri
    mailbox.answer()
    house.wait_for(lambda: mailbox.over, "the mailbox was kept", 40)
    assert house.calls()[0]["state"] == "queued"
    person = carrier.wait_ring(15)
    person.answer()
    clock.sleep(1.0)
    person.press("1")
    house.wait_state("talking")
    person.say_tone(700, 1.5)
    house.wait_for(lambda: caller.sound.hears(700) > 1000, "the caller does not hear the mobile")
    person.hang_up()
    house.wait_for(lambda: not house.calls(), "the call did not end")
    assert "rows" not in house.switch("show channels as json").replace('"row_count"', "")
    assert house.stop() == 0
