"""A call's place in its flow, as its channel keeps it: from a run to the state, and back.

One letter for each thing, for every event of the channel carries it (see ``engine.calls.state``): ``h f b s v`` flow
set, flow, block, step and visit, ``l`` language, ``e`` what is awaited, ``q`` place in a queue or talk, ``m`` how far
the step has come, ``r R M`` the recording, its policy, whether it is masked (2: only for now), ``i P`` whether the
caller is known, and who it is, ``p`` priority, ``z`` lost place, ``F`` first flow, ``w`` waited and talked, ``y``
what a call back came to, ``x`` names, ``o`` the marks of the private ones, ``k`` the flows around it. Names that are
too many are in the store.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.calls import state as place
from engine.flows import identity, packing, private
from engine.flows.identify import party_again
from engine.flows.model import Flow
from engine.flows.private import Mark

if TYPE_CHECKING:
    from engine.calls.call import Resumption
    from engine.flows.run import Run


@dataclass(slots=True)
class Frame:
    """Where a call is within one flow."""

    flow: Flow
    block: str
    index: int
    names: dict[str, Any]
    marks: dict[str, Mark] = field(default_factory=dict)  # of the names that are private or secret
    read_last: frozenset[str] | None = (
        None  # the names that its steps of a hang-up read; None: not looked at yet
    )
    word: dict[str, Any] | None = None  # what the journal has of those


def keep(run: Run) -> None:
    """Put the call's place on its channel, with the next thing that is sent."""
    frame = run.frame
    state: dict[str, Any] = {
        "h": run.flows.hash,
        "f": frame.flow.name,
        "b": frame.block,
        "s": frame.index,
        "v": run.visits - 1,  # the visit is made again by whoever takes the call up
        "l": run.call.language,
    }
    if run.awaited:
        state["e"] = run.awaited
    if run.queue_place:
        state["q"] = run.queue_place
    if run.midway:
        state["m"] = run.midway
    if run.recorded:
        state["r"] = run.recorded
    if run.masked:
        state["M"] = 2 if run.for_now else 1
    call = run.call
    if run.lost_place:
        state["z"] = run.lost_place
    if run.deferred:
        state["i"] = identity.DISCARDED if run.discarded else identity.DEFERRED
    if run.party is not None and not run.deferred:
        # Our own are found again by their id; what a plugin knows is carried along.
        state["P"] = run.party.id or packing.pack(run.party)
    if run.priority:
        state["p"] = run.priority
    if run.recording_policy:
        state["R"] = run.recording_policy
    if call.came_to:
        state["y"] = call.came_to
    if call.first_flow != frame.flow.name:
        state["F"] = call.first_flow
    if call.waited or call.talked:
        state["w"] = [round(call.waited, 1), round(call.talked, 1)]
    names, marks = kept(frame), private.to_state(frame.marks)
    outer = [
        [f.flow.name, f.block, f.index, kept(f), *([private.to_state(f.marks)] if f.marks else [])]
        for f in run.frames[:-1]
    ]
    if outer:
        state["k"] = outer
    if names:
        state["x"] = names
    if marks:
        state["o"] = marks
    try:
        run.call.save(state)
    except place.StateTooLarge:
        # Too much for every event to carry: the store keeps the names, the channel the place.
        moved = {"x": names, "o": marks, "k": outer}
        if isinstance(state.get("P"), Mapping):
            moved["P"] = state.pop("P")  # a party that a plugin knows is as long as its name and notes are
        run.services.save_names(run.call.id, moved)
        run.stored = True
        state["x"] = None
        state.pop("k", None)
        state.pop("o", None)
        run.call.save(state)


def kept(frame: Frame) -> dict[str, Any]:
    """The names of a flow that a call's place keeps."""
    return {
        name: packing.pack(value)
        for name, value in frame.names.items()
        if (mark := frame.marks.get(name)) is None or mark.kind == private.PART
    }


def take_up(run: Run, state: Mapping[str, Any], resumption: Resumption) -> None:
    """The run as the engine left it that kept ``state``, but for what is private."""
    run.visits = int(state.get("v", 0))
    names, marks, outer = state.get("x", {}), state.get("o", {}), state.get("k", [])
    if names is None:
        stored = run.services.load_names(run.call.id)
        names, marks, outer, run.stored = stored["x"], stored.get("o", {}), stored["k"], True
        state = {**state, "P": stored.get("P", state.get("P"))}
    stack = [*outer, [state["f"], state["b"], state["s"], names, marks]]
    for flow, block, index, packed, *more in stack:
        frame = Frame(run.flow_named(flow), block, int(index), packing.unpack(packed))
        frame.marks = private.from_state(more[0] if more else {})
        run.frames.append(frame)
    run.queue_place = dict(state.get("q") or {})
    run.awaited = str(state.get("e", ""))
    run.midway = dict(state.get("m") or {})
    run.recorded = str(state.get("r", ""))
    run.call.recording = run.recorded
    run.masked, run.for_now = bool(state.get("M")), state.get("M") == 2
    run.lost_place = str(state.get("z", ""))
    take_up_identity(run, state)
    run.priority = int(state.get("p", 0))
    run.recording_policy = str(state.get("R", ""))
    run.set_language(str(state.get("l") or run.call.language))
    run.resumption = resumption
    frame = run.frame
    run.call.first_flow = str(state.get("F") or frame.flow.name)
    run.call.waited, run.call.talked = state.get("w") or (0.0, 0.0)
    run.call.came_to = str(state.get("y", ""))


def take_up_identity(run: Run, state: Mapping[str, Any]) -> None:
    """Who calls, as far as the call's place says."""
    known = int(state.get("i") or 0)
    run.deferred, run.discarded = known > 0, known == identity.DISCARDED
    run.call.hidden = run.deferred
    if who := state.get("P"):
        identity.know(run, party_again(run.services, who))
