"""A flow as a graph of blocks: where each one leads, what is born on the way there, and what a caller does to go it.

Walked once for each block, and then read by the passes of names and of paths. Names are only ever added on the way
through a block, so what is born on a way out is what was born before the block and a constant of that way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import NamedTuple

from engine.flows.loader import Draft, Facts
from engine.flows.passes.ends import falls_through, words
from engine.flows.step import Step
from engine.flows.steps.choose import Choose
from engine.schema.faults import suggest

Born = frozenset[str]
NOBODY: Born = frozenset()


class Exit(NamedTuple):
    """A way out of a block. ``born`` is what is surely born on it beside what was before the block; ``step`` is None
    where a step that could not be read may lead there."""

    target: str
    born: Born
    step: Step | None
    way: str


class Read(NamedTuple):
    """A step that reads something, with what is surely born before it within its block."""

    step: Step
    facts: Facts
    born: Born


class Passage(NamedTuple):
    """One block: its ways out in order, the steps that read, the step that ends it."""

    exits: tuple[Exit, ...]
    reads: tuple[Read, ...]
    end: Step | None


class Walk:
    """The graph of one flow."""

    def __init__(self, draft: Draft, flows: Mapping[str, Draft]) -> None:
        self.draft = draft
        self.flows = flows
        self.anywhere: Born = frozenset(draft.births())
        self.passages = {block: self._passage(block) for block in draft.blocks}
        self._meant: dict[str, str] = {}

    def meant(self, target: str) -> str:
        """The block that a target leads to, or the one that a misspelt target most likely means; "" when none of this
        flow's."""
        if target in self.draft.blocks:
            return target
        found = self._meant.get(target)
        if found is None:
            found = self._meant[target] = "" if "/" in target else suggest(target, self.draft.blocks)
        return found

    @property
    def start(self) -> str:
        """The first block, "" when there is none."""
        return self.meant(self.draft.head.start) if self.draft.head is not None else ""

    def starts(self) -> dict[str, Born]:
        """What is surely born at the start of each block that can be reached."""
        start = self.start
        if not start or self.draft.head is None:
            return {}
        blocks = self.draft.blocks
        starts: dict[str, Born] = {start: frozenset(self.draft.head.params)}
        todo = [start]
        while todo:
            block = todo.pop()
            here = starts[block]
            for exit in self.passages[block].exits:
                target = exit.target if exit.target in blocks else self.meant(exit.target)
                if not target:
                    continue
                before = starts.get(target)
                if before is None:
                    starts[target] = here | exit.born
                    todo.append(target)
                elif not before <= here and (after := before & (here | exit.born)) != before:
                    starts[target] = after
                    todo.append(target)
        return starts

    # -- one block ----------------------------------------------------------------------------------

    def _passage(self, block: str) -> Passage:
        exits: list[Exit] = []
        reads: list[Read] = []
        born = NOBODY
        end: Step | None = None
        for index, (step, facts) in enumerate(self.draft.walk(block)):
            if step is None or facts is None:
                partial = self.draft.partial(block, index)
                if partial is not None and partial[1].reads:
                    reads.append(Read(*partial, self.anywhere))
                # It may have borne anything and lead anywhere: give no false alarm behind it.
                born = self.anywhere
                exits.extend(Exit(word, born, None, "") for word in words(self.draft.unread(block, index)))
                continue
            if facts.reads:
                reads.append(Read(step, facts, born))
            before = born
            if step.when is not None and (proven := step.when.proves(True)):
                before = before | proven
            if type(step) is Choose:
                after = _choose(step, before, exits)
            else:
                after = before
                if facts.born:
                    after = before | {reference.value for reference in facts.born}
                for way in facts.ways:
                    bears = after is not before and step.bears(way.name)
                    exits.append(Exit(way.target, after if bears else before, step, way.name))
            if step.when is not None:
                born = born | (after & step.when.proves(False))
            else:
                born = after
                if end is None and not falls_through(step, self.flows):
                    end = step
                    break
        if end is not None:  # what stands behind the end is told of as such, and looked at all the same
            for step, facts in self.draft.walk(block)[end.index + 1 :]:
                if step is not None and facts is not None and facts.reads:
                    reads.append(Read(step, facts, self.anywhere))
        return Passage(tuple(exits), tuple(reads), end)

    # -- how to get there ---------------------------------------------------------------------------

    def journey(self, block: str, *, allowed: Callable[[Exit], bool] = lambda exit: True) -> list[str] | None:
        """What happens on the shortest way from the start to a block over ``allowed`` ways out: ``["press 2",
        "stay silent x3"]``. None when no such way leads there."""
        return self.between([self.start], block, allowed)

    def between(self, starts: list[str], block: str, allowed: Callable[[Exit], bool]) -> list[str] | None:
        """The same from any of some blocks (which count as reached)."""
        came: dict[str, tuple[str, Exit] | None] = dict.fromkeys(starts)
        todo = deque(starts)
        while todo and block not in came:
            here = todo.popleft()
            if here not in self.passages:
                continue
            for exit in self.passages[here].exits:
                target = self.meant(exit.target)
                if target and target not in came and allowed(exit):
                    came[target] = (here, exit)
                    todo.append(target)
        if block not in came:
            return None
        said: list[str] = []
        here = block
        while (step := came[here]) is not None:
            here, exit = step
            said[:0] = self.told(here, exit)
        return said

    def told(self, block: str, exit: Exit) -> list[str]:
        """What happens from a block's start until one of its ways is taken."""
        said = []
        for step, _ in self.draft.walk(block):
            if step is exit.step:
                break
            if step is not None and step.when is None and (word := step.through()):
                said.append(word)
        if exit.step is not None and (word := exit.step.how(exit.way)):
            said.append(word)
        return said

    def inside(self, step: Step) -> list[str]:
        """What happens from the start of a step's block until the step."""
        before = (one for one, _ in self.draft.walk(step.block)[: step.index] if one is not None)
        return [word for one in before if one.when is None and (word := one.through())]


def as_way(said: list[str], where: str) -> str:
    """Key presses and what they lead to, in one line."""
    return f"{', '.join(said) or 'at once'} -> {where}"


def _choose(step: Choose, before: Born, exits: list[Exit]) -> Born:
    for index, case in enumerate(step.cases):
        if case.when is not None and case.go is not None:
            proven = case.when.proves(True)
            exits.append(Exit(case.go, before | proven if proven else before, step, f"cases.{index}.go"))
            before = before | case.when.proves(False)
        elif case.otherwise is not None:
            exits.append(Exit(case.otherwise, before, step, f"cases.{index}.otherwise"))
    return before
