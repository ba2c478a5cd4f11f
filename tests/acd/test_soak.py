"""The crowded day of ``make bench ARGS=soak``, made short: nothing stuck, nothing left, memory flat."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from bench.soak import Soak


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    yield
    structlog.configure(**before)


def test_a_crowd_leaves_nothing_stuck_and_nothing_behind(tmp_path: Path) -> None:
    soak = Soak(tmp_path, agents=5, waiting=12, seed=5, warm=30.0)
    soak.run(minutes=0.75)
    assert soak.talks > 5
    assert soak.calls > soak.waiting + soak.agents
    assert soak.growth < 1.1
