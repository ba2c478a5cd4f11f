"""The frozen views of what is live, and the few words that every layer shares.

A view is a snapshot: it never changes, and holding one keeps nothing alive. Hook implementations, the
control API, the board and the command line see views only, never the live objects behind them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any


class CallState(StrEnum):
    """Where a call is in its life."""

    RINGING = "ringing"  # arrived, nothing answered yet
    FLOW = "flow"  # answered, led by its flow
    QUEUED = "queued"  # waits for an agent
    TALKING = "talking"  # bridged with an agent
    ENDED = "ended"


class AgentState(StrEnum):
    """What an agent is doing; each second of an agent is in exactly one of these."""

    LOGGED_OUT = "logged_out"
    READY = "ready"
    OFFERED = "offered"
    TALKING = "talking"
    HOLD = "hold"  # the caller is on hold: the talk goes on afterwards
    WRAP_UP = "wrap_up"
    PAUSED = "paused"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class PartyView:
    """Who calls: a dealer, a supplier, an employee, a branch, a customer. ``id`` is 0 for one that a plugin knows
    and the engine's own table does not."""

    id: int
    kind: str  # dealer, supplier, employee, branch, customer, or the company's own word
    code: str  # what the party types to be known: a dealer code, a staff number
    name: str
    tier: str = ""  # diamond, gold, ordinary, or the company's own word
    language: str = ""  # "" when it is not known
    site: str = ""
    region: str = ""
    stage: str = ""  # prospect, new, satisfied, kept, long-standing …
    department: str = ""
    notes: str = ""  # for the desk
    numbers: tuple[str, ...] = ()  # E.164, or extensions; empty while the caller's identity is withheld


@dataclass(frozen=True, slots=True)
class CallView:
    """A live call. Times are aware UTC."""

    id: str  # the UUID of the caller's channel
    number: str  # caller's number (ANI), E.164 where it could be read as one; "" when withheld or deferred
    dialled: str  # the number that was dialled (DNIS)
    state: CallState
    flow: str = ""
    block: str = ""
    step: str = ""  # "block[2] collect" as people read it
    language: str = ""
    queue: str = ""
    agent: str = ""
    began: datetime | None = None
    answered: datetime | None = None
    revision: int = 0
    flow_hash: str = ""
    recording: str = ""
    name: str = ""
    told: Mapping[str, Any] = field(default_factory=dict)  # what the flow tells the agent's desk
    party: PartyView | None = None  # who calls, once the flow has found out
    popped: Mapping[str, Any] = field(default_factory=dict)  # what plugins add to what the desk shows
    asked_by: str = ""  # the agent who asks, or waits to ask, somebody about it, with the caller on hold


@dataclass(frozen=True, slots=True)
class AgentView:
    """An agent as the board shows it."""

    id: str
    name: str
    phone: str  # the extension of the agent's phone, e.g. "1001"
    state: AgentState
    since: datetime
    reason: str = ""  # why paused
    call: str = ""  # the call offered or talked to
    queues: tuple[str, ...] = ()
    skills: Mapping[str, int] = field(default_factory=dict)
    languages: tuple[str, ...] = ()
    reachable: bool = True  # the phone is registered, or needs no registration
    calls_taken: int = 0
    trunk: str = ""  # the phone is rung over this trunk: a mobile, another site; "" for a phone of the house
    site: str = ""
    roles: tuple[str, ...] = ()
    # Of the call's queue: key of the phone -> word.
    dispositions: Mapping[str, str] = field(default_factory=dict)
    disposition: str = ""  # given for the call that is talked or worked on
    calling_back: str = ""  # the number of who keeps a place and is called now


@dataclass(frozen=True, slots=True)
class WaitingView:
    """A caller in a queue."""

    call: str
    number: str
    position: int  # 1 is next
    since: datetime
    priority: int = 0
    skills: Mapping[str, int] = field(default_factory=dict)
    offered_to: str = ""
    virtual: bool = False  # is to be called back: nobody waits on the line
    asks: str = ""  # the agent who waits here to ask somebody, with that caller on hold


@dataclass(frozen=True, slots=True)
class QueueView:
    """A queue as the board shows it."""

    name: str
    title: str
    waiting: tuple[WaitingView, ...]
    agents_ready: int
    agents_busy: int
    agents_in: int  # logged in, whatever they do
    longest_wait: float  # seconds
    answered: int = 0  # since the engine started
    abandoned: int = 0
    left: int = 0  # left otherwise without an agent: full, too long, nobody there, closed, by a key
    overflowed: int = 0  # went on elsewhere, as the queue says
    strategy: str = ""
    closed: str = ""  # why it takes nobody now; "" when it does
    # The share that the queue promises to answer in time; None: it promises nothing.
    target: float | None = None
    within: float | None = None  # seconds: what "in time" means
    in_time: float | None = None  # the share answered in time so far; None before there were calls
    handling: float | None = None  # mean seconds that a call keeps an agent busy; None when too few are known
    callers: int = 0  # who wait, all of them: `waiting` names the first only
    agents_away: int = 0  # logged in, but paused or not to be reached


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One change of state of a call, an agent or a queue: the source that every report is computed from."""

    at: datetime
    kind: str  # "call.arrived", "queue.entered", "agent.state" …
    call: str = ""
    agent: str = ""
    queue: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecordingView:
    """One recorded call: a stereo WAV, caller left, the other party right."""

    id: str
    call: str
    path: str  # relative to the recordings folder
    began: datetime
    ended: datetime | None = None
    seconds: float = 0.0
    policy: str = ""
    agent: str = ""
    masked: int = 0  # how many stretches were masked


@dataclass(frozen=True, slots=True)
class Sound:
    """Something to play: what the switch's ``playback`` takes, and how long it is."""

    playback: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Briefing:
    """What is said once an agent has answered, before it is connected with the caller."""

    accept: Sound | None = None  # asks for ``key``, without which nobody is connected
    key: str = "1"
    whisper: Sound | None = None  # for the agent alone
    announce: Sound | None = None  # for the caller: who is there


class RingKind(StrEnum):
    """How the ringing of one agent's phone ended."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"  # rang for the whole time
    BUSY = "busy"
    REJECTED = "rejected"  # the agent pressed "decline"
    UNREACHABLE = "unreachable"  # not registered, or the phone does not answer the network
    CANCELLED = "cancelled"  # by us: the caller left, another agent was first
    FAILED = "failed"  # anything else; the switch's cause says what


@dataclass(frozen=True, slots=True)
class RingResult:
    """The end of a ringing, with the switch's hang-up cause ("" when it was answered)."""

    kind: RingKind
    cause: str = ""


class TalkEnd(StrEnum):
    """Who or what ended a talk between a caller and an agent."""

    AGENT = "agent"
    CALLER = "caller"
    TRANSFER = "transfer"  # the caller was bridged elsewhere; the agent's leg is free
    LOST = "lost"  # the switch lost both, or nobody could tell


@dataclass(frozen=True, slots=True)
class TalkResult:
    """The end of a talk. ``seconds`` is how long the two were bridged."""

    by: TalkEnd
    seconds: float


@dataclass(frozen=True, slots=True)
class ClosureView:
    """An emergency closure of a calendar that holds, or is to come. Times are aware, in the calendar's zone."""

    calendar: str
    begin: datetime
    until: datetime
    prompt: str = ""
    by: str = ""
    why: str = ""
    how: str = ""  # "file" (conf/calendars.yaml), "command" or "phone"


@dataclass(frozen=True, slots=True)
class CalendarView:
    """What a calendar says of a moment."""

    name: str
    timezone: str
    open: bool
    why: str  # "tue", "National Day", "closed by li.na: storm"
    prompt: str = ""  # what a caller hears of it
    until: datetime | None = None  # when that changes; None: not within a month
    closures: tuple[ClosureView, ...] = ()  # those that hold or are to come


@dataclass(frozen=True, slots=True)
class TicketView:
    """Something that a department owes somebody, as it stands. Times are aware UTC."""

    number: str  # digits, the last one checks the others
    kind: str
    department: str
    group: str  # who may take it
    owner: str  # who has it; "" nobody yet
    state: str  # open, assigned, returned, solved, closed, reopened
    opened: datetime
    changed: datetime
    due: datetime | None = None
    escalated: datetime | None = None  # since when it is overdue and that was told
    escalate: str = ""  # the group of conf/notify.yaml that is told
    caller: str = ""
    call: str = ""  # the call that it came from
    data: Mapping[str, Any] = field(default_factory=dict)
    links: tuple[tuple[str, str], ...] = ()  # ("call" | "recording" | "clip", its id); empty in lists
    away_from: str = ""  # a site whose people must not handle it
    party: int = 0  # who asked; 0 when that is not known, or withheld
    answer: str = ""  # what whoever asked hears of it
    solved: datetime | None = None  # since when it is done
    reopens: int = 0  # how often it was not done after all
    returns: int = 0  # how often an owner gave it back
    titles: Mapping[str, str] = field(default_factory=dict)  # how its kind is called, by language


@dataclass(frozen=True, slots=True)
class TicketChange:
    """One change of a ticket."""

    ticket: str
    at: datetime
    what: str  # opened, assigned, returned, noted, answered, solved, closed, reopened, escalated
    by: str
    before: str  # the state
    after: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class KnowledgeView:
    """One version of an answer or a rule of the house. Times are aware UTC, days are the centre's."""

    id: str  # a text, or digits
    version: int
    state: str  # draft, reviewed, published, superseded, withdrawn
    kind: str  # answer, rule
    title: str  # the question
    topic: str = ""
    skill: str = ""
    department: str = ""
    owner: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)  # by language
    spoken: Mapping[str, str] = field(default_factory=dict)  # what is said by phone instead, by language
    titles: Mapping[str, str] = field(default_factory=dict)  # the question in other languages
    must_read: tuple[str, ...] = ()  # the skills whose agents must pass it
    quiz: tuple[Mapping[str, Any], ...] = ()  # {"ask", "choices", "right"}
    valid_from: date | None = None
    valid_until: date | None = None
    by: str = ""  # who wrote it last
    editors: tuple[str, ...] = ()  # everybody who wrote at this version
    reviewed_by: str = ""
    published_by: str = ""
    published: datetime | None = None
    created: datetime | None = None
    why: str = ""  # it was withdrawn
    call: str = ""  # the one that showed the gap

    def text(self, language: str) -> str:
        """The answer in a language, or in the first that there is; "" without any."""
        return self.answers.get(language) or next(iter(self.answers.values()), "")

    def question(self, language: str) -> str:
        """The title in a language."""
        return self.titles.get(language) or self.title

    def said(self, language: str) -> str:
        """What is said of it by phone in that language."""
        return self.spoken.get(language) or self.text(language)


@dataclass(frozen=True, slots=True)
class CertificateView:
    """How far somebody is with one version."""

    agent: str
    id: str
    version: int
    read: datetime | None = None
    passed: datetime | None = None
    score: int = 0
    of: int = 0
    tries: int = 0


@dataclass(frozen=True, slots=True)
class LackView:
    """Something that an agent has to pass, and has not."""

    agent: str
    item: KnowledgeView
    skills: tuple[str, ...]  # those that need it, of the agent's
    until: datetime | None  # they count until then all the same; None: they don't

    def why(self) -> str:
        """In words: ``not certified on LIAB-02 v4``."""
        return f"not certified on {self.item.id} v{self.item.version}"


@dataclass(frozen=True, slots=True)
class RatingView:
    """One answer."""

    key: str
    at: datetime
    question: str
    score: int
    most: int
    call: str
    department: str
    flow: str
    queue: str
    agent: str
    language: str
    party: int | None = None  # who answered


@dataclass(frozen=True, slots=True)
class NoticeView:
    """Something that people have to be told, as a notifier is given it."""

    id: str
    group: str
    level: str  # info, warning, critical
    text: str  # in the group's language
    prompt: str  # the prompt that it was made of
    values: Mapping[str, Any] = field(default_factory=dict)
    created: datetime | None = None
    call: str = ""
    department: str = ""  # whose prompt it is
    state: str = ""  # waiting, trying, told, acknowledged, failed
    by: str = ""  # who acknowledged: "phone 1061", or the user of `insideline notice ack`
    ended: datetime | None = None  # when it was told, acknowledged or given up


@dataclass(frozen=True, slots=True)
class SettledView:
    """A command whose result was not known at first, and now is (or needs a person)."""

    command: str  # "logistics.order_pickup"
    key: str
    call: str  # the call that it came from; "" when it was none
    outcome: str  # done, refused, stuck (given up: `insideline outbox`)
    reason: str = ""  # of a refusal
    error: str = ""  # why it was given up
    attempts: int = 0
    since: datetime | None = None
    result: Any = None  # as JSON; None when it is private


@dataclass(frozen=True, slots=True)
class BlockedView:
    """A stretch of time in which nothing else could run, because something did not let go."""

    plugin: str  # whose code it was; "" when it was no plugin's
    where: str  # "file:line function", of the plugin's innermost frame where there is one
    seconds: float
    at: datetime
    stack: str = ""
