"""The engine is killed in every kind of step and another one takes the call up; the caller notices nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from engine.calls.state import decode
from engine.testing.home import Home
from tests.flows.shop import Shop, shop_home

LONG = "A prompt that is long enough for an engine to be killed in the middle of it while it goes on and on and on."


def killed(centre: Any, seconds: float = 1.0) -> None:
    """No engine for a while, then another one."""
    centre.engine.kill()
    centre.clock.advance(seconds)
    centre.engine.start()


def flow_of(step: str) -> str:
    return f"""
greet:
  - answer
  - set: {{kept: "= 12.5", x: ""}}
  - choose:
      - {{when: x == "one", go: one}}
      - {{when: x == "nothing", go: nothing}}
  - {step}
  - {{journal: {{event: note, data: {{kept: "{{kept}}", x: "{{x}}"}}}}}}
  - play: Done.
  - hangup
one:
  - play: One.
  - hangup
nothing:
  - play: Gave up.
  - hangup
"""


def test_killed_in_a_menu_it_goes_on_with_the_menu(shop: Shop) -> None:
    centre = shop(flow_of(f"confirm: {{prompt: {LONG}, no: one, give_up: nothing}}"))
    caller = centre.caller().dials("8000")
    caller.hears(LONG)
    killed(centre)
    caller.presses("2")
    caller.hears("One.")
    assert caller.ended
    (cdr,) = centre.cdrs()
    assert (cdr.adopted, cdr.flow, cdr.outcome) == (1, "shop/main", "served")
    assert cdr.seconds > 7
    assert len(centre.journal(caller, "call.resumed")) == 1


def test_a_key_pressed_while_no_engine_ran_counts(shop: Shop) -> None:
    centre = shop(flow_of(f"confirm: {{prompt: {LONG}, no: one, give_up: nothing}}"))
    caller = centre.caller().dials("8000")
    caller.hears(LONG)
    centre.engine.kill()
    caller.presses("2")
    centre.clock.advance(1)
    centre.engine.start()
    caller.hears("One.")


@pytest.mark.parametrize(
    ("before", "between", "behind"),
    [("4", "71", "1#"), ("", "4711#", ""), ("4711", "#", ""), ("", "", "4711#")],
)
def test_digits_typed_before_while_and_after_no_engine_ran_are_one_number(
    shop: Shop, before: str, between: str, behind: str
) -> None:
    centre = shop(
        flow_of(
            "collect: {into: x, as: digits, length: 2-8, prompt: Type it., give_up: nothing, between: 20s, first: 30s}"
        )
    )
    caller = centre.caller().dials("8000")
    caller.hears("Type it.")
    if before:
        caller.presses(before)
        centre.clock.advance(1)
    centre.engine.kill()
    if between:
        caller.presses(between)
        centre.clock.advance(2)
    centre.engine.start()
    if behind:
        caller.presses(behind)
    caller.hears("Done.")
    (note,) = centre.journal(caller, "flow.note")
    assert note.data["x"] == "4711"
    assert float(note.data["kept"]) == 12.5


def test_wrong_digits_typed_meanwhile_are_asked_for_again(shop: Shop) -> None:
    centre = shop(flow_of("collect: {into: x, as: digits, length: 4-8, prompt: Type it., give_up: nothing}"))
    caller = centre.caller().dials("8000")
    caller.hears("Type it.")
    centre.engine.kill()
    caller.presses("1#")
    centre.clock.advance(1)
    centre.engine.start()
    caller.hears("wrong")
    caller.hears("Type it.").presses("4711#")
    caller.hears("Done.")


def test_silence_while_no_engine_ran_is_silence(shop: Shop) -> None:
    centre = shop(flow_of("confirm: {prompt: Hm., no: one, give_up: nothing, attempts: 1, first: 4s}"))
    caller = centre.caller().dials("8000")
    caller.hears("Hm.")
    killed(centre, 6)
    caller.hears("Gave up.")


@pytest.mark.parametrize(
    "step", [f"play: {LONG}", f"play: {{prompt: {LONG}, interrupt: false}}", f"say: {LONG}", "silence: 8s"]
)
def test_killed_in_a_prompt_it_goes_on_when_that_is_over_and_says_nothing_twice(
    shop: Shop, step: str
) -> None:
    centre = shop(flow_of(step))
    caller = centre.caller().dials("8000")
    centre.clock.advance(1)
    killed(centre)
    if LONG in step:
        caller.hears(LONG)
    caller.hears("Done.")
    first, done = caller.sim.played
    assert done.at >= first.ended
    assert done.at - first.at < 12


def test_killed_in_music_it_plays_on_and_ends(shop: Shop) -> None:
    centre = shop(flow_of("music: {for: 20s}"))
    caller = centre.caller().dials("8000").hears_music()
    killed(centre)
    caller.hears("Done.")
    assert all(sound.ended is not None for sound in caller.sim.played[:-1])


def test_killed_in_a_query_it_asks_again(shop: Shop) -> None:
    centre = shop(
        flow_of('query: {ask: shop.find, with: {number: "1"}, into: x, failed: nothing, not_found: nothing}')
    )
    trouble = centre.adapter("shop.Stock")
    trouble.hangs()
    caller = centre.caller().dials("8000")
    centre.clock.advance(0.5)
    centre.engine.kill()
    trouble.over()
    centre.engine.start()
    caller.hears("Done.")


def test_values_keep_their_types_and_records_their_fields(shop: Shop) -> None:
    centre = shop(
        """
        greet:
          - answer
          - query: {ask: shop.find, with: {number: "1"}, into: article, failed: end, not_found: end}
          - set: {day: "{now}"}
          - menu: {prompt: Press one., options: {1: on}, give_up: end, first: 30s}
        on:
          - {journal: {event: note, data: {price: "= article.price * 2", year: "{day.year}", title: "{article.title}"}}}
          - go: end
        end:
          - hangup
        """
    )
    caller = centre.caller().dials("8000")
    caller.hears("Press one.")
    killed(centre)
    caller.presses("1")
    assert caller.ended
    (note,) = centre.journal(caller, "flow.note")
    assert float(note.data["price"]) == 25.0
    assert (note.data["year"], note.data["title"]) == (2026, "Lamp")


def test_what_the_channel_can_not_carry_is_in_the_store(shop: Shop) -> None:
    big = "x" * 400
    centre = shop(
        f"""
        greet:
          - answer
          - set: {{big: "{big}", small: "1"}}
          - menu: {{prompt: Press one., options: {{1: onward}}, give_up: end, first: 30s}}
        onward:
          - {{journal: {{event: note, data: {{big: "{{big}}", small: "{{small}}"}}}}}}
          - go: end
        end:
          - hangup
        """
    )
    caller = centre.caller().dials("8000")
    caller.hears("Press one.")
    state = caller.sim.channel.variables["il_state"]
    assert len(state) <= 512
    assert decode(state)["x"] is None
    killed(centre)
    caller.presses("1")
    assert caller.ended
    (note,) = centre.journal(caller, "flow.note")
    assert note.data == {"big": big, "small": "1"}
    assert centre.rows("call_state") == []


def test_killed_in_a_sub_flow_it_finds_its_way_back(home: Home, centre_of: Any) -> None:
    shop_home(
        home,
        """
        greet:
          - answer
          - set: {kept: "= 7"}
          - run: {flow: shop/sub, with: {n: "{kept}"}, into: got, done: back}
        back:
          - {journal: {event: note, data: {kept: "{kept}", m: "{got.m}"}}}
          - play: Back.
          - hangup
        """,
    )
    home.flow(
        "shop/sub",
        """
        ask:
          - menu: {prompt: Press one., options: {1: good}, give_up: good, first: 30s}
        good:
          - set: {m: "= n + 1"}
          - return: {outcome: done, values: {m: "{m}"}}
        """,
        head="params: [n]\nreturns: [m]",
    )
    centre = centre_of(home)
    caller = centre.caller().dials("8000")
    caller.hears("Press one.")
    killed(centre)
    caller.presses("1")
    caller.hears("Back.")
    assert caller.ended
    (note,) = centre.journal(caller, "flow.note")
    assert note.data == {"kept": 7, "m": 8}
    assert centre.cdrs()[0].flow == "shop/main"


def test_a_recording_goes_on_and_is_one(shop: Shop) -> None:
    centre = shop(flow_of("record: service").replace("  - play: Done.", f"  - play: {LONG}"))
    caller = centre.caller().dials("8000")
    caller.hears(LONG)
    killed(centre)
    assert caller.ended
    row = centre.one("recordings")
    assert row["ended"] is not None
    assert centre.cdrs()[0].recording == row["id"]


# -- places that are lost, and calls that kill ------------------------------------------------------------

ASK = "menu: {prompt: Press one., options: {1: one}, give_up: nothing, first: 30s}"


def changed(centre: Any, home: Home) -> None:
    """The flow of 8000 says something else from the next engine on."""
    from engine.app import read_installation

    home.flow("shop/main", flow_of(f"play: {LONG}").replace("One.", "Another one."))
    folders = centre.installation.folders
    centre.installation = read_installation(home.folder, centre.virtual)
    centre.installation.folders = folders


def menu_flow(home: Home) -> Home:
    return shop_home(
        home,
        f"greet:\n  - answer\n  - {ASK}\none:\n  - play: One.\n  - hangup\nnothing:\n  - play: Gave up.\n  - hangup\n",
    )


def test_a_call_keeps_the_flow_that_it_began_with(home: Home, centre_of: Any) -> None:
    centre = centre_of(menu_flow(home))
    caller = centre.caller().dials("8000")
    caller.hears("Press one.")
    centre.engine.kill()
    changed(centre, home)
    centre.engine.start()
    caller.presses("1")
    caller.hears("One.")
    centre.caller().dials("8000").hears(LONG)


def test_a_call_whose_flow_nobody_kept_is_told_so(home: Home, centre_of: Any) -> None:
    centre = centre_of(menu_flow(home))
    caller = centre.caller().dials("8000")
    caller.hears("Press one.")
    centre.engine.kill()
    changed(centre, home)
    with closing(sqlite3.connect(centre.installation.folders.var / "insideline.db")) as database:
        database.execute("delete from flow_sets")
        database.commit()
    centre.engine.start()
    caller.hears("We lost your place.")
    assert caller.ended
    assert len(centre.journal(caller, "call.place_lost")) == 1


def test_a_place_that_can_not_be_read_is_a_lost_place(home: Home, centre_of: Any) -> None:
    centre = centre_of(menu_flow(home))
    caller = centre.caller().dials("8000")
    caller.hears("Press one.")
    centre.engine.kill()
    caller.sim.channel.set("il_state", "bm9uc2Vuc2U")
    centre.engine.start()
    caller.hears("We lost your place.")


def test_a_call_that_engines_die_of_goes_to_the_fallback(home: Home, centre_of: Any) -> None:
    centre = centre_of(
        menu_flow(home).write("conf/engine.yaml", "grammar: 1\nlanguages: [en]\nlimits: {adoptions: 3}\n")
    )
    caller = centre.caller().dials("8000")
    caller.hears("Press one.")
    for _ in range(4):
        assert not caller.sim.fell_back
        killed(centre, 0.1)
        centre.clock.advance(0.5)
    centre.clock.advance(2)
    assert caller.sim.fell_back
    assert caller.ended == "NORMAL_TEMPORARY_FAILURE"
    (cdr,) = centre.cdrs()
    assert cdr.data["fault"] == "adopted too often"


def test_a_secret_dies_with_its_engine_and_the_flow_can_ask_for_it_again(shop: Shop) -> None:
    centre = shop(
        """
        greet:
          - answer
          - collect: {into: pin, as: pin, prompt: Type it., give_up: end}
          - menu: {prompt: Press one., options: {1: check}, give_up: end, first: 30s}
        check:
          - id: check
            command: {do: shop.check_pin, with: {pin: "{pin}"}, refused: {wrong: end}, failed: greet}
          - play: Right.
          - hangup
        end:
          - hangup
        """
    )
    caller = centre.caller().dials("8000")
    caller.hears("Type it.").presses("471199#")
    caller.hears("Press one.")
    killed(centre)
    caller.presses("1")
    caller.hears("Type it.").hangs_up()
    centre.nowhere("471199")


def test_a_secret_that_is_being_typed_when_the_engine_dies_stands_nowhere(shop: Shop) -> None:
    centre = shop(
        """
        greet:
          - answer
          - collect: {into: pin, as: pin, prompt: Type it., give_up: end}
          - id: check
            command: {do: shop.check_pin, with: {pin: "{pin}"}, refused: {wrong: end}, failed: end}
          - go: end
        end:
          - play: The end.
          - hangup
        """
    )
    caller = centre.caller().dials("8000")
    caller.hears("Type it.").presses("4711")
    centre.clock.advance(1)
    centre.engine.kill()
    caller.presses("99#")
    centre.clock.advance(1)
    centre.engine.start()
    caller.hears("The end.")
    assert caller.sim.channel.variables.get("il_digits", "") == ""
    assert caller.sim.channel.variables.get("sensitive_dtmf") == "false"
    centre.nowhere("471199")
