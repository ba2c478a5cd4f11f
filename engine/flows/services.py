"""What the steps of a flow reach: one object, made once by the composition root and handed to every run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from engine.acd.acd import Acd
from engine.calls.outbound import Outbound
from engine.calls.registry import Calls
from engine.clock import Clock
from engine.errors import StoreError
from engine.flows.calendars import Calendars
from engine.flows.dialplan import Match
from engine.flows.kept_places import KeptPlaces
from engine.flows.model import FlowSet, Step
from engine.flows.numbers import Numbers
from engine.hooks.answers import Answers
from engine.hooks.departments import Departments
from engine.hooks.host import Host
from engine.prompts.library import Prompts
from engine.recording.book import Book
from engine.records.clips import Clips
from engine.records.faxes import Faxes
from engine.records.messages import Messages
from engine.records.parties import Parties
from engine.records.ratings import Ratings
from engine.records.records import Records
from engine.store.store import Store


class PartyTier(Protocol):
    """Somebody who calls, as far as the dialplan wants to know."""

    @property
    def tier(self) -> str: ...


PartyOf = Callable[[str], PartyTier | None]
"""Number (E.164) -> whose it is. May wait for the database, but not block the hub."""


@dataclass(slots=True)
class Services:
    """The parts of the engine that flows use. Everything here is safe to call from a call's greenlet."""

    clock: Clock
    prompts: Prompts
    calls: Calls
    acd: Acd
    departments: Departments
    calendars: Calendars
    recordings: Book
    store: Store
    host: Host
    numbers: Numbers
    languages: tuple[str, ...]
    timezone: str
    max_steps: int  # of one call: far above any honest one, so that a loop ends and is told of
    music: Mapping[str, str]  # name -> playback; "default" is always there
    kept: KeptPlaces | None = None  # who is called back and keeps a place; None: nobody
    records: Records | None = None  # tickets, callbacks, notices; None: there are none
    outbound: Outbound | None = None  # who may be rung outside; None: nobody
    faxes: Faxes | None = None
    route: Callable[[str, str, str], Match | None] | None = (
        None  # dialled, caller, trunk: a rule for a number of ours
    )

    current_flows: Callable[[], FlowSet] | None = None  # those that new calls begin with

    party_of: PartyOf | None = (
        None  # who has a number, for rules of the dialplan by tier; None: nobody is known
    )

    clips: Clips = None  # type: ignore[assignment]  # what callers dictated
    messages: Messages = None  # type: ignore[assignment]  # and left in boxes
    ratings: Ratings = None  # type: ignore[assignment]

    parties: Parties | None = None  # who calls; None: nobody is known
    answers: Answers | None = None  # what plugins answer when they are asked
    # Kinds of steps, those of plugins among them; None: the built-in ones.
    kinds: Mapping[str, type[Step]] | None = None

    @property
    def kinds_of_tickets(self) -> Collection[str]:
        """The departments that declare which tickets they open."""
        return {name for name, one in self.host.departments.items() if one.tickets}

    def local_now(self) -> datetime:
        """Now, in the centre's time zone."""
        return self.clock.now().astimezone(ZoneInfo(self.timezone))

    def music_for(self, name: str) -> str:
        """What to play for a queue or a name of music."""
        return self.music.get(name) or self.music["default"]

    def save_names(self, call: str, names: Mapping[str, Any]) -> None:
        """Keep what the channel can't carry; when this returns, it survives the engine."""
        self.store.save_call_state(call, names)
        if not self.store.flush(5.0):
            raise StoreError("the names of a call could not be kept in time")

    def load_names(self, call: str) -> Mapping[str, Any]:
        """What :meth:`save_names` kept."""
        names = self.store.load_call_state(call)
        if names is None:
            raise StoreError(f"nothing is kept of the names of call {call}")
        return names

    def flow_set(self, flow_hash: str) -> FlowSet | None:
        """A flow set that an earlier engine compiled, or None."""
        data = self.store.get_flow_set(flow_hash)
        return None if data is None else FlowSet.from_bytes(data, self.kinds)
