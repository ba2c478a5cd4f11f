"""An agent asks a queue with its caller on hold, on a real FreeSWITCH: real phones, sound and keys."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.house import House
from tests.e2e.test_talks import FLOW, Scene, hears, hears_not, mode, state
from tests.sip.phone import Call

pytestmark = pytest.mark.switch

ADVICE = """\
queues:
  advice:
    title: {zh-CN: 专家, en: Advice}
    number: "861"
    offer: 2m
    wrap_up: 5s
    longest: 5m
  front:
    title: {zh-CN: 前台, en: Front}
    offer: 20s
    wrap_up: 5s
    longest: 5m
"""


class Asking(Scene):
    """A caller who talks to 8012 (front desk); 8013 serves the queue that is asked, and pauses until it is wanted."""

    def begin(self) -> tuple[Call, Call]:
        house = self.house
        if self.two_phone is None:
            self.two_phone = house.desk("1002")
        house.wait_for(lambda: state(house, "8013") in ("ready", "paused"), "8013 is not there", 30)
        house.post("/agents/8013/pause", reason="meeting")
        house.wait_for(lambda: state(house, "8012") == "ready", "8012 is not ready", 30)
        caller = house.outside().dial("8056").wait_answered(10)
        one = self.one_phone.wait_ring(10)
        one.answer()
        house.wait_state("talking")
        house.clock.sleep(0.7)  # nobody presses a key in the very moment of the answer
        return caller, one

    def asks(self) -> tuple[Call, Call]:
        """The first waits in the queue, by its phone's keys."""
        caller, one = self.begin()
        one.press("*5861#")
        self.house.wait_for(lambda: self.talk() == "queued", "it does not wait in the queue", 5)
        return caller, one

    def answered(self, caller: Call, one: Call) -> Call:
        """8013 is ready, is rung, and takes it."""
        house = self.house
        house.post("/agents/8013/ready")
        assert self.two_phone is not None
        began = house.clock.monotonic()
        two = self.two_phone.wait_ring(10)
        print(f"FIGURE ready to ringing: {(house.clock.monotonic() - began) * 1000:.0f} ms")
        two.answer()
        house.wait_for(lambda: self.talk() == "consulting", "no consultation", 5)
        house.clock.sleep(0.5)
        return two

    def restart(self) -> None:
        self.house.kill()
        self.house.clock.sleep(1)
        self.house.start("--switch", "freeswitch")


@pytest.fixture
def scene(house: House) -> Any:
    queues, agents = house.home / "conf" / "queues.yaml", house.home / "conf" / "agents.yaml"
    queues.write_text(queues.read_text("utf-8").replace("queues:\n", ADVICE, 1), "utf-8")
    text = agents.read_text("utf-8")
    for agent, queue in (("8012", "front"), ("8013", "advice")):
        before, mine = text.split(f"  {agent}:\n", 1)
        text = f"{before}  {agent}:\n{mine.replace('queues: {logistics: 1}', f'queues: {{{queue}: 1}}', 1)}"
    agents.write_text(text, "utf-8")
    house.add_department("talks", "8056", {"flows/main.yaml": FLOW.replace("name: logistics", "name: front")})
    house.start("--switch", "freeswitch")
    return Asking(house)


def test_asking_a_queue(house: House, scene: Asking) -> None:
    # There and back again, by keys; the caller hears music and none of the keys, and nobody is left in the queue.
    caller, one = scene.asks()
    assert state(house, "8012") == "hold"
    house.clock.sleep(2.5)  # the words about the position are over
    hears_not(house, one, caller, 1237, "the caller on hold hears the agent who waits")
    hears_not(house, caller, one, 1013, "the agent who waits hears the caller")
    (waiting,) = house.get("/queues/advice")["waiting"]
    assert waiting["asks"] == "8012"
    one.press("*4")
    house.wait_for(lambda: scene.talk() == "talking", "not back", 5)
    hears(house, one, caller, 1237, "the caller does not hear the agent again")
    assert caller.sound.digits == []
    assert not house.get("/queues/advice")["waiting"]

    # Asked again; whoever comes ready is rung and they talk; three together; the caller is handed over.
    one.press("*5861#")
    house.wait_for(lambda: scene.talk() == "queued", "not in the queue again", 5)
    two = scene.answered(caller, one)
    hears(house, one, two, 1237, "the second does not hear the first")
    hears(house, two, one, 1571, "the first does not hear the second")
    hears_not(house, two, caller, 1571, "the caller hears the consultation")
    one.press("*3")
    house.wait_for(lambda: scene.talk() == "three", "no conference", 5)
    house.clock.sleep(0.5)
    hears(house, two, caller, 1571, "the caller does not hear the second in the conference")
    one.press("*2")
    house.wait_for(lambda: one.over, "the first was not let go", 3)
    hears(house, caller, two, 1013, "the second does not hear the caller")
    two.hang_up()
    house.wait_step("menu")
    assert state(house, "8013") in ("wrap_up", "ready")
    scene.over(caller)

    # Handed over while it waits: the caller waits on in the same place, and 8013 gets it.
    caller, one = scene.asks()
    one.press("*2")
    house.wait_for(lambda: one.over, "the first was not let go", 3)
    (waiting,) = house.wait_for(lambda: house.get("/queues/advice")["waiting"], "the place is gone", 3)
    assert waiting["asks"] == ""
    house.post("/agents/8013/ready")
    assert scene.two_phone is not None
    two = scene.two_phone.wait_ring(10)
    two.answer()
    house.wait_state("talking")
    hears(house, two, caller, 1571, "no talk after it was handed over in the queue")
    said = house.command("explain", "call", house.calls()[0]["id"])
    print(said)
    assert "8012 asks, with the caller on hold" in said
    scene.over(caller)
    cdrs = house.cli("cdr", "list")
    print("FIGURE cdr:", [(cdr["data"].get("moves"), cdr["data"].get("asked")) for cdr in cdrs])
    assert house.stop() == 0


def test_hang_ups_and_restarts(house: House, scene: Asking) -> None:
    # The first hangs up while it waits: the caller is the next one of the queue that it came from.
    caller, one = scene.asks()
    one.hang_up()
    house.wait_for(lambda: not house.get("/queues/advice")["waiting"], "the place was kept", 5)
    house.post("/agents/8012/ready")
    one = scene.one_phone.wait_ring(10)
    one.answer()
    house.wait_state("talking")
    house.clock.sleep(0.7)
    # The caller hangs up while the first waits.
    one.press("*5861#")
    house.wait_for(lambda: scene.talk() == "queued", "not in the queue", 5)
    caller.hang_up()
    house.wait_for(lambda: one.over, "the first was left over", 5)
    scene.over()
    # The queue closes while the first asks it: refused, and heard.
    house.post("/queues/advice/close", why="fire", by="8013")
    caller, one = scene.begin()
    one.press("*5861#")
    house.clock.sleep(2)
    house.wait_for(lambda: scene.talk() == "talking", "not back from a closed queue", 5)
    house.clock.sleep(3)  # the words that say so are over
    hears(house, one, caller, 1237, "no talk after a closed queue")
    house.post("/queues/advice/open", by="8013")

    # Killed with -9 while the first waits, while a phone rings, in the consultation.
    one.press("*5861#")
    house.wait_for(lambda: scene.talk() == "queued", "not in the queue", 5)
    scene.restart()
    house.wait_for(lambda: scene.talk() == "queued", "not taken up in the queue", 10)
    assert state(house, "8012") == "hold"
    house.post("/agents/8013/ready")
    assert scene.two_phone is not None
    two = scene.two_phone.wait_ring(10)
    scene.restart()
    house.wait_for(lambda: state(house, "8013") == "offered", "the ring was not taken up", 10)
    two.answer()
    house.wait_for(lambda: scene.talk() == "consulting", "no consultation after a restart", 5)
    house.clock.sleep(0.5)
    hears(house, two, one, 1571, "the first does not hear who was rung before the restart")
    scene.restart()
    house.wait_for(lambda: scene.talk() == "consulting", "not taken up in the consultation", 10)
    hears(house, one, two, 1237, "the consultation did not go on")
    # Who was asked hangs up: the caller and the first are together.
    two.hang_up()
    house.wait_for(lambda: scene.talk() == "talking", "not together", 5)
    hears(house, one, caller, 1237, "the caller does not hear the first")
    assert mode(house, "hold") == "held"
    scene.over(caller)
    assert house.stop() == 0
