"""Values as they are said in English.

Numbers are written out: what a speech engine makes of ``3:05`` or ``360.50`` is its own affair, and the
transcript of a call should read as the caller heard it. The names of months come from CLDR through Babel.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from babel.dates import get_month_names

from engine.prompts.phrases import (
    PAUSE,
    SLIP,
    Phrase,
    Setting,
    Spoken,
    groups,
    phone_groups,
    to_date,
    to_digits,
    to_number,
    to_parts,
    to_time,
)

_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_LARGE = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (10**3, "thousand"), (100, "hundred"))
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip

JOINER = " "
YES, NO, UNKNOWN = "yes", "no", "unknown"


def cardinal(number: int) -> str:
    """``number`` (from 0, below 10**15) in words: three hundred sixty."""
    for unit, name in _LARGE:
        if number >= unit:
            above, below = divmod(number, unit)
            return f"{cardinal(above)} {name}" + (f" {cardinal(below)}" if below else "")
    if number < 20:
        return _ONES[number]
    ten, one = divmod(number, 10)
    return _TENS[ten] + (f"-{_ONES[one]}" if one else "")


def ordinal(number: int) -> str:
    """``number`` as a rank: twenty-second."""
    head, dash, last = cardinal(number).rpartition("-")
    if not dash:
        head, dash, last = cardinal(number).rpartition(" ")
    if last in _ORDINALS:
        return head + dash + _ORDINALS[last]
    return head + dash + (last[:-1] + "ieth" if last.endswith("y") else last + "th")


def digits(value: object, setting: Setting) -> Spoken:
    return _rows(groups(to_digits(value)))


def phone(value: object, setting: Setting) -> Spoken:
    return _rows(phone_groups(value if isinstance(value, str) else to_digits(value, "phone")))


def count(value: object, setting: Setting) -> Spoken:
    number = to_number(value, "count")
    whole, _, fraction = f"{abs(number):f}".partition(".")
    fraction = fraction.rstrip("0")
    said = cardinal(int(whole))
    if fraction:
        said += " point " + " ".join(_ONES[int(figure)] for figure in fraction)
    return Spoken.whole(("minus " if number < 0 else "") + said)


def money(value: object, setting: Setting) -> Spoken:
    """Yuan and hundredths: three hundred sixty yuan and fifty. Below ten they are named: and five fen."""
    amount = to_number(value, "money").quantize(Decimal("0.01"), ROUND_HALF_UP)
    yuan, fen = divmod(int(abs(amount) * 100), 100)
    said = f"{cardinal(yuan)} yuan" if yuan or not fen else ""
    if fen and yuan:
        said += f" and {cardinal(fen)}" + (" fen" if fen < 10 else "")
    elif fen:
        said = f"{cardinal(fen)} fen"
    return Spoken.whole(("minus " if amount < 0 else "") + said)


def date(value: object, setting: Setting) -> Spoken:
    day = to_date(value, setting)
    year = "" if day.year == setting.today.year else f", {_year(day.year)}"
    return Spoken.whole(f"{_month(day.month)} {ordinal(day.day)}{year}")


def month(value: object, setting: Setting) -> Spoken:
    day = to_date(value, setting, "month")
    year = "" if day.year == setting.today.year else f" {_year(day.year)}"
    return Spoken.whole(_month(day.month) + year)


def time(value: object, setting: Setting) -> Spoken:
    at = to_time(value, setting)
    if at.minute == 0 and at.hour in (0, 12):
        return Spoken.whole("midnight" if at.hour == 0 else "noon")
    said = cardinal(at.hour % 12 or 12)
    if at.minute:
        said += f" {'oh ' if at.minute < 10 else ''}{cardinal(at.minute)}"
    return Spoken.whole(f"{said} {'a' if at.hour < 12 else 'p'}.m.")


def duration(value: object, setting: Setting) -> Spoken:
    parts = [f"{cardinal(amount)} {unit}{'' if amount == 1 else 's'}" for amount, unit in to_parts(value)]
    return Spoken.whole(" and ".join(parts))


def _rows(cut: list[str]) -> Spoken:
    named = [[_sign(sign) for sign in group] for group in cut]
    phrases = [
        Phrase(word, PAUSE if at == len(group) - 1 else SLIP)
        for group in named
        for at, word in enumerate(group)
    ]
    return Spoken(", ".join(" ".join(group) for group in named), tuple(phrases))


def _sign(sign: str) -> str:
    return _ONES[int(sign)] if sign in "0123456789" else sign


def _month(number: int) -> str:
    return str(get_month_names("wide", locale="en")[number])


def _year(year: int) -> str:
    century, rest = divmod(year, 100)
    if year % 1000 < 10:
        return cardinal(year)
    if rest == 0:
        return f"{cardinal(century)} hundred"
    return f"{cardinal(century)} {'oh ' if rest < 10 else ''}{cardinal(rest)}"
