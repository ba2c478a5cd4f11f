"""Callers' numbers as one: E.164 where a number can be read as one, short ones as they are."""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers

_WITHHELD = frozenset({"", "anonymous", "unknown", "restricted", "private", "unavailable", "withheld"})
_SHORT = re.compile(r"[0-9*#]{1,6}")
_DIGITS = re.compile(r"[^0-9+*#]")


class Numbers:
    """Reads numbers as people of ``region`` dial them ("CN": 010…, 139…, 0086…)."""

    def __init__(self, region: str = "CN") -> None:
        self.region = region
        # Callers call again: what was read once is not read again.
        self._read = lru_cache(maxsize=4096)(self._parse)
        self._without_country = lru_cache(maxsize=4096)(self._parse_national)

    def e164(self, number: str) -> str:
        """``13800000000`` -> ``+8613800000000``. Extensions and service numbers stay as they are, a withheld number
        is "", and what can't be read keeps its digits (so that it can still be shown and compared)."""
        return self._read(number)

    def is_number(self, number: str) -> bool:
        """Is this E.164, or an extension?"""
        return bool(_SHORT.fullmatch(number)) or number.startswith("+")

    def national(self, number: str) -> str:
        """The digits of a number in E.164 without its country code: ``+8613800000000`` -> ``13800000000``."""
        return self._without_country(number)

    def _parse_national(self, number: str) -> str:
        try:
            return phonenumbers.national_significant_number(phonenumbers.parse(number, self.region))
        except phonenumbers.NumberParseException:
            return ""

    def _parse(self, number: str) -> str:
        text = number.strip().removeprefix("sip:").removeprefix("tel:").partition("@")[0]
        if text.lower() in _WITHHELD:
            return ""
        if _SHORT.fullmatch(text):
            return text
        digits = _DIGITS.sub("", text)
        for tried in (text, f"+{digits}") if digits and digits[0] not in "0+" else (text,):
            try:
                parsed = phonenumbers.parse(tried, self.region)
            except phonenumbers.NumberParseException:
                continue
            if phonenumbers.is_valid_number(parsed):
                return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
        try:
            parsed = phonenumbers.parse(text, self.region)
        except phonenumbers.NumberParseException:
            return digits
        # The numbering plans that the library knows lag behind: a possible number is taken as it stands.
        if phonenumbers.is_possible_number(parsed):
            return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
        return digits
