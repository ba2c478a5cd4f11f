"""What the control API and the board are given of a running engine. The composition root fills it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from engine.clock import Clock
from engine.flows.model import FlowSet
from engine.hooks.builtin_day import Day
from engine.hooks.departments import Departments
from engine.hooks.host import Host
from engine.records.parties import Parties
from engine.types import AgentView, CalendarView, CallView, QueueView, WaitingView

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SwitchView:
    """What answers the event socket, at this moment."""

    name: str  # "the simulator", "FreeSWITCH 1.10 on 127.0.0.1:8021"
    up: bool
    core_uuid: str = ""
    why: str = ""  # why it is not up, in one line
    leads: bool = True  # this engine holds the lease


@dataclass(frozen=True, slots=True)
class PriorityView:
    """How the system lets the engine run (:mod:`engine.app.priority`)."""

    realtime: bool
    why: str = ""  # why not, in one line


class CallsPart(Protocol):
    """The live calls (:class:`engine.calls.registry.Calls`)."""

    def views(self) -> list[CallView]: ...
    def hang_up(self, call_id: str, cause: str = "NORMAL_CLEARING") -> None: ...
    @property
    def supervision(self) -> Any: ...  # who listens to whom: engine.calls.supervise
    def get(self, call_id: str) -> Any: ...  # the live call, by its id or the beginning of it


class AcdPart(Protocol):
    """Queues and agents (:class:`engine.acd.acd.Acd`)."""

    def agents(self) -> list[AgentView]: ...
    def agent(self, agent_id: str) -> AgentView: ...
    def queues(self, language: str = "en") -> list[QueueView]: ...
    def queue(self, name: str, language: str = "en") -> QueueView: ...
    def login(self, agent_id: str, pin: str | None = None, phone: str | None = None) -> AgentView: ...
    def logout(self, agent_id: str) -> AgentView: ...
    def ready(self, agent_id: str) -> AgentView: ...
    def pause(self, agent_id: str, reason: str) -> AgentView: ...
    def close_queue(self, name: str, why: str, by: str = "") -> None: ...
    def open_queue(self, name: str, by: str = "") -> None: ...
    def waits_as(self, call_id: str) -> str: ...
    def move(self, call_id: str, queue: str, by: str = "") -> WaitingView: ...
    def to_front(self, call_id: str, by: str = "") -> WaitingView: ...
    def end_wrap_up(self, agent_id: str) -> AgentView: ...
    def unlock(self, agent_id: str) -> AgentView: ...
    def disposition(self, agent_id: str, code: str) -> AgentView: ...


class StorePart(Protocol):
    """The database (:class:`engine.store.store.Store`)."""

    def read(self, function: Callable[[Any], T], timeout: float) -> T: ...
    def health(self) -> Any: ...


class RecordsPart(Protocol):
    """Tickets and what is owed (:class:`engine.records.records.Records`)."""

    def read(self, function: Callable[[Any], T]) -> T: ...
    def work(self, function: Callable[[Any], T]) -> T: ...
    def desk(self, session: Any, *, by: str = "") -> Any: ...
    def now(self) -> Any: ...
    def kinds(self) -> list[dict[str, Any]]: ...
    def library(self, session: Any) -> Any: ...
    def certifications(self, session: Any) -> Any: ...
    def note_cancelled(self, owed: Any, by: str) -> None: ...
    def note_hurried(self, owed: Any, by: str) -> None: ...
    def note_acknowledged(self, notice: Any, by: str) -> None: ...


class PromptsPart(Protocol):
    """What a playback says (:class:`engine.prompts.library.Prompts`)."""

    def describe(self, playback: str) -> Any: ...


class SoundPart(Protocol):
    """A sound that a simulated caller hears."""

    @property
    def path(self) -> str: ...


class CallerPart(Protocol):
    """A simulated caller (:class:`engine.switch.simulator.SimCaller`)."""

    on_asked: Callable[[float], None] | None  # the prompt is over, and a key is waited for: seconds

    @property
    def uuid(self) -> str: ...
    @property
    def ended(self) -> str | None: ...
    def press(self, keys: str) -> None: ...
    def hang_up(self, cause: str = "NORMAL_CLEARING") -> None: ...
    def next_playback(self, timeout: float | None = None) -> SoundPart: ...


class SimulatorPart(Protocol):
    """The simulator, where it is the switch."""

    def call(self, number: str, *, caller: str = ..., gateway: str = ...) -> CallerPart: ...


class ClosingPart(Protocol):
    """The calendars (:class:`engine.flows.closing.Closing`)."""

    def state(self, calendar: str, at: datetime | None = None) -> CalendarView: ...
    def states(self) -> list[CalendarView]: ...
    def close(
        self,
        calendar: str,
        until: datetime,
        *,
        by: str,
        why: str = "",
        prompt: str = "",
        begin: datetime | None = None,
    ) -> CalendarView: ...
    def open(self, calendar: str, *, by: str, why: str = "", planned: bool = False) -> CalendarView: ...


class FaxesPart(Protocol):
    """The faxes (:class:`engine.records.faxes.Faxes`)."""

    @property
    def fault(self) -> str: ...
    def list(self, *, state: str = "", limit: int = 100) -> Any: ...
    def show(self, id: str) -> Any: ...
    def retry(self, id: str) -> Any: ...


@dataclass(slots=True, kw_only=True)
class Parts:
    """The parts of a running engine, as the outside sees them."""

    version: str
    home: Path
    clock: Clock
    began: datetime
    switch: Callable[[], SwitchView]
    command: Callable[[str], str]  # an operator's API command line -> the switch's answer
    calls: CallsPart
    acd: AcdPart
    store: StorePart
    recordings: Path  # the folder that recordings' paths are relative to
    prompts: PromptsPart
    flows: Callable[[], FlowSet]
    host: Host
    day: Day
    # What it means to callers that a plugin was kept out, as the end of a sentence.
    led_away: Callable[[str], str] = lambda plugin: ""
    # How often what was believed of calls and agents had to be put right.
    mended: Callable[[], int] = lambda: 0
    ready: Callable[[], bool] = lambda: True  # every call on the switch is known, offers are made
    parties: Parties | None = None
    sounds: Any = None  # what callers left: engine.app.clips.Sounds
    simulator: SimulatorPart | None = None
    records: RecordsPart | None = None
    closing: ClosingPart | None = None
    faxes: FaxesPart | None = None
    reload: Callable[[str], Any] | None = None  # who wants it -> what came of it
    departments: Departments | None = None
    priority: Callable[[], PriorityView] = lambda: PriorityView(False)
    blocks: Callable[[], Mapping[str, Any]] = dict  # by plugin: how often it held everything up
    how_to_call: Sequence[str] = field(default_factory=tuple)  # lines for people: how to call in yourself
