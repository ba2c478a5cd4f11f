"""``say``: a prompt with values, spoken in the caller's language; with ``each`` once for every entry of a list.

The prompt's slots are filled from the flow's names; ``values`` gives or renames some of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field, model_validator

from engine.flows.asking import valued
from engine.flows.expressions import Expr, Expression
from engine.flows.moves import Go
from engine.flows.private import entry_mark
from engine.flows.step import Step, Values
from engine.flows.types import ANY, WHOLE, Type
from engine.schema.fields import Duration, Flag, Key, Name, PromptRef, Target, whole
from engine.schema.shapes import Shape, wrong

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run
    from engine.flows.step import Types


_TIMES = whole(1, 5)


class ListKeys(Shape):
    """What keys do while a list is said: say the entry again, skip to the next one, go back to the one before, stop."""

    repeat: Key | None = None
    """Says the entry again."""
    skip: Key | None = None
    """Goes on to the next."""
    back: Key | None = None
    """Goes back to the one before."""
    stop: Key | None = None
    """Ends the list."""

    @model_validator(mode="after")
    def _apart(self) -> Self:
        keys = [key for key in (self.repeat, self.skip, self.back, self.stop) if key is not None]
        if len(set(keys)) < len(keys):
            raise wrong("keys", "one key means two things")
        return self


class Say(Step):
    """A key ends it, and counts for the question that follows; in a list the ``keys`` steer instead."""

    kind = "say"
    short = "prompt"

    prompt: PromptRef
    """What is said."""
    values: Values = Field(default_factory=dict)
    """Values for it, beside the names of the flow."""
    each: Expr | None = None
    """An expression that gives a list: it is said for every entry."""
    as_: Name | None = Field(default=None, alias="as")
    """What the prompt calls an entry; its place is `number` of `count`."""
    keys: ListKeys | None = None
    """What keys do while the list is said."""
    none: Target | None = None
    """Where an empty list leads; the next step when left out."""
    repeat: Annotated[int, _TIMES[0], _TIMES[1]] = 1
    """How often it is said in all."""
    pause: Duration = 0.5
    """The pause between, and behind each entry of a list."""
    interrupt: Flag = True
    """May a key end it?"""
    flush: Flag = False
    """Drop the keys that were pressed before it."""

    @model_validator(mode="after")
    def _list(self) -> Self:
        if self.each is None:
            for field, value in (("as", self.as_), ("keys", self.keys), ("none", self.none)):
                if value is not None:
                    raise wrong(
                        "say", f"`{field}` is for `each`", "say which list: each: slip.lines", at=field
                    )
        elif self.as_ is None:
            raise wrong("missing-key", "`as` is missing", "say what the prompt calls an entry: as: line")
        return self

    def lent(self) -> frozenset[str]:
        return frozenset() if self.as_ is None else frozenset({self.as_, "number", "count"})

    def lent_types(self, types: Types) -> Mapping[str, Type]:
        if self.each is None or self.as_ is None:
            return {}
        return {self.as_: types.expression(self.each).item or ANY, "number": WHOLE, "count": WHOLE}

    def check_types(self, types: Types) -> None:
        if self.each is not None:
            check_list(self.each, types)

    def run(self, run: Run) -> Move:
        if self.flush:
            run.typed_ahead = ""
        if self.each is not None and self.as_ is not None:
            entries = entries_of(self.each.evaluate(run.scope))
            if not entries and self.none is not None:
                return Go(self.none, way="none")
            self._list_out(run, entries, self.as_)
            return None
        values = valued(run, self.values)
        for time in range(self.repeat):
            if run.typed_ahead:
                break  # a key ended it
            run.speak(self.prompt, values, interrupt=self.interrupt, pause=self.pause if time else 0.0)
        return None

    def _list_out(self, run: Run, entries: Sequence[Any], name: str) -> None:
        assert self.each is not None
        values, mark = valued(run, self.values), entry_mark(run, self.each, name)
        at, end = int(run.midway.get("n", 0)), len(entries) * self.repeat
        while at < end:
            run.midway = {"n": at}
            entry = entries[at % len(entries)]
            number = at % len(entries) + 1
            extra = values.also({name: entry, "number": number, "count": len(entries)}, mark)
            run.speak(self.prompt, extra, interrupt=self.interrupt)
            if self.pause > 0 and not run.typed_ahead:
                # Behind the entry: a key in it is still about what was just heard.
                run.sound(
                    f"silence_stream://{round(self.pause * 1000)}", self.pause, interrupt=self.interrupt
                )
            at = self._next(run, at)

    def _next(self, run: Run, at: int) -> int:
        """The entry that a key leads to; the one behind when none was pressed."""
        if not run.typed_ahead:
            return at + 1
        key, keys = run.typed_ahead[0], self.keys or ListKeys()
        known = {keys.repeat: at, keys.skip: at + 1, keys.back: max(0, at - 1), keys.stop: _END}
        if key not in known:
            return _END  # it is for the question that follows
        run.typed_ahead = run.typed_ahead[1:]
        return known[key]


_END = 1 << 30


def entries_of(value: Any) -> list[Any]:
    """What a list holds; nothing for None. A FlowFault for what is no list."""
    if value is None:
        return []
    if isinstance(value, (list, tuple)):
        return list(value)
    from engine.flows.run import FlowFault  # it needs the steps' shapes, and so this module

    raise FlowFault(f"`each` wants a list, not {type(value).__name__}")


def check_list(each: Expression, types: Types) -> None:
    """Report an ``each`` that is surely no list."""
    found = types.expression(each)
    if found.known and not found.is_list and not found.optional:
        types.fault(("each",), "no-list", f"`each` wants a list, and this is {found}")
