"""``command``: a department changes something, exactly once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from engine.errors import DepartmentFailed, Pending, Refused
from engine.flows.asking import valued
from engine.flows.moves import Go
from engine.flows.scope import UnknownName
from engine.flows.step import Into, Step, Types, Values
from engine.flows.types import ANY, Type, of_annotation, of_fields
from engine.flows.values import Val
from engine.schema.fields import CommandRef, Duration, Name, Target
from engine.schema.shapes import wrong

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run


class Command(Step):
    """What was done is not done again after a restart; the first result is given."""

    kind = "command"
    needs_caller = False
    needs_id = True

    do: CommandRef
    """The command, `department.name`."""
    with_: Values = Field(default_factory=dict, alias="with")
    """The command's arguments."""
    into: Into | None = None
    """Gets its result."""
    within: Duration = 5.0
    """How long it may take."""
    once: Val | None = None
    """A key that holds across calls, in place of call, `id` and visit: a redial hears the first result."""
    refused: dict[Name, Target] = Field(default_factory=dict)
    """Where each refusal leads that the command declares."""
    pending: Target | None = None
    """Where it leads when the result is not known in time; `failed` when left out."""
    failed: Target
    """Where it leads when anything else goes wrong."""

    takes_secret = frozenset({"with"})
    takes_private = frozenset({"with"})

    def born_type(self, name: str, types: Types) -> Type:
        found = types.known.commands.get(self.do)
        if found is None:
            return ANY
        return of_annotation(found.result) if found.fields is None else of_fields(self.do, found.fields)

    def how(self, way: str) -> str:
        kind, _, reason = way.partition(".")
        words = {"refused": f"refuses as {reason}", "pending": "does not tell its result"}
        return f"{self.do} {words.get(kind, 'fails')}"

    @model_validator(mode="after")
    def _has_key(self) -> Self:
        if self.id is None:
            raise wrong(
                "missing-id",
                "a command must have an `id`: what it did is kept by it",
                "add `id: name` beside it",
            )
        return self

    def run(self, run: Run) -> Move:
        run.checkpoint()
        run.flush()
        key = run.step_key
        try:
            if self.once is not None:
                key = f"{self.do}:{self.once.get(run.scope)}"
            outcome = run.services.departments.do(
                self.do,
                valued(run, self.with_).sealed(),
                key=key,
                within=self.within,
                call=run.call.id,
                patient=self.pending is not None,
            )
        except (DepartmentFailed, UnknownName) as error:
            # A name is unknown when it was a secret, and died with the engine before this one.
            return run.fail(self, str(error), self.failed)
        if isinstance(outcome, Refused):
            run.refusal = {"reason": outcome.reason, **outcome.details}
            run.call.journal("command.refused", command=self.do, reason=outcome.reason)
            refused = self.refused.get(outcome.reason)
            if refused is None:
                return Go(self.failed, way="failed")
            return Go(refused, way=f"refused.{outcome.reason}")
        if isinstance(outcome, Pending):
            run.call.journal("command.pending", command=self.do, key=key)
            return run.fail(self, str(outcome), self.pending or self.failed)
        run.call.journal("command.done", command=self.do, key=key)
        if self.into is not None:
            run.bear(self.into, outcome.value)
        return None
