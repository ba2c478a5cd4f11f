"""``answer_from_knowledge`` as callers meet it."""

from __future__ import annotations

from typing import Any

import pytest

from engine.testing.home import Home

FLOW = """
ask:
  - answer
  - answer_from_knowledge:
      topic: crates
      attempts: 2
      into: found
      solved: good
      not_solved: bad
      not_found: none
      give_up: silent
      failed: trouble
good:
  - say: "Answer {found.id}, version {found.version:count}."
  - hangup
bad:
  - say: "Not solved by {found.id}."
  - hangup
none:
  - play: Nothing is known.
  - hangup
silent:
  - play: Good bye.
  - hangup
trouble:
  - play: Out of order.
  - hangup
"""
FIRST = """---
id: '1001'
version: '2'
state: published
title: What does a crate cost?
topic: crates
---

## en

One hundred and fifty {yuan}.
"""
SECOND = (
    FIRST.replace("1001", "1002")
    .replace("What does a crate cost?", "Who makes crates?")
    .replace("One", "Two")
)


def shop(home: Home, *files: str) -> Home:
    home.flow("shop/main", FLOW).number("8000", "shop/main")
    for number, text in enumerate(files):
        home.write(f"plugins/shop/sample/knowledge/{number}.md", text)
    return home


@pytest.fixture
def make(home: Home, centre_of: Any) -> Any:
    return lambda *files: centre_of(shop(home, *files))


SAID = "One hundred and fifty {yuan}."
ASKED = "knowledge_solved"


def test_the_only_answer_is_said_and_solves(make: Any) -> None:
    centre = make(FIRST)
    caller = centre.caller().dials("8000")
    caller.hears(SAID).hears(ASKED).presses("1")
    caller.hears("Answer 1001, version two.")
    [said] = centre.journal(kind="knowledge.answered")
    assert said.data == {"id": "1001", "version": 2, "topic": "crates", "solved": True}


def test_an_answer_that_does_not_solve_it_is_told_of(make: Any) -> None:
    centre = make(FIRST)
    caller = centre.caller().dials("8000").hears(SAID).hears(ASKED)
    caller.presses("*")
    caller.hears(SAID).hears(ASKED).presses("2")
    caller.hears("Not solved by 1001.")
    [said] = centre.journal(kind="knowledge.answered")
    assert said.data["solved"] is False


def test_of_several_the_caller_picks(make: Any) -> None:
    centre = make(FIRST, SECOND)
    caller = centre.caller().dials("8000").hears("knowledge_which")
    assert caller.hears_next().text == "What does a crate cost? Press one."
    assert caller.hears_next().text == "Who makes crates? Press two."
    caller.presses("2")
    caller.hears(SAID.replace("One", "Two")).hears(ASKED).presses("1")
    caller.hears("Answer 1002, version two.")


def test_a_wrong_key_is_told_and_silence_leads_on(make: Any) -> None:
    centre = make(FIRST, SECOND)
    caller = centre.caller().dials("8000").hears("knowledge_which").presses("7")
    caller.hears("wrong").hears("knowledge_which").hears("knowledge_entry").hears("knowledge_entry")
    caller.stays_silent()
    caller.hears("Good bye.")


def test_who_says_nothing_behind_an_answer_is_let_go_and_that_is_written(make: Any) -> None:
    centre = make(FIRST)
    caller = centre.caller().dials("8000").hears(SAID).hears(ASKED)
    caller.stays_silent()
    caller.hears("silent").hears(ASKED)
    caller.stays_silent()
    caller.hears("Good bye.")
    [said] = centre.journal(kind="knowledge.answered")
    assert said.data["solved"] is None


@pytest.mark.parametrize(
    "file",
    [
        FIRST.replace("topic: crates", "topic: prices"),
        FIRST.replace("state: published", "state: reviewed"),
        FIRST.replace("## en", "## zh-CN"),
        FIRST.replace("topic: crates", "topic: crates\nvalid_from: '+1'"),
    ],
)
def test_only_what_holds_and_is_in_the_callers_language_is_offered(make: Any, file: str) -> None:
    make(file).caller().dials("8000").hears("Nothing is known.")


def test_an_engine_that_dies_goes_on_with_the_version_that_was_said(make: Any) -> None:
    centre = make(FIRST, SECOND)
    caller = centre.caller().dials("8000").hears("knowledge_which").presses("1")
    caller.hears(SAID).hears(ASKED)
    records = centre.app.records

    def replace_it(session: Any) -> None:
        book = records.library(session)
        book.edit("1001", by="li.na", answers={"en": "Another text."})
        book.review("1001", "wang.wei")
        book.publish("1001", "wang.wei")

    records.work(replace_it)
    centre.engine.kill()
    centre.engine.start()
    caller.presses("1")
    caller.hears("Answer 1001, version two.")


def test_answer_published(make: Any) -> None:
    centre = make(FIRST)
    records = centre.app.records
    centre.app.to_warm.clear()

    def publish(session: Any) -> None:
        book = records.library(session)
        book.edit("1001", by="li.na", answers={"en": "Another {text}."})
        book.review("1001", "wang.wei")
        book.publish("1001", "wang.wei")

    records.work(publish)
    centre.clock.advance(1)
    [told] = centre.journal(kind="knowledge.published")
    assert (told.data["id"], told.data["version"], told.data["by"]) == ("1001", 3, "wang.wei")
    assert centre.app.to_warm.is_set()
    assert ("en", "Another {{text}}.") in centre.app._answers()
    assert any(
        "1001 v3 is published (in place of v2)" in news.text for news in centre.app.installation.day.since(0)
    )
