"""The words behind a number, by the number: ``{cases:count|case|cases}``.

Which forms a language has, and which number takes which, is CLDR's to say (through Babel): English has one for 1 and
one for all others, Chinese one alone, Russian four. They are written in CLDR's order, which ends with ``other``.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Final

from babel import Locale
from babel.plural import PluralRule

_ORDER: Final = ("zero", "one", "two", "few", "many", "other")
COUNT: Final = "count"
"""The format that may have forms behind it."""


@lru_cache(maxsize=64)
def _rule(language: str) -> PluralRule:
    rule: PluralRule = Locale.parse(language, sep="-").plural_form
    return rule


@lru_cache(maxsize=64)
def categories(language: str) -> tuple[str, ...]:
    """The forms that a language has, in their order: ``("one", "other")``."""
    tags = {*_rule(language).tags, "other"}
    return tuple(one for one in _ORDER if one in tags)


def form(forms: tuple[str, ...], number: Decimal | None, language: str) -> str:
    """The one of ``forms`` that stands behind ``number``, as it is said: 1.0 is said as one. None is no number."""
    wanted = "other"
    if number is not None:
        wanted = _rule(language)(int(number) if number == number.to_integral_value() else number.normalize())
    known = categories(language)
    return forms[known.index(wanted)] if len(forms) == len(known) else forms[-1]


def wrong(format_: str, forms: tuple[str, ...], language: str) -> tuple[str, str] | None:
    """What is wrong with ``forms`` behind a value of a format, and the way to mend it; None when nothing is."""
    if not forms:
        return None
    if format_ != COUNT:
        return f"there are words behind `{format_}`", f"they stand behind a number: `{{name:{COUNT}|…}}`"
    if len(forms) != len(known := categories(language)):
        return (
            f"{language} has {len(known)} of these words, not {len(forms)}",
            f"write `|` and the word for each of {', '.join(known)}",
        )
    return None
