"""A built-in plugin that keeps the day in mind: what the board shows last, and what the engine says at its end.

It is memory only, since the engine's start; reports are computed from the journal.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.clock import Clock
from engine.hooks.hookspecs import hookimpl
from engine.types import (
    AgentState,
    AgentView,
    BlockedView,
    CallView,
    KnowledgeView,
    RecordingView,
    SettledView,
    TicketChange,
    TicketView,
)


@dataclass(frozen=True, slots=True)
class News:
    """One thing that happened, as a line of the board."""

    number: int  # 1, 2, 3 … since the start
    at: datetime
    kind: str  # the hook's name
    text: str
    call: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """What there was since the start."""

    calls: int = 0
    ended: int = 0
    answered: int = 0  # by the flow, of those that ended
    queued: int = 0
    talks: int = 0  # an agent talked
    abandoned: int = 0
    offers_missed: int = 0
    wrap_ups: int = 0
    recordings: int = 0
    recorded_seconds: float = 0.0
    steps_failed: int = 0


class Day:
    """Counts what happens and remembers the last of it."""

    def __init__(self, clock: Clock, *, remember: int = 200) -> None:
        self._clock = clock
        self.began = clock.now()
        self._counts: dict[str, Any] = {}
        self.news: deque[News] = deque(maxlen=remember)
        self._told = 0

    @property
    def figures(self) -> Figures:
        """What there was, up to now."""
        return Figures(**self._counts)

    def since(self, number: int) -> list[News]:
        """What is remembered of the news after number ``number``, oldest first."""
        fresh = min(self._told - number, len(self.news))
        return list(self.news)[len(self.news) - fresh :] if fresh > 0 else []

    def _add(self, kind: str, text: str, call: str = "", **more: float) -> None:
        self._told += 1
        self.news.append(News(self._told, self._clock.now(), kind, text, call))
        for name, by in more.items():
            self._counts[name] = self._counts.get(name, 0) + by

    def plugin_kept_out(self, plugin: str, why: str) -> None:
        """Not a hook: told by the engine at its start, for each plugin that it does without."""
        self._add("plugin_kept_out", f"plugin {plugin} is kept out: {why}")

    @hookimpl
    def engine_started(self, switch: str) -> None:
        self._add("engine_started", f"the engine takes calls on {switch}")

    @hookimpl
    def engine_stopping(self, why: str) -> None:
        self._add("engine_stopping", f"the engine takes no more calls: {why}")

    @hookimpl
    def call_started(self, call: CallView) -> None:
        self._add("call_started", f"{_who(call)} dials {call.dialled}", call.id, calls=1)

    @hookimpl
    def call_ended(self, call: CallView, cause: str) -> None:
        text = f"{_who(call)} is gone ({cause})"
        self._add("call_ended", text, call.id, ended=1, answered=call.answered is not None)

    @hookimpl
    def call_queued(self, call: CallView, queue: str, position: int) -> None:
        self._add("call_queued", f"{_who(call)} waits for {queue}, position {position}", call.id, queued=1)

    @hookimpl
    def call_abandoned(self, call: CallView, queue: str, waited: float) -> None:
        self._add("call_abandoned", f"{_who(call)} left {queue} after {waited:.0f} s", call.id, abandoned=1)

    @hookimpl
    def offer_missed(self, call: CallView, agent: AgentView, why: str) -> None:
        self._add("offer_missed", f"{agent.id} did not take {_who(call)} ({why})", call.id, offers_missed=1)

    @hookimpl
    def agent_state_changed(self, agent: AgentView, before: AgentState) -> None:
        talks = agent.state is AgentState.TALKING
        said = f"{agent.state.value} ({agent.reason})" if agent.reason else agent.state.value
        self._add(
            "agent_state_changed",
            f"{agent.id} {agent.name}: {said}".replace("_", " "),
            agent.call,
            talks=talks,
        )

    @hookimpl
    def wrapup_finished(self, agent: AgentView, call: str, seconds: float, disposition: str) -> None:
        said = f" as {disposition}" if disposition else ""
        self._add("wrapup_finished", f"{agent.id} wrapped up in {seconds:.0f} s{said}", call, wrap_ups=1)

    @hookimpl
    def recording_finished(self, recording: RecordingView) -> None:
        text = f"recorded {recording.seconds:.0f} s"
        self._add(
            "recording_finished", text, recording.call, recordings=1, recorded_seconds=recording.seconds
        )

    @hookimpl
    def step_failed(self, call: CallView, step: str, why: str) -> None:
        self._add("step_failed", f"{_who(call)}: {call.flow} {step} failed: {why}", call.id, steps_failed=1)

    @hookimpl
    def ticket_changed(self, ticket: TicketView, change: TicketChange) -> None:
        who = ticket.owner or ticket.group or ticket.department
        self._add(
            "ticket_changed", f"ticket {ticket.number} {ticket.kind} ({who}): {change.what}", ticket.call
        )

    @hookimpl
    def answer_published(self, answer: KnowledgeView, before: KnowledgeView | None) -> None:
        said = f"in place of v{before.version}" if before is not None else "new"
        self._add("answer_published", f"{answer.id} v{answer.version} is published ({said})", answer.call)

    @hookimpl
    def command_settled(self, settled: SettledView) -> None:
        told = {"done": "is done after all", "refused": f"was refused after all: {settled.reason}"}
        text = told.get(settled.outcome, f"was given up, a person must look: {settled.error}")
        self._add("command_settled", f"{settled.command} {text}", settled.call)

    @hookimpl
    def engine_blocked(self, blocked: BlockedView) -> None:
        who = f"plugin {blocked.plugin}" if blocked.plugin else "the engine itself"
        self._add(
            "engine_blocked", f"{who} held everything up for {blocked.seconds:.1f} s at {blocked.where}"
        )


def _who(call: CallView) -> str:
    return call.number or "a caller"
