"""The ways through a flow: blocks that nobody reaches, that end nowhere, loops that silence never leaves, and menus
whose words and keys differ. Each fault tells the key presses that get there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.flows.known import Known
from engine.flows.loader import Draft
from engine.flows.passes.ends import falls_through
from engine.flows.passes.keys import offered, shown
from engine.flows.passes.walk import Exit, Walk, as_way
from engine.flows.step import Ask, Step
from engine.flows.steps.menu import Menu

#: A flow with one of these has ways that are not there yet: what nobody reaches is most likely reached by them.
_LACKS_WAYS = frozenset(
    {
        *("missing-way", "missing-key", "unknown-block", "unknown-outcome", "unknown-refusal"),
        *("duplicate-key", "unknown-key"),
    }
)


class Paths:
    """Follows the ways of one flow."""

    def __init__(self, draft: Draft, known: Known, flows: Mapping[str, Draft], walk: Walk) -> None:
        self.draft = draft
        self.known = known
        self.flows = flows
        self.walk = walk

    def run(self) -> None:
        draft = self.draft
        start = self.walk.start
        if not start:
            return
        self._ends()
        reached = self._reached(start)
        # What the source could not be read for may have led there.
        if (
            len(reached) < len(draft.blocks)
            and not draft.document.faults
            and not any(
                fault.code in _LACKS_WAYS and not (fault.code == "unknown-block" and fault.fix)
                for fault in draft.faults
            )
        ):
            for name in draft.blocks:
                if name not in reached:
                    message = f"nothing leads to block `{name}`"
                    hint = "lead to it with `go` or a way of a step, or remove it"
                    draft.faults.append(
                        draft.document.fault(("blocks", name), "unreachable", message, hint, key=True)
                    )
        self._silent_loops(reached)
        self._menus(reached)

    def _ends(self) -> None:
        """In each block: nothing behind its end, and an end."""
        draft = self.draft
        for name, passage in self.walk.passages.items():
            end, steps = passage.end, draft.blocks[name]
            if end is None:
                if None in steps:
                    continue  # the one that could not be read may be the end
                draft.faults.append(
                    draft.document.fault(
                        ("blocks", name),
                        "no-end",
                        f"block `{name}` ends nowhere",
                        "end it with go, hangup, return or stop, or give the last step all its ways",
                        key=True,
                        way=self._to_the_end_of(name),
                    )
                )
            elif end.index + 1 < len(steps) and (after := steps[end.index + 1]) is not None:
                message = f"nothing comes behind the `{end.kind}` before"
                hint = "remove it, or put it before"
                draft.add(after, (), "unreachable", message, hint, key=True)

    def _to_the_end_of(self, block: str) -> str:
        said = self.walk.journey(block)
        last = self.draft.blocks[block][-1]
        if said is None or last is None:
            return ""
        through = last.through() if last.when is None else ""
        return as_way(
            [*said, *self.walk.inside(last), *([through] if through else [])], f"the end of block {block}"
        )

    def _reached(self, start: str) -> set[str]:
        walk, reached, todo = self.walk, {start}, [start]
        while todo:
            for exit in walk.passages[todo.pop()].exits:
                target = exit.target
                if target not in reached and (target := walk.meant(target)) and target not in reached:
                    reached.add(target)
                    todo.append(target)
        return reached

    # -- loops ----------------------------------------------------------------------------------------

    def _silent_loops(self, reached: set[str]) -> None:
        """A set of blocks that a silent caller walks for ever: he gets in, and no way of his leads out."""
        silent: dict[str, set[str]] = {}
        leaves: set[str] = set()
        for name in reached:
            targets, out = self._silent(name)
            silent[name] = targets
            if out:
                leaves.add(name)
        grew = True
        while grew:
            more = {name for name, targets in silent.items() if name not in leaves and targets & leaves}
            leaves |= more
            grew = bool(more)
        stuck = {name for name in reached if name not in leaves and silent[name]}
        for name in self.draft.blocks:
            if name not in stuck:
                continue
            loop = self._loop(name, stuck)
            if loop is None:
                continue  # it only leads into a loop, which is told of at its own first block
            stuck -= loop[0]
            said = [*(self.walk.journey(name) or ()), *loop[1]]
            round_ = " -> ".join(
                [name, *(block for block in self.draft.blocks if block in loop[0] - {name}), name]
            )
            self.draft.faults.append(
                self.draft.document.fault(
                    ("blocks", name),
                    "endless-loop",
                    f"a silent caller never gets out of block `{name}`"
                    if len(loop[0]) == 1
                    else f"a silent caller never gets out of the loop {round_}",
                    "let its `give_up` or another way lead to an end",
                    key=True,
                    way=as_way(said, f"block {name} again"),
                )
            )

    def _loop(self, block: str, stuck: set[str]) -> tuple[set[str], list[str]] | None:
        """The blocks that silence leads through from ``block`` back to it, and what happens meanwhile."""

        def silent(exit: Exit) -> bool:
            return exit.step is not None and self.walk.meant(exit.target) in stuck and _in_silence(exit)

        for exit in self.walk.passages[block].exits:
            if not silent(exit):
                continue
            after = self.walk.meant(exit.target)
            back = self.walk.between([after], block, silent)
            if back is not None:
                around = {other for other in stuck if self._both_ways(block, other, silent)}
                return around | {block}, [*self.walk.told(block, exit), *back]
        return None

    def _both_ways(self, one: str, other: str, allowed: Callable[[Exit], bool]) -> bool:
        between = self.walk.between
        return between([one], other, allowed) is not None and between([other], one, allowed) is not None

    def _silent(self, block: str) -> tuple[set[str], bool]:
        """Where a caller who presses nothing gets from a block, and whether he may leave the flow there."""
        targets: set[str] = set()
        out = False
        for step, facts in self.draft.walk(block):
            if step is None or facts is None:
                return set(), True  # not known: give no false alarm
            asks = isinstance(step, Ask)
            for way in facts.ways:
                if asks and way.name != "give_up":
                    continue
                if ".keys." in way.name:
                    continue
                target = self.walk.meant(way.target)
                if target:
                    targets.add(target)
                else:
                    out = True
            if asks:
                if step.when is None:
                    break
            elif type(step).waits and step.falls_through():
                out = True  # somebody talks with him
                break
            elif step.when is None and not falls_through(step, self.flows):
                if not facts.ways:
                    out = True
                break
        else:
            out = True  # it ends nowhere, which is told of at the block; mended, it may lead anywhere
        return targets, out

    # -- menus ----------------------------------------------------------------------------------------

    def _menus(self, reached: set[str]) -> None:
        """What a menu's words offer is what its keys do."""
        head = self.draft.head
        if head is None:
            return
        department = self.draft.name.partition("/")[0]
        for name in self.draft.blocks:
            for step, _ in self.draft.walk(name):
                if type(step) is Menu and name in reached:
                    for language in head.languages:
                        text = self.known.text(step.prompt, language, department)
                        if text is not None:
                            self._menu(step, language, text)

    def _menu(self, step: Menu, language: str, text: str) -> None:
        said = offered(text, language)
        if said is None:
            return
        where = (
            f"the {language} words of `{step.prompt}`" if len(step.prompt) < 40 else "the words of the menu"
        )
        for key in sorted(said - step.options.keys()):
            self._say(
                step, ("prompt",), "menu-key", f"{where} offer key {shown(key)}, which leads nowhere",
                f"add {shown(key)} to the options, or change the words", severity="error",
            )  # fmt: skip
        for key in step.options:
            if key not in said:
                self._say(
                    step, ("options", key), "silent-key", f"{where} do not name key {shown(key)}",
                    "nobody will press it, unless it is meant to be hidden", severity="warning", key=True,
                )  # fmt: skip

    def _say(
        self, step: Step, path: tuple[str, ...], code: str, message: str, hint: str, **more: Any
    ) -> None:
        said = [*(self.walk.journey(step.block) or ()), *self.walk.inside(step)]
        way = as_way(said, step.label)
        self.draft.add(step, path, code, message, hint, way=way, **more)


def _in_silence(exit: Exit) -> bool:
    """Does a caller who presses nothing take this way?"""
    return exit.way == "give_up" if isinstance(exit.step, Ask) else ".keys." not in exit.way
