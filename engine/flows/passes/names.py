"""Names: read only where they are born on every path. Their types and fields are looked at in ``types``.

What is surely born at a block's start is what all ways to it agree on (``walk``). A test ``x is known`` makes an
optional name readable where it holds.
"""

from __future__ import annotations

from engine.flows.expressions import Expression, Use
from engine.flows.known import READ_ONLY
from engine.flows.loader import ON_HANGUP, Draft, Facts
from engine.flows.passes.spoken import SpokenHere
from engine.flows.passes.walk import NOBODY, Born, Walk, as_way
from engine.flows.step import Step
from engine.flows.steps.choose import Choose
from engine.flows.steps.set import Set
from engine.schema.faults import did_you_mean
from engine.schema.source import Path_


class Names:
    """Follows the names of one flow."""

    def __init__(self, draft: Draft, walk: Walk, spoken: SpokenHere) -> None:
        self.draft = draft
        self.walk = walk
        self.spoken = spoken
        self.reported: set[tuple[str, int, str]] = set()

    def run(self) -> None:
        if not self.walk.start:
            return
        self._read_only()
        for block, born in self.walk.starts().items():
            for step, facts, before in self.walk.passages[block].reads:
                self._check(step, facts, born | before if before else born)
        # Nothing but the parameters is sure when the caller is gone; what is read must be tested or optional.
        for last, last_facts in self.draft.walk(ON_HANGUP):
            if last is not None and last_facts is not None and last_facts.reads:
                self._check(last, last_facts, self.walk.anywhere)

    def _read_only(self) -> None:
        if READ_ONLY.isdisjoint(self.walk.anywhere):
            return
        for step, facts in self.draft.all_walked():
            for reference in facts.born:
                name = reference.value
                if name in READ_ONLY:
                    at_key = isinstance(step, Set)
                    hint = "call it otherwise: this name is the engine's"
                    self.draft.add(
                        step, reference.path, "read-only", f"`{name}` can't be set", hint, key=at_key
                    )

    # -- what one step reads --------------------------------------------------------------------------

    def _check(self, step: Step, facts: Facts, born: Born) -> None:
        if step.when is not None:
            self._read(step, ("if",), step.when.uses, born, _tested(step.when))
            born = born | step.when.proves(True)
        for kind, value, path in facts.reads:
            if kind == "value":
                if value.uses:
                    self._read(step, path, value.uses, born, _tested(value.expression))
                if type(step) is Set:
                    born = born | {str(path[-1])}
            elif kind == "prompt":
                if self.draft.says_all(step):
                    self._prompt(step, path, value, born)
            elif path != ("if",):
                self._read(step, path, value.uses, born, _tested(value))
                if type(step) is Choose:
                    born = born | value.proves(False)

    def _prompt(self, step: Step, path: Path_, prompt: str, born: Born) -> None:
        spoken = self.spoken[prompt].placeholders
        if not spoken:
            return
        given = getattr(step, "values", ())
        lends = step.lent()
        for names, _ in spoken:
            if names[0] not in born and names[0] not in given and names[0] not in lends:
                self._read(step, path, (Use(names, 0),), born, NOBODY, spoken=prompt)

    def _read(
        self, step: Step, path: Path_, uses: tuple[Use, ...], born: Born, tested: Born, *, spoken: str = ""
    ) -> None:
        for use in uses:
            root = use.path[0]
            if root in born or root in READ_ONLY:
                continue
            where = f" (read by the prompt `{spoken}`)" if spoken else ""
            if root not in self.walk.anywhere:
                hint = did_you_mean(root, [*self.walk.anywhere, *READ_ONLY])
                self._add(step, path, use, "unknown-name", f"there is no name `{root}`{where}", hint)
            elif not (use.tested or root in tested or path[0] in type(step).lenient):
                message = f"`{root}` is not known on every way to here{where}"
                self._add(
                    step, path, use, "not-born", message, self._born_in(root), way=self._without(step, root)
                )

    def _born_in(self, root: str) -> str:
        """Where a name comes from."""
        for step, facts in self.draft.all_walked():
            if any(reference.value == root for reference in facts.born):
                return f"`{root}` is born in {step.label}: ask `{root} is known` before, or give it a value on that way"
        return ""

    def _without(self, step: Step, root: str) -> str:
        """The key presses that lead to a step while a name is not born."""
        said = self.walk.journey(step.block, allowed=lambda exit: root not in exit.born)
        return "" if said is None else as_way([*said, *self.walk.inside(step)], step.label)

    def _add(
        self, step: Step, path: Path_, use: Use, code: str, message: str, hint: str, *, way: str = ""
    ) -> None:
        once = (step.block, step.index, f"{code}:{use.path[0]}")
        if once not in self.reported:
            self.reported.add(once)
            self.draft.add(step, path, code, message, hint, offset=use.offset, way=way)


def _tested(expression: Expression | None) -> Born:
    return expression.tested if expression is not None else NOBODY
