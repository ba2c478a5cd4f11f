"""How a step may be written (``- answer``, ``- play: bye``, a mapping of its keys), and where a fault within it stands
in the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.flows.step import Step
from engine.schema.faults import did_you_mean
from engine.schema.shapes import keys_of
from engine.schema.source import Broken, Path_

Kinds = Mapping[str, type[Step]]


class StepError(Exception):
    """A step that is no step. ``key`` is the key within it that is meant; no ``code``: already reported."""

    def __init__(self, code: str = "", message: str = "", hint: str = "", key: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.key = key


def normalise(written: Any, kinds: Kinds) -> tuple[type[Step], dict[str, Any]]:
    """The kind of a step and its fields, however it is written. Raises :class:`StepError`."""
    if isinstance(written, str):
        if isinstance(written, Broken):
            raise StepError()
        kind = kinds.get(written)
        if kind is None:
            raise StepError("unknown-step", f"there is no step `{written}`", _steps_hint(written, kinds))
        if not kind.bare:
            raise StepError("shape", f"`{written}` needs a value", f"- {written}: …")
        return kind, {}
    if not isinstance(written, dict) or not written:
        raise StepError("shape", "a step is a word, or a mapping with its kind as a key", "- play: bye")
    word = kind_of(written, kinds)
    if word is None:
        guess = next((key for key in written if key not in _BESIDE), "")
        if not guess:
            raise StepError("unknown-step", "a step must say what it does")
        raise StepError("unknown-step", f"there is no step `{guess}`", _steps_hint(guess, kinds), guess)
    kind = kinds[word]
    args = _body(kind, written[word])
    if len(written) > 1:
        for key, value in written.items():
            if key == word:
                continue
            if key in kinds and key not in keys_of(kind):
                raise StepError("two-steps", f"`{word}` and `{key}` are two steps", "begin a new `- `", key)
            if key in args:
                raise StepError("duplicate-key", f"`{key}` is given twice", key=key)
            args[key] = value
    return kind, args


_BESIDE = ("id", "if")


def _steps_hint(word: str, kinds: Kinds) -> str:
    return did_you_mean(word, kinds, f"the steps are {', '.join(sorted(kinds))}")


def kind_of(
    written: Mapping[str, Any], kinds: Kinds | None = None, kind: type[Step] | None = None
) -> str | None:
    """The key of a written step that says its kind."""
    if kind is not None:
        return kind.kind if kind.kind in written else None
    return next((key for key in written if key in (kinds or {})), None)


def _body(kind: type[Step], body: Any) -> dict[str, Any]:
    if isinstance(body, Broken):
        raise StepError()
    if isinstance(body, str):
        if kind.short:
            return {kind.short: body}
        if kind.bare:
            raise StepError("shape", f"`{kind.kind}` takes no value", f"- {kind.kind}", kind.kind)
    elif kind.whole:
        return {kind.whole: body}
    elif isinstance(body, dict):
        return dict(body)
    if kind.whole:
        return {kind.whole: body}
    raise StepError("shape", f"`{kind.kind}` needs a mapping of its keys", "", kind.kind)


def place_in(written: Any, kind: type[Step]) -> Callable[[Path_], Path_]:
    """From a path within a step's fields to the path within the step as it is written."""

    def place(inner: Path_) -> Path_:
        if not isinstance(written, dict):
            return ()
        if not inner:
            return (kind.kind,) if kind.kind in written else ()
        body = written.get(kind.kind)
        first = inner[0]
        within = isinstance(body, dict) and not kind.whole and first in body
        if first in written and first != kind.kind and not within:
            return inner  # written beside the kind
        if kind.whole and first == kind.whole:
            return (kind.kind, *inner[1:])
        if isinstance(body, str):
            return (kind.kind,)
        return (kind.kind, *inner)

    return place
