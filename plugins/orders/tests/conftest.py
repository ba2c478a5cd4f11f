from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from engine.hooks.loading import load_folder

LINE, SUPERVISORS = "8001", "8011"
HENGRUN = "+8613802880001"


@pytest.fixture
def orders() -> ModuleType:
    """The department's plugin, as the engine loads it."""
    return load_folder(Path(__file__).parents[1])


@pytest.fixture
def dealer(centre: Any) -> Callable[..., Any]:
    """A dealer who called from a registered number, and has heard everything up to the main menu."""

    def called(number: str = HENGRUN, language: str = "zh-CN", *, tasks: bool = False) -> Any:
        caller = centre.caller(number=number).dials(LINE)
        caller.hears("orders/choose_language").presses("1" if language == "zh-CN" else "2")
        caller.hears("recorded_notice")
        caller.hears("orders/hello")
        if tasks:
            caller.hears("orders/tasks_wait")
        return caller.hears("orders/main_menu")

    return called
