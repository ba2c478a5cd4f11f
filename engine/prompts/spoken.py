"""Values in the caller's language: which formats there are, what they accept, and one way in.

``speak`` is strict and raises :class:`CannotSpeak`; ``speak_anyhow`` is for a live call, where something
sensible must be said whatever arrives.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from types import ModuleType
from typing import Final

import structlog

from engine.prompts import en, zh
from engine.prompts.phrases import CannotSpeak, Phrase, Setting, Spoken, to_number
from engine.prompts.plurals import form

log = structlog.get_logger(__name__)

FORMATS: Final[Mapping[str, tuple[type, ...]]] = {
    "text": (str,),
    "digits": (str, int),
    "count": (int, Decimal),
    "money": (Decimal, int),
    "date": (dt.date, dt.datetime),
    "time": (dt.time, dt.datetime),
    "month": (dt.date, dt.datetime, str),
    "duration": (dt.timedelta, int, float),
    "phone": (str,),
}
"""The formats of flow-language.md, each with the Python types that it accepts, for the checker."""

LANGUAGES: Final[Mapping[str, ModuleType]] = {"zh-CN": zh, "en": en}
"""The languages whose values can be said; a catalogue in another one is a fault."""

LONGEST: Final = 400  # characters of a text value that are spoken; a caller hangs up long before


def accepts(format_: str, kind: type) -> bool:
    """Whether a value of type ``kind`` may be spoken as ``format_`` ("" is: as its type suggests)."""
    if not format_:
        return issubclass(kind, (str, int, float, Decimal, dt.date, dt.time, dt.timedelta))
    if issubclass(kind, bool):
        return False
    return issubclass(kind, FORMATS[format_])


def speak(value: object, format_: str, language: str, setting: Setting | None = None) -> Spoken:
    """Say ``value`` in ``language``, without a format as its type suggests; or raise :class:`CannotSpeak`."""
    words, setting = LANGUAGES[language], setting or Setting()
    if not format_ or (format_ == "text" and isinstance(value, str)):
        return _by_type(value, language, setting)
    if format_ == "text":
        raise CannotSpeak(f"text: {type(value).__name__} is no text")
    if format_ in setting.formats:
        return _of_plugin(value, format_, language, setting)
    if format_ not in FORMATS:
        raise CannotSpeak(f"there is no format {format_!r}")
    say: Callable[[object, Setting], Spoken] = getattr(words, format_)
    said = say(value, setting)
    return _with_its_word(said, to_number(value, format_), language, setting) if setting.forms else said


def _with_its_word(said: Spoken, number: Decimal | None, language: str, setting: Setting) -> Spoken:
    """The number and what there is so much of, in one breath."""
    word = form(setting.forms, number, language)
    return Spoken.whole(f"{said.text}{LANGUAGES[language].JOINER}{word}")


def _of_plugin(value: object, format_: str, language: str, setting: Setting) -> Spoken:
    """What a plugin makes of the value. Whatever its function raises, the call goes on."""
    say = setting.formats[format_].get(language)
    if say is None:
        raise CannotSpeak(f"{format_}: no words in {language}")
    try:
        words = say(value)
    except Exception as error:  # noqa: BLE001 - a plugin's code: logged by speak_anyhow, without the value
        raise CannotSpeak(f"{format_}: {type(error).__name__} for {type(value).__name__}") from None
    if not isinstance(words, str):
        raise CannotSpeak(f"{format_}: it answered {type(words).__name__}, not words")
    return Spoken.whole(clean(words))


def speak_anyhow(value: object, format_: str, language: str, setting: Setting | None = None) -> Spoken:
    """Like ``speak``, but what does not fit is said as plain text, and logged (never the value itself)."""
    try:
        return speak(value, format_, language, setting)
    except CannotSpeak as error:
        log.warning("value_not_spoken", format=format_, kind=type(value).__name__, why=str(error))
        plain = value if isinstance(value, (str, int, Decimal)) and not isinstance(value, bool) else None
        said = Spoken.whole(clean(str(plain))) if plain is not None else _unknown(language)
        return (
            _with_its_word(said, None, language, setting) if setting is not None and setting.forms else said
        )


def clean(text: str) -> str:
    """``text`` without control characters and in one line, at most ``LONGEST`` characters."""
    flat = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in text[: LONGEST * 2])
    return " ".join(flat.split())[:LONGEST]


def _by_type(value: object, language: str, setting: Setting) -> Spoken:
    words = LANGUAGES[language]
    if isinstance(value, bool):
        return Spoken.whole(words.YES if value else words.NO)
    if value is None or value == "":
        return _unknown(language)
    if isinstance(value, str):
        return Spoken.whole(clean(value))
    if isinstance(value, dt.datetime):
        return _joined(
            [speak(value, "date", language, setting), speak(value, "time", language, setting)], words
        )
    for kind, format_ in ((dt.date, "date"), (dt.time, "time"), (dt.timedelta, "duration")):
        if isinstance(value, kind):
            return speak(value, format_, language, setting)
    if isinstance(value, (int, float, Decimal)):
        return speak(value, "count", language, setting)
    if isinstance(value, (list, tuple)) and value:
        each = [_by_type(item, language, replace(setting, before="")) for item in value]
        return _joined(each, words, mark="、" if not words.JOINER else ",")
    raise CannotSpeak(f"{type(value).__name__} can't be said")


def _joined(each: list[Spoken], words: ModuleType, mark: str = "") -> Spoken:
    phrases: list[Phrase] = []
    for said in each:
        phrases.extend(said.phrases)
        if mark and phrases:
            phrases[-1] = replace(phrases[-1], pause=max(phrases[-1].pause, 0.2))
    return Spoken((mark + words.JOINER).join(said.text for said in each), tuple(phrases))


def _unknown(language: str) -> Spoken:
    return Spoken.whole(LANGUAGES[language].UNKNOWN)
