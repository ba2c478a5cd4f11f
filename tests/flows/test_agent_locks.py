"""Locks of agents after wrong PINs: they outlive the engine, and have nothing to do with those of callers."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import LoginRefused
from engine.testing.home import Home
from tests.flows.shop import Shop

# The PIN is 4812; the hash is a cheap one.
PIN = "$argon2id$v=19$m=8,t=1,p=1$yTI9/bOTSOFcxG11ENFeyg$lwb6Xba6km6qNcyUR4Z6/zobQu5rbtxS9axWCjMbktA"
AGENTS = """\
grammar: 1
rules: {wrong_pins: 3, locked: 15m}
agents:
  201: {name: Agent One, phone: 1001, pin: PIN, languages: [en], queues: [desk]}
"""
QUEUES = "grammar: 1\nqueues:\n  desk: {title: {en: Desk}}\n"
FLOW = "greet:\n  - play: Hello.\n  - hangup\n"


@pytest.fixture
def centre(home: Home, shop: Shop) -> Any:
    home.write("conf/agents.yaml", AGENTS.replace("PIN", f'"{PIN}"'))
    home.write("conf/queues.yaml", QUEUES)
    return shop(FLOW)


def tries(centre: Any, pin: str, phone: str = "1001") -> str:
    try:
        return str(centre.app.acd.login("201", pin, phone).state)
    except LoginRefused as error:
        return error.reason


def again(centre: Any) -> None:
    centre.engine.kill()
    centre.engine.start()


def test_a_locked_agent_is_locked_for_the_next_engine_too(centre: Any) -> None:
    assert [tries(centre, "1111") for _ in range(3)] == ["wrong_pin", "wrong_pin", "locked"]
    again(centre)
    assert tries(centre, "4812") == "locked"
    assert tries(centre, "4812", "1009") == "locked"  # the agent is, wherever it tries from
    parties = centre.app.parties.desk
    assert parties.locked(parties.origin_key("1001")) == 0  # who calls from that phone is not
    centre.clock.advance("15m")
    assert tries(centre, "4812") != "locked"


def test_an_unlocked_agent_stays_so(centre: Any) -> None:
    for _ in range(3):
        tries(centre, "1111")
    centre.app.acd.unlock("201")
    again(centre)
    assert tries(centre, "1111") == "wrong_pin"
    (row,) = centre.journal(kind="agent.unlocked")
    assert (row.agent, row.data["was_locked"]) == ("201", True)
