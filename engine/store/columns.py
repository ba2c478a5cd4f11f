"""The column types that every table of the engine (and of a department) uses.

What a value looks like in SQLite and in PostgreSQL differs; what Python sees does not.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import JSON, BigInteger, Date, DateTime, Integer, LargeBinary, Numeric, Time
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

# SQLite keeps rows in the order of an INTEGER key, and only of one that is spelt so.
BigKey = BigInteger().with_variant(Integer(), "sqlite")

# Plain JSON. Bind an ``Encoded`` text and it is stored as it is; any other value is encoded first.
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class Moment(TypeDecorator[datetime]):
    """An aware UTC ``datetime``. SQLite holds it as sortable text without a zone, always in UTC.

    A naive value is refused (ValueError): nobody could say afterwards which hour it meant.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone was about to be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Encoded(str):
    """JSON text, made on the hub at the moment of the call: what is changed afterwards can't change a row."""

    __slots__ = ()


def encode(value: Any) -> Encoded:
    """``value`` as JSON text. Never fails: what is told to the journal must not end a call.

    Beyond JSON's own types: dates and times become ISO text, ``Decimal`` text, a ``timedelta`` its
    seconds, sets and tuples lists, pydantic models and dataclasses objects, enums their value. Anything
    else becomes its ``str()``, which for a :class:`engine.log.Secret` shows nothing. Half a surrogate pair
    becomes "?".
    """
    try:
        return Encoded(orjson.dumps(value, default=_plain, option=_OPTIONS).decode())
    except TypeError:  # orjson's for everything: surrogates, integers beyond 64 bit, too deep, circular
        pass
    try:
        return Encoded(clean_text(json.dumps(value, default=_plain, ensure_ascii=False)))
    except (TypeError, ValueError, RecursionError) as error:
        return Encoded(json.dumps({"unstorable": f"{type(value).__name__}: {type(error).__name__}"}))


def clean_text(text: str) -> str:
    """``text`` as every database takes it: no NUL, no half of a surrogate pair."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "")


def decode(text: str | bytes) -> Any:
    """The value of a JSON text. (psycopg hands over bytes; orjson takes no subclass of str.)"""
    return orjson.loads(text if isinstance(text, bytes) else str(text))


# Subclasses of str go through ``_plain``, so that one which hides its text is not written in the clear.
_OPTIONS = orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Mapping):
        return {str(key): item for key, item in value.items()}
    if isinstance(value, list):
        return list(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    dump = getattr(type(value), "model_dump", None)
    if dump is not None:
        return dump(value)
    return str(value)


def serializer(value: Any) -> str:
    """What SQLAlchemy calls to bind a JSON column."""
    return value if type(value) is Encoded else encode(value)


def unspool(kind: TypeEngine[Any], value: Any) -> Any:
    """A value as it comes out of a spooled JSON line, back in the type of its column."""
    if value is None:
        return None
    impl = kind.impl_instance if isinstance(kind, TypeDecorator) else kind
    if isinstance(impl, JSON):
        return Encoded(value)
    if isinstance(impl, DateTime):
        return datetime.fromisoformat(value)
    if isinstance(impl, Date):
        return date.fromisoformat(value)
    if isinstance(impl, Time):
        return time.fromisoformat(value)
    if isinstance(impl, LargeBinary):
        return base64.b64decode(value)
    if isinstance(impl, Numeric) and impl.asdecimal:
        return Decimal(value)
    return value
