"""The types that fields of a shape have: durations, keys of the phone, names, numbers, times, references.

Each is ``Annotated`` with a validator from the typed text to the value, a JSON Schema for editors, and,
where it refers to something, a ``Ref``. A value that is already of the right type is taken as it is, so a
shape can also be built in Python.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, NamedTuple

from pydantic import PlainValidator, WithJsonSchema

from engine.schema.shapes import Ref, wrong
from engine.schema.source import Broken, Cut


def text_of(value: Any, wanted: str) -> str:
    """The typed text, or the error that a text is wanted."""
    if type(value) is str:
        return value
    # What is broken has been told of; its error is not shown, but the shape that holds it is none.
    if not isinstance(value, str) or isinstance(value, Broken):
        raise wrong("shape", f"{wanted} is wanted here")
    return value


def _match(pattern: str, code: str, wanted: str, hint: str = "") -> Callable[[Any], str]:
    compiled = re.compile(pattern)
    # The names of a file come again and again. Bounded, since what is typed at a running engine comes here, too.
    good: set[str] = set()

    def check(value: Any) -> str:
        if type(value) is str and value in good:
            return value
        text = text_of(value, wanted)
        if compiled.fullmatch(text) is None:
            raise wrong(code, f"`{text}` is not {wanted}", hint)
        if len(good) < _REMEMBERED:
            good.add(text)
        return text

    return check


_REMEMBERED = 4096


def _schema(pattern: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^(?:{pattern})$", "examples": [example]})


def _typed(pattern: str, code: str, wanted: str, example: str, hint: str = "") -> tuple[Any, Any]:
    return PlainValidator(_match(pattern, code, wanted, hint)), _schema(pattern, example)


# -- text ---------------------------------------------------------------------------------------


def _text(value: Any) -> str:
    text = text_of(value, "a text")
    if isinstance(value, Cut):
        raise wrong(
            "cut-off",
            "the text ends before ` #`, the rest is a comment",
            "quote the text, or move the comment",
        )
    text = text.strip()
    if not text:
        raise wrong("empty-text", "the text is empty")
    return text


#: Text for people: not empty, trimmed, and not cut off by ` #`.
Text = Annotated[
    str, PlainValidator(_text), WithJsonSchema({"type": ["string", "number", "boolean"], "minLength": 1})
]


def _plain(value: Any) -> str:
    return str(text_of(value, "a text"))


#: Any text as typed, also an empty one.
Raw = Annotated[str, PlainValidator(_plain), WithJsonSchema({"type": ["string", "number", "boolean"]})]

# -- numbers --------------------------------------------------------------------------------------


def whole(minimum: int = 0, maximum: int = 2**31) -> Any:
    """``Annotated[int, *whole(1, 9)]``: a whole number within limits. Use with ``typing.Annotated``."""

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            raise wrong("shape", "a whole number is wanted here")
        if isinstance(value, str):
            if re.fullmatch(r"[+-]?[0-9]{1,18}", value) is None:
                raise wrong("number", f"`{value}` is not a whole number")
            value = int(value)
        if not minimum <= value <= maximum:
            raise wrong("number", f"{value} is not between {minimum} and {maximum}")
        return int(value)

    return PlainValidator(check), WithJsonSchema({"type": "integer", "minimum": minimum, "maximum": maximum})


_COUNT = whole()
#: A whole number, 0 or more.
Count = Annotated[int, _COUNT[0], _COUNT[1]]
_POSITIVE = whole(1)
#: A whole number, 1 or more.
Positive = Annotated[int, _POSITIVE[0], _POSITIVE[1]]
_INTEGER = whole(-(2**31))
#: A whole number, also below 0.
Integer = Annotated[int, _INTEGER[0], _INTEGER[1]]
_PORT = whole(1, 65535)
#: A TCP or UDP port.
Port = Annotated[int, _PORT[0], _PORT[1]]
_ATTEMPTS = whole(1, 9)
#: How often the caller is asked: 1 to 9.
Attempts = Annotated[int, _ATTEMPTS[0], _ATTEMPTS[1]]


def _number(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Decimal(str(value))
    text = text_of(value, "a number")
    if re.fullmatch(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,9})?", text) is None:
        raise wrong("number", f"`{text}` is not a number")
    try:
        return Decimal(text)
    except InvalidOperation:  # pragma: no cover - the pattern allows none
        raise wrong("number", f"`{text}` is not a number") from None


#: A decimal number, exact.
Number = Annotated[Decimal, PlainValidator(_number), WithJsonSchema({"type": "number"})]


def _share(value: Any) -> float:
    if isinstance(value, float):
        return value
    text = text_of(value, "a percentage")
    found = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]+)?)\s*%", text)
    if found is None or float(found.group(1)) > 100:
        raise wrong("percentage", f"`{text}` is not a percentage", "write 80%")
    return float(found.group(1)) / 100


#: ``80%`` as 0.8.
Share = Annotated[float, PlainValidator(_share), _schema(r"[0-9]{1,3}(\.[0-9]+)?\s*%", "80%")]

_YES = frozenset({"true", "yes", "on"})
_NO = frozenset({"false", "no", "off"})


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = text_of(value, "`true` or `false`")
    if text.lower() in _YES:
        return True
    if text.lower() in _NO:
        return False
    raise wrong("flag", f"`{text}` is neither `true` nor `false`")


#: ``true`` or ``false`` (also yes/no, on/off).
Flag = Annotated[bool, PlainValidator(_flag), WithJsonSchema({"type": "boolean"})]

# -- time ---------------------------------------------------------------------------------------

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(ms|s|m|h|d)")


def parse_duration(value: Any) -> float:
    """``500ms 5s 10m 2h 90d`` as seconds; raises the shape's error."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if value < 0 or not math.isfinite(value):
            raise wrong("duration", f"{value} is not a length of time")
        return float(value)
    text = text_of(value, "a length of time")
    found = _DURATION.fullmatch(text)
    if found is None:
        hint = f"say its unit: {text}s" if re.fullmatch(r"[0-9.]+", text) else "write 500ms, 5s, 10m or 2h"
        raise wrong("duration", f"`{text}` is not a length of time", hint)
    number, unit = found.groups()
    # Decimal keeps 1.1s at 1.1, and 300ms at 0.3.
    return float(Decimal(number) * Decimal(str(_UNITS[unit])))


#: A length of time, in seconds.
Duration = Annotated[float, PlainValidator(parse_duration), _schema(r"[0-9]+(\.[0-9]+)?(ms|s|m|h|d)", "5s")]


def _date(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    text = text_of(value, "a date")
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        raise wrong("date", f"there is no day `{text}`") from None
    raise wrong("date", f"`{text}` is not a date", "write 2026-10-01")


#: A day, ``2026-10-01``.
Day = Annotated[date, PlainValidator(_date), _schema(r"\d{4}-\d{2}-\d{2}", "2026-10-01")]


def parse_clock(value: Any) -> time:
    """``08:30`` or ``08:30:15``; ``24:00`` is not a time of day (see Hours)."""
    if isinstance(value, time):
        return value
    text = text_of(value, "a time of day")
    if re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", text):
        try:
            return time.fromisoformat(text if text[1] != ":" else f"0{text}")
        except ValueError:
            raise wrong("time", f"there is no time `{text}`") from None
    raise wrong("time", f"`{text}` is not a time of day", "write 08:30")


#: A time of day, ``08:30``.
ClockTime = Annotated[time, PlainValidator(parse_clock), _schema(r"\d{1,2}:\d{2}(:\d{2})?", "08:30")]


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    text = text_of(value, "a date and time")
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2})?", text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            raise wrong("date", f"there is no moment `{text}`") from None
    raise wrong("date", f"`{text}` is not a date and time", 'write "2026-11-22 14:00"')


#: A date and time without a zone (the calendar's zone decides), ``2026-11-22 14:00``.
Moment = Annotated[
    datetime,
    PlainValidator(_moment),
    _schema(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2})?", "2026-11-22 14:00"),
]


class Hours(NamedTuple):
    """An interval of a day in minutes after midnight: from ``begin`` up to, not including, ``end`` (1440 at most)."""

    begin: int
    end: int


def _hours(value: Any) -> Hours:
    if isinstance(value, Hours):
        return value
    text = text_of(value, "hours")
    found = re.fullmatch(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})", text)
    if found is None:
        raise wrong("hours", f"`{text}` are no hours", 'write "08:30-12:00"')
    a, b, c, d = (int(part) for part in found.groups())
    begin, end = a * 60 + b, c * 60 + d
    if b > 59 or d > 59 or begin >= 1440 or end > 1440:
        raise wrong("hours", f"`{text}` names a time that there is not")
    if begin >= end:
        raise wrong(
            "hours",
            f"`{text}` ends before it begins",
            'hours past midnight are two: "22:00-24:00" and "00:00-06:00"',
        )
    return Hours(begin, end)


#: ``08:30-12:00`` (``24:00`` may end it).
OpenHours = Annotated[
    Hours, PlainValidator(_hours), _schema(r"\d{1,2}:\d{2}\s*-\s*\d{1,2}:\d{2}", "08:30-12:00")
]

# -- the phone ------------------------------------------------------------------------------------

_KEYS = {**{digit: digit for digit in "0123456789"}, "star": "*", "hash": "#", "*": "*", "#": "#"}


def parse_key(value: Any) -> str:
    """A key of the phone: ``0``-``9``, ``star`` or ``*``, ``hash`` or ``#``; gives the key's character."""
    text = text_of(value, "a key of the phone")
    key = _KEYS.get(text)
    if key is None:
        raise wrong("key", f"`{text}` is not a key of the phone", "keys are 0-9, star and hash")
    return key


_KEY_PATTERN = r"[0-9]|star|hash|\*|#"
#: A key of the phone, as its character.
Key = Annotated[str, PlainValidator(parse_key), _schema(_KEY_PATTERN, "1")]


class Span(NamedTuple):
    """From ``least`` to ``most``, both included."""

    least: int
    most: int


def _length(value: Any) -> Span:
    if isinstance(value, Span):
        return value
    text = str(value) if isinstance(value, int) else text_of(value, "a length")
    found = re.fullmatch(r"(\d{1,3})(?:\s*-\s*(\d{1,3}))?", text)
    if found is None:
        raise wrong("length", f"`{text}` is not a length", "write 8, or 8-14")
    least, most = int(found.group(1)), int(found.group(2) or found.group(1))
    if not 1 <= least <= most <= 128:
        raise wrong("length", f"`{text}` is not a length between 1 and 128")
    return Span(least, most)


#: How many digits: ``8`` or ``8-14``.
Length = Annotated[
    Span,
    PlainValidator(_length),
    WithJsonSchema({"type": ["string", "integer"], "pattern": r"^\d+(\s*-\s*\d+)?$", "examples": ["8-14"]}),
]

# -- names --------------------------------------------------------------------------------------

_NAME = r"[a-z][a-z0-9_]*"
_SLASHED = rf"{_NAME}(?:/[a-z0-9_]+)+"
_DOTTED = rf"{_NAME}\.{_NAME}"
_IDENT = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_LANGUAGE = r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-[A-Z]{2})?"

_name = _typed(_NAME, "name", "a name", "waybill", "names are lower-case letters, digits and _")
#: A name of a value, block, queue …: lower-case letters, digits and ``_``.
Name = Annotated[str, _name[0], _name[1]]
_ident = _typed(_IDENT, "identifier", "an identifier", "8012", "letters, digits, and . _ - within")
#: An identifier of a person or thing: ``8012``, ``li.na``.
Ident = Annotated[str, _ident[0], _ident[1]]
_language = _typed(_LANGUAGE, "language", "a language", "zh-CN", "write zh-CN or en")
#: A language tag.
Language = Annotated[str, _language[0], _language[1], Ref("language")]
_target = _typed(rf"{_NAME}(?:/[a-z0-9_]+)*", "target", "a block or a flow", "greet")
#: Where a way leads: a block of this flow, or (with a slash) another flow.
Target = Annotated[str, _target[0], _target[1], Ref("target")]
_flow = _typed(_SLASHED, "flow-name", "a flow", "logistics/main", "write department/flow")
#: A flow, ``logistics/main``.
FlowRef = Annotated[str, _flow[0], _flow[1], Ref("flow")]
#: A flow's own name.
FlowName = Annotated[str, _flow[0], _flow[1]]
#: A queue of queues.yaml.
QueueRef = Annotated[str, _name[0], _name[1], Ref("queue")]
#: A calendar of calendars.yaml.
CalendarRef = Annotated[str, _name[0], _name[1], Ref("calendar")]
#: A skill of agents.
SkillRef = Annotated[str, _name[0], _name[1], Ref("skill")]
_dotted = _typed(
    _DOTTED, "plugin-name", "a name of a department's", "logistics.track", "write department.name"
)
#: A department's query, ``logistics.track``.
QueryRef = Annotated[str, _dotted[0], _dotted[1], Ref("query")]
#: A department's command, ``logistics.book``.
CommandRef = Annotated[str, _dotted[0], _dotted[1], Ref("command")]
_digits = _typed(r"[0-9*#]{1,32}", "number", "a number as dialled", "1001")
#: Digits as dialled: an extension or a service number.
Dialled = Annotated[str, _digits[0], _digits[1]]
_in_talk = _typed(r"[0-9]{2,10}", "number", "a number that agents dial", "861", "two to ten digits")
#: A number that is typed during a talk: ``#`` ends it, and stars are keys of the talk.
InTalk = Annotated[str, _in_talk[0], _in_talk[1]]

_PROMPT_KEY = re.compile(r"[a-z0-9_/]+")


def is_prompt_key(text: str) -> bool:
    """Is this prompt a key of the catalogue (lower-case letters, digits, ``_`` and ``/``), or literal text?"""
    return _PROMPT_KEY.fullmatch(text) is not None


def _prompt(value: Any) -> str:
    if isinstance(value, Cut) and is_prompt_key(value):
        return str(value)  # a comment behind a key is a comment
    return _text(value)


#: A key of the prompt catalogue, or literal text (see ``is_prompt_key``).
PromptRef = Annotated[
    str,
    PlainValidator(_prompt),
    WithJsonSchema({"type": ["string", "number"], "minLength": 1, "examples": ["main_menu"]}),
    Ref("prompt"),
]
_prompt_key = _typed(_PROMPT_KEY.pattern, "prompt-key", "a key of a prompt", "main_menu")
#: A key of the prompt catalogue only.
PromptKey = Annotated[str, _prompt_key[0], _prompt_key[1], Ref("prompt")]
