"""Agents and supervisors at the phone on the desk who take every way of its numbers: each key, wrong keys, silence,
hanging up, from a phone of the house that is somebody's seat, from one that is nobody's, and from outside."""

from __future__ import annotations

from typing import Any

from engine.testing.explorer import Explorer

TYPED = {
    "desk/login.agent_number": ("8012",),
    "desk/login.code": ("4812",),
    "desk/messages.agent_number": ("8012",),
    "desk/messages.code": ("4812",),
    "desk/supervise.supervisor": ("8012",),
    "desk/supervise.code": ("4812",),
    "desk/supervise.heard": ("8013",),
    "desk/disposition.code": ("1",),
}
NUMBERS = {
    "*11": "login", "*12": "logout", "*13": "ready", "*14": "pause", "*16": "disposition", "*17": "messages",
    "*18": "supervise",
}  # fmt: skip


def test_every_way_of_the_numbers_of_the_desk(centre: Any) -> None:
    explorer, agent = Explorer(centre, typed=TYPED), centre.agent("8012")
    for number, flow in NUMBERS.items():
        at_work = agent.logs_out if flow == "login" else agent.ready
        explorer.explores(number, number="1001", origin="internal", prepare=at_work)
        explorer.explores(number, number="1009", origin="internal")
        explorer.explores("8999", flow=f"desk/{flow}", number="+8613800138000")
    # The supervisors' *10 branches so much that it has conversations instead: test_lead.py.
    # What needs a talk, a message that somebody left, or an engine that dies is in the tests of each.
    assert set(explorer.missed(*(f"desk/{flow}" for flow in NUMBERS.values()))) == {
        "desk/disposition code: command next",
        "desk/messages code: messages next",
        "desk/supervise whom: command next",
        *(f"desk/{flow} lost: choose cases.1.otherwise" for flow in ("login", "messages", "supervise")),
    }
