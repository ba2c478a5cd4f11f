"""The types of a flow's values, as far as they are known before any call: for the checker's fourth pass.

A :class:`Type` says what a value surely is. ``ANY`` is "not known", and no fault is ever made of it: only what is
sure to go wrong is reported. Types come from the producers of names: a query's record (:func:`of_annotation`), the
form of a ``collect``, the keys of a menu, an expression.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from types import MappingProxyType, NoneType
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

from engine.hooks.kinds import DIGITS as DIGITS_MARK
from engine.hooks.kinds import PRIVATE as PRIVATE_MARK
from engine.hooks.kinds import FieldType, bare, marked, record_fields, without_none

NUMBERS: Final = (int, float, Decimal)


@dataclass(frozen=True, slots=True)
class Type:
    """What a value is.

    ``of`` is its Python class: ``str bool int float Decimal date datetime time timedelta``, ``dict`` for a record
    (of a plugin or of the engine), ``list``, ``NoneType``, or ``object`` when it is not known. ``fields`` are those
    of a record (None: not known; ``open``: there may be others), ``item`` what a list holds. ``choices`` are the
    only texts that it can be, ``literal`` the one that is written in the flow.
    """

    of: type
    name: str = ""  # of a record, for people
    digits: bool = False
    choices: tuple[str, ...] = ()
    literal: str | None = None
    item: Type | None = None
    fields: Mapping[str, Type] | None = None
    open: bool = False
    optional: bool = False
    private: bool = False
    secret: bool = False
    annotation: Any = None  # the Python type that it came of

    @property
    def known(self) -> bool:
        """Is anything sure about it?"""
        return self.of is not object

    @property
    def is_text(self) -> bool:
        return self.of is str

    @property
    def is_number(self) -> bool:
        return self.of in NUMBERS

    @property
    def is_list(self) -> bool:
        return self.of is list

    @property
    def is_record(self) -> bool:
        return self.of is dict

    @property
    def holds_private(self) -> bool:
        """Is it private, or any part of it?"""
        return self.private or self._part("holds_private")

    @property
    def holds_secret(self) -> bool:
        """Is it secret, or any part of it?"""
        return self.secret or self._part("holds_secret")

    def _part(self, question: str) -> bool:
        if self.item is not None:
            return bool(getattr(self.item, question))
        return self.fields is not None and any(getattr(one, question) for one in self.fields.values())

    def field(self, name: str) -> Type | None:
        """The type of ``value.name``; None when such a value surely has no such field."""
        if self.of is object:
            return ANY if not (self.private or self.secret) else replace(ANY, private=self.private)
        if self.of is dict:
            found = ANY if self.fields is None else self.fields.get(name, ANY if self.open else None)
            if found is not None and self.private and not found.private:
                return replace(found, private=True)
            return found
        if issubclass(self.of, date):
            found = (_MOMENT_PARTS if self.of is datetime else _DATE_PARTS).get(name)
            return replace(found, private=True) if found is not None and self.private else found
        return None

    @property
    def field_names(self) -> Iterable[str]:
        """The fields that are known, for suggestions."""
        if self.of is datetime:
            return _MOMENT_PARTS
        if self.of is date:
            return _DATE_PARTS
        return self.fields or ()

    def __str__(self) -> str:
        """As people call it: ``a text``, ``a number``, ``a date``."""
        if self.of is list:
            return "a list"
        if self.of is dict:
            return f"a record ({self.name})" if self.name else "a record"
        if self.literal is not None and self.of is str:
            return "a text"
        return _WORDS.get(self.of, "something")


_WORDS: Final[Mapping[type, str]] = {
    str: "a text",
    bool: "yes or no",
    int: "a number",
    float: "a number",
    Decimal: "a number",
    date: "a day",
    datetime: "a moment",
    time: "a time of day",
    timedelta: "a length of time",
    NoneType: "nothing",
}

ANY: Final = Type(object)
TEXT: Final = Type(str, annotation=str)
DIGITS: Final = Type(str, digits=True)
FLAG: Final = Type(bool)
WHOLE: Final = Type(int)
REAL: Final = Type(float)
NUMBER: Final = Type(Decimal)
DATE: Final = Type(date)
MOMENT: Final = Type(datetime)
TIME: Final = Type(time)
DURATION: Final = Type(timedelta)
NOTHING: Final = Type(NoneType)
SECRET: Final = Type(str, digits=True, secret=True)

_DATE_PARTS: Final[Mapping[str, Type]] = {"year": WHOLE, "month": WHOLE, "day": WHOLE}
_MOMENT_PARTS: Final[Mapping[str, Type]] = {
    **_DATE_PARTS, "hour": WHOLE, "minute": WHOLE, "date": DATE, "time": TIME,
}  # fmt: skip


def of_view(view: type) -> Type:
    """The record that one of the engine's views (a dataclass of ``engine.types``) is to a flow."""
    hints = get_type_hints(view, include_extras=True)
    made = {field.name: of_annotation(hints[field.name]) for field in fields(view)}
    return Type(dict, name=view.__name__.removesuffix("View").lower(), fields=MappingProxyType(made))


def record(name: str = "", /, *, open: bool = False, **fields: Type) -> Type:
    """A record with these fields; ``open`` when it may have more."""
    return Type(dict, name=name, fields=MappingProxyType(fields), open=open)


def list_of(item: Type) -> Type:
    """A list of such values."""
    return Type(list, item=item)


def choice(*texts: str) -> Type:
    """One of these texts."""
    return Type(str, choices=texts)


def literal(text: str) -> Type:
    """The text that stands in the flow."""
    return Type(str, literal=text)


def optional(of: Type) -> Type:
    """The same, or nothing."""
    return of if of.optional else replace(of, optional=True)


def private(of: Type) -> Type:
    """The same, but private: it may be spoken to the caller, never stored or shown."""
    return of if of.private else replace(of, private=True)


_seen: dict[Any, Type] = {}


def of_annotation(annotation: Any) -> Type:
    """The type of a handler's argument or result, or of a record's field. ANY for what the language has not."""
    try:
        found = _seen.get(annotation)
    except TypeError:  # an annotation that has no hash
        return _of_annotation(annotation)
    if found is None:
        found = _seen[annotation] = _of_annotation(annotation)
    return found


def _of_annotation(annotation: Any) -> Type:
    inner, may_be_none = without_none(annotation)
    made = _bare_type(inner)
    if may_be_none or marked(inner, PRIVATE_MARK):
        made = replace(made, optional=may_be_none, private=marked(inner, PRIVATE_MARK))
    return made


def _bare_type(annotation: Any) -> Type:
    kind = bare(annotation)
    if kind is str:
        return DIGITS if marked(annotation, DIGITS_MARK) else TEXT
    origin = get_origin(kind)
    if origin is Literal:
        return choice(*(str(one) for one in get_args(kind)))
    if origin in (list, tuple):
        return list_of(of_annotation(get_args(kind)[0]))
    if isinstance(kind, type):
        of_record = record_fields(kind)
        if of_record is not None:
            return of_fields(kind.__name__, of_record)
        if issubclass(kind, Enum):
            return choice(*(str(one.value) for one in kind))
        if kind in _WORDS:
            return Type(kind)
    return ANY


def of_fields(name: str, fields: Mapping[str, FieldType]) -> Type:
    """The record with these fields."""
    found = _seen_fields.get(id(fields))
    if found is None or found[0] is not fields:
        found = _seen_fields[id(fields)] = (fields, _of_fields(name, fields))
    return found[1]


#: By identity, with the mapping itself, so that no other one can have it: a mapping has no hash.
_seen_fields: dict[int, tuple[Mapping[str, FieldType], Type]] = {}


def _of_fields(name: str, fields: Mapping[str, FieldType]) -> Type:
    made = {}
    for key, field in fields.items():
        type_ = of_annotation(field.type)
        if field.optional or field.private:
            type_ = replace(type_, optional=field.optional or type_.optional, private=field.private)
        made[key] = type_
    return Type(dict, name=name, fields=MappingProxyType(made))


def join(one: Type | None, other: Type | None) -> Type:
    """What a value is that is one or the other: as much as is sure of both. None: nothing was said yet."""
    if one is None or one is other:
        return other or ANY
    if other is None:
        return one
    flags: dict[str, Any] = {
        "optional": one.optional or other.optional,
        "private": one.private or other.private,
        "secret": one.secret or other.secret,
    }
    if one.of is NoneType:
        return replace(other, **{**flags, "optional": True})
    if other.of is NoneType:
        return replace(one, **{**flags, "optional": True})
    if one.of is not other.of:
        return replace(ANY, **flags)
    if one.of is str:
        said = (*_texts(one), *_texts(other)) if _texts(one) and _texts(other) else ()
        same = one.literal if one.literal == other.literal else None
        choices = () if same is not None else tuple(dict.fromkeys(said))
        return Type(str, digits=one.digits and other.digits, choices=choices, literal=same, **flags)
    if one.of is list:
        return Type(list, item=join(one.item, other.item), **flags)
    if one.of is dict:
        if one.fields is None or other.fields is None:
            return Type(dict, **flags)
        if one.fields is other.fields:
            return replace(one, **flags)
        # A field that only one of them has may be read, too: `x is known` was asked, or it is the other one.
        keys = dict.fromkeys((*one.fields, *other.fields))
        fields = {key: join(one.fields.get(key), other.fields.get(key)) for key in keys}
        return Type(dict, fields=MappingProxyType(fields), open=one.open or other.open, **flags)
    return replace(one, **flags)


def _texts(type_: Type) -> tuple[str, ...]:
    return type_.choices or ((type_.literal,) if type_.literal is not None else ())
