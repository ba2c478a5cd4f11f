"""How a dialplan is written: the shapes of ``dialplans/<name>.yaml``."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from engine.flows.calendars import DayHours, WeekDays
from engine.flows.patterns import PatternField, captures_in
from engine.schema.fields import (
    CalendarRef,
    Flag,
    FlowRef,
    Ident,
    Language,
    Name,
    Positive,
    PromptRef,
    Raw,
    text_of,
    whole,
)
from engine.schema.shapes import FileShape, Shape, Short, wrong

_PRIORITY: tuple[PlainValidator, WithJsonSchema] = whole(-100, 100)


def _extension(value: Any) -> str:
    text = str(text_of(value, "an extension"))
    bare = text
    for number in captures_in(text):
        bare = bare.replace(f"{{{number}}}", "")
    if not text or not all(sign in "0123456789" for sign in bare):
        raise wrong("extension", f"`{text}` is not an extension", 'write "1001", or "86{1}" with a capture')
    return text


class CallerList(Shape):
    """Callers by number or pattern. Those of a ``deny`` list are never let in; those of an ``allow`` list are
    whom the rules mean that name it (``only``, ``from: {list: …}``). ``say`` is what a caller hears who is turned
    away (nothing: the call is rejected at once)."""

    deny: Annotated[list[PatternField] | None, Field(min_length=1)] = None
    allow: Annotated[list[PatternField] | None, Field(min_length=1)] = None
    say: PromptRef | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.deny is None) == (self.allow is None):
            raise wrong("list", "say `deny` or `allow`, one of them")
        return self


class From(Short):
    """Which callers a rule is for: a number or pattern, all of a tier, all of an allow list. What is given must all
    fit."""

    short = "number"

    number: PatternField | None = None
    tier: Name | None = None
    list_: Name | None = Field(default=None, alias="list")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.number is None and self.tier is None and self.list_ is None:
            raise wrong("from", "say whose calls: `number`, `tier` or `list`")
        return self

    def __str__(self) -> str:
        parts = [self.number.text if self.number else "", f"tier {self.tier}" if self.tier else ""]
        parts.append(f"list {self.list_}" if self.list_ else "")
        return ", ".join(part for part in parts if part)


class During(Short):
    """When a rule holds: while a calendar is open (``during: office``) or closed (``{calendar: office, closed:
    true}``), or on days and at hours of the centre's own time (``{days: sat-sun, hours: "09:00-12:00"}``)."""

    short = "calendar"
    _WEEK: ClassVar[tuple[str, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

    calendar: CalendarRef | None = None
    closed: Flag = False
    days: WeekDays | None = None
    hours: DayHours | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.calendar is None) == (self.days is None and self.hours is None):
            raise wrong("during", "say a `calendar`, or `days` and `hours`")
        if self.closed and self.calendar is None:
            raise wrong("during", "`closed` is said of a calendar", at="closed")
        return self

    def holds(self, local: datetime) -> bool:
        """Do days and hours hold at this local time? (For a rule without a calendar.)"""
        minute = local.hour * 60 + local.minute
        return (self.days is None or local.weekday() in self.days) and (
            self.hours is None or any(hours.begin <= minute < hours.end for hours in self.hours)
        )

    def __str__(self) -> str:
        if self.calendar is not None:
            return f"{self.calendar} closed" if self.closed else self.calendar
        days = (
            "-".join(dict.fromkeys(self._WEEK[day] for day in (self.days[0], self.days[-1])))
            if self.days
            else ""
        )
        hours = ", ".join(f"{_clock(one.begin)}-{_clock(one.end)}" for one in self.hours or ())
        return " ".join(part for part in (days, hours) if part)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


class Way(Short):
    """Where a call goes, and how it is treated there."""

    short = "flow"

    flow: FlowRef | None = None
    extension: Annotated[str, PlainValidator(_extension), WithJsonSchema({"type": "string"})] | None = None
    params: dict[Name, Raw] = {}
    identity: Literal["at_once", "deferred"] = "at_once"
    record: Name | None = None
    priority: Annotated[int, _PRIORITY[0], _PRIORITY[1]] = 0
    language: Language | None = None
    languages: list[Language] = []
    lost_place: FlowRef | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.flow is None) == (self.extension is None):
            raise wrong("way", "say where the call goes: `flow` or `extension`, one of them")
        if self.language is not None and self.languages and self.language not in self.languages:
            raise wrong("language", f"`{self.language}` is none of the `languages`", at="language")
        return self


class Rule(Way):
    """A way for the numbers dialled that fit ``to`` (and, where they are given, ``from``, ``trunk``, ``during``).

    ``only`` names an allow list: the rule takes the calls of all the same, and turns away those that are not on it.
    """

    short = "to"

    to: PatternField
    from_: From | None = Field(default=None, alias="from")
    trunk: Ident | None = None
    during: During | None = None
    only: Name | None = None

    def __str__(self) -> str:
        parts = [self.to.text]
        parts += [f"from {self.from_}"] if self.from_ else []
        parts += [f"over {self.trunk}"] if self.trunk else []
        parts += [f"during {self.during}"] if self.during else []
        parts += [f"only {self.only}"] if self.only else []
        return " ".join(parts)


class DialplanFile(FileShape):
    """``dialplans/<name>.yaml``."""

    grammar: Positive
    dialplan: Name
    lists: dict[Name, CallerList] = {}
    numbers: list[Rule]
    otherwise: Way
