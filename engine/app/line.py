"""The engine's side of its switch: which one it is, its start, what follows when the event socket comes and goes."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import structlog

from engine.app.agents import phones_there
from engine.app.faxes import uses_fax
from engine.app.kept_out import tell_kept_out
from engine.app.lost_calls import LostCalls
from engine.app.records import begin
from engine.app.switches import Choice, choose_switch, templates_of
from engine.calls.leader import Leader
from engine.calls.lease import Lease, engine_name
from engine.calls.registry import EVENTS, UNTOLD
from engine.errors import StoreError, SwitchError
from engine.esl import commands
from engine.esl.connection import Connection, Transport
from engine.switch.freeswitch import FreeSwitch
from engine.switch.simulator import Simulator
from engine.switch.simulator.script import ScriptPlayer

if TYPE_CHECKING:
    from engine.app.app import App

log = structlog.get_logger(__name__)

KEEP_SETTING_UP = 10.0
"""Seconds that ``start`` waits for the switch; then the engine runs and goes on trying."""


class Line:
    """``word``: auto, freeswitch, simulator, or HOST:PORT (with ``password_file``)."""

    def __init__(self, app: App, word: str, password_file: Path | None) -> None:
        self._app = app
        self._word = word
        self._password_file = password_file
        self.name = ""  # as people are told
        self.script: ScriptPlayer | None = None  # of the simulator's callers
        self._safety: Callable[[Callable[[commands.Command], str]], Any] = lambda ask: None

    def start(self) -> None:
        """Connect, start to lead, and refuse a switch that is not safe."""
        made = self._app.installation
        self._lost_calls = LostCalls(
            self._app.store, self._app.clock, self._app.lead, node=made.settings.site.id
        )
        choice: Choice = choose_switch(self._word, made.settings.switch, self._password_file)
        connect: Callable[[], Transport] | None = None
        host, port, password = choice.host, choice.port, choice.password
        if choice.kind == "simulator":
            if self._app.simulator is None:
                password = secrets.token_urlsafe(18)
                # Calls are known by their UUID in what is kept for ever: no two runs may draw the same ones.
                self._app.simulator = Simulator(
                    self._app.clock,
                    password=password,
                    seed=secrets.randbits(64),
                    spool=made.folders.recordings,
                )
                self._people_at(self._app.simulator)
            else:
                password = self._app.simulator.password
            connect = self._app.simulator.pipe
            self.name = "the simulator"
        elif choice.kind == "freeswitch":
            self._app.freeswitch = FreeSwitch(
                made.settings.switch,
                made.folders.var / "freeswitch",
                clock=self._app.clock,
                phones=made.phones,
                trunks=made.trunks,
                binary=choice.binary,
                templates=templates_of(made.home),
                on_death=self._died,
            )
            self._app.freeswitch.start()
            host, port, password = (
                self._app.freeswitch.host,
                self._app.freeswitch.port,
                self._app.freeswitch.password,
            )
            self.name = f"FreeSWITCH ({self._app.freeswitch.pid}) on {host}:{port}"
        else:
            self.name = f"the switch at {host}:{port}"
        self._safety = choice.safety(host, port, password)
        self._app.leader = Leader(
            self._app.calls,
            Lease(self._app.clock, self._ask_switch, engine_name(uuid4().hex[:8])),
            on_settled=self._settled,
            refuses=self._refuses,
            look_every=made.acd.rules.look_every if made.acd is not None else 5.0,
            silence=made.settings.switch.fallback.silence,
        )
        self._app.connection = Connection(
            host,
            port,
            password,
            clock=self._app.clock,
            on_event=self._app.calls.on_event,
            on_up=self._socket_up,
            on_down=self._socket_down,
            connect=connect,
            events=EVENTS,
            without=UNTOLD,
            seed=self._app.seed,
        )
        self._app.calls.line = self._app.connection
        self._app.connection.start()
        self._app.leader.start()
        if not self._app.connection.wait_up(KEEP_SETTING_UP):
            log.warning("switch.not_there", switch=self.name, error=self._app.connection.error)
        elif choice.kind != "simulator":
            self._check_safety()
        made.host.tell.engine_started(switch=self.name)
        tell_kept_out(self._app)

    def _people_at(self, simulator: Simulator) -> None:
        """Phones on the agents' desks, and those who phone in, as conf/simulator.yaml says."""
        for phone in self._app.installation.phones:
            simulator.phone(phone.extension)
        if self._app.installation.script is not None:
            self.script = ScriptPlayer(simulator, self._app.installation.script, seed=self._app.seed)
            self.script.start()

    def _check_safety(self) -> None:
        """Refuse an unsafe switch before any call is taken on it."""
        self._safety(lambda command: self._app.connection.api(command, 5.0))

    def _refuses(self) -> str:
        """Why this engine won't lead the switch that it is connected to; "" when it will."""
        if self._app.simulator is not None:
            return ""
        try:
            self._check_safety()
        except SwitchError as error:
            return str(error)
        return ""

    def _ask_switch(self, command: commands.Command) -> str:
        return self._app.connection.api(command, 5.0)

    def _socket_up(self, core_uuid: str, restarted: bool) -> None:
        log.info("switch.up", switch=self.name, core_uuid=core_uuid, restarted=restarted)
        self._app.leader.socket_up(restarted)

    def _socket_down(self, reason: str) -> None:
        log.warning("switch.down", switch=self.name, reason=reason)
        self._app.ready.clear()
        self._app.acd.hold("switch")
        self._app.leader.socket_down()

    def _settled(self) -> None:
        """The leader has found every call that was there: offers may begin (again)."""
        try:
            self._app.closing.refresh()  # another engine may have led until now
            self._app.recordings.close_lost(set(self._app.calls.calls))
            self._app.sounds.settle(self._app.calls.calls.keys())
            self._lost_calls.close(self._app.calls.calls.keys())
        except StoreError as error:
            log.warning("calls.not_closed", error=str(error))
        self._app.acd.phones_are(phones_there(self._app))
        self._app.acd.start()
        self._app.acd.release("switch")
        self._app.faxes.settled(used=uses_fax(self._app.lead.flows))
        self._app.ready.set()
        begin(self._app.records)

    def _died(self, reason: str) -> None:
        log.error("switch.restarting", reason=reason)
        assert self._app.freeswitch is not None
        while not self._app.stopping.is_set():
            try:
                self._app.freeswitch.start()
                return
            except SwitchError as error:
                log.error("switch.not_restarted", error=str(error))
                self._app.stopping.wait(5.0)
