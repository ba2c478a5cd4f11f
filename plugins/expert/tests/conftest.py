from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LINE = "8002"
TOPICS = ("tariff", "claims", "credit", "policy", "systems")
EXPERTS = ("8031", "8032", "8033", "8034", "8035", "8036")


class FirstLine:
    """Somebody of the first line, at the points from which conversations begin."""

    def __init__(self, centre: Any) -> None:
        self.centre = centre

    def opened(self, language: str = "zh-CN", number: str = "+8613800138000") -> Any:
        """A caller whom nobody knows by the phone hears the question for the staff number."""
        caller = self.centre.caller(number=number).dials(LINE)
        caller.hears("expert/choose_language").presses("1" if language == "zh-CN" else "2")
        caller.hears("recorded_notice")
        return caller.hears("expert/enter_number")

    def named(self, staff: str = "60101", language: str = "zh-CN") -> Any:
        """A caller who typed a staff number hears the topics, the first of them."""
        caller = self.opened(language).presses(f"{staff}#")
        caller.hears("expert/welcome")
        return caller.hears("expert/which_topic")

    def asks(self, topic: str = "claims", staff: str = "60101", language: str = "zh-CN") -> Any:
        """A caller who chose a topic, and found no answer to the question."""
        caller = self.named(staff, language).presses(str(TOPICS.index(topic) + 1))
        if topic in ("tariff", "claims"):  # of which the sample has several answers
            caller.hears("expert/which_answer").presses("0")
        elif topic != "systems":  # which has one
            caller.hears_next()
            caller.hears("knowledge_solved").presses("2")
        return caller

    def waits(self, topic: str = "claims", staff: str = "60101", *, holding: bool = False) -> Any:
        """A caller who waits for an expert."""
        caller = self.asks(topic, staff)
        caller.hears("expert/customer_on_hold").presses("1" if holding else "2")
        return caller.hears("connecting")


@pytest.fixture
def first_line(centre: Any) -> FirstLine:
    return FirstLine(centre)


Only = Callable[..., Any]


def only_in(centre: Any) -> Only:
    def leave(*experts: str) -> Any:
        for one in EXPERTS:
            if one not in experts:
                centre.agent(one).pauses("meal")
        return centre.agent(experts[0]) if experts else None

    return leave


@pytest.fixture
def only(centre: Any) -> Only:
    """``only("8032")``: of the experts this one alone takes calls."""
    return only_in(centre)


@pytest.fixture
def outside(centre_home: Path, centre_of: Any, tmp_path: Path) -> Any:
    """The sample company with a trunk over which numbers in China may be rung."""
    place = tmp_path / "trunked"
    place.mkdir()
    for name in ("plugins", "dialplans", "prompts"):
        (place / name).symlink_to(centre_home / name)
    shutil.copytree(centre_home / "conf", place / "conf")
    (place / "conf" / "trunks.yaml").write_text(
        'grammar: 1\ntrunks: [{name: pstn, host: 192.0.2.20}]\noutbound: {allow: ["+861"]}\n',
        encoding="utf-8",
    )
    return centre_of(place)


@pytest.fixture
def out_only(outside: Any) -> Only:
    """``only`` of that centre."""
    return only_in(outside)
