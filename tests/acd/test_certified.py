"""Skills that do not count before what they need was passed: callers wait for somebody who has passed it."""

from __future__ import annotations

from typing import Any

import pytest

from engine.testing.home import Home

ITEM = """---
id: LIAB-02
version: '3'
kind: rule
state: published
published: '{published}'
title: Who pays for broken goods?
must_read: claims
quiz:
- ask: Who proves it?
  choices: [the sender, the carrier]
  right: '1'
---

## en

The sender proves that the packing was good.
"""
AGENTS = """\
grammar: 1
agents:
  201: {name: Agent One, phone: 1001, languages: [en], queues: [desk], skills: {claims: 1}, login: auto}
  202: {name: Agent Two, phone: 1002, languages: [en], queues: [desk], skills: {claims: 1}, login: auto}
"""
FLOW = """
wait:
  - answer
  - queue: {name: desk, skills: {claims: 1}, full: bye, too_long: bye, no_agents: bye}
  - go: bye
bye:
  - hangup
"""


def shop(home: Home, published: str = "-30", engine: str = "") -> Home:
    home.write("conf/agents.yaml", AGENTS)
    home.write("conf/engine.yaml", "grammar: 1\nlanguages: [en]\n" + engine)
    home.flow("shop/main", FLOW).number("8000", "shop/main")
    return home.write("plugins/shop/sample/knowledge/liab.md", ITEM.format(published=published))


@pytest.fixture
def make(home: Home, centre_of: Any) -> Any:
    return lambda *words: centre_of(shop(home, *words))


def certify(centre: Any, act: str, *words: Any) -> Any:
    records = centre.app.records
    done = records.work(lambda session: getattr(records.certifications(session), act)(*words))
    centre.clock.advance(1)
    return done


def test_only_who_has_passed_gets_the_calls(make: Any) -> None:
    centre = make()
    certify(centre, "record", "202", "LIAB-02", 3)
    caller = centre.caller().dials("8000")
    centre.agent("201").ready()
    centre.agent("202").ready().is_offered(caller)


def test_a_caller_waits_until_somebody_has_passed_and_is_told_why(make: Any) -> None:
    centre = make()
    certify(centre, "record", "202", "LIAB-02", 3)
    first = centre.caller().dials("8000")
    agent, other = centre.agent("201").ready(), centre.agent("202").ready()
    other.is_offered(first).answers()
    caller = centre.caller(number="+8613800000008").dials("8000")
    centre.clock.advance(30)
    assert centre.journal(caller, kind="offer.made") == []
    [seated] = [row for row in centre.journal(kind="agent.seated") if row.agent == "201"][-1:]
    assert seated.data["withheld"] == {"claims": "not certified on LIAB-02 v3"}
    certify(centre, "read", "201", "LIAB-02")
    assert certify(centre, "answer", "201", "LIAB-02", [2]).passed is None
    assert certify(centre, "answer", "201", "LIAB-02", [1]).passed is not None
    agent.is_offered(caller)


def test_a_new_version_takes_the_skill_away_when_the_time_of_grace_is_over(make: Any) -> None:
    centre = make("-30", "certification: {grace: 10m}\n")
    for agent in ("201", "202"):
        certify(centre, "record", agent, "LIAB-02", 3)
    records = centre.app.records

    def publish(session: Any) -> None:
        book = records.library(session)
        book.edit("LIAB-02", by="li.na", answers={"en": "The carrier proves it."})
        book.review("LIAB-02", "wang.wei")
        book.publish("LIAB-02", "wang.wei")

    records.work(publish)
    centre.clock.advance("5m")
    certificates = lambda: centre.app.acd._dispatch.withheld("201")  # noqa: E731
    assert certificates() == {}
    centre.clock.advance("6m")
    assert certificates() == {"claims": "not certified on LIAB-02 v4"}
    certify(centre, "record", "201", "LIAB-02", 4)
    assert certificates() == {}


def test_nobody_waits_for_a_skill_that_nobody_has_passed(make: Any) -> None:
    centre = make()
    caller = centre.caller().dials("8000")
    centre.agent("201").ready()
    centre.clock.advance(5)
    [left] = centre.journal(caller, kind="queue.left")
    assert left.data["reason"] == "no_agents"


def test_the_explanation_says_who_is_not_certified(make: Any) -> None:
    from engine.acd.evidence import about_call

    centre = make()
    caller = centre.caller().dials("8000")
    centre.agent("201").ready()
    centre.clock.advance(30)
    centre.app.store.flush()
    found = centre.app.store.read(
        lambda session: about_call(session, caller.uuid, centre.app.clock.now()), 5.0
    )
    assert "not certified on LIAB-02 v3, so claims does not count" in repr(found)
