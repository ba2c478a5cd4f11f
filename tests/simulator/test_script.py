"""Scripts of callers and phones: what they may say, and that they play the same way twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.clock import VirtualClock
from engine.errors import ConfigError
from engine.switch.simulator import Simulator
from engine.switch.simulator.script_file import Spread, load

ROOT = Path(__file__).parents[2]


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "simulator.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def ivr(client: Any) -> Any:
    """A switchboard that asks each caller once for two digits, plays music after a 9, else says goodbye."""

    def lead() -> None:
        for event in client.each():
            uuid = event.get("Unique-ID", "")
            if event["Event-Name"] == "CHANNEL_PARK":
                client.api(f"sched_del {uuid}")
                client.execute(uuid, "answer")
                ask = "1 2 2 3000 # silence_stream://2000 silence_stream://10 dd \\d+ 1000"
                client.execute(uuid, "play_and_get_digits", ask, event_uuid="P", lock=True)
            elif event.get("Application-UUID") == "P" and event["Event-Name"] == "CHANNEL_EXECUTE_COMPLETE":
                if "Hangup-Cause" in event:
                    continue
                if event.get("variable_dd") == "9":
                    client.execute(uuid, "playback", "local_stream://music")
                else:
                    client.execute(uuid, "hangup")

    return client.clock.spawn(lead)


SCRIPT = """
grammar: 1
phones:
  1001: {answer_after: 1s-2s, talk_for: 5s, misses: 0%}
callers:
  - title: presses and listens
    dials: "8004"
    from: ["+8613800000001", "+8613800000002"]
    first: 1s
    every: 5s-9s
    times: 4
    does:
      - {press: "12", after: 500ms}
  - title: waits for somebody
    dials: "8004"
    from: ["+8613800000003"]
    first: 3s
    patience: 12s
    does:
      - press: "9"
      - talk
  - title: says nothing
    dials: "8005"
    from: ["+8613800000004"]
    first: 4s
  - title: presses blindly and leaves
    dials: "8004"
    from: ["+8613800000005"]
    first: 2s
    does:
      - wait: 500ms
      - hang_up
"""


def test_callers_come_press_when_asked_lose_patience_and_leave(
    sim: Simulator, client: Any, clock: VirtualClock, tmp_path: Path
) -> None:
    leader = ivr(client)
    player = sim.play(load(write(tmp_path, SCRIPT)), seed=3)
    clock.sleep(60)
    player.stop()
    leader.kill()
    assert player.calls == 7
    assert sim.phones["1001"].registered
    by_number: dict[str, list[Any]] = {}
    for caller in sim.callers:
        by_number.setdefault(caller.caller, []).append(caller)
    pressers = by_number["+8613800000001"] + by_number["+8613800000002"]
    assert len(pressers) == 4
    keys = [
        e["DTMF-Digit"]
        for e in client.events
        if e["Event-Name"] == "DTMF" and e["Unique-ID"] == pressers[0].uuid
    ]
    assert keys == ["1", "2"]
    assert {caller.ended for caller in sim.callers} == {"NORMAL_CLEARING"}
    (impatient,) = by_number["+8613800000003"]
    assert impatient.played[-1].path == "local_stream://music"
    assert impatient.played[-1].ended == pytest.approx(3 + 12, abs=0.1)
    (silent,) = by_number["+8613800000004"]
    assert [p.path for p in silent.played].count("silence_stream://2000") == 2  # asked twice
    (blind,) = by_number["+8613800000005"]
    assert blind.played[0].seconds < 0.6


def test_its_phones_are_registered_the_whole_day_but_for_those_that_went(
    sim: Simulator, clock: VirtualClock, tmp_path: Path
) -> None:
    text = "grammar: 1\nphones: {1001: {}, 1002: {}, 1003: {}}\ncallers: []\n"
    sim.play(load(write(tmp_path, text)), seed=3)
    sim.phones["1002"].unregister()
    sim.phones["1003"].vanish()
    clock.sleep(8 * 3600)
    assert [phone.registered for phone in sim.phones.values()] == [True, False, False]


def test_a_script_plays_the_same_way_twice(tmp_path: Path) -> None:
    script = load(write(tmp_path, SCRIPT))

    def play(seed: int) -> list[tuple[str, str, float]]:
        clock = VirtualClock()
        sim = Simulator(clock, password="x")
        sim.play(script, seed=seed)
        clock.sleep(40)
        came = [(one.caller, one.uuid, one.channel.born) for one in sim.callers if one.channel is not None]
        sim.stop()
        clock.close()
        return came

    assert play(1) == play(1)
    assert play(1) != play(2)


def test_the_shipped_script_can_be_read() -> None:
    script = load(ROOT / "conf" / "simulator.yaml")
    assert script.phones["1001"].answer_after == Spread(2.0, 6.0)
    assert len(script.callers) >= 5
    sample = ("+86138000000", "+8613802880", "+8613802883", "+86137000", "+861392220")  # of nobody
    assert all(number.startswith(sample) for caller in script.callers for number in caller.from_)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "grammar: 1\ncallers:\n  - {title: x, dials: '8004', from: ['1'], does: [{press: 12x}]}\n",
            "can't be pressed",
        ),
        ("grammar: 1\ncallers:\n  - {title: x, dials: '8004', from: ['1'], does: [dance]}\n", "dance"),
        (
            "grammar: 1\ncallers:\n  - {title: x, dials: '8004', from: ['1'], does: [{wait: 5s, press: '1'}]}\n",
            "one of",
        ),
        (
            "grammar: 1\ncallers:\n  - {title: x, dials: '8004', from: ['1'], every: 9s-2s}\n",
            "ends before it begins",
        ),
        ("grammar: 1\ncallers:\n  - {title: x, dials: '8004', from: ['1'], every: 9}\n", "9"),
        ("grammar: 1\ncallers:\n  - {title: x, dials: '8004', from: []}\n", "from"),
        ("grammar: 1\nphones:\n  1001: {answers: 2s}\n", "answers"),
    ],
)
def test_every_mistake_is_shown_at_its_place(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load(write(tmp_path, text))
    assert fault in str(raised.value)
    assert "simulator.yaml:" in str(raised.value)


def test_a_file_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        load(tmp_path / "nothing.yaml")
