"""Everything that a plugin may import, and nothing else is public.

Declaring (see docs/plugins.md):

    Department      what a department is: name, tables, adapters; filled by the decorators below
    query, command  declare a handler, called with a Context and the flow's values
    Adapter         one company system: its contract and the ways to speak to it
    History         the sample company's past, as Department(history=…) writes its part of it
    HttpClient      what an http adapter is made with: ask, get, do (docs/adapters.md)
    RemoteFailed    a company's system gave no usable answer; an adapter that speaks in its own way raises it
    hookimpl        marks an implementation of a hook (docs/hooks.md)

    schedule        declares a handler that the clock runs: at="08:30" or every="10m", by a calendar
    Notifier        a way to tell people something (hook register_notifiers), named in conf/notify.yaml

    Settings        base of the model of a department's section in conf/engine.yaml (ctx.settings)

What else a plugin may bring, each by a hook of its own:

    Step            a kind of step: its fields, and act(call)
    Conversation    what act() may do with the call
    Value, Target, Prompt, Into, Duration, Attempts, Flag    types of the fields of steps and settings
    Format          how a value is spoken
    Report          rows for `insideline report`
    CliCommand      `insideline <department> <command>`

Types of arguments and results:

    Record          frozen, typed fields that a flow reads by name
    Digits          text of the digits 0-9
    Private         Private[T]: may be spoken, never stored, told, logged or recorded

In the models of a department's tables:

    Moment          the column type of an aware moment, the same on SQLite and PostgreSQL

In a handler:

    Context         what a handler is given: key, now, today, session, adapter(), settings, parties, agents, log
    Agents          the agents, as ctx.agents steers them
    Parties         who is who, as ctx.parties finds them
    Calendars       the opening hours, as ctx.calendars closes and opens them
    Refused         raise it in a command, with one of its declared refusals
    NotFound        raised by ctx.agents for an agent who does not exist,
    LoginRefused    for a wrong PIN, a locked agent, a phone that another one holds (its ``reason`` says which),
    WrongState      for what can't be done in the agent's state

    TicketKind      a kind of ticket that a department declares: Department(tickets=[…])
    Knowledge       answers and rules with their versions, as ctx.knowledge has them (KnowledgeView)
    Certification   who passed what must be read, as ctx.certification has it (CertificateView, LackView)
    Ratings         what callers answered to surveys, as ctx.ratings has it (RatingView)
    Tickets         the tickets, as ctx.tickets gives them; ctx.notify tells a group of conf/notify.yaml
    TicketView, TicketChange, NoticeView    what they give, and what hooks and notifiers are told

Views, as hooks are told them (frozen snapshots):

    CallView, CallState, AgentView, AgentState, QueueView, WaitingView, RecordingView,
    CalendarView, ClosureView, PartyView, SettledView
"""

from __future__ import annotations

import typing

from engine.errors import LoginRefused, NotFound, Refused, RemoteFailed, WrongState
from engine.flows.plugin_steps import Conversation
from engine.flows.plugin_steps import PluginStep as Step
from engine.flows.step import Into
from engine.flows.values import Val as Value
from engine.hooks.brought import CliCommand, Format, Report
from engine.hooks.context import (
    Agents,
    Calendars,
    Certification,
    Context,
    Knowledge,
    Parties,
    Ratings,
    Tickets,
)
from engine.hooks.department import Adapter, Department, command, query
from engine.hooks.hookspecs import hookimpl
from engine.hooks.http import HttpClient
from engine.hooks.kinds import Digits, Private, Record
from engine.hooks.notifiers import Notifier
from engine.hooks.schedules import schedule
from engine.hooks.ticket_kinds import TicketKind
from engine.schema.fields import Attempts, Duration, Flag, Target
from engine.schema.fields import PromptRef as Prompt
from engine.schema.shapes import Shape as Settings
from engine.types import (
    AgentState,
    AgentView,
    CalendarView,
    CallState,
    CallView,
    CertificateView,
    ClosureView,
    KnowledgeView,
    LackView,
    NoticeView,
    PartyView,
    QueueView,
    RatingView,
    RecordingView,
    SettledView,
    TicketChange,
    TicketView,
    WaitingView,
)

__all__ = [
    "Adapter",
    "AgentState",
    "AgentView",
    "Agents",
    "Attempts",
    "CalendarView",
    "Calendars",
    "CallState",
    "CallView",
    "CertificateView",
    "Certification",
    "CliCommand",
    "ClosureView",
    "Context",
    "Conversation",
    "Department",
    "Digits",
    "Duration",
    "Flag",
    "Format",
    "History",
    "HttpClient",
    "Into",
    "Knowledge",
    "KnowledgeView",
    "LackView",
    "LoginRefused",
    "Moment",
    "NotFound",
    "NoticeView",
    "Notifier",
    "Parties",
    "PartyView",
    "Private",
    "Prompt",
    "QueueView",
    "RatingView",
    "Ratings",
    "Record",
    "RecordingView",
    "Refused",
    "RemoteFailed",
    "Report",
    "Settings",
    "SettledView",
    "Step",
    "Target",
    "TicketChange",
    "TicketKind",
    "TicketView",
    "Tickets",
    "Value",
    "WaitingView",
    "WrongState",
    "command",
    "hookimpl",
    "query",
    "schedule",
]

if typing.TYPE_CHECKING:
    from engine.records.history import History
    from engine.store.columns import Moment


def __getattr__(name: str) -> object:
    """``Moment`` and ``History`` when a plugin with tables asks for them: the others do without SQLAlchemy."""
    if name == "Moment":
        from engine.store.columns import Moment

        return Moment
    if name == "History":
        from engine.records.history import History

        return History
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
