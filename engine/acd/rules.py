"""What a queue does with those who wait: ageing, relaxing, sticking to an agent, overflowing, closing.

Shapes of ``queues.yaml``, and what follows from them as plain computation: no clock, no board.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema, model_validator

from engine.acd.board import Needs, needs
from engine.schema.fields import Duration, Name, SkillRef, text_of, whole
from engine.schema.shapes import Shape, Short, wrong

_POINTS = whole(1, 1_000)
Points = Annotated[int, _POINTS[0], _POINTS[1]]
_LEVEL0 = whole(0, 9)
Level0 = Annotated[int, _LEVEL0[0], _LEVEL0[1]]
_LEVEL = whole(1, 9)
Level = Annotated[int, _LEVEL[0], _LEVEL[1]]
_LENGTH = whole(0, 100_000)
Places = Annotated[int, _LENGTH[0], _LENGTH[1]]
_PRIORITY = whole(-1_000, 1_000)
Priority = Annotated[int, _PRIORITY[0], _PRIORITY[1]]

MOST_PRIORITY = 1_000
"""Whatever flow, tier, dialplan and plugins add up to is cut at this, either way."""


class Ageing(Shape):
    """How a wait counts against priority: ``every`` so long is worth ``by`` points."""

    every: Duration = 60.0
    by: Points = 5

    @model_validator(mode="after")
    def _some_time(self) -> Ageing:
        if not 1 <= self.every <= 3600:
            raise wrong("duration", "a wait counts every 1s to 1h", at="every")
        return self

    def head_start(self, priority: int) -> float:
        """Seconds of waiting that a priority is worth."""
        return max(-MOST_PRIORITY, min(MOST_PRIORITY, priority)) * self.every / self.by


def _skills(value: Any) -> Any:
    """``any``: no skill is needed."""
    if isinstance(value, str):
        if text_of(value, "skills with levels") != "any":
            raise wrong("shape", f"`{value}` is neither `any` nor skills with levels", "write {waybill: 1}")
        return {}
    return value


def _sites(value: Any) -> Any:
    """``any``: no site at all; one site may stand without a list."""
    if isinstance(value, str):
        return [] if text_of(value, "sites") == "any" else [value]
    return value


class Relax(Shape):
    """One step of relaxing, ``after`` so long in this queue; what is left out stays as it is.

    ``level``: this level will do, of each skill; ``skills``: these levels will do (0: not needed at all), ``any``:
    no skill is needed; ``site``: agents of these sites too, ``any``: of all; ``language: any``.
    """

    after: Duration
    level: Level | None = None
    skills: Annotated[
        dict[SkillRef, Level0] | None,
        BeforeValidator(_skills, json_schema_input_type=dict[SkillRef, Level0] | Literal["any"]),
    ] = None  # {}: any
    site: Annotated[list[Name] | None, BeforeValidator(_sites)] = None  # []: any
    language: Literal["any"] | None = None

    @model_validator(mode="after")
    def _something(self) -> Relax:
        if self.level is None and self.skills is None and self.site is None and self.language is None:
            raise wrong("relax-nothing", "this step changes nothing", "give level, skills, site or language")
        if self.level is not None and self.skills is not None:
            raise wrong("relax-twice", "`level` and `skills` say the same thing twice", at="skills")
        return self


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a caller wants of an agent, in words that can be relaxed."""

    skills: Mapping[str, int]
    language: str = ""
    sites: tuple[str, ...] = ()
    away: tuple[str, ...] = ()  # nobody of these sites, ever

    @property
    def needs(self) -> Needs:
        """The same as the board takes it."""
        return needs(self.skills, self.language, self.sites, self.away)

    def relaxed(self, step: Relax) -> Wanted:
        """The same after a step. A level is only ever lowered, a site only added."""
        skills: Mapping[str, int] = self.skills
        if step.level is not None:
            skills = {name: min(level, step.level) for name, level in skills.items()}
        elif step.skills is not None:
            lower = step.skills
            skills = (
                {name: min(level, lower.get(name, level)) for name, level in skills.items()} if lower else {}
            )
        sites = self.sites
        if sites and step.site is not None:
            sites = tuple(sorted({*sites, *step.site})) if step.site else ()
        return Wanted(skills, "" if step.language == "any" else self.language, sites, self.away)

    def at_last(self, steps: Iterable[Relax]) -> Wanted:
        """The same when all steps have come."""
        wanted = self
        for step in steps:
            wanted = wanted.relaxed(step)
        return wanted


class Sticky(Short):
    """For ``wait`` seconds a caller waits for one agent alone: the one whom the flow names, else the one who talked to
    this caller last ``within`` so long. Then for anybody."""

    short: ClassVar[str] = "wait"

    wait: Duration
    within: Duration = 30 * 86_400.0


@dataclass(frozen=True, slots=True)
class Goal:
    """Where an overflowing caller goes on: ``queue:reserve``, ``flow:common/sorry``, ``voicemail:desk``,
    ``number:+862000000000``."""

    kind: Literal["queue", "flow", "voicemail", "number"]
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


_GOAL = re.compile(
    r"(queue):([a-z][a-z0-9_]*)|(flow):([a-z][a-z0-9_]*(?:/[a-z0-9_]+)+)"
    r"|(voicemail):([A-Za-z0-9_]{1,40})|(number):(\+?[0-9]{1,20})"
)


def _goal(value: Any) -> Goal:
    if isinstance(value, Goal):
        return value
    text = text_of(value, "a goal")
    found = _GOAL.fullmatch(text)
    if found is None:
        raise wrong(
            "goal",
            f"`{text}` is nowhere that a caller can go on",
            "write queue:NAME, flow:DEPARTMENT/FLOW, voicemail:BOX or number:+86…",
        )
    kind, name = (part for part in found.groups() if part is not None)
    return Goal(kind, name)  # type: ignore[arg-type]


To = Annotated[
    Goal, PlainValidator(_goal), WithJsonSchema({"type": "string", "pattern": f"^(?:{_GOAL.pattern})$"})
]


class Overflow(Shape):
    """Where callers go on who have waited ``after`` so long in this queue, or who find ``beyond`` waiting already."""

    to: To
    after: Duration | None = None
    beyond: Places | None = None

    @model_validator(mode="after")
    def _some_time(self) -> Overflow:
        if self.after is None and self.beyond is None:
            raise wrong("overflow-never", "this never happens", "give after, beyond or both", at="to")
        return self


class AtClosing(Short):
    """What happens to those who wait when the queue's calendar closes: they ``stay``, or ``leave`` by the step's
    ``closed`` after ``grace``."""

    short: ClassVar[str] = "do"

    do: Literal["stay", "leave"]
    grace: Duration = 0.0


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a queue's rules, at a path within the queue."""

    path: tuple[str | int, ...]
    code: str
    message: str
    hint: str = ""
    severity: Literal["error", "warning"] = "error"


def flaws_of_relaxing(
    steps: Sequence[Relax], *, longest: float, sites: bool, language: bool
) -> Iterable[Flaw]:
    """Steps that come too late, or change nothing that is left to change."""
    before = -1.0
    level, no_skills, all_sites, any_language = 10, False, not sites, not language
    for at, step in enumerate(steps):
        path: tuple[str | int, ...] = ("relax", at)
        if step.after <= before:
            yield Flaw(
                (*path, "after"),
                "relax-order",
                f"this step comes {step.after:g}s after the caller, the one before it {before:g}s",
                "each step comes later than the one before it",
            )
        elif step.after >= longest:
            yield Flaw(
                (*path, "after"),
                "relax-too-late",
                f"nobody waits so long: the queue's `longest` is {longest:g}s",
                "only a flow that sets `longest` itself gets here",
                severity="warning",
            )
        before = max(before, step.after)
        if no_skills and (step.level is not None or step.skills is not None):
            key = "level" if step.level is not None else "skills"
            yield Flaw((*path, key), "relax-again", "no skill is needed any more by then")
        elif step.level is not None and step.level >= level:
            yield Flaw(
                (*path, "level"), "relax-again", f"level {level} does already by then", "levels go down"
            )
        if step.site is not None and all_sites:
            told = "agents of all sites are called already by then" if sites else "the queue has no `site`"
            yield Flaw((*path, "site"), "relax-again", told)
        if step.language is not None and any_language:
            told = "no language is needed by then" if language else "the queue needs no `language`"
            yield Flaw((*path, "language"), "relax-again", told)
        level = min(level, step.level or 10)
        no_skills |= step.skills == {}
        all_sites |= step.site == []
        any_language |= step.language is not None


def circle(overflows: Mapping[str, str], start: str) -> list[str]:
    """The queues from ``start`` over their overflows back to it; empty when that leads out."""
    way, here = [start], overflows.get(start)
    while here is not None and here not in way:
        way.append(here)
        here = overflows.get(here)
    return way if here == start else []


__all__ = [
    "Ageing",
    "AtClosing",
    "Flaw",
    "Goal",
    "Overflow",
    "Relax",
    "Sticky",
    "Wanted",
    "circle",
    "flaws_of_relaxing",
]
