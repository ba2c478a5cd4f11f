from __future__ import annotations

from tests.flows.conftest import shop

__all__ = ["shop"]
