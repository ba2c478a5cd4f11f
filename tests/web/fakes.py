"""Stand-ins for the live parts of an engine, for the tests of the control API and of the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from engine.clock import Clock
from engine.errors import HungUp, LoginRefused, NoSuchCall, NotFound, SwitchError, UnsafeText, WrongState
from engine.flows.model import Flow, FlowSet
from engine.hooks.builtin_day import Day
from engine.hooks.host import Host
from engine.store.rows import Cdr
from engine.store.store import Store
from engine.types import AgentState, AgentView, CallState, CallView, JournalEntry, QueueView, WaitingView
from engine.web.parts import Parts, SwitchView

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
CALL = CallView(
    id="0a1b2c3d-0000-4000-8000-000000000001",
    number="+8613800000001",
    dialled="8004",
    state=CallState.FLOW,
    flow="logistics/main",
    block="greet",
    step="greet[4] menu",
    language="zh-CN",
    began=AT,
    answered=AT,
)
OTHER = replace(CALL, id="0a1b2c3d-0000-4000-8000-000000000002", state=CallState.QUEUED, queue="logistics")


class FewCalls:
    def __init__(self) -> None:
        self.live = [CALL, OTHER]
        self.hung_up: list[tuple[str, str]] = []

    def views(self) -> list[CallView]:
        return list(self.live)

    def hang_up(self, call_id: str, cause: str = "NORMAL_CLEARING") -> None:
        if call_id not in [one.id for one in self.live]:
            raise NoSuchCall(f"no live call {call_id!r}")
        self.hung_up.append((call_id, cause))


class FewAgents:
    def __init__(self) -> None:
        self.one = AgentView(
            "8012", "林晓燕", "1001", AgentState.READY, AT, queues=("logistics",), skills={"waybill": 3}
        )

    def agents(self) -> list[AgentView]:
        return [self.one]

    def agent(self, agent_id: str) -> AgentView:
        if agent_id != self.one.id:
            raise NotFound(f"there is no agent {agent_id}")
        return self.one

    def end_wrap_up(self, agent_id: str) -> AgentView:
        return self.agent(agent_id)

    def disposition(self, agent_id: str, code: str) -> AgentView:
        if code not in ("1", "solved"):
            raise NotFound(f"there is no disposition {code!r}: solved")
        return self.agent(agent_id)

    def queues(self, language: str = "en") -> list[QueueView]:
        return [self.queue("logistics", language)]

    def queue(self, name: str, language: str = "en") -> QueueView:
        if name != "logistics":
            raise NotFound(f"there is no queue {name}")
        waiting = (WaitingView(OTHER.id, OTHER.number, 1, AT),)
        return QueueView(
            name,
            {"en": "Shipments desk"}.get(language, "货运服务台"),
            waiting,
            1,
            0,
            1,
            75.0,
            7,
            2,
            callers=1,
        )

    def login(self, agent_id: str, pin: str | None = None, phone: str | None = None) -> AgentView:
        self.agent(agent_id)
        if phone == "1002":
            raise LoginRefused("phone_taken", "phone 1002 is held by 8013")
        return self._now(AgentState.READY, phone=phone or "1001")

    def logout(self, agent_id: str) -> AgentView:
        self.agent(agent_id)
        return self._now(AgentState.LOGGED_OUT)

    def ready(self, agent_id: str) -> AgentView:
        if self.agent(agent_id).state is AgentState.LOGGED_OUT:
            raise WrongState(f"{agent_id} is not logged in")
        return self._now(AgentState.READY)

    def pause(self, agent_id: str, reason: str) -> AgentView:
        self.agent(agent_id)
        return self._now(AgentState.PAUSED, reason=reason)

    def _now(self, state: AgentState, **more: Any) -> AgentView:
        self.one = replace(self.one, state=state, **more)
        return self.one


class OneCaller:
    """A caller who hears what the test lets be played, and hangs up on 9."""

    def __init__(self, clock: Clock, number: str, caller: str, gateway: str) -> None:
        self.uuid = CALL.id
        self.number, self.caller, self.gateway = number, caller, gateway
        self.keys = ""
        self.ended: str | None = None
        self.on_asked: Callable[[float], None] | None = None
        self._sounds = clock.queue()

    def press(self, keys: str) -> None:
        if self.ended:
            raise HungUp(self.ended)
        self.keys += keys
        if "9" in keys:
            self.hang_up()

    def hang_up(self, cause: str = "NORMAL_CLEARING") -> None:
        if not self.ended:
            self.ended = cause
            self._sounds.put(None)

    def plays(self, path: str) -> None:
        self._sounds.put(SimpleNamespace(path=path))

    def next_playback(self, timeout: float | None = None) -> Any:
        sound = self._sounds.get(timeout)
        if sound is None:
            raise HungUp(self.ended or "")
        return sound


class OneSimulator:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.callers: list[OneCaller] = []

    def call(self, number: str, *, caller: str = "+8613800000000", gateway: str = "pstn") -> OneCaller:
        self.callers.append(OneCaller(self._clock, number, caller, gateway))
        if number in ("8004", "8005"):
            self.callers[-1].plays("/prompts/welcome.wav")
            if number == "8005":
                self._clock.after(0.3, self.callers[-1].plays, "/prompts/welcome.wav")
            self.callers[-1].plays("local_stream://moh")
        return self.callers[-1]


class FewPrompts:
    def describe(self, playback: str) -> Any:
        if "welcome" not in playback:
            return None
        return SimpleNamespace(
            key="welcome", text="欢迎致电粤达", language="zh-CN", clips=(playback,), seconds=1.5
        )


def command(line: str) -> str:
    if "\n" in line:
        raise UnsafeText("the command holds a line break")
    if line != "status":
        raise SwitchError(f"-ERR {line} Command not found!")
    return "UP 0 years\n2 sessions"


def flow(name: str) -> Flow:
    return Flow(
        name,
        3,
        "Where is my shipment",
        "logistics-desk",
        ("zh-CN", "en"),
        "greet",
        {},
        hash="0123456789abcdef",
    )


def make_parts(home: Path, clock: Clock) -> Parts:
    """All parts, over a store with one call, its journal and its recording."""
    store = Store(f"sqlite:///{home}/var/insideline.db", clock, home / "var")
    store.open()
    store.cdr(
        Cdr(
            "c-1",
            AT,
            AT,
            AT,
            number="+8613800000001",
            dialled="8004",
            flow="logistics/main",
            outcome="talked",
            agent="8012",
        )
    )
    store.journal(JournalEntry(AT, "call.arrived", "c-1"))
    store.save(
        recordings_table(),
        "r-1",
        {
            "call": "c-1",
            "path": "2026/11/23/r-1.wav",
            "began": AT,
            "ended": AT,
            "seconds": 61.5,
            "policy": "service",
        },
    )
    store.flush()
    store.caught_up()
    host = Host(clock)
    day = Day(clock)
    host.add(day, "day")
    day.engine_started(switch="the simulator")
    return Parts(
        version="0.1.0",
        home=home,
        clock=clock,
        began=AT,
        switch=lambda: SwitchView("the simulator", True, "core-1"),
        command=command,
        calls=FewCalls(),
        acd=FewAgents(),
        store=store,
        recordings=home / "var" / "recordings",
        prompts=FewPrompts(),
        flows=lambda: FlowSet.of([flow("logistics/main")]),
        host=host,
        day=day,
        simulator=OneSimulator(clock),
        how_to_call=("insideline dial 8004",),
    )


def recordings_table() -> Any:
    from engine.store import tables

    return tables.recordings
