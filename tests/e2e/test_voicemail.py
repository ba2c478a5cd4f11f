"""A message left on a real FreeSWITCH and heard from an agent's phone; kill -9 in the middle of a dictation."""

from __future__ import annotations

import pytest

from tests.e2e.house import House
from tests.sip.phone import Call
from tests.sip.sound import loudness, pcm, read_wav, strength

pytestmark = pytest.mark.switch

BEEP, VOICE = 1000, 600
FLOW = """\
grammar: 1
flow: tour/main
revision: 1
title: Clips
owner: tests
languages: [en]
start: arrive
blocks:
  arrive:
    - answer
    - choose:
        - {when: caller.origin == "internal", go: listen}
    - dictate: {into: name, prompt: Your name., offer: no, give_up: bye}
    - journal: {event: named, data: {clip: "{name.id}"}}
    - voicemail: {box: "8012", prompt: Your message., silence: 2s}
    - play: Thank you.
    - hangup
  listen:
    - messages: {box: "8012", by: "8012", none: bye}
    - go: bye
  bye:
    - hangup
"""


def wait_beep(house: House, call: Call, after: int) -> int:
    """Wait for a beep in what is heard from ``after`` on; where it ends."""

    def look() -> int:
        heard = pcm(bytes(call.sound.heard[after:]))
        loud = [n for n in range(0, len(heard) - 160, 160) if strength(heard[n : n + 160], BEEP) > 1000]
        return after + loud[-1] + 160 if loud and len(heard) > loud[-1] + 800 else 0

    return int(house.wait_for(look, "no beep", 20))


def clip_rows(house: House, path: str) -> list[dict[str, object]]:
    return list(house.get(path) or [])


def test_a_message_is_left_by_tone_and_heard_by_the_agent_and_a_killed_engine_costs_no_word(
    house: House,
) -> None:
    house.add_department("tour", "8100", {"flows/main.yaml": FLOW})
    house.start("--switch", "freeswitch")
    caller = house.outside("13800138000").dial("8100").wait_answered(10)
    end = wait_beep(house, caller, 0)
    caller.say_tone(VOICE, 3.0)
    house.clock.sleep(1.0)
    house.kill()  # while the name is being said; the switch goes on recording
    house.start("--switch", "freeswitch")
    caller.press("#")
    end = wait_beep(house, caller, max(end, len(caller.sound.heard) - 8000))
    caller.say_tone(VOICE, 2.0)
    caller.wait_over(30.0)
    (message,) = house.wait_for(lambda: clip_rows(house, "/messages"), "no message")
    assert (message["box"], message["state"], message["number"]) == ("8012", "new", "+8613800138000")
    clips = sorted((house.home / "var" / "recordings" / "clips").rglob("*.wav"))
    assert len(clips) == 2
    for clip in clips:
        (sound,) = read_wav(clip)
        windows = [sound[n : n + 800] for n in range(0, len(sound) - 800, 800)]
        assert max(strength(window, VOICE) for window in windows) > 3000, clip
        assert max(strength(window, BEEP) for window in windows) < 100, clip
        print(clip.name, len(sound) / 8000, [round(loudness(window)) for window in windows])
    (cdr,) = house.cli("cdr", "list")
    assert (cdr["adopted"], cdr["outcome"]) == (1, "served")

    agent = house.desk("1001")
    line = agent.dial("8100").wait_answered(10)
    house.wait_for(
        lambda: line.sound.hears(VOICE, last=0.3) > 2000, "the agent does not hear the message", 30
    )
    line.hang_up()
    (heard,) = house.wait_for(
        lambda: [row for row in clip_rows(house, "/messages") if row["id"] == message["id"]], "it is gone"
    )
    listed = house.cli("voicemail", "list")
    assert [row["id"] for row in listed] == [heard["id"]]
    house.command("voicemail", "delete", str(heard["id"]))
    assert house.cli("voicemail", "list") == []
    assert len(list((house.home / "var" / "recordings" / "clips").rglob("*.wav"))) == 1
