"""What callers meet in place of a flow whose department was kept out (its code can't be loaded).

A department that was kept out takes nothing else with it: its flows are read and checked as far as they can be, and in
the compiled set each is replaced by a few steps of the same name. Whoever gets there, by a number of the dialplan or
out of another flow, is led to ``reception/department_away`` where the centre has such a flow (it says so and leads to a
person), else hears that the system can't do this for him. The next set that is compiled with the mended plugin has the
flows themselves again; a call that was led away stays where it is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from engine.flows.known import Known
from engine.flows.loader import Draft, flow_of_tree
from engine.flows.model import Flow
from engine.flows.steps import STEPS

#: The flow that says that a department can't be reached, and leads on. Whoever runs the centre writes it.
AWAY = "reception/department_away"
_TROUBLE = "system_trouble"


def department_of(name: str, departments: Collection[str]) -> str:
    """Which of ``departments`` a name belongs to: a flow (``orders/main``), a query (``orders.price``), a prompt, or a
    step or format (``orders_lookup``) of theirs; "" for none of them."""
    for one in departments:
        if name.startswith(one) and name[len(one) : len(one) + 1] in ("/", ".", "_"):
            return one
    return ""


def mark_away(draft: Draft, departments: Collection[str]) -> None:
    """Say of a flow that it can't run without a department that was kept out: because it is that department's, or
    because a step in it is. That such a step is not known is no fault then."""
    draft.away = draft.name.partition("/")[0] if draft.name.partition("/")[0] in departments else ""
    kept = []
    for fault in draft.faults:
        if fault.code == "unknown-step" and (
            owner := department_of(fault.message.split("`")[1], departments)
        ):
            draft.away = draft.away or owner
        else:
            kept.append(fault)
    draft.faults = kept


def stand_in(draft: Draft, drafts: Mapping[str, Draft], known: Known) -> Flow:
    """The flow that takes the place of ``draft``: of the same name, languages, parameters and outcomes."""
    head = draft.head
    assert head is not None
    steps: list[Any] = [{"journal": {"event": "department_away", "data": {"department": draft.away}}}]
    lead = drafts.get(AWAY)
    if (
        lead is not None
        and lead.head is not None
        and not (lead.away or lead.head.params)
        and set(head.languages) <= set(lead.head.languages)
    ):
        steps.append({"go": AWAY})
    else:
        said = all(known.prompt(_TROUBLE, language, "") is not None for language in head.languages)
        steps += ["answer", *([{"play": _TROUBLE}] if said else []), "hangup"]
    tree = {
        "grammar": str(head.grammar),
        "flow": draft.name,
        "revision": str(head.revision),
        "title": head.title,
        "languages": list(head.languages),
        "params": list(head.params),
        "returns": list(head.returns),
        "outcomes": list(head.outcomes),
        "start": "away",
        "blocks": {"away": steps},
    }
    return flow_of_tree(tree, draft.document.file, {}, STEPS)
