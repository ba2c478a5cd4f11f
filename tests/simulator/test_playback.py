"""What a playback argument plays, and how long. Lengths were measured on FreeSWITCH 1.11."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.clock import Empty, VirtualClock
from engine.errors import HungUp
from engine.switch.simulator import SimCaller, Simulator
from engine.switch.simulator.media import ENDLESS, resolve


@pytest.fixture
def caller(sim: Simulator, client: Any) -> SimCaller:
    caller = sim.call("8004")
    client.execute(caller.uuid, "answer", event_uuid="answer")
    client.complete("answer")
    client.api(f"sched_del {caller.uuid}")
    return caller


@pytest.mark.parametrize(
    ("argument", "seconds"),
    [
        ("silence_stream://300", 0.3),
        ("silence_stream://300,1400", 0.3),
        ("silence_stream://-1", ENDLESS),
        ("tone_stream://%(200,100,440);loops=2", 0.6),
        ("tone_stream://L=2;%(100,100,440)", 0.4),
        ("tone_stream://%(2000,4000,440,480);loops=-1", ENDLESS),
        ("local_stream://music", ENDLESS),
        ("local_stream://nothing", None),
        ("nosuch://x", None),
        ("/nowhere/at-all.wav", None),
    ],
)
def test_streams_have_the_length_they_have_on_the_switch(argument: str, seconds: float | None) -> None:
    found = resolve(argument)
    assert (found.seconds if found else None) == seconds


def test_a_file_string_begins_with_a_quarter_of_a_second_of_silence(sound: Callable[..., str]) -> None:
    half, third = sound("half", 0.5), sound("third", 0.3)
    assert resolve(half).seconds == pytest.approx(0.5)
    assert resolve(f"file_string://{half}").seconds == pytest.approx(0.75)
    assert resolve(f"file_string://{half}!{half}").seconds == pytest.approx(1.25)
    assert resolve(f"file_string://{half}!/nowhere.wav!{half}").seconds == pytest.approx(1.25)
    assert resolve(f"file_string://{third}!silence_stream://100!{half}").seconds == pytest.approx(1.15)
    assert resolve("file_string:///nowhere.wav!/nor-here.wav") is None
    assert resolve(f"{{option=1}}{half}").seconds == pytest.approx(0.5)


def test_a_file_that_is_not_there_is_said_and_fires_no_playback(client: Any, caller: SimCaller) -> None:
    client.execute(caller.uuid, "playback", "/nowhere/at-all.wav", event_uuid="E", lock=True)
    assert client.complete("E")["Application-Response"] == "FILE NOT FOUND"
    assert "PLAYBACK_START" not in client.names()
    assert not caller.played


def test_nothing_to_play_is_an_error(client: Any, caller: SimCaller) -> None:
    client.execute(caller.uuid, "playback", "", event_uuid="E", lock=True)
    assert client.complete("E")["Application-Response"] == "PLAYBACK ERROR"


def test_events_tell_file_type_and_how_much_was_played(
    client: Any, caller: SimCaller, sound: Callable[..., str]
) -> None:
    path = sound("one", 1.5)
    client.execute(caller.uuid, "playback", f"{path}@@4000", event_uuid="E", lock=True)
    client.complete("E")
    start, stop = client.event("PLAYBACK_START"), client.event("PLAYBACK_STOP")
    assert start["Playback-File-Path"] == path
    assert (stop["Playback-Status"], stop["variable_playback_ms"], stop["variable_playback_samples"]) == (
        "done",
        "1000",
        "8000",
    )
    client.execute(caller.uuid, "playback", "tone_stream://%(200,0,440)", event_uuid="T", lock=True)
    client.complete("T")
    tone = client.wait(lambda e: e["Event-Name"] == "PLAYBACK_START" and "Playback-File-Type" in e)
    assert tone["Playback-File-Type"] == "tone_stream"


def test_a_person_hears_each_playback_once_in_order_and_knows_what_is_on(
    client: Any, caller: SimCaller, clock: VirtualClock
) -> None:
    client.execute(caller.uuid, "playback", "silence_stream://1000", lock=True)
    client.execute(caller.uuid, "playback", "silence_stream://2000", lock=True)
    first = caller.next_playback(1)
    assert (first.path, caller.hearing, first.ended) == (
        "silence_stream://1000",
        "silence_stream://1000",
        None,
    )
    second = caller.next_playback(5)
    assert (second.path, first.broken) == ("silence_stream://2000", False)
    assert first.ended == pytest.approx(first.at + 1.0)
    with pytest.raises(Empty):
        caller.next_playback(0.5)
    caller.hang_up()
    with pytest.raises(HungUp):
        caller.next_playback(5)
    assert second.broken is False  # ended by the hang-up: the switch calls that done
    assert second.seconds == pytest.approx(0.5, abs=0.05)
