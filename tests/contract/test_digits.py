"""Keys: collecting them, keeping them secret, and what is lost."""

from __future__ import annotations

import pytest

from engine.esl import commands as c
from engine.esl.commands import Digits
from tests.contract.rig import Rig

PROMPT = "tone_stream://%(3000,0,440)"


def collect(**more: object) -> str:
    values: dict[str, object] = {"minimum": 1, "maximum": 4, "first": 1.0, "between": 0.5, **more}
    return Digits(**values).argument()  # type: ignore[arg-type]


def test_the_digits_are_in_the_variable_of_its_completion(switch: Rig) -> None:
    person, uuid = switch.arrive()
    asked = switch.execute(uuid, "play_and_get_digits", collect(first=3.0), lock=True)
    switch.clock.sleep(0.1)
    person.press("42#")
    over = switch.heard.done(asked)
    assert over.var("il_digits") == "42"
    assert over.var("read_result") == "success"
    assert over.var("read_terminator_used") == "#"


def test_the_greatest_number_of_digits_ends_it_at_once(switch: Rig) -> None:
    person, uuid = switch.arrive()
    asked = switch.execute(uuid, "play_and_get_digits", collect(maximum=2, first=3.0, between=3.0), lock=True)
    switch.clock.sleep(0.1)
    person.press("42")
    over = switch.heard.done(asked, timeout=1.0)
    assert over.var("il_digits") == "42"
    assert not over.var("read_terminator_used")


@pytest.mark.parametrize("prompt", [PROMPT, ""])
def test_the_ending_key_alone_is_told_as_that_and_as_no_digits(switch: Rig, prompt: str) -> None:
    """So a key that ends digits which were complete without it can be told from silence."""
    person, uuid = switch.arrive()
    more = {"prompt": prompt} if prompt else {}
    asked = switch.execute(uuid, "play_and_get_digits", collect(first=3.0, **more), lock=True)
    switch.clock.sleep(0.3)
    person.press("#")
    over = switch.heard.done(asked, timeout=1.0)
    assert not over.var("il_digits")
    assert over.var("read_terminator_used") == "#"


def test_a_pause_after_the_least_number_ends_it_with_what_there_is(switch: Rig) -> None:
    person, uuid = switch.arrive()
    asked = switch.execute(uuid, "play_and_get_digits", collect(first=3.0, between=0.4), lock=True)
    switch.clock.sleep(0.1)
    person.press("7")
    assert switch.heard.done(asked).var("il_digits") == "7"


def test_a_key_interrupts_the_prompt(switch: Rig) -> None:
    person, uuid = switch.arrive()
    asked = switch.execute(uuid, "play_and_get_digits", collect(maximum=1, prompt=PROMPT), lock=True)
    switch.heard.wait("PLAYBACK_START", uuid)
    began = switch.clock.monotonic()
    person.press("5")
    assert switch.heard.done(asked).var("il_digits") == "5"
    assert switch.clock.monotonic() - began < 1.0


def test_on_silence_the_variable_is_absent_and_the_result_is_failure(switch: Rig) -> None:
    """An old value of it goes, too. Less than a second to the first key counts as a second."""
    _, uuid = switch.arrive()
    switch.run(uuid, "set", "il_digits=999")
    began = switch.clock.monotonic()
    over = switch.run(uuid, "play_and_get_digits", collect(first=0.3))
    assert over.var("il_digits") is None
    assert over.var("read_result") == "failure"
    assert 0.9 < switch.clock.monotonic() - began < 2.0


def test_too_few_digits_are_a_failure_that_still_leaves_them_in_the_variable(switch: Rig) -> None:
    """So the result decides, never whether the variable is there. With another try they would be gone."""
    person, uuid = switch.arrive()
    asked = switch.execute(uuid, "play_and_get_digits", collect(minimum=3, first=1.5, between=0.4), lock=True)
    switch.clock.sleep(0.1)
    person.press("12")
    over = switch.heard.done(asked)
    assert over.var("il_digits") == "12"
    assert over.var("read_result") == "failure"


def test_keys_pressed_before_it_are_told_as_events_and_lost_to_it(switch: Rig) -> None:
    person, uuid = switch.arrive()
    person.press("1")
    switch.heard.wait("DTMF", uuid)
    music = switch.execute(uuid, "playback", PROMPT)
    switch.heard.wait("PLAYBACK_START", uuid)
    since = switch.heard.mark
    person.press("2")
    switch.heard.wait("DTMF", uuid, since=since)
    switch.api(c.uuid_break(uuid))
    switch.heard.done(music)
    over = switch.run(uuid, "play_and_get_digits", collect())
    assert over.var("il_digits") is None


def test_each_key_is_one_event_without_any_variable(switch: Rig) -> None:
    person, uuid = switch.arrive()
    person.press("13*#")
    switch.until(lambda: len(switch.heard.find("DTMF", uuid)) == 4)
    events = switch.heard.find("DTMF", uuid)
    assert [event.get("DTMF-Digit") for event in events] == ["1", "3", "*", "#"]
    assert int(events[0].get("DTMF-Duration") or 0) > 0
    assert not any(key.startswith("variable_") for event in events for key in event.headers)


def test_a_secret_leaves_no_trace_once_sensitive_is_set(switch: Rig) -> None:
    person, uuid = switch.arrive()
    person.press("9")
    switch.heard.wait("DTMF", uuid)
    switch.run(uuid, "set", "sensitive_dtmf=true")
    since = switch.heard.mark
    asked = switch.execute(
        uuid, "play_and_get_digits", collect(maximum=4, first=3.0, variable="il_pin"), lock=True
    )
    switch.clock.sleep(0.1)
    person.press("2580")
    over = switch.heard.done(asked)
    assert over.var("il_pin") == "2580"
    switch.connection.post(c.unset(uuid, "il_pin"), c.unset(uuid, "sensitive_dtmf"))
    switch.heard.done(switch.execute(uuid, "set", "il_x=1"))
    person.hang_up()
    gone = switch.heard.wait("CHANNEL_HANGUP_COMPLETE", uuid)
    assert not switch.heard.find("DTMF", uuid, since=since)
    told = [event for event in switch.heard.events[since:] if event is not over]
    leaks = [(e.name, k) for e in told for k, v in e.headers.items() if "2580" in str(v)]
    # Only the events between its completion and the `unset` behind it carry the variable.
    assert {key for _, key in leaks} <= {"variable_il_pin"}
    assert gone.var("il_pin") is None
    assert gone.var("digits_dialed") != "92580"


def test_without_that_every_key_is_in_the_last_event(switch: Rig) -> None:
    person, uuid = switch.arrive()
    switch.run(uuid, "unset", "digits_dialed_filter")
    asked = switch.execute(uuid, "play_and_get_digits", collect(first=3.0), lock=True)
    switch.clock.sleep(0.1)
    person.press("258#")
    switch.heard.done(asked)
    person.hang_up()
    gone = switch.heard.wait("CHANNEL_HANGUP_COMPLETE", uuid)
    assert gone.var("digits_dialed") == "258#"


def test_a_filter_keeps_every_key_out_of_the_last_event_also_what_was_typed_ahead(switch: Rig) -> None:
    person, uuid = switch.arrive()
    switch.run(uuid, "set", "digits_dialed_filter=.+")
    switch.clock.sleep(0.1)
    person.press("2580#")
    switch.clock.sleep(1.0)
    person.hang_up()
    gone = switch.heard.wait("CHANNEL_HANGUP_COMPLETE", uuid)
    assert gone.var("digits_dialed") == "XXXXX"


@pytest.mark.parametrize("terminators", ["", "*"])
def test_the_hash_is_a_digit_where_it_terminates_nothing(switch: Rig, terminators: str) -> None:
    person, uuid = switch.arrive()
    wanted = collect(maximum=2, first=3.0, between=1.0, terminators=terminators)
    asked = switch.execute(uuid, "play_and_get_digits", wanted, lock=True)
    switch.clock.sleep(0.1)
    person.press("1#")
    assert switch.heard.done(asked).var("il_digits") == "1#"


def test_a_break_ends_the_prompt_and_not_the_waiting_for_keys(switch: Rig) -> None:
    person, uuid = switch.arrive()
    asked = switch.execute(uuid, "play_and_get_digits", collect(prompt=PROMPT, first=2.0), lock=True)
    switch.heard.wait("PLAYBACK_START", uuid)
    switch.api(c.uuid_break(uuid, all=True))
    switch.heard.wait("PLAYBACK_STOP", uuid)
    person.press("5#")
    assert switch.heard.done(asked).var("il_digits") == "5"
