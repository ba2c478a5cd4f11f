"""Patterns of numbers: ``8004``, ``86xx``, ``*11``, ``+86139.`` and what they capture.

``x`` is one digit, a ``.`` at the end is one or more digits; each run of them is a capture, ``{1}``, ``{2}`` …
``*``, ``#`` and a ``+`` in front stand for themselves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema

from engine.schema.fields import text_of
from engine.schema.shapes import wrong

_WRITTEN = r"\+?[0-9x*#]{1,32}\.?|\+?\."
_CAPTURE = re.compile(r"\{([0-9]+)\}")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern; equal when its text is."""

    text: str

    @property
    def exact(self) -> bool:
        """Does it mean one number only?"""
        return "x" not in self.text and not self.open

    @property
    def open(self) -> bool:
        """May more digits follow?"""
        return self.text.endswith(".")

    @property
    def captures(self) -> int:
        """How many runs it captures."""
        return len(re.findall(r"x+\.?|\.", self.text))

    def match(self, number: str) -> tuple[str, ...] | None:
        """The captured runs, or None when the number does not fit."""
        if self.exact:
            return () if number == self.text else None
        found = _compiled(self.text).fullmatch(number)
        return found.groups() if found is not None else None

    def covers(self, other: Pattern) -> bool:
        """Does every number that fits ``other`` fit this, too?"""
        mine, theirs = self.text.removesuffix("."), other.text.removesuffix(".")
        if not self.open:
            return not other.open and len(mine) == len(theirs) and _cover(mine, theirs)
        if len(theirs) + other.open <= len(mine):
            return False
        return _cover(mine, theirs) and all(sign in "0123456789x" for sign in theirs[len(mine) :])


def _cover(mine: str, theirs: str) -> bool:
    pairs = zip(mine, theirs, strict=False)
    return all(a == b or (a == "x" and b.isdigit()) for a, b in pairs)


_CACHE: dict[str, re.Pattern[str]] = {}


def _compiled(text: str) -> re.Pattern[str]:
    found = _CACHE.get(text)
    if found is None:
        parts = []
        for run in re.findall(r"x+\.?|\.|[^x.]+", text):
            if run.strip("x.") == "":
                count = run.count("x")
                parts.append(f"([0-9]{{{count + 1},}})" if run.endswith(".") else f"([0-9]{{{count}}})")
            else:
                parts.append(re.escape(run))
        found = _CACHE[text] = re.compile("".join(parts))
    return found


def fill_captures(text: str, captured: tuple[str, ...]) -> str:
    """``86{1}`` with ``("04",)`` is ``8604``."""
    return _CAPTURE.sub(lambda found: captured[int(found.group(1)) - 1], text)


def captures_in(text: str) -> list[int]:
    """The numbers of the captures that a text asks for."""
    return [int(number) for number in _CAPTURE.findall(text)]


def _pattern(value: Any) -> Pattern:
    if isinstance(value, Pattern):
        return value
    text = str(text_of(value, "a number or a pattern"))
    if re.fullmatch(_WRITTEN, text) is None:
        raise wrong(
            "pattern",
            f"`{text}` is no number and no pattern",
            "digits, * and #; x for any digit; . at the end for more",
        )
    return Pattern(text)


#: A number as dialled, or a pattern of numbers.
PatternField = Annotated[
    Pattern,
    PlainValidator(_pattern),
    WithJsonSchema(
        {"type": ["string", "integer"], "pattern": f"^(?:{_WRITTEN})$", "examples": ["8004", "86xx"]}
    ),
]
