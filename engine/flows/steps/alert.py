"""``alert``: tells people behind the desk, beside the call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from engine.errors import InsidelineError
from engine.flows.asking import told
from engine.flows.expressions import ExpressionError
from engine.flows.scope import UnknownName
from engine.flows.step import Step, Values
from engine.flows.steps.ticket import GroupRef
from engine.flows.values import Val
from engine.schema.fields import Duration, PromptRef

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run


class Alert(Step):
    """The call never waits for it; the journal says what became of it."""

    kind = "alert"
    needs_caller = False
    lenient = frozenset({"values"})
    takes_private = frozenset()
    writes_prompts = True

    to: GroupRef
    """The group of conf/notify.yaml that is told."""
    text: PromptRef
    """The prompt that is read or spoken to them; every value that it speaks is kept with the alert."""
    values: Values = Field(default_factory=dict)
    """Values for the text. One that is not known is left out."""
    level: Literal["info", "warning", "critical"] = "warning"
    """How bad it is."""
    once: Val | None = Field(default=None, alias="key")
    """What it is about: the same key is told once within `window`. Without a key: once for this step and visit."""
    window: Duration = 600.0
    """How long the same key is not told again."""

    def run(self, run: Run) -> Move:
        call, records = run.call, run.services.records
        if records is None:
            call.journal("alert.failed", to=self.to, why="there are no records")
            return None
        department = run.department
        try:
            key = f"{department}:{self.once.get(run.scope)}" if self.once is not None else run.step_key
        except (UnknownName, ExpressionError) as error:
            call.journal("alert.failed", to=self.to, why=str(error))
            return None
        values = told(run, self.values)
        # Without a key of its own: this visit, however long ago (a call that is taken up again makes none anew).
        window = self.window if self.once is not None else 30 * 86400.0

        def add(session: Any) -> str:
            return records.add_notice(
                session, self.to, self.text, values, level=self.level, key=key, window=window,
                department=department, call=call.id,
            )  # fmt: skip

        def tell() -> None:
            try:
                made = records.work(add)
            except InsidelineError as error:
                call.journal("alert.failed", to=self.to, why=str(error))
                return
            call.journal(
                "alert.kept" if made else "alert.repeated", to=self.to, notice=made, level=self.level
            )

        run.clock.spawn(tell)
        return None
