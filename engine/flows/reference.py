"""The reference of the kinds of steps: pages for people, made of what editors are told (``engine.flows.editor``), of
what the steps say of themselves, and of their examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from engine.flows.editor import about, details
from engine.flows.examples import Example, example_of
from engine.flows.expressions import Expression
from engine.flows.known import Known
from engine.flows.loader import parse_flow
from engine.flows.passes.references import LEADING
from engine.flows.step import Step
from engine.flows.types import ANY, TEXT, Type
from engine.flows.values import Value
from engine.schema.editor import Choices, Json, Schemas, schemas_of

NOTE: Final = "<!-- Written by `insideline flow reference --write`: change the step, not this page. -->\n"
#: What a ``Ref`` is to people. Named, so that the schema keeps them apart.
_REFERS: Final = {
    "target": "a block, or a flow",
    "prompt": "a prompt",
    "into": "a name",
    "value": "a value",
    "expression": "an expression",
    "queue": "a queue",
    "calendar": "a calendar",
    "query": "a query",
    "command": "a command",
    "language": "a language",
    "skill": "a skill",
    "group": "a group",
    "flow": "a flow",
    "policy": "a policy",
}
_BESIDE: Final = ("id", "if")


def reference(kinds: Mapping[str, type[Step]]) -> dict[str, str]:
    """The pages: name of the file -> text. ``README.md`` lists them."""
    names = {kind: Choices({"x": ""}) for kind in _REFERS}
    schemas = schemas_of([*kinds.values(), Step], names)
    pages = {f"{word}.md": _Page(kind, schemas).text() for word, kind in kinds.items()}
    return {"README.md": _index(kinds, schemas), **pages}


def write_reference(folder: Path, kinds: Mapping[str, type[Step]]) -> list[Path]:
    """Write the pages into ``folder``, and take away those of steps that there are no more."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = reference(kinds)
    for old in folder.glob("*.md"):
        if old.name not in pages and old.read_text(encoding="utf-8").startswith(NOTE):
            old.unlink()
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in pages]


def _index(kinds: Mapping[str, type[Step]], schemas: Schemas) -> str:
    rows = [f"| [`{word}`]({word}.md) | {about(kind)} |" for word, kind in kinds.items()]
    beside = schemas.of(Step)["properties"]
    return "\n".join(
        [
            NOTE,
            "# The steps",
            "",
            "One page for each: what it is for, its keys, its ways out, what it bears, and an example whose",
            "conversation the tests have. [flows.md](../../flows.md) is the guide.",
            "",
            "| step | what it does |",
            "|---|---|",
            *rows,
            "",
            "Every step takes these, within it or beside it:",
            "",
            "| key | what |",
            "|---|---|",
            *(f"| `{key}` | {_cell(beside[key].get('description', ''))} |" for key in _BESIDE),
            "",
        ]
    )


class _Page:
    """The page of one kind."""

    def __init__(self, kind: type[Step], schemas: Schemas) -> None:
        self.kind = kind
        self.word = kind.kind
        self.schemas = schemas
        self.schema = schemas.of(kind)
        self.keys: Json = {k: v for k, v in self.schema.get("properties", {}).items() if k not in _BESIDE}
        self.example, _ = example_of(kind)

    def text(self) -> str:
        parts = [f"{NOTE}\n# {self.word}", about(self.kind), details(self.kind)]
        parts += [self._spelling(), *self._tables(), *self._ways(), *self._bears(), *self._shown()]
        return "\n\n".join(part for part in parts if part) + "\n"

    # -- how it is written --------------------------------------------------------------------------

    def _spelling(self) -> str:
        forms = []
        if self.kind.bare:
            forms.append(f"the word alone, `- {self.word}`")
        if self.kind.short:
            short = self._key(self.kind.short)
            forms.append(f"`- {self.word}: …`, which means its `{short}`")
        said = f"It may be written as {' or as '.join(forms)}." if forms else ""
        notes = [said]
        if self.kind.whole:
            notes.append(
                f"What stands behind `{self.word}:` is its `{self._key(self.kind.whole)}` as a whole."
            )
        if self.kind.needs_id:
            notes.append("It must have an `id`.")
        if self.kind.needs_caller or self.word in LEADING:
            why = "needs the caller" if self.kind.needs_caller else "leads on"
            notes.append(f"It {why}, and so can't stand in `on_hangup`.")
        else:
            notes.append("It may stand in `on_hangup`.")
        return " ".join(note for note in notes if note)

    def _key(self, field: str) -> str:
        return field if field in self.keys else (self.kind.model_fields[field].alias or field)

    # -- its keys -----------------------------------------------------------------------------------

    def _tables(self) -> Iterator[str]:
        rows = [row for key in self.keys if key not in self._way_keys() for row in [self._row(key)] if row]
        if rows:
            yield "## Keys\n\n" + _table(("key", "type", "default", "what"), rows)
        elif not self._way_keys():
            yield "It has no keys of its own."
        for key, place in self._within():
            inner = self.schemas.definitions[place]
            needed = inner.get("required", ())
            lines = [self._row_of(name, one, name in needed) for name, one in inner["properties"].items()]
            yield f"Within `{key}`:\n\n" + _table(("key", "type", "default", "what"), lines)

    def _row(self, key: str) -> tuple[str, ...] | None:
        if self.word == "transfer" and key == "queue":
            return None  # it is only there to say that it is none
        return self._row_of(key, self.keys[key], key in self.schema.get("required", ()))

    def _row_of(self, key: str, schema: Json, needed: bool) -> tuple[str, ...]:
        default = "must be given" if needed else _code(schema.get("default"))
        return f"`{key}`", self._type(schema), default, schema.get("description", "")

    def _within(self) -> Iterator[tuple[str, str]]:
        """The keys that hold a mapping of keys of their own."""
        for key, schema in self.keys.items():
            place = _place(schema) or _place(schema.get("items", {}))
            if place and "properties" in self.schemas.definitions[place]:
                yield key, place

    def _type(self, schema: Json) -> str:
        place = _place(schema)
        if place in _REFERS:
            return _REFERS[place]
        if place:
            return "a mapping"
        if "enum" in schema:
            return ", ".join(f"`{one}`" for one in schema["enum"] if isinstance(one, str) and one not in "#*")
        kinds = schema.get("type", ())
        pattern = str(schema.get("pattern", ""))
        if "array" in kinds or kinds == "array":
            item = self._type(schema.get("items", {})) if schema.get("items") else "a text"
            return f"a list: {item}" if "string" not in kinds else f"one, or a list: {item}"
        if kinds == "object":
            return self._mapping(schema)
        if "boolean" in kinds and pattern:
            return "yes or no"
        if "integer" in kinds:
            return (
                f"{schema.get('minimum', 0)} to {schema['maximum']}"
                if schema.get("maximum", 1e9) < 1e6
                else "a number"
            )
        return _scalar_words(kinds, pattern, schema)

    def _mapping(self, schema: Json) -> str:
        for pattern, item in schema.get("patternProperties", {}).items():
            keys = "keys of the phone" if "star" in pattern else "names"
            return f"a mapping of {keys}: {self._type(item)}"
        item = schema.get("additionalProperties")
        if isinstance(item, dict) and item:
            return f"a mapping: {self._type(item)}"
        listed = schema.get("properties", {})
        return f"a mapping: {self._type(next(iter(listed.values())))}" if listed else "a mapping"

    # -- where it leads, what it bears --------------------------------------------------------------

    def _way_keys(self) -> list[str]:
        return [key for key, schema in self.keys.items() if _place(schema) == "target"]

    def _ways(self) -> Iterator[str]:
        needed = self.schema.get("required", ())
        rows = [
            (f"`{key}`", "must be given" if key in needed else "", self.keys[key].get("description", ""))
            for key in self._way_keys()
        ]
        if rows:
            yield "## Ways out\n\n" + _table(("way", "", "when"), rows)

    def _bears(self) -> Iterator[str]:
        lends = sorted(self.kind.lends)
        told = [f"Its prompts may also speak {', '.join(f'`{name}`' for name in lends)}."] if lends else []
        shown = self._born()
        if shown:
            told.insert(0, shown)
        if told:
            yield "## What it bears\n\n" + "\n\n".join(told)

    def _born(self) -> str:
        step = self._step_of_example()
        if step is None:
            return ""
        for name in (reference.value for reference in step.born()):
            made = step.born_type(name, _Unknown())
            words = type_words(made)
            return f"In the example `{name}` is {words}." if words else ""
        return ""

    def _step_of_example(self) -> Step | None:
        if self.example is None:
            return None
        draft = parse_flow(_whole(self.example), "example/main", {self.word: self.kind})
        return next((step for step in draft.all_steps() if step.kind == self.word), None)

    # -- its example --------------------------------------------------------------------------------

    def _shown(self) -> Iterator[str]:
        example = self.example
        if example is None:
            return
        shown = [f"## Example\n\n{example.about}", _fence("yaml", example.flow)]
        for key, text in example.prompts.items():
            shown.append(f"`{key}` says: *{text}*")
        if example.rule:
            shown.append(f"The rule of its number says `{example.rule}`.")
        for path, text in example.files.items():
            shown.append(f"`{path}`:")
            shown.append(_fence("python" if path.endswith(".py") else "yaml", text))
        shown.append("A call:")
        shown.append("\n".join(f"- {_line(*line)}" for line in example.talk))
        yield "\n\n".join(shown)


def type_words(made: Type) -> str:
    """A type as people read it; a record with its fields. "" for what is not known."""
    if made is ANY or not made.known:
        return ""
    if made.is_record and made.fields:
        fields = ", ".join(f"`{name}` ({_plain(one)})" for name, one in made.fields.items())
        return f"a record: {fields}"
    return _plain(made)


def _plain(made: Type) -> str:
    if made.choices:
        return "one of " + ", ".join(made.choices)
    return str(made)


class _Unknown:
    """What a step may ask of a checker that knows nothing of the flow around it."""

    known = Known()

    def value(self, value: Value) -> Type:
        return TEXT if value.expression is None and value.template is None else ANY

    def expression(self, expression: Expression) -> Type:
        return ANY

    def returned(self, flow: str) -> Type:
        return ANY

    def fault(
        self, path: tuple[str | int, ...], code: str, message: str, hint: str = "", **more: Any
    ) -> None:
        """Nobody listens."""


def _whole(example: Example) -> str:
    blocks = "\n".join(f"  {line}" for line in example.flow.splitlines())
    return (
        "grammar: 1\nflow: example/main\nrevision: 1\ntitle: An example\nlanguages: [en]\nstart: greet\n"
        f"blocks:\n{blocks}\n"
    )


_SAID: Final = {
    "hears": "hears *{}*", "presses": "presses {}", "says": "will speak for {} after a beep",
    "hears_beep": "hears a beep",
    "hears_music": "hears music", "talks_to": "talks to agent {}, who hangs up", "waits": "waits {}",
    "hangs_up": "hangs up", "writes": "in the journal stands `{}`", "ends": "the call is over",
}  # fmt: skip


def _line(word: str, said: str) -> str:
    if word == "ends" and said:
        return f"the call is over: {said}"
    return _SAID[word].format(said)


def _place(schema: Json) -> str:
    """The definition that a schema refers to, or ""."""
    parts = [schema, *schema.get("allOf", ())]
    return next((str(part["$ref"]).split("/")[2] for part in parts if "$ref" in part), "")


def _scalar_words(kinds: Any, pattern: str, schema: Json) -> str:
    if "(ms|s|m|h|d)" in pattern:
        return "a length of time"
    if "star|hash" in pattern:
        return "a key of the phone"
    if kinds and "number" in kinds and "string" in kinds and pattern.startswith("^[+-]"):
        return "a number"
    examples = schema.get("examples")
    if pattern.startswith(("^(?:[a-z][a-z0-9_]*)", "^(?:[A-Za-z0-9]")):
        return "a name"
    return f"as `{examples[0]}`" if examples else "a text"


def _code(value: Any) -> str:
    if value is None:
        return ""
    return f"`{({True: 'yes', False: 'no'}[value]) if isinstance(value, bool) else value}`"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines += [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _fence(language: str, text: str) -> str:
    return f"```{language}\n{text.rstrip()}\n```"
