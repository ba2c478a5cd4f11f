"""Work that a department wants done by the clock: declared like a query, run by the engine that leads.

A schedule runs once for each of its slots, also when the engine is restarted meanwhile: over sql its rows and the
slot's key are committed together. Slots that passed while no engine ran are made up for by one run, of the last.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from types import NoneType
from typing import Any, Final, TypeVar

from pydantic_core import PydanticCustomError

from engine.errors import PluginError
from engine.hooks.department import Command, Department, Over, read_signature
from engine.schema.fields import parse_clock, parse_duration

F = TypeVar("F", bound=Callable[..., Any])

SHORTEST: Final = 10.0
LONGEST: Final = 86400.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a handler runs: ``at`` a time of the day, or ``every`` so many seconds since midnight; with a ``calendar``
    only on its working days (``at``), or while it is open (``every``)."""

    name: str
    department: str
    command: Command
    at: time | None
    every: float
    calendar: str
    within: float


def schedule(
    department: Department,
    *,
    at: str = "",
    every: str = "",
    calendar: str = "",
    within: str = "30s",
    over: Over = None,
) -> Callable[[F], F]:
    """Declare ``function(ctx)`` to be run ``at="08:30"`` or ``every="10m"``, within its time limit."""

    def declare(function: F) -> F:
        signature = read_signature(department, function, over)
        where, name = signature["where"], signature["name"]
        if signature["arguments"]:
            raise PluginError(f"{where}: {name} is run by the clock, which gives it nothing but ctx")
        if signature["result"] is not NoneType:
            raise PluginError(
                f"{where}: {name} is run by the clock, which takes no answer; let it return None"
            )
        if bool(at) == bool(every):
            raise PluginError(f'{where}: say when {name} runs: at="08:30" or every="10m", one of them')
        try:
            clock = parse_clock(at) if at else None
            seconds = parse_duration(every) if every else 0.0
            limit = parse_duration(within)
        except PydanticCustomError as error:
            raise PluginError(f"{where}: {name}: {error.message()}") from None
        if every and not SHORTEST <= seconds <= LONGEST:
            raise PluginError(f"{where}: {name}: every is from 10s to 24h, not {every}")
        command = Command(**signature)
        department.schedules[name] = Schedule(name, department.name, command, clock, seconds, calendar, limit)
        return function

    return declare
