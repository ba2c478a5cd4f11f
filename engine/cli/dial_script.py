"""A call as lines: written while a person calls (``--record``), and replayed (``--script``).

    dial 8004 from 13800000000
    hears logistics/choose_language   # 您好，欢迎致电粤达物流。…
    press 2
    silence 6s
    hears silent
    hang up

``hears`` names the next prompt by its key, or by a part of its words, or ``music``. ``silence`` presses nothing for so
long. ``ended`` (with a cause, or without) waits for the other side to hang up. What follows a ``#`` is for people
(a ``#`` that is pressed stands in ``press 12#``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from engine.cli.failing import Failed
from engine.clock import Clock, Empty

PATIENCE = 60.0  # seconds that a prompt, or the end, is waited for
_LINE = re.compile(
    r"(?P<dial>dial (?P<number>\S+)(?: from (?P<caller>\S+))?)|(?P<hears>hears (?P<what>\S.*))"
    r"|(?P<press>press (?P<keys>[0-9*#]+))|(?P<silence>silence (?P<seconds>[0-9]+(?:\.[0-9]+)?)s)"
    r"|(?P<hang_up>hang up)|(?P<ended>ended(?: (?P<cause>\S+))?)"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a script: ``kind`` is dial, hears, press, silence, hang_up or ended; ``what`` its word."""

    at: int
    kind: str
    what: str
    text: str
    caller: str = ""


def read_script(path: Path) -> list[Line]:
    """The lines of a script; :class:`Failed` with the place of each that is none."""
    try:
        texts = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise Failed(f"{path}: {getattr(error, 'strerror', None) or 'this is no text'}") from None
    lines, wrong = [], []
    for at, raw in enumerate(texts, 1):
        text = re.sub(r"(^|\s+)#.*", "", raw).strip()
        if not text:
            continue
        found = _LINE.fullmatch(text)
        if found is None:
            wrong.append(
                f"{path}:{at}: `{text}` is none of dial, hears, press, silence, hang up, ended (silence 6s)"
            )
            continue
        kind = str(found.lastgroup and next(k for k in _KINDS if found[k] is not None))
        what = next((found[name] for name in _WORDS if found[name] is not None), "")
        lines.append(Line(at, kind, what.strip(), text, found["caller"] or ""))
    if wrong:
        raise Failed("\n".join(wrong))
    if any(line.kind == "dial" for line in lines[1:]):
        raise Failed(f"{path}: `dial` stands in the first line, and only there")
    return lines


_KINDS = ("dial", "hears", "press", "silence", "hang_up", "ended")
_WORDS = ("number", "what", "keys", "seconds", "cause")


class Differs(Failed):
    """The call went another way than the script says."""


class Replay:
    """Does what a script says, and compares what is heard with it."""

    def __init__(
        self,
        path: Path,
        lines: list[Line],
        clock: Clock,
        press: Callable[[str], None],
        hang_up: Callable[[], None],
    ) -> None:
        self._path = path
        self._lines = [line for line in lines if line.kind != "dial"]
        self._clock = clock
        self._press = press
        self._hang_up = hang_up
        self._heard = clock.queue()
        self._done: list[str] = []

    def happened(self, event: dict[str, Any]) -> None:
        """An event of the call."""
        if event["kind"] in ("said", "music", "ended"):
            self._heard.put(event)

    def play(self) -> None:
        """All lines, then the receiver is put down; :class:`Differs` at the first difference."""
        for line in self._lines:
            if line.kind == "press":
                self._press(line.what)
            elif line.kind == "silence":
                self._clock.sleep(float(line.what))
            elif line.kind == "hang_up":
                self._hang_up()
                return
            else:
                self._compare(line)
                if line.kind == "ended":
                    return
            self._done.append(line.text)
        self._hang_up()

    def _compare(self, line: Line) -> None:
        end = self._clock.monotonic() + PATIENCE
        while True:
            try:
                event = self._heard.get(max(0.0, end - self._clock.monotonic()))
            except Empty:
                raise self._differs(line, f"nothing within {PATIENCE:g} s") from None
            kind, key, text = event["kind"], event.get("key", ""), event["text"]
            if line.kind == "ended" and kind == "ended" and line.what in ("", text):
                return
            if line.kind == "hears" and kind == "music" and line.what == "music":
                return
            if line.kind == "hears" and kind == "said" and (line.what == key or line.what in text):
                return
            if kind == "music":
                continue  # it plays between prompts, and over again: only who asks for it compares it
            raise self._differs(line, as_line(event))

    def _differs(self, line: Line, came: str) -> Differs:
        before = "".join(f"  {text}\n" for text in self._done[-3:])
        return Differs(f"{self._path}:{line.at} differs\n{before}- {line.text}\n+ {came}")


def as_line(event: dict[str, Any]) -> str:
    """An event as a line of a script."""
    if event["kind"] == "ended":
        return f"ended {event['text']}"
    if event["kind"] == "music":
        return "hears music"
    words = " ".join(str(event["text"]).split())
    key = str(event.get("key", ""))
    return f"hears {key}  # {words}" if key else f"hears {words.partition(' #')[0]}"


class Record:
    """Writes a call down as it happens."""

    def __init__(self, file: TextIO, number: str, caller: str) -> None:
        self._file = file
        self._keys = ""
        self._silence = 0.0
        self._ours = False
        self._write(f"dial {number}{f' from {caller}' if caller else ''}")

    def pressed(self, keys: str) -> None:
        """The person pressed keys."""
        self._silence = 0.0
        self._keys += keys

    def hung_up(self) -> None:
        """The person hangs up."""
        self._ours = True

    def happened(self, event: dict[str, Any], music_again: bool) -> None:
        """An event of the call."""
        kind = event["kind"]
        if kind == "silence":
            self._silence = float(event["seconds"])
        elif kind in ("said", "ended") or (kind == "music" and not music_again):
            self._pause()
            self._write("hang up" if kind == "ended" and self._ours else as_line(event))

    def _pause(self) -> None:
        if self._keys:
            self._write(f"press {self._keys}")
        elif self._silence:
            self._write(f"silence {self._silence:g}s")
        self._keys, self._silence = "", 0.0

    def _write(self, line: str) -> None:
        self._file.write(line + "\n")
        self._file.flush()
