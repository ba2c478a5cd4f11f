"""``insideline calendar``: opening hours day by day, and emergency closures, with or without a running engine."""

from __future__ import annotations

import calendar as months
import getpass
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.cli.client import Engine, NoEngine
from engine.cli.failing import Failed
from engine.cli.home import home, home_option
from engine.cli.show import Column, echo_json, json_object, json_option, listing, many

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from engine.app.installation import Installation
    from engine.flows.calendars import Calendars
    from engine.flows.closing import Closing

_COLUMNS: tuple[Column, ...] = (
    ("calendar", "name"),
    ("is", lambda row: "open" if row["open"] else "closed"),
    ("why", "why"),
    ("until", lambda row: _until(row)),
    ("closures", lambda row: many(len(row["closures"]), "closure") if row["closures"] else ""),
)
_DAYS: tuple[Column, ...] = (
    ("day", "day"),
    ("", "week_day"),
    ("hours", "hours"),
    ("why", "why"),
)


@click.group()
def calendar() -> None:
    """The opening hours."""


@calendar.command("list")
@home_option
@json_option
def list_calendars(as_json: bool) -> None:
    """All calendars and what they say now."""
    with _closing(home()) as closing:
        rows = [_row(view) for view in closing.states()]
    listing(rows, _COLUMNS, as_json=as_json, empty="no calendars (conf/calendars.yaml names them)")


@calendar.command()
@click.argument("name")
@click.option("--month", metavar="YYYY-MM", help="Which month (default: this one).")
@home_option
@json_object
def show(name: str, month: str | None, as_json: bool) -> None:
    """A month of a calendar: each day's hours, and why they are so."""
    with _closing(home()) as closing:
        calendars = closing.calendars
        first = _month(month, calendars[name].zone)
        rows = list(_days(calendars, name, first))
        view = _row(closing.state(name))
    if as_json:
        echo_json({**view, "month": f"{first:%Y-%m}", "days": rows})
        return
    click.echo(f"{name}, {first:%B %Y}, {view['timezone']}: now {_state(view)}\n")
    listing(rows, _DAYS, as_json=False, empty="")
    for one in view["closures"]:
        click.echo(_closure(one))


@calendar.command()
@click.argument("name")
@click.option(
    "--at", metavar="TIME", help='When, in the calendar\'s own time: "2026-10-01 09:00" (default: now).'
)
@home_option
@json_object
def test(name: str, at: str | None, as_json: bool) -> None:
    """What a calendar says of a moment, and why."""
    with _closing(home()) as closing:
        zone = closing.calendars[name].zone
        view = _row(closing.state(name, _moment(at, zone, "--at") if at else None))
    if as_json:
        echo_json(view)
        return
    click.echo(f"{name} is {_state(view)}")
    if view["prompt"]:
        click.echo(f"callers hear the prompt {view['prompt']}")


@calendar.command()
@click.argument("name")
@click.option(
    "--until", required=True, metavar="TIME", help='"2026-11-22 20:00", "20:00" (today), or 2h from now.'
)
@click.option("--from", "begin", metavar="TIME", help="When it begins, written likewise (default: now).")
@click.option("--why", required=True, help="The reason: it stands in the journal.")
@click.option("--prompt", default="", metavar="KEY", help="What callers hear of it, as in --prompt storm.")
@click.option("--by", default=getpass.getuser, show_default="your login", help="Who closes.")
@home_option
@json_object
def close(name: str, until: str, begin: str | None, why: str, prompt: str, by: str, as_json: bool) -> None:
    """Close a calendar in an emergency: at once, whether an engine runs or not. It opens again by itself."""

    def by_engine(engine: Engine) -> Any:
        zone = _zone_of(engine.get(f"/calendars/{name}"))
        times = {"until": _moment(until, zone, "--until").isoformat()}
        if begin is not None:
            times["from"] = _moment(begin, zone, "--from").isoformat()
        return engine.post(f"/calendars/{name}/close", why=why, by=by, prompt=prompt, **times)

    def alone(closing: Closing) -> Any:
        zone = closing.calendars[name].zone
        return closing.close(
            name,
            _moment(until, zone, "--until"),
            by=by,
            why=why,
            prompt=prompt,
            begin=_moment(begin, zone, "--from") if begin is not None else None,
        )

    _done(_do(home(), by_engine, alone), as_json)


@calendar.command("open")
@click.argument("name")
@click.option("--why", default="", help="The reason: it stands in the journal.")
@click.option("--planned", is_flag=True, help="Also the closures that are still to come.")
@click.option("--by", default=getpass.getuser, show_default="your login", help="Who opens.")
@home_option
@json_object
def open_again(name: str, why: str, planned: bool, by: str, as_json: bool) -> None:
    """End the closures of a calendar now. It is then open or closed as its hours say."""

    def by_engine(engine: Engine) -> Any:
        return engine.post(f"/calendars/{name}/open", why=why, by=by, planned="yes" if planned else "")

    def alone(closing: Closing) -> Any:
        return closing.open(name, by=by, why=why, planned=planned)

    _done(_do(home(), by_engine, alone), as_json)


# -- how it is reached ----------------------------------------------------------------------------


def _do(place: Path, by_engine: Callable[[Engine], Any], alone: Callable[[Closing], Any]) -> dict[str, Any]:
    """Through the running engine, so that it holds at once; else into the database, where an engine finds it."""
    try:
        with Engine(place) as engine:
            return dict(by_engine(engine))
    except NoEngine:
        with _closing(place, write=True) as closing:
            row = _row(alone(closing))
        row["engine"] = False
        return row


def _done(row: dict[str, Any], as_json: bool) -> None:
    if as_json:
        echo_json(row)
        return
    click.echo(f"{row['name']} is {_state(row)}")
    for one in row["closures"]:
        click.echo(_closure(one))
    if row.get("engine") is False:
        click.echo("(no engine runs; it is kept for the next one)")


@contextmanager
def _closing(place: Path, *, write: bool = False) -> Iterator[Closing]:
    """The calendars as the files and the database say; without a database yet, as the files do."""
    from engine.cli.offline import installation_of, quiet, store_of
    from engine.clock import Clock
    from engine.errors import StoreError
    from engine.flows.closing import Closing

    made = installation_of(place)
    quiet()
    if made.calendars is None:
        raise Failed("conf/calendars.yaml has faults (`insideline flow check` shows them)")
    if write:
        with store_of(place, readonly=False) as store:
            store.open()
            closing = Closing(made.calendars, store, Clock(), missing=lambda key: _missing(made, key))
            closing.refresh()
            yield closing
        return
    try:
        with store_of(place) as store:
            closing = Closing(made.calendars, store, Clock())
            closing.refresh()
    except StoreError as error:
        if (place / "var" / "insideline.db").exists():
            raise
        del error  # no database yet: nobody has closed anything
        closing = Closing(made.calendars, None, Clock())  # type: ignore[arg-type]
    yield closing


def _missing(made: Installation, key: str) -> list[str]:
    return [one for one in made.settings.languages if made.catalogue.find(key, one) is None]


# -- days and times -------------------------------------------------------------------------------


def _moment(text: str, zone: ZoneInfo, option: str) -> datetime:
    now = datetime.now(zone)
    ahead = re.fullmatch(r"([0-9]{1,4})([mhd])", text)
    if ahead is not None:
        unit = {"m": "minutes", "h": "hours", "d": "days"}[ahead[2]]
        return now + timedelta(**{unit: int(ahead[1])})
    try:
        if re.fullmatch(r"[0-9]{1,2}:[0-9]{2}", text):
            hour, minute = text.split(":")
            return now.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
        when = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f'{text!r} is no time; say "2026-11-22 20:00", "20:00" or 2h', param_hint=option
        ) from None
    return when if when.tzinfo is not None else when.replace(tzinfo=zone)


def _zone_of(view: dict[str, Any]) -> ZoneInfo:
    from zoneinfo import ZoneInfo

    return ZoneInfo(view["timezone"])


def _month(text: str | None, zone: ZoneInfo) -> date:
    if text is None:
        return datetime.now(zone).date().replace(day=1)
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise click.BadParameter(f"{text!r} is no month; say 2026-10", param_hint="--month") from None


def _days(calendars: Calendars, name: str, first: date) -> Iterator[dict[str, Any]]:
    for number in range(months.monthrange(first.year, first.month)[1]):
        day = first + timedelta(days=number)
        told = calendars.day(name, day)
        yield {
            "day": day.isoformat(),
            "week_day": f"{day:%a}".lower(),
            "hours": ", ".join(told.hours) or "closed",
            "why": told.why,
        }


def _row(view: Any) -> dict[str, Any]:
    import orjson

    from engine.web.answers import to_json

    row: dict[str, Any] = orjson.loads(to_json(view))
    return row


def _until(row: dict[str, Any]) -> str:
    if not row["until"]:
        return ""
    return f"{datetime.fromisoformat(row['until']).astimezone(_zone_of(row)):%Y-%m-%d %H:%M}"


def _state(row: dict[str, Any]) -> str:
    until = f" until {_until(row)}" if row["until"] else ""
    return f"{'open' if row['open'] else 'closed'} ({row['why']}){until}"


def _closure(row: dict[str, Any]) -> str:
    begin, until = (f"{datetime.fromisoformat(row[key]):%Y-%m-%d %H:%M}" for key in ("begin", "until"))
    said = f": {row['why']}" if row["why"] else ""
    by = f" by {row['by']}" if row["by"] else ""
    return f"closure {begin} to {until}{by} ({row['how']}){said}"
