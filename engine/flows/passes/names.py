"""Names: read only where they are born on every path, secrets kept, fields of records that exist.

A forward walk over the blocks: what is surely born at a block's start is what all ways to it agree on. A test
``x is known`` makes an optional name readable where it holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.flows.expressions import Expression, Use
from engine.flows.known import READ_ONLY, Known, is_prompt_key
from engine.flows.loader import Draft
from engine.flows.passes.ends import falls_through, may_bear, words
from engine.flows.step import Step
from engine.flows.steps.choose import Choose
from engine.flows.steps.collect import Collect
from engine.flows.steps.command import Command
from engine.flows.steps.query import Query
from engine.flows.steps.run import Run
from engine.flows.steps.set import Set
from engine.schema.faults import did_you_mean
from engine.schema.shapes import Reference
from engine.schema.source import Path_
from engine.schema.templates import TemplateError, parse_template

Born = frozenset[str]
# Steps that may take a secret: it goes to a department, which compares or stores its hash.
_TRUSTED = (Query, Command, Run)


class Names:
    """Follows the names of one flow."""

    def __init__(self, draft: Draft, known: Known, flows: Mapping[str, Draft]) -> None:
        self.draft = draft
        self.flows = flows
        self.known = known
        self.department = draft.name.partition("/")[0]
        self.anywhere: dict[str, Step | None] = {}
        self.secrets: set[str] = set()
        self.fields: dict[str, set[str] | None] = {}
        self.spoken: dict[str, list[tuple[str, ...]]] = {}  # prompt -> the names that it reads
        self.reported: set[tuple[str, int, str]] = set()

    def run(self) -> None:
        head = self.draft.head
        if head is None or head.start not in self.draft.blocks:
            return
        self._gather()
        params = frozenset(head.params)
        self.anywhere.update(dict.fromkeys(head.params))
        starts = self._flow(head.start, params)
        for block in self.draft.blocks:
            if (born := starts.get(block)) is not None:
                self._block(block, born, check=True)
        # Nothing but the parameters is sure when the caller is gone; what is read must be tested or optional.
        for step in self.draft.on_hangup:
            if step is not None:
                self._check(step, frozenset(self.anywhere))

    def _gather(self) -> None:
        for step in self.draft.all_steps():
            for reference in self.draft.facts(step).born:
                name = reference.value
                self.anywhere.setdefault(name, step)
                if name in READ_ONLY:
                    at_key = isinstance(step, Set)
                    self.draft.add(step, reference.path, "read-only", f"`{name}` can't be set", key=at_key)
                if isinstance(step, Collect) and step.is_secret:
                    self.secrets.add(name)
                self._learn(name, step)

        for block, steps in self.draft.blocks.items():
            for index, unread in enumerate(steps):
                if unread is None:
                    for name in may_bear(self.draft.unread(block, index)):
                        self.anywhere.setdefault(name, None)
                        self.fields[name] = None

    def _learn(self, name: str, step: Step) -> None:
        """What fields a name has, as far as all its producers say."""
        fields: set[str] | None = None
        if isinstance(step, Query) and (query := self.known.queries.get(step.ask)) and query.fields:
            fields = set(query.fields)
        elif isinstance(step, Command) and (command := self.known.commands.get(step.do)) and command.fields:
            fields = set(command.fields)
        before = self.fields.get(name, fields)
        self.fields[name] = None if fields is None or before is None else before | fields

    # -- the walk -----------------------------------------------------------------------------------

    def _flow(self, start: str, params: Born) -> dict[str, Born]:
        starts: dict[str, Born] = {start: params}
        todo = [start]
        while todo:
            block = todo.pop()
            for target, born in self._block(block, starts[block], check=False):
                if target not in self.draft.blocks:
                    continue
                before = starts.get(target)
                after = born if before is None else before & born
                if after != before:
                    starts[target] = after
                    todo.append(target)
        return starts

    def _block(self, block: str, born: Born, *, check: bool) -> list[tuple[str, Born]]:
        """The ways out of a block with what is born on each."""
        ways: list[tuple[str, Born]] = []
        for index, step in enumerate(self.draft.blocks[block]):
            if step is None:
                # It may have borne anything and lead anywhere: give no false alarm behind it.
                born = frozenset(self.anywhere) | born
                ways.extend((target, born) for target in words(self.draft.unread(block, index)))
                continue
            if check:
                self._check(step, born)
            before = born
            if step.when is not None:
                before = before | step.when.proves(True)
            facts = self.draft.facts(step)
            bears = before
            if facts.born:
                bears = before | {reference.value for reference in facts.born}
            if isinstance(step, Choose):
                for case in step.cases:
                    if case.when is not None and case.go is not None:
                        ways.append((case.go, before | case.when.proves(True)))
                        before = before | case.when.proves(False)
                    elif case.otherwise is not None:
                        ways.append((case.otherwise, before))
                bears = before
            elif bears is before:
                ways.extend([(way.target, before) for way in facts.ways])
            else:
                ways.extend((way.target, bears if step.bears(way.name) else before) for way in facts.ways)
            if step.when is not None:
                born = born | (bears & step.when.proves(False))
            else:
                born = bears
                if not falls_through(step, self.flows):
                    break
        return ways

    # -- what one step reads --------------------------------------------------------------------------

    def _check(self, step: Step, born: Born) -> None:
        if step.when is not None:
            self._read(step, ("if",), step.when.uses, born, _tested(step.when))
            born = born | step.when.proves(True)
        for reference in self.draft.facts(step).references:
            if reference.kind == "expression" and reference.path != ("if",):
                expression: Expression = reference.value
                self._read(step, reference.path, expression.uses, born, _tested(expression))
                if isinstance(step, Choose):
                    born = born | expression.proves(False)
            elif reference.kind == "value":
                self._read(
                    step, reference.path, reference.value.uses, born, _tested(reference.value.expression)
                )
                if isinstance(step, Set):
                    born = born | {str(reference.path[-1])}
            elif reference.kind == "prompt":
                self._prompt(step, reference, born)

    def _prompt(self, step: Step, reference: Reference, born: Born) -> None:
        given = frozenset(getattr(step, "values", ())) | type(step).lends
        prompt = str(reference.value)
        if (spoken := self.spoken.get(prompt)) is None:
            spoken = self.spoken[prompt] = [tuple(name.split(".")) for name in self._placeholders(prompt)]
        for path in spoken:
            if path[0] not in given:
                self._read(step, reference.path, (Use(path, 0),), born, frozenset(), spoken=reference.value)

    def _placeholders(self, prompt: str) -> Iterator[str]:
        head = self.draft.head
        if not is_prompt_key(prompt):
            try:
                yield from (slot.name for slot in parse_template(prompt).slots)
            except TemplateError:
                return  # reported with the references
        elif head is not None:
            seen: dict[str, None] = {}
            for language in head.languages:
                seen.update(dict.fromkeys(self.known.prompt(prompt, language, self.department) or ()))
            yield from seen

    def _read(
        self, step: Step, path: Path_, uses: tuple[Use, ...], born: Born, tested: Born, *, spoken: str = ""
    ) -> None:
        for use in uses:
            root = use.path[0]
            if root in READ_ONLY:
                continue
            where = f" (read by the prompt `{spoken}`)" if spoken else ""
            if root not in self.anywhere:
                hint = did_you_mean(root, [*self.anywhere, *READ_ONLY])
                self._add(step, path, use, "unknown-name", f"there is no name `{root}`{where}", hint)
                continue
            surely = use.tested or root in born or root in tested or path[0] in type(step).lenient
            if not surely:
                first = self.anywhere[root]
                hint = f"`{root}` is born in {first.label}" if first is not None else ""
                self._add(
                    step, path, use, "not-born", f"`{root}` is not known on every way to here{where}", hint
                )
            if (
                root in self.secrets
                and not (isinstance(step, _TRUSTED) and path[:1] == ("with",))
                and not use.tested
            ):
                self._add(
                    step,
                    path,
                    use,
                    "secret-spoken",
                    f"`{root}` is secret: it may only be handed to a query or command",
                    "",
                )
            fields = self.fields.get(root)
            if fields is not None and len(use.path) > 1 and use.path[1] not in fields:
                hint = did_you_mean(use.path[1], fields)
                self._add(step, path, use, "unknown-field", f"`{root}` has no `{use.path[1]}`{where}", hint)

    def _add(self, step: Step, path: Path_, use: Use, code: str, message: str, hint: str) -> None:
        once = (step.block, step.index, f"{code}:{use.path}")
        if once not in self.reported:
            self.reported.add(once)
            self.draft.add(step, path, code, message, hint, offset=use.offset)


def _tested(expression: Expression | None) -> Born:
    return expression.tested if expression is not None else frozenset()
