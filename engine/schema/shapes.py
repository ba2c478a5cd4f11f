"""What a file may hold: pydantic models over the plain tree, with every mistake at its place.

A shape is a :class:`Shape` (a frozen pydantic model that refuses unknown keys) whose fields use the types
of ``engine.schema.fields``. ``load_file(path, Model)`` reads, parses and returns ``(model | None, faults)``;
``parse_shape`` does the same for a part of a document. JSON Schema comes from ``Model.model_json_schema()``.

Reference types carry a :class:`Ref`; ``references(model)`` walks any parsed model and yields each
referring value with its path, so one pass looks all of them up.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, NamedTuple, TypeVar, Union, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    GetJsonSchemaHandler,
    PrivateAttr,
    ValidationError,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError

from engine.schema.faults import Fault, Position, did_you_mean
from engine.schema.source import Broken, Document, Path_, inside, read_document

M = TypeVar("M", bound=BaseModel)


class Shape(BaseModel):
    """The base of everything that a file may hold: unknown keys are refused, and a parsed one never changes."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True)


class Short(Shape):
    """A shape that may be written as one value: ``{name: x}`` and ``x`` are the same when ``short`` is ``name``."""

    short: ClassVar[str] = ""

    @model_validator(mode="before")
    @classmethod
    def _from_short(cls, value: Any) -> Any:
        if isinstance(value, str) and not isinstance(value, Broken):
            return {cls.short: value}
        return value


class FileShape(Shape):
    """The shape of a whole file. ``at`` finds the place of anything in it; ``document`` is what was read."""

    _document: Document | None = PrivateAttr(default=None)

    @property
    def document(self) -> Document:
        """The file behind the model. Only a model that ``load_file`` made has one."""
        if self._document is None:
            raise LookupError("this model was not read from a file")
        return self._document

    def at(self, *path: str | int, key: bool = False) -> Position:
        """The place of the value (or the key) at a path of keys and indexes as written in the file."""
        return self.document.position(path, key=key)

    def fault(self, path: Sequence[str | int], code: str, message: str, hint: str = "", **more: Any) -> Fault:
        """A fault at a path of this file; see ``Document.fault``."""
        return self.document.fault(path, code, message, hint, **more)


@dataclass(frozen=True, slots=True)
class Ref:
    """Marks a text that refers to something: ``Annotated[str, Ref("queue")]``.

    Kinds used by the engine: target (a block, or a flow with a slash), flow, prompt, queue, query,
    command, calendar, language, skill, extension, agent, name (of a value), into (a name being born).
    """

    kind: str

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Tell ``engine.schema.editor``, which puts the names that there are in its place."""
        return {**handler(core), "x-ref": self.kind}


class Reference(NamedTuple):
    """A value that refers to something, found by :func:`references`."""

    kind: str
    value: Any
    path: Path_


def wrong(
    code: str, message: str, hint: str = "", *, at: str = "", offset: int | None = None
) -> PydanticCustomError:
    """The error that a validator of a shape raises: becomes a :class:`Fault` with this code, message and hint.

    ``at`` names the field when a model validator means one of its fields; ``offset`` moves the caret into
    the value's text.
    """
    return PydanticCustomError(code, "{text}", {"text": message, "hint": hint, "at": at, "offset": offset})


def load_file(path: Path, model: type[M], *, name: str | None = None) -> tuple[M | None, list[Fault]]:
    """Read a YAML file into ``model``. The model is None when there is any error; faults come in file order.

    ``name`` is what faults call the file. Raises nothing for what the file holds.
    """
    document = read_document(path, name=name)
    parsed, faults = parse_document(document, model)
    return parsed, faults


def parse_document(document: Document, model: type[M]) -> tuple[M | None, list[Fault]]:
    """Hold a whole document against ``model``; the document's own faults come along."""
    faults = list(document.faults)
    parsed: M | None = None
    if document.tree is not None:
        parsed, more = parse_shape(document, model)
        faults += more
    if isinstance(parsed, FileShape):
        parsed._document = document
    faults.sort(key=lambda fault: (fault.line, fault.column))
    if any(fault.severity == "error" for fault in faults):
        parsed = None
    return parsed, faults


def load_entries(
    path: Path, model: type[M], section: str, *, name: str | None = None
) -> tuple[M | None, list[Fault], frozenset[str]]:
    """The same for a file that is a list of named entries below ``section``: when some of them are faulty the model is
    of all others, to be looked at and not to be run, and the names of the faulty ones come last. The model is None
    when more than entries is wrong."""
    document = read_document(path, name=name)
    parsed, faults = parse_document(document, model)
    entries = document.value((section,))
    whole = document.tree
    if parsed is not None or not isinstance(whole, dict) or not isinstance(entries, dict):
        return parsed, faults, frozenset()

    def of(some: dict[Any, Any]) -> M | None:
        return parse_shape(document, model, tree={**whole, section: some})[0]

    if of({}) is None:
        return None, faults, frozenset()
    faulty = frozenset(str(one) for one, said in entries.items() if of({one: said}) is None)
    sound = of({one: said for one, said in entries.items() if str(one) not in faulty})
    if isinstance(sound, FileShape):
        sound._document = document
    return sound, faults, faulty


_HERE = object()


def parse_shape(
    document: Document,
    model: type[M],
    path: Path_ = (),
    tree: Any = _HERE,
    *,
    place: Callable[[Path_], Path_] | None = None,
) -> tuple[M | None, list[Fault]]:
    """Hold the part of a document at ``path`` against ``model``.

    ``tree`` is validated in place of what stands at ``path`` when it is given (a step written short);
    ``place`` then turns a path within ``tree`` into a path of the document.
    """
    value = document.value(path) if tree is _HERE else tree
    if isinstance(value, Broken):
        return None, []
    try:
        return model.model_validate(value), []
    except ValidationError as error:
        faults = []
        details = error.errors(include_url=False, include_input=True)
        # Keys that are there after all, misspelt: they are not missing as well.
        meant: set[tuple[Any, str]] = set()
        for detail in sorted(details, key=lambda detail: detail["type"] == "missing"):
            loc = detail["loc"]
            if detail["type"] == "missing" and (loc[:-1], loc[-1]) in meant:
                continue
            fault = _translate(document, model, value, path, detail, place)
            if fault is not None:
                faults.append(fault)
                if fault.code == "unknown-key":
                    meant.add((loc[:-1], fault.fix))
        return None, faults


# -- pydantic's errors in people's words -----------------------------------------------------------

_WANTED = {
    "model_type": "a mapping (`key: value`) is wanted here",
    "model_attributes_type": "a mapping (`key: value`) is wanted here",
    "dict_type": "a mapping (`key: value`) is wanted here",
    "list_type": "a list is wanted here",
    "tuple_type": "a list is wanted here",
    "set_type": "a list is wanted here",
    "frozen_set_type": "a list is wanted here",
    "string_type": "a text is wanted here",
    "int_parsing": "a whole number is wanted here",
    "int_type": "a whole number is wanted here",
    "int_from_float": "a whole number is wanted here",
    "float_parsing": "a number is wanted here",
    "float_type": "a number is wanted here",
    "decimal_parsing": "a number is wanted here",
    "decimal_type": "a number is wanted here",
    "bool_parsing": "`true` or `false` is wanted here",
    "bool_type": "`true` or `false` is wanted here",
    "finite_number": "a finite number is wanted here",
}


def _translate(
    document: Document,
    model: type[BaseModel],
    tree: Any,
    base: Path_,
    detail: ErrorDetails,
    place: Callable[[Path_], Path_] | None,
) -> Fault | None:
    loc = detail["loc"]
    kind = detail["type"]
    context: Mapping[str, Any] = detail.get("ctx") or {}
    inner, at_key = _along(tree, loc)
    if isinstance(detail.get("input"), Broken):
        return None
    if at := context.get("at"):
        inner = (*inner, str(at))
    path = base + (place(inner) if place is not None else inner)
    if kind == "missing":
        missing = loc[-1]
        if isinstance(document.value(path), Broken):
            return None
        return document.fault(path, "missing-key", f"`{missing}` is missing", key=True)
    if kind == "extra_forbidden":
        known = keys_of(_model_at(model, loc[:-1]))
        return document.fault(
            path, "unknown-key", f"`{loc[-1]}` is not known here", did_you_mean(str(loc[-1]), known), key=True
        )
    if kind in ("literal_error", "enum"):
        choices = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        shown = str(detail["input"])
        return document.fault(
            path,
            "unknown-choice",
            f"`{shown}` is none of the choices",
            did_you_mean(shown, choices),
            key=at_key,
        )
    if "text" in context:
        text, hint, offset = str(context["text"]), str(context.get("hint", "")), context.get("offset")
        # A model's own fault about the whole of it is shown at its key.
        return document.fault(path, kind, text, hint, key=at_key or not inner, offset=offset)
    if kind == "value_error":
        return document.fault(path, "value", detail["msg"].removeprefix("Value error, "), key=at_key)
    message = _WANTED.get(kind) or _lower(detail["msg"])
    return document.fault(path, "shape" if kind in _WANTED else "value", message, key=at_key)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _along(tree: Any, loc: Sequence[str | int]) -> tuple[Path_, bool]:
    """The part of pydantic's ``loc`` that exists in the tree (it also names union members), and whether
    the error is about a key of a mapping."""
    path: list[str | int] = []
    here = tree
    for part in loc:
        found = inside(here, part, _HERE)
        if found is not _HERE:
            here = found
            path.append(part)
    return tuple(path), bool(loc) and loc[-1] == "[key]"


def keys_of(model: Any) -> list[str]:
    """The keys that a shape may have, as they are written."""
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return []
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_at(model: Any, loc: Sequence[str | int]) -> Any:
    """The model class that the error's parent is made by, or None."""
    here: Any = model
    for part in loc:
        here = _step_into(here, part)
    found = _models_in(here)
    return found[0] if found else None


def _step_into(annotation: Any, part: str | int) -> Any:
    for found in _models_in(annotation):
        for name, field in found.model_fields.items():
            if (field.alias or name) == part:
                return field.annotation
    origin = get_origin(annotation)
    if origin is Annotated:
        return _step_into(get_args(annotation)[0], part)
    if origin in (Union, types.UnionType):
        for member in get_args(annotation):
            inner = _step_into(member, part)
            if inner is not member:
                return inner
        return annotation
    if origin in (dict, Mapping, typing.Mapping, list, tuple, Sequence) or (
        isinstance(origin, type) and issubclass(origin, (Mapping, Sequence))
    ):
        arguments = [a for a in get_args(annotation) if a is not Ellipsis]
        return arguments[-1] if arguments else None
    return annotation


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and not get_origin(annotation) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) is Annotated:
        return _models_in(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [found for member in get_args(annotation) for found in _models_in(member)]
    return []


# -- walking references ------------------------------------------------------------------------

_Walk = Callable[[Any, Path_, list[Reference]], None]


def references(model: BaseModel, path: Path_ = ()) -> list[Reference]:
    """Every value of ``model`` (and of the shapes within it) whose type carries a :class:`Ref`, with its path.

    Keys of a mapping that carry a ``Ref`` are found too, at the path of their entry. ``None`` is left out.
    """
    found: list[Reference] = []
    _walk_model(model, path, found)
    return found


def _walk_model(model: Any, path: Path_, found: list[Reference]) -> None:
    kind: type[BaseModel] = type(model)
    given, values = model.__pydantic_fields_set__, model.__dict__
    for name, key, walk, by_default in _walks(kind):
        # Of the many fields of a step few are written, and what the others are by default seldom refers to anything.
        if (by_default or name in given) and (value := values[name]) is not None:
            walk(value, (*path, key), found)


@cache
def _walks(model: type[BaseModel]) -> tuple[tuple[str, str, _Walk, bool], ...]:
    rows = []
    for name, field in model.model_fields.items():
        walk = _walk_of(field.annotation, tuple(field.metadata))
        if walk is not None:
            refers: list[Reference] = []
            if (
                not field.is_required()
                and (default := field.get_default(call_default_factory=True)) is not None
            ):
                walk(default, (), refers)
            rows.append((name, field.alias or name, walk, bool(refers)))
    return tuple(rows)


def _walk_of(annotation: Any, metadata: tuple[Any, ...] = ()) -> _Walk | None:
    for mark in metadata:
        if isinstance(mark, Ref):
            return _leaf(mark.kind)
    origin = get_origin(annotation)
    if origin is Annotated:
        return _walk_of(get_args(annotation)[0], get_args(annotation)[1:])
    if origin in (Union, types.UnionType):
        return _union([walk for member in get_args(annotation) if (walk := _member(member)) is not None])
    if isinstance(annotation, type) and origin is None and issubclass(annotation, BaseModel):
        return _walk_model
    if isinstance(origin, type) and issubclass(origin, Mapping):
        key_type, value_type = get_args(annotation)
        return _mapping(_walk_of(key_type), _walk_of(value_type))
    if isinstance(origin, type) and issubclass(origin, Sequence):
        arguments = [a for a in get_args(annotation) if a is not Ellipsis]
        return _sequence(_walk_of(arguments[0])) if arguments else None
    return None


def _leaf(kind: str) -> _Walk:
    def walk(value: Any, path: Path_, found: list[Reference]) -> None:
        found.append(Reference(kind, value, path))

    return walk


def _member(annotation: Any) -> tuple[Any, _Walk] | None:
    walk = _walk_of(annotation)
    if walk is None:
        return None
    bare = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    return (get_origin(bare) or bare), walk


def _union(members: list[tuple[Any, _Walk]]) -> _Walk | None:
    if not members:
        return None
    if len(members) == 1 and not isinstance(members[0][0], type):
        return members[0][1]

    def walk(value: Any, path: Path_, found: list[Reference]) -> None:
        for of, inner in members:
            if isinstance(of, type) and isinstance(value, of):
                inner(value, path, found)
                return

    return walk


def _mapping(key_walk: _Walk | None, value_walk: _Walk | None) -> _Walk | None:
    if key_walk is None and value_walk is None:
        return None

    def walk(value: Any, path: Path_, found: list[Reference]) -> None:
        for key, item in value.items():
            if key_walk is not None:
                key_walk(key, (*path, key), found)
            if value_walk is not None and item is not None:
                value_walk(item, (*path, key), found)

    return walk


def _sequence(item_walk: _Walk | None) -> _Walk | None:
    if item_walk is None:
        return None

    def walk(value: Any, path: Path_, found: list[Reference]) -> None:
        for index, item in enumerate(value):
            item_walk(item, (*path, index), found)

    return walk
