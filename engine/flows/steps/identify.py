"""``identify``: who calls, by the caller's number; ``party`` is filled, or stays unknown."""

from __future__ import annotations

from typing import Literal

from engine.flows.step import Step


class Identify(Step):
    kind = "identify"
    short = "by"
    needs_caller = False

    by: Literal["number"] = "number"
