"""``fax``: queues a document for a fax machine; the engine sends it, and tries again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, StringConstraints

from engine.errors import DialRefused, FaxError, StoreError
from engine.flows.asking import valued
from engine.flows.expressions import ExpressionError
from engine.flows.scope import UnknownName
from engine.flows.step import Into, Step, Types, Values
from engine.flows.types import TEXT, WHOLE, Type, record
from engine.flows.values import Val
from engine.schema.fields import PromptRef, Target

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run


class Fax(Step):
    """The flow goes on when the fax is queued."""

    kind = "fax"
    needs_caller = False
    takes_private = frozenset()
    writes_prompts = True

    document: PromptRef
    """A prompt (or a text) that is read and not heard, in the caller's language; `¶` is a new line."""
    values: Values = Field(default_factory=dict)
    """Values for it, beside the names of the flow."""
    to: Val
    """The number of the fax machine."""
    title: Val | None = None
    """What it is, for people."""
    trunk: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,30}$")] | None = None
    """The trunk that it goes out through."""
    into: Into | None = None
    """Gets a record: `id` and `pages`."""
    failed: Target
    """Where it leads when it could not be drawn, the number is not allowed, or the switch has no fax machine."""

    def born_type(self, name: str, types: Types) -> Type:
        return record("fax", id=TEXT, pages=WHOLE)

    def run(self, run: Run) -> Move:
        services, scope = run.services, run.scope
        run.checkpoint()
        run.flush()
        try:
            number = str(self.to.get(scope) or "").strip()
            title = str(self.title.get(scope) or "") if self.title is not None else ""
            extra = {**dict(scope), **valued(run, self.values)}
            text = services.prompts.wording(self.document, extra, run.call.language, run.department)
            if services.faxes is None:
                raise FaxError("this engine sends no faxes")
            fax = services.faxes.queue(
                run.step_key,
                number,
                text,
                call=run.call.id,
                flow=run.frame.flow.name,
                title=title,
                trunk=self.trunk or "",
            )
        except (FaxError, DialRefused, StoreError, OSError, UnknownName, ExpressionError) as error:
            return run.fail(self, str(error), self.failed)
        if self.into is not None:
            run.bear(self.into, {"id": fax.id, "pages": fax.pages})
        return None
