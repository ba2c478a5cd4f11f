"""Who calls, on a real FreeSWITCH: known by number, by code and PIN; and nowhere when the flow discards it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.house import House

pytestmark = pytest.mark.switch

NUMBER = "13802880017"
KNOWN = "13802889923"
PIN = "96318527"

FLOW = """\
grammar: 1
flow: who/main
revision: 1
title: Who calls
owner: who
languages: [en]
start: greet
blocks:
  greet:
    - answer
    - record: service
    - identify: {by: number}
    - if: party is known
      journal: {event: known, data: {name: "{party.name}"}}
    - menu: {prompt: who/choose, options: {1: by_pin, 2: nobody}, first: 20s, give_up: end}
  by_pin:
    - identify: {by: code+pin, prompt: who/code, pin: who/pin, first: 20s, give_up: end, locked: end}
    - journal: {event: known, data: {name: "{party.name}"}}
    - menu: {prompt: who/choose, options: {1: end, 2: nobody}, first: 20s, give_up: end}
  nobody:
    - identity: discard
    - queue: {name: logistics, full: end, too_long: end, no_agents: end}
    - go: end
  end:
    - hangup
"""
PROMPTS = "choose: For one, press 1. For two, press 2.\ncode: Your code.\npin: Your PIN.\n"


def test_a_discarded_number_and_a_pin_are_nowhere_that_the_switch_or_the_engine_writes(house: House) -> None:
    house.add_department("who", "8055", {"flows/main.yaml": FLOW, "prompts/en.yaml": PROMPTS})
    plan = house.home / "dialplans" / "main.yaml"
    text = plan.read_text(encoding="utf-8")
    more = '  - {to: "8056", flow: who/main, identity: deferred, language: en}\n'
    plan.write_text(text.replace("numbers:\n", f"numbers:\n{more}", 1), encoding="utf-8")
    house.start("--switch", "freeswitch")
    agent = house.desk("1001")
    seen: list[bytes] = []
    take = agent._request
    agent._request = lambda message: (seen.append(message.encode()), take(message))  # type: ignore[method-assign]
    house.command(
        "party", "add", "dealer", "Hengrun", "--code", "44019999", "--number", KNOWN, "--tier", "diamond"
    )
    _set_pin(house)

    known = house.outside(KNOWN).dial("8055").wait_answered(10)
    house.wait_step("menu")
    live = house.calls()[0]
    assert live["party"]["code"] == "44019999"
    known.press("1")
    house.wait_step("identify")
    house.clock.sleep(0.5)
    known.press("44019999#")
    house.clock.sleep(2.0)
    known.press(f"{PIN}#")
    house.wait_step("by_pin[3] menu")
    known.hang_up()
    house.wait_for(lambda: not house.calls(), "the call did not end")
    kinds = [row["kind"] for row in house.cli("call", "show", live["id"])["journal"]]
    assert kinds.count("party.identified") == 2

    caller = house.outside(NUMBER).dial("8056", name="Wen Caller").wait_answered(10)
    house.wait_step("menu")
    live = house.calls()[0]
    assert (live["number"], live["name"]) == ("", "")
    caller.press("2")
    ring = agent.wait_ring(20)
    house.clock.sleep(0.5)
    ring.answer()
    house.wait_state("talking")
    house.clock.sleep(1.0)
    headers: dict[str, Any] = json.loads(house.switch(f"uuid_dump {live['id']} json"))
    left = sorted(
        name for name, value in headers.items() if NUMBER in str(value) or "Wen Caller" in str(value)
    )
    assert left == []
    assert _found(house, NUMBER) == []
    assert b"INVITE" in b"".join(seen)
    assert NUMBER.encode() not in b"".join(seen)
    ring.hang_up()
    house.wait_for(lambda: not house.calls(), "the call did not end")
    house.stop()
    for secret in (NUMBER, "Wen Caller", PIN):
        assert [str(where) for where in _found(house, secret)] == []


def _set_pin(house: House) -> None:
    import os
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "engine", "party", "set-pin", "dealer/44019999"],
        cwd=house.home,
        env={**os.environ, "INSIDELINE_HOME": str(house.home)},
        input=f"{PIN}\n".encode(),
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()


def _found(house: House, secret: str) -> list[str]:
    """Where it stands: in the content or the name of anything below the house."""
    found = []
    for path in [*(house.home / "var").rglob("*"), house.home / "engine.out"]:
        if secret in path.name:
            found.append(f"name of {path}")
        if path.is_file() and secret.encode() in path.read_bytes():
            found.append(str(path))
    return found
