"""What every step is: a frozen shape that says how it is written, where it leads and what it needs.

A kind of step is a subclass in ``engine/flows/steps/``, one file each, listed in ``steps.STEPS``. Its fields are
what may be written; its class variables say the rest. The code that runs it stands beside them, so that one
file tells all about a step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple, Protocol

from pydantic import Field

from engine.flows.expressions import Expr, Expression
from engine.flows.types import ANY, Type
from engine.flows.values import Val, Value
from engine.schema.fields import Attempts, Duration, Flag, Key, Name, PromptRef, Target
from engine.schema.shapes import Ref, Reference, Shape, references

if TYPE_CHECKING:
    from engine.flows.known import Known
    from engine.flows.moves import Move
    from engine.flows.run import Run


class Types(Protocol):
    """What a step may ask the checker when it says the types of what it bears (:meth:`Step.born_type`) and when it
    looks at the types of what it is given (:meth:`Step.check_types`)."""

    @property
    def known(self) -> Known:
        """What there is besides the flows: queries with their types, prompts, calendars."""

    def value(self, value: Value) -> Type:
        """The type of a value as written: ``"{shipment}"``, ``"= total + 1"``, a text."""

    def expression(self, expression: Expression) -> Type:
        """The type of an expression."""

    def returned(self, flow: str) -> Type:
        """The record of what a flow returns."""

    def fault(
        self, path: tuple[str | int, ...], code: str, message: str, hint: str = "", **more: Any
    ) -> None:
        """Report a fault at something within the step; only for what is sure to go wrong."""


class Way(NamedTuple):
    """A way out of a step: ``name`` as written (``give_up``, ``options.1``) and the block or flow it leads to."""

    name: str
    target: str
    path: tuple[str | int, ...]


#: A value that is born here.
Into = Annotated[Name, Ref("into")]
#: Values handed over: to a query, a prompt, a journal entry.
Values = dict[Name, Val]


class Step(Shape):
    """One step of a block. Parsed once, shared by all calls; nothing about a call is kept in it."""

    #: The word it is written with.
    kind: ClassVar[str] = ""
    #: The field that a step written as one value means: ``- go: bye``. "" when there is none.
    short: ClassVar[str] = ""
    #: May it stand as a bare word: ``- answer``?
    bare: ClassVar[bool] = False
    #: The field that takes a list or mapping as a whole: ``- choose: [...]``, ``- set: {...}``.
    whole: ClassVar[str] = ""
    #: Does it need the caller (to hear, to press, to be connected)? Then it can't stand in ``on_hangup``.
    needs_caller: ClassVar[bool] = True
    #: Must it have an ``id``? (Its deeds are kept by it.)
    needs_id: ClassVar[bool] = False
    #: Does it wait for a person on the phone, so that a loop through it ends?
    waits: ClassVar[bool] = False
    #: Names that its prompts may speak beside those of the flow.
    lends: ClassVar[frozenset[str]] = frozenset()
    #: Fields whose values are left out, rather than refused, where a name in them is not known.
    lenient: ClassVar[frozenset[str]] = frozenset()

    #: Fields of one value (`Val`) and the type that it must be able to become: ``{"number": TEXT}``.
    wants: ClassVar[Mapping[str, Type]] = {}
    #: Fields whose values may be secret (a PIN): they go to somebody who compares them, and are written nowhere.
    takes_secret: ClassVar[frozenset[str]] = frozenset()
    #: Fields whose values may be private (pay): they are spoken or asked with. All others are written down or shown
    #: to somebody (a journal, a ticket, a desk), and a private value in them is a fault.
    takes_private: ClassVar[frozenset[str]] = frozenset({"values"})
    #: Are its prompts written down (a fax, a notice) rather than said to the caller? Then they hold nothing private.
    writes_prompts: ClassVar[bool] = False
    #: Where prompts stand that are said while nothing is silenced in the recording: they hold nothing private either.
    recorded_prompts: ClassVar[frozenset[tuple[str, ...]]] = frozenset()

    #: Where it stands: the line of its file (from 1), its block (``on_hangup`` for the steps there), its number
    #: within that (from 0). Each step has its own; they are no keys that may be written.
    line: ClassVar[int] = 0
    block: ClassVar[str] = ""
    index: ClassVar[int] = 0

    id: Name | None = None
    """Its lasting name within the flow; what it did is kept by it."""
    #: Written ``if``: the step is passed over when it does not hold.
    when: Expr | None = Field(default=None, alias="if")
    """An expression: the step is passed over when it does not hold."""

    def stands(self, block: str, index: int, line: int) -> None:
        """Tell the step where it stands. For the loader, once."""
        # Plain entries of the instance, as functools.cached_property makes them: the shape stays frozen, and
        # reading them costs what any attribute costs.
        self.__dict__.update(block=block, index=index, line=line)

    @property
    def key(self) -> str:
        """Its lasting name within the flow: the ``id``, or else ``block.index``."""
        return self.id or f"{self.block}.{self.index}"

    @property
    def label(self) -> str:
        """Its name as people read it, counted from 1: ``greet[4] menu``."""
        return f"{self.block}[{self.index + 1}] {self.kind}"

    def run(self, run: Run) -> Move:
        """Do it, in the call's greenlet; the way on (None: the next step)."""
        raise NotImplementedError(self.kind)

    def returned(self, run: Run, outcome: str, values: Mapping[str, Any]) -> Move:
        """The way on when the sub-flow that this step entered has returned."""
        raise NotImplementedError(self.kind)

    def falls_through(self) -> bool:
        """Can the step after this one be reached through it? A conditional step always falls through."""
        return True

    def ways(self) -> Iterator[Way]:
        """All ways out that are written, in the order of the fields."""
        return ways_in(references(self))

    def born(self) -> Iterator[Reference]:
        """The names that have a value once the step is done (on its way on, not on its other ways out)."""
        return (reference for reference in references(self) if reference.kind == "into")

    def bears(self, way: str) -> bool:
        """Are its names born on this way out, too? (They always are where the next step follows.)"""
        return False

    def born_type(self, name: str, types: Types) -> Type:
        """The type of ``name``, which the step bears (what stands at ``into``, a key of ``set``).

        See ``engine.flows.types`` for the types: ``TEXT``, ``DIGITS``, ``NUMBER``, ``record(id=TEXT, due=MOMENT)``,
        ``list_of(…)``. The default, ``ANY``, is right where nothing is known: the checker makes no fault of it.
        """
        return ANY

    def lent_types(self, types: Types) -> Mapping[str, Type]:
        """The types of the names that the step lends to its prompts (``lends``); those left out are ``ANY``."""
        return {}

    def how(self, way: str) -> str:
        """What happens when this way is taken, as the key presses to a fault are told: ``press 2``, ``stay silent
        x3``, ``orders.state finds nothing``. "" where it needs no word."""
        return f"{self.kind} {way}"

    def through(self) -> str:
        """What has to happen for the next step to follow: ``type waybill``. "" where it just does."""
        return ""

    def lent(self) -> frozenset[str]:
        """The names that this very step lends to its prompts: ``lends``, and those that are chosen in the flow
        (``as: line``)."""
        return type(self).lends

    def check_types(self, types: Types) -> None:
        """Look at the types of what the step is given, beyond ``wants``: report with ``types.fault``."""


def ways_in(found: list[Reference]) -> Iterator[Way]:
    """The ways among the references of a step."""
    for reference in found:
        if reference.kind == "target":
            path = reference.path
            name = path[0] if len(path) == 1 else ".".join(map(str, path))
            yield Way(str(name), reference.value, path)


class Again(Shape):
    """What is said before the caller is asked again."""

    silent: PromptRef | None = None
    """Said when nothing was pressed; the common prompt `silent` when left out."""
    wrong: PromptRef | None = None
    """Said when what was pressed does not fit; the common prompt `wrong` when left out."""


class Ask(Step):
    """What the steps share that ask the caller for keys.

    ``first`` is how long to wait for the first key once the prompt is over, ``attempts`` how often the prompt
    is given before ``give_up``. Without ``interrupt`` keys count only after the prompt; ``flush`` drops what
    was typed ahead.
    """

    waits = True

    prompt: PromptRef
    """What is asked."""
    values: Values = Field(default_factory=dict)
    """Values for the prompt, beside the names of the flow."""
    first: Duration = 6.0
    """How long to wait for the first key once the prompt is over."""
    attempts: Attempts = 3
    """How often it is asked before `give_up`."""
    again: Again = Again()
    """What is said before it is asked again."""
    give_up: Target
    """Where a caller leads who gave no good answer in all attempts."""
    interrupt: Flag = True
    """May a key end the prompt? Without it keys count only after the prompt."""
    flush: Flag = False
    """Drop the keys that were pressed before the prompt."""

    @property
    def is_secret(self) -> bool:
        """Must what is typed stay in memory only?"""
        return False

    def how(self, way: str) -> str:
        if way == "give_up":
            return "stay silent" if self.attempts == 1 else f"stay silent x{self.attempts}"
        return super().how(way)


#: Options on keys of the phone: key character -> target.
Options = dict[Key, Target]
