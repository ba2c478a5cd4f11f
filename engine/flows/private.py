"""What is private or secret in a running call: which names hold it, and how a later engine has it again.

A private value (pay) may be spoken and handed on; a secret one (a PIN) goes to the handler that compares it. Neither
is kept with the call. Which values they are follows from where they come from: a query's record says it of its
fields, and what is computed, chosen, handed over or returned of something private is private, too.

With a private name goes a *recipe*, which is kept in the name's place: the query with its arguments, and what was
reckoned of its answer. So whoever takes the call up asks again. What can't be had again (the system is away, an
argument was secret) is :class:`Lost` when the flow reads it, and the flow goes the way of the query that failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import structlog
from pydantic import BaseModel

from engine.errors import DepartmentFailed, InsidelineError, NotFound
from engine.flows.expressions import Expression, ExpressionError, Use, compile_expression
from engine.flows.packing import Sheltered, hidden_fields, pack, unpack
from engine.flows.scope import UnknownName, field_of
from engine.flows.values import Value, parse_value
from engine.hooks.kinds import PRIVATE as PRIVATE_MARK
from engine.hooks.kinds import holds_private, marked
from engine.log import Secret

if TYPE_CHECKING:
    from engine.flows.run import Run

log = structlog.get_logger(__name__)

SECRET: Final = "s"
PRIVATE: Final = "p"
PART: Final = "r"  # a record, or a list of them: its class says which of its fields are private

#: How a value is had again, as JSON: ``{"k": packed}`` for one that may be kept, ``{"q": query, "w": {argument:
#: recipe}, "t": within, "h": [flow, block, step]}``, ``{"v": a value as written, "n": {name: recipe}}``, the same
#: with ``e`` for an expression of which ``i`` was chosen, ``{"f": {field: recipe}}`` for a record that was returned.
Recipe = dict[str, Any]


class Mark(NamedTuple):
    """What is said of a name: how private it is, and how it is had again (None: it can't be)."""

    kind: str
    recipe: Recipe | None = None


class Lost(InsidelineError):
    """A private value that could not be had again by the engine that took the call up. ``home`` is the query that it
    came from: flow, block and number of the step."""

    def __init__(self, name: str, home: tuple[str, str, int] | None) -> None:
        super().__init__(f"`{name}` could not be asked for again")
        self.home = home


class Handed(dict[str, Any]):
    """Values that a step hands over (to a prompt, a handler, a sub-flow), with the marks of those that are not
    everybody's."""

    __slots__ = ("marks",)

    def __init__(
        self, values: Mapping[str, Any] | None = None, marks: Mapping[str, Mark] | None = None
    ) -> None:
        super().__init__(values or {})
        self.marks: dict[str, Mark] = dict(marks or {})

    def also(self, more: Mapping[str, Any], marks: Mapping[str, Mark] | None = None) -> Handed:
        """These, and ``more`` before them."""
        made = Handed({**self, **more}, {name: mark for name, mark in self.marks.items() if name not in more})
        made.marks.update(more.marks if isinstance(more, Handed) else {})
        made.marks.update(marks or {})
        return made

    def sealed(self) -> dict[str, Any]:
        """The same for a handler, which opens what is sealed: a secret that is kept by nobody on its way there."""
        return {
            name: Secret(value) if isinstance(value, str) and name in self.marks else value
            for name, value in self.items()
        }


class Remains(dict[str, Any]):
    """What is left of a record when its private part could not be asked for again."""

    __slots__ = ("lost",)

    def __init__(self, values: Mapping[str, Any], lost: Lost) -> None:
        super().__init__(values)
        self.lost = lost

    def __missing__(self, name: str) -> Any:
        raise self.lost

    def __contains__(self, name: object) -> bool:
        if not super().__contains__(name):
            raise self.lost
        return True

    def get(self, name: str, default: Any = None) -> Any:
        return self[name]


# -- how private something is ----------------------------------------------------------------------


def holds(value: Any) -> bool:
    """Is some part of this value private?"""
    if isinstance(value, (list, tuple)):
        return any(holds(item) for item in value)
    if not isinstance(value, (BaseModel, Sheltered)):
        return False
    hidden = hidden_fields(value)
    names = value if isinstance(value, Sheltered) else type(value).model_fields
    return any(
        (name in hidden and field_of(value, name) is not None) or holds(field_of(value, name))
        for name in names
    )


def kind_of(run: Run, uses: Iterable[Use], given: Handed | None = None, *, sole: bool = False) -> str:
    """How private a value is that reads these names: ``SECRET``, ``PRIVATE``, ``PART`` (only where it is one name,
    ``sole``, and that is a record), or "". ``given`` are names that come before those of the flow."""
    found = ""
    for use in uses:
        if use.tested:
            continue
        one = _of_path(run, use.path, given)
        if one == SECRET:
            return SECRET
        if one:
            found = one if sole else PRIVATE
    return found


def _of_path(run: Run, path: tuple[str, ...], given: Handed | None) -> str:
    root = path[0]
    if given is not None and root in given:
        mark, here = given.marks.get(root), given[root]
    else:
        frame = run.frame
        mark, here = frame.marks.get(root), frame.names.get(root)
    if mark is not None and mark.kind != PART:
        return mark.kind
    for part in path[1:]:
        if part in hidden_fields(here) and not _in_parts(here, part):
            return PRIVATE
        try:
            here = field_of(here, part)
        except UnknownName:
            return ""
    return PART if holds(here) else ""


def _in_parts(record: Any, name: str) -> bool:
    """Is a field kept nowhere only because of what is private within its entries?"""
    if not isinstance(record, BaseModel):
        return False
    field, value = type(record).model_fields[name], getattr(record, name)
    if PRIVATE_MARK in field.metadata or marked(field.annotation, PRIVATE_MARK):
        return False
    return isinstance(value, (list, tuple)) and all(isinstance(one, BaseModel) for one in value)


def answered(run: Run, step: Any, arguments: Handed, value: Any) -> Mark | None:
    """The mark of what the query of ``step`` has answered."""
    result = run.services.departments.query(step.ask).result
    if not holds_private(result):
        return None
    whole = marked(result, PRIVATE_MARK) or not (
        isinstance(value, BaseModel)
        or (isinstance(value, (list, tuple)) and all(isinstance(one, BaseModel) for one in value))
    )
    recipe: Recipe | None = None
    items = {name: _item(value, arguments.marks.get(name)) for name, value in arguments.items()}
    if all(item is not None for item in items.values()):
        home = [run.frame.flow.name, step.block, step.index]
        recipe = {"q": step.ask, "w": items, "t": step.within, "h": home}
    return Mark(PRIVATE if whole else PART, recipe)


def computed(run: Run, value: Value) -> Mark | None:
    """The mark of a value as written in a flow, as it is now."""
    if not value.uses:
        return None
    sole = value.template is not None and value.template.sole is not None
    kind = kind_of(run, value.uses, sole=sole)
    if not kind or kind == SECRET:
        return Mark(SECRET) if kind else None
    names = _ingredients(run, value.uses)
    return Mark(kind, None if names is None else {"v": value.text, "n": names})


def chosen(run: Run, expression: Expression, at: int, entry: Any) -> Mark | None:
    """The mark of an entry of a list that an expression makes."""
    kind = kind_of(run, expression.uses, sole=True)
    if kind == SECRET or not kind:
        return Mark(SECRET) if kind else None
    if kind == PART and not holds(entry):
        return None
    names = _ingredients(run, expression.uses)
    return Mark(kind, None if names is None else {"e": expression.text, "i": at, "n": names})


def entry_mark(run: Run, expression: Expression, name: str) -> dict[str, Mark]:
    """The mark of an entry of a list while it is said, by the name that it has then."""
    kind = kind_of(run, expression.uses, sole=True)
    return {name: Mark(kind)} if kind else {}


def returned(values: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mark | None]:
    """The record that a sub-flow has returned, and its mark."""
    marks = values.marks if isinstance(values, Handed) else {}
    if not marks:
        return dict(values), None
    items = {name: _item(value, marks.get(name)) for name, value in values.items()}
    recipe = None if None in items.values() else {"f": items, "p": _whole(marks)}
    return Sheltered(values, frozenset(_whole(marks))), Mark(PART, recipe)


def _whole(marks: Mapping[str, Mark]) -> list[str]:
    return [name for name, mark in marks.items() if mark.kind != PART]


def _ingredients(run: Run, uses: Iterable[Use]) -> dict[str, Recipe] | None:
    """The recipes of the names that a value reads; None when one of them can't be had again."""
    found: dict[str, Recipe] = {}
    scope, marks = run.scope, run.frame.marks
    for root in {use.path[0] for use in uses}:
        if run.deferred and root in ("party", "caller"):
            return None  # who calls is kept nowhere, nor is what tells it
        try:
            item = _item(scope[root], marks.get(root))
        except KeyError:
            continue  # only `is known` asks for it
        if item is None:
            return None
        found[root] = item
    return found


def _item(value: Any, mark: Mark | None) -> Recipe | None:
    if mark is not None:
        return mark.recipe
    try:
        return {"k": pack(value)}
    except TypeError:
        return None


# -- having it again ---------------------------------------------------------------------------------


def to_state(marks: Mapping[str, Mark]) -> dict[str, Any]:
    """Marks as a call's place keeps them."""
    return {name: [mark.kind, mark.recipe] if mark.recipe else mark.kind for name, mark in marks.items()}


def from_state(kept: Mapping[str, Any]) -> dict[str, Mark]:
    """What :func:`to_state` gave."""
    return {name: Mark(*one) if isinstance(one, list) else Mark(one) for name, one in kept.items()}


def regain(run: Run) -> None:
    """Ask again for what was not kept, after a call was taken up. What can't be had is :class:`Lost` from then on."""
    answers: dict[str, Any] = {}
    for frame in run.frames:
        _regain(run, frame.names, frame.marks, answers)


def _regain(run: Run, names: dict[str, Any], marks: Mapping[str, Mark], answers: dict[str, Any]) -> None:
    for name, mark in marks.items():
        if mark.kind == SECRET:
            continue
        home = home_of(mark.recipe)
        try:
            if mark.recipe is None:
                raise Lost(name, home)
            names[name] = _again(run, mark.recipe, answers)
        except (DepartmentFailed, NotFound, UnknownName, ExpressionError, Lost, LookupError) as error:
            log.warning("private.not_regained", call=run.call.id, name=name, error=type(error).__name__)
            names[name] = _remains(names.get(name), Lost(name, home))


def home_of(recipe: Recipe | None) -> tuple[str, str, int] | None:
    """The query that a recipe begins with."""
    if not recipe:
        return None
    if "h" in recipe:
        flow, block, index = recipe["h"]
        return flow, block, index
    inner: Mapping[str, Recipe] = recipe.get("n") or recipe.get("f") or {}
    return next((home for one in inner.values() if (home := home_of(one)) is not None), None)


def _again(run: Run, recipe: Recipe, answers: dict[str, Any]) -> Any:
    if "k" in recipe:
        return unpack(recipe["k"])
    if "q" in recipe:
        # Several names may come of one answer: it is asked for once.
        key = repr((recipe["q"], recipe["w"]))
        if key not in answers:
            arguments = {name: _again(run, item, answers) for name, item in recipe["w"].items()}
            answers[key] = run.services.departments.ask(recipe["q"], arguments, within=recipe["t"])
        if answers[key] is None:
            raise UnknownName(recipe["q"])
        return answers[key]
    if "f" in recipe:
        fields = {name: _again(run, item, answers) for name, item in recipe["f"].items()}
        return Sheltered(fields, frozenset(recipe["p"]))
    names = {name: _again(run, item, answers) for name, item in recipe["n"].items()}
    if "e" in recipe:
        return list(compile_expression(recipe["e"]).evaluate(names))[recipe["i"]]
    return parse_value(recipe["v"]).get(names)


def _remains(value: Any, lost: Lost) -> Any:
    if isinstance(value, Mapping):
        return Remains({name: _remains(item, lost) if isinstance(item, (Mapping, list)) else item
                        for name, item in value.items()}, lost)  # fmt: skip
    if isinstance(value, list):
        return [_remains(item, lost) for item in value]
    return lost


def present(value: Any) -> Any:
    """The value of a name. Raises :class:`Lost`."""
    if isinstance(value, Lost):
        raise value
    return value
