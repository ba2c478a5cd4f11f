"""The hooks of Insideline: what a plugin may implement.

Each hook has a test, a real plugin that uses it, and its signature in docs/hooks.md; one without any of
these does not exist (tests/hooks/test_hookspecs.py).

Told hooks are notifications. Each implementation runs in a greenlet of its own under a deadline, so it may
wait, fail or hang without touching the call or another plugin; what it returns is dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from engine.hooks.department import Department
    from engine.types import AgentState, AgentView, CallView, RecordingView

PROJECT = "insideline"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Declare:
    """Asked once, when a plugin is loaded."""

    @hookspec
    def register_department(self) -> Department:  # type: ignore[empty-body]
        """The department that this plugin brings."""


class Told:
    """Told after it happened, isolated. Views are snapshots of that moment."""

    @hookspec
    def engine_started(self, switch: str) -> None:
        """The engine takes calls. ``switch`` names what answers the event socket."""

    @hookspec
    def engine_stopping(self, why: str) -> None:
        """No new calls are taken from now on; the running ones are finished or handed over."""

    @hookspec
    def call_started(self, call: CallView) -> None:
        """A call arrived; nothing has answered it yet."""

    @hookspec
    def call_ended(self, call: CallView, cause: str) -> None:
        """A call is over. ``cause`` is the switch's hang-up cause."""

    @hookspec
    def call_queued(self, call: CallView, queue: str, position: int) -> None:
        """A call waits in a queue; position 1 is next."""

    @hookspec
    def call_abandoned(self, call: CallView, queue: str, waited: float) -> None:
        """A caller hung up in a queue after ``waited`` seconds."""

    @hookspec
    def offer_missed(self, call: CallView, agent: AgentView, why: str) -> None:
        """An agent's phone rang for a call and was not answered (no_answer, busy, rejected, unreachable …)."""

    @hookspec
    def agent_state_changed(self, agent: AgentView, before: AgentState) -> None:
        """An agent's state is another one than ``before``."""

    @hookspec
    def wrapup_finished(self, agent: AgentView, call: str, seconds: float, disposition: str) -> None:
        """An agent finished the work after a call; ``disposition`` is "" when none was given."""

    @hookspec
    def recording_finished(self, recording: RecordingView) -> None:
        """The recording of a call is complete on disk."""

    @hookspec
    def step_failed(self, call: CallView, step: str, why: str) -> None:
        """A step of a flow took its ``failed`` way: its query or command raised, hung or answered nonsense."""
