"""JSON Schema of the files that people write, for editors that complete, explain and check while one types.

pydantic makes the schema of a shape; here it becomes one of YAML as we read it. Our loader gives no scalar a type
of its own, an editor does (YAML 1.2 core): what is a text to us may be a number or a boolean to it, and the other
way round. Draft 07, which every YAML language server reads.

Two things are stricter than the loader. The plain word ``null`` (and ``~``), which it takes as a text, is refused,
because to an editor it is the same as a value that is missing. And ``true`` and ``false`` are no names, or an editor
would offer them for every block.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue, models_json_schema

from engine.schema.documented import field_docs, prose
from engine.schema.shapes import Short

DRAFT: Final = "http://json-schema.org/draft-07/schema#"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Choices:
    """The names that there are of something, each with a word on it for the editor ("" for none).

    ``others`` is the pattern of what may stand there besides them (a prompt may be a literal text).
    """

    names: Mapping[str, str]
    others: str = ""


#: What a ``Ref`` means -> the names that there are. A kind that is left out: any name will do.
Names = Mapping[str, Choices]


@dataclass(slots=True)
class Schemas:
    """The definitions of some shapes, relaxed, and where each shape is among them."""

    definitions: dict[str, Json]
    places: dict[type[BaseModel], str]
    names: Names = field(default_factory=dict)

    def of(self, shape: type[BaseModel]) -> Json:
        """The schema of a shape itself."""
        return self.definitions[self.places[shape]]

    def ref(self, shape: type[BaseModel]) -> Json:
        """A reference to it."""
        return {"$ref": f"#/definitions/{self.places[shape]}"}


def schemas_of(shapes: Iterable[type[BaseModel]], names: Names | None = None) -> Schemas:
    """The schemas of shapes and of all that they are made of."""
    wanted: list[tuple[type[BaseModel], JsonSchemaMode]] = [(shape, "validation") for shape in shapes]
    refs, made = models_json_schema(wanted, ref_template="#/definitions/{model}", schema_generator=_Generator)
    places = {shape: str(refs[shape, "validation"]["$ref"]).rsplit("/", 1)[-1] for shape, _ in wanted}
    names = dict(names or {})
    relax = _Relaxed(names)
    definitions = {name: relax(schema) for name, schema in made["$defs"].items()}
    definitions.update({kind: _choices(choices) for kind, choices in names.items()})
    return Schemas(definitions, places, names)


def file_schema(shape: type[BaseModel], title: str, names: Names | None = None) -> Json:
    """The whole schema of a file of this shape."""
    made = schemas_of([shape], names)
    return whole(made.of(shape), made.definitions, title)


def whole(top: Json, definitions: Mapping[str, Json], title: str) -> Json:
    """A document of a schema: ``top`` with those of the definitions that it needs."""
    needed: dict[str, Json] = {}
    _gather(top, definitions, needed)
    return {"$schema": DRAFT, "title": title, **top, "definitions": dict(sorted(needed.items()))}


def _gather(node: Any, definitions: Mapping[str, Json], needed: dict[str, Json]) -> None:
    if isinstance(node, dict):
        place = node.get("$ref")
        if isinstance(place, str):
            name = place.split("/")[2]
            if name not in needed:
                needed[name] = definitions[name]
                _gather(definitions[name], definitions, needed)
        for item in node.values():
            _gather(item, definitions, needed)
    elif isinstance(node, list):
        for item in node:
            _gather(item, definitions, needed)


# -- out of pydantic -------------------------------------------------------------------------------


class _Generator(GenerateJsonSchema):
    """pydantic's schema with our words: fields are told of by their source, defaults stand as people write them."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def model_schema(self, schema: Any) -> JsonSchemaValue:
        made = super().model_schema(schema)
        shape = schema["cls"]
        made.pop("title", None)
        if "description" in made:
            made["description"] = prose(made["description"])
        docs = field_docs(shape)
        properties = made.get("properties", {})
        for name, info in shape.model_fields.items():
            key = info.alias or name
            if key in properties and name in docs:
                properties[key]["description"] = docs[name]
        if issubclass(shape, Short):
            made["x-short"] = shape.short
        return made

    def dict_schema(self, schema: Any) -> JsonSchemaValue:
        made = super().dict_schema(schema)
        keys = self.generate_inner(schema["keys_schema"]) if "keys_schema" in schema else {}
        if "x-ref" in keys:
            made["x-keys"] = keys["x-ref"]
        return made

    def default_schema(self, schema: Any) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        written = default_text(schema.get("default"), inner)
        if written is None:
            return inner
        return {"allOf": [inner], "default": written} if "$ref" in inner else {**inner, "default": written}


def default_text(value: Any, schema: Mapping[str, Any]) -> Any:
    """A default as it would be written in a file; None where there is nothing to write."""
    pattern = str(schema.get("pattern", ""))
    if isinstance(value, bool) or value is None:
        return value
    if "(ms|s|m|h|d)" in pattern:
        return length_text(float(value)) if isinstance(value, (int, float)) else None
    if isinstance(value, (int, float)) and "(KB|MB|GB)" in pattern:
        return f"{int(value) >> 20}MB"
    if isinstance(value, float) and pattern.endswith("%)$"):
        return f"{value:.0%}"
    if isinstance(value, tuple) and len(value) == 2 and all(isinstance(one, int) for one in value):
        return str(value[0]) if value[0] == value[1] else f"{value[0]}-{value[1]}"
    if isinstance(value, str):
        return {"*": "star", "#": "hash"}.get(value, value) or None
    return value if isinstance(value, (int, float)) else None


def length_text(seconds: float) -> str:
    """Seconds as a length of time is written: 0.5 is ``500ms``, 600 is ``10m``."""
    if seconds and seconds < 1:
        return f"{seconds * 1000:g}ms"
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if (seconds >= 2 * size and seconds % size == 0) or seconds == size:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"


# -- YAML as we read it ----------------------------------------------------------------------------

#: Texts that YAML 1.2 takes for something else, by its JSON type.
_PROBES: Final[Mapping[str, tuple[str, ...]]] = {
    "number": ("0", "1", "7", "12", "1234", "8004", "123456", "12345678", "1.5", "-3", "1e5", "2026"),
}
_FLAGS: Final = "^(?:[Yy]es|YES|[Nn]o|NO|[Oo]n|ON|[Oo]ff|OFF|[Tt]rue|TRUE|[Ff]alse|FALSE)$"
_ENUM_TYPES: Final[Mapping[str, Any]] = {"true": True, "false": False}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)")


def scalar_types(accepts: Callable[[str], bool]) -> list[str]:
    """The JSON types that a text has in an editor, of which our loader takes at least one as it is typed."""
    return ["string", *(kind for kind, texts in _PROBES.items() if any(map(accepts, texts)))]


class _Relaxed:
    """Rewrites a schema of pydantic's into one of YAML as we read it."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def __call__(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self(item) for item in node]
        if not isinstance(node, dict):
            return node
        made = dict(node)
        made.pop("title", None)
        if made.get("default", "") is None:
            made.pop("default")
        made = _without_null(made)
        refers = made.pop("x-ref", "")
        if refers in self.names:
            kept = {key: made[key] for key in ("description", "default") if key in made}
            return {**kept, "$ref": f"#/definitions/{refers}"}
        short = made.pop("x-short", "")
        made = _scalar(made)
        for key in ("properties", "patternProperties"):
            if key in made:
                made[key] = {name: self(item) for name, item in made[key].items()}
        for key in ("items", "additionalProperties", "anyOf", "allOf", "oneOf", "prefixItems"):
            if key in made:
                made[key] = self(made[key])
        self._keys(made)
        return self._short(made, short) if short else made

    def _keys(self, made: Json) -> None:
        """Keys of a mapping: the names that there are, or a pattern. (``propertyNames`` would do for both, but to
        some editors the key ``1`` is a number, and that no name.)"""
        named = made.pop("propertyNames", {})
        refers = made.pop("x-keys", "")
        if refers in self.names:
            patterns = made.pop("patternProperties", None)
            item = next(iter(patterns.values())) if patterns else made.pop("additionalProperties", True)
            made["properties"] = dict.fromkeys(sorted(self.names[refers].names), item)
            made["additionalProperties"] = False
        elif "pattern" in named and "patternProperties" not in made:
            made["patternProperties"] = {named["pattern"]: made.pop("additionalProperties", True)}
        if "patternProperties" in made:
            made.setdefault("additionalProperties", False)

    def _short(self, made: Json, short: str) -> Json:
        one = made["properties"][short]
        about = {"description": made["description"]} if "description" in made else {}
        return {**about, "if": {"type": "object"}, "then": made, "else": one, "anyOf": [one, {}]}


def _without_null(node: Json) -> Json:
    """``X | None`` is X: nobody writes None."""
    members = node.get("anyOf")
    if not members or {"type": "null"} not in members:
        return node
    left = [member for member in members if member != {"type": "null"}]
    rest = {key: value for key, value in node.items() if key != "anyOf"}
    if len(left) != 1:
        return {**rest, "anyOf": left}
    return {**left[0], **rest}


def _scalar(node: Json) -> Json:
    if "const" in node:
        node = {**node, "enum": [node["const"]]}
        del node["const"]
    if "enum" in node:
        choices = list(node["enum"])
        choices += [int(one) for one in choices if isinstance(one, str) and _NUMBER.fullmatch(one)]
        choices += [_ENUM_TYPES[one] for one in choices if isinstance(one, str) and one in _ENUM_TYPES]
        return {**{key: value for key, value in node.items() if key != "type"}, "enum": choices}
    kinds = node.get("type")
    if kinds == "boolean":
        return {**node, "type": ["boolean", "string"], "pattern": _FLAGS}
    if kinds == "integer":
        return {**node, "type": ["integer", "string"], "pattern": r"^[+-]?[0-9]+$"}
    if kinds == "number":
        return {**node, "type": ["number", "string"], "pattern": r"^[+-]?[0-9]+(?:\.[0-9]+)?$"}
    listed = [kinds] if isinstance(kinds, str) else list(kinds or ())
    if "string" not in listed:
        return node
    pattern = node.get("pattern", "")
    compiled = re.compile(pattern)
    accepted = scalar_types(lambda text: compiled.search(text) is not None) if pattern else _ANY_SCALAR
    if "(ms|s|m|h|d)" in pattern:
        node = {**node, "errorMessage": _NO_LENGTH, "patternErrorMessage": _NO_LENGTH}
    return {**node, "type": sorted({*accepted, *listed} - {"integer"}, key=_ORDER.index)}


_ANY_SCALAR: Final = ("string", "number", "boolean")
_NO_LENGTH: Final = "a length of time carries its unit: 500ms, 5s, 10m, 2h"
_ORDER: Final = ("string", "number", "boolean", "object", "array", "null")


def _choices(choices: Choices) -> Json:
    names = dict(sorted(choices.names.items()))
    made: Json = {"enum": [*names, *(int(one) for one in names if _NUMBER.fullmatch(one))]}
    if any(names.values()):
        made["enumDescriptions"] = [names.get(str(one), "") for one in made["enum"]]
    if not choices.others:
        return made
    return {"anyOf": [made, _scalar({"type": "string", "pattern": choices.others})]}
