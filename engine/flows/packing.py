"""A call's values as JSON and back: what the channel and the store keep of them between two engines.

JSON's own types stay as they are. The others become an object with one key that begins with ``$`` (and a
mapping that looks like one is wrapped in another). A record (a frozen pydantic model of a plugin) comes back
as a mapping of its fields: flows read fields only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from engine.hooks.kinds import record_fields
from engine.types import PartyView


def pack(value: Any) -> Any:
    """``value`` in JSON's types; TypeError for what a flow's value can't be."""
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return str(value)
        case Decimal():
            return {"$n": str(value)}
        case datetime():
            return {"$t": value.isoformat()}
        case date():
            return {"$d": value.isoformat()}
        case time():
            return {"$c": value.isoformat()}
        case timedelta():
            return {"$s": value.total_seconds()}
        case BaseModel():
            # What is private lives in the greenlet's memory only: whoever reads this has to ask again for it.
            hidden = private_fields(type(value))
            return {
                name: pack(getattr(value, name)) for name in type(value).model_fields if name not in hidden
            }
        case Sheltered():
            return {name: pack(item) for name, item in value.items() if name not in value.private}
        case PartyView():
            return {field.name: pack(getattr(value, field.name)) for field in fields(value)}
        case Mapping():
            packed = {str(key): pack(item) for key, item in value.items()}
            # One that looks like one of ours is wrapped, so that it comes back as what it was.
            return {"$m": packed} if len(packed) == 1 and next(iter(packed)).startswith("$") else packed
        case list() | tuple() | frozenset() | set():
            return [pack(item) for item in value]
    raise TypeError(f"a {type(value).__name__} can't be kept with a call")


@lru_cache(maxsize=1024)
def private_fields(kind: type[BaseModel]) -> frozenset[str]:
    """The fields of a record that may be spoken, and kept nowhere."""
    return frozenset(name for name, field in (record_fields(kind) or {}).items() if field.private)


class Sheltered(dict[str, Any]):
    """A record that a sub-flow returned; ``private`` are its fields that are kept nowhere."""

    __slots__ = ("private",)

    def __init__(self, values: Mapping[str, Any], private: frozenset[str]) -> None:
        super().__init__(values)
        self.private = private


def hidden_fields(value: Any) -> frozenset[str]:
    """The fields of this value that are kept nowhere."""
    if isinstance(value, Sheltered):
        return value.private
    return private_fields(type(value)) if isinstance(value, BaseModel) else frozenset()


def unpack(value: Any) -> Any:
    """What :func:`pack` was given, with records as mappings."""
    if isinstance(value, list):
        return [unpack(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((key, item),) = value.items()
        match key:
            case "$m":
                return {name: unpack(inner) for name, inner in item.items()}
            case "$n":
                return Decimal(item)
            case "$t":
                return datetime.fromisoformat(item)
            case "$d":
                return date.fromisoformat(item)
            case "$c":
                return time.fromisoformat(item)
            case "$s":
                return timedelta(seconds=item)
    return {key: unpack(item) for key, item in value.items()}


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values for the journal: records without what is private in them, the rest as it is."""
    return {
        name: pack(value) if isinstance(value, (BaseModel, Mapping, list, tuple)) else value
        for name, value in values.items()
    }
