"""The schemas for editors take what the loader takes, and see what is plainly wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from engine.app.installation import Installation, read_installation
from engine.app.schemas import KINDS
from engine.cli.main import cli
from engine.clock import Clock
from engine.flows.editor import flow_schema
from engine.flows.known import Known
from engine.flows.loader import parse_flow
from engine.flows.steps import STEPS
from engine.schema.editor import Choices, Names, length_text
from engine.schema.fields import parse_duration
from tests.docs.examples import ROOT, around, examples
from tests.editor.yaml_core import read
from tests.flows import test_admin_flows as admin
from tests.flows import test_broken_flows as broken
from tests.flows.administered import administered
from tests.flows.checking import KNOWN, MAIN

HEAD = "grammar: 1\nflow: a/b\nrevision: 1\ntitle: T\nlanguages: [en]\nstart: a\nblocks:\n  a:\n"


def wrong(schema: dict[str, Any], text: str) -> list[str]:
    """What a schema finds wrong with a text."""
    validator = jsonschema.Draft7Validator(schema)
    return [
        f"{list(error.absolute_path)}: {error.message[:200]}" for error in validator.iter_errors(read(text))
    ]


@pytest.fixture(scope="module")
def shipped() -> Iterator[Installation]:
    made = read_installation(ROOT, Clock())
    yield made
    made.host.stop()


@pytest.fixture(scope="module")
def schemas(shipped: Installation) -> dict[str, dict[str, Any]]:
    return {word: kind.schema(shipped) for word, kind in KINDS.items()}


def names_of(known: Known, *flows: str) -> Names:
    """What a test's flows may name."""
    prompts = {key for texts in known.prompts.values() for key in texts}
    prompts |= {key.rpartition("/")[2] for key in prompts}
    return {
        "flow": Choices(dict.fromkeys(flows, "")),
        "queue": Choices(dict.fromkeys(known.queues, "")),
        "calendar": Choices(dict.fromkeys(known.calendars, "")),
        "query": Choices(dict.fromkeys(known.queries, "")),
        "command": Choices(dict.fromkeys(known.commands, "")),
        "language": Choices(dict.fromkeys(known.languages, "")),
        "prompt": Choices(dict.fromkeys(prompts, ""), "[^a-z0-9_/]"),
        **{
            kind: Choices(dict.fromkeys(names, ""))
            for kind, names in (("skill", known.skills), ("policy", known.policies))
            if names
        },
    }


@pytest.mark.parametrize("word", KINDS)
def test_each_is_a_schema(schemas: dict[str, dict[str, Any]], word: str) -> None:
    jsonschema.Draft7Validator.check_schema(schemas[word])
    assert json.loads(json.dumps(schemas[word])) == schemas[word]


@pytest.mark.parametrize(
    ("word", "path"),
    [
        (word, path)
        for word, kind in KINDS.items()
        for files in kind.files
        for path in sorted(ROOT.glob(files))
    ],
    ids=lambda value: str(value.relative_to(ROOT)) if isinstance(value, Path) else value,
)
def test_what_is_shipped_passes(schemas: dict[str, dict[str, Any]], word: str, path: Path) -> None:
    assert wrong(schemas[word], path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("piece", [one for one in examples("yaml") if not one.path], ids=lambda one: one.name)
def test_the_pieces_of_the_documentation_pass(piece: Any) -> None:
    assert wrong(flow_schema(STEPS), around(piece.text, "piece", ended=False)) == []


@pytest.mark.parametrize("name", administered().texts)
def test_the_flows_of_administrators_pass(name: str) -> None:
    schema = flow_schema(STEPS, names_of(administered().known, *administered().texts))
    assert wrong(schema, administered().texts[name]) == []


# -- what is plainly wrong ------------------------------------------------------------------------------

#: What the checker calls a fault that a schema can see, too: shapes, and names.
_SEEN = frozenset(
    {
        "unknown-step", "shape", "two-steps", "unknown-key", "missing-key", "unknown-flow", "unknown-prompt",
        "unknown-queue", "unknown-skill", "unknown-calendar", "unknown-query", "unknown-command", "duration",
        "length", "key", "missing-id", "percentage", "unknown-policy", "unquoted-braces", "syntax", "tab",
        "unquoted-star", "alias", "empty-value",
    }
)  # fmt: skip


#: What only the checker sees: numbers in a text, and whose a prompt is.
_UNSEEN = frozenset({"a length backwards", "a prompt of another department"})


def _variants() -> Iterator[tuple[str, str, str]]:
    sample = MAIN.read_text(encoding="utf-8")
    for name, (written, instead, code) in broken.BROKEN.items():
        if code in _SEEN and name not in _UNSEEN and sample.count(written) == 1:
            yield f"sample: {name}", sample.replace(written, instead.replace("»", "")), "orders"
    for name, (flow, written, instead, code, _) in admin.BROKEN.items():
        text = administered().texts[flow]
        if code in _SEEN and name not in _UNSEEN and written in text:
            yield f"admin: {name}", text.replace(written, instead.replace("»", "")), "admin"


VARIANTS = {name: (text, home) for name, text, home in _variants()}


@pytest.mark.parametrize("name", VARIANTS)
def test_what_is_plainly_wrong_is_seen(name: str) -> None:
    text, home = VARIANTS[name]
    flows = ("orders/main", "orders/check") if home == "orders" else tuple(administered().texts)
    known = KNOWN if home == "orders" else administered().known
    try:
        assert wrong(flow_schema(STEPS, names_of(known, *flows)), text) != []
    except yaml.YAMLError:
        pass  # not even YAML


def test_there_are_many_of_them() -> None:
    assert len(VARIANTS) > 25


# -- shapes and scalars ---------------------------------------------------------------------------------

WRITTEN = [
    "- answer", "- answer: {}", "- go: bye", "- go: {to: bye}", "- hangup", "- hangup: USER_BUSY",
    "- {say: bye, repeat: 2}", "- {id: x, if: n > 1, go: bye}", "- go: {id: x, if: n > 1, to: bye}",
    "- silence: 500ms", "- silence: {for: 500ms}", "- pause_recording: off", "- pause_recording: no", "- return: gone",
    "- set: {a: 01088886666, b: no, c: 1.10, d: 17:30, e: 2026-10-01, f: 12e5, g: true}",
    "- {play: {prompt: bye}, interrupt: No}", "- play: Hello there.", "- play: 12 o'clock",
    "- menu: {prompt: p, options: {1: a, star: a, '#': a}, give_up: a, attempts: '2'}",
    "- {menu: {prompt: p, options: {1: a}}, give_up: a}",
    "- {ticket: complaint, failed: a}", "- {ticket: {kind: complaint}, failed: a}",
    "- {callback: {failed: a}, queue: q}", "- {id: x, command: {do: a.b, failed: a}}",
    "- command: {id: x, do: a.b, failed: a}", "- {command: {do: a.b}, id: x, failed: a}",
    "- choose: [{when: n > 1, go: a}, {otherwise: a}]", "- run: {flow: a/b, done: a, gave_up: c/d}",
    "- {run: a/b, gave_up: a}", "- collect: {into: x, prompt: p, length: 8, give_up: a}",
    "- rate: {question: q, prompt: p, scale: 1-5}", "- conference: {room: 12, invite: [8013, '{x}'], failed: a}",
    "- transfer: {to: 02038880000, failed: a}", "- messages: {box: 8012, by: '8012'}",
    "- identify: number", "- identify: {by: code, of: [a, b], prompt: p, give_up: a}",
]  # fmt: skip
REFUSED = [
    "- nothing", "- {}", "- [go]", "- {id: x}", "- {go: a, hangup: {}}", "- menu: bye", "- go: [a]", "- go",
    "- ticket: complaint", "- {command: {do: a.b, failed: a}}", "- command: {do: a.b}", "- choose: {when: a}",
    "- answer: now", "- silence: 5", "- {say: bye, repeat: often}", "- {say: bye, repaet: 2}", "- play:",
    "- menu: {prompt: p, options: {12: a}, give_up: a}", "- collect: {into: X, prompt: p, give_up: a}",
    "- rate: {question: q, prompt: p, scale: 5}", "- {play: bye, interrupt: maybe}",
    "- transfer: {to: 1, ring: soon, failed: a}",
]  # fmt: skip


@pytest.mark.parametrize("step", WRITTEN)
def test_whatever_the_loader_takes_the_schema_takes(step: str) -> None:
    assert parse_flow(f"{HEAD}    {step}\n", "a/b", STEPS).faults == []
    assert wrong(flow_schema(STEPS), f"{HEAD}    {step}\n") == []


@pytest.mark.parametrize("step", REFUSED)
def test_what_the_loader_refuses_the_schema_refuses(step: str) -> None:
    assert parse_flow(f"{HEAD}    {step}\n", "a/b", STEPS).faults != []
    assert wrong(flow_schema(STEPS), f"{HEAD}    {step}\n") != []


@given(st.from_regex(r"[A-Za-z0-9.+:-]{1,8}", fullmatch=True))
def test_a_scalar_that_the_loader_takes_for_a_value_the_schema_takes(scalar: str) -> None:
    for step in (
        f"set: {{x: {scalar}}}",
        f"silence: {scalar}",
        f"menu: {{prompt: p, give_up: a, options: {{{scalar}: a}}}}",
    ):
        text = f"{HEAD}    - {step}\n"
        if parse_flow(text, "a/b", STEPS).faults == [] and scalar.lower() != "null":
            assert wrong(_BARE, text) == []


_BARE = flow_schema(STEPS)


@pytest.mark.parametrize("seconds", [0.5, 1, 1.5, 30, 60, 90, 600, 3600, 7200, 86400, 180 * 86400])
def test_a_default_is_written_as_people_write_it(seconds: float) -> None:
    assert parse_duration(length_text(seconds)) == seconds


def test_every_key_of_every_step_is_told_of() -> None:
    schema = flow_schema(STEPS)
    places = {word: schema["definitions"][f"step-{word}"]["then"]["properties"][word] for word in STEPS}
    assert all(place["description"] for place in places.values())
    untold = [
        f"{kind.__name__}.{key}"
        for kind in STEPS.values()
        for key, item in schema["definitions"][kind.__name__]["properties"].items()
        if not item.get("description") and not (kind.kind == "transfer" and key == "queue")
    ]
    assert untold == []


# -- the commands -----------------------------------------------------------------------------------------


@pytest.fixture
def says() -> Callable[..., str]:
    def says(*words: str) -> str:
        done = CliRunner().invoke(cli, ["--home", str(ROOT), *words])
        assert done.exit_code == 0, done.output
        return done.output

    return says


def test_flow_schema_prints_the_schema_with_the_names_of_the_home(says: Callable[..., str]) -> None:
    schema = json.loads(says("flow", "schema"))
    assert "logistics.track" in schema["definitions"]["query"]["enum"]
    assert "bye" in schema["definitions"]["prompt"]["anyOf"][0]["enum"]
    assert says("schema", "flow") == says("flow", "schema")
    bare = json.loads(says("flow", "schema", "--no-names"))
    assert "query" not in bare["definitions"]


def test_schema_tells_which_there_are_and_writes_them_all(says: Callable[..., str], tmp_path: Path) -> None:
    assert [line.split()[0] for line in says("schema").splitlines()] == list(KINDS)
    says("schema", "--write", str(tmp_path / "schemas"))
    written = sorted(path.name for path in (tmp_path / "schemas").iterdir())
    assert written == sorted([*(f"{word}.schema.json" for word in KINDS), "settings.json"])
    settings = json.loads((tmp_path / "schemas" / "settings.json").read_text(encoding="utf-8"))
    assert len(settings["yaml.schemas"]) == len(KINDS)


def test_a_kind_that_there_is_not_is_told_with_the_nearest(says: Callable[..., str]) -> None:
    done = CliRunner().invoke(cli, ["schema", "flwo"])
    assert done.exit_code == 1
    assert 'did you mean "flow"?' in done.output
