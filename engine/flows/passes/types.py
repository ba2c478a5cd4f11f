"""Pass 4, types: what expressions compare, what texts speak, what handlers are given; and what must not be written.

Only what is sure to go wrong is a fault: a value whose type is not known is never one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from engine.flows.expressions import Use
from engine.flows.known import READ_ONLY
from engine.flows.loader import ON_HANGUP, Draft, Facts
from engine.flows.passes.environment import Environment, World
from engine.flows.passes.fits import good_formats, refused, unspeakable
from engine.flows.passes.infer import infer, no_field
from engine.flows.passes.spoken import SpokenHere
from engine.flows.step import Step
from engine.flows.steps.command import Command
from engine.flows.steps.query import Query
from engine.flows.steps.set import Set
from engine.flows.steps.ticket import Ticket
from engine.flows.types import ANY, Type, of_annotation
from engine.flows.values import Value
from engine.hooks.department import Argument
from engine.hooks.kinds import holds_private
from engine.schema.faults import did_you_mean
from engine.schema.source import Path_


class TypeFaults:
    """Looks at the types in one flow."""

    def __init__(self, draft: Draft, world: World, spoken: SpokenHere) -> None:
        self.draft = draft
        self.spoken = spoken
        self.known = world.known
        self.world = world
        self.names: Environment = world.environment(draft.name)
        self.reported: set[tuple[str, int, Path_, str, int]] = set()
        # Prompts without values of their own that can be said, and whether anybody may know what they say.
        self._fine: set[tuple[str, bool]] = set()

    def run(self) -> None:
        for block in (*self.draft.blocks, ON_HANGUP):
            for step, facts in self.draft.walk(block):
                if step is not None and facts is not None and (facts.reads or _more(type(step))):
                    self._step(step, facts)
        for step, facts, _ in self.draft.partials():
            if facts.reads:
                self._step(step, facts)

    def _step(self, step: Step, facts: Facts) -> None:
        kind = type(step)
        for what, value, path in facts.reads:
            if what == "value":
                if value.uses or value.expression is not None:
                    self._value(step, path, value)
            elif what == "prompt":
                if self.draft.says_all(step):
                    self._prompt(step, path, value)
            else:
                if value._node is not None:
                    infer(
                        value,
                        self.names,
                        lambda offset, code, message, hint, path=path: self._add(  # type: ignore[misc]
                            step, path, offset, code, message, hint
                        ),
                    )
                self._secrets(step, path, value.uses)
        for field, wanted in kind.wants.items():
            given = getattr(step, field, None)
            if isinstance(given, Value):
                self._wanted(step, (field,), given, wanted)
        if kind is Query and (query := self.known.queries.get(step.ask)) is not None:  # type: ignore[attr-defined]
            self._arguments(step, step.ask, query.arguments)  # type: ignore[attr-defined]
        elif kind is Command and (command := self.known.commands.get(step.do)) is not None:  # type: ignore[attr-defined]
            self._arguments(step, step.do, command.arguments)  # type: ignore[attr-defined]
        elif kind is Ticket and self.draft.is_whole(step):
            self._ticket(step)  # type: ignore[arg-type]
        if kind.check_types is not Step.check_types and self.draft.is_whole(step):
            self.names.step = step
            step.check_types(self.names)

    # -- values ---------------------------------------------------------------------------------------

    def _value(self, step: Step, path: Path_, value: Value) -> None:
        if value.expression is not None:
            infer(
                value.expression,
                self.names,
                lambda offset, code, message, hint: self._add(step, path, offset + 1, code, message, hint),
            )
        elif value.template is not None:
            sole = value.template.sole
            for use, slot in zip(value.uses, value.template.slots, strict=True):
                found = self._path(step, path, use, "")
                if sole is None and found is not None:
                    self._format(step, path, use, slot.format, found, "")
        self._secrets(step, path, value.uses)
        if path[0] not in type(step).takes_private and type(step) is not Set:
            self._private(step, path, value.uses)

    def _path(self, step: Step, path: Path_, use: Use, spoken: str, given: Type | None = None) -> Type | None:
        """The type of what is read, or None after a fault."""
        made = self.names.name_type(use.path[0]) if given is None else given
        for index, part in enumerate(use.path[1:], 1):
            found = made.field(part)
            if found is None:
                code, message, hint = no_field(".".join(use.path[:index]), made, part)
                where = f" (read by the prompt `{spoken}`)" if spoken else ""
                self._add(step, path, use.offset, code, message + where, hint)
                return None
            made = found
        return made

    def _format(self, step: Step, path: Path_, use: Use, format_: str, found: Type, spoken: str) -> None:
        if not found.known or not unspeakable(format_, found, self.known.formats):
            return
        name = ".".join(use.path)
        where = f" in the prompt `{spoken}`" if spoken else ""
        if found.is_record or found.is_list:
            fields = ", ".join(f"{{{name}.{field}}}" for field in list(found.field_names)[:3])
            hint = f"name a field: {fields}" if fields else ""
            self._add(
                step, path, use.offset, "wrong-type", f"`{name}` is {found} and can't be said{where}", hint
            )
            return
        good = good_formats(found)
        shown = f"`{found.literal}`" if found.literal is not None else str(found)
        self._add(
            step,
            path,
            use.offset,
            "wrong-type",
            f"`{name}` is {shown} and can't be said as `{format_}`{where}",
            f"it can be said as {', '.join(f'{{{name}:{one}}}' for one in good)}" if good else "",
        )

    def _secrets(self, step: Step, path: Path_, uses: tuple[Use, ...], spoken: str = "") -> None:
        if path[0] in type(step).takes_secret:
            return
        for use in uses:
            if use.tested or use.path[0] in READ_ONLY:
                continue
            if self.names.holds(use.path)[1]:
                name = ".".join(use.path)
                where = f" (read by the prompt `{spoken}`)" if spoken else ""
                self._add(
                    step,
                    path,
                    use.offset,
                    "secret-spoken",
                    f"`{name}` is secret: it may only be handed to a query or command{where}",
                    "let a query or command say whether it is right",
                )

    def _private(self, step: Step, path: Path_, uses: tuple[Use, ...], *, written: bool = True) -> None:
        for use in uses:
            if use.tested or not self.names.holds(use.path)[0]:
                continue
            found = self.names.path_type(use.path)
            if found is not None:
                name = ".".join(use.path)
                part = next(
                    (f".{key}" for key, field in (found.fields or {}).items() if field.holds_private), ""
                )
                open_ = [
                    f"{{{name}.{key}}}"
                    for key, field in (found.fields or {}).items()
                    if not field.holds_private
                ]
                self._add(
                    step,
                    path,
                    use.offset,
                    "private",
                    f"`{name}{part}` is private: it may be spoken to the caller, but not "
                    + ("written down or shown" if written else "while the recording goes on"),
                    f"hand over what is not private: {', '.join(open_[:4])}"
                    if open_
                    else f"leave `{path[-1]}` out",
                )

    # -- what is spoken ---------------------------------------------------------------------------------

    def _prompt(self, step: Step, path: Path_, prompt: str) -> None:
        kind = type(step)
        open_ = kind.writes_prompts or path in kind.recorded_prompts
        if (prompt, open_) in self._fine:
            return
        spoken = self.spoken[prompt].placeholders
        if not spoken:
            self._fine.add((prompt, open_))
            return
        values: Mapping[str, Value] = getattr(step, "values", {})
        lent = step.lent_types(self.names) if step.lent() else {}
        before = len(self.draft.faults)
        for names, format_ in spoken:
            root, given = names[0], None
            if root in values:
                given = self.names.value(values[root])
            elif root in step.lent():
                given = lent.get(root, ANY)
            use = Use(names, 0)
            found = self._path(step, path, use, prompt, given)
            if found is None:
                continue
            if found.holds_secret:
                if root not in values:  # told of at the value
                    self._secrets(step, path, (use,), prompt)
                continue
            if found.holds_private and open_ and root not in values:
                self._private(step, path, (use,), written=kind.writes_prompts)
            self._format(step, path, use, format_, found, prompt)
        if not values and not lent and len(self.draft.faults) == before:
            self._fine.add((prompt, open_))

    # -- what is handed over ------------------------------------------------------------------------------

    def _arguments(self, step: Step, name: str, wanted: Mapping[str, Argument]) -> None:
        values: Mapping[str, Value] = step.with_  # type: ignore[attr-defined]
        for given, value in values.items():
            argument = wanted.get(given)
            if argument is None:
                continue
            if (
                argument.type is str
                and not value.uses
                and value.template is None
                and value.expression is None
            ):
                continue
            found = self.names.value(value)
            if found.holds_private and type(step) is Command and not holds_private(argument.type):
                # It may be kept with the command's key until a remote system has had it.
                self._add(
                    step,
                    ("with", given),
                    value.uses[0].offset if value.uses else 0,
                    "private",
                    f"`{value.uses[0].path[0] if value.uses else given}` is private, and `{given}` of `{name}` is not",
                    f"declare it in the plugin: {given}: Private[…]",
                )
            if refused(argument.type, found):
                self._refused(
                    step, ("with", given), value, found, of_annotation(argument.type), f"`{name}` wants "
                )

    def _ticket(self, step: Ticket) -> None:
        kinds = self.known.tickets.get(self.draft.name.partition("/")[0])
        if kinds is None:
            return
        declared = kinds.get(step.about)
        if declared is None:
            message = f"there is no kind of ticket `{step.about}`"
            self._add(step, ("kind",), 0, "unknown-ticket", message, did_you_mean(step.about, kinds))
            return
        fields = declared.fields_by_name()
        if declared.fields is None:
            return
        for name in declared.required():
            if name not in step.data:
                message = f"a ticket `{step.about}` must say `{name}`"
                self._add(step, ("kind",), 0, "missing-field", message, f"data: {{{name}: …}}")
        for name, value in step.data.items():
            path = ("data", name)
            field = fields.get(name)
            if field is None:
                message = f"a ticket `{step.about}` has no `{name}`"
                self._add(step, path, 0, "unknown-field", message, did_you_mean(name, fields))
                continue
            found = self.names.value(value)
            if refused(field.type, found):
                wanted = of_annotation(field.type)
                self._refused(step, path, value, found, wanted, f"`{name}` of a ticket `{step.about}` is ")

    def _wanted(self, step: Step, path: Path_, value: Value, wanted: Type) -> None:
        found = self.names.value(value)
        if found.known and refused(wanted.annotation or wanted.of, found):
            self._refused(step, path, value, found, wanted, "this must be ")

    def _refused(self, step: Step, path: Path_, value: Value, found: Type, wanted: Type, says: str) -> None:
        shown = f"`{found.literal}`" if found.literal is not None else str(found)
        hint = ""
        if wanted.choices:
            hint = did_you_mean(found.literal or "", wanted.choices)
            message = f"{says}one of {', '.join(wanted.choices)}, not {shown}"
        else:
            message = f"{says}{_wanted_words(wanted)}, not {shown}"
        if found.of.__name__ == "datetime" and wanted.of.__name__ == "date":
            hint = (
                "write {now.date}"
                if value.uses and value.uses[0].path == ("now",)
                else "hand over its `.date`"
            )
        elif wanted.digits and found.literal is not None:
            hint = "digits are 0-9 without blanks or signs"
        self._add(step, path, value.uses[0].offset if value.uses else 0, "wrong-type", message, hint)

    def _add(self, step: Step, path: Path_, offset: int, code: str, message: str, hint: str) -> None:
        once = (step.block, step.index, path, code, offset)
        if once not in self.reported:
            self.reported.add(once)
            self.draft.add(step, path, code, message, hint, offset=offset)


@cache
def _more(kind: type[Step]) -> bool:
    """Does this kind of step want to be looked at though it reads nothing?"""
    return bool(kind.wants) or kind is Ticket or kind.check_types is not Step.check_types


def _wanted_words(wanted: Type) -> str:
    return "digits" if wanted.digits else str(wanted)
