"""What flows do at a hang-up (``on_hangup``), for a call that ended without an engine: hung up while none was there, or
gone together with the engine that had begun with it.

Of such a call there is the journal: in which flows it was, who talked with it and for how long, and the names that its
steps of a hang-up read, but for what is private: a step that reads such a one goes its ``failed:`` way, as the journal
says. Each step has the key that it would have had, so what an engine before did is not done again
(docs/decisions/0057).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from engine.calls.call import Call
from engine.calls.leg import Leg
from engine.flows import identity
from engine.flows.identify import party_again
from engine.flows.keeping import Frame
from engine.flows.leaving import word_of
from engine.flows.run import HUNG_UP, Run
from engine.types import CallState, JournalEntry

if TYPE_CHECKING:
    from engine.flows.model import FlowSet
    from engine.flows.services import Services

LOST = "LOST"
"""The cause of a hang-up that nobody heard of."""


def flows_around(flows: FlowSet, entries: Iterable[JournalEntry]) -> list[tuple[str, str]]:
    """The flows that a call was in when its journal ends, the outer ones first: flow, block."""
    stack: list[tuple[str, str]] = []
    for entry in entries:
        if entry.kind != "flow.block":
            continue
        name, block = str(entry.data.get("flow", "")), str(entry.data.get("block", ""))
        known = next((at for at, (flow, _) in enumerate(stack) if flow == name), None)
        if known is not None:
            stack[known:] = [(name, block)]
        elif stack and _runs(flows, *stack[-1], name):
            stack.append((name, block))
        else:
            stack[-1:] = [(name, block)]
    return stack


def _runs(flows: FlowSet, flow: str, block: str, other: str) -> bool:
    """Whether a block runs another flow, and comes back; a ``go`` leads there for good."""
    found = flows.get(flow)
    steps = found.blocks[block].steps if found is not None and block in found.blocks else ()
    return any(step.kind == "run" and getattr(step, "flow") == other for step in steps)  # noqa: B009


def undone(flows: FlowSet, entries: Sequence[JournalEntry]) -> bool:
    """Whether there is something to do for a call that ended so. A flow that hung up itself has nothing to do then."""
    kinds = {entry.kind for entry in entries}
    if f"call.{CallState.ENDED}" in kinds and HUNG_UP not in kinds:
        return False
    return any(
        (flow := flows.get(name)) is not None and flow.on_hangup for name, _ in flows_around(flows, entries)
    )


def finish(services: Services, flows: FlowSet, id: str, entries: Sequence[JournalEntry]) -> None:
    """Do what its flows do at a hang-up, for the call ``id`` of which this is the journal."""
    stack = [
        (flow, block) for name, block in flows_around(flows, entries) if (flow := flows.get(name)) is not None
    ]
    if not stack:
        return
    began = entries[0].data
    leg = Leg(id, services.clock)
    leg.gone = LOST
    call = Call(
        services.calls,
        leg,
        number=str(began.get("number", "")),
        dialled=str(began.get("dialled", "")),
        name="",
        origin=str(began.get("origin", "")),
    )
    call.hidden = not call.number
    call.language = services.languages[0]
    call.arrived = began_at = entries[0].at
    call.agents, call.talked = talks(entries)
    call.queue = next((entry.queue for entry in reversed(entries) if entry.queue), "")
    call.flow, call.block = stack[-1][0].name, stack[-1][1]
    call.step = call.block
    call.first_flow = str(began.get("flow", "")) or stack[0][0].name
    run = Run(call, flows, services, language=call.language)
    run.deferred = call.hidden
    names = word_of(entries)
    run.frames = [Frame(flow, block, 0, names.get(flow.name, {})) for flow, block in stack]
    found = next((entry for entry in reversed(entries) if entry.kind == "party.identified"), None)
    if found is not None and (party := party_again(services, found.data.get("party") or 0)) is not None:
        identity.know(run, party)
    marked = [at for at, entry in enumerate(entries) if entry.kind == HUNG_UP]
    written = [entry.kind for entry in entries[marked[0] :]] if marked else []
    call.journal("call.ended_unled", since=began_at.isoformat())
    run.after_hang_up(LOST, written=written)


def talks(entries: Sequence[JournalEntry]) -> tuple[dict[str, float], float]:
    """Who talked with a call, in order and for how many seconds, and all of it. A talk that nobody saw the end of
    lasted as long as there is something in the journal."""
    agents: dict[str, float] = {}
    began: tuple[str, JournalEntry] | None = None
    for entry in [*entries, None]:
        over = entry is None or entry.kind in (f"call.{CallState.FLOW}", f"call.{CallState.ENDED}")
        if began is not None and (over or (entry is not None and entry.kind == f"call.{CallState.TALKING}")):
            agent, first = began
            end = entry.at if entry is not None else entries[-1].at
            agents[agent] = agents.get(agent, 0.0) + (end - first.at).total_seconds()
            began = None
        if entry is not None and entry.kind == f"call.{CallState.TALKING}":
            agent = entry.agent or str(entry.data.get("agent", ""))
            if agent:
                began = (agent, entry)
    return agents, sum(agents.values())
