"""Queue rules on a real FreeSWITCH: many phones ring for one caller, and an answer breaks an announcement."""

from __future__ import annotations

import pytest

from tests.e2e.house import House

pytestmark = pytest.mark.switch

FLOW = """\
grammar: 1
flow: many/main
revision: 1
title: Many phones
owner: tests
languages: [en]
start: arrive
blocks:
  arrive:
    - answer
    - queue:
        name: logistics
        waiting: {every: 1s, say: "You are number {position:count} in line, and we ask for a lot of patience."}
        full: bye
        too_long: bye
        no_agents: bye
    - go: bye
  bye:
    - hangup
"""
LIMIT = 1.0
"""Seconds from an agent's answer to the talk; the words that are being said last some 4 s."""


def test_all_phones_ring_the_first_answer_has_the_call_and_breaks_the_words(house: House) -> None:
    house.add_department("many", "8090", {"flows/main.yaml": FLOW})
    queues = house.home / "conf" / "queues.yaml"
    text = queues.read_text(encoding="utf-8")
    assert "strategy: longest_idle" in text
    queues.write_text(text.replace("strategy: longest_idle", "strategy: ring_all"), encoding="utf-8")
    house.start("--switch", "freeswitch")
    first, second = house.desk("1001"), house.desk("1002")
    caller = house.outside().dial("8090").wait_answered(10)
    here, there = first.wait_ring(20), second.wait_ring(5)
    house.clock.sleep(2.0)  # into the announcement
    began = house.clock.monotonic()
    there.answer()
    talk = house.wait_state("talking")
    assert house.clock.monotonic() - began < LIMIT
    assert talk["agent"] == "8013"
    here.wait_over(3)
    caller.say_tone(440, 1.5)
    there.wait_hears(440, 4)
    there.hang_up()
    house.wait_for(lambda: not house.calls(), "the call did not end", 30)
    call = house.cli("cdr", "list")[0]["call"]
    rows = house.cli("call", "show", call)["journal"]
    assert [row["agent"] for row in rows if row["kind"] == "offer.lost"] == ["8012"]
    assert sum(row["kind"] == "queue.answered" for row in rows) == 1
    assert house.wait_for(
        lambda: {one["id"]: one["state"] for one in house.get("/agents")}["8012"] == "ready", "8012 is stuck"
    )
    assert house.stop() == 0
