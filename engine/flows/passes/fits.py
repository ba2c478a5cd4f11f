"""What surely goes wrong with a value of some type: as an argument of a handler, or spoken in a format.

Nothing is guessed: samples of the type are given to what will take the real value (the same coercion by pydantic, the
same words for values), and only when it takes none of them is the fault sure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from types import NoneType
from typing import Any, Final

from pydantic import ConfigDict, TypeAdapter, ValidationError

from engine.flows.types import Type, of_annotation
from engine.hooks.kinds import is_record
from engine.prompts.phrases import CannotSpeak
from engine.prompts.spoken import FORMATS, speak

_SAMPLES: Final[Mapping[type, tuple[Any, ...]]] = {
    bool: (True,),
    int: (1, 12345678),
    float: (1.0, 1.5),
    Decimal: (Decimal(1), Decimal("1.50")),
    # Not at midnight: the present moment is hardly ever a day.
    datetime: (datetime(2026, 11, 23, 10, 30, tzinfo=UTC),),
    date: (date(2026, 11, 23),),
    time: (time(10, 30),),
    timedelta: (timedelta(minutes=10),),
    NoneType: (None,),
}
_TEXTS: Final = (
    *("", "a", "1", "12345678", "1.50", "+8613800000000", "true"),
    *("2026-11-23", "2026-11", "2026-11-23T10:30:00", "10:30", "PT10M"),
)
_DIGITS: Final = ("1", "12", "0123", "123456", "20261123", "202611", "13800000000")


def refused(wanted: Any, given: Type) -> bool:
    """Is a value of the type ``given`` surely refused where a handler's argument has the annotation ``wanted``?"""
    if not given.known:
        return False
    if given.is_text and wanted is str:
        return False
    try:
        hash(wanted)
    except TypeError:
        return False  # something about it can't be told apart, so nothing is sure
    if given.is_text:
        return _texts_refused(wanted, given)
    return _refused(wanted, given.of)


@lru_cache(maxsize=4096)
def _refused(wanted: Any, of: type) -> bool:
    want = of_annotation(wanted)
    if of is dict or of is list:
        return want.known and want.of is not of
    return _takes_none(wanted, _SAMPLES[of])


def _texts_refused(wanted: Any, given: Type) -> bool:
    if given.literal is not None:
        return _text_refused(wanted, given.literal)
    texts = given.choices or (_DIGITS if given.digits else _TEXTS)
    # A text that may be anything may be one of the few that are wanted.
    if not given.choices and of_annotation(wanted).choices:
        return False
    return all(_text_refused(wanted, text) for text in texts)


@lru_cache(maxsize=8192)
def _text_refused(wanted: Any, text: str) -> bool:
    return _takes_none(wanted, (text,))


def _takes_none(wanted: Any, samples: Iterable[Any]) -> bool:
    adapter = _adapter(wanted)
    for sample in samples:
        try:
            adapter.validate_python(sample)
        except ValidationError:
            continue
        return False
    return True


@lru_cache(maxsize=1024)
def _adapter(wanted: Any) -> TypeAdapter[Any]:
    # As the arguments of a handler are read (engine.hooks.department). A record brings its own configuration.
    config = None if is_record(wanted) else ConfigDict(coerce_numbers_to_str=True)
    return TypeAdapter(wanted, config=config)


def unspeakable(format_: str, given: Type, formats: Any = FORMATS) -> bool:
    """Can a value of the type ``given`` surely not be said in this format ("": as its type suggests)? ``formats`` are
    those of the centre, a department's own among them, with the Python types that each accepts."""
    if not given.known:
        return False
    if given.of is dict:
        return True
    if given.of is list:
        return bool(format_) or (given.item is not None and unspeakable("", given.item))
    if given.of is NoneType:
        return bool(format_)
    if format_ and format_ not in FORMATS:
        accepted = formats.get(format_) if isinstance(formats, Mapping) else None
        return accepted is not None and not issubclass(given.of, tuple(accepted))
    if given.is_text:
        if not format_ or (given.literal is None and not given.choices and not given.digits):
            return False
        texts = (given.literal,) if given.literal is not None else given.choices or _DIGITS
        return all(_text_unspeakable(format_, text) for text in texts)
    return _unspeakable(format_, given.of)


@lru_cache(maxsize=1024)
def _unspeakable(format_: str, of: type) -> bool:
    return all(_says_nothing(sample, format_) for sample in _SAMPLES[of])


@lru_cache(maxsize=4096)
def _text_unspeakable(format_: str, text: str) -> bool:
    return _says_nothing(text, format_)


def _says_nothing(value: Any, format_: str) -> bool:
    try:
        speak(value, format_, "en")
    except CannotSpeak:
        return True
    return False


def good_formats(given: Type) -> list[str]:
    """The formats that a value of this type can be said in, for hints."""
    return [format_ for format_ in FORMATS if not unspeakable(format_, given)]
