"""The types that a department's arguments and results are made of.

A flow knows a closed set of types, so that the checker can tell a digit string from an amount of money:
``str``, ``Digits``, ``bool``, ``int``, ``float``, ``Decimal``, ``date``, ``time``, ``datetime``, ``timedelta``,
a ``Literal`` or ``Enum`` of text, a ``Record``, and a ``list`` or ``tuple`` of any of these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeAlias, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, StringConstraints

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that an annotation says beside its type."""

    name: str


PRIVATE = Mark("private")
DIGITS = Mark("digits")

#: May be spoken to the caller; never stored, told to others, logged, or left in a recording.
Private: TypeAlias = Annotated[T, PRIVATE]

#: Text of the digits 0-9, so that leading zeros stay: a waybill, a dealer code, a PIN.
Digits: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[0-9]+$"), DIGITS]

_LEAVES = (str, bool, int, float, Decimal, date, time, datetime, timedelta)


class Record(BaseModel):
    """What a query answers: a frozen set of named, typed fields that a flow may read as ``name.field``.

    A handler may also return an object with these attributes (a row of its own tables); it is read into
    the record while the session is still open.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", from_attributes=True, hide_input_in_errors=True)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        # What is private must not reach a log by way of repr().
        fields = record_fields(type(self)) or {}
        return [
            (name, value)
            for name, value in super().__repr_args__()
            if name is None or name not in fields or not fields[name].private
        ]


@dataclass(frozen=True, slots=True)
class FieldType:
    """A field of a record: its bare type, and what is said beside it."""

    type: Any
    optional: bool
    private: bool


def without_none(annotation: Any) -> tuple[Any, bool]:
    """``X | None`` -> (X, True); anything else -> (itself, False). Marks around the union stay on X."""
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        bare, optional = without_none(inner)
        return (Annotated[(bare, *marks)], True) if optional else (annotation, False)
    if get_origin(annotation) in (Union, UnionType):
        rest = [one for one in get_args(annotation) if one is not NoneType]
        if len(rest) < len(get_args(annotation)) and len(rest) == 1:
            return rest[0], True
    return annotation, False


def marked(annotation: Any, mark: Mark) -> bool:
    """Whether the annotation itself (not a record's fields) carries the mark, also under ``| None``."""
    bare, _ = without_none(annotation)
    return get_origin(bare) is Annotated and mark in get_args(bare)[1:]


def bare(annotation: Any) -> Any:
    """The type alone: without ``| None`` and without what ``Annotated`` says beside it."""
    annotation, _ = without_none(annotation)
    if get_origin(annotation) is Annotated:
        return bare(get_args(annotation)[0])
    return annotation


def is_record(annotation: Any) -> bool:
    """Whether this is a :class:`Record` (also ``Private[...]`` or ``... | None`` of one)."""
    kind = bare(annotation)
    return isinstance(kind, type) and issubclass(kind, Record)


def record_fields(annotation: Any) -> Mapping[str, FieldType] | None:
    """The fields of a record type; None for anything else."""
    kind = bare(annotation)
    if not (isinstance(kind, type) and issubclass(kind, Record)):
        return None
    fields = {}
    for name, info in kind.model_fields.items():
        # pydantic moves the outermost Annotated's marks into metadata.
        inner, optional = without_none(info.annotation)
        several = get_origin(bare(inner)) in (list, tuple)
        private = PRIVATE in info.metadata or marked(inner, PRIVATE) or (several and holds_private(inner))
        digits = DIGITS in info.metadata or marked(inner, DIGITS)
        fields[name] = FieldType(Digits if digits else bare(inner), optional, private)
    return fields


def holds_private(annotation: Any) -> bool:
    """Whether a value of this type may carry something private, at any depth."""
    annotation, _ = without_none(annotation)
    if marked(annotation, PRIVATE):
        return True
    kind = bare(annotation)
    if get_origin(kind) in (list, tuple):
        return any(holds_private(one) for one in get_args(kind))
    fields = record_fields(kind)
    if fields is None:
        return False
    return any(
        field.private or (field.type is not kind and holds_private(field.type)) for field in fields.values()
    )


def why_unknown(annotation: Any) -> str | None:
    """Why the flow language has no such type; None when it has."""
    annotation, _ = without_none(annotation)
    kind = bare(annotation)
    if kind in _LEAVES:
        return None
    origin = get_origin(kind)
    if origin is Literal:
        odd = [one for one in get_args(kind) if not isinstance(one, str)]
        return f"Literal[{odd[0]!r}] is no text" if odd else None
    if origin in (list, tuple):
        inner = get_args(kind)
        if origin is tuple and (len(inner) != 2 or inner[1] is not Ellipsis):
            return "a tuple of fixed length has no names; make it a Record"
        return why_unknown(inner[0])
    if origin in (Union, UnionType):
        return "a value has one type; only `X | None` may stand here"
    if kind in (dict, Mapping) or origin in (dict, Mapping):
        return "the checker can't know a dict's keys; make it a Record"
    if isinstance(kind, type):
        if issubclass(kind, Record) or (issubclass(kind, Enum) and issubclass(kind, str)):
            return None
        if issubclass(kind, BaseModel):
            return f"{kind.__name__} must be a Record (engine.api.Record is frozen)"
        if kind in (list, tuple):
            return f"say what the {kind.__name__} holds, as in list[str]"
        return f"{kind.__name__} is no type of the flow language; make it a Record"
    return f"{kind!r} is no type of the flow language"
