"""``identify``: who calls, by the caller's number, or by a code that is typed, with a PIN or without.

The party that is found is ``party`` in the flow from then on. Nobody is told whether it was the code or the PIN that
was wrong, and the time that it takes does not tell it either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import PlainValidator, WithJsonSchema, model_validator

from engine.errors import LoginRefused, StoreError
from engine.esl.commands import Digits
from engine.flows import identify, identity
from engine.flows.asking import SILENT, WRONG, ask_once, say_wrong
from engine.flows.moves import Go
from engine.flows.step import Again, Step
from engine.flows.steps.collect import End
from engine.flows.values import Val
from engine.schema.fields import Attempts, Duration, Flag, Length, PromptRef, Span, Target, text_of
from engine.schema.shapes import wrong
from engine.types import PartyView

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run

By = Literal["number", "code", "code+pin"]
_TYPED = "~code"  # where the code waits while the PIN is typed; no flow can write such a name


def _kinds(value: Any) -> tuple[str, ...]:
    given = value if isinstance(value, (list, tuple)) else [value]
    found = tuple(str(text_of(one, "a kind of party")) for one in given)
    if not found or not all(one.replace("_", "a").isalnum() and one.islower() for one in found):
        raise wrong(
            "kind", "a kind of party is lower-case letters, digits and _", "dealer, [dealer, supplier]"
        )
    return found


Kinds = Annotated[
    tuple[str, ...],
    PlainValidator(_kinds),
    WithJsonSchema({"type": ["string", "array"], "items": {"type": "string"}, "examples": ["dealer"]}),
]


class Identify(Step):
    """The party that is found is ``party`` from then on. Nobody is told whether it was the code or the PIN that was
    wrong, and the time that it takes does not tell it either."""

    kind = "identify"
    short = "by"
    waits = True
    takes_private = frozenset({"number"})  # it is looked up, and not written down

    by: By
    """`number` asks nothing and looks up the caller's number; `code` asks for the code, `code+pin` for the PIN too.
    """
    of: Kinds = ()
    """The kinds of parties that are meant, one or a list; any when left out."""
    number: Val | None = None
    """A number to look up instead of the caller's (for `by: number`)."""
    prompt: PromptRef | None = None
    """Asks for the code."""
    pin: PromptRef | None = None
    """Asks for the PIN."""
    length: Length = Span(1, 16)
    """How many digits the code has."""
    pin_length: Length = Span(4, 12)
    """How many digits the PIN has."""
    end: End = "#"
    """The key that ends them."""
    first: Duration = 6.0
    """How long to wait for the first key."""
    between: Duration = 3.0
    """The pause between two keys that ends them, too."""
    attempts: Attempts = 3
    """How often both are asked for."""
    again: Again = Again()
    """What is said before they are asked for again."""
    interrupt: Flag = True
    """May a key end the prompt?"""
    flush: Flag = False
    """Drop the keys that were pressed before."""
    unknown: Target | None = None
    """Where it leads when it is nobody; for a number the next step, for a code `give_up` when left out."""
    give_up: Target | None = None
    """Where a caller leads who typed nothing."""
    locked: Target | None = None
    """Where it leads when the party or the number is locked, after too many wrong PINs."""
    failed: Target | None = None
    """Where it leads when nobody can be looked up; when left out, the caller stays unknown."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.by == "number":
            for at in ("prompt", "pin", "give_up", "locked"):
                if getattr(self, at) is not None:
                    raise wrong("identify", f"`{at}` is for `by: code` and `by: code+pin`", at=at)
            return self
        if self.number is not None:
            raise wrong("identify", "`number` is for `by: number`", at="number")
        needed = ("prompt", "give_up") if self.by == "code" else ("prompt", "pin", "give_up", "locked")
        for at in needed:
            if getattr(self, at) is None:
                raise wrong("identify", f"`by: {self.by}` needs `{at}`", at="by")
        if self.by == "code":
            for at in ("pin", "locked"):
                if getattr(self, at) is not None:
                    raise wrong("identify", f"`{at}` is for `by: code+pin`", at=at)
        return self

    def run(self, run: Run) -> Move:
        if self.flush:
            run.typed_ahead = ""
        try:
            move = self._by_number(run) if self.by == "number" else self._by_code(run)
        except (identify.NotKnown, StoreError):
            # Without a way of its own: as when nobody was found.
            way = self.failed or self.unknown or self.give_up
            run.forget(_TYPED)
            return None if way is None else run.fail(self, "the parties can't be looked up", way)
        run.forget(_TYPED)
        return move

    def _by_number(self, run: Run) -> Move:
        run.checkpoint()
        run.flush()
        number = run.call.number if self.number is None else str(self.number.get(run.scope) or "")
        party = identify.find(run, "number", run.services.numbers.e164(number), self.of)
        if party is not None:
            return self._known(run, party)
        return None if self.unknown is None else Go(self.unknown, way="unknown")

    def _by_code(self, run: Run) -> Move:
        names = run.frame.names
        typed = False
        if run.deferred:
            run.resumption = (
                None  # nobody can tell whether it was the code that was typed, or the PIN: once more
            )
        for attempt in range(1, self.attempts + 1):
            # A call that was taken up while the PIN was typed goes on with the PIN.
            code = names.pop(_TYPED, None) or self._ask(run, self.prompt, self.length)
            found: PartyView | str | None = None
            if code is not None:
                typed = True
                found = self._checked(run, code)
                if isinstance(found, str):
                    run.call.journal("party.refused", step=run.call.step, reason=found)
                    if found == "locked":
                        assert self.locked is not None
                        return Go(self.locked, way="locked")
                elif found is not None:
                    return self._known(run, found)
            reason = "silent" if code is None or found == "silent" else "wrong"
            run.call.journal("input.refused", step=self.label, reason=reason, attempt=attempt)
            if attempt < self.attempts:
                if reason == "silent":
                    run.speak(self.again.silent or SILENT, interrupt=self.interrupt)
                else:
                    say_wrong(run, self.again.wrong or WRONG, interrupt=self.interrupt)
        assert self.give_up is not None
        if typed and self.unknown is not None:
            return Go(self.unknown, way="unknown")
        return Go(self.give_up, way="give_up")

    def _checked(self, run: Run, code: str) -> PartyView | str | None:
        """The party; or ``silent``, ``wrong_pin``, ``locked``; None for an unknown code that needed no PIN."""
        if self.by == "code":
            run.checkpoint()
            run.flush()
            return identify.find(run, "code", code, self.of)
        taken_up = run.resumption is not None
        run.bear(_TYPED, code, secret=run.deferred)
        pin = self._ask(run, self.pin, self.pin_length, secret=True)
        if pin is None and taken_up:
            # What was typed died with the engine that had asked for it: that is not the caller's silence.
            pin = self._ask(run, self.pin, self.pin_length, secret=True)
        run.forget(_TYPED)
        if pin is None:
            return "silent"
        run.checkpoint()
        run.flush()
        party = identify.find(run, "code", code, self.of)
        parties = run.services.parties
        if parties is None:
            raise identify.NotKnown
        try:
            parties.check_pin(party, pin, code=code, origin=identity.origin(run))
        except LoginRefused as refused:
            return refused.reason
        return party

    def _ask(self, run: Run, prompt: str | None, length: Span, *, secret: bool = False) -> str | None:
        assert prompt is not None
        digits = Digits(
            minimum=length.least,
            maximum=length.most,
            first=self.first,
            between=self.between,
            terminators=self.end,
        )
        while True:
            heard = ask_once(run, prompt, digits, interrupt=self.interrupt, secret=secret)
            if heard is None or heard != run.stray:
                run.stray = digits.terminators if heard is not None and len(heard) == length.most else ""
                return heard
            run.stray = ""  # the key that ends digits, pressed after the last one that was needed: no answer

    def _known(self, run: Run, party: PartyView) -> Move:
        identity.know(run, party)
        run.call.journal("party.identified", by=self.by, **identity.told(run))
        return None
