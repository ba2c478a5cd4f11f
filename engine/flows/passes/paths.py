"""The ways through a flow: blocks that nobody reaches, that end nowhere, loops that silence never leaves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.flows.loader import Draft
from engine.flows.passes.ends import falls_through, words
from engine.flows.step import Ask, Step


class Paths:
    """Follows the ways of one flow. Needs a draft in which every step could be read."""

    def __init__(self, draft: Draft, flows: Mapping[str, Draft]) -> None:
        self.draft = draft
        self.flows = flows

    def run(self) -> None:
        draft = self.draft
        head = draft.head
        if head is None or head.start not in draft.blocks:
            return
        self._steps()
        reached = self._reached(head.start)
        for name in draft.blocks:
            if name not in reached:
                draft.faults.append(
                    draft.document.fault(
                        ("blocks", name), "unreachable", f"nothing leads to block `{name}`", key=True
                    )
                )
        self._silent_loops(reached)

    def _steps(self) -> None:
        """In each block: nothing behind its end, and an end."""
        draft = self.draft
        for name, steps in draft.blocks.items():
            end = next((step for step in steps if step is not None and self._ends(step)), None)
            if end is None and None in steps:
                continue  # the one that could not be read may be the end
            if end is None:
                draft.faults.append(
                    draft.document.fault(
                        ("blocks", name),
                        "no-end",
                        f"block `{name}` ends nowhere",
                        "end it with go, hangup, return or stop, or give the last step all its ways",
                        key=True,
                    )
                )
            elif end.index + 1 < len(steps):
                after = steps[end.index + 1]
                if after is not None:
                    draft.add(
                        after, (), "unreachable", f"nothing comes behind the `{end.kind}` before", key=True
                    )

    def _reached(self, start: str) -> set[str]:
        reached, todo = {start}, [start]
        while todo:
            for target in self._targets(todo.pop()):
                if target in self.draft.blocks and target not in reached:
                    reached.add(target)
                    todo.append(target)
        return reached

    def _targets(self, block: str) -> Iterator[str]:
        for index, step in enumerate(self.draft.blocks[block]):
            if step is None:
                yield from words(self.draft.unread(block, index))
                continue
            for way in self.draft.facts(step).ways:
                yield way.target
            if self._ends(step):
                return

    def _silent_loops(self, reached: set[str]) -> None:
        """A set of blocks that a silent caller walks for ever: he gets in, and no way of his leads out."""
        silent: dict[str, set[str]] = {}
        for name in reached:
            targets, out = self._silent(name)
            silent[name] = targets | ({""} if out else set())
        leaves = {name for name, targets in silent.items() if "" in targets}
        grew = True
        while grew:
            more = {name for name, targets in silent.items() if name not in leaves and targets & leaves}
            leaves |= more
            grew = bool(more)
        for name in self.draft.blocks:
            if name in reached and name not in leaves and silent[name]:
                self.draft.faults.append(
                    self.draft.document.fault(
                        ("blocks", name),
                        "endless-loop",
                        f"a silent caller never gets out of block `{name}`",
                        "let its `give_up` or another way lead to an end",
                        key=True,
                    )
                )

    def _silent(self, block: str) -> tuple[set[str], bool]:
        """Where a caller who presses nothing gets from a block, and whether he may leave the flow there."""
        targets: set[str] = set()
        for step in self.draft.blocks[block]:
            if step is None:
                return set(), True  # not known: give no false alarm
            if isinstance(step, Ask):
                targets.add(step.give_up)
                if step.when is None:
                    return self._within(targets)
                continue
            for way in self.draft.facts(step).ways:
                if ".keys." not in way.name:
                    targets.add(way.target)
            if step.kind in ("hangup", "return", "stop") or (step.kind == "queue" and step.falls_through()):
                return {*targets}, True
            if self._ends(step):
                return self._within(targets)
        return self._within(targets)

    def _within(self, targets: set[str]) -> tuple[set[str], bool]:
        out = any(target not in self.draft.blocks for target in targets)
        return targets, out

    def _ends(self, step: Step) -> bool:
        return step.when is None and not falls_through(step, self.flows)
