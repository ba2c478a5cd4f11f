"""What ends while the engine is away is told by the next one, once there is somebody to tell."""

from __future__ import annotations

from typing import Any

from tests.calls.test_adoption_with_agents import QUEUE, talking
from tests.flows.shop import Shop


def test_a_wrap_up_that_ended_while_no_engine_was_there_is_told(shop: Shop) -> None:
    centre: Any = shop(QUEUE)
    caller, agent = talking(centre)
    agent.hangs_up()
    caller.hears("Thank you.")
    assert agent.state == "wrap_up"
    centre.engine.kill()
    centre.clock.advance("3m")
    centre.engine.start()
    assert agent.state == "ready"
    assert "acd.notify_failed" not in centre.logged.getvalue()
