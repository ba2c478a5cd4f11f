"""Values as they are written in a letter, and not as they are spoken: ``44018011`` and not 四四零幺."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers

from engine.prompts.phrases import CannotSpeak, to_number
from engine.prompts.plurals import form

LINE = "¶"
"""Stands for a new line in a text of the prompts, whose own lines are folded into one."""


def written(
    value: Any,
    format: str,
    language: str,
    zone: ZoneInfo,
    currency: str = "CNY",
    forms: tuple[str, ...] = (),
) -> str:
    """``value`` by the name of its format, as a reader of ``language`` writes it; "" for None. ``forms`` are those of
    the word behind it (:mod:`engine.prompts.plurals`). Never raises for a value that does not fit its format: it is
    written as it is."""
    if forms:
        try:
            number = to_number(value, format)
        except CannotSpeak:
            number = None
        gap = "" if language.startswith("zh") else " "
        return f"{written(value, format, language, zone)}{gap}{form(forms, number, language)}".strip()
    if value is None:
        return ""
    locale = Locale.parse(language.replace("-", "_"))
    if isinstance(value, datetime):
        value = value.astimezone(zone) if value.tzinfo is not None else value
        if format == "time":
            return dates.format_time(value, "short", locale=locale)
        return (
            dates.format_date(value, "medium", locale=locale)
            if format in ("date", "month")
            else (dates.format_datetime(value, "medium", tzinfo=value.tzinfo, locale=locale))
        )
    if isinstance(value, date):
        return dates.format_date(value, "medium", locale=locale)
    if isinstance(value, time):
        return dates.format_time(value, "short", locale=locale)
    if isinstance(value, timedelta):
        return dates.format_timedelta(value, locale=locale)
    if format == "money":
        try:
            return numbers.format_currency(Decimal(str(value)), currency, locale=locale)
        except (InvalidOperation, ValueError):
            return str(value)
    return str(value)
