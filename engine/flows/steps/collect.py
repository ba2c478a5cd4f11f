"""``collect``: digits that the caller types, checked for what they should be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from engine.esl.commands import Digits
from engine.flows.asking import Given, ask
from engine.flows.moves import Go
from engine.flows.reading import read
from engine.flows.step import Ask, Into, Types
from engine.flows.types import DATE, DIGITS, NUMBER, TIME, Type
from engine.flows.values import Val, Value
from engine.schema.fields import Duration, Flag, Length, Number, PromptRef, Span, parse_key, text_of
from engine.schema.shapes import wrong

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run


As = Literal["digits", "number", "money", "date", "month", "time", "phone", "code", "pin"]

# How many digits each form has when the flow does not say.
LENGTHS: dict[str, Span] = {
    "digits": Span(1, 32),
    "number": Span(1, 9),
    "money": Span(1, 9),
    "date": Span(8, 8),
    "month": Span(6, 6),
    "time": Span(4, 4),
    "phone": Span(3, 15),
    "code": Span(1, 16),
    "pin": Span(4, 12),
}


def _end(value: Any) -> str:
    if text_of(value, "a key of the phone") == "none":
        return ""
    key = parse_key(value)
    if key not in ("*", "#"):
        raise wrong("key", f"`{key}` is a digit, it can't end the digits", "write `hash`, `star` or `none`")
    return key


_TYPES = {
    "number": NUMBER, "money": NUMBER, "date": DATE, "month": DATE, "time": TIME,
}  # fmt: skip

End = Annotated[str, PlainValidator(_end), WithJsonSchema({"enum": ["hash", "star", "#", "*", "none"]})]


class Collect(Ask):
    """In ``money`` the star is the decimal point. A date is typed as year, month and day in eight digits, a month as
    year and month in six, a time as hours and minutes in four.

    A secret is never spoken, stored or logged.
    """

    kind = "collect"
    lends = frozenset({"value"})
    takes_private = frozenset({"values", "not_before", "not_after"})

    into: Into
    """Gets the value: a text for digits, phone, code and pin; a number for number and money; a date, a month (its
    first day) or a time of day."""
    as_: As = Field(default="digits", alias="as")
    """What is typed."""
    length: Length | None = None
    """How many digits, `8` or `8-14`. When left out: digits 1-32, number and money 1-9, date 8, month 6, time 4,
    phone 3-15, code 1-16, pin 4-12."""
    min: Number | None = None
    """The least number that is right (for number and money)."""
    max: Number | None = None
    """The greatest number that is right."""
    not_before: Val | None = None
    """The first day, month or time that is right."""
    not_after: Val | None = None
    """The last day, month or time that is right."""
    end: End = "#"
    """The key that ends the digits; `none`: they end when they are complete, or with the pause."""
    between: Duration = 3.0
    """The pause between two keys that ends the digits, too."""
    secret: Flag = False
    """Keep it in memory only, like a pin."""
    confirm: PromptRef | None = None
    """A prompt that reads `value` back; 1 accepts it, any other key asks again."""

    @property
    def is_secret(self) -> bool:
        """Must what is typed stay in memory only?"""
        return self.secret or self.as_ == "pin"

    @property
    def digits(self) -> Span:
        """The least and most digits."""
        return self.length or LENGTHS[self.as_]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.min is not None or self.max is not None) and self.as_ not in ("number", "money"):
            at = "max" if self.min is None else "min"
            raise wrong("collect", f"`{at}` is for `as: number` and `as: money`", at=at)
        if self.min is not None and self.max is not None and self.min > self.max:
            raise wrong("collect", "`min` is greater than `max`", at="min")
        if (self.not_before or self.not_after) and self.as_ not in ("date", "month", "time"):
            at = "not_before" if self.not_before else "not_after"
            raise wrong("collect", f"`{at}` is for `as: date`, `month` and `time`", at=at)
        if self.is_secret and self.confirm is not None:
            raise wrong("secret-spoken", "a secret is never read back", at="confirm")
        return self

    def born_type(self, name: str, types: Types) -> Type:
        made = _TYPES.get(self.as_, DIGITS)
        return replace(made, secret=True) if self.is_secret else made

    def lent_types(self, types: Types) -> Mapping[str, Type]:
        return {"value": self.born_type(self.into, types)}

    def through(self) -> str:
        return f"type {self.into}" if self.confirm is None else f"type {self.into} and press 1"

    def check_types(self, types: Types) -> None:
        for name, bound in (("not_before", self.not_before), ("not_after", self.not_after)):
            if bound is not None:
                self._check_bound(name, bound, types)

    def _check_bound(self, name: str, bound: Value, types: Types) -> None:
        """A bound must be a date (for a time: a time of day), or a text that is one."""
        given = types.value(bound)
        clock = self.as_ == "time"
        wanted = "a time of day" if clock else "a day"
        if given.literal is not None:
            try:
                time.fromisoformat(given.literal) if clock else date.fromisoformat(given.literal)
            except ValueError:
                hint = "write 17:30" if clock else "write 2026-12-31"
                types.fault((name,), "wrong-type", f"`{given.literal}` is not {wanted}", hint)
        elif (
            given.known
            and not given.is_text
            and not issubclass(given.of, (datetime, time if clock else date))
        ):
            types.fault((name,), "wrong-type", f"{wanted} is wanted here, not {given}")

    def run(self, run: Run) -> Move:
        given = self._typed(run)
        if given is None:
            return Go(self.give_up, way="give_up")
        run.bear(self.into, given.value, secret=self.is_secret)
        if self.confirm is not None and not self._agreed(run):
            return Go(self.give_up, way="give_up")
        return None

    def _typed(self, run: Run) -> Given | None:
        span, scope = self.digits, run.scope
        # An amount may carry a star and two more digits for the smaller unit.
        maximum = span.most + (3 if self.as_ == "money" else 0)
        digits = Digits(
            minimum=span.least, maximum=maximum, first=self.first, between=self.between, terminators=self.end
        )
        return ask(run, self, digits, lambda typed: read(self, typed, scope), secret=self.is_secret)

    def _agreed(self, run: Run) -> bool:
        """Read what was typed back; 1 is yes, anything else asks once more, three times in all."""
        yes_no = Digits(minimum=1, maximum=1, first=self.first, terminators="")
        assert self.confirm is not None
        for _ in range(self.attempts):
            if run.listen(self.confirm, yes_no, {"value": run.frame.names[self.into]}) == "1":
                return True
            given = self._typed(run)
            if given is None:
                return False
            run.bear(self.into, given.value)
        return False
