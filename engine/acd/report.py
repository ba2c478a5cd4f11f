"""What the ACD says to the outside: rows of the journal and domain events, neither of which may harm it.

The rows carry enough to say afterwards why a call waited and why this agent took it (``insideline explain``). Each
names its call, agent and queue where it has them; seconds are floats. A *thing* is ``skill:waybill``,
``language:en``, ``site:north`` (``site:north|south``: one of the two) or ``agent:8012``; *needs* map things to levels.

===================== =============================================================================================
kind                  its data
===================== =============================================================================================
queue.entered         ``position``; ``priority`` (all of it) with the ``tier`` that was part of it; ``head_start``, the
                      seconds that this priority is worth; ``needs``; ``waited`` so far (elsewhere, before); ``prefer``,
                      an agent that is taken if free and able; ``moved_from``, the queue it comes from, or "".
                      ``virtual``: true for who keeps its place and is to be called back (``call`` is the id that this
                      call will have); ``callback.waits`` beside it says which callback that is.
queue.resumed         The same, of a caller whom another engine had put there.
queue.sticky          For ``seconds`` nobody but ``prefer`` may take the call; ``why``: "owner" (the flow named the
                      agent) or "last" (who talked to this caller last).
queue.sticky_over     That is over; ``prefer``, ``why``: "time", "agent gone" (logged out, paused, unreachable),
                      "missed" (it was rung and did not take the call);
                      ``needs`` from now on, ``waited``.
queue.relaxed         A step of ``relax`` came: ``step`` (1 is the first), ``after``, ``before`` and ``needs`` (before
                      and after it), ``able``: how many logged-in agents could serve the caller now, ``waited``.
queue.overflow        The caller goes on elsewhere: ``to`` ("queue:reserve", "flow:…", "voicemail:…", "number:…"),
                      ``why``: "time" or "length", ``waited``.
queue.overflow_failed It should have, but ``to`` can't take it: ``why``: "full", "no_agents", "closed". It stays and is
                      tried again every 30 s; only the first time of a caller is written.
queue.moved           Somebody moved the caller here: ``moved_from``, ``by``, ``waited``.
queue.raised          Somebody changed its priority: ``before``, ``priority``, ``by``, ``position`` now.
queue.closed          The queue took nobody from now on, ``why`` ("hours", or what a supervisor said), ``by``; by its
                      calendar: which ``calendar``, and what it ``says`` ("Saturday", "closed by 8019: a typhoon");
queue.opened          and takes callers again.
offer.made            Agent and caller were reserved for one another. ``rule``: the strategy; ``side``: "caller" (it
                      came, relaxed, or its offer failed, and took an agent), "agent" (it became free and took a
                      caller) or "all" (it joined others whose phones ring for the same caller). ``position`` of the
                      caller;
                      ``free`` agents of the queue at that moment, of them ``able`` (each with the chosen one);
                      ``tier`` and ``rank`` of the chosen agent (ranks compare within a tier, lower is first; what
                      they count is the strategy's: see :mod:`engine.acd.strategies`); ``idle``: how long the agent
                      had been free, ``waited``: the caller.
                      ``next``: the agents who were free and able too, best three: ``{agent, tier, rank}``.
                      ``unfit``: agents who were free but not able, three of them: ``{agent, lacks: {thing: level}}``.
                      ``ahead``: callers before this one, first three: ``{call, why}``, why being "offered" or, as for
                      unfit agents, ``lacks`` of this agent. ``by_plugin``: True when a plugin ranked the agents.
offer.missed          ``why`` (a RingKind), ``cause``, ``rang``.
offer.recalled        The ring was stopped because of the agent: ``why``: "logout", "pause", "phone lost" …
offer.lost            Several phones rang and another one was answered first: ``to``, the agent; ``rang``.
queue.answered        ``waited``, ``rang``.
queue.left            ``reason`` (a Leaving), ``waited``; with "closed" what ``queue.closed`` says, as it is then,
                      and (by hand) ``since`` when.
talk.over             ``by`` (a TalkEnd), ``seconds``.
offers.held           From now on nobody is offered to anybody: ``why`` ("no switch", "stopping" …);
offers.made_again     and now again; the last ``why`` of those that held them.
agent.seated          The engine began to make offers: ``queues``, the agent's with their tiers, and ``has``, its things
                      with their levels. One row for each agent, and one when that changes. ``withheld``: skills that
                      do not count, and why ("not certified on LIAB-02 v4").
agent.state           ``before`` and ``state``, ``seconds`` spent in ``before``, ``reason`` and ``reason_before``,
                      ``phone``.
===================== =============================================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import structlog

from engine.clock import Clock
from engine.types import JournalEntry

log = structlog.get_logger(__name__)


class Notify(Protocol):
    """Told of domain events, by the name of the hook that announces them; must not block.

    A call is given by its id (the app puts its view in): ``call_queued(call, queue, position)``,
    ``call_abandoned(call, queue, waited)``, ``offer_missed(call, agent, why)``,
    ``agent_state_changed(agent, before)``, ``wrapup_finished(agent, call, seconds, disposition)``.
    """

    def __call__(self, event: str, /, **facts: object) -> None: ...


class Reporter:
    """Writes and tells; a failure there is logged and goes no further: calls matter more than their records."""

    def __init__(self, clock: Clock, journal: Callable[[JournalEntry], None], notify: Notify | None) -> None:
        self._clock = clock
        self._journal = journal
        self._notify = notify
        self.silent = False  # an engine that is being killed writes nothing any more

    def write(self, kind: str, *, call: str = "", agent: str = "", queue: str = "", **data: object) -> None:
        """One row of the journal."""
        if self.silent:
            return
        try:
            self._journal(JournalEntry(self._clock.now(), kind, call, agent, queue, data))
        except Exception:
            log.exception("acd.journal_failed", kind=kind, call=call, agent=agent, queue=queue)

    def tell(self, event: str, **facts: object) -> None:
        """One domain event."""
        if self._notify is None or self.silent:
            return
        try:
            self._notify(event, **facts)
        except Exception:
            log.exception("acd.notify_failed", event_name=event)
