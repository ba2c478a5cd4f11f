"""What departments bring to the command line: ``insideline <department> <command>``, ``insideline report NAME``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.cli.failing import Failed
from engine.cli.home import OfHome, home, home_option
from engine.cli.show import echo_json, json_option, listing
from engine.errors import InsidelineError, Refused, RemoteFailed

if TYPE_CHECKING:
    from engine.app.installation import Installation
    from engine.clock import Clock
    from engine.hooks.brought import CliCommand, Parameter, Report
    from engine.hooks.departments import Departments
    from engine.records.parties import Parties
    from engine.records.records import Records
    from engine.store.store import Store


class Day(click.ParamType[Any]):
    """``2026-11-01``, or with a time of day ``"2026-11-01 08:30"``, in the centre's time zone."""

    def __init__(self, kind: type, zone: Any) -> None:
        self.name = "day" if kind is date else "moment"
        self._kind, self._zone = kind, zone

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            if self._kind is date:
                return date.fromisoformat(value)
            found = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no {self.name}; write 2026-11-01, or '2026-11-01 08:30'", param, ctx)
        return found if found.tzinfo is not None else found.replace(tzinfo=self._zone)


class Brought(click.Group):
    """The commands of one department."""

    def __init__(self, made: Installation, department: str) -> None:
        about = made.host.departments[department].title if department in made.host.departments else department
        super().__init__(department, help=f"{about}: commands of its own.")
        for name, one in made.host.commands[department].items():
            self.add_command(_command(made, department, one), name)


def department_group(name: str) -> click.Group | None:
    """The commands of the department ``name`` of this home; None when there is none with commands."""
    try:
        place = home()
    except Failed:
        return None
    made = _quietly(place)
    return home_option(Brought(made, name)) if name in made.host.commands else None


def _quietly(place: Path) -> Installation:
    from engine.cli.offline import installation_of, quiet

    made = installation_of(place)
    quiet()
    return made


@contextmanager
def at_work(made: Installation, *, writes: bool) -> Iterator[Departments]:
    """The departments of a home, for a command beside the engine or without one."""
    from engine.app.app import department_tables
    from engine.app.systems import make_departments
    from engine.clock import Clock
    from engine.flows.numbers import Numbers
    from engine.records.parties import Parties
    from engine.store.store import Store

    clock = Clock()
    store = Store(made.folders.database_url, clock, made.folders.var, departments=department_tables(made))
    store.open(readonly=not writes)
    try:
        departments = make_departments(made, clock=clock, store=store, seed=0, agents=None)
        parties = Parties(store, clock, Numbers(made.settings.region).e164)
        departments.contexts.parties = parties
        departments.contexts.records = _records(made, store, clock, parties)
        try:
            yield departments
        finally:
            departments.stop()
    finally:
        store.close()


def _records(made: Installation, store: Store, clock: Clock, parties: Parties) -> Records:
    """Tickets, notices and knowledge for a command or a report. Who has to hear of what a command changes does from the
    engine, which looks at its tables."""
    from engine.app.records import records_of
    from engine.flows.closing import Closing
    from engine.flows.working_time import working_after

    closing = Closing(made.calendars, store, clock) if made.calendars is not None else None
    if closing is not None:
        closing.refresh()

    def due(calendar: str, moment: datetime, seconds: float) -> datetime:
        if closing is None:
            raise Failed("conf/calendars.yaml has faults (`insideline flow check` shows them)")
        return working_after(closing.calendars, calendar, moment, seconds)

    return records_of(made, store, clock, due=due, parties=parties, acd=lambda: made.acd)


def _asked(
    made: Installation,
    department: str,
    where: str,
    function: Callable[..., Any],
    within: float,
    given: dict[str, Any],
    *,
    writes: bool,
    over: Any,
) -> Any:
    from engine.clock import TimeUp

    try:
        with at_work(made, writes=writes) as departments:
            return departments.in_context(
                department,
                where,
                lambda ctx: _plain(function(ctx, **given)),
                within,
                writes=writes,
                over=over,
            )
    except Refused as error:
        raise Failed(_said(error)) from error
    except RemoteFailed as error:
        system = f"{department}.{over.__name__}" if isinstance(over, type) else f"a system of {department}"
        raise Failed(f"{system}: {error}") from error
    except TimeUp as up:
        raise Failed(f"{where} did not answer within {up.seconds:g} s") from up
    except (InsidelineError, click.ClickException):
        raise
    except Exception as error:
        if click.get_current_context().find_root().params.get("traceback"):
            raise
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        raise Failed(f"{where} failed: {what} (`insideline --traceback …` says where)") from error


def _said(error: Refused) -> str:
    """What a person is told: the sentence ``say`` where there is one."""
    if say := error.details.get("say"):
        return str(say)
    details = ", ".join(f"{name}: {value}" for name, value in error.details.items())
    return f"refused: {error.reason}" + (f" ({details})" if details else "")


def _plain(answer: Any) -> Any:
    """Rows while their session is open: an answer may be a generator."""
    if isinstance(answer, Mapping):
        return {title: list(rows) for title, rows in answer.items()}
    return answer if answer is None or isinstance(answer, str) else list(answer)


def _options(parameters: Sequence[Parameter], zone: Any, *, arguments: bool) -> list[click.Parameter]:
    return [_option(one, zone, argument=arguments and one.required) for one in parameters]


def _option(one: Parameter, zone: Any, *, argument: bool) -> click.Parameter:
    kind: Any = {int: click.INT, bool: click.BOOL}.get(one.type, click.STRING)
    if one.type in (date, datetime):
        kind = Day(one.type, zone)
    elif one.type is Decimal:
        kind = _Amount()
    if argument:
        return click.Argument([one.name], type=kind)
    flag = f"--{one.name.replace('_', '-')}"
    if one.type is bool:
        return click.Option([flag, one.name], is_flag=True, default=bool(one.default))
    shown = not one.required and one.default not in (None, "")
    if one.required:
        return click.Option([flag, one.name], type=kind, required=True)
    return click.Option([flag, one.name], type=kind, default=one.default, show_default=shown)


class _Amount(click.ParamType[Any]):
    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return Decimal(value)
        except ArithmeticError:
            self.fail(f"{value!r} is no number", param, ctx)


def _command(made: Installation, department: str, one: CliCommand) -> click.Command:
    def run(as_json: bool, **given: Any) -> None:
        where = f"{department} {one.name}"
        answer = _asked(made, department, where, one.run, one.within, given, writes=True, over=one.over)
        if as_json:
            echo_json(answer)
        elif isinstance(answer, str):
            click.echo(answer)
        elif isinstance(answer, Mapping):
            for at, (title, rows) in enumerate(answer.items()):
                click.echo(f"{'' if at == 0 else chr(10)}{title}")
                _show(rows, made.settings.zone)
        elif answer is not None:
            _show(answer, made.settings.zone)

    made_command = click.Command(
        one.name,
        callback=run,
        params=_options(one.parameters, made.settings.zone, arguments=True),
        help=one.help or one.run.__doc__ or "",
    )
    return json_option(home_option(made_command))


def _show(answer: Iterable[Mapping[str, Any]], zone: tzinfo) -> None:
    rows = [{name: _cell(value, zone) for name, value in dict(row).items()} for row in answer]
    names = list(rows[0]) if rows else []
    listing(rows, [(name, name) for name in names], as_json=False, empty="nothing")


class Reports(OfHome):
    """``list``, and each report by its name; those are only looked for when one is meant."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = super().get_command(ctx, cmd_name)
        if found is not None or cmd_name.startswith("-"):
            return found
        made = _quietly(home())
        known = _reports(made)
        one = known.get(cmd_name)
        if one is None:
            from engine.schema.faults import did_you_mean

            hint = did_you_mean(cmd_name, known, "`insideline report list` names all")
            raise Failed(f"there is no report {cmd_name}: {hint}")
        return _report(made, one)


@click.command(cls=Reports)
@home_option
def report() -> None:
    """What the centre and its departments report: `report list`, `report NAME --help`."""


@report.command("list")
@home_option
@json_option
def list_reports(as_json: bool) -> None:
    """All reports, with the options that they take."""
    rows = [
        {
            "name": one.name,
            "title": one.title,
            "columns": list(one.columns),
            "options": [f"--{parameter.name.replace('_', '-')}" for parameter in one.parameters],
        }
        for one in _reports(_quietly(home())).values()
    ]
    columns = (("report", "name"), ("title", "title"), ("options", "options"))
    listing(rows, columns, as_json=as_json, empty="no reports")


def _reports(made: Installation) -> dict[str, Report]:
    """The centre's own reports, and the departments'."""
    from engine.reports.built_in import built_in

    queues = made.acd.queues if made.acd is not None else {}
    promises = {
        name: queue.service_level.within for name, queue in queues.items() if queue.service_level is not None
    }
    return {**built_in(promises), **made.host.reports}


def _read(made: Installation, one: Report, given: dict[str, Any]) -> list[Any]:
    """The rows of one of the centre's own reports, from the database."""
    from engine.cli.offline import store_of
    from engine.clock import Clock
    from engine.hooks.context import Context

    now = Clock().now().astimezone(made.settings.zone)
    with store_of(made.home) as store:
        try:
            return store.read(
                lambda session: list(
                    one.rows(Context(now=now, log=None, session=session, where=one.name), **given)
                ),
                one.within,
            )
        except Refused as error:
            raise Failed(_said(error)) from error


def _report(made: Installation, one: Report) -> click.Command:
    def run(as_json: bool, **given: Any) -> None:
        if "." in one.name:
            department = one.name.partition(".")[0]
            found = _asked(
                made, department, one.name, one.rows, one.within, given, writes=False, over=one.over
            )
        else:
            found = _read(made, one, given)
        wrong = next((row for row in found if len(row) != len(one.columns)), None)
        if wrong is not None:
            raise Failed(f"{one.name} answered a row of {len(wrong)} values for {len(one.columns)} columns")
        rows = [dict(zip(one.columns, row, strict=True)) for row in found]
        if not as_json:
            zone = made.settings.zone
            rows = [{name: _cell(value, zone) for name, value in row.items()} for row in rows]
        listing(rows, [(name, name) for name in one.columns], as_json=as_json, empty="nothing to report")

    options = _options(one.parameters, made.settings.zone, arguments=False)
    command = click.Command(one.name, callback=run, params=options, help=f"{one.title}.")
    return json_option(home_option(command))


def _cell(value: Any, zone: tzinfo) -> Any:
    """A value as people read it in a table: moments in the centre's time zone, as they are also typed."""
    if isinstance(value, datetime):
        aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        return aware.astimezone(zone).strftime("%Y-%m-%d %H:%M")
    return "" if value is None else str(value)
