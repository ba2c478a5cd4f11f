"""Who calls: by number, by code, by code and PIN; locks; the party in the flow, on the desk and after a restart."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import LoginRefused
from engine.testing.home import Home

DEALER = {"kind": "dealer", "code": "44010001", "name": "Hengrun", "tier": "diamond", "language": "en"}

BY_NUMBER = """
greet:
  - answer
  - identify: {by: number, of: [dealer, supplier]}
  - choose:
      - {when: party is known and party.tier == "diamond", go: dear}
      - {when: party is known, go: known}
      - {otherwise: stranger}
dear:
  - say: {prompt: hello, values: {value: "{party.name}"}}
  - queue: {name: desk, tell: {who: "{party.name}"}, full: end, too_long: end, no_agents: end}
  - go: end
known:
  - play: We know you.
  - hangup
stranger:
  - play: Who are you?
  - hangup
end:
  - hangup
"""

BY_PIN = """
greet:
  - answer
  - identify:
      by: code+pin
      of: dealer
      prompt: Your code?
      pin: Your PIN?
      attempts: 3
      unknown: unknown
      locked: locked
      give_up: end
  - say: {prompt: hello, values: {value: "{party.name}"}}
  - menu: {prompt: Anything else., options: {1: end}, give_up: end}
unknown:
  - play: We do not know you.
  - hangup
locked:
  - play: You are locked.
  - hangup
end:
  - hangup
"""


@pytest.fixture
def place(home: Home, centre_of: Any) -> Any:
    def make(blocks: str, more: str = "") -> Any:
        home.prompts(hello="Hello {value}.").flow("shop/main", blocks).number("8000", "shop/main", more)
        return centre_of(home)

    return make


def test_a_caller_is_known_by_the_number_however_it_is_written(place: Any) -> None:
    centre = place(BY_NUMBER)
    centre.app.parties.add(DEALER, ["138 0288 0001"])
    caller = centre.caller("13802880001").dials("8000")
    caller.hears("hello", value="Hengrun")
    assert caller.view.party.code == "44010001"
    agent = centre.agent("201").ready().is_offered(caller).sees(who="Hengrun")
    agent.answers().hangs_up()
    (row,) = centre.journal(caller, "party.identified")
    assert row.data == {"by": "number", "party": 1, "of": "dealer", "code": "44010001", "tier": "diamond"}


def test_a_caller_of_another_kind_and_a_stranger_are_not_known(place: Any) -> None:
    centre = place(BY_NUMBER)
    centre.app.parties.add({**DEALER, "kind": "employee"}, ["+8613802880001"])
    centre.app.parties.add({"kind": "supplier", "name": "Wire", "code": "7"}, ["+8613802880002"])
    centre.caller("13802880001").dials("8000").hears("Who are you?")
    centre.caller("13802880002").dials("8000").hears("We know you.")
    centre.caller("anonymous").dials("8000").hears("Who are you?")


def test_a_caller_is_known_by_code_and_pin_and_the_pin_is_nowhere(place: Any) -> None:
    centre = place(BY_PIN)
    centre.app.parties.add(DEALER, pin="9582640")
    caller = centre.caller().dials("8000")
    caller.hears("Your code?").presses("44010001#")
    caller.hears("Your PIN?").presses("9582640#")
    caller.hears("hello", value="Hengrun").hears("Anything else.").presses("1")
    assert caller.ended == "NORMAL_CLEARING"
    centre.nowhere("9582640")


def test_a_wrong_code_is_refused_as_a_wrong_pin_is(place: Any) -> None:
    centre = place(BY_PIN)
    centre.app.parties.add(DEALER, pin="2580")
    caller = centre.caller().dials("8000")
    for code, pin in (("44010001", "1111"), ("99", "2580"), ("44010001", "2222")):
        caller.hears("Your code?").presses(f"{code}#")
        caller.hears("Your PIN?").presses(f"{pin}#")
        caller.hears("wrong" if pin != "2222" else "We do not know you.")


def test_silence_gives_up(place: Any) -> None:
    caller = place(BY_PIN).caller().dials("8000")
    for word in ("silent", "silent"):
        caller.hears("Your code?").stays_silent().hears(word)
    caller.hears("Your code?").stays_silent()
    assert caller.ended == "NORMAL_CLEARING"


def test_wrong_pins_lock_the_party_for_the_right_one_too_and_over_a_restart(place: Any) -> None:
    centre = place(BY_PIN)
    party = centre.app.parties.add(DEALER, pin="2580")

    def tries(number: str, pin: str) -> Any:
        caller = centre.caller(number).dials("8000")
        caller.hears("Your code?").presses("44010001#")
        return caller.hears("Your PIN?").presses(f"{pin}#")

    for at in range(4):
        tries(f"+861380288000{at}", "1111").hears("wrong").hangs_up()
    tries("+8613802880009", "1111").hears("You are locked.")
    centre.engine.kill()
    centre.engine.start()
    tries("+8613802880008", "2580").hears("You are locked.")
    centre.app.parties.unlock(party)
    tries("+8613802880008", "2580").hears("hello")


def test_the_party_is_known_after_a_restart(place: Any) -> None:
    centre = place(BY_NUMBER)
    centre.app.parties.add(DEALER, ["13802880001"])
    caller = centre.caller("13802880001").dials("8000")
    caller.hears("hello")
    caller.hears_music()
    centre.engine.kill()
    centre.engine.start()
    assert caller.view.party.name == "Hengrun"


def test_a_restart_while_the_pin_is_typed_goes_on_with_the_pin(place: Any) -> None:
    centre = place(BY_PIN)
    centre.app.parties.add(DEALER, pin="9582640")
    caller = centre.caller().dials("8000")
    caller.hears("Your code?").presses("44010001#")
    caller.hears("Your PIN?")
    centre.virtual.sleep(0.3)
    centre.engine.kill()
    caller.presses("9582640#")
    centre.clock.advance(1)
    centre.engine.start()
    caller.hears("hello", value="Hengrun")
    centre.nowhere("9582640")


def test_a_pin_that_was_not_typed_in_time_while_no_engine_ran_is_asked_for_again(place: Any) -> None:
    centre = place(BY_PIN)
    centre.app.parties.add(DEALER, pin="2580")
    caller = centre.caller().dials("8000")
    caller.hears("Your code?").presses("44010001#")
    caller.hears("Your PIN?")
    centre.engine.kill()
    centre.clock.advance(20)
    centre.engine.start()
    caller.hears("Your PIN?").presses("2580#").hears("hello", value="Hengrun")


@pytest.mark.parametrize("spread", ["one party", "many parties"])
def test_ten_thousand_guesses_open_nothing(place: Any, spread: str) -> None:
    centre = place(BY_PIN)
    parties = centre.app.parties
    parties.desk._verify = lambda stored, pin: (
        pin == "9876"
    )  # argon2 takes its time, and is not what is tried here
    party = parties.add(DEALER, pin="9876")
    parties._pin_of = lambda found: "9876"
    refused, opened = 0, 0
    for guess in range(10_000):
        code, number = (
            ("44010001", f"+86138{guess:08}") if spread == "one party" else (str(guess), "+8613802880001")
        )
        try:
            parties.check_pin(
                party if spread == "one party" else None, f"{guess:04}", code=code, origin=number
            )
            opened += 1
        except LoginRefused as error:
            refused += error.reason == "locked"
    assert opened == 0
    assert refused >= 9_990
