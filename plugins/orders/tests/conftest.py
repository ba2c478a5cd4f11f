from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

LINE, SUPERVISORS = "8001", "8011"
HENGRUN, HAIFENG, XILING, DIANYUAN = "+8613802880001", "+8613802880002", "+8613802880013", "+8613802880023"


@pytest.fixture
def dealer(centre: Any) -> Callable[..., Any]:
    """A dealer who called from a registered number, and hears the main menu."""

    def called(
        number: str = HAIFENG, language: str = "zh-CN", *, tasks: bool = False, draft: bool = False
    ) -> Any:
        caller = centre.caller(number=number).dials(LINE)
        caller.hears("orders/choose_language").presses("1" if language == "zh-CN" else "2")
        caller.hears("recorded_notice")
        caller.hears("orders/hello")
        if draft:
            return caller.hears("orders/unfinished")
        if tasks:
            caller.hears("orders/tasks_wait")
        return caller.hears("orders/main_menu")

    return called


@pytest.fixture
def ordering(dealer: Callable[..., Any]) -> Callable[..., Any]:
    """A dealer who has put an article into a draft, and hears what can be done with it."""

    def called(number: str = HAIFENG, article: str = "10010001", cases: int = 10, **more: Any) -> Any:
        caller = dealer(number, **more).presses("5")
        return added(caller, article, cases)

    return called


def added(caller: Any, article: str, cases: int) -> Any:
    """Types an article and a number of cases."""
    caller.hears("orders/enter_article").presses(f"{article}#")
    caller.hears("orders/enter_quantity").presses(f"{cases}#")
    caller.hears("orders/added")
    caller.hears("orders/draft_text")
    return caller.hears("orders/draft_menu")


@pytest.fixture
def read_back(ordering: Callable[..., Any]) -> Callable[..., Any]:
    """A dealer whose order of one line was read back, and who is asked to confirm it."""

    def called(number: str = HAIFENG, article: str = "10010001", cases: int = 10, **more: Any) -> Any:
        caller = ordering(number, article, cases, **more).presses("2")
        caller.hears("orders/order_line")
        caller.hears("orders/order_total")
        return caller.hears("orders/place_it")

    return called


@pytest.fixture
def supervisor(centre: Any) -> Callable[..., Any]:
    """A region's supervisor who signed in from anywhere, and has heard the figures."""

    def called(agent: str = "8021", pin: str = "4821", language: str = "zh-CN") -> Any:
        caller = centre.caller(number="+8613900000099").dials(SUPERVISORS)
        caller.hears("orders/choose_language").presses("1" if language == "zh-CN" else "2")
        caller.hears("recorded_notice")
        caller.hears("orders/enter_agent").presses(f"{agent}#")
        caller.hears("orders/enter_pin").presses(f"{pin}#")
        caller.hears("orders/hello_supervisor")
        caller.hears("orders/figures_text")
        caller.hears("orders/figures_late")
        caller.hears("orders/waiting_text")
        return caller.hears("orders/supervisor_menu")

    return called
