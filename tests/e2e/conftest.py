from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.clock import Clock
from tests.e2e.house import House


@pytest.fixture
def house(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """An installation with a real FreeSWITCH; the test starts the engine."""
    made = House(tmp_path / "house", Clock(), tmp_path_factory.getbasetemp() / "prompts")
    try:
        yield made
    finally:
        if (made.home / "engine.out").exists():
            print(made.output()[-20_000:])  # shown by pytest when the test fails
        made.close()
