"""``rate``: a question of a survey, answered by one key and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, PlainValidator, WithJsonSchema

from engine.esl.commands import Digits
from engine.flows.asking import Given, ask
from engine.flows.moves import Go
from engine.flows.step import Again, Into, Step, Values
from engine.flows.types import WHOLE, Type
from engine.schema.fields import Attempts, Duration, Flag, Name, PromptRef, Span, Target, text_of
from engine.schema.shapes import wrong

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run
    from engine.flows.step import Types


def _scale(value: Any) -> Span:
    if isinstance(value, Span):
        return value
    text = text_of(value, "a scale")
    least, _, most = text.partition("-")
    if (
        len(least) != 1
        or len(most) != 1
        or not text.isascii()
        or not (least + most).isdigit()
        or least >= most
    ):
        raise wrong("scale", f"`{text}` is not a scale", "write 1-5, or 0-9: each mark is one key")
    return Span(int(least), int(most))


Scale = Annotated[
    Span,
    PlainValidator(_scale),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]-[0-9]$", "examples": ["1-5"]}),
]


class Rate(Step):
    """The mark is kept with the call, its agent, queue and department."""

    kind = "rate"
    waits = True

    question: Name
    """The name that reports know it by."""
    prompt: PromptRef
    """The question."""
    scale: Scale = Span(1, 5)
    """The marks, each one key."""
    values: Values = Field(default_factory=dict)
    """Values for the prompt, beside the names of the flow."""
    into: Into | None = None
    """Gets the mark, a number. It is born with a mark only: test it with `is known`."""
    first: Duration = 6.0
    """How long to wait for the key."""
    attempts: Attempts = 2
    """How often it is asked."""
    again: Again = Again()
    """What is said before it is asked again."""
    interrupt: Flag = True
    """May a key end the prompt?"""
    flush: Flag = False
    """Drop the keys that were pressed before."""
    give_up: Target | None = None
    """Where a caller leads who gives no mark; the next step when left out."""

    def born_type(self, name: str, types: Types) -> Type:
        return WHOLE

    def run(self, run: Run) -> Move:
        digits = Digits(minimum=1, maximum=1, first=self.first, terminators="")
        marks = range(self.scale.least, self.scale.most + 1)
        given = ask(
            run, self, digits, lambda key: Given(int(key)) if key.isdigit() and int(key) in marks else None
        )
        if given is None:
            return None if self.give_up is None else Go(self.give_up, way="give_up")
        call = run.call
        run.services.ratings.add(
            run.step_key,
            self.question,
            given.value,
            self.scale.most,
            call=call.id,
            department=call.first_flow.partition("/")[0],
            flow=run.frame.flow.name,
            queue=call.queue,
            agent=call.agent,
            language=call.language,
            party=run.party.id or None if run.party is not None and not run.deferred else None,
        )
        call.journal("rating.given", question=self.question, score=given.value, most=self.scale.most)
        if self.into is not None:
            run.bear(self.into, given.value)
        return None
