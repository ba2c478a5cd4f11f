"""Steps that decide: set, choose, go, run and return, open_hours, journal, on_hangup."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from engine.testing.home import Home
from tests.flows.shop import Shop, shop_home


def notes(centre: Any, caller: Any) -> list[dict[str, Any]]:
    """What the flow itself put into the journal, in order."""
    return [dict(entry.data) for entry in centre.journal(caller) if entry.kind == "flow.note"]


def test_values_are_set_in_order_and_keep_their_types(shop: Shop) -> None:
    centre = shop(
        """
        greet:
          - answer
          - set: {n: "= 2 + 3", text: "n is {n}", again: "{n}", both: "= n * again"}
          - {journal: {event: note, data: {n: "{n}", text: "{text}", both: "{both}", who: "{caller.number}"}}}
          - hangup
        """
    )
    caller = centre.caller().dials("8000")
    assert caller.ended
    assert notes(centre, caller) == [{"n": 5, "text": "n is 5", "both": 25, "who": "+8613800000000"}]


def test_the_first_case_that_holds_is_taken_and_a_step_may_be_passed_over(shop: Shop) -> None:
    centre = shop(
        """
        greet:
          - answer
          - collect: {into: x, as: number, prompt: Type it., give_up: none_of_them}
          - {play: Seven., if: x == 7}
          - choose:
              - {when: x < 5, go: small}
              - {when: x < 10, go: middle}
          - play: No case.
          - go: none_of_them
        small:
          - play: Small.
          - hangup
        middle:
          - play: Middle.
          - hangup
        none_of_them:
          - play: None.
          - hangup
        """
    )
    for keys, heard in [("3#", ["Small."]), ("7#", ["Seven.", "Middle."]), ("70#", ["No case.", "None."])]:
        caller = centre.caller().dials("8000")
        caller.hears("Type it.").presses(keys)
        for text in heard:
            caller.hears(text)
        assert caller.ended


SUB = """
ask:
  - menu: {prompt: Sub one or two., options: {1: good, 2: bad}, give_up: silent}
good:
  - set: {price: "= base + 1"}
  - return: {outcome: done, values: {price: "{price}"}}
bad:
  - return: bad
silent:
  - return: gave_up
"""
MAIN = """
greet:
  - answer
  - set: {base: "= 41"}
  - run: {flow: shop/sub, with: {base: "{base}"}, into: quote, done: done, bad: bad, gave_up: gave_up}
done:
  - {journal: {event: note, data: {price: "{quote.price}", base: "{base}"}}}
  - play: Done.
  - hangup
bad:
  - play: Bad.
  - hangup
gave_up:
  - play: Gave up.
  - hangup
"""
SUB_HEAD = "params: [base]\nreturns: [price]\noutcomes: [done, bad, gave_up]"


@pytest.mark.parametrize(("key", "heard"), [("1", "Done."), ("2", "Bad."), ("", "Gave up.")])
def test_a_sub_flow_returns_by_each_of_its_outcomes(home: Home, centre_of: Any, key: str, heard: str) -> None:
    centre = centre_of(shop_home(home, MAIN).flow("shop/sub", SUB, head=SUB_HEAD))
    caller = centre.caller().dials("8000")
    caller.hears("Sub one or two.")
    assert caller.view.flow == "shop/sub"
    if key:
        caller.presses(key)
    else:
        for _ in range(2):
            caller.hears("silent")
            caller.hears("Sub one or two.")
    caller.hears(heard)
    assert caller.ended
    assert notes(centre, caller) == ([{"price": 42, "base": 41}] if key == "1" else [])
    (cdr,) = centre.cdrs()
    assert (cdr.flow, cdr.last_flow) == ("shop/main", "shop/main")


def test_go_to_another_flow_is_for_good(home: Home, centre_of: Any) -> None:
    home.flow("shop/other", "start:\n  - play: Other.\n  - return\n")
    centre = centre_of(shop_home(home, "greet:\n  - answer\n  - go: shop/other\n"))
    caller = centre.caller().dials("8000")
    caller.hears("Other.")
    assert caller.ended == "NORMAL_CLEARING"
    (cdr,) = centre.cdrs()
    assert (cdr.flow, cdr.last_flow) == ("shop/main", "shop/other")


def test_go_within_a_sub_flow_keeps_the_way_back(home: Home, centre_of: Any) -> None:
    home.flow("shop/sub", "ask:\n  - go: shop/other\n", head="outcomes: [done, bad]")
    home.flow("shop/other", "start:\n  - play: Other.\n  - return: bad\n", head="outcomes: [bad]")
    centre = centre_of(
        shop_home(
            home,
            """
            greet:
              - answer
              - run: {flow: shop/sub, done: end, bad: back}
            back:
              - play: Back.
              - go: end
            end:
              - hangup
            """,
        )
    )
    caller = centre.caller().dials("8000")
    caller.hears("Other.")
    caller.hears("Back.")


HOURS = """
greet:
  - answer
  - open_hours: {calendar: office, closed: nobody}
  - play: We are open.
  - hangup
nobody:
  - play: We are closed.
  - hangup
"""


def test_in_office_hours_the_flow_goes_on(shop: Shop) -> None:
    shop(HOURS).caller().dials("8000").hears("We are open.")


def test_outside_of_them_it_goes_its_closed_way_and_says_why_in_the_journal(shop: Shop) -> None:
    centre = shop(HOURS)
    centre.virtual.shift_wall(timedelta(hours=12))
    caller = centre.caller().dials("8000")
    caller.hears("We are closed.")
    assert [entry.data["calendar"] for entry in centre.journal(caller, "hours.closed")] == ["office"]


@pytest.mark.parametrize("announce", ["true", "false"])
def test_a_special_day_has_its_own_announcement(shop: Shop, announce: str) -> None:
    centre = shop(HOURS.replace("closed: nobody", f"closed: nobody, announce: {announce}"))
    centre.virtual.shift_wall(timedelta(days=2))
    caller = centre.caller().dials("8000")
    if announce == "true":
        caller.hears("storm")
    caller.hears("We are closed.")


def test_a_flow_runs_the_steps_for_those_who_hung_up(shop: Shop) -> None:
    centre = shop(
        """
        greet:
          - answer
          - set: {bought: "= 3"}
          - play: A prompt that somebody hangs up in the middle of, as people do.
          - hangup
        """,
        head="""
        on_hangup:
          - {journal: {event: note, data: {step: "{step}", bought: "{bought}", unknown: "{refusal.nothing}"}}}
          - id: late
            command: {do: shop.order, with: {article: "77"}, refused: {credit: greet, stock: greet}, failed: greet}
        """,
    )
    caller = centre.caller().dials("8000")
    caller.hears("A prompt that somebody hangs up in the middle of, as people do.").hangs_up()
    assert notes(centre, caller) == [{"step": "greet[3] play", "bought": 3}]
    assert [row["article"] for row in centre.rows("shop.orders")] == ["77"]
    (cdr,) = centre.cdrs()
    assert (cdr.cause, cdr.data["ended_by"]) == ("NORMAL_CLEARING", "caller")


def test_steps_for_those_who_hung_up_are_not_run_when_the_flow_hung_up(shop: Shop) -> None:
    centre = shop(
        "greet:\n  - answer\n  - hangup\n",
        head="on_hangup:\n  - journal: note",
    )
    caller = centre.caller().dials("8000")
    assert caller.ended
    assert notes(centre, caller) == []


def test_the_language_of_the_prompts_follows_set_language(home: Home, centre_of: Any) -> None:
    home.flow(
        "shop/main",
        """
        greet:
          - answer
          - play: recorded_notice
          - set_language: zh-CN
          - play: recorded_notice
          - hangup
        """,
        languages="en, zh-CN",
    )
    home.number("8000", "shop/main", "languages: [en, zh-CN]")
    home.write("conf/engine.yaml", "grammar: 1\nlanguages: [en, zh-CN]\n")
    home.prompts(position="You are in line.")

    def spoken(line: re.Match[str]) -> str:
        return f'{line[1]}: "好{"".join(re.findall(r"{[^}]*}", line[0]))}"'

    english = (home.folder / "prompts/en.yaml").read_text(encoding="utf-8")
    home.write("prompts/zh-CN.yaml", re.sub(r"(?m)^([a-z_]+): *\"?[A-Za-z].*$", spoken, english))
    centre = centre_of(home)
    caller = centre.caller().dials("8000")
    assert caller.hears("recorded_notice").language == "en"
    assert caller.hears("recorded_notice").language == "zh-CN"
    assert caller.ended
    assert centre.cdrs()[0].language == "zh-CN"
