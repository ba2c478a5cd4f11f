"""A supervisor is told of an agent who does not answer."""

from __future__ import annotations

from typing import Any

from engine.testing.home import Home
from tests.flows.shop import shop_home

FLOW = """
greet:
  - answer
  - queue: {name: desk, full: end, too_long: end, no_agents: end}
  - go: end
end:
  - hangup
"""


def test_two_missed_calls_pause_the_agent_and_tell_the_group(home: Home, centre_of: Any) -> None:
    made = shop_home(home, FLOW)
    made.write("conf/notify.yaml", "grammar: 1\ngroups:\n  lead: {ways: [{phone: 1002}]}\n")
    agents = made.folder / "conf" / "agents.yaml"
    text = agents.read_text(encoding="utf-8")
    agents.write_text(text.replace("agents:\n", "rules: {tell: lead}\nagents:\n", 1), encoding="utf-8")
    centre = centre_of(made)
    centre.agent("202").logs_out()
    centre.caller().dials("8000")
    centre.clock.advance(60)
    assert (centre.agent("201").state, centre.agent("201").reason) == ("paused", "no answer")
    (notice,) = centre.rows("notices")
    assert (notice["group"], notice["prompt"]) == ("lead", "agent_paused")
