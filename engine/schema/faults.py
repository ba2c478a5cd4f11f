"""Faults of the files that people write: where, what, and what was probably meant.

A fault prints as ``file:line:column: error[code]: message`` with the source line and a caret under it.
Lines and columns count from 1, columns in characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from rapidfuzz import fuzz, process

from engine.errors import ConfigError


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file. ``line`` and ``column`` count from 1; 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake in one place.

    ``hint`` is the fix or the "did you mean", ``source`` the text of the line, ``also`` a second place
    (the first of two duplicates). ``severity`` is ``error`` or ``warning``. ``way`` is what a caller does to meet
    it (``press 2, stay silent x3 -> block retry again``). ``end`` is the column behind the last character that is
    meant, in the same line (0: not known).
    """

    file: str
    line: int
    column: int
    code: str
    message: str
    hint: str = ""
    severity: str = "error"
    source: str = ""
    also: Position | None = None
    way: str = ""
    end: int = 0

    @property
    def position(self) -> Position:
        return Position(self.file, self.line, self.column)

    @property
    def fix(self) -> str:
        """The text that should stand in place of what is meant (from ``column`` to ``end``), or "" when only people
        can tell."""
        found = _MEANT.fullmatch(self.hint)
        return found.group(1) if found is not None else ""

    def __str__(self) -> str:
        """The fault in one line, as compilers print it."""
        text = f"{self.position}: {self.severity}[{self.code}]: {self.message}"
        return f"{text} ({self.hint})" if self.hint else text

    def pretty(self) -> str:
        """The fault as people read it: with its source line, a caret, and the hint."""
        lines = [f"{self.position}: {self.severity}[{self.code}]: {self.message}"]
        if self.source and self.line:
            number = str(self.line)
            shown, caret = _excerpt(self.source, self.column)
            lines.append(f"  {number} | {shown}")
            lines.append(f"  {' ' * len(number)} | {caret}^")
        if self.also is not None:
            lines.append(f"  = first at {self.also}")
        if self.way:
            lines.append(f"  = {self.way}")
        if self.hint:
            lines.append(f"  = {self.hint}")
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """A plain mapping for ``--json``."""
        row: dict[str, Any] = {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "end": max(self.end, self.column + 1) if self.line else 0,
            "severity": self.severity,
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "fix": self.fix,
        }
        if self.way:
            row["way"] = self.way
        if self.also is not None:
            row["also"] = str(self.also)
        return row


_MEANT = re.compile(r'did you mean "([^"]+)"\?')


class Faults:
    """All faults of one run, in the order in which they were found; iterates sorted by place."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._faults: list[Fault] = list(faults)

    def add(self, *faults: Fault) -> None:
        self._faults.extend(faults)

    def extend(self, faults: Iterable[Fault]) -> None:
        self._faults.extend(faults)

    @property
    def errors(self) -> list[Fault]:
        return [fault for fault in self if fault.severity == "error"]

    @property
    def warnings(self) -> list[Fault]:
        return [fault for fault in self if fault.severity != "error"]

    def __iter__(self) -> Iterator[Fault]:
        return iter(sorted(self._faults, key=lambda fault: (fault.file, fault.line, fault.column)))

    def __len__(self) -> int:
        return len(self._faults)

    def pretty(self) -> str:
        """All faults as people read them, one after the other."""
        return "\n".join(fault.pretty() for fault in self)

    def raise_errors(self) -> None:
        """Raise :class:`ConfigError` that carries every error, if there is any."""
        if errors := self.errors:
            raise ConfigError("\n".join(fault.pretty() for fault in errors))


def suggest(word: str, known: Iterable[str]) -> str:
    """The known word nearest to a misspelt one, or "" when none is near."""
    names = [name for name in known if name != word]
    tail = _tail(word)
    if tail != word:
        # A shared department makes `logistics/quote` and `logistics/main` no more alike than `quote` and `main`.
        names = [name for name in names if fuzz.ratio(_tail(name), tail) >= _NEAR]
    cutoff = _NEAR if tail == word else 0.0
    found: tuple[str, float, int] | None = process.extractOne(
        word, names, scorer=fuzz.ratio, score_cutoff=cutoff
    )
    return str(found[0]) if found is not None else ""


_NEAR = 60.0


def _tail(name: str) -> str:
    """The part behind the last `/` or `.`."""
    return name.rsplit("/", 1)[-1].rsplit(".", 1)[-1]


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """The hint for a misspelt word: a suggestion, or the choices where they are few, or ``otherwise``."""
    names = sorted(known)
    near = suggest(word, names)
    if near:
        return f'did you mean "{near}"?'
    if otherwise:
        return otherwise
    if 0 < len(names) <= 12:
        return f"known: {', '.join(names)}"
    return ""


def _excerpt(source: str, column: int, width: int = 120) -> tuple[str, str]:
    """A line cut to ``width`` around ``column``, and the blanks that put a caret under it."""
    start = max(0, column - 1 - width // 2) if len(source) > width else 0
    shown = source[start : start + width].rstrip()
    if start:
        shown = "…" + shown[1:]
    before = shown[: max(0, column - 1 - start)]
    blanks = "".join("\t" if char == "\t" else " " * _cells(char) for char in before)
    return shown, blanks


def _cells(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
