"""Which blocks, steps and ways of flows calls have walked: kept by tests, told by ``insideline flow coverage``.

What is kept is of a flow as it said when it was walked (its hash): once a flow is changed, it has to be walked anew.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from engine.flows.model import Flow, Step
from engine.flows.moves import Go, Move

FILE: Final = "flow-coverage.json"
NEXT: Final = "next"
"""The way on to the next step, of a step that has other ways too."""
_ON_HANGUP: Final = "on_hangup"

#: Step ("greet.0") -> way -> how often; "" is the step itself.
Steps = dict[str, dict[str, int]]


@dataclass(slots=True)
class Walked:
    """What was walked: flow -> its hash -> its steps."""

    flows: dict[str, dict[str, Steps]] = field(default_factory=dict)

    def reached(self, flow: Flow, step: Step) -> None:
        """A call came to a step."""
        self._count(flow, step, "")

    def left(self, flow: Flow, step: Step, move: Move) -> None:
        """A call left a step by this move."""
        for way in ways_taken(step, move):
            self._count(flow, step, way)

    def _count(self, flow: Flow, step: Step, way: str) -> None:
        steps = self.flows.setdefault(flow.name, {}).setdefault(flow.hash, {})
        ways = steps.setdefault(place_of(step), {})
        ways[way] = ways.get(way, 0) + 1

    def add(self, other: Walked) -> None:
        """What another run walked, too."""
        for flow, hashes in other.flows.items():
            for hash_, steps in hashes.items():
                mine = self.flows.setdefault(flow, {}).setdefault(hash_, {})
                for place, ways in steps.items():
                    for way, count in ways.items():
                        kept = mine.setdefault(place, {})
                        kept[way] = kept.get(way, 0) + count

    def times(self, flow: Flow, step: Step, way: str = "") -> int:
        """How often a step was come to, or left by a way, since the flow says what it says now."""
        return self.flows.get(flow.name, {}).get(flow.hash, {}).get(place_of(step), {}).get(way, 0)


def place_of(step: Step) -> str:
    """The step's place in its flow, counted from 0."""
    return f"{step.block}.{step.index}"


def ways_of(step: Step) -> list[str]:
    """The ways of a step that a test can take: those that are written, and ``next`` where there are others beside it.
    ``go`` and its like have but one."""
    named = [way.name for way in step.ways()]
    if not step.falls_through():
        return named if len(named) > 1 else []
    return [*named, NEXT] if named else []


def ways_taken(step: Step, move: Move) -> list[str]:
    """Which of its ways a step took. Several where it does not say which, and they all lead there."""
    if move is None:
        return [NEXT] if NEXT in ways_of(step) else []
    if not isinstance(move, Go):
        return []
    there = [way.name for way in step.ways() if way.target == move.target]
    if move.way in there:
        return [move.way]
    return ["failed"] if "failed" in there else there


# -- the file ---------------------------------------------------------------------------------------


def read_walked(path: Path) -> Walked:
    """What is kept; nothing when there is no such file. Raises ValueError when it can't be read."""
    if not path.is_file():
        return Walked()
    kept = orjson.loads(path.read_bytes())
    if not isinstance(kept, dict) or kept.get("grammar") != 1:
        raise ValueError(f"{path} is no coverage of flows")
    return Walked(kept["flows"])


def add_walked(path: Path, walked: Walked) -> None:
    """Add to what is kept. Several processes may do so at once (pytest's workers)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            kept = read_walked(path)
        except ValueError:
            kept = Walked()
        kept.add(walked)
        draft = path.with_suffix(f".{os.getpid()}")
        draft.write_bytes(orjson.dumps({"grammar": 1, "flows": kept.flows}))
        draft.replace(path)


# -- what it comes to -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Missed:
    """A block that no call came to, or a way that none took."""

    file: str
    line: int
    block: str
    step: str = ""  # "menu"; "" for a whole block
    way: str = ""

    def __str__(self) -> str:
        what = f"{self.step} {self.way}" if self.way else self.step or "never reached"
        return f"{self.file}:{self.line}: {self.block}: {what}"


@dataclass(frozen=True, slots=True)
class FlowCoverage:
    """How much of a flow was walked."""

    flow: str
    blocks: tuple[int, int]  # walked, of so many
    ways: tuple[int, int]
    missed: tuple[Missed, ...]

    @property
    def percent(self) -> float:
        """Of blocks and ways together."""
        return share(self.blocks[0] + self.ways[0], self.blocks[1] + self.ways[1])

    def to_json(self) -> dict[str, Any]:
        """A plain mapping for ``--json``."""
        return {
            "flow": self.flow,
            "blocks": {"walked": self.blocks[0], "all": self.blocks[1]},
            "ways": {"walked": self.ways[0], "all": self.ways[1]},
            "percent": round(self.percent, 1),
            "missed": [
                {"file": one.file, "line": one.line, "block": one.block, "step": one.step, "way": one.way}
                for one in self.missed
            ],
        }


def share(walked: int, of: int) -> float:
    """In percent; nothing at all is everything."""
    return 100.0 * walked / of if of else 100.0


def coverage_of(flow: Flow, walked: Walked) -> FlowCoverage:
    """How much of a flow was walked, and what was not, in the order of its file."""
    blocks = list(_blocks(flow))
    reached = [(name, steps) for name, steps in blocks if walked.times(flow, steps[0])]
    missed: list[Missed] = []
    taken = of = 0
    for name, steps in blocks:
        if not walked.times(flow, steps[0]):
            missed.append(Missed(flow.file, _line_of(flow, name), name))
        for step in steps:
            for way in () if name == _ON_HANGUP else ways_of(step):  # behind it, nothing follows
                of += 1
                if walked.times(flow, step, way):
                    taken += 1
                elif walked.times(flow, steps[0]):  # else the whole block is missed
                    missed.append(Missed(flow.file, step.line, name, step.kind, way))
    missed.sort(key=lambda one: one.line)
    return FlowCoverage(flow.name, (len(reached), len(blocks)), (taken, of), tuple(missed))


def coverage(flows: Mapping[str, Flow], walked: Walked) -> list[FlowCoverage]:
    """That of all flows, but for those that the engine makes itself (they have no file)."""
    return [coverage_of(flow, walked) for name, flow in sorted(flows.items()) if flow.file]


def total(found: Iterable[FlowCoverage]) -> float:
    """Percent of all blocks and ways."""
    rows = list(found)
    walked = sum(row.blocks[0] + row.ways[0] for row in rows)
    return share(walked, sum(row.blocks[1] + row.ways[1] for row in rows))


def _blocks(flow: Flow) -> Iterator[tuple[str, tuple[Step, ...]]]:
    for name, block in flow.blocks.items():
        if block.steps:
            yield name, block.steps
    if flow.on_hangup:
        yield _ON_HANGUP, flow.on_hangup


def _line_of(flow: Flow, block: str) -> int:
    if block == _ON_HANGUP:
        return flow.on_hangup[0].line
    return flow.blocks[block].line
