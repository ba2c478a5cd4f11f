"""``answer``: the call is answered; harmless when it already is."""

from __future__ import annotations

from engine.flows.step import Step


class Answer(Step):
    kind = "answer"
    bare = True
