"""Lists: ``say each``, and ``pick``, a menu over one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flows.shop import Shop

KEYS = ", keys: {repeat: 1, skip: 2, back: 3, stop: star}"


def names(*entries: str) -> str:
    return "'= [" + ", ".join(f'"{entry}"' for entry in entries) + "]'"


def slip(shop: Shop, *entries: str, more: str = "") -> Any:
    """A caller who hears a list, and then a menu."""
    centre = shop(
        f"""
        greet:
          - answer
          - set: {{lines: {names(*entries)}}}
          - say: {{prompt: "Line {{line}} of your slip.", each: lines, as: line{more}}}
          - menu: {{prompt: Press one., options: {{1: one, 9: nothing}}, attempts: 1, give_up: end}}
        one:
          - play: One.
          - hangup
        nothing:
          - play: There is nothing.
          - hangup
        end:
          - hangup
        """
    )
    return centre.caller().dials("8000")


def line(name: str) -> str:
    return f"Line {name} of your slip."


def test_each_entry_of_a_list_is_said(shop: Shop) -> None:
    caller = slip(shop, "A", "B", "C")
    for entry in "ABC":
        caller.hears(line(entry), line=entry)
    caller.hears("Press one.")


def test_a_list_is_said_as_often_as_wanted(shop: Shop) -> None:
    caller = slip(shop, "A", "B", more=", repeat: 2")
    for entry in "ABAB":
        caller.hears(line(entry))
    caller.hears("Press one.")


def test_keys_repeat_skip_go_back_and_stop(shop: Shop) -> None:
    caller = slip(shop, "A", "B", "C", "D", more=KEYS)
    caller.hears(line("A")).presses("1")
    caller.hears(line("A")).presses("2")
    caller.hears(line("B")).presses("3")
    caller.hears(line("A")).presses("22")
    caller.hears(line("B"))
    caller.hears(line("C")).presses("*")
    caller.hears("Press one.").presses("1")
    caller.hears("One.")


def test_a_key_in_the_pause_behind_an_entry_is_about_that_entry(shop: Shop) -> None:
    caller = slip(shop, "A", "B", more=", pause: 3s" + KEYS)
    heard = caller.hears(line("A"))
    caller._centre.virtual.sleep(caller.sim.played[0].seconds + 2.5)
    assert caller.sim.hearing.startswith("silence_stream")
    heard.presses("1")
    caller.hears(line("A"))


def test_without_keys_a_key_ends_the_list_and_counts_for_the_question(shop: Shop) -> None:
    caller = slip(shop, "A", "B", "C")
    caller.hears(line("A")).presses("1")
    caller.hears("One.")


def test_an_empty_list_has_a_way_of_its_own(shop: Shop) -> None:
    slip(shop, more=", none: nothing").hears("There is nothing.")


def test_an_empty_list_without_a_way_is_passed_over(shop: Shop) -> None:
    slip(shop).hears("Press one.")


def test_a_list_goes_on_where_the_engine_died(shop: Shop) -> None:
    caller = slip(shop, "A", "B", "C")
    caller.hears(line("A"))
    caller.hears(line("B"))
    caller._centre.engine.kill()
    caller._centre.engine.start()
    caller.hears(line("C"))
    caller.hears("Press one.")


# -- pick -------------------------------------------------------------------------------------------


def picking(shop: Shop, *entries: str, more: str = "") -> Any:
    centre = shop(
        f"""
        greet:
          - answer
          - set: {{articles: {names(*entries)}}}
          - pick:
              prompt: Which article?
              each: articles
              as: article
              entry: "For {{article}}, press {{key}}."
              into: chosen
              none: nothing
              give_up: end
              attempts: 2
              {more}
          - say: "You chose {{chosen}}."
          - hangup
        nothing:
          - play: There is nothing.
          - hangup
        end:
          - play: Goodbye.
          - hangup
        """
    )
    return centre.caller().dials("8000")


def hears_page(caller: Any, entries: str) -> Any:
    heard = caller.hears("Which article?")
    for number, entry in enumerate(entries, start=1):
        heard = caller.hears(f"For {entry}, press {number}.", key=number, article=entry)
    return heard


def test_the_key_of_an_entry_chooses_it(shop: Shop) -> None:
    caller = picking(shop, "lamp", "chair")
    caller.hears("Which article?")
    caller.hears("For lamp, press 1.")
    caller.hears("For chair, press 2.").presses("2")
    caller.hears("You chose chair.")
    (entry,) = caller._centre.journal(caller, "pick.chosen")
    assert entry.data["number"] == 2


def test_a_key_counts_before_its_entry_was_said(shop: Shop) -> None:
    caller = picking(shop, *"ABCDEFGHI")
    caller.hears("Which article?").presses("9")
    caller.hears("You chose I.")


def test_a_longer_list_has_pages_forth_and_back(shop: Shop) -> None:
    caller = picking(shop, *"ABCDEFGHIJKLMNOPQR")
    hears_page(caller, "ABCDEFGH")
    caller.hears("list_more").presses("9")
    hears_page(caller, "IJKLMNOP")
    caller.hears("list_more")
    caller.hears("list_back").presses("9")
    hears_page(caller, "QR")
    caller.hears("list_back").presses("0")
    hears_page(caller, "IJKLMNOP").presses("4")
    caller.hears("You chose L.")


def test_a_wrong_key_and_silence_are_told_so_and_given_up(shop: Shop) -> None:
    caller = picking(shop, "A", "B")
    hears_page(caller, "AB").presses("7")
    caller.hears("wrong")
    hears_page(caller, "AB").stays_silent()
    caller.hears("Goodbye.")


def test_star_says_the_page_again_and_costs_no_attempt(shop: Shop) -> None:
    caller = picking(shop, "A", "B")
    for _ in range(3):
        hears_page(caller, "AB").presses("*")
    hears_page(caller, "AB").presses("1")
    caller.hears("You chose A.")


def test_nothing_to_pick_from_has_its_way(shop: Shop) -> None:
    picking(shop).hears("There is nothing.")


@pytest.mark.parametrize(("alone", "first"), [("yes", "You chose A."), ("no", "Which article?")])
def test_the_only_entry_is_taken_where_the_flow_says_so(shop: Shop, alone: str, first: str) -> None:
    picking(shop, "A", more=f"alone: {alone}").hears(first)


def test_a_page_is_kept_over_the_engines_death(shop: Shop) -> None:
    caller = picking(shop, *"ABCDEFGHIJ")
    hears_page(caller, "ABCDEFGH")
    caller.hears("list_more").presses("9")
    hears_page(caller, "IJ")
    caller.hears("list_back")
    caller._centre.virtual.sleep(5.0)  # it waits for a key
    caller._centre.engine.kill()
    caller.presses("2")
    caller._centre.engine.start()
    caller.hears("You chose J.")
