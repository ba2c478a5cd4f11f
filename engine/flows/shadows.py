"""Rules of a dialplan that can never win, because earlier ones take all their calls.

Only what is sure is told: one earlier rule that takes everything, or several that take it together (``860x`` to
``869x`` before ``86xx``; a calendar open and the same one closed). Tiers, trunks and lists are open sets: nothing
is concluded from naming many of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.flows.dialplan_file import During
from engine.flows.patterns import Pattern

_MOST = 2000
"""Parts that a rule is cut into before it is given up: then nothing is sure."""


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls that a rule takes: those that fit everything which is not None."""

    to: Pattern
    number: Pattern | None = None
    tier: str | None = None
    list_: str | None = None
    trunk: str | None = None
    during: During | None = None

    def covers(self, other: Calls) -> bool:
        """Is every call of ``other`` one of these, too?"""
        return (
            self.to.covers(other.to)
            and (self.number is None or (other.number is not None and self.number.covers(other.number)))
            and self.tier in (None, other.tier)
            and self.list_ in (None, other.list_)
            and self.trunk in (None, other.trunk)
            and self.during in (None, other.during)
        )


def shadowed(calls: Calls, earlier: Sequence[Calls]) -> list[int] | None:
    """The earlier rules (their indexes) that take all of ``calls``, alone or together; None when they don't, or
    when that is not sure."""
    near = [(index, one) for index, one in enumerate(earlier) if _may_help(one, calls)]
    for index, one in near:
        if one.covers(calls):
            return [index]
    found = _Search(near).cover(calls, near) if len(near) > 1 else None
    return sorted(found) if found else None


class _Search:
    def __init__(self, earlier: Sequence[tuple[int, Calls]]) -> None:
        self.left = _MOST
        self.longest = max(len(one.to.text) for _, one in earlier)
        self.longest_number = max((len(one.number.text) for _, one in earlier if one.number), default=0)

    def cover(self, calls: Calls, earlier: Sequence[tuple[int, Calls]]) -> set[int] | None:
        self.left -= 1
        if self.left < 0:
            return None
        near = [(index, one) for index, one in earlier if _may_help(one, calls)]
        for index, one in near:
            if one.covers(calls):
                return {index}
        parts = self._cut(calls, [one for _, one in near])
        if not parts:
            return None
        used: set[int] = set()
        for part in parts:
            found = self.cover(part, near)
            if found is None:
                return None
            used |= found
        return used

    def _cut(self, calls: Calls, near: list[Calls]) -> list[Calls]:
        """``calls`` in parts that may be covered one by one; none when no cut helps."""
        for one in near:
            if not one.to.covers(calls.to):
                cut = _cut(calls.to, one.to, self.longest)
                if cut:
                    return [replace(calls, to=part) for part in cut]
            if one.number is not None and calls.number is not None and not one.number.covers(calls.number):
                cut = _cut(calls.number, one.number, self.longest_number)
                if cut:
                    return [replace(calls, number=part) for part in cut]
            if one.during is not None and calls.during is None and one.during.calendar is not None:
                name = one.during.calendar
                return [
                    replace(calls, during=During(calendar=name, closed=closed)) for closed in (False, True)
                ]
        return []


def _may_help(one: Calls, calls: Calls) -> bool:
    """May ``one`` take some of ``calls``, with nothing left open but what a cut can settle?"""
    return (
        _meet(one.to, calls.to)
        and (one.number is None or (calls.number is not None and _meet(one.number, calls.number)))
        and one.tier in (None, calls.tier)
        and one.list_ in (None, calls.list_)
        and one.trunk in (None, calls.trunk)
        and (one.during is None or calls.during in (None, one.during))
    )


def _cut(pattern: Pattern, by: Pattern, longest: int) -> list[Pattern]:
    """A pattern as the sum of narrower ones, cut where ``by`` is narrower; none when it can't be."""
    text, other = pattern.text.removesuffix("."), by.text.removesuffix(".")
    for at, sign in enumerate(text[: len(other)]):
        if sign == "x" and other[at].isdigit():
            end = "." if pattern.open else ""
            return [Pattern(f"{text[:at]}{digit}{text[at + 1 :]}{end}") for digit in "0123456789"]
    if pattern.open and len(text) <= longest:
        return [Pattern(f"{text}x"), Pattern(f"{text}x.")]
    return []


def _meet(one: Pattern, other: Pattern) -> bool:
    """May a number fit both? (True also where it is not known.)"""
    if one.text == other.text:
        return True
    a, b = one.text.removesuffix("."), other.text.removesuffix(".")
    if not one.open and not other.open and len(a) != len(b):
        return False
    if (not one.open and len(a) <= len(b) and other.open) or (
        not other.open and len(b) <= len(a) and one.open
    ):
        return False
    return all(
        x == y or (x == "x" and y.isdigit()) or (y == "x" and x.isdigit()) for x, y in zip(a, b, strict=False)
    )
