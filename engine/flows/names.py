"""The names that a flow's expressions and texts may use, at one moment of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from engine.calls.call import Call
from engine.flows import private

if TYPE_CHECKING:
    from engine.flows.run import Run


class Names(Mapping[str, Any]):
    """The names of a run, as expressions and texts see them: the flow's own, and the read-only ones."""

    __slots__ = ("_run",)

    FIXED: Final = ("call", "caller", "agent", "queue", "step", "flow", "now", "failure", "refusal")

    def __init__(self, run: Run) -> None:
        self._run = run

    def __getitem__(self, name: str) -> Any:
        run = self._run
        names = run.frame.names
        if name in names:
            return private.present(names[name])
        call = run.call
        match name:
            case "call":
                return _told_of(call)
            case "party" if run.party is not None:
                return run.party
            case "caller":
                return {"number": call.number, "name": call.name, "origin": call.origin}
            case "agent":
                return {"id": call.agent}
            case "queue":
                return {"name": call.queue, **run.queue_place.get("told", {})}
            case "step":
                return call.step
            case "flow":
                return call.flow
            case "now":
                return run.local_now()
            case "failure":
                return run.failure
            case "refusal":
                return run.refusal
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        yield from self._run.frame.names
        yield from (name for name in self.FIXED if name not in self._run.frame.names)
        if self._run.party is not None and "party" not in self._run.frame.names:
            yield "party"

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _told_of(call: Call) -> dict[str, Any]:
    """What a flow may read of its call: ``agents`` are those who talked with the caller, in order."""
    agents = [*call.agents, *([call.agent] if call.agent and call.agent not in call.agents else [])]
    spent = {"waited": round(call.waited, 1), "talked": round(call.talked, 1)}
    return {"id": call.id, "dialled": call.dialled, "language": call.language, "agents": agents, **spent}
