"""The tests that docs/testing.md shows are tests: they run."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from tests.docs.examples import examples


def _shown() -> dict[str, Callable[..., None]]:
    names: dict[str, Any] = {}
    for example in examples("python"):
        if example.page == "docs/testing.md":
            exec(compile(example.text, example.name, "exec"), names)  # noqa: S102 - it is what we show to people
    return {name: value for name, value in names.items() if name.startswith("test_")}


SHOWN = _shown()


@pytest.mark.parametrize("name", SHOWN)
def test_what_is_shown_runs(name: str, request: pytest.FixtureRequest) -> None:
    test = SHOWN[name]
    test(**{fixture: request.getfixturevalue(fixture) for fixture in inspect.signature(test).parameters})


def test_there_are_some() -> None:
    assert len(SHOWN) >= 5
