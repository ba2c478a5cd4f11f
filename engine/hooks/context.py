"""What a handler of a department is given: no call, only what it needs to answer or to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from engine.errors import PluginError
from engine.types import (
    AgentView,
    CalendarView,
    CertificateView,
    KnowledgeView,
    LackView,
    NoticeView,
    PartyView,
    QueueView,
    RatingView,
    TicketChange,
    TicketView,
    WaitingView,
)

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

T = TypeVar("T")


class Agents(Protocol):
    """The agents, as a department may steer them (for handlers over "engine").

    Raises :class:`engine.errors.NotFound` for an unknown agent, :class:`engine.errors.LoginRefused`, and
    :class:`engine.errors.WrongState` for what can't be done now.
    """

    def login(self, agent: str, pin: str | None = None, phone: str | None = None) -> AgentView:
        """Log the agent in on a phone (an extension); the PIN is checked when one is given."""

    def logout(self, agent: str) -> AgentView:
        """Log the agent out."""

    def ready(self, agent: str) -> AgentView:
        """Ready for the next call."""

    def pause(self, agent: str, reason: str) -> AgentView:
        """Take no calls, for a reason that the reports show."""

    def agent(self, agent: str) -> AgentView:
        """The agent of that id."""

    def disposition(self, agent: str, code: str) -> AgentView:
        """What came of the call that the agent talks or works on, by a word or a key of its queue's list."""

    def agent_on(self, phone: str) -> AgentView | None:
        """Who is logged in on that extension."""

    def supervise(self, by: str, agent: str, phone: str) -> None:
        """Ring ``phone`` in a moment, so that the supervisor ``by`` hears that agent's talk; WrongState when ``by`` is
        no supervisor or the agent talks to nobody."""

    def queues(self, language: str = "en") -> list[QueueView]:
        """All queues, titled in ``language``, each with the first of those who wait."""

    def queue(self, name: str, language: str = "en") -> QueueView:
        """One queue."""

    def close_queue(self, name: str, why: str, by: str = "") -> None:
        """Take nobody into a queue until it is opened again."""

    def open_queue(self, name: str, by: str = "") -> None:
        """Take callers again, as far as the queue's calendar lets it."""

    def move(self, call: str, queue: str, by: str = "") -> WaitingView:
        """Let a waiting caller wait in another queue, with the wait that it has; WrongState when an agent is being rung
        for it, or that queue is closed."""

    def to_front(self, call: str, by: str = "") -> WaitingView:
        """Let a waiting caller go before all who have less priority than a supervisor can give."""

    def verify(self, agent: str, pin: str, phone: str = "", role: str = "") -> AgentView:
        """Who that is, by the PIN, without logging in; with ``role``, only somebody who has it.

        Raises :class:`engine.errors.LoginRefused` with the reason ``wrong_pin``, ``locked`` or ``not_allowed``.
        Wrong tries count as those of a log-in do."""


class Parties(Protocol):
    """Who is who: dealers, suppliers, employees, branches, customers. Works in every handler that has the centre's
    own database (what a query changes is refused), or runs on the hub. Raises :class:`engine.errors.StoreError`, and
    :class:`engine.errors.WrongState` for what can't be kept: a number that is another's, a code that is taken."""

    def get(self, id: int) -> PartyView | None:
        """The party of that id, as ``party.id`` says it."""

    def by_number(self, number: str) -> PartyView | None:
        """Whose number it is, however it is written; None when it is nobody's."""

    def by_code(self, code: str, *kinds: str) -> PartyView | None:
        """Whose code it is, among parties of these kinds (of any when none is given)."""

    def search(
        self,
        *,
        kind: str = "",
        tier: str = "",
        region: str = "",
        site: str = "",
        department: str = "",
        text: str = "",
        limit: int = 100,
    ) -> list[PartyView]:
        """Parties in the order of kind and code; ``text`` is a part of the name, or a code or number."""

    def add(
        self, values: Mapping[str, str], numbers: Iterable[str] = (), pin: str = "", *, change: bool = False
    ) -> PartyView:
        """A new party: ``kind`` and ``name`` at least, ``code``, ``tier``, ``language``, ``site``, ``region``,
        ``stage``, ``department``, ``notes``. With ``change`` one of that kind and code is changed by what is given."""

    def change(self, party: PartyView, **values: str) -> PartyView:
        """Change what is said of a party, all but its kind and code."""

    def add_number(self, party: PartyView, number: str) -> PartyView:
        """One more number that the party calls from."""

    def remove_number(self, party: PartyView, number: str) -> PartyView:
        """The party calls from that number no more."""

    def set_pin(self, party: PartyView, pin: str) -> None:
        """Give a party its PIN, 4 to 12 digits ("" takes it away)."""

    def verify(self, code: str, pin: str, *kinds: str, origin: str = "") -> PartyView:
        """Who that is, by code and PIN; only over "engine". Raises :class:`engine.errors.LoginRefused` (``wrong_pin``
        or ``locked``); wrong PINs are counted for the code and for ``origin`` (the caller's number), as ``identify``
        counts them."""

    def unlock(self, party: PartyView) -> None:
        """Let a party try again that was locked after wrong PINs; only over "engine"."""


class PartyBook(Parties, Protocol):
    """The parties as the engine has them (:class:`engine.records.parties.Parties`)."""

    def within(self, session: Session) -> Parties:
        """The same for code that runs in a thread of the store's, on its session."""


class Calendars(Protocol):
    """The opening hours, as a department may close and open them (for handlers over "engine").

    What is done holds at once for every call, survives the engine, and stands in the journal. Raises
    :class:`engine.errors.NotFound` for an unknown calendar, :class:`engine.errors.WrongState` for what makes no
    sense (a time that is over, nothing to open), :class:`engine.errors.StoreError`.
    """

    def close(
        self,
        calendar: str,
        until: datetime,
        *,
        by: str,
        why: str = "",
        prompt: str = "",
        how: str = "phone",
        key: str = "",
        instead: bool = False,
    ) -> CalendarView:
        """Close from now on up to ``until`` (a naive time is the calendar's own). With the same ``key`` once only;
        ``instead``: closures that hold already end."""

    def open(self, calendar: str, *, by: str, why: str = "", how: str = "phone") -> CalendarView:
        """End the closures that hold now."""

    def state(self, calendar: str) -> CalendarView:
        """What the calendar says now."""


class Tickets(Protocol):
    """The tickets. In a handler over sql in its own transaction: a ticket and the deed become true together. Raises
    :class:`engine.errors.NotFound`, and :class:`engine.errors.WrongState` for what can't be done in its state."""

    def open(
        self,
        kind: str,
        *,
        group: str = "",
        owner: str = "",
        within: timedelta | None = None,
        calendar: str = "",
        escalate: str = "",
        data: Mapping[str, Any] | None = None,
        caller: str = "",
        call: str = "",
        recording: str = "",
        clips: Iterable[str] = (),
        party: int = 0,
        away_from: str = "",
    ) -> TicketView:
        """A new ticket, due when ``within`` of the calendar's open time has passed; ``escalate`` is the group of
        conf/notify.yaml that is told when it is overdue. With an ``owner`` it is assigned at once. Nobody of the site
        ``away_from`` may ever have it or do anything about it."""

    def find(self, number: str) -> TicketView | None:
        """The ticket of that number."""

    def search(
        self,
        *,
        department: str = "",
        kind: str = "",
        group: str = "",
        owner: str = "",
        caller: str = "",
        state: str = "",
        owed: bool = False,
        overdue: bool = False,
        party: int = 0,
        data: Mapping[str, str | int | bool] | None = None,
        limit: int = 100,
    ) -> list[TicketView]:
        """Tickets, those that are due first in front. ``owed``: only where somebody still has to do something;
        ``data``: only those that say this; ``party``: what the party of this id asked for."""

    def history(self, number: str) -> list[TicketChange]:
        """What happened to it, the first thing first."""

    def link(self, number: str, kind: str, ref: str) -> None:
        """A ``call``, ``recording`` or ``clip`` that belongs to it."""

    def assign(self, number: str, owner: str) -> TicketView:
        """It is the owner's now."""

    def give_back(self, number: str, why: str) -> TicketView:
        """It is the group's again (returned)."""

    def note(self, number: str, text: str) -> TicketView:
        """Something to remember."""

    def solve(self, number: str, note: str = "") -> TicketView:
        """It is done; who asked has yet to agree."""

    def answer(self, number: str, text: str) -> TicketView:
        """It is done, and this is what who asked hears of it."""

    def close(self, number: str, note: str = "") -> TicketView:
        """It is over."""

    def reopen(
        self, number: str, why: str, *, within: timedelta | None = None, calendar: str = ""
    ) -> TicketView:
        """It was not done after all; its time begins anew when ``within`` is given."""


class Knowledge(Protocol):
    """The answers and rules of the house, in versions. Queries look, commands also write. Raises
    :class:`engine.errors.NotFound`, and :class:`engine.errors.WrongState` for what can't be done: a reviewer who wrote
    at it, an item that is no draft."""

    def get(self, id: str, version: int = 0) -> KnowledgeView | None:
        """That version of an item; without one the version that holds today, None when there is none."""

    def latest(self, id: str) -> KnowledgeView | None:
        """The newest version of an item, whatever its state."""

    def versions(self, id: str) -> list[KnowledgeView]:
        """All versions of an item, the newest first."""

    def search(
        self,
        text: str = "",
        *,
        topic: str = "",
        department: str = "",
        skill: str = "",
        kind: str = "",
        state: str = "published",
        limit: int = 20,
    ) -> list[KnowledgeView]:
        """Items, those that fit ``text`` best first. Of published ones the version that holds today; ``state=""`` means
        the newest version of each."""

    def draft(
        self,
        title: str,
        answers: Mapping[str, str] | None = None,
        *,
        id: str = "",
        topic: str = "",
        skill: str = "",
        department: str = "",
        kind: str = "answer",
        owner: str = "",
        spoken: Mapping[str, str] | None = None,
        titles: Mapping[str, str] | None = None,
        must_read: Sequence[str] = (),
        quiz: Sequence[Mapping[str, Any]] = (),
        valid_from: date | None = None,
        valid_until: date | None = None,
        call: str = "",
        by: str = "",
    ) -> KnowledgeView:
        """A new item; without an ``id`` six digits are drawn. ``call`` is the one that showed the gap."""

    def edit(self, id: str, *, by: str = "", **changes: Any) -> KnowledgeView:
        """Change what is written; of what was published a new version is begun, as a draft."""

    def review(self, id: str, by: str = "") -> KnowledgeView:
        """A second person agrees with the draft."""

    def publish(self, id: str, by: str = "") -> KnowledgeView:
        """It holds from now on, or from its day on."""

    def withdraw(self, id: str, by: str = "", why: str = "") -> KnowledgeView:
        """It holds no more."""


class Certification(Protocol):
    """Who has passed what must be read. Agents are named by their ids. Raises :class:`engine.errors.NotFound` for an
    item, or a version, that there is not."""

    def passed(self, agent: str, id: str, version: int = 0) -> bool:
        """Whether an agent passed exactly that version; without one, the version that holds today, and then also within
        its time of grace."""

    def certificate(self, agent: str, id: str, version: int = 0) -> CertificateView:
        """How far an agent is with a version (the one that holds today)."""

    def search(self, agent: str = "", id: str = "", limit: int = 1000) -> list[CertificateView]:
        """Certificates, the newest first."""

    def missing(self, agent: str, skills: Iterable[str]) -> list[LackView]:
        """What an agent with these skills has to pass and has not."""

    def read(self, agent: str, id: str) -> KnowledgeView:
        """The agent reads what holds today."""

    def answer(self, agent: str, id: str, answers: Sequence[int], *, least: float = 1.0) -> CertificateView:
        """The agent answers the quiz; passed from the share ``least`` of right answers on."""

    def acknowledge(self, agent: str, id: str) -> CertificateView:
        """The agent has read and understood something that has no quiz."""

    def record(
        self, agent: str, id: str, version: int, score: int = 0, of: int = 0, *, passed: bool = True
    ) -> CertificateView:
        """Keep a result, e.g. of a course elsewhere."""


class Ratings(Protocol):
    """What callers answered to surveys."""

    def search(
        self,
        *,
        call: str = "",
        agent: str = "",
        queue: str = "",
        question: str = "",
        department: str = "",
        party: int = 0,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
    ) -> list[RatingView]:
        """Answers, the newest first."""


class Notify(Protocol):
    """``ctx.notify("desk", "logistics/overdue_notice", count=3)``: tell a group of conf/notify.yaml, in words of the
    prompts. In a handler over sql it is told if, and only if, the handler's transaction is committed."""

    def __call__(
        self,
        group: str,
        prompt: str,
        /,
        *,
        level: str = "warning",
        key: str = "",
        window: timedelta = timedelta(),
        **values: Any,
    ) -> str:
        """The notice's id; "" when the same ``key`` was told within ``window``. ``level``: info, warning, critical."""


class NoticeBook(Protocol):
    """What became of notices. Works wherever the handler has the centre's own database, or runs on the hub."""

    def find(self, key: str) -> NoticeView | None:
        """The newest notice that was told with this ``key`` of the department's, as it stands, or None."""


class Records(Protocol):
    """What gives handlers their tickets and notices (:class:`engine.records.records.Records`)."""

    def tickets_for(self, session: Session | None, department: str, by: str) -> Tickets:
        """For one run; without a session each act is a transaction of its own (on the hub)."""

    def notifier_for(self, session: Session | None, department: str) -> Notify:
        """The same for notices."""

    def library_for(self, session: Session | None, department: str, by: str) -> Knowledge:
        """The same for the knowledge."""

    def certifications_for(self, session: Session | None) -> Certification:
        """The same for certificates."""

    def ratings_for(self, session: Session | None) -> Ratings:
        """The same for ratings."""

    def notices_for(self, session: Session | None) -> NoticeBook:
        """What became of notices, in the same way."""

    def settled(self, *names: str) -> None:
        """Something was committed."""


class Context:
    """One run of one handler. It is given by the engine, and stays valid only while the handler runs.

    key       the key of the deed, to hand on to a remote system; "" in a query
    now       aware, in the centre's time zone
    today     the centre's date
    log       a structlog logger that names the department and the handler; log no argument
    """

    __slots__ = (
        "_adapters",
        "_agents",
        "_calendars",
        "_certification",
        "_knowledge",
        "_notices",
        "_notify",
        "_parties",
        "_ratings",
        "_session",
        "_settings",
        "_tickets",
        "_where",
        "key",
        "log",
        "now",
        "recorded",
    )

    def __init__(
        self,
        *,
        now: datetime,
        log: Any,
        key: str = "",
        session: Session | None = None,
        adapters: Mapping[Any, Callable[[], Any]] | None = None,
        agents: Agents | None = None,
        calendars: Calendars | None = None,
        parties: Parties | None = None,
        tickets: Tickets | None = None,
        notify: Notify | None = None,
        notices: NoticeBook | None = None,
        knowledge: Knowledge | None = None,
        certification: Certification | None = None,
        ratings: Ratings | None = None,
        settings: Any = None,
        where: str = "here",
    ) -> None:
        self.key = key
        self.now = now
        self.log = log
        self.recorded = False  # it asked for tickets or notices: whoever looks after them may have work
        self._session = session
        self._adapters = adapters or {}
        self._agents = agents
        self._calendars = calendars
        self._parties = parties
        self._tickets = tickets
        self._notify = notify
        self._notices = notices
        self._knowledge = knowledge
        self._certification = certification
        self._ratings = ratings
        self._settings = settings
        self._where = where

    @property
    def today(self) -> date:
        return self.now.date()

    @property
    def session(self) -> Session:
        """The department's transaction: the engine commits it with the key, or rolls it back."""
        if self._session is None:
            raise PluginError(f"{self._where} has no session: it does not run over sql")
        return self._session

    def adapter(self, contract: Callable[..., T]) -> T:
        """The company system behind a contract (a Protocol that the department declared)."""
        make = self._adapters.get(contract)
        if make is None:
            name = getattr(contract, "__name__", contract)
            raise PluginError(f"{self._where} has no adapter for {name}; does it say over={name}?")
        found: T = make()
        return found

    def has(self, contract: Any) -> bool:
        """Whether :meth:`adapter` has the system behind a contract here: own tables and http are side by side only for
        a report or a command over ``"all"``."""
        return contract in self._adapters

    @property
    def settings(self) -> Any:
        """What conf/engine.yaml says to this department, as its own model (``Department(settings=…)``)."""
        if self._settings is None:
            raise PluginError(f"{self._where} has no settings: its department declares none")
        return self._settings

    @property
    def parties(self) -> Parties:
        """Who is who."""
        if self._parties is None:
            raise PluginError(f"{self._where} can't look up parties: it runs in another database")
        return self._parties

    @property
    def tickets(self) -> Tickets:
        """The tickets of all departments; what is opened is this one's."""
        if self._tickets is None:
            raise PluginError(
                f"{self._where} has no tickets: a query changes nothing, and another database has none"
            )
        self.recorded = True
        return self._tickets

    @property
    def notify(self) -> Notify:
        """Tell people something."""
        if self._notify is None:
            raise PluginError(f"{self._where} can't notify anybody: a query changes nothing")
        self.recorded = True
        return self._notify

    @property
    def knowledge(self) -> Knowledge:
        """The answers and rules of the house; what is drafted is this department's."""
        if self._knowledge is None:
            raise PluginError(f"{self._where} has no knowledge: it runs in another database")
        self.recorded = True
        return self._knowledge

    @property
    def certification(self) -> Certification:
        """Who has passed what must be read."""
        if self._certification is None:
            raise PluginError(f"{self._where} can't look up certificates: it runs in another database")
        return self._certification

    @property
    def ratings(self) -> Ratings:
        """What callers answered to surveys."""
        if self._ratings is None:
            raise PluginError(f"{self._where} can't look up ratings: it runs in another database")
        return self._ratings

    @property
    def notices(self) -> NoticeBook:
        """What became of what people were told: ``ctx.notices.find(key)``."""
        if self._notices is None:
            raise PluginError(f"{self._where} can't look up notices: it runs in another database")
        return self._notices

    @property
    def agents(self) -> Agents:
        """The centre's agents; only over "engine", because they live on the hub."""
        if self._agents is None:
            raise PluginError(f'{self._where} has no agents; say over="engine"')
        return self._agents

    @property
    def calendars(self) -> Calendars:
        """The opening hours; only over "engine", because they live on the hub."""
        if self._calendars is None:
            raise PluginError(f'{self._where} has no calendars; say over="engine"')
        return self._calendars
