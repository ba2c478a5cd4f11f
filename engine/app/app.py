"""The composition root: builds the parts of the engine, wires them, starts, drains and stops them.

Nothing else knows all the parts. What must go upward between layers (an event of the ACD to the hooks, an ended
call to the store) goes through callbacks that are wired here.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

import structlog
from gevent.threadpool import ThreadPool
from sqlalchemy.orm import Session

from engine.acd.acd import Acd, AgentMemory
from engine.app.agents import AgentNews, phones_there
from engine.app.clips import Sounds, make_sounds
from engine.app.faxes import make_faxes, uses_fax
from engine.app.hours import make_closing
from engine.app.installation import Installation, read_installation, steps_of
from engine.app.lost_calls import close_lost_calls
from engine.app.outbound import make_outbound
from engine.app.parties import open_parties
from engine.app.records import begin, make_records
from engine.app.reload import Reloader
from engine.app.switches import Choice, choose_switch, templates_of
from engine.app.systems import make_departments, watch, wire_departments
from engine.app.watchdog import Watchdog
from engine.calls.call import Call
from engine.calls.cdr import cdr_row
from engine.calls.leader import Leader
from engine.calls.lease import Lease, engine_name
from engine.calls.registry import EVENTS, UNTOLD, Calls
from engine.calls.ring import CallFloor
from engine.clock import Clock
from engine.errors import ConfigError, InsidelineError, StoreError, SwitchError
from engine.esl import commands
from engine.esl.connection import Connection, Transport
from engine.flows.closing import Closing
from engine.flows.lead import Lead
from engine.flows.numbers import Numbers
from engine.flows.services import Services
from engine.hooks.departments import Departments
from engine.prompts import Prompts, Voice, find_voice, load_say_as
from engine.prompts.music import hold_music
from engine.recording.book import Book
from engine.records.faxes import Faxes
from engine.records.parties import Parties
from engine.records.records import Records
from engine.store.rows import AgentRow
from engine.store.store import Store
from engine.store.upgrades import DepartmentTables
from engine.switch.freeswitch import FreeSwitch
from engine.switch.simulator import Simulator
from engine.switch.simulator.script import ScriptPlayer
from engine.types import AgentState, AgentView, CallView, JournalEntry
from engine.web.app import control_app
from engine.web.parts import Parts, SwitchView
from engine.web.server import Server

log = structlog.get_logger(__name__)

KEEP_SETTING_UP = 10.0
"""Seconds that ``start`` waits for the switch; then the engine runs and goes on trying."""


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
        self._switch_word = switch
        self._password_file = password_file
        self._voice = voice
        self._control = control
        self._sample = sample
        self._seed = seed
        self._stopping = self.clock.event()
        self._stop_reason = ""
        self.ready = self.clock.event()  # every call on the switch is known, offers are made
        self.music = ""  # what plays in queues
        self._server: Server | None = None
        self.pool = ThreadPool(2)
        self._warming: Any = None
        self._script: ScriptPlayer | None = None
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

    # -- building -----------------------------------------------------------------------------------

    def start(self) -> None:
        """Build, wire and start everything. :class:`InsidelineError` when it can't; nothing is left half open."""
        self.installation.require_sound()
        try:
            self._build()
            self._start_switch()
            self._start_control()
            watch(self)
        except BaseException:
            self.stop()
            raise

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
            self.seed_sample()
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
        self.acd = Acd(made.acd, self.clock, floor, self.store.journal, self._notify)
        self.closing = make_closing(self)
        self.departments = make_departments(
            made, clock=self.clock, store=self.store, seed=self._seed, agents=self.acd, calendars=self.closing
        )
        wire_departments(self, alarm=self._alarm)
        self.recordings = Book(
            self.store, self.clock, folders.recordings, settings.recording, seed=self._seed
        )
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
        self.lead = Lead(services, made.flows, made.dialplan, max_adoptions=settings.limits.adoptions)
        self.closing.refresh()
        self.calls.registrations = self._phone
        self.calls.recorded = self.sounds.recorded(self.recordings.finished)
        self.clock.spawn(self._sweep)
        self.recordings.on_finished = lambda view: made.host.tell.recording_finished(recording=view)
        # Last: a wrap-up that is over by now is told at once, to what was built above.
        self.acd.restore(_memory(row) for row in self.store.load_agents())

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
            self._warming = self.clock.spawn(prompts.warm, made.settings.languages)
        return prompts

    def seed_sample(self) -> list[str]:
        """Put the sample company into departments' tables that are empty; their names."""
        today = self.clock.now().astimezone(self.installation.settings.zone).date()
        seeded = []
        for name, department in self.installation.host.departments.items():
            sample = department.sample
            if sample is not None and self._seed_one(name, sample, today):
                seeded.append(name)
        return seeded

    def _seed_one(self, name: str, sample: Callable[[Session, date], None], today: date) -> bool:
        ran = []

        def once(session: Session) -> None:
            sample(session, today)
            ran.append(name)

        self.store.deed(f"sample:{name}", name, once, 30.0)
        return bool(ran)

    # -- the switch ---------------------------------------------------------------------------------

    def _start_switch(self) -> None:
        made = self.installation
        choice: Choice = choose_switch(self._switch_word, made.settings.switch, self._password_file)
        connect: Callable[[], Transport] | None = None
        host, port, password = choice.host, choice.port, choice.password
        if choice.kind == "simulator":
            if self.simulator is None:
                password = secrets.token_urlsafe(18)
                # Calls are known by their UUID in what is kept for ever: no two runs may draw the same ones.
                self.simulator = Simulator(
                    self.clock,
                    password=password,
                    seed=secrets.randbits(64),
                    spool=made.folders.recordings,
                )
                self._people_at(self.simulator)
            else:
                password = self.simulator.password
            connect = self.simulator.pipe
            self._switch_name = "the simulator"
        elif choice.kind == "freeswitch":
            self.freeswitch = FreeSwitch(
                made.settings.switch,
                made.folders.var / "freeswitch",
                clock=self.clock,
                phones=made.phones,
                trunks=made.trunks,
                binary=choice.binary,
                templates=templates_of(made.home),
                on_death=self._switch_died,
            )
            self.freeswitch.start()
            host, port, password = self.freeswitch.host, self.freeswitch.port, self.freeswitch.password
            self._switch_name = f"FreeSWITCH ({self.freeswitch.pid}) on {host}:{port}"
        else:
            self._switch_name = f"the switch at {host}:{port}"
        self._safety = choice.safety(host, port, password)
        self.leader = Leader(
            self.calls,
            Lease(self.clock, self._ask_switch, engine_name(uuid4().hex[:8])),
            on_settled=self._calls_settled,
            refuses=self._refuses,
            look_every=made.acd.rules.look_every if made.acd is not None else 5.0,
        )
        self.connection = Connection(
            host,
            port,
            password,
            clock=self.clock,
            on_event=self.calls.on_event,
            on_up=self._socket_up,
            on_down=self._socket_down,
            connect=connect,
            events=EVENTS,
            without=UNTOLD,
            seed=self._seed,
        )
        self.calls.line = self.connection
        self.connection.start()
        self.leader.start()
        if not self.connection.wait_up(KEEP_SETTING_UP):
            log.warning("switch.not_there", switch=self._switch_name, error=self.connection.error)
        elif choice.kind != "simulator":
            self._check_safety()
        made.host.tell.engine_started(switch=self._switch_name)

    def _people_at(self, simulator: Simulator) -> None:
        """Phones on the agents' desks, and those who phone in, as conf/simulator.yaml says."""
        for phone in self.installation.phones:
            simulator.phone(phone.extension)
        if self.installation.script is not None:
            self._script = ScriptPlayer(simulator, self.installation.script, seed=self._seed)
            self._script.start()

    def _check_safety(self) -> None:
        """Refuse an unsafe switch before any call is taken on it."""
        self._safety(lambda command: self.connection.api(command, 5.0))

    def _refuses(self) -> str:
        """Why this engine won't lead the switch that it is connected to; "" when it will."""
        if self.simulator is not None:
            return ""
        try:
            self._check_safety()
        except SwitchError as error:
            return str(error)
        return ""

    def _ask_switch(self, command: commands.Command) -> str:
        return self.connection.api(command, 5.0)

    def _socket_up(self, core_uuid: str, restarted: bool) -> None:
        log.info("switch.up", switch=self._switch_name, core_uuid=core_uuid, restarted=restarted)
        self.leader.socket_up(restarted)

    def _socket_down(self, reason: str) -> None:
        log.warning("switch.down", switch=self._switch_name, reason=reason)
        self.ready.clear()
        self.acd.hold("switch")
        self.leader.socket_down()

    def _calls_settled(self) -> None:
        """The leader has found every call that was there: offers may begin (again)."""
        try:
            self.closing.refresh()  # another engine may have led until now
            self.recordings.close_lost(set(self.calls.calls))
            self.sounds.settle(self.calls.calls.keys())
            close_lost_calls(
                self.store, self.clock, self.calls.calls.keys(), node=self.installation.settings.site.id
            )
        except StoreError as error:
            log.warning("calls.not_closed", error=str(error))
        self.acd.phones_are(phones_there(self))
        self.acd.start()
        self.acd.release("switch")
        self.faxes.settled(used=uses_fax(self.lead.flows))
        self.ready.set()
        begin(self.records)

    def _switch_died(self, reason: str) -> None:
        log.error("switch.restarting", reason=reason)
        assert self.freeswitch is not None
        while not self._stopping.is_set():
            try:
                self.freeswitch.start()
                return
            except SwitchError as error:
                log.error("switch.not_restarted", error=str(error))
                self._stopping.wait(5.0)

    def _phone(self, extension: str, registered: bool) -> None:
        (self.acd.phone_registered if registered else self.acd.phone_lost)(extension)

    def _sweep(self) -> None:
        """Delete recordings that are kept no longer, once a day."""
        while not self._stopping.wait(SWEEP_EVERY):
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
        if event == "agent_state_changed":
            self._keep_agent(facts["agent"])
            self.records.agent_changed()
        getattr(self.installation.host.tell, event)(**facts)

    def _view(self, call_id: str) -> CallView:
        call = self.calls.calls.get(call_id)
        return call.view() if call is not None else CallView(call_id, "", "", state="ended")  # type: ignore[arg-type]

    def _keep_agent(self, agent: AgentView) -> None:
        memory = self.acd.memory(agent.id)
        self.store.save_agent(
            AgentRow(
                agent=memory.id,
                state=str(memory.state),
                since=memory.since,
                reason=memory.reason,
                phone=memory.phone,
                call=memory.call,
                data={
                    "until": memory.until.isoformat() if memory.until else None,
                    "free_since": memory.free_since.isoformat() if memory.free_since else None,
                    "misses": memory.misses,
                    "calls_taken": memory.calls_taken,
                    "queue": memory.queue,
                },
            )
        )

    def _alarm(self, name: str, on: bool, detail: str) -> None:
        (log.error if on else log.info)("alarm", name=name, on=on, detail=detail)
        if on:
            return
        self.store.journal(JournalEntry(at=self.clock.now(), kind="alarm.over", data={"name": name}))

    # -- what the outside sees ------------------------------------------------------------------------

    @property
    def parts(self) -> Parts:
        """What the control API and the board see."""
        made = self.installation
        return Parts(
            version=version("insideline"),
            home=made.home,
            clock=self.clock,
            began=self.began,
            switch=self._switch_view,
            command=lambda line: self.connection.api(commands.raw_api(line), 10.0),
            calls=self.calls,
            acd=self.acd,
            store=self.store,
            parties=self.parties,
            recordings=made.folders.recordings,
            sounds=self.sounds,
            departments=self.departments,
            blocks=lambda: self.watchdog.blocks,
            mended=lambda: self.calls.mended + self.acd.mended,
            prompts=self.prompts,
            faxes=self.faxes,
            flows=lambda: self.lead.flows,
            closing=self.closing,
            reload=self.reload,
            host=made.host,
            day=made.day,
            ready=self.ready.is_set,
            simulator=self.simulator,
            records=self.records,
            how_to_call=self._how_to_call(),
        )

    def _switch_view(self) -> SwitchView:
        up = self.connection.up
        return SwitchView(
            name=self._switch_name,
            up=up,
            core_uuid=self.connection.core_uuid,
            why=self.leader.refusal if up else self.connection.error,
            leads=self.calls.leading,
        )

    def _how_to_call(self) -> list[str]:
        if self.simulator is not None:
            return ["insideline dial 8004   in another terminal: you are the caller"]
        switch = self.installation.settings.switch
        lines = [f"register a SIP phone at {switch.phones.ip}:{switch.phones.port} and dial 8004"]
        if self.freeswitch is not None:
            for extension, password in list(self.freeswitch.passwords.items())[:1]:
                lines.append(f"  user {extension}, password {password}")
        return lines

    def _start_control(self) -> None:
        if self._control:
            self._server = Server(control_app(self.parts), self.installation.folders.control_socket)
            self._server.start()

    # -- life and end ---------------------------------------------------------------------------------

    def run(self, seconds: float | None = None) -> None:
        """Work until :meth:`ask_to_stop`, or for ``seconds``."""
        self._stopping.wait(seconds)

    def ask_to_stop(self, reason: str) -> None:
        """End :meth:`run`; safe in a signal handler."""
        self._stop_reason = self._stop_reason or reason
        self._stopping.set()

    def drain(self, timeout: float | None = None) -> int:
        """Take no new calls and let those that run end; what is left after ``timeout`` seconds goes to the
        switch's fallback. Answers how many were left."""
        limit = self.installation.settings.limits.drain if timeout is None else timeout
        if self._script is not None:
            self._script.stop()
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
        self._stopping.set()
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

    def kill(self) -> None:
        """Let go of everything as the death of the process would: nothing is sent, nothing is said. For tests."""
        self._stopping.set()
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
        self.installation.host.stop()


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


def _memory(row: AgentRow) -> AgentMemory:
    def moment(key: str) -> datetime | None:
        text = row.data.get(key)
        return datetime.fromisoformat(text) if text else None

    return AgentMemory(
        id=row.agent,
        state=AgentState(row.state),
        since=row.since,
        reason=row.reason,
        phone=row.phone,
        until=moment("until"),
        free_since=moment("free_since"),
        misses=int(row.data.get("misses", 0)),
        calls_taken=int(row.data.get("calls_taken", 0)),
        call=row.call,
        queue=str(row.data.get("queue", "")),
    )
