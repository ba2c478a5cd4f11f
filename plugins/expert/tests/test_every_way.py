"""Callers and experts who take every way of the experts' line: each key, wrong keys, silence, hanging up, and all that
may go wrong behind it; every other call is in English."""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from engine.hooks.loading import load_folder
from engine.testing.explorer import Explorer
from plugins.expert.tests.conftest import LINE

load_folder(Path(__file__).parents[1])
STANDARDS: Any = sys.modules["insideline_plugins.expert.standards"]
NEWS = STANDARDS.News(question=1, title="保价", text="保价费按千分之三收取。")
TYPED = {
    "expert/question.number": ("60101", "69999"),
    "expert/closing.number": ("3501", "9999"),
    "expert/closing.version": ("1", "77"),
}
LANGUAGES = {"expert/main:language.0": ("options.1", "options.2", "silence", "hangs up")}


@pytest.fixture
def explorer(centre: Any, monkeypatch: pytest.MonkeyPatch) -> Explorer:
    outbound = centre.app.records.callbacks.outbound
    monkeypatch.setattr(type(outbound), "check", lambda *_, **__: "")  # any number may be called
    return Explorer(centre, typed=TYPED, answers={"expert.news": {"one": lambda _: [NEWS]}}, always=LANGUAGES)


def test_every_way_of_the_first_line(centre: Any, seed: Any, explorer: Explorer) -> None:
    explorer.explores(LINE, number="+8613800138000")
    for number, language in (("+8613900099202", "zh-CN"), ("+8613900099302", "en")):
        seed.party(kind="employee", code="60202", name="潘晓彤", language=language, numbers=(number,))
        explorer.explores(LINE, number=number)
    missed = explorer.missed("expert/main", "expert/question", "expert/survey")
    print(f"{explorer.calls} calls, {len(explorer.places)} places, not done: {explorer.untried()}")
    assert missed == []


def test_every_way_of_who_is_called_back(explorer: Explorer) -> None:
    told = {
        "skill": "claims",
        "staff": "60101",
        "name": "吴敏仪",
        "branch": "广州白云营业部",
        "topic": "理赔与异常",
    }
    callback = {"id": "x", "call": "first", "queue": "expert", "data": told}
    explorer.explores(
        "8999", flow="expert/callback_expert", params={"callback": callback}, number="+8613800138000"
    )
    assert explorer.missed("expert/callback_expert") == []


def test_every_way_of_an_expert_who_closes(centre: Any, seed: Any, explorer: Explorer) -> None:
    numbers = count()

    def asked() -> None:
        """There always are two that are not closed."""
        for _ in range(2 - len(centre.rows("expert.questions", closed=None))):
            seed.questions(
                call=f"call {next(numbers)}",
                asked=centre.virtual.now(),
                topic="credit",
                expert="8035",
                last_expert="8035",
                staff="60101",
            )

    explorer.explores("*26", prepare=asked, number="1035", origin="internal")
    explorer.explores("8999", flow="expert/closing", number="+8613800138000")
    assert explorer.missed("expert/closing") == []
