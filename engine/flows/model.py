"""Compiled flows: what a call walks through. Immutable; swapped as a whole by one reference.

A :class:`FlowSet` is known by its hash, made of what the flows say (not of their comments or lines). Its bytes
can be kept and read back by any later engine of the same grammar: ``FlowSet.from_bytes(flow_set.to_bytes())``
is the same set.
"""

from __future__ import annotations

import gc
import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson

from engine.flows.step import Step, Values, Way

__all__ = ["GRAMMAR", "Block", "Flow", "FlowSet", "Step", "Values", "Way"]

#: The grammar that this engine reads.
GRAMMAR = 1


@dataclass(frozen=True, slots=True)
class Block:
    """A named list of steps."""

    name: str
    steps: tuple[Step, ...]
    line: int = 0

    @property
    def ends(self) -> bool:
        """Does every way through it lead somewhere?"""
        return any(step.when is None and not step.falls_through() for step in self.steps)


@dataclass(frozen=True, slots=True)
class Flow:
    """A compiled flow. ``hash`` is of what it says; ``source`` the plain tree it was made of."""

    name: str  # "logistics/main"
    revision: int
    title: str
    owner: str
    languages: tuple[str, ...]
    start: str
    blocks: Mapping[str, Block]
    on_hangup: tuple[Step, ...] = ()
    params: tuple[str, ...] = ()
    returns: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    goal: Mapping[str, float] = field(default_factory=dict)
    file: str = ""
    hash: str = ""
    source: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    lines: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def department(self) -> str:
        """The part before the first slash."""
        return self.name.partition("/")[0]

    def step(self, block: str, index: int) -> Step:
        """A step by its place. Raises KeyError or IndexError."""
        return self.blocks[block].steps[index]


class Declared(NamedTuple):
    """What a flow says of itself, for those that lead to it (a dialplan), though it may be faulty within."""

    name: str
    params: tuple[str, ...]
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FlowSet:
    """All flows of the centre, as one. ``hash`` names it for ever."""

    flows: Mapping[str, Flow]
    hash: str

    @classmethod
    def of(cls, flows: Iterable[Flow], *, replaced: Iterable[Flow] = ()) -> FlowSet:
        """A set of these flows; its hash does not depend on their order. ``replaced`` are flows that some of these
        stand in for: callers to whom they promised to be called back are."""
        from engine.flows.called_back import made_for  # its steps are made of shapes that know flows

        table = {flow.name: flow for flow in flows}
        promised = {**table, **{flow.name: flow for flow in replaced}}
        table |= {flow.name: flow for flow in made_for(promised)}
        table = dict(sorted(table.items()))
        digest = hashlib.sha256()
        for flow in table.values():
            digest.update(f"{flow.name}={flow.hash}\n".encode())
        return cls(MappingProxyType(table), digest.hexdigest()[:16])

    def __getitem__(self, name: str) -> Flow:
        return self.flows[name]

    def __contains__(self, name: object) -> bool:
        return name in self.flows

    def __len__(self) -> int:
        return len(self.flows)

    def get(self, name: str) -> Flow | None:
        """The flow, or None."""
        return self.flows.get(name)

    def to_bytes(self) -> bytes:
        """Everything that is needed to have this set again (zlib-packed JSON)."""
        kept = getattr(self.flows, "rows", None)  # a set out of the cache has them without building its flows
        rows = (
            kept()
            if kept is not None
            else [
                {"file": flow.file, "tree": dict(flow.source), "lines": dict(flow.lines)}
                for flow in self.flows.values()
            ]
        )
        return zlib.compress(orjson.dumps({"grammar": GRAMMAR, "hash": self.hash, "flows": rows}), 6)

    @classmethod
    def from_bytes(cls, data: bytes, steps: Mapping[str, type[Step]] | None = None) -> FlowSet:
        """The set that ``to_bytes`` wrote. Raises ValueError when it can't be read, or when this engine would
        make another set of it. ``steps`` are the kinds known (the built-in ones by default)."""
        from engine.flows.loader import flow_of_tree  # the loader makes flows, and so needs this module
        from engine.flows.steps import STEPS

        try:
            kept = orjson.loads(zlib.decompress(data))
            rows = kept["flows"]
            if kept["grammar"] != GRAMMAR:
                raise ValueError(f"a flow set of grammar {kept['grammar']}, this engine reads {GRAMMAR}")
            with no_collections():
                flows = [flow_of_tree(row["tree"], row["file"], row["lines"], steps or STEPS) for row in rows]
        except (zlib.error, KeyError, TypeError) as error:
            raise ValueError(f"this is not a flow set: {error}") from error
        made = cls.of(flows)
        if made.hash != kept["hash"]:
            raise ValueError(f"the flow set {kept['hash']} became {made.hash}")
        return made


@contextmanager
def no_collections() -> Iterator[None]:
    """Keep the garbage collector from walking, again and again, the many objects that are being made to stay:
    it took more than a third of the time of compiling a thousand flows. What is made here has few cycles, and is
    counted among the old objects at once: the next collection of young ones would have walked all of it."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            if not gc.get_freeze_count():
                gc.freeze()  # both only link lists together: what was young or frozen is then of the oldest generation
                gc.unfreeze()
            gc.enable()


def flow_hash(tree: Any) -> str:
    """The hash of what a flow says: its plain tree, in the order written."""
    return hashlib.sha256(orjson.dumps(tree, default=str)).hexdigest()[:16]
