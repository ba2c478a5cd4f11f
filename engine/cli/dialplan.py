"""``insideline dialplan``: which number leads where, and what a call would meet. Needs no running engine."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.cli.failing import Failed
from engine.cli.home import home, home_option
from engine.cli.show import Column, echo_json, json_object, json_option, listing, many

if TYPE_CHECKING:
    from engine.app.installation import Installation
    from engine.flows.calendars import Calendars
    from engine.flows.dialplan import Dialplan, Explanation
    from engine.flows.foresee import Foreseen

_COLUMNS: tuple[Column, ...] = (
    ("number", "to"),
    ("when", "when"),
    ("leads to", "leads_to"),
    ("title", "title"),
    ("how", "how"),
    ("line", "rule"),
)
_SPARE = ("line", "title", "how")


@click.group()
def dialplan() -> None:
    """The numbers, and where they lead."""


@dialplan.command()
@home_option
@json_option
def show(as_json: bool) -> None:
    """All rules, in the order in which they are tried."""
    made = _read(home())
    plan = _plan(made)
    rows = []
    for place, way in plan.rules:
        flow = made.flows.get(way.flow) if made.flows is not None and way.flow else None
        to = getattr(way, "to", None)
        rows.append(
            {
                "to": to.text if to is not None else "otherwise",
                "when": str(way).removeprefix(to.text).strip() if to is not None else "",
                "leads_to": way.flow or f"extension {way.extension}",
                "title": flow.title if flow is not None else "",
                "how": _how(way),
                "rule": place,
            }
        )
    listing(rows, _COLUMNS, as_json=as_json, empty="no numbers", spare=_SPARE)


def _how(way: Any) -> str:
    said = []
    if way.language or way.languages:
        said.append(f"speaks {', '.join(way.languages) or way.language}")
    if way.record:
        said.append(f"record {way.record}")
    if way.identity == "deferred":
        said.append("identity deferred")
    if way.priority:
        said.append(f"priority {way.priority}")
    return ", ".join(said)


@dialplan.command()
@click.option("--to", required=True, metavar="NUMBER", help="The number that is dialled.")
@click.option(
    "--from", "caller", default="", metavar="NUMBER", help="Who calls; left out: a withheld number."
)
@click.option("--at", metavar="TIME", help='When, in the centre\'s time: "2026-10-01 09:00" (default: now).')
@click.option("--trunk", default="", help="The line that it comes over; internal for a phone of the house.")
@click.option("--tier", default=None, help="The caller's tier (default: that of the party with this number).")
@home_option
@json_object
def test(to: str, caller: str, at: str | None, trunk: str, tier: str | None, as_json: bool) -> None:
    """Which rule a call would meet, why, and what the caller would hear.

    The files are read as they are now, with the closures that are kept in the database; nothing is called.
    """
    from engine.flows.numbers import Numbers

    made = _read(home())
    plan = _plan(made)
    assert made.calendars is not None
    when = _moment(at, made)
    number = Numbers(made.settings.region).e164(caller)
    known = _known(made, number)
    calendars = known.calendars or made.calendars
    who = tier if tier is not None else known.tier
    found = plan.explain(to=to, caller=number, tier=who, at=when, trunk=trunk, calendars=calendars)
    foreseen = _foreseen(made, found, calendars, when)
    if as_json:
        echo_json(_as_json(found, foreseen, to=to, caller=number, at=when, trunk=trunk, tier=who))
        return
    click.echo(f"{to} from {number or 'a withheld number'}{f' ({who})' if who else ''}"
               f"{f' over {trunk}' if trunk else ''}, {when:%a %Y-%m-%d %H:%M} {made.settings.timezone}")  # fmt: skip
    _tell_rules(found)
    _tell_match(made, found)
    if foreseen is not None:
        _tell_foreseen(foreseen)
    for note in known.notes:
        click.echo(f"({note})")


def _read(place: Path) -> Installation:
    from engine.cli.offline import installation_of

    return installation_of(place)


def _plan(made: Installation) -> Dialplan:
    if made.dialplan is None or made.calendars is None or made.flows is None:
        wrong = many(len(made.faults.errors), "fault")
        raise Failed(f"the files have {wrong} (`insideline flow check` shows them)")
    return made.dialplan


def _moment(text: str | None, made: Installation) -> datetime:
    zone = made.settings.zone
    if text is None:
        return datetime.now(zone)
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f'{text!r} is no time; say "2026-10-01 09:00"', param_hint="--at") from None
    return when.astimezone(zone) if when.tzinfo is not None else when.replace(tzinfo=zone)


class _FromTheDatabase:
    """What only the database knows: closures, and whose number it is. Without one, nothing."""

    def __init__(self) -> None:
        self.calendars: Calendars | None = None
        self.tier = ""
        self.notes: list[str] = []


def _known(made: Installation, number: str) -> _FromTheDatabase:
    from engine.cli.offline import quiet, store_of
    from engine.clock import Clock
    from engine.errors import StoreError
    from engine.flows.closing import Closing
    from engine.flows.numbers import Numbers
    from engine.records.parties import Parties

    found = _FromTheDatabase()
    assert made.calendars is not None
    quiet()
    try:
        with store_of(made.home) as store:
            closing = Closing(made.calendars, store, Clock())
            closing.refresh()
            found.calendars = closing.calendars
            if number:
                party = Parties(store, Clock(), Numbers(made.settings.region).e164).by_number(number)
                found.tier = party.tier if party is not None else ""
    except StoreError as error:
        found.notes.append(f"without closures by command and parties: {error}")
    return found


def _foreseen(
    made: Installation, found: Explanation, calendars: Calendars, when: datetime
) -> Foreseen | None:
    from engine.flows.foresee import foresee, texts_of

    match = found.match
    if match.kind != "flow" or made.flows is None:
        return None
    texts = {
        language: {key: text.template.text for key, text in of_language.items()}
        for language, of_language in made.catalogue.texts.items()
    }
    return foresee(
        made.flows,
        match.flow,
        calendars=calendars,
        at=when,
        language=match.language or made.settings.languages[0],
        text=texts_of(texts),
        record=match.record,
    )


def _tell_rules(found: Explanation) -> None:
    others = sum(not one.number for one in found.tried)
    if others:
        click.echo(f"  {many(others, 'rule')} before it {'is' if others == 1 else 'are'} for other numbers")
    for one in found.tried:
        if one.number:
            click.echo(f"  {one.rule}  {one.text}: no, {one.why_not}")
    click.echo(f"  {found.match.rule}: yes, {found.match.why}")


def _tell_match(made: Installation, found: Explanation) -> None:
    match = found.match
    rows = []
    if match.kind == "deny":
        rows.append(("is", "turned away"))
        if match.say:
            text = made.catalogue.find(match.say, made.settings.languages[0])
            rows.append(("hears", text.template.text if text is not None else match.say))
    elif match.kind == "extension":
        rows.append(("rings", f"extension {match.extension}"))
    else:
        flow = made.flows.get(match.flow) if made.flows is not None else None
        rows.append(("flow", f"{match.flow}{f': {flow.title}' if flow is not None else ''}"))
        offered = f" (offered: {', '.join(match.languages)})" if len(match.languages) > 1 else ""
        rows.append(("language", f"{match.language}{offered}"))
        if match.params:
            rows.append(("params", ", ".join(f"{name} = {value}" for name, value in match.params.items())))
    if match.record:
        rows.append(("recording", f"{match.record}, whatever the flow says"))
    if match.priority:
        rows.append(("priority", str(match.priority)))
    if match.deferred:
        rows.append(("identity", "deferred: the caller's number is not written down"))
    if match.lost_place:
        rows.append(("lost place", match.lost_place))
    click.echo()
    for name, value in rows:
        click.echo(f"{name:<10} {value}")


def _tell_foreseen(foreseen: Foreseen) -> None:
    from engine.flows.foresee import told

    click.echo("\nfirst:")
    for one in foreseen.met:
        maybe = f"  (if {one.maybe})" if one.maybe else ""
        click.echo(f"  {one.what:<9} {one.text}{maybe}")
    if foreseen.hours:
        click.echo("\nhours that it can come to:")
        for hours in foreseen.hours:
            click.echo(f"  {hours.calendar} {told(hours.opening)}  at {hours.place}")


def _as_json(found: Explanation, foreseen: Foreseen | None, **asked: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "asked": asked,
        "match": asdict(found.match),
        "tried": [asdict(one) for one in found.tried],
        "meets": [asdict(one) for one in foreseen.met] if foreseen is not None else [],
        "hours": [
            {"calendar": one.calendar, "place": one.place, **one.opening._asdict()} for one in foreseen.hours
        ]
        if foreseen is not None
        else [],
    }
