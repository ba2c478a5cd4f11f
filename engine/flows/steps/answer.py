"""``answer``: the call is answered; harmless when it already is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.flows.step import Step

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run


class Answer(Step):
    """Until then nobody pays, and nothing but ringing is heard."""

    kind = "answer"
    bare = True

    def run(self, run: Run) -> Move:
        run.call.answer()
        return None
