from __future__ import annotations

from typing import Any

import pytest

from engine.testing.home import Home
from tests.flows.shop import Shop, shop_home


@pytest.fixture
def shop(home: Home, centre_of: Any) -> Shop:
    """``shop(blocks)``: a centre whose number 8000 runs these blocks."""

    def make(blocks: str, **more: Any) -> Any:
        return centre_of(shop_home(home, blocks, **more))

    return make
