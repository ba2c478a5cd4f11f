"""Hold, consultation, transfer and three together on a real FreeSWITCH, with real phones, sound and keys."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.house import House
from tests.sip.phone import Call, Telephone

pytestmark = pytest.mark.switch

FLOW = """\
grammar: 1
flow: talks/main
revision: 1
title: Talks
owner: tests
languages: [en]
start: arrive
blocks:
  arrive:
    - answer
    - record: {policy: service}
    - queue: {name: logistics, full: bye, too_long: bye, no_agents: bye}
    - play: That was the talk.
    - menu: {prompt: Press one to leave., options: {1: bye}, give_up: bye}
  bye:
    - hangup
"""
SILENCE = 300.0


def hears(house: House, speaker: Call, ear: Call, hz: float, what: str) -> None:
    """What one says comes to the other's ear."""
    speaker.say_tone(hz, 1.2)
    house.wait_for(lambda: ear.sound.hears(hz) > 1000, what, 4)
    house.clock.sleep(1.4)


def hears_not(house: House, speaker: Call, ear: Call, hz: float, what: str) -> None:
    speaker.say_tone(hz, 0.8)
    worst = 0.0
    end = house.clock.monotonic() + 1.0
    while house.clock.monotonic() < end:
        worst = max(worst, ear.sound.hears(hz))
        house.clock.sleep(0.1)
    assert worst < SILENCE, f"{what}: {worst:.0f}"
    house.clock.sleep(0.3)


def mode(house: House, verb: str, *more: str) -> str:
    call = house.calls()[0]["id"]
    began = house.clock.monotonic()
    said = house.post(f"/calls/{call}/talk/{verb}", target=more[0] if more else "")
    print(f"FIGURE {verb}: {(house.clock.monotonic() - began) * 1000:.0f} ms")
    return str(said["talk"])


def dial(house: House, agent: Call, keys: str, target: str) -> None:
    """As the agents' card says: the keys, then (the caller is on hold, the voice asks) the number."""
    agent.press(keys)
    house.wait_for(lambda: state(house, "8012") == "hold", "the keys were not heard", 5)
    house.clock.sleep(1)
    agent.press(target)


def presses_at_once(house: House, caller: Call, ear: Call, keys: str) -> None:
    """Keys in the moment in which the caller, who speaks already, is heard."""
    end = house.clock.monotonic() + 5
    while ear.sound.hears(1013) < 1000:
        assert house.clock.monotonic() < end, "the caller is not heard"
        house.clock.sleep(0.01)
    ear.press(keys)


def state(house: House, agent: str) -> str:
    return str(house.get(f"/agents/{agent}")["state"])


class Scene:
    """A caller who talks to 8012 at 1001; 8013's phone 1002 is there, too."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.one_phone = house.desk("1001")
        self.two_phone: Telephone | None = None

    def begin(self) -> tuple[Call, Call]:
        house = self.house
        if self.two_phone is not None:
            house.post("/agents/8013/pause", reason="meeting")
        house.wait_for(lambda: state(house, "8012") == "ready", "8012 is not ready", 30)
        caller = house.outside().dial("8056").wait_answered(10)
        one = self.one_phone.wait_ring(10)
        one.answer()
        house.wait_state("talking")
        if self.two_phone is None:
            self.two_phone = house.desk("1002")
        else:
            house.post("/agents/8013/ready")
        house.wait_for(lambda: state(house, "8013") == "ready", "8013 is not ready", 30)
        return caller, one

    def consult(self) -> tuple[Call, Call, Call]:
        caller, one = self.begin()
        assert mode(self.house, "consult", "agent:8013") == "ringing"
        assert self.two_phone is not None
        two = self.two_phone.wait_ring(10)
        two.answer()
        self.house.wait_for(lambda: self.talk() == "consulting", "no consultation", 5)
        return caller, one, two

    def talk(self) -> str:
        call = self.house.calls()
        return str(self.house.get(f"/calls/{call[0]['id']}/talk").get("talk", "")) if call else ""

    def over(self, *calls: Call) -> None:
        for call in calls:
            if not call.over:
                call.hang_up()
        house = self.house
        house.wait_for(lambda: not house.calls(), "the call did not end")
        house.wait_for(
            lambda: '"rows"' not in house.switch("show channels as json"),
            f"left: {house.switch('show channels as json')}",
            10,
        )
        for agent in ("8012", "8013"):
            house.post(f"/agents/{agent}/ready")


@pytest.fixture
def scene(house: House) -> Any:
    house.add_department("talks", "8056", {"flows/main.yaml": FLOW})
    house.start("--switch", "freeswitch")
    return Scene(house)


def test_talks(house: House, scene: Scene) -> None:
    # Hold and resume, by the agent's keys: the caller hears music and none of the keys.
    caller, one = scene.begin()
    hears(house, caller, one, 1013, "the agent does not hear the caller")
    one.press("*1")
    house.wait_for(lambda: state(house, "8012") == "hold", "not on hold", 5)
    house.clock.sleep(2.5)
    hears_not(house, one, caller, 1237, "the caller on hold hears the agent")
    hears_not(house, caller, one, 1013, "the agent hears the caller on hold")
    one.press("*1")
    house.wait_for(lambda: state(house, "8012") == "talking", "not back", 5)
    house.clock.sleep(0.3)
    assert caller.sound.digits == []
    hears(house, one, caller, 1237, "the caller does not hear the agent again")

    # A consultation by keys, the second declines, then answers; from one to the other; back.
    one.press("*58013#")  # as fast as a machine types
    two = scene.two_phone.wait_ring(10)
    two.reject(486)
    house.wait_for(lambda: state(house, "8012") == "talking", "not back after busy", 5)
    assert mode(house, "consult", "agent:8013") == "ringing"
    two = scene.two_phone.wait_ring(10)
    two.answer()
    house.wait_for(lambda: state(house, "8013") == "talking", "8013 does not talk", 5)
    house.clock.sleep(0.5)
    hears(house, one, two, 1237, "the second does not hear the first")
    hears(house, two, one, 1571, "the first does not hear the second")
    hears_not(house, two, caller, 1571, "the caller hears the consultation")
    assert caller.sound.digits == []
    assert mode(house, "resume") == "aside"
    hears(house, caller, one, 1013, "not with the caller again")
    hears_not(house, one, two, 1237, "the second hears the talk with the caller")
    assert mode(house, "hold") == "consulting"
    hears(house, two, one, 1571, "not with the second again")

    # Three together: everybody hears the other two.
    one.press("*3")
    house.wait_for(lambda: state(house, "8012") == "talking", "no conference", 5)
    house.clock.sleep(0.5)
    for speaker, hz, ears in (
        (caller, 1013, (one, two)),
        (one, 1237, (caller, two)),
        (two, 1571, (caller, one)),
    ):
        speaker.say_tone(hz, 2.0)
        house.wait_for(
            lambda h=hz, e=ears: all(ear.sound.hears(h) > 800 for ear in e), f"{hz} is not heard", 4
        )
        house.clock.sleep(2.0)
    assert caller.sound.digits == []
    assert mode(house, "back") == "talking"
    house.wait_for(lambda: two.over, "the second was not let go", 3)
    hears(house, one, caller, 1237, "not with the caller after the conference")
    scene.over(caller)

    # An attended transfer: complete by key; the first is free, the caller talks to the second, who hangs up.
    caller, one, two = scene.consult()
    one.press("*2")
    house.wait_for(lambda: one.over, "the first was not let go", 3)
    hears(house, caller, two, 1013, "the second does not hear the caller")
    hears(house, two, caller, 1571, "the caller does not hear the second")
    assert state(house, "8012") == "wrap_up"
    two.hang_up()
    house.wait_step("menu")
    scene.over(caller)

    # Blind to an agent by keys, declined: the caller is the next one again, with 8012.
    caller, one = scene.begin()
    dial(house, one, "*2", "8013#")
    two = scene.two_phone.wait_ring(10)
    house.wait_for(lambda: one.over, "the first was not let go", 3)
    house.post("/agents/8012/ready")
    house.post("/agents/8013/pause", reason="meeting")  # which stops the ring
    house.wait_for(lambda: two.over, "the ring was not stopped", 3)
    one = scene.one_phone.wait_ring(10)
    one.answer()
    house.wait_state("talking")
    hears(house, one, caller, 1237, "no talk after a blind transfer that nobody took")
    house.post("/agents/8013/ready")
    # Blind to a queue: 8013 gets it from there.
    assert mode(house, "transfer", "queue:logistics")
    two = scene.two_phone.wait_ring(10)
    two.answer()
    house.clock.sleep(0.5)
    hears(house, two, caller, 1571, "no talk after a transfer to a queue")
    scene.over(caller)

    cdrs = house.cli("cdr", "list")
    print(
        "FIGURE cdr:", [cdr["data"].get("moves") for cdr in cdrs], [cdr["data"].get("agents") for cdr in cdrs]
    )
    assert house.stop() == 0


def test_keys_in_the_first_moment_of_a_talk(house: House, scene: Scene) -> None:
    """Of the first talk, of who was handed the caller, after a hold, after three together, and after a kill -9."""

    def on_hold(agent: str, what: str) -> None:
        house.wait_for(lambda: state(house, agent) == "hold", f"no key {what}", 3)

    caller, one = scene.begin()
    scene.over(caller)
    house.wait_for(lambda: state(house, "8012") == "ready", "8012 is not ready", 30)
    house.post("/agents/8013/pause", reason="meeting")
    caller = house.outside().dial("8056").wait_answered(10)
    one = scene.one_phone.wait_ring(10)
    caller.say_tone(1013, 60)
    one.answer()
    presses_at_once(house, caller, one, "*1")
    on_hold("8012", "when it answered")
    house.clock.sleep(0.5)
    one.press("*1")
    presses_at_once(house, caller, one, "*1")
    on_hold("8012", "after the hold")
    # Three together, and back: the bridge is a new one.
    house.post("/agents/8013/ready")
    assert mode(house, "consult", "agent:8013") == "ringing"
    two = scene.two_phone.wait_ring(10)
    two.answer()
    house.wait_for(lambda: scene.talk() == "consulting", "no consultation", 5)
    assert mode(house, "conference") == "three"
    assert mode(house, "complete") == "talking"
    presses_at_once(house, caller, two, "*1")
    on_hold("8013", "of who was left with the caller")
    # The engine dies in the moment of the bridge, and the agent presses a key when the next one is there.
    house.clock.sleep(0.5)
    two.press("*1")
    while two.sound.hears(1013) < 1000:
        house.clock.sleep(0.01)
    house.kill()
    house.start("--switch", "freeswitch")
    house.wait_for(lambda: scene.talk() == "talking", "not taken up", 10)
    presses_at_once(house, caller, two, "*1")
    on_hold("8013", "after a restart")
    assert caller.sound.digits == []
    scene.over(caller)
    assert house.stop() == 0


def test_hang_ups_and_restarts(house: House, scene: Scene) -> None:
    # The first hangs up in a consultation: the caller goes to the second.
    caller, one, two = scene.consult()
    one.hang_up()
    house.wait_for(lambda: scene.talk() == "talking", "not passed", 3)
    hears(house, two, caller, 1571, "the caller does not hear the second")
    two.hang_up()
    house.wait_step("menu")
    scene.over(caller)
    # The second hangs up: the caller and the first are together.
    caller, one, two = scene.consult()
    two.hang_up()
    house.wait_for(lambda: scene.talk() == "talking", "not together", 3)
    hears(house, one, caller, 1237, "the caller does not hear the first")
    scene.over(caller)
    # The caller hangs up in a three-way.
    caller, one, two = scene.consult()
    assert mode(house, "conference") == "three"
    caller.hang_up()
    house.wait_for(lambda: one.over and two.over, "somebody was left over", 4)
    scene.over()
    # The first hangs up while the caller is on hold: music, and the front of the queue.
    caller, one = scene.begin()
    mode(house, "hold")
    one.hang_up()
    again = scene.two_phone.wait_ring(5)
    again.answer()
    house.wait_state("talking")
    scene.over(caller)

    # Killed with -9: on hold, in a consultation, in a three-way.
    caller, one = scene.begin()
    mode(house, "hold")
    house.kill()
    house.clock.sleep(1)
    house.start("--switch", "freeswitch")
    house.wait_for(lambda: scene.talk() == "held", "not taken up on hold", 10)
    assert state(house, "8012") == "hold"
    assert mode(house, "resume") == "talking"
    hears(house, one, caller, 1237, "no talk after a restart on hold")
    mode(house, "consult", "agent:8013")
    two = scene.two_phone.wait_ring(10)
    two.answer()
    house.wait_for(lambda: scene.talk() == "consulting", "no consultation", 5)
    house.kill()
    house.clock.sleep(1)
    house.start("--switch", "freeswitch")
    house.wait_for(lambda: scene.talk() == "consulting", "not taken up in the consultation", 10)
    hears(house, two, one, 1571, "the consultation did not go on")
    assert mode(house, "conference") == "three"
    house.kill()
    house.clock.sleep(1)
    house.start("--switch", "freeswitch")
    house.wait_for(lambda: scene.talk() == "three", "not taken up in the three-way", 10)
    hears(house, two, caller, 1571, "the three-way did not go on")
    assert mode(house, "complete") == "talking"
    hears(house, caller, two, 1013, "no talk after the three-way")
    house.wait_for(lambda: one.over, "the first was not let go", 3)
    two.hang_up()
    house.wait_step("menu")
    scene.over(caller)
    assert house.stop() == 0
