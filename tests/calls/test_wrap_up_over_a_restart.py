"""What ended while the engine was away is told by the next one, once there is somebody to tell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from engine.acd.acd import Acd
from tests.calls.test_adoption_with_agents import QUEUE, talking
from tests.flows.shop import Shop


def test_a_wrap_up_that_ended_while_no_engine_was_there_is_told(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    centre: Any = shop(QUEUE)
    caller, agent = talking(centre)
    agent.hangs_up()
    caller.hears("Thank you.")
    assert agent.state == "wrap_up"
    centre.engine.kill()
    centre.clock.advance("3m")
    restore = Acd.restore

    def and_others_run(self: Acd, memories: Iterable[Any]) -> None:
        restore(self, memories)
        self._clock.sleep(0.01)  # as while the rest is read from the disk, on a real clock

    monkeypatch.setattr(Acd, "restore", and_others_run)
    centre.engine.start()
    assert agent.state == "ready"
    assert "acd.notify_failed" not in centre.logged.getvalue()
