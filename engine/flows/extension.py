"""Straight to a person: a rule of the dialplan that rings a phone.

It is a flow of one step, so that such a call has its place like any other: an engine that comes after this one finds
the ring or the talk, and knows what follows it. The flow is the engine's own and in no flow set.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from engine.flows.model import Flow

EXTENSION: Final = "engine/extension"
"""The flow's name; its parameter is ``extension``."""


@cache
def extension_flow() -> Flow:
    """The flow."""
    # The loader makes flows of steps, and those run what needs this module.
    from engine.flows.loader import flow_of_tree
    from engine.flows.steps import STEPS

    ways = dict.fromkeys(("busy", "no_answer", "failed"), "missed")
    tree = {
        "grammar": "1",
        "flow": EXTENSION,
        "revision": "1",
        "title": "A phone of the house",
        "languages": ["en"],
        "params": ["extension"],
        "start": "ring",
        "blocks": {
            "ring": [
                {"transfer": {"extension": "{extension}", "after": "over", "unknown": "nobody", **ways}}
            ],
            "missed": [{"play": "all_busy"}, "hangup"],
            "nobody": [{"play": "unknown_number"}, "hangup"],
            "over": ["hangup"],
        },
    }
    return flow_of_tree(tree, "", {}, STEPS)
