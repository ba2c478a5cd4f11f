"""The records of a running engine: tickets, callbacks, notices and schedules, wired to what they need."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from engine.app.voicemail import tell_of_messages
from engine.errors import DepartmentFailed, NotFound, Pending, PluginError, Refused
from engine.flows.kept_places import KeptPlaces
from engine.flows.packing import pack, unpack
from engine.flows.working_time import working_after
from engine.hooks.context import Context
from engine.hooks.notifiers import Notifier
from engine.hooks.schedules import Schedule
from engine.hooks.ticket_kinds import TicketKind
from engine.records.callbacks import Callbacks, Room
from engine.records.delivery import Delivery
from engine.records.notices import Notices
from engine.records.records import Records
from engine.records.schedules import Schedules
from engine.types import KnowledgeView, NoticeView, TicketChange, TicketView

if TYPE_CHECKING:
    from engine.acd.config import AcdConfig, AgentConfig
    from engine.app.app import App
    from engine.app.installation import Installation
    from engine.clock import Clock
    from engine.flows.services import Services
    from engine.prompts.library import Utterance
    from engine.records.parties import Parties
    from engine.records.party_table import PartiesIn
    from engine.records.tickets import Due
    from engine.store.store import Store

log = structlog.get_logger(__name__)


class Hours:
    """Calendars and queues as the records ask for them; always those of the moment."""

    def __init__(self, app: App, services: Services) -> None:
        self._app = app
        self._services = services

    def due(self, calendar: str, moment: datetime, seconds: float) -> datetime:
        """When so much open time has passed."""
        return working_after(self._services.calendars, calendar, moment, seconds)

    def is_open(self, calendar: str, moment: datetime) -> bool:
        return self._services.calendars.at(calendar, moment).open

    def works(self, calendar: str, day: date) -> bool:
        """Is it open at any time of that day?"""
        begin = datetime.combine(day, time(), self._services.calendars[calendar].zone)
        opening = self._services.calendars.at(calendar, begin)
        return opening.open or (opening.until is not None and opening.until < begin + timedelta(days=1))

    def room(self, queue: str) -> Room:
        """How a queue stands."""
        view = self._services.acd.queue(queue)
        calendar = self._calendar(queue)
        now = self._services.clock.now()
        is_open = not view.closed and (not calendar or self.is_open(calendar, now))
        return Room(view.agents_ready - view.callers, view.agents_in, is_open)

    def after(self, queue: str, moment: datetime, seconds: float) -> datetime:
        """So much of a queue's opening hours later."""
        calendar = self._calendar(queue)
        return self.due(calendar, moment, seconds) if calendar else moment + timedelta(seconds=seconds)

    def _calendar(self, queue: str) -> str:
        acd = self._app.installation.acd
        assert acd is not None
        found = acd.queues.get(queue)
        if found is None:
            raise NotFound(f"there is no queue {queue}")
        return found.calendar or ""


def records_of(
    made: Installation,
    store: Store,
    clock: Clock,
    *,
    due: Due,
    parties: Parties,
    acd: Callable[[], AcdConfig | None],
    changed: Callable[[TicketView, TicketChange], None] = lambda ticket, change: None,
    leads: Callable[[], bool] = lambda: False,
    published: Callable[[KnowledgeView, KnowledgeView | None], None] = lambda answer, before: None,
) -> Records:
    """The records of an installation: those of its engine, or of a command beside it, by the same rules. ``acd`` is
    what holds of its agents now; the rest is as :class:`Records` says."""
    return Records(
        store,
        clock,
        due=due,
        notify=made.notify,
        changed=changed,
        leads=leads,
        pack=pack,
        site_of=lambda session, who: site_of(acd(), parties.within(session), who),
        kinds=kinds_of_tickets(made),
        zone=made.settings.zone,
        grace=made.settings.certification.grace,
        roles_of=lambda who: roles_of(acd(), who),
        published=published,
    )


def make_records(app: App, services: Services) -> Records:
    """The records of ``app``; their duties begin when the engine leads (:func:`begin`)."""
    made, clock, store = app.installation, app.clock, app.store
    assert services.outbound is not None
    hours = Hours(app, services)

    def changed(ticket: TicketView, change: TicketChange) -> None:
        made.host.tell.ticket_changed(ticket=ticket, change=change)

    def published(answer: KnowledgeView, before: KnowledgeView | None) -> None:
        app.to_warm.set()  # what is said of it is rendered before a call asks for it
        made.host.tell.answer_published(answer=answer, before=before)

    _check_kinds(made, services.calendars.names)
    records = records_of(
        made,
        store,
        clock,
        due=hours.due,
        parties=app.parties,
        acd=lambda: app.acd.config,
        changed=changed,
        leads=lambda: app.calls.leading and app.ready.is_set(),
        published=published,
    )
    records.skills = lambda: {id: one.skills for id, one in app.acd.config.agents.items() if one.skills}
    records.certified = lambda withheld: _withhold(app, withheld)
    site = {"node": made.settings.site.id}
    callbacks = Callbacks(
        store, clock, app.calls, services.outbound, hours, cdr=lambda row: store.cdr({**row, **site})
    )
    callbacks.wake = records.duty("callbacks", callbacks.work).wake
    records.callbacks = callbacks
    services.kept = callbacks.places = KeptPlaces(clock, services.acd, app.calls, callbacks)

    def said(prompt: str, values: Mapping[str, Any], language: str, department: str) -> Utterance:
        return app.prompts.utterance(prompt, unpack(dict(values)), language, department)

    def send(notifier: Notifier, notice: NoticeView, to: str, within: float) -> None:
        department = notifier.name.partition(".")[0]

        def work(session: Any) -> None:
            context = Context(
                now=clock.now().astimezone(made.settings.zone),
                log=structlog.get_logger("insideline.plugins").bind(handler=notifier.name),
                session=session,
                tickets=records.tickets_for(session, department, notifier.name),
                notify=records.notifier_for(session, department),
                where=notifier.name,
            )
            notifier.send(context, notice, to)

        store.work(work, within)
        records.settled("tickets")

    delivery = Delivery(
        clock,
        made.notify,
        calls=app.calls,
        outbound=services.outbound,
        extensions={phone.extension for phone in made.phones}.__contains__,
        speak=said,
        notifiers=made.notifiers,
        send=send,
        language=made.settings.languages[0],
        centre=made.settings.site.name,
    )
    notices = Notices(
        store,
        clock,
        made.notify,
        deliver=delivery,
        text_of=lambda prompt, values, language, department: app.prompts.wording(
            prompt, unpack(dict(values)), language, department
        ),  # a mail, a list: numbers as they are typed, and not as they are spoken
        language=made.settings.languages[0],
    )
    notices.wake = records.duty("notices", notices.work).wake
    records.notices = notices

    def run(schedule: Schedule, key: str) -> None:
        outcome = app.departments.do(schedule.name, {}, key=key, within=schedule.within)
        if isinstance(outcome, Refused):
            raise DepartmentFailed(schedule.name, "nonsense", "a schedule has nobody to refuse to")
        if isinstance(outcome, Pending):
            log.warning("schedule.pending", schedule=schedule.name, key=key)

    declared = [one for department in made.host.departments.values() for one in department.schedules.values()]
    for one in declared:
        if one.calendar and one.calendar not in services.calendars.names:
            raise PluginError(f"{one.command.where}: {one.name}: there is no calendar {one.calendar}")
    schedules = Schedules(store, clock, declared, zone=made.settings.zone, hours=hours, run=run)
    schedules.wake = records.duty("schedules", schedules.work).wake
    app.departments.contexts.records = records
    services.records = records
    tell_of_messages(app.sounds, records, clock)
    return records


def _withhold(app: App, withheld: Mapping[str, Mapping[str, str]]) -> None:
    for agent in app.acd.withhold(withheld):
        why = sorted(set(withheld.get(agent, {}).values()))
        log.info("agent.certificates", agent=agent, withheld=why)


def _agent(acd: AcdConfig | None, who: str) -> AgentConfig | None:
    """An agent, by id or name."""
    agents = acd.agents if acd is not None else {}
    return agents.get(who) or next((one for one in agents.values() if one.name == who), None)


def roles_of(acd: AcdConfig | None, who: str) -> list[str] | None:
    """The roles of an agent, by id or name; None for somebody who is no agent."""
    found = _agent(acd, who)
    return None if found is None else list(found.roles)


def kinds_of_tickets(made: Installation) -> dict[str, dict[str, TicketKind]]:
    """What departments declare, by department."""
    return {name: one.tickets for name, one in made.host.departments.items() if one.tickets}


def _check_kinds(made: Installation, calendars: Collection[str]) -> None:
    """:class:`PluginError` for a declared kind whose calendar or group there is not."""
    for name, kinds in kinds_of_tickets(made).items():
        for one in kinds.values():
            if one.calendar and one.calendar not in calendars:
                raise PluginError(f"{name}: ticket {one.name}: there is no calendar {one.calendar}")
            if one.escalate and one.escalate not in made.notify.groups:
                raise PluginError(
                    f"{name}: ticket {one.name}: there is no group {one.escalate} in conf/notify.yaml"
                )


def site_of(acd: AcdConfig | None, parties: PartiesIn, who: str) -> str | None:
    """Where an agent (by id or name) or a party (by code) sits; None for somebody of whom nobody knows."""
    found = _agent(acd, who)
    if found is not None:
        return found.site or ""
    party = parties.by_code(who)
    return None if party is None else party.site


def begin(records: Records) -> None:
    """The engine leads, and knows every call on the switch."""
    if records.callbacks is not None:
        records.callbacks.settle()
    records.start()
    records.settled()


__all__ = ["begin", "make_records"]
