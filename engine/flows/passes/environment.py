"""The types of a flow's names, found when they are asked for and kept: what its steps bear, what sub-flows return,
what the flows that run it hand over.

A name that is born in several places has the type that all of them agree on. A name that is reckoned from itself
(``total = total + 1``) begins as what its other producers make of it, and what comes of the reckoning then must agree.
A reckoning that surely fails bears nothing: ``total`` that is set as a text stays one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from engine.flows.expressions import Expression
from engine.flows.known import Known
from engine.flows.loader import Draft
from engine.flows.passes.infer import infer
from engine.flows.step import Step
from engine.flows.steps.return_ import Return
from engine.flows.steps.run import Run
from engine.flows.steps.set import Set
from engine.flows.types import ANY, MOMENT, REAL, TEXT, Type, join, list_of, literal, of_view, record
from engine.flows.values import Value
from engine.schema.source import Path_
from engine.types import PartyView

#: The names that every flow may read (``engine.flows.known.READ_ONLY``), with their types.
READ_ONLY_TYPES: Final[Mapping[str, Type]] = MappingProxyType(
    {
        "call": record(
            "call", id=TEXT, dialled=TEXT, language=TEXT, waited=REAL, talked=REAL, agents=list_of(TEXT)
        ),
        "caller": record("caller", number=TEXT, name=TEXT, origin=TEXT),
        "agent": record("agent", id=TEXT),
        "queue": record("queue", open=True, name=TEXT),
        "step": TEXT,
        "flow": TEXT,
        "now": MOMENT,
        "failure": TEXT,
        "refusal": record("refusal", open=True, reason=TEXT),
        "party": of_view(PartyView),
    }
)


class World:
    """All flows of one run of the checker."""

    def __init__(self, known: Known, flows: Mapping[str, Draft]) -> None:
        self.known = known
        self.flows = flows
        self._environments: dict[str, Environment] = {}
        self._callers: dict[str, list[tuple[str, Run]]] | None = None
        self._returned: dict[str, Type] = {}

    def environment(self, flow: str) -> Environment:
        """The names of a flow that there is."""
        found = self._environments.get(flow)
        if found is None:
            found = self._environments[flow] = Environment(self.flows[flow], self)
        return found

    def parameter(self, flow: str, name: str) -> Type:
        """What a flow's parameter is, as far as all flows agree that run it. A dialplan hands over texts."""
        made: Type | None = None
        for caller, step in self._who_runs(flow):
            value = step.with_.get(name)
            if value is not None:
                made = join(made, self.environment(caller).value(value))
        if made is None or made.literal is None:
            return made or ANY
        return replace(made, literal=None)

    def _who_runs(self, flow: str) -> list[tuple[str, Run]]:
        if self._callers is None:
            self._callers = {}
            for name, draft in self.flows.items():
                for step in draft.all_steps():
                    if type(step) is Run:
                        self._callers.setdefault(step.flow, []).append((name, step))
        return self._callers.get(flow, [])

    def returned(self, flow: str) -> Type:
        """The record of what a flow returns."""
        found = self._returned.get(flow)
        if found is not None:
            return found
        draft = self.flows.get(flow)
        if draft is None or draft.head is None or draft.hurt:
            return ANY
        self._returned[flow] = ANY  # a flow that runs itself
        environment = self.environment(flow)
        fields: dict[str, Type | None] = dict.fromkeys(draft.head.returns)
        unread = any(step is None for steps in draft.blocks.values() for step in steps)
        for step in draft.all_steps():
            if isinstance(step, Return):
                for name, value in step.values.items():
                    if name in fields:
                        fields[name] = join(fields[name], environment.value(value))
        made = record(flow, open=unread, **{name: type_ or ANY for name, type_ in fields.items()})
        self._returned[flow] = made
        return made


class _Fails:
    """Takes the faults of an expression, and remembers only that there were some."""

    def __init__(self) -> None:
        self.told = False

    def __call__(self, offset: int, code: str, message: str, hint: str) -> None:
        self.told = True


class Environment:
    """The names of one flow; what its steps ask when they say their types (``engine.flows.step.Types``)."""

    def __init__(self, draft: Draft, world: World) -> None:
        self.draft = draft
        self.world = world
        self.known = world.known
        self.step: Step | None = None  # the one whose faults are reported
        self._producers = draft.births()
        self._types: dict[str, Type] = {}
        self._holds: dict[tuple[str, ...], tuple[bool, bool]] = {}
        self._open: list[str] = []  # names that are being asked for
        self._assumed: dict[str, Type] = {}  # what some of them are taken for meanwhile
        self._touched: set[int] = set()  # of them, those that were asked for again before they were known

    def name_type(self, name: str) -> Type:
        """The type of a name; ANY for one that there is not."""
        found = self._types.get(name)
        if found is not None:
            return found
        read_only = READ_ONLY_TYPES.get(name)
        if read_only is not None:
            # One that the flow sets all the same has been told of; what comes of that would only confuse.
            return ANY if name in self._producers else read_only
        if name in self._open:
            self._touched.add(self._open.index(name))
            return self._assumed.get(name, ANY)
        place = len(self._open)
        self._open.append(name)
        made: Type | None = None
        if self.draft.head is not None and name in self.draft.head.params:
            made = self.world.parameter(self.draft.name, name)
        of_itself: list[Step] = []
        for producer in self._producers.get(name, ()):
            before, self._touched = self._touched, set()
            born = ANY if producer is None else producer.born_type(name, self)
            if place in self._touched and type(producer) is Set:
                of_itself.append(producer)
            else:
                made = join(made, born)
            self._touched |= before
        if of_itself:
            made = self._with_itself(name, made, of_itself)
        made = made or ANY
        if made.literal is not None and len(self._producers.get(name, ())) > 1 + len(of_itself):
            made = replace(made, literal=None)
        self._open.pop()
        # What was found while an outer name was not known yet may be less than the truth: it is asked for again.
        self._touched.discard(place)
        if not self._touched:
            self._types[name] = made
        return made

    def _with_itself(self, name: str, begins: Type | None, producers: list[Step]) -> Type:
        """The type of a name that begins as ``begins`` and is then set to what is made of itself."""
        if begins is None or not begins.known:
            return ANY if begins is None else join(begins, ANY)
        made = begins
        self._assumed[name] = begins
        for producer in producers:
            assert isinstance(producer, Set)
            value = producer.values[name]
            fails = _Fails()
            born = self.value(value) if value.expression is None else infer(value.expression, self, fails)
            if not fails.told:
                made = join(made, born)
            elif born.holds_private and not made.private:
                made = replace(made, private=True)
        del self._assumed[name]
        # What it has become would be reckoned with again: only where that is what it was, it is sure.
        return made if made.of is begins.of else join(made, ANY)

    def path_type(self, path: tuple[str, ...]) -> Type | None:
        """The type of ``name.field.field``; None when there is surely no such field."""
        made = self.name_type(path[0])
        for part in path[1:]:
            found = made.field(part)
            if found is None:
                return None
            made = found
        return made

    def holds(self, path: tuple[str, ...]) -> tuple[bool, bool]:
        """Is what ``path`` leads to private, and is it secret, or any part of it?"""
        found = self._holds.get(path)
        if found is None:
            made = self.path_type(path)
            found = (False, False) if made is None else (made.holds_private, made.holds_secret)
            if path[0] in self._types or path[0] in READ_ONLY_TYPES:
                self._holds[path] = found
        return found

    def value(self, value: Value) -> Type:
        """The type of a value as written."""
        if value.expression is not None:
            return infer(value.expression, self)
        if value.template is None:
            return literal(value.text)
        if value.template.sole is not None:
            return self.path_type(value.uses[0].path) or ANY
        private = secret = False
        for use in value.uses:
            holds = self.holds(use.path)
            private, secret = private or holds[0], secret or holds[1]
        return replace(TEXT, private=private, secret=secret) if private or secret else TEXT

    def expression(self, expression: Expression) -> Type:
        """The type of an expression."""
        return infer(expression, self)

    def returned(self, flow: str) -> Type:
        """The record of what a flow returns."""
        return self.world.returned(flow)

    def fault(self, path: Path_, code: str, message: str, hint: str = "", **more: Any) -> None:
        """Report a fault at something within the step that is being checked."""
        assert self.step is not None
        self.draft.add(self.step, path, code, message, hint, **more)
