"""``music``: music for a while; no key ends it."""

from __future__ import annotations

from pydantic import Field

from engine.flows.step import Step
from engine.schema.fields import Duration, Ident


class Music(Step):
    """``sound`` is the music's name; ``seconds`` (written ``for``) how long."""

    kind = "music"

    sound: Ident = "default"
    seconds: Duration = Field(alias="for")
