"""The JSON Schema of flows, for editors: one schema out of the kinds of steps, the plugins' own among them.

A step is a word, or a mapping whose first key is its kind; what stands there may be the one value that is meant
(``short``), the whole of it (``whole``), or a mapping of its keys, and any of these keys may stand beside the kind
instead. All of that is in the schema, so an editor says of each step what the loader would.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from engine.flows.loader import ON_HANGUP, Head
from engine.flows.step import Step
from engine.schema.documented import module_doc, shape_doc
from engine.schema.editor import Choices, Json, Names, Schemas, schemas_of, whole

TITLE: Final = "Insideline: a flow"
BLOCK_NAME: Final = "^[a-z][a-z0-9_]*$"
_STEP: Final = {"$ref": "#/definitions/step"}
_BESIDE: Final = ("id", "if")


def flow_schema(kinds: Mapping[str, type[Step]], names: Names | None = None) -> Json:
    """The schema of ``plugins/<department>/flows/*.yaml``. ``names`` are those of an installation."""
    known = dict(names or {})
    flows = known.get("flow")
    if flows is not None:
        known["target"] = Choices(flows.names, BLOCK_NAME)
    made = schemas_of([*kinds.values(), Step, Head], known)
    definitions = made.definitions
    written = {word: _Written(kind, made) for word, kind in kinds.items()}
    for word, one in written.items():
        definitions[f"step-{word}"] = one.step()
    definitions["step"] = _any_step(kinds, written, made.of(Step))
    return whole(_head(made.of(Head)), definitions, TITLE)


def about(kind: type[Step]) -> str:
    """What a kind of step is for, in a sentence: the docstring of its module."""
    first = module_doc(kind).partition("\n\n")[0]
    word, colon, rest = first.partition(": ")
    return (rest[:1].upper() + rest[1:]) if colon and word == f"`{kind.kind}`" else first


def details(kind: type[Step]) -> str:
    """What else there is to know of it: the docstring of its shape."""
    return shape_doc(kind)


def _head(head: Json) -> Json:
    properties = dict(head["properties"])
    properties["blocks"] = {
        "description": "The blocks: a name, and the list of its steps.",
        "type": "object",
        "minProperties": 1,
        "patternProperties": {BLOCK_NAME: {"type": "array", "minItems": 1, "items": _STEP}},
        "additionalProperties": False,
    }
    properties[ON_HANGUP] = {
        "description": "Steps that run when the caller has hung up; none that needs a caller.",
        "type": "array",
        "items": _STEP,
    }
    return {**head, "description": "What happens to a call.", "properties": properties}


def _any_step(kinds: Mapping[str, type[Step]], written: Mapping[str, _Written], beside: Json) -> Json:
    """One word after the other is looked for; where there is none of them, all are offered."""
    words = sorted(kinds)
    bare = [word for word in words if kinds[word].bare]
    offered: Json = {key: beside["properties"][key] for key in _BESIDE}
    for word in words:
        snippet = {"label": word, "body": _snippet(written[word])}
        offered[word] = {**written[word].value(strict=True), "defaultSnippets": [snippet]}
    empty = {
        "not": {"propertyNames": {"enum": list(_BESIDE)}},
        "errorMessage": "a step must say what it does",
    }
    node: Json = {"properties": offered, "additionalProperties": False, "allOf": [empty]}
    for word in reversed(_in_order(kinds)):
        node = {"if": {"required": [word]}, "then": {"$ref": f"#/definitions/step-{word}"}, "else": node}
    return {
        "description": "A step: a word, or a mapping whose key is its kind.",
        "if": {"type": "object"},
        "then": node,
        "else": {"enum": bare, "enumDescriptions": [about(kinds[word]) for word in bare]},
    }


def _snippet(written: _Written) -> Any:
    """What an editor writes behind a word: its keys that can't be left out."""
    needed = [key for key in written.needed if key not in ("id", written.whole)]
    if needed:
        return {key: f"${at}" for at, key in enumerate(needed, 1)}
    return "$1"


def _in_order(kinds: Mapping[str, type[Step]]) -> list[str]:
    """The words so that a kind stands before those that it has a key of the same name as (``callback`` has a
    ``queue``): that key may stand beside it."""
    before = {
        word: {key for key in _keys(kind) if key in kinds and key != word} for word, kind in kinds.items()
    }
    ordered: list[str] = []

    def place(word: str, above: Iterable[str]) -> None:
        if word in ordered or word in above:
            return
        for other in sorted(kinds):
            if word in before[other]:
                place(other, (*above, word))
        ordered.append(word)

    for word in sorted(kinds):
        place(word, ())
    return ordered


def _keys(kind: type[Step]) -> list[str]:
    return [field.alias or name for name, field in kind.model_fields.items()]


class _Written:
    """The ways in which one kind of step may be written."""

    def __init__(self, kind: type[Step], made: Schemas) -> None:
        self.kind = kind
        self.made = made
        self.word = kind.kind
        self.schema = made.of(kind)
        self.ref = made.ref(kind)
        self.properties: Json = self.schema.get("properties", {})
        self.short = self._key(kind.short)
        self.whole = self._key(kind.whole)
        needed = [*self.schema.get("required", ()), *(["id"] if kind.needs_id else [])]
        self.needed = list(dict.fromkeys(needed))

    def _key(self, name: str) -> str:
        if not name or name in self.properties:
            return name
        return self.kind.model_fields[name].alias or name

    def step(self) -> Json:
        """The schema of a mapping that has the word: all that may stand within and beside it. Where nothing stands
        beside it, what is missing is told of in plain words."""
        place = self.ref["$ref"]
        beside = {key: {"$ref": f"{place}/properties/{key}"} for key in self.properties if key != self.word}
        alone = {"propertyNames": {"enum": [self.word, *_BESIDE]}}
        strict = {**beside, self.word: self.value(strict=True)}
        loose = {**beside, self.word: self.value(strict=False)}
        more: Any = self.schema.get("additionalProperties", False)
        then: Json = {"properties": strict, "additionalProperties": more}
        if self.kind.needs_id:
            then["allOf"] = [self._given("id")]
        otherwise: Json = {"properties": loose, "additionalProperties": more}
        if self.needed:
            otherwise["allOf"] = [self._given(key) for key in self.needed]
        return {"if": alone, "then": then, "else": otherwise}

    def _given(self, key: str) -> Json:
        """A key stands beside the word, or within."""
        within: list[Json] = [{"type": "object", "required": [key]}]
        if key == self.short:
            within.append({"type": ["string", "number", "boolean"]})
        if key == self.whole:
            within = [{}]
        return {"anyOf": [{"required": [key]}, {"properties": {self.word: {"anyOf": within}}}]}

    def value(self, *, strict: bool) -> Json:
        """What stands behind the word."""
        said = {"description": self._said()}
        if self.whole:
            return {**self.properties[self.whole], **said}
        mapping = self.ref if strict or not self.needed else self._loose()
        missing = [key for key in self.needed if key not in (self.short, "id")]
        if not self.short or (strict and missing):
            return {**said, "type": "object", "allOf": [mapping]}
        one = self.properties[self.short]
        # The last of it demands nothing: an editor looks there, and not behind `else`, for what to offer.
        return {**said, "if": {"type": "object"}, "then": mapping, "else": one, "anyOf": [one, {}]}

    def _loose(self) -> Json:
        """The mapping without its demands: what is missing may stand beside it."""
        left = {key: value for key, value in self.schema.items() if key not in ("required", "description")}
        place = f"{self.made.places[self.kind]}-beside"
        self.made.definitions[place] = left
        return {"$ref": f"#/definitions/{place}"}

    def _said(self) -> str:
        return "\n\n".join(text for text in (about(self.kind), details(self.kind)) if text)
