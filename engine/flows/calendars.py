"""Opening hours: ``conf/calendars.yaml``.

What holds at a moment, the first that says something: a closure, a special day, a public holiday or a working
day moved to a weekend, the week. Hours are the calendar's own local time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, WithJsonSchema, model_validator

from engine.errors import NotFound
from engine.flows.almanac import Almanac
from engine.flows.known import Known, is_prompt_key
from engine.flows.model import GRAMMAR
from engine.schema.faults import Faults, did_you_mean
from engine.schema.fields import (
    CalendarRef,
    Flag,
    Hours,
    Ident,
    Moment,
    Name,
    OpenHours,
    Positive,
    PromptRef,
    Text,
    text_of,
)
from engine.schema.shapes import FileShape, Shape, load_file, references, wrong

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HORIZON = 32  # days that are looked through for the next change


# -- the shape of the file ---------------------------------------------------------------------------


def _week_days(value: Any) -> tuple[int, ...]:
    """``mon-fri`` or ``sat`` as numbers of days, Monday 0."""
    if isinstance(value, tuple):
        return value
    text = str(text_of(value, "days of the week"))
    begin, dash, end = text.partition("-")
    if begin not in WEEKDAYS or (dash and end not in WEEKDAYS):
        raise wrong("week-day", f"`{text}` is no day of the week", "write mon, or mon-fri")
    first = WEEKDAYS.index(begin)
    last = WEEKDAYS.index(end) if dash else first
    if last < first:
        raise wrong("week-day", f"`{text}` runs backwards", "a week begins on mon")
    return tuple(range(first, last + 1))


class Days(tuple[date, ...]):
    """The first and the last day, both included, and how they are written in the file."""

    written: str = ""


def _day_span(value: Any) -> Days:
    """``2027-02-20`` or ``2027-02-07..2027-02-12``."""
    if isinstance(value, Days):
        return value
    text = str(text_of(value, "a day, or days"))
    found = re.fullmatch(r"(\d{4}-\d{2}-\d{2})(?:\s*\.\.\s*(\d{4}-\d{2}-\d{2}))?", text)
    if found is None:
        raise wrong("date", f"`{text}` are no days", 'write "2027-02-20" or "2027-02-07..2027-02-12"')
    try:
        first = date.fromisoformat(found.group(1))
        last = date.fromisoformat(found.group(2) or found.group(1))
    except ValueError:
        raise wrong("date", f"`{text}` names a day that there is not") from None
    if last < first:
        raise wrong("date", f"`{text}` runs backwards")
    if last - first > timedelta(days=366):
        raise wrong("date", f"`{text}` is longer than a year")
    made = Days((first, last))
    made.written = str(value)
    return made


def _listed(value: Any) -> Any:
    """``closed``, one interval, or a list of them."""
    if isinstance(value, str):
        return [] if value == "closed" else [value]
    return value


def _in_order(value: tuple[Hours, ...]) -> tuple[Hours, ...]:
    ordered = tuple(sorted(value))
    for before, after in pairwise(ordered):
        if after.begin < before.end:
            raise wrong("hours", "two of these hours overlap")
    return ordered


def _zone(value: Any) -> ZoneInfo:
    if isinstance(value, ZoneInfo):
        return value
    text = str(text_of(value, "a time zone"))
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise wrong("timezone", f"there is no time zone `{text}`", "write Asia/Shanghai") from None


def _country(value: Any) -> str:
    return str(text_of(value, "a country"))


WeekDays = Annotated[
    tuple[int, ...], PlainValidator(_week_days), WithJsonSchema({"type": "string", "examples": ["mon-fri"]})
]
DaySpan = Annotated[
    tuple[date, date],
    PlainValidator(_day_span),
    WithJsonSchema({"type": "string", "examples": ["2027-02-07..2027-02-12"]}),
]
DayHours = Annotated[
    tuple[OpenHours, ...],
    BeforeValidator(_listed, json_schema_input_type=str | list[str]),
    AfterValidator(_in_order),
]


class SpecialDay(Shape):
    """``{closed: true}``, ``{as: sat}`` (the hours of another day of the week), or ``{hours: [...]}``."""

    closed: Flag = False
    as_: WeekDays | None = Field(default=None, alias="as")
    hours: DayHours | None = None
    prompt: PromptRef | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if self.closed + (self.as_ is not None) + (self.hours is not None) != 1:
            raise wrong("day", "say one of `closed: true`, `as: mon` and `hours: [...]`")
        return self


class PublicHolidays(Shape):
    """The public holidays of a country (of its ``region``). ``workdays_moved``: weekend days that the country
    makes working days are open like ``workday``."""

    country: Annotated[str, PlainValidator(_country), WithJsonSchema({"type": "string"})]
    region: Ident | None = None
    workdays_moved: Flag = False
    workday: WeekDays = (0,)
    prompt: PromptRef | None = None


class CalendarShape(Shape):
    """One calendar as written."""

    timezone: Annotated[ZoneInfo, PlainValidator(_zone), WithJsonSchema({"type": "string"})]
    week: dict[WeekDays, DayHours]
    holidays: PublicHolidays | None = None
    days: dict[DaySpan, SpecialDay] = {}
    prompt: PromptRef | None = None

    @model_validator(mode="after")
    def _whole_week(self) -> Self:
        named = [day for days in self.week for day in days]
        for day in range(7):
            if named.count(day) > 1:
                raise wrong("week", f"`{WEEKDAYS[day]}` stands in the week twice", at="week")
            if day not in named:
                raise wrong(
                    "week",
                    f"the week says nothing of `{WEEKDAYS[day]}`",
                    "write its hours, or closed",
                    at="week",
                )
        spans = sorted(self.days)
        for before, after in pairwise(spans):
            if after[0] <= before[1]:
                raise wrong("days", f"{after[0]} stands in `days` twice", at="days")
        return self


class ClosureShape(Shape):
    """An emergency closure as written, in the calendar's local time."""

    calendar: CalendarRef
    begin: Moment = Field(alias="from")
    until: Moment
    prompt: PromptRef | None = None
    by: Text | None = None
    why: Text | None = None

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.until <= self.begin:
            raise wrong("closure", "the closure ends before it begins", at="until")
        return self


class CalendarsFile(FileShape):
    """``conf/calendars.yaml``."""

    grammar: Positive
    calendars: dict[Name, CalendarShape]
    closures: list[ClosureShape] = []


# -- what is asked -----------------------------------------------------------------------------------


class Opening(NamedTuple):
    """What a calendar says of a moment. ``prompt`` is what a caller hears of it ("" for none), ``until`` when it
    changes next (None: not within a month)."""

    open: bool
    why: str
    prompt: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Closure:
    """A calendar is closed from ``begin`` up to ``until`` (aware), whatever else holds."""

    calendar: str
    begin: datetime
    until: datetime
    prompt: str = ""
    by: str = ""
    why: str = ""
    how: str = "file"  # or "command", "phone"


class DayTold(NamedTuple):
    """A day as people read it: ``("08:30-12:00", "13:30-17:30")``, none when it is closed, and why that is so
    (with the closures that touch it)."""

    hours: tuple[str, ...]
    why: str


class _Day(NamedTuple):
    """A day before closures: its hours, why they are so, and the prompt for when it is closed."""

    hours: tuple[Hours, ...]
    why: str
    prompt: str


class Calendar:
    """One calendar: its week, its special days, its public holidays."""

    def __init__(self, name: str, shape: CalendarShape, almanac: Almanac) -> None:
        self.name = name
        self._almanac = almanac
        self.zone = shape.timezone
        self.shape = shape
        self._week = {day: hours for days, hours in shape.week.items() for day in days}
        self._day = lru_cache(maxsize=512)(self._find_day)

    def at(self, when: datetime, closures: Iterable[Closure] = ()) -> Opening:
        """What holds at an aware moment."""
        local = when.astimezone(self.zone)
        mine = [closure for closure in closures if closure.calendar == self.name and closure.until > when]
        now = self._state(local, mine)
        for change in self._changes(local, mine):
            if self._state(change, mine).open != now.open:
                return now._replace(until=change)
        return now

    def day(self, day: date, closures: Iterable[Closure] = ()) -> DayTold:
        """What a day is like. A closure does not change its hours here: it is told beside them."""
        found = self._day(day)
        begin, end = self._moment(day, 0), self._moment(day, 1440)
        whys = [found.why]
        for closure in closures:
            if closure.calendar == self.name and closure.begin < end and closure.until > begin:
                first = max(closure.begin, begin).astimezone(self.zone)
                last = min(closure.until, end).astimezone(self.zone)
                until = "24:00" if last == end else f"{last:%H:%M}"
                whys.append(f"closed {first:%H:%M}-{until}{_said_of(closure)}")
        return DayTold(
            tuple(f"{_clock(one.begin)}-{_clock(one.end)}" for one in found.hours), "; ".join(whys)
        )

    def _state(self, local: datetime, closures: list[Closure]) -> Opening:
        for closure in closures:
            if closure.begin <= local < closure.until:
                return Opening(False, f"closed{_said_of(closure)}", closure.prompt)
        day = self._day(local.date())
        minute = local.hour * 60 + local.minute
        if any(hours.begin <= minute < hours.end for hours in day.hours):
            return Opening(True, day.why)
        return Opening(False, f"{day.why}, outside its hours" if day.hours else day.why, day.prompt)

    def _changes(self, local: datetime, closures: list[Closure]) -> Iterator[datetime]:
        """The moments after ``local`` at which something may change, in order."""
        edges = sorted(
            edge for closure in closures for edge in (closure.begin, closure.until) if edge > local
        )
        for number in range(_HORIZON):
            day = local.date() + timedelta(days=number)
            moments = [self._moment(day, 0)]
            for hours in self._day(day).hours:
                moments += [self._moment(day, hours.begin), self._moment(day, hours.end)]
            midnight = self._moment(day, 1440)
            moments += [edge.astimezone(self.zone) for edge in edges if moments[0] <= edge < midnight]
            yield from (moment for moment in sorted(moments) if moment > local)

    def _moment(self, day: date, minute: int) -> datetime:
        if minute == 1440:
            return datetime.combine(day + timedelta(days=1), time(), self.zone)
        return datetime.combine(day, time(minute // 60, minute % 60), self.zone)

    def _find_day(self, day: date) -> _Day:
        shape = self.shape
        for (first, last), special in shape.days.items():
            if first <= day <= last:
                prompt = special.prompt or shape.prompt or ""
                if special.as_ is not None:
                    return _Day(self._week[special.as_[0]], f"{day}, like {WEEKDAYS[special.as_[0]]}", prompt)
                return _Day(special.hours or (), f"special day {day}", prompt)
        public = shape.holidays
        if public is not None:
            known = self._almanac.year(public.country, public.region, day.year)
            if (name := known.names.get(day)) is not None:
                return _Day((), name, public.prompt or shape.prompt or "")
            if public.workdays_moved and day in known.moved:
                return _Day(self._week[public.workday[0]], f"moved working day {day}", shape.prompt or "")
        return _Day(self._week[day.weekday()], WEEKDAYS[day.weekday()], shape.prompt or "")


def _said_of(closure: Closure) -> str:
    by = f" by {closure.by}" if closure.by else ""
    return f"{by}: {closure.why}" if closure.why else by


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


class Calendars:
    """All calendars with their closures. Immutable: ``with_closures`` makes a new one."""

    def __init__(self, calendars: Mapping[str, Calendar], closures: Iterable[Closure] = ()) -> None:
        self._calendars = dict(calendars)
        self.closures = tuple(closures)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._calendars)

    def __getitem__(self, name: str) -> Calendar:
        try:
            return self._calendars[name]
        except KeyError:
            raise NotFound(f"there is no calendar {name}") from None

    def at(self, name: str, when: datetime) -> Opening:
        """Is calendar ``name`` open at an aware moment, why, what callers hear, and until when? Raises NotFound."""
        return self[name].at(when, self.closures)

    def day(self, name: str, day: date) -> DayTold:
        """What a day of calendar ``name`` is like, for people. Raises NotFound."""
        return self[name].day(day, self.closures)

    def say_the_same(self, other: Calendars) -> bool:
        """Are the two written alike, their closures among it?"""
        mine = {name: calendar.shape for name, calendar in self._calendars.items()}
        theirs = {name: calendar.shape for name, calendar in other._calendars.items()}
        return mine == theirs and self.closures == other.closures

    def with_only(self, closures: Iterable[Closure]) -> Calendars:
        """The same calendars with these closures and no others."""
        return Calendars(self._calendars, closures)

    def with_closures(self, closures: Iterable[Closure]) -> Calendars:
        """The same calendars with more closures (those that were made by command or by phone)."""
        return Calendars(self._calendars, (*self.closures, *closures))


def load_calendars(
    path: Path,
    *,
    today: date,
    known: Known | None = None,
    name: str | None = None,
    almanac: Almanac | None = None,
) -> tuple[Calendars | None, Faults]:
    """Read the calendars; prompts are looked up in ``known`` where it is given. ``today`` decides which year's
    holidays must have been announced; public holidays are those of the ``almanac``, which may be new. Gives the
    calendars, or None when there is any error, and all faults."""
    almanac = almanac or Almanac()
    file, found = load_file(path, CalendarsFile, name=name)
    faults = Faults(found)
    if file is None:
        return None, faults
    _check(file, faults, today, known, almanac)
    if faults.errors:
        return None, faults
    almanac.keep()
    closures = []
    for closure in file.closures:
        zone = file.calendars[closure.calendar].timezone
        closures.append(
            Closure(
                closure.calendar,
                closure.begin.replace(tzinfo=zone),
                closure.until.replace(tzinfo=zone),
                closure.prompt or "",
                closure.by or "",
                closure.why or "",
            )
        )
    return Calendars(
        {name: Calendar(name, shape, almanac) for name, shape in file.calendars.items()}, closures
    ), faults


def _check(file: CalendarsFile, faults: Faults, today: date, known: Known | None, almanac: Almanac) -> None:
    if file.grammar != GRAMMAR:
        faults.add(
            file.fault(("grammar",), "grammar", f"this engine reads grammar {GRAMMAR}, not {file.grammar}")
        )
    for reference in references(file):
        if reference.kind == "calendar" and reference.value not in file.calendars:
            hint = did_you_mean(reference.value, file.calendars)
            message = f"there is no calendar `{reference.value}`"
            faults.add(file.fault(reference.path, "unknown-calendar", message, hint))
        elif reference.kind == "prompt" and known is not None and is_prompt_key(reference.value):
            missing = [one for one in known.languages if known.prompt(reference.value, one, "") is None]
            if missing:
                hint = did_you_mean(reference.value, known.prompt_keys(""))
                message = f"there is no prompt `{reference.value}` in {', '.join(missing)}"
                path = tuple(part.written if isinstance(part, Days) else part for part in reference.path)
                faults.add(file.fault(path, "unknown-prompt", message, hint))
    for name, shape in file.calendars.items():
        if shape.holidays is not None:
            _check_holidays(file, name, shape.holidays, faults, today, almanac)


def _check_holidays(
    file: CalendarsFile, name: str, public: PublicHolidays, faults: Faults, today: date, almanac: Almanac
) -> None:
    at = ("calendars", name, "holidays")
    country, region = public.country, public.region
    if not almanac.knows(country, region):
        regions = almanac.regions(country)
        if regions is None:
            message = f"no public holidays are known for `{country}`"
            faults.add(file.fault((*at, "country"), "country", message, "write its two letters: CN"))
            return
        if region is not None and region not in regions:
            message = f"`{country}` has no region `{region}`"
            faults.add(file.fault((*at, "region"), "region", message, did_you_mean(region, regions)))
            return
    # The year that comes is looked up now, too: nobody who calls on its first day is to wait for that.
    years = {year: almanac.year(country, region, year).moved for year in (today.year, today.year + 1)}
    if not public.workdays_moved:
        return
    for year, moved in years.items():
        # China announces the moved days of a year in the November before it.
        announced = year == today.year or today.month >= 11
        if announced and not any(day.year == year for day in moved):
            message = f"the moved working days of {year} are not known yet"
            hint = "update the `holidays` package when they are announced, or write them into `days`"
            faults.add(file.fault(at, "holidays", message, hint, key=True, severity="warning"))
