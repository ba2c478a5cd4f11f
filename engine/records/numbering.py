"""Numbers that people say and type: digits, none leading with 0, with a check digit, and not to be walked through.

Eight digits are drawn and a ninth checks them (Luhn, ISO/IEC 7812-1 annex B): one mistyped digit is never
another's number, and with a hundred thousand tickets nine hundred guesses of nine digits find one.
"""

from __future__ import annotations

import random
from typing import Final

DRAWN: Final = 8


def draw(source: random.Random) -> str:
    """A new number of nine digits."""
    body = str(source.randrange(10 ** (DRAWN - 1), 10**DRAWN))
    return body + check_digit(body)


def check_digit(body: str) -> str:
    """The Luhn digit of ``body``."""
    total = 0
    for at, sign in enumerate(reversed(body)):
        digit = int(sign)
        if at % 2 == 0:
            digit *= 2
            if digit > 9:
                digit -= 9
        total += digit
    return str(-total % 10)


def is_number(text: str) -> bool:
    """Can this be a number of ours: nine digits, and the last one checks?"""
    return len(text) == DRAWN + 1 and text.isascii() and text.isdigit() and check_digit(text[:-1]) == text[-1]
