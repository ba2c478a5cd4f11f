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
    from collections.abc import Mapping, Sequence

    from engine.hooks.brought import CliCommand, Format, Report, StepKind
    from engine.hooks.context import Context
    from engine.hooks.department import Department
    from engine.hooks.notifiers import Notifier
    from engine.types import (
        AgentState,
        AgentView,
        BlockedView,
        CallView,
        KnowledgeView,
        PartyView,
        RecordingView,
        SettledView,
        TicketChange,
        TicketView,
    )

PROJECT = "insideline"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Declare:
    """Asked once, when a plugin is loaded."""

    @hookspec
    def register_department(self) -> Department:  # type: ignore[empty-body]
        """The department that this plugin brings."""

    @hookspec
    def register_notifiers(self) -> Sequence[Notifier]:  # type: ignore[empty-body]
        """Ways to tell people something, which conf/notify.yaml names as ``notifier:``."""

    @hookspec
    def register_steps(self) -> Sequence[type[StepKind]]:  # type: ignore[empty-body]
        """Kinds of steps for flows: subclasses of ``engine.api.Step``."""

    @hookspec
    def register_formats(self) -> Sequence[Format]:  # type: ignore[empty-body]
        """Ways to speak values, for prompts: ``{hours:logistics_lateness}``."""

    @hookspec
    def register_reports(self) -> Sequence[Report]:  # type: ignore[empty-body]
        """Reports, for ``insideline report NAME``."""

    @hookspec
    def register_commands(self) -> Sequence[CliCommand]:  # type: ignore[empty-body]
        """Commands of a department, for ``insideline <department> <command>``."""


class Answer:
    """Asked while a call waits: the first that answers something else than None counts. With ``ctx``, which only a
    department's plugin may take, it runs in a worker thread with the department's session and adapters."""

    @hookspec
    def identify_party(self, ctx: Context, call: CallView, by: str, value: str) -> PartyView | None:
        """Who has this number (``by`` is "number", ``value`` E.164) or this code ("code"). Asked before the engine's
        own table; a PIN is compared with that of our own party of the same kind and code."""

    @hookspec
    def recording_allowed(self, ctx: Context, call: CallView, policy: str) -> bool | None:
        """Whether a call may be recorded now. False keeps it from being; whatever the dialplan forbids stays so."""

    @hookspec
    def queue_priority(self, ctx: Context, call: CallView, queue: str) -> int | None:
        """What to add to a caller's priority (0 to 100, or less than 0) on entering a queue."""

    @hookspec
    def rank_agents(self, call: CallView, queue: str, agents: Sequence[AgentView]) -> Sequence[str] | None:
        """Who of ``agents`` (those logged in who could serve the call) comes first, as their ids; those left out come
        after, in the queue's own order. Asked when the call enters the queue; whenever more than one of them is free,
        the first of these is offered it."""


class Add:
    """Asked while a call waits: what all of them give is put together."""

    @hookspec
    def screen_pop(self, ctx: Context, call: CallView) -> Mapping[str, object] | None:
        """What the desk shows of a caller beside what the flow tells it: names and plain values. Asked when the caller
        enters a queue; ``call.party`` and ``call.number`` say who it is."""


class Told:
    """Told after it happened, isolated. Views are snapshots of that moment. An implementation may also take ``ctx``
    (a department's plugin only): it then runs where the department's queries do, over sql in a worker thread in a
    transaction of its own that is committed when it returns."""

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
    def call_queued(self, call: CallView, queue: str, position: int, asker: AgentView | None) -> None:
        """A call waits in a queue; position 1 is next. ``asker`` is the agent who waits there, its caller on hold."""

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

    @hookspec
    def ticket_changed(self, ticket: TicketView, change: TicketChange) -> None:
        """A ticket was opened or changed, and that is committed. After a crash it may be told a second time."""

    @hookspec
    def answer_published(self, answer: KnowledgeView, before: KnowledgeView | None) -> None:
        """An answer or a rule was published, and that is committed; ``before`` is the version that was published before
        it. After a crash it may be told a second time."""

    @hookspec
    def command_settled(self, settled: SettledView) -> None:
        """A command to a remote system, of which a caller was told that its result is not known yet, has one."""

    @hookspec
    def engine_blocked(self, blocked: BlockedView) -> None:
        """Nothing could run for a while, because a plugin (or the engine itself) did not let go."""
