"""``silence``: nothing is heard for a while."""

from __future__ import annotations

from pydantic import Field

from engine.flows.step import Step
from engine.schema.fields import Duration


class Silence(Step):
    """``seconds`` is written ``for``: ``- silence: 500ms``."""

    kind = "silence"
    short = "for"

    seconds: Duration = Field(alias="for")
