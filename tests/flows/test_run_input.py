"""Steps that ask for keys: menu, confirm, collect in every form, silence, wrong keys, keys typed ahead."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engine.calls.state import decode
from tests.flows.shop import Shop

MENU = """
greet:
  - answer
  - menu: {prompt: Press one or two., options: {1: one, 2: two, star: greet}, attempts: 3, give_up: nobody}
one:
  - play: One.
  - hangup
two:
  - play: Two.
  - hangup
nobody:
  - play: Nobody there.
  - hangup
"""


def asked(shop: Shop, collect: str, then: str = 'journal: {event: got, data: {x: "{x}"}}') -> Any:
    """A centre that collects ``x``, does ``then`` with it, and says Done; without it, Gave up."""
    return shop(
        f"""
        greet:
          - answer
          - collect: {{into: x, prompt: Type it., give_up: nothing, {collect}}}
          - {then}
          - play: Done.
          - hangup
        nothing:
          - play: Gave up.
          - hangup
        """
    )


def got(centre: Any, caller: Any) -> str:
    """What the flow kept of the digits, as the journal has it."""
    (entry,) = centre.journal(caller, "flow.got")
    return str(entry.data["x"])


# -- menu -------------------------------------------------------------------------------------------


def test_a_key_leads_where_the_menu_says_also_in_the_middle_of_the_prompt(shop: Shop) -> None:
    centre = shop(MENU)
    caller = centre.caller().dials("8000")
    caller.hears("Press one or two.").presses("2")
    caller.hears("Two.")
    menu = caller.sim.played[0]
    assert menu.ended - menu.at < 0.5
    assert [e.data["key"] for e in centre.journal(caller, "menu.pressed")] == ["2"]


def test_a_silent_caller_is_asked_three_times_and_then_given_up(shop: Shop) -> None:
    centre = shop(MENU)
    caller = centre.caller().dials("8000")
    for attempt in range(3):
        caller.hears("Press one or two.").stays_silent()
        if attempt < 2:
            caller.hears("silent")
    caller.hears("Nobody there.")
    assert [e.data["reason"] for e in centre.journal(caller, "input.refused")] == ["silent"] * 3


def test_a_wrong_key_is_told_so_and_silence_counts_with_it(shop: Shop) -> None:
    centre = shop(MENU)
    caller = centre.caller().dials("8000")
    caller.hears("Press one or two.").presses("9")
    caller.hears("wrong")
    caller.hears("Press one or two.").stays_silent()
    caller.hears("silent")
    caller.hears("Press one or two.").presses("8")
    caller.hears("Nobody there.")


def test_the_star_says_the_menu_again(shop: Shop) -> None:
    caller = shop(MENU).caller().dials("8000")
    caller.hears("Press one or two.").presses("*")
    caller.hears("Press one or two.").presses("1")
    caller.hears("One.")


def test_the_key_that_ends_digits_spoils_no_question_behind_a_complete_one(shop: Shop) -> None:
    centre = shop(
        """
        greet:
          - answer
          - collect: {into: article, as: digits, length: 4-8, end: hash, prompt: Article., give_up: nothing}
          - collect: {into: x, as: number, length: 1-5, end: hash, prompt: Quantity., attempts: 1, give_up: nothing}
          - journal: {event: got, data: {x: "{article} {x}"}}
          - play: Done.
          - hangup
        nothing:
          - play: Gave up.
          - hangup
        """
    )
    caller = centre.caller().dials("8000")
    caller.hears("Article.").presses("10010001#")
    caller.hears("Quantity.").presses("600#")
    caller.hears("Quantity.").hears("Done.")
    assert got(centre, caller) == "10010001 600"


# -- confirm ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "heard"), [("1", "Yes."), ("2", "No."), ("", "Silence."), ("7", "wrong")])
def test_yes_and_no_lead_where_they_say(shop: Shop, key: str, heard: str) -> None:
    centre = shop(
        """
        greet:
          - answer
          - confirm: {prompt: Yes or no?, yes: agreed, no: refused, give_up: nobody, attempts: 2}
        agreed:
          - play: Yes.
          - hangup
        refused:
          - play: No.
          - hangup
        nobody:
          - play: Silence.
          - hangup
        """
    )
    caller = centre.caller().dials("8000")
    caller.hears("Yes or no?")
    if key:
        caller.presses(key)
    else:
        caller.hears("silent")
        caller.hears("Yes or no?")
    caller.hears(heard)


# -- collect: what is typed becomes what it should be ---------------------------------------------------


@pytest.mark.parametrize(
    ("collect", "keys", "value"),
    [
        ("as: digits, length: 4-8", "004711#", "004711"),
        ("as: digits, length: 4", "4711", "4711"),
        ("as: number, min: 1, max: 50", "050#", "50"),
        ("as: money", "125*5#", "125.5"),
        ("as: money", "125*05#", "125.05"),
        ("as: money", "125#", "125"),
        ("as: date", "20261124", "2026-11-24"),
        ("as: month", "202612", "2026-12-01"),
        ("as: time", "1730", "17:30:00"),
        ("as: phone", "13800000000#", "13800000000"),
        ("as: code, length: 6", "000123", "000123"),
        ("as: digits, length: 3-9, end: none, between: 2s", "4711", "4711"),
        ("as: digits, length: 1-9, end: star", "47*", "47"),
    ],
)
def test_what_is_typed_becomes_what_it_should_be(shop: Shop, collect: str, keys: str, value: str) -> None:
    centre = asked(shop, collect)
    caller = centre.caller().dials("8000")
    caller.hears("Type it.").presses(keys)
    caller.hears("Done.")
    found = got(centre, caller)
    assert (Decimal(found) == Decimal(value)) if "money" in collect else (found == value)


@pytest.mark.parametrize(
    ("collect", "keys"),
    [
        ("as: digits, length: 4-8", "471#"),
        ("as: number, min: 10, max: 50", "9#"),
        ("as: number, min: 10, max: 50", "51#"),
        ("as: money", "12**5#"),
        ("as: money", "*5#"),
        ("as: date", "20261131"),
        ("as: month", "202613"),
        ("as: time", "2460"),
        ('as: date, not_before: "{now}"', "20261122"),
        ('as: date, not_after: "2026-12-31"', "20270101"),
        ('as: time, not_before: "09:00"', "0859"),
        ("as: digits, length: 4, end: none", "12*4"),
    ],
)
def test_what_it_cannot_be_is_asked_for_again_and_given_up_after_three(
    shop: Shop, collect: str, keys: str
) -> None:
    centre = asked(shop, collect)
    caller = centre.caller().dials("8000")
    for attempt in range(3):
        caller.hears("Type it.").presses(keys)
        if attempt < 2:
            caller.hears("wrong")
    caller.hears("Gave up.")
    assert centre.journal(caller, "flow.got") == []


def test_nothing_typed_is_not_the_same_as_something_wrong(shop: Shop) -> None:
    centre = asked(shop, "as: digits, attempts: 2, again: {silent: Nothing came., wrong: Not that.}")
    caller = centre.caller().dials("8000")
    caller.hears("Type it.").stays_silent()
    caller.hears("Nothing came.")
    caller.hears("Type it.").presses("#")
    caller.hears("Gave up.")


def test_digits_that_stop_coming_are_taken_when_they_are_enough(shop: Shop) -> None:
    centre = asked(shop, "as: digits, length: 2-8, between: 2s")
    caller = centre.caller().dials("8000")
    caller.hears("Type it.").presses("471")
    caller.hears("Done.")
    assert got(centre, caller) == "471"


def test_digits_that_stop_coming_too_early_are_refused(shop: Shop) -> None:
    centre = asked(shop, "as: digits, length: 4-8, between: 2s, attempts: 1")
    caller = centre.caller().dials("8000")
    caller.hears("Type it.").presses("471")
    caller.hears("Gave up.")


# -- confirm: read back -------------------------------------------------------------------------------


def test_digits_are_read_back_and_may_be_typed_anew(shop: Shop) -> None:
    centre = asked(shop, "as: digits, length: 3, confirm: you_said")
    caller = centre.caller().dials("8000")
    caller.hears("Type it.").presses("123")
    caller.hears("you_said", value="123").presses("2")
    caller.hears("Type it.").presses("456")
    caller.hears("you_said", value="456").presses("1")
    caller.hears("Done.")
    assert got(centre, caller) == "456"


def test_digits_that_are_never_confirmed_are_given_up(shop: Shop) -> None:
    centre = asked(shop, "as: digits, length: 3, confirm: you_said, attempts: 2")
    caller = centre.caller().dials("8000")
    for _ in range(2):
        caller.hears("Type it.").presses("123")
        caller.hears("you_said").presses("2")
    caller.hears("Type it.").presses("123")
    caller.hears("Gave up.")


# -- typed ahead ----------------------------------------------------------------------------------------

LONG = "Welcome to the shop, where this greeting goes on and on for quite some time indeed."


def after_a_prompt(shop: Shop, play: str, collect: str) -> Any:
    return shop(
        f"""
        greet:
          - answer
          - play: {play}
          - collect: {{into: x, as: digits, length: 2-4, prompt: Type it., give_up: nothing, {collect}}}
          - journal: {{event: got, data: {{x: "{{x}}"}}}}
          - play: Done.
          - hangup
        nothing:
          - play: Gave up.
          - hangup
        """
    )


def test_keys_typed_in_an_earlier_prompt_answer_the_question(shop: Shop) -> None:
    centre = after_a_prompt(shop, LONG, "attempts: 1")
    caller = centre.caller().dials("8000")
    caller.hears(LONG).presses("47#")
    caller.hears("Done.")
    assert got(centre, caller) == "47"


def test_keys_typed_ahead_begin_the_digits_and_the_rest_follows(shop: Shop) -> None:
    centre = after_a_prompt(shop, LONG, "attempts: 1")
    caller = centre.caller().dials("8000")
    caller.hears(LONG).presses("4")
    centre.clock.advance(2)
    caller.presses("711")
    caller.hears("Done.")
    assert got(centre, caller) == "4711"


def test_flush_drops_what_was_typed_ahead(shop: Shop) -> None:
    centre = after_a_prompt(shop, LONG, "flush: true")
    caller = centre.caller().dials("8000")
    caller.hears(LONG).presses("4")
    caller.hears("Type it.").presses("12#")
    caller.hears("Done.")
    assert got(centre, caller) == "12"


def test_a_question_that_must_be_heard_takes_keys_only_after_it(shop: Shop) -> None:
    centre = after_a_prompt(shop, LONG, "interrupt: false, first: 4s")
    caller = centre.caller().dials("8000")
    caller.hears(LONG)
    caller.hears("Type it.").presses("99#")
    question = caller.sim.played[-1]
    centre.clock.advance(2)
    assert question.ended - question.at >= 0.5
    caller.presses("12#")
    caller.hears("Done.")
    assert got(centre, caller) == "12"


def test_the_hash_behind_digits_that_were_complete_answers_nothing(shop: Shop) -> None:
    centre = shop(
        """
        greet:
          - answer
          - collect: {into: x, as: digits, length: 4, prompt: Type it., give_up: nobody}
          - menu: {prompt: Press one., options: {1: one, hash: nobody}, give_up: nobody}
        one:
          - play: One.
          - hangup
        nobody:
          - play: Nobody there.
          - hangup
        """
    )
    caller = centre.caller().dials("8000")
    caller.hears("Type it.").presses("4711#")
    caller.hears("Press one.")
    caller.hears("Press one.").presses("1")
    caller.hears("One.")


# -- secrets ---------------------------------------------------------------------------------------------


def test_a_secret_is_used_and_stands_nowhere(shop: Shop) -> None:
    centre = asked(
        shop,
        "as: pin, length: 4-6",
        '{command: {do: shop.check_pin, with: {pin: "{x}"}, refused: {wrong: nothing}, failed: nothing}, id: check}',
    )
    caller = centre.caller().dials("8000")
    caller.hears("Type it.").presses("471199#")
    caller.hears("Gave up.")
    assert caller.ended
    centre.nowhere("471199")
    caller = centre.caller().dials("8000")
    caller.hears("Type it.").presses("4711#")
    caller.hears("Done.")
    assert caller.sim.channel.variables.get("digits_dialed", "none") == "none"
    assert caller.sim.channel.variables.get("il_digits", "") == ""
    assert caller.sim.channel.variables.get("sensitive_dtmf") == "false"


def test_a_secret_is_not_in_the_place_that_the_call_carries(shop: Shop) -> None:
    centre = shop(
        """
        greet:
          - answer
          - collect: {into: x, as: pin, prompt: Type it., give_up: end}
          - menu: {prompt: Press one., options: {1: end}, give_up: end}
        end:
          - hangup
        """
    )
    caller = centre.caller().dials("8000")
    caller.hears("Type it.").presses("471199#")
    caller.hears("Press one.")
    state = decode(caller.sim.channel.variables["il_state"])
    assert state.get("x", {}) == {}
    centre.nowhere("471199")


# -- a wrong answer, and what was typed with it ----------------------------------------------------------

YES = """
greet:
  - answer
  - confirm: {prompt: Is it so?, yes: so, no: not_so, attempts: 3, give_up: nobody}
so:
  - play: So it is.
  - hangup
not_so:
  - play: It is not.
  - hangup
nobody:
  - play: Nobody there.
  - hangup
"""


def refusals(centre: Any, caller: Any) -> list[str]:
    return [str(row.data["reason"]) for row in centre.journal(caller, "input.refused")]


@pytest.mark.parametrize("keys", ["34", "8013#", "345678903456789"])
def test_a_burst_of_wrong_keys_is_one_attempt(shop: Shop, keys: str) -> None:
    """However many: the question is heard again, and the keys that come then count."""
    centre = shop(YES)
    caller = centre.caller().dials("8000")
    caller.hears("Is it so?").presses(keys)
    caller.hears("wrong")
    caller.hears("Is it so?")
    assert refusals(centre, caller) == ["wrong"]
    caller.presses("1")
    caller.hears("So it is.")


def test_a_good_key_within_the_burst_is_no_answer(shop: Shop) -> None:
    """Who types a number at a yes or no has said neither."""
    centre = shop(YES)
    caller = centre.caller().dials("8000")
    caller.hears("Is it so?").presses("3121")
    caller.hears("wrong")
    caller.hears("Is it so?").presses("2")
    caller.hears("It is not.")
    assert refusals(centre, caller) == ["wrong"]


def test_who_corrects_himself_need_not_hear_the_word_to_its_end(shop: Shop) -> None:
    centre = shop(YES)
    caller = centre.caller().dials("8000")
    caller.hears("Is it so?").presses("3")
    caller.hears("wrong")
    word = caller.sim.played[-1]
    centre.clock.advance(1.2)
    caller.presses("1")
    caller.hears("So it is.")
    assert word.ended - word.at < 1.4
    assert refusals(centre, caller) == ["wrong"]


def test_what_was_typed_ahead_behind_a_wrong_key_is_dropped(shop: Shop) -> None:
    centre = shop(YES.replace("  - answer\n", f"  - answer\n  - play: {LONG}\n", 1))
    caller = centre.caller().dials("8000")
    caller.hears(LONG).presses("31")
    caller.hears("wrong")
    caller.hears("Is it so?").presses("1")
    caller.hears("So it is.")
    assert refusals(centre, caller) == ["wrong"]


def test_what_was_typed_behind_digits_that_are_none_is_dropped(shop: Shop) -> None:
    centre = asked(shop, "as: digits, length: 4, attempts: 2")
    caller = centre.caller().dials("8000")
    caller.hears("Type it.").presses("12#34567")
    caller.hears("wrong")
    caller.hears("Type it.").presses("4711")
    caller.hears("Done.")
    assert got(centre, caller) == "4711"
