"""``journal``: an event of the flow's own in the journal."""

from __future__ import annotations

from engine.flows.step import Step, Values
from engine.schema.fields import Ident


class Journal(Step):
    kind = "journal"
    short = "event"
    needs_caller = False

    event: Ident
    data: Values = {}
