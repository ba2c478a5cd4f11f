"""What the steps of a flow reach: one object, made once by the composition root and handed to every run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from engine.acd.acd import Acd
from engine.clock import Clock
from engine.flows.calendars import Calendars
from engine.flows.numbers import Numbers
from engine.hooks.departments import Departments
from engine.hooks.host import Host
from engine.prompts.library import Prompts
from engine.recording.book import Book
from engine.store.store import Store


@dataclass(frozen=True, slots=True)
class Earlier:
    """What the journal says of a call that an earlier engine began."""

    arrived: datetime
    answered: datetime | None
    flow: str
    waited: float
    talked: float


@dataclass(slots=True)
class Services:
    """The parts of the engine that flows use. Everything here is safe to call from a call's greenlet."""

    clock: Clock
    prompts: Prompts
    acd: Acd
    departments: Departments
    calendars: Calendars
    recordings: Book
    store: Store
    host: Host
    numbers: Numbers
    languages: tuple[str, ...]
    timezone: str
    music: Mapping[str, str]  # name -> playback; "default" is always there

    def local_now(self) -> datetime:
        """Now, in the centre's time zone."""
        return self.clock.now().astimezone(ZoneInfo(self.timezone))
