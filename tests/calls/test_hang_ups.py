"""A caller may hang up in any step at any moment: everything is written down, everybody is freed, nothing is left."""

from __future__ import annotations

from typing import Any

import pytest

from engine.testing.home import Home
from tests.flows.shop import shop_home

FLOW = """
greet:
  - answer
  - {{{step}}}
{behind}
end:
  - hangup
"""
LONG = "A prompt that is long enough for anybody to hang up in the middle of it at leisure."

BEHIND = "  - play: Something long that comes behind it and gives all the time that is needed.\n  - go: end"
ENDS = ("menu", "menu, silent", "run")

STEPS = {
    "play": f"play: {LONG}",
    "play to the end": f"play: {{prompt: {LONG}, interrupt: false}}",
    "say": f"say: {{prompt: {LONG}, repeat: 3}}",
    "menu": f"menu: {{prompt: {LONG}, options: {{1: end}}, give_up: end}}",
    "menu, silent": "menu: {prompt: Hm., options: {1: end}, give_up: end, first: 30s}",
    "collect": f"collect: {{into: x, as: digits, prompt: {LONG}, give_up: end}}",
    "collect, typing": "collect: {into: x, as: digits, prompt: Hm., give_up: end, first: 30s, between: 30s}",
    "pin": f"collect: {{into: x, as: pin, prompt: {LONG}, give_up: end}}",
    "confirm": f"confirm: {{prompt: {LONG}, give_up: end}}",
    "music": "music: {for: 40s}",
    "silence": "silence: 40s",
    "query": 'query: {ask: shop.find, with: {number: "1"}, into: a, within: 30s, failed: end, not_found: end}',
    "command": (
        'command: {do: shop.order, with: {article: "1"}, refused: {credit: end, stock: end}, failed: end}, id: place'
    ),
    "queue": "queue: {name: desk, full: end, too_long: end, no_agents: end}",
    "run": "run: {flow: shop/sub, done: end}",
    "record": "record: {policy: service, notice: recorded_notice}",
}


@pytest.mark.parametrize("after", [0.0, 0.01, 0.05, 1.0])
@pytest.mark.parametrize("step", STEPS)
def test_a_caller_hangs_up_in_the_step(home: Home, centre_of: Any, step: str, after: float) -> None:
    shop_home(
        home,
        FLOW.format(step=STEPS[step], behind="" if step in ENDS else BEHIND),
        head="on_hangup:\n  - {journal: {event: note, data: {step: '{step}'}}}",
    )
    home.flow("shop/sub", f"start:\n  - play: {LONG}\n  - return\n")
    centre = centre_of(home)
    if step == "query":
        centre.adapter("shop.Stock").after(5.0)
    caller = centre.caller().dials("8000")
    centre.clock.advance(after)
    if step == "collect, typing" and after > 0.5:
        caller.presses("47")
        centre.clock.advance(1)
    caller.hangs_up()
    centre.clock.advance(20)

    calls = centre.app.calls
    assert (dict(calls.calls), dict(calls.legs)) == ({}, {})
    assert centre.simulator.switch.channels == {}
    (cdr,) = centre.cdrs()
    assert cdr.cause in ("NORMAL_CLEARING", "ORIGINATOR_CANCEL")
    assert cdr.data["ended_by"] == "caller"
    assert cdr.data["fault"] == ""
    kinds = [entry.kind for entry in centre.journal(caller)]
    assert kinds[0] == "call.arrived"
    assert kinds.count("call.ended") == 1
    assert kinds.count("flow.note") == 1
    assert {centre.agent(one).state for one in ("201", "202")} == {"ready"}
    assert centre.app.acd.queue("desk").waiting == ()
    assert '"level": "error"' not in centre.logged.getvalue()
