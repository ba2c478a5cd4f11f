"""What a spoken value is made of, and how a value is read as the type that its format wants.

A value is spoken as one or more *phrases*. Each phrase becomes one clip of sound, so what recurs is cut into
phrases of its own: the ten digits are ten clips that every waybill number shares, while an amount of money,
which would sound chopped if it were glued from words, is one phrase.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, Final

PAUSE: Final = 0.15  # seconds between groups of digits, about a breath
SLIP: Final = 0.0  # between digits of a group: the switch itself takes some 50 ms from one clip to the next

MOST: Final = 10**15  # amounts from here on are read digit by digit: nobody follows them as words


class CannotSpeak(ValueError):
    """A value does not fit its format. The message names the format and the type, never the value."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words said in one breath, and the seconds of silence after them."""

    text: str
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class Spoken:
    """A value as it is said: the whole as people read it, and the phrases that are rendered."""

    text: str
    phrases: tuple[Phrase, ...]

    @classmethod
    def whole(cls, text: str) -> Spoken:
        return cls(text, (Phrase(text),) if text.strip() else ())


@dataclass(frozen=True, slots=True)
class Setting:
    """What a value's words depend on besides the value."""

    timezone: tzinfo = UTC
    today: date = date.min  # in that time zone; the year of a date is left out when it is this one
    before: str = ""  # the text that stands right before the value
    forms: tuple[str, ...] = ()  # of the word behind it: ("case", "cases")
    #: What plugins bring: format -> language -> the value's words.
    formats: Mapping[str, Mapping[str, Callable[[Any], str]]] = field(default_factory=dict)


def to_digits(value: object, format_: str = "digits") -> str:
    """A number that is read sign by sign, in capital letters, without blanks and hyphens."""
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise CannotSpeak(f"{format_}: {type(value).__name__} is no row of digits")
    text = re.sub(r"[\s\-._/()]", "", unicodedata.normalize("NFKC", str(value))).upper()
    if not text.isalnum() or len(text) > 64:
        raise CannotSpeak(f"{format_}: this {type(value).__name__} is no row of digits and letters")
    return text


def to_number(value: object, format_: str) -> Decimal:
    """A finite number below ``MOST``; strings as they come from a form are accepted."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise CannotSpeak(f"{format_}: {type(value).__name__} is no number")
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise CannotSpeak(f"{format_}: this {type(value).__name__} is no number") from None
    if not number.is_finite() or abs(number) >= MOST:
        raise CannotSpeak(f"{format_}: the number is too large to be said")
    return number


def to_date(value: object, setting: Setting, format_: str = "date") -> date:
    """A day; an aware time is taken in the setting's time zone, a naive one as it stands."""
    if isinstance(value, str):
        text = value.strip()
        if re.fullmatch(r"\d{4}-\d{2}", text):
            text += "-01"
        try:
            value = datetime.fromisoformat(text) if len(text) > 10 else date.fromisoformat(text)
        except ValueError:
            raise CannotSpeak(f"{format_}: this str is no date") from None
    if isinstance(value, datetime):
        return _local(value, setting).date()
    if isinstance(value, date):
        return value
    raise CannotSpeak(f"{format_}: {type(value).__name__} is no date")


def to_time(value: object, setting: Setting) -> time:
    """A time of day; an aware moment is taken in the setting's time zone."""
    if isinstance(value, str):
        text = value.strip()
        try:
            value = time.fromisoformat(text) if len(text) <= 8 else datetime.fromisoformat(text)
        except ValueError:
            raise CannotSpeak("time: this str is no time of day") from None
    if isinstance(value, datetime):
        return _local(value, setting).time()
    if isinstance(value, time):
        return value
    raise CannotSpeak(f"time: {type(value).__name__} is no time of day")


def to_parts(value: object) -> tuple[tuple[int, str], ...]:
    """A duration as at most two neighbouring units, largest first: ``((2, "hour"), (5, "minute"))``.

    ``value`` is a timedelta, or a number of seconds. Seconds are said below ten minutes only.
    """
    span = value.total_seconds() if isinstance(value, timedelta) else float(to_number(value, "duration"))
    left = math.floor(abs(span) + 0.5)
    if left >= 600:
        left = (left + 30) // 60 * 60
    units = []
    for name, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        amount, left = divmod(left, size)
        units.append((amount, name))
    first = next((at for at, (amount, _) in enumerate(units) if amount), len(units) - 1)
    said = [units[first], *(pair for pair in units[first + 1 : first + 2] if pair[0])]
    return tuple(said)


def groups(row: str) -> list[str]:
    """Cut a row of digits as people say it: groups of three or four, the longer ones last."""
    if len(row) <= 5:
        return [row] if row else []
    pieces = math.ceil(len(row) / 4)
    size, longer = divmod(len(row), pieces)
    cut, at = [], 0
    for piece in range(pieces):
        end = at + size + (1 if piece >= pieces - longer else 0)
        cut.append(row[at:end])
        at = end
    return cut


def phone_groups(number: str) -> list[str]:
    """A phone number in the groups that its country writes it in; a home number without its country code."""
    row = to_digits(number.replace("+", ""), "phone")
    if number.strip().startswith("+"):
        import phonenumbers  # large; only an engine that speaks a full number pays for it
        from phonenumbers import PhoneNumberFormat

        try:
            parsed = phonenumbers.parse(number)
        except phonenumbers.NumberParseException:
            return groups(row)
        home = parsed.country_code == 86
        shape = PhoneNumberFormat.NATIONAL if home else PhoneNumberFormat.INTERNATIONAL
        return re.findall(r"\d+", phonenumbers.format_number(parsed, shape))
    return groups(row)


def _local(moment: datetime, setting: Setting) -> datetime:
    return moment if moment.tzinfo is None else moment.astimezone(setting.timezone)
