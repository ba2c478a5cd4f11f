"""How steps are written, and what they say of themselves."""

from __future__ import annotations

from typing import Any

import pytest

from engine.flows.step import Step
from engine.flows.steps import STEPS
from engine.flows.steps.choose import Choose
from engine.flows.steps.collect import Collect
from engine.flows.steps.menu import Menu
from engine.flows.steps.queue import Queue
from engine.flows.steps.run import Run
from engine.flows.written import StepError, normalise
from engine.schema.fields import Span

COLLECT = {"into": "x", "prompt": "p", "give_up": "a"}


def make(written: Any) -> Step:
    kind, args = normalise(written, STEPS)
    return kind.model_validate(args)


def test_every_kind_is_listed_under_its_word() -> None:
    for word, kind in STEPS.items():
        assert kind.kind == word
        assert kind.__doc__ or kind.__module__
        assert not kind.short or any(
            kind.short in (field.alias, name) for name, field in kind.model_fields.items()
        )
        assert not kind.whole or kind.whole in kind.model_fields


def test_a_step_may_be_a_word_a_value_or_a_mapping() -> None:
    assert make("answer") == make({"answer": {}})
    assert make({"go": "bye"}) == make({"go": {"to": "bye"}})
    assert make({"say": "bye", "repeat": "2"}) == make({"say": {"prompt": "bye", "repeat": "2"}})
    assert make({"silence": "500ms"}).seconds == 0.5  # type: ignore[attr-defined]
    assert make({"run": "a/b"}) == make({"run": {"flow": "a/b"}})
    assert make("pause_recording") == make({"pause_recording": "on"})
    assert make({"return": "gone"}) == make({"return": {"outcome": "gone"}})


def test_id_and_if_stand_beside_or_within() -> None:
    beside = make({"id": "x", "if": "n > 1", "go": "bye"})
    within = make({"go": {"id": "x", "if": "n > 1", "to": "bye"}})
    assert beside == within
    assert beside.id == "x"
    assert beside.when is not None
    assert beside.when.truth({"n": 2})


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("nothing", "unknown-step"),
        ({}, "shape"),
        (["go"], "shape"),
        ({"id": "x"}, "unknown-step"),
        ({"go": "a", "hangup": {}}, "two-steps"),
        ({"go": {"to": "a", "id": "x"}, "id": "y"}, "duplicate-key"),
        ({"menu": "bye"}, "shape"),
        ({"go": ["a"]}, "shape"),
        ("go", "shape"),
    ],
)
def test_what_is_no_step_is_refused(written: Any, code: str) -> None:
    with pytest.raises(StepError) as caught:
        normalise(written, STEPS)
    assert caught.value.code == code


def test_the_ways_of_a_step_come_with_their_paths() -> None:
    menu = make({"menu": {"prompt": "p", "options": {"1": "a", "star": "b/c"}, "give_up": "d"}})
    assert isinstance(menu, Menu)
    assert {(way.name, way.target) for way in menu.ways()} == {
        ("options.1", "a"),
        ("options.*", "b/c"),
        ("give_up", "d"),
    }
    run = make({"run": {"flow": "a/b", "done": "x", "gave_up": "y"}})
    assert isinstance(run, Run)
    assert [(way.name, way.target) for way in run.ways()] == [("done", "x"), ("gave_up", "y")]
    queue = make({"queue": {"name": "q", "full": "a", "too_long": "b", "no_agents": "c",
                            "waiting": {"keys": {"hash": "d"}}}})  # fmt: skip
    assert isinstance(queue, Queue)
    assert {way.name for way in queue.ways()} == {"full", "too_long", "no_agents", "waiting.keys.#"}


def test_a_step_says_whether_the_next_one_follows() -> None:
    follows = {
        "answer": make("answer"),
        "collect": make({"collect": COLLECT}),
        "choose without otherwise": make({"choose": [{"when": "n > 1", "go": "a"}]}),
        "confirm with one way": make({"confirm": {"prompt": "p", "yes": "a", "give_up": "b"}}),
        "run": make({"run": "a/b"}),
    }
    ends = {
        "go": make({"go": "a"}),
        "hangup": make("hangup"),
        "stop": make("stop"),
        "return": make("return"),
        "menu": make({"menu": {"prompt": "p", "options": {"1": "a"}, "give_up": "b"}}),
        "choose": make({"choose": [{"when": "n > 1", "go": "a"}, {"otherwise": "b"}]}),
        "confirm": make({"confirm": {"prompt": "p", "yes": "a", "no": "b", "give_up": "b"}}),
    }
    assert all(step.falls_through() for step in follows.values())
    assert not any(step.falls_through() for step in ends.values())
    assert isinstance(ends["choose"], Choose)
    assert ends["choose"].otherwise == "b"


def test_a_collect_knows_its_form() -> None:
    step = make({"collect": {**COLLECT, "as": "pin", "first": "5s", "between": "800ms"}})
    assert isinstance(step, Collect)
    assert (step.is_secret, step.digits, step.end, step.first, step.between) == (
        True,
        Span(4, 12),
        "#",
        5.0,
        0.8,
    )
    assert make({"collect": {**COLLECT, "end": "none"}}).end == ""  # type: ignore[attr-defined]
    assert make({"collect": {**COLLECT, "secret": "yes"}}).is_secret  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "wrong",
    [
        {"as": "digits", "min": "3"},
        {"as": "number", "min": "3", "max": "2"},
        {"as": "digits", "not_before": "2026-01-01"},
        {"as": "pin", "confirm": "read_back"},
        {"end": "5"},
        {"attempts": "0"},
        {"as": "letters"},
    ],
)
def test_a_collect_that_contradicts_itself_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"Collect"):
        make({"collect": {**COLLECT, **wrong}})


def test_every_kind_gives_its_json_schema() -> None:
    for kind in STEPS.values():
        schema = kind.model_json_schema()
        assert schema["type"] == "object"
