"""What a plugin may bring beside its department: kinds of steps, formats of values, reports, commands.

All of them carry the plugin's name in front, so that two plugins never meet: the step and the format
``logistics_waybill``, the report ``logistics.late``, the command ``insideline logistics track``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Final, get_type_hints

from engine.errors import PluginError
from engine.hooks.context import Context
from engine.hooks.kinds import Digits, without_none

#: What a parameter of a report or a command may be.
PARAMETERS: Final = (str, int, Decimal, bool, date, datetime, Digits)

#: For ``over``: its own database, and each system of its department, wherever that is.
ALL: Final = "all"

#: Words that `insideline <word>` means already.
RESERVED: Final = frozenset(
    {
        "init", "run", "dial", "status", "doctor", "call", "cdr", "agent", "queue", "conference", "fax", "recording",
        "party", "ticket", "callback", "notice", "tally", "schedule", "voicemail", "rating", "flow", "dialplan",
        "calendar", "reload", "talk", "explain", "schema", "prompts", "outbox", "plugin", "report", "db", "fs",
        "conf", "supervise", "knowledge", "certification", "data",
    }
)  # fmt: skip


class StepKind:
    """A kind of step that a plugin brings: a subclass of ``engine.api.Step`` (which is one)."""

    kind: ClassVar[str] = ""


@dataclass(frozen=True, slots=True)
class Format:
    """How a value is spoken: ``{waybill:logistics_waybill}`` in a prompt.

    ``accepts`` are the Python types that it can say; ``words`` gives for each language that the centre speaks a
    function from the value to the words, which must not wait. ValueError: the value does not fit; it is then said as
    plain text, and logged.
    """

    name: str
    accepts: tuple[type, ...]
    words: Mapping[str, Callable[[Any], str]]

    def __post_init__(self) -> None:
        if not self.accepts or not all(inspect.isclass(one) for one in self.accepts):
            raise PluginError(f"format {self.name}: accepts is a tuple of types, as in (str,)")
        if not self.words or not all(callable(one) for one in self.words.values()):
            raise PluginError(f"format {self.name}: words has a function for each language")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a report or a command, as its function's signature says."""

    name: str
    type: Any
    required: bool
    default: Any


@dataclass(frozen=True, slots=True)
class Report:
    """A report: ``rows(ctx, …)`` answers rows of ``columns``, asked off the hub in a transaction that changes nothing.

    Its further arguments become options: ``since: date`` is ``--since 2026-11-01``. A row is a sequence in the order of
    ``columns``. It runs while the engine does, and also while none does. ``over`` is the contract whose system it asks,
    where that is not the department's first; with ``over="all"`` it has the department's own tables and every system,
    also those over http.
    """

    name: str  # logistics.late
    title: str
    columns: Sequence[str]
    rows: Callable[..., Iterable[Sequence[Any]]]
    within: float = 60.0  # seconds
    over: Any = None
    parameters: tuple[Parameter, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        if isinstance(self.columns, str) or not self.columns:
            raise PluginError(f"report {self.name}: columns is a list of names")
        object.__setattr__(self, "parameters", _parameters(f"report {self.name}", self.rows))


@dataclass(frozen=True, slots=True)
class CliCommand:
    """A command of a department: ``insideline logistics track 44018004``.

    ``run(ctx, …)`` works in a transaction of its own that is committed when it returns. Arguments without a default are
    given in order, those with one are options. A text is printed, a list of mappings is shown as a table (or by
    ``--json``), a mapping of titles to such lists as several tables, None says nothing. It has ``ctx.tickets`` and
    ``ctx.notify``, whether an engine runs or not. ``Refused`` ends it with its reason and exit 1.
    ``over`` is the contract whose system it asks, where that is not the department's first; with ``over="all"`` it has
    the department's own tables and every system, also those over http.
    """

    name: str  # track
    run: Callable[..., Any]
    help: str = ""
    within: float = 60.0  # seconds
    over: Any = None
    parameters: tuple[Parameter, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        if not self.name.replace("-", "").isalnum() or not self.name.islower():
            raise PluginError(f"a command's name is lower-case letters, digits and -, not {self.name!r}")
        object.__setattr__(self, "parameters", _parameters(f"command {self.name}", self.run))


def _parameters(what: str, function: Callable[..., Any]) -> tuple[Parameter, ...]:
    try:
        hints = get_type_hints(function, include_extras=True)
    except NameError as error:
        raise PluginError(
            f"{what}: the type {error.name!r} is not known at run time (import it outside TYPE_CHECKING)"
        ) from None
    first, *others = inspect.signature(function).parameters.values() or (None,)
    if first is None or hints.get(first.name) is not Context:
        raise PluginError(f"{what}: the first argument of its function must be `ctx: Context`")
    found = []
    for one in others:
        annotation, _ = without_none(hints.get(one.name))
        if annotation not in PARAMETERS:
            wanted = "str, Digits, int, Decimal, bool, date or datetime"
            raise PluginError(f"{what}: argument {one.name!r} must be {wanted}")
        required = one.default is one.empty
        found.append(Parameter(one.name, annotation, required, None if required else one.default))
    return tuple(found)
