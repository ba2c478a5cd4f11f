"""The composition root: builds the parts of the engine, wires them, starts, drains and stops them.

Nothing else knows all the parts. What must go upward between layers (an event of the ACD to the hooks, an ended
call to the store) goes through callbacks that are wired here.
"""

from __future__ import annotations

from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import uuid4

import structlog
from gevent.threadpool import ThreadPool

from engine.acd.acd import Acd
from engine.app.agent_rows import agent_memory, agent_row
from engine.app.agents import AgentNews
from engine.app.clips import Sounds, make_sounds
from engine.app.faxes import make_faxes
from engine.app.hours import make_closing
from engine.app.installation import Installation, read_installation, steps_of
from engine.app.line import Line
from engine.app.outbound import make_outbound
from engine.app.outside import parts_of
from engine.app.parties import open_parties
from engine.app.priority import Priority, take_priority
from engine.app.records import make_records
from engine.app.reload import Reloader
from engine.app.sample import seed_sample
from engine.app.systems import make_departments, watch, wire_departments
from engine.app.watchdog import Watchdog
from engine.app.watching import begin_watch
from engine.calls.call import Call
from engine.calls.cdr import cdr_row
from engine.calls.leader import Leader
from engine.calls.registry import Calls
from engine.calls.ring import CallFloor
from engine.clock import Clock
from engine.errors import ConfigError, InsidelineError, StoreError
from engine.esl.connection import Connection
from engine.flows.closing import Closing
from engine.flows.lead import Lead
from engine.flows.literals import literal_texts, spoken_literally
from engine.flows.numbers import Numbers
from engine.flows.services import Services
from engine.hooks.departments import Departments
from engine.prompts import Prompts, Voice, find_voice, load_say_as
from engine.prompts.music import hold_music
from engine.recording.book import Book
from engine.records import closed_queues
from engine.records.faxes import Faxes
from engine.records.parties import Parties
from engine.records.pin_locks import AGENTS, KeptLocks
from engine.records.records import Records
from engine.store.store import Store
from engine.store.upgrades import DepartmentTables
from engine.switch.freeswitch import FreeSwitch
from engine.switch.simulator import Simulator
from engine.types import CallState, CallView, JournalEntry
from engine.web.app import control_app
from engine.web.parts import Parts
from engine.web.server import Server

log = structlog.get_logger(__name__)

SWEEP_EVERY = 24 * 3600.0


class App:
    """One engine. ``start`` builds and wires it, ``run`` lets it work, ``drain`` and ``stop`` end it."""

    def __init__(
        self,
        home: Path,
        *,
        switch: str = "auto",
        password_file: Path | None = None,
        clock: Clock | None = None,
        installation: Installation | None = None,
        voice: Voice | None = None,
        control: bool = True,
        sample: bool = False,
        seed: int = 0,
        simulator: Simulator | None = None,
    ) -> None:
        """``switch``: auto, freeswitch, simulator, or HOST:PORT (with ``password_file``). ``sample`` fills empty
        tables with the sample company. ``control=False`` opens no control socket; ``simulator`` is one that
        runs already (tests that kill an engine and start another beside the same switch)."""
        self.clock = clock or Clock()
        self.installation = installation or read_installation(home, self.clock)
        self.began: datetime = self.clock.now()
        self.simulator = simulator
        self.freeswitch: FreeSwitch | None = None
        self._own_simulator = simulator is None
        self._voice = voice
        self._control = control
        self._sample = sample
        self.seed = seed
        self.stopping = self.clock.event()
        self._stop_reason = ""
        self.ready = self.clock.event()  # every call on the switch is known, offers are made
        self.music = ""  # what plays in queues
        self._server: Server | None = None
        self.pool = ThreadPool(2)
        self._warming: Any = None
        self.to_warm = self.clock.event()  # what callers may hear has changed
        self.line = Line(self, switch, password_file)
        # Made by `start`; until then (and after a start that failed half-way) there may be none.
        self.store: Store = None  # type: ignore[assignment]
        self.prompts: Prompts = None  # type: ignore[assignment]
        self.acd: Acd = None  # type: ignore[assignment]
        self.calls: Calls = None  # type: ignore[assignment]
        self.leader: Leader = None  # type: ignore[assignment]
        self.connection: Connection = None  # type: ignore[assignment]
        self.recordings: Book = None  # type: ignore[assignment]
        self.faxes: Faxes = None  # type: ignore[assignment]
        self.departments: Departments = None  # type: ignore[assignment]
        self.watchdog: Watchdog = None  # type: ignore[assignment]
        self.records: Records = None  # type: ignore[assignment]
        self.parties: Parties = None  # type: ignore[assignment]
        self.sounds: Sounds = None  # type: ignore[assignment]
        self.closing: Closing = None  # type: ignore[assignment]
        self.agent_news: AgentNews = None  # type: ignore[assignment]
        self.reload = Reloader(self)
        self.priority = Priority()  # of the hub's thread

    # -- building -----------------------------------------------------------------------------------

    def start(self) -> None:
        """Build, wire and start everything. :class:`InsidelineError` when it can't; nothing is left half open."""
        self.installation.require_sound()
        try:
            self._build()
            self.line.start()
            self._start_control()
            watch(self)
        except BaseException:
            self.stop()
            raise

    def take_priority(self) -> None:
        """From now on the calling thread, the hub's, is the one that serves: see :mod:`engine.app.priority`."""
        take_priority(self)

    def _build(self) -> None:
        made = self.installation
        settings, folders = made.settings, made.folders
        assert made.acd is not None
        assert made.calendars is not None
        assert made.dialplan is not None
        assert made.flows is not None
        for folder in (folders.var, folders.recordings, folders.prompt_cache):
            folder.mkdir(parents=True, exist_ok=True)
        self.store = Store(
            folders.database_url,
            self.clock,
            folders.var,
            node=settings.site.id,
            departments=department_tables(made),
            alarm=self._alarm,
        )
        self.store.open()
        if self._sample:
            seed_sample(made, self.store, self.clock)
        self.store.put_flow_set(made.flows.hash, made.flows.to_bytes())
        self.prompts = self._make_prompts()
        music = self.clock.blocking(self.pool, hold_music, folders.prompt_cache / "music" / "hold.wav")
        self.music = str(music)
        self.calls = Calls(
            self.clock,
            journal=self.store.journal,
            lead=self._lead_call,
            ended=self._call_ended,
            max_calls=settings.limits.calls,
            generation=uuid4().hex[:6],
        )
        self.calls.keys = settings.keys
        floor = CallFloor(self.calls)
        self.agent_locks = KeptLocks(self.store, self.clock, AGENTS)
        self.acd = Acd(
            made.acd, self.clock, floor, self.store.journal, self._notify, keep=self.agent_locks.keep
        )
        self.closing = make_closing(self)
        self.departments = make_departments(
            made, clock=self.clock, store=self.store, seed=self.seed, agents=self.acd, calendars=self.closing
        )
        wire_departments(self, alarm=self._alarm)
        self.recordings = Book(self.store, self.clock, folders.recordings, settings.recording, seed=self.seed)
        self.sounds = make_sounds(
            self.store, self.clock, folders.recordings, settings.recording, timezone=settings.timezone
        )
        outbound = make_outbound(made, self.clock, self.store)
        self.agent_news = AgentNews(self, floor, outbound)
        self.faxes = make_faxes(made, self.store, self.calls, outbound, self.clock)
        services = Services(
            clock=self.clock,
            prompts=self.prompts,
            calls=self.calls,
            acd=self.acd,
            departments=self.departments,
            calendars=made.calendars,
            recordings=self.recordings,
            store=self.store,
            host=made.host,
            numbers=Numbers(settings.region),
            languages=settings.languages,
            timezone=settings.timezone,
            max_steps=settings.limits.steps,
            music={"default": self.music},
            clips=self.sounds.clips,
            messages=self.sounds.messages,
            ratings=self.sounds.ratings,
            outbound=outbound,
            faxes=self.faxes,
            kinds=steps_of(made.host),
        )
        self.parties = open_parties(made, self.store, self.clock, services)
        self.records = make_records(self, services)
        begin_watch(self, services)
        self.lead = Lead(services, made.flows, made.dialplan, max_adoptions=settings.limits.adoptions)
        self.closing.refresh()
        self.calls.registrations = self._phone
        self.calls.recorded = self.sounds.recorded(self.recordings.finished)
        self.clock.spawn(self._sweep)
        self.recordings.on_finished = lambda view: made.host.tell.recording_finished(recording=view)
        # Last: a wrap-up that is over by now is told at once, to what was built above.
        self.acd.restore(agent_memory(row) for row in self.store.load_agents())
        self.acd.restore_closed(closed_queues.load(self.store))
        # Before the first offer: an agent who has not passed what a skill needs does not get its calls.
        self.records.look_at_certificates()
        self.agent_locks.restore(self.acd.pins)

    def _make_prompts(self) -> Prompts:
        made = self.installation
        say_as, faults = load_say_as(made.home / "prompts")
        if faults.errors:
            raise ConfigError("\n".join(str(fault) for fault in faults.errors))
        voice = self._voice or self.clock.blocking(self.pool, find_voice, say_as)
        prompts = Prompts(
            made.catalogue,
            voice,
            made.folders.prompt_cache,
            self.clock,
            timezone=made.settings.timezone,
            limit_bytes=made.settings.prompts.cache_size,
            formats={name: one.words for name, one in made.host.formats.items()},
        )
        if self._voice is None:
            if not prompts.voices.ok:
                log.warning("voice.mute", state=prompts.voices.line)
            # Beside the first calls, so that none of them waits for words that all of them hear.
            self._warming = self.clock.spawn(self.keep_warm)
        return prompts

    def keep_warm(self) -> None:
        """Have rendered what callers may hear, now and whenever ``to_warm`` is set; does not return."""
        while True:
            self.to_warm.clear()
            made = self.installation
            assert made.flows is not None
            # One flow after the other, as it goes on: calls are led meanwhile.
            texts = chain(literal_texts(made.flows), self._answers())
            self.prompts.warm(made.settings.languages, texts, gently=True)
            self.to_warm.wait()

    def _answers(self) -> list[tuple[str, str]]:
        """What is said of published knowledge, by language."""
        if self.records is None:
            return []
        try:
            texts = self.records.read(lambda session: self.records.library(session).said_texts())
        except StoreError as error:
            log.warning("knowledge.not_rendered_ahead", error=str(error))
            return []
        return [(language, spoken_literally(text)) for language, text in texts]

    def _phone(self, extension: str, registered: bool) -> None:
        (self.acd.phone_registered if registered else self.acd.phone_lost)(extension)

    def _sweep(self) -> None:
        """Delete recordings that are kept no longer, once a day."""
        while not self.stopping.wait(SWEEP_EVERY):
            try:
                self.recordings.sweep()
                self.sounds.sweep()
            except StoreError as error:
                log.warning("recordings.not_swept", error=str(error))

    # -- calls --------------------------------------------------------------------------------------

    def _lead_call(self, call: Call) -> None:
        self.lead(call)

    def _call_ended(self, call: Call) -> None:
        more = {"node": self.installation.settings.site.id, **self.agent_news.disposition_of(call.id)}
        self.store.cdr({**cdr_row(call, self.clock), **more})
        self.store.drop_call_state(call.id)
        self.installation.host.tell.call_ended(call=call.view(), cause=call.cause)
        self.records.call_ended(call)

    def _notify(self, event: str, /, **facts: Any) -> None:
        """A domain event of the ACD, for the hooks: calls as views, agents' states kept for the next engine."""
        if self.agent_news.told(event, facts):
            return
        if "call" in facts and event != "wrapup_finished":
            facts["call"] = self._view(facts["call"])
        if event == "call_queued":
            asks = facts["call"].asked_by
            facts["asker"] = self.acd.agent(asks) if asks else None
        if event == "agent_state_changed":
            self.store.save_agent(agent_row(self.acd.memory(facts["agent"].id)))
            self.records.agent_changed()
        getattr(self.installation.host.tell, event)(**facts)

    def _view(self, call_id: str) -> CallView:
        call = self.calls.calls.get(call_id)
        if call is not None:
            return call.view()
        owed = self.calls.expected.get(call_id)  # it keeps its place, and is to be called back
        if owed is not None:
            return CallView(call_id, owed.number, owed.dialled, state=CallState.QUEUED)
        return CallView(call_id, "", "", state=CallState.ENDED)

    def _alarm(self, name: str, on: bool, detail: str) -> None:
        (log.error if on else log.info)("alarm", name=name, on=on, detail=detail)
        if on:
            return
        self.store.journal(JournalEntry(at=self.clock.now(), kind="alarm.over", data={"name": name}))

    # -- what the outside sees ------------------------------------------------------------------------

    @property
    def parts(self) -> Parts:
        """What the control API and the board see."""
        return parts_of(self)

    def _start_control(self) -> None:
        if self._control:
            self._server = Server(control_app(self.parts), self.installation.folders.control_socket)
            self._server.start()

    # -- life and end ---------------------------------------------------------------------------------

    def run(self, seconds: float | None = None) -> None:
        """Work until :meth:`ask_to_stop`, or for ``seconds``."""
        self.stopping.wait(seconds)

    def ask_to_stop(self, reason: str) -> None:
        """End :meth:`run`; safe in a signal handler."""
        self._stop_reason = self._stop_reason or reason
        self.stopping.set()

    def drain(self, timeout: float | None = None) -> int:
        """Take no new calls and let those that run end; what is left after ``timeout`` seconds goes to the
        switch's fallback. Answers how many were left."""
        limit = self.installation.settings.limits.drain if timeout is None else timeout
        if self.line.script is not None:
            self.line.script.stop()
        self.calls.draining = True
        self.installation.host.tell.engine_stopping(why=self._stop_reason or "stopped")
        end = self.clock.monotonic() + limit
        while self.calls.calls and self.clock.monotonic() < end:
            self.clock.sleep(0.1)
        left = list(self.calls)
        for call in left:
            if not call.leg.bridged:
                self.calls.hand_over(call)
        return len(left)

    def stop(self) -> None:
        """Stop everything that was started, in the opposite order. Safe at any stage, and twice."""
        self.stopping.set()
        self.installation.watch.stopped()
        if self._warming is not None:
            self._warming.kill(block=False)
        for part, end in (
            (self._server, "stop"),
            (self.records, "stop"),
            (self.watchdog, "stop"),
            (self.departments, "stop"),
            (self.acd, "stop"),
            (self.leader, "stop"),
            (self.connection, "stop"),
            (self.calls, "abandon"),
            (self.freeswitch, "stop"),
            (self.simulator if self._own_simulator else None, "stop"),
            (self.faxes, "stop"),
            (self.recordings, "close"),
            (self.sounds, "close"),
            (self.parties, "close"),
            (self.store, "close"),
            (self.prompts, "close"),
        ):
            if part is None:
                continue
            try:
                getattr(part, end)()
            except InsidelineError as error:
                log.warning("stop.failed", part=type(part).__name__, error=str(error))
        self.installation.host.stop()
        self._end_threads()

    def _end_threads(self) -> None:
        """Those of the engine's own; one that still renders goes with the process."""
        if not len(self.pool):
            self.clock.end_threads(self.pool)

    def kill(self) -> None:
        """Let go of everything as the death of the process would: nothing is sent, nothing is said. For tests."""
        self.stopping.set()
        self.installation.watch.end()
        if self._server is not None:
            self._server.stop()
        self.leader.abandon()
        self.acd.abandon()
        self.calls.abandon()
        self.faxes.stop()
        self.connection.abandon()
        self.records.stop()
        self.watchdog.stop()
        self.departments.stop()
        self.store.close()
        self.prompts.close()
        self.recordings.close()
        self.sounds.close()
        self.parties.close()
        self.installation.host.stop()
        self._end_threads()


def department_tables(made: Installation) -> list[DepartmentTables]:
    """The departments' tables, as the store wants to know them."""
    folders = made.host.folders
    found = []
    for name, department in made.host.departments.items():
        if department.models is None:
            continue
        migrations = folders[name] / "migrations" if name in folders else None
        found.append(
            DepartmentTables(
                name,
                metadata=department.models,
                migrations=migrations if migrations is not None and migrations.is_dir() else None,
                prefix=department.tables,
            )
        )
    return found
