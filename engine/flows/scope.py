"""Names of a running flow and how they are read: ``shipment.city`` over mappings and records.

A scope is any ``Mapping[str, value]``. A field is an entry of a mapping, a field of a record (pydantic model,
dataclass, named tuple), or a part of a date; methods and other attributes are never reached.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel

from engine.errors import InsidelineError

_DATE_PARTS = frozenset({"year", "month", "day"})
_TIME_PARTS = frozenset({"hour", "minute"})
_WHOLE_PARTS = frozenset({"date", "time"})


class UnknownName(InsidelineError):
    """A name or field that has no value now."""

    def __init__(self, name: str) -> None:
        super().__init__(f"`{name}` is not known")
        self.name = name


def field_of(value: Any, name: str) -> Any:
    """The field ``name`` of a value. Raises :class:`UnknownName`."""
    if isinstance(value, Mapping):
        if name in value:
            return value[name]
    elif isinstance(value, BaseModel):
        if name in type(value).model_fields or name in type(value).model_computed_fields:
            return getattr(value, name)
        if value.model_extra and name in value.model_extra:
            return value.model_extra[name]
    elif is_dataclass(value) and not isinstance(value, type):
        if not name.startswith("_") and any(field.name == name for field in fields(value)):
            return getattr(value, name)
    elif isinstance(value, datetime) and name in _WHOLE_PARTS:
        return value.date() if name == "date" else value.time()
    elif (isinstance(value, tuple) and name in getattr(value, "_fields", ())) or (
        isinstance(value, date)
        and (name in _DATE_PARTS or (isinstance(value, datetime) and name in _TIME_PARTS))
    ):
        return getattr(value, name)
    raise UnknownName(name)


def lookup(scope: Mapping[str, Any], path: Sequence[str]) -> Any:
    """The value at a dotted path. Raises :class:`UnknownName` with the whole path."""
    try:
        value = scope[path[0]]
        for part in path[1:]:
            value = field_of(value, part)
    except (KeyError, UnknownName):
        raise UnknownName(".".join(path)) from None
    return value
