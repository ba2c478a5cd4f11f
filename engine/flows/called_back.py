"""What a caller is led through who is called back: a flow for each department and queue that promises it.

``<department>/callback_<queue>`` is a flow like any other (a running call can be taken up in it). Where the department
has written one of that name, that one leads; else it is made here: a greeting that asks for a key, because a machine
presses none, and then the queue, in front of those who wait.

Who keeps a place is led by ``<department>/kept_<queue>``: an agent is reserved already, and hears who answers. So its
greeting asks nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from engine.flows.steps.callback import Callback

if TYPE_CHECKING:
    from engine.flows.model import Flow

#: The common prompts that the made flow says.
PROMPTS: Final = ("callback_greeting", "no_agents", "bye")
#: What whoever is owed a call, and calls in again, is asked and told (engine.flows.kept_offer).
ASKED_AGAIN: Final = ("callback_kept", "callback_stays")
KEPT_PROMPTS: Final = ("callback_connecting", "no_agents", *ASKED_AGAIN)
PRIORITY: Final = 80


def flow_name(department: str, queue: str, kept: bool = False) -> str:
    """The flow that leads a call back for this queue; ``kept``: of one who keeps a place in it."""
    return f"{department}/{'kept' if kept else 'callback'}_{queue}"


def made_for(flows: Mapping[str, Flow]) -> list[Flow]:
    """The flows that callback steps of these flows need and nobody wrote."""
    wanted: dict[str, tuple[str, tuple[str, ...], bool]] = {}
    for flow in flows.values():
        for block in flow.blocks.values():
            for step in block.steps:
                if isinstance(step, Callback):
                    name = flow_name(flow.department, step.queue, step.keep_place)
                    if name not in flows:
                        wanted.setdefault(name, (step.queue, flow.languages, step.keep_place))
    if not wanted:
        return []
    from engine.flows.loader import flow_of_tree  # the loader makes flows, and so needs the model
    from engine.flows.steps import STEPS

    return [
        flow_of_tree((_kept if kept else _tree)(name, queue, languages), "", {}, STEPS)
        for name, (queue, languages, kept) in sorted(wanted.items())
    ]


def _kept(name: str, queue: str, languages: tuple[str, ...]) -> dict[str, Any]:
    tree = _tree(name, queue, languages)
    blocks = tree["blocks"]
    step = {key: value for key, value in blocks["wait"][0]["queue"].items() if key != "priority"}
    tree["start"] = "greet"
    tree["blocks"] = {
        "greet": [{"play": "callback_connecting"}, {"queue": step}, "stop"],
        "nobody": blocks["nobody"],
    }
    return tree


def _tree(name: str, queue: str, languages: tuple[str, ...]) -> dict[str, Any]:
    return {
        "grammar": "1",
        "flow": name,
        "revision": "1",
        "title": f"Called back for {queue}",
        "languages": list(languages),
        "params": ["callback"],
        "start": "greet",
        "blocks": {
            "greet": [
                {
                    "menu": {
                        "prompt": "callback_greeting",
                        "options": {"1": "wait", "2": "no_more"},
                        "attempts": "2",
                        "give_up": "unheard",
                    }
                }
            ],
            "wait": [
                {
                    "queue": {
                        "name": queue,
                        "priority": str(PRIORITY),
                        "tell": {
                            "callback": "{callback.id}",
                            "call": "{callback.call}",
                            "about": "{callback.data}",
                        },
                        "full": "nobody",
                        "too_long": "nobody",
                        "no_agents": "nobody",
                    }
                },
                "stop",
            ],
            "nobody": [{"play": "no_agents"}, "hangup"],
            "no_more": [{"play": "bye"}, "hangup"],
            "unheard": ["hangup"],
        },
    }
