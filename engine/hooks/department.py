"""What a department declares: its name, its tables, its adapters, its queries and commands.

Registration fills a ``Department``, never a global: two centres in one process share nothing but code.
The decorators read a handler's signature once, at import, so that a mistake is reported with its place
before any call meets it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model
from pydantic.errors import PydanticUserError
from pydantic_core import SchemaError

from engine.errors import PluginError
from engine.hooks.context import Context
from engine.hooks.kinds import holds_private, is_record, why_unknown, without_none
from engine.hooks.ticket_kinds import TicketKind, by_name
from engine.log import Secret

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import MetaData
    from sqlalchemy.orm import Session

    from engine.hooks.http import HttpClient
    from engine.hooks.schedules import Schedule

F = TypeVar("F", bound=Callable[..., Any])

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
_TABLES = re.compile(r"[a-z][a-z0-9_]*_\Z")

#: Where a handler runs: "engine" on the hub with the engine's own facades, a contract where its adapter is.
Over: TypeAlias = Literal["engine"] | Callable[..., Any] | None


@dataclass(frozen=True, slots=True)
class Adapter:
    """One company system that a department talks to.

    ``contract`` is a Protocol. ``sql`` is called with the open ``Session`` for each run of a handler; ``http``
    once, with an :class:`~engine.hooks.http.HttpClient` for the address in the configuration (its ``base_url``, for an
    adapter that speaks in its own way). Each must have every method of the contract.
    """

    contract: Any
    sql: Callable[[Session], Any] | None = None
    http: Callable[[HttpClient], Any] | None = None

    def __post_init__(self) -> None:
        if self.sql is None and self.http is None:
            raise PluginError(f"the adapter for {self.name} has neither sql nor http")
        for kind, made in (("sql", self.sql), ("http", self.http)):
            missing = [one for one in self._members() if inspect.isclass(made) and not hasattr(made, one)]
            if missing:
                raise PluginError(
                    f"the {kind} adapter {getattr(made, '__name__', made)!s} lacks {', '.join(missing)} of {self.name}"
                )

    @property
    def name(self) -> str:
        """The contract's name, as the configuration says it."""
        return str(self.contract.__name__)

    def _members(self) -> list[str]:
        return [
            one for one, what in vars(self.contract).items() if not one.startswith("_") and callable(what)
        ]


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a query or command."""

    name: str
    type: Any  # the annotation, with its marks
    required: bool


class BadArguments(ValueError):
    """The values given don't fit the handler's arguments; the message names the arguments, not the values."""


class Shapes:
    """What pydantic makes of a handler's arguments and result: when one is first needed, for making those of all
    handlers would take a tenth of a start. :class:`PluginError` then, for marks that don't fit a type."""

    def __init__(self, whose: str, fields: Mapping[str, Any], returns: Any) -> None:
        self._whose, self._fields, self._returns = whose, fields, returns

    def make(self) -> None:
        """Make both."""
        try:
            self.arguments, self.result  # noqa: B018 - made by being looked at
        except (PydanticUserError, SchemaError, TypeError) as error:
            # A SchemaError tells the way to what is wrong, a line for each of its steps, and then what it is.
            if isinstance(error, SchemaError):
                why = " ".join(str(error).rpartition("SchemaError: ")[2].split())
            else:
                why = str(error).splitlines()[0]
            raise PluginError(f"{self._whose}: {why}") from None

    @cached_property
    def arguments(self) -> type[BaseModel]:
        return create_model(
            f"{self._whose} arguments",
            __config__=ConfigDict(
                extra="forbid",
                coerce_numbers_to_str=True,
                hide_input_in_errors=True,
                arbitrary_types_allowed=False,
                protected_namespaces=(),
            ),
            **self._fields,
        )

    @cached_property
    def result(self) -> TypeAdapter[Any]:
        # A record brings its own configuration; pydantic refuses a second one.
        plain = None if is_record(self._returns) else ConfigDict(hide_input_in_errors=True)
        return TypeAdapter(self._returns, config=plain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """A query or a command, with what its signature says."""

    name: str  # "logistics.track", as flows say it
    department: str
    function: Callable[..., Any]
    arguments: Mapping[str, Argument]
    result: Any  # the annotation, without `| None`
    optional: bool  # the result may be None
    over: Over
    where: str  # file:line
    _shapes: Shapes

    def prove(self) -> None:
        """Raises :class:`PluginError` where an argument or the result is marked with what its type can't be held to."""
        self._shapes.make()

    def coerce(self, values: Mapping[str, object]) -> dict[str, Any]:
        """The keyword arguments that ``values`` (as a flow has them) become. Raises :class:`BadArguments`.

        A :class:`Secret` is revealed: the handler is the one place that needs it.
        """
        given = {
            name: value.reveal() if isinstance(value, Secret) else value for name, value in values.items()
        }
        try:
            read = self._shapes.arguments.model_validate(given)
        except ValidationError as error:
            raise BadArguments(_without_values(error)) from None
        return {name: getattr(read, f"a{at}") for at, name in enumerate(self.arguments)}

    def keep(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments that :meth:`coerce` gave as JSON can hold them; coercing them again gives the same."""
        return self._shapes.arguments.model_validate(arguments).model_dump(mode="json", by_alias=True)

    def check(self, value: object) -> Any:
        """``value`` as a result of the declared type (an object with the attributes becomes the record)."""
        return self._shapes.result.validate_python(value)

    def plain(self, value: Any) -> Any:
        """A result as JSON can hold it."""
        return self._shapes.result.dump_python(value, mode="json")

    def revive(self, plain: Any) -> Any:
        """The result that :meth:`plain` was made from."""
        return self._shapes.result.validate_python(plain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query(Handler):
    """Reads; may be asked again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Handler):
    """Changes something, exactly once for its key."""

    refusals: tuple[str, ...] = ()


class Department:
    """A department: what the engine knows of it besides its flows and prompts.

    ``name`` is how flows call it; a plugin in a folder has the folder's name. ``tables`` is the prefix of all its
    tables, ``models`` their metadata, ``sample(session, today)`` puts the sample data into empty tables (who calls
    stands in ``sample/parties.csv`` of the plugin's folder).
    ``settings`` is the model of what conf/engine.yaml may say under ``departments: <name>:`` (``ctx.settings``).
    ``tickets`` are the kinds of tickets that it opens; one that declares some opens no others.
    ``history(session, history)`` adds its part to the sample company's past (`insideline data seed`; ``History``).
    ``factories`` are for tests: ``function(session, **values)`` by the name that the fixture ``seed`` calls it with.
    """

    def __init__(
        self,
        name: str,
        *,
        title: str = "",
        tables: str = "",
        adapters: Sequence[Adapter] = (),
        models: MetaData | None = None,
        sample: Callable[[Session, date], None] | None = None,
        settings: type[BaseModel] | None = None,
        factories: Mapping[str, Callable[..., Any]] | None = None,
        tickets: Sequence[TicketKind] = (),
        history: Callable[[Session, Any], None] | None = None,
    ) -> None:
        if not _NAME.match(name):
            raise PluginError(f"a department's name is lower-case letters, digits and _, not {name!r}")
        if tables and not _TABLES.match(tables):
            raise PluginError(f"{name}: a table prefix is lower-case and ends with _, not {tables!r}")
        if models is not None:
            if not tables:
                raise PluginError(f"{name}: models without a table prefix; say tables={name + '_'!r}")
            odd = sorted(table for table in models.tables if not table.startswith(tables))
            if odd:
                raise PluginError(f"{name}: table {odd[0]!r} does not begin with {tables!r}")
        if settings is not None:
            if not (inspect.isclass(settings) and issubclass(settings, BaseModel)):
                raise PluginError(f"{name}: settings is a class of Settings, not {settings!r}")
            if "adapters" in settings.model_fields:
                raise PluginError(
                    f"{name}: `adapters` says where company systems are; call that setting otherwise"
                )
        contracts = [adapter.name for adapter in adapters]
        if len(set(contracts)) < len(contracts):
            raise PluginError(f"{name}: two adapters for one contract")
        self.name = name
        self.title = title or name
        self.tables = tables
        self.adapters = tuple(adapters)
        self.models = models
        self.sample = sample
        self.settings = settings
        self.factories = dict(factories or {})
        self.tickets = by_name(name, tickets)
        self.history = history
        #: By contract's name: what stands between a handler and its adapter. For tests (engine.testing.trouble).
        self.around: dict[str, Callable[[Any], Any]] = {}
        self.queries: dict[str, Query] = {}
        self.commands: dict[str, Command] = {}
        self.schedules: dict[str, Schedule] = {}  # see engine.hooks.schedules

    def prove(self) -> None:
        """Raises :class:`PluginError` where a handler's types can't be what they are marked with."""
        scheduled = [one.command for one in self.schedules.values()]
        for handler in (*self.queries.values(), *self.commands.values(), *scheduled):
            handler.prove()

    def __repr__(self) -> str:
        return f"<Department {self.name}: {len(self.queries)} queries, {len(self.commands)} commands>"


def query(department: Department, *, over: Over = None) -> Callable[[F], F]:
    """Declare ``function(ctx, ...)`` a query of the department: ``<department>.<function>`` in flows.

    An answer of ``X | None`` gives the step a ``not_found`` way. ``over`` says where it runs when that is not
    plain: a contract (where its adapter is), or "engine" (on the hub, for ``ctx.agents``).
    """

    def declare(function: F) -> F:
        found = Query(**read_signature(department, function, over))
        if found.result is NoneType:
            raise PluginError(f"{found.where}: query {found.name} answers nothing; give it a result type")
        department.queries[found.name] = found
        return function

    return declare


def command(department: Department, *, refusals: Sequence[str] = (), over: Over = None) -> Callable[[F], F]:
    """Declare ``function(ctx, ...)`` a command of the department, with every reason it may refuse for.

    Its rows and its key are committed together, or not at all. One that runs over "engine" changes the state
    of agents only and must be idempotent: done twice is as done once.
    """

    def declare(function: F) -> F:
        if isinstance(refusals, str):
            raise PluginError(
                f"{_where(function)}: refusals is a list of names, as in refusals=({refusals!r},)"
            )
        odd = [one for one in refusals if not _NAME.match(one)]
        if odd:
            raise PluginError(f"{_where(function)}: a refusal is a lower-case name, not {odd[0]!r}")
        found = Command(**read_signature(department, function, over), refusals=tuple(refusals))
        if holds_private(found.result):
            raise PluginError(
                f"{found.where}: command {found.name} returns something private, but its result is kept with its key"
            )
        department.commands[found.name] = found
        return function

    return declare


def _where(function: Callable[..., Any]) -> str:
    code = getattr(function, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else repr(function)


def read_signature(department: Department, function: Callable[..., Any], over: Over) -> dict[str, Any]:
    """What a handler's signature says, as the fields of a :class:`Handler`. :class:`PluginError` with its place."""
    where = _where(function)
    short = getattr(function, "__name__", "")
    name = f"{department.name}.{short}"
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise PluginError(f"{where}: {name} must be a plain function (gevent lets others run while it waits)")
    if not _NAME.match(short):
        raise PluginError(f"{where}: a handler's name is lower-case letters, digits and _, not {short!r}")
    if name in department.queries or name in department.commands or name in department.schedules:
        raise PluginError(f"{where}: there are two handlers {name}")
    if over is None and len(department.adapters) > 1:
        names = ", ".join(adapter.name for adapter in department.adapters)
        raise PluginError(f"{where}: {name} must say which system it runs over, as over=… ({names})")
    if over not in (None, "engine") and over not in [adapter.contract for adapter in department.adapters]:
        raise PluginError(f"{where}: {name} runs over something that {department.name} has no adapter for")
    try:
        hints = get_type_hints(function, include_extras=True)
    except NameError as error:
        raise PluginError(
            f"{where}: {name}: the type {error.name!r} is not known at run time (import it outside TYPE_CHECKING)"
        ) from None
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters or hints.get(parameters[0].name) is not Context:
        raise PluginError(f"{where}: the first argument of {name} must be `ctx: Context`")
    arguments: dict[str, Argument] = {}
    fields: dict[str, Any] = {}
    for at, parameter in enumerate(parameters[1:]):
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise PluginError(
                f"{where}: {name} must name each argument; {parameter} can't be given by a flow"
            )
        annotation = hints.get(parameter.name)
        if annotation is None:
            raise PluginError(f"{where}: argument {parameter.name!r} of {name} has no type")
        if why := why_unknown(annotation):
            raise PluginError(f"{where}: argument {parameter.name!r} of {name}: {why}")
        required = parameter.default is parameter.empty
        arguments[parameter.name] = Argument(parameter.name, annotation, required)
        default = ... if required else parameter.default
        fields[f"a{at}"] = (annotation, Field(default, alias=parameter.name))
    if "return" not in hints:
        raise PluginError(f"{where}: {name} does not say what it returns")
    returns = hints["return"]
    result, optional = without_none(returns)
    if result is not NoneType and (why := why_unknown(result)):
        raise PluginError(f"{where}: the result of {name}: {why}")
    return {
        "name": name,
        "department": department.name,
        "function": function,
        "arguments": arguments,
        "result": result,
        "optional": optional,
        "over": over,
        "where": where,
        "_shapes": Shapes(f"{where}: {name}", fields, returns),
    }


def _without_values(error: ValidationError) -> str:
    """What is wrong with which argument. A value may be a PIN, so none is shown."""
    lines = []
    for fault in error.errors(include_input=False, include_url=False, include_context=False):
        at = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            lines.append(f"there is no argument {at!r}")
        elif fault["type"] == "missing":
            lines.append(f"{at!r} is missing")
        else:
            lines.append(f"{at!r}: {fault['msg'][0].lower()}{fault['msg'][1:]}")
    return "; ".join(lines)
