"""Asking a caller for keys: what menu, collect and confirm share.

A prompt is given up to ``attempts`` times. Silence and a wrong answer each have their word before the next try;
after the last one the step's ``give_up`` way is taken. Keys pressed in an earlier prompt count, unless ``flush``;
those typed in one go with a wrong answer do not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from engine.esl.commands import Digits
from engine.flows import private
from engine.flows.expressions import ExpressionError
from engine.flows.private import Handed, Lost
from engine.flows.scope import UnknownName
from engine.flows.step import Again, Values

if TYPE_CHECKING:
    from engine.flows.run import Run

T = TypeVar("T")

BURST = 1.0
"""Seconds: what follows a wrong key faster, key by key, was typed with it. A hurried hand needs 0.2 s, and half a
second to hear that something is wrong."""
SILENT = "silent"
WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Given:
    """A good answer. A class of its own, because an answer may well be 0 or ""."""

    value: Any


class Question(Protocol):
    """What is asked, and how: an :class:`~engine.flows.step.Ask`, or a question within another step."""

    @property
    def label(self) -> str: ...
    @property
    def prompt(self) -> str | None: ...
    @property
    def values(self) -> Values: ...
    @property
    def attempts(self) -> int: ...
    @property
    def again(self) -> Again: ...
    @property
    def interrupt(self) -> bool: ...
    @property
    def flush(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """A question within a step; without a ``prompt`` what was said before is the question."""

    label: str
    prompt: str | None
    attempts: int = 3
    again: Again = field(default_factory=Again)
    interrupt: bool = True
    flush: bool = False
    values: Values = field(default_factory=dict)


def valued(run: Run, values: Values) -> Handed:
    """The values of a ``with`` or ``values`` mapping, as they are now, with what is private or secret of them."""
    scope, made = run.scope, Handed()
    for name, value in values.items():
        made[name] = value.get(scope)
        if (mark := private.computed(run, value)) is not None:
            made.marks[name] = mark
    return made


def told(run: Run, values: Values) -> dict[str, Any]:
    """The values of a ``tell`` or ``data`` mapping: what is not known on this way is left out, and so is (beside what
    the checker tells of) what may not be written down."""
    scope = run.scope
    known = {}
    for name, value in values.items():
        try:
            mark = private.computed(run, value)
            if mark is None or mark.kind == private.PART:
                known[name] = value.get(scope)
        except (UnknownName, ExpressionError, Lost):
            continue
    return known


def ask(
    run: Run,
    step: Question,
    digits: Digits,
    judge: Callable[[str], Given | None],
    *,
    secret: bool = False,
    extra: Mapping[str, Any] | None = None,
) -> Given | None:
    """Ask until ``judge`` takes an answer; None when the attempts are used up. ``extra`` are more values of the
    prompt."""
    if step.flush:
        run.typed_ahead = ""
    extra = valued(run, step.values).also(extra or {})
    _came_to(run, "")
    attempt = 0
    while attempt < step.attempts:
        heard = ask_once(run, step.prompt, digits, extra, interrupt=step.interrupt, secret=secret)
        if heard is not None and heard == run.stray:
            run.stray = ""
            continue  # the key that ends digits, pressed after the last one that was needed: no answer
        run.stray = ""
        found = None if heard is None else judge(heard)
        if found is not None:
            if len(heard or "") == digits.maximum:
                run.stray = digits.terminators
            _came_to(run, "declined")  # unless a queue follows
            return found
        attempt += 1
        reason = "silent" if heard is None else "wrong"
        run.call.journal("input.refused", step=step.label, reason=reason, attempt=attempt)
        if attempt < step.attempts:
            if heard is None:
                run.speak(step.again.silent or SILENT, interrupt=step.interrupt)
            else:
                say_wrong(run, step.again.wrong or WRONG, interrupt=step.interrupt)
    return None


def say_wrong(run: Run, word: str, *, interrupt: bool) -> None:
    """Tell the caller that the answer was none. What was typed in one go with it is dropped (docs/decisions/0037)."""
    run.typed_ahead = ""
    run.speak(word, interrupt=interrupt, settle=BURST)


def _came_to(run: Run, what: str) -> None:
    """Of a call back that nobody was free for, that stays what it came to."""
    if run.call.callback and run.call.came_to != "nobody":
        run.call.came_to = what


def ask_once(
    run: Run,
    prompt: str | None,
    digits: Digits,
    extra: Mapping[str, Any] | None = None,
    *,
    interrupt: bool = True,
    secret: bool = False,
) -> str | None:
    """Ask once; None when nothing, or too little, was typed. What was typed ahead counts."""
    said = None
    if prompt is not None and interrupt and not secret and not run.typed_ahead and run.resumption is None:
        said = run.prepared(prompt, extra)
    typed, ended = _typed_ahead(run, digits)
    if ended:
        return typed
    with run.private_keys(secret):
        return run.listen(prompt, digits, extra, interrupt=interrupt, typed=typed, said=said)


def _typed_ahead(run: Run, digits: Digits) -> tuple[str, bool]:
    """What was typed before the prompt, and whether it is a whole answer already."""
    typed = run.typed_ahead
    run.typed_ahead = ""
    for at, key in enumerate(typed):
        if key in digits.terminators:
            run.typed_ahead = typed[at + 1 :]
            return typed[:at], at >= digits.minimum
        if at + 1 == digits.maximum:
            run.typed_ahead = typed[at + 1 :]
            return typed[: at + 1], True
    return typed, False
