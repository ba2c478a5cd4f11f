"""A whole centre for a test: the engine on the simulator, on a virtual clock, with people on its phones.

Everything goes through the doors that users use: a dialled number, a key, an agent's phone. A conversation of
minutes takes milliseconds, and nothing depends on how fast the machine is.
"""

from __future__ import annotations

import base64
import io
import re
import shutil
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import inspect, text

from engine.app import App, Installation
from engine.clock import Empty, VirtualClock
from engine.errors import HungUp
from engine.prompts import Utterance, Voice
from engine.store import queries
from engine.switch.simulator import Playback, SimCaller, SimPhone, Simulator
from engine.switch.simulator.transport import Pipe
from engine.testing.rows import Row, fits, read_rows, table_name, table_of, with_number
from engine.testing.trouble import Trouble
from engine.types import AgentView, CallView, JournalEntry

PATIENCE = 90.0
"""Virtual seconds that an expectation waits for what it expects."""
_SILENT = re.compile(r"silence_stream://\d+")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds_of(length: float | str) -> float:
    """``"3m"`` or ``180`` as seconds."""
    if not isinstance(length, str):
        return float(length)
    found = re.fullmatch(r"([0-9.]+)(ms|s|m|h|d)", length)
    if found is None:
        raise ValueError(f"{length!r} is no length of time")
    return float(found[1]) * _UNITS[found[2]]


class Time:
    """The centre's clock, for tests."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock

    def advance(self, length: float | str) -> None:
        """Let time pass: ``"3m"`` or seconds."""
        self._clock.advance(seconds_of(length))

    def now(self) -> Any:
        """The wall time, aware, in UTC."""
        return self._clock.now()


class Centre:
    """The fixture ``centre``. ``app`` is the engine, ``simulator`` the switch that outlives it."""

    def __init__(
        self,
        installation: Installation,
        clock: VirtualClock,
        voice: Voice,
        *,
        database: Path | None = None,
        logged: io.StringIO | None = None,
    ) -> None:
        """``database``: an empty database to begin with a copy of, which saves making one. ``logged``: where
        the log goes (for :meth:`nowhere`)."""
        self.installation = installation
        self.virtual = clock
        self.clock = Time(clock)
        self._voice = voice
        folders = installation.folders
        folders.var.mkdir(parents=True, exist_ok=True)
        if database is not None:
            shutil.copyfile(database, folders.database_url.removeprefix("sqlite:///"))
        self.simulator = _Overheard(clock, password="simulated", spool=folders.recordings)
        self._agents: dict[str, Agent] = {}
        self._troubles: list[Trouble] = []
        self.logged = logged if logged is not None else io.StringIO()
        self._apps: list[App] = []  # all engines that ran, the present one last
        self.app: App
        self.engine = EngineSwitch(self)
        self._start()

    # -- the engine ---------------------------------------------------------------------------------

    def _start(self) -> None:
        self.installation.require_sound()
        assert self.installation.acd is not None
        for phone in self.installation.phones:
            self.simulator.phone(phone.extension)
        self.app = App(
            self.installation.home,
            switch="simulator",
            clock=self.virtual,
            installation=self.installation,
            voice=self._voice,
            control=False,
            sample=True,
            simulator=self.simulator,
        )
        self._apps.append(self.app)
        self.app.start()
        if not self.app.ready.wait(PATIENCE):
            raise AssertionError("the engine did not become ready")

    def close(self) -> None:
        """End everything."""
        for trouble in self._troubles:
            trouble.over()
        self.app.stop()
        self.simulator.stop()

    def describe(self, playback: str) -> Utterance | None:
        """What was said with this playback, by this engine or by one before it; None when nobody did."""
        for app in reversed(self._apps):
            if (said := app.prompts.describe(playback)) is not None:
                return said
        return None

    # -- people ---------------------------------------------------------------------------------------

    def caller(self, number: str = "+8613800000000", *, name: str = "", origin: str = "trunk") -> Caller:
        """Somebody who will call. ``origin="internal"``: from a phone of the company."""
        return Caller(self, number, name, origin)

    def agent(self, agent_id: str) -> Agent:
        """The agent, with a phone that rings."""
        if agent_id not in self._agents:
            self._agents[agent_id] = Agent(self, agent_id)
        return self._agents[agent_id]

    def adapter(self, contract: str) -> Trouble:
        """The company system behind a contract (``"logistics.WaybillSystem"``), to make it fail."""
        department, _, name = contract.partition(".")
        trouble = Trouble(self.virtual, self.installation.host.departments[department], name)
        self._troubles.append(trouble)
        return trouble

    def closes(self, calendar: str, length: float | str = "1h", prompt: str = "") -> None:
        """An emergency closure of a calendar from now on; ``prompt`` is what its callers hear."""
        until = self.virtual.now() + timedelta(seconds=seconds_of(length))
        self.app.closing.close(calendar, until, by="test", prompt=prompt)

    def opens(self, calendar: str) -> None:
        """The closures of a calendar are ended."""
        self.app.closing.open(calendar, by="test")

    def number(self, number: str, flow: str) -> None:
        """From now on this number leads to that flow, whatever the dialplan says."""
        self.app.lead.dialplan = with_number(self.installation, number, flow)

    def reloads(self) -> Any:
        """The engine reads its files again; what came of it."""
        return self.app.reload("test")

    # -- what was written -----------------------------------------------------------------------------

    def calls(self) -> list[CallView]:
        """The live calls."""
        return self.app.calls.views()

    def cdrs(self) -> list[Any]:
        """The CDRs, newest first."""
        self.app.store.flush()
        return self.app.store.read(lambda session: queries.cdrs(session), timeout=10)

    def journal(self, caller: Caller | None = None, kind: str = "") -> list[JournalEntry]:
        """What the journal holds, the oldest first."""
        self.app.store.flush()
        call = caller.uuid if caller is not None else ""
        return self.app.store.read(
            lambda session: queries.journal(session, call=call, kind=kind, limit=1000), timeout=10
        )

    def rows(self, table: str, **where: Any) -> list[Row]:
        """Rows of a table (``"orders.order"`` or ``"orders_order"``) whose columns have these values; what ``seed``
        gave stands for its primary key. A row's columns are its attributes, too."""
        name = table_name(table)
        declared = table_of(self.installation.host.departments.values(), name)
        self.app.store.flush()
        found = self.app.store.read(lambda session: read_rows(session, name, declared), timeout=10)
        return [row for row in found if fits(row, where)]

    def one(self, table: str, **where: Any) -> Row:
        """The only row of a table with these values."""
        rows = self.rows(table, **where)
        assert len(rows) == 1, f"{table}: {len(rows)} rows fit {where}"
        return rows[0]

    def nowhere(self, secret: str) -> None:
        """Fail if ``secret`` stands in anything that was written: in the database, files and their names, the log, or
        what the switch was ever told (the calls' places among it) and its channels hold."""
        self.app.store.flush()
        # A PIN of four digits is bound to turn up in the middle of some hash or UUID: that is no trace of it.
        within = "[0-9a-f]" if secret.isdigit() and len(secret) < 8 else r"[^\s\S]"
        wanted = re.compile(f"(?<!{within}){re.escape(secret)}(?!{within})")
        for place, content in self._everything():
            # Looking for the bare text first is a hundred times as fast, and nearly always the answer.
            if secret in content and (found := wanted.search(content)):
                around = content[max(0, found.start() - 60) : found.end() + 60]
                raise AssertionError(f"{secret!r} stands in {place}: …{around}…")

    def _everything(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []

        def tables(session: Any) -> list[tuple[str, str]]:
            names = inspect(session.get_bind()).get_table_names()
            return [
                (f"table {name}", str(row))
                for name in names
                for row in session.execute(text(f'select * from "{name}"')).all()
            ]

        found += self.app.store.read(tables, timeout=10)
        for path in self.installation.folders.var.rglob("*"):
            if path.is_file() and path.suffix not in (".wav", ".db", ".db-wal", ".db-shm"):
                found.append((str(path), path.read_text(encoding="utf-8", errors="replace")))
            found.append(("the name of a file", path.name))
        for caller in self.simulator.callers:
            variables = caller.channel.variables if caller.channel is not None else {}
            found += [(f"variable {name} of {caller.uuid}", str(value)) for name, value in variables.items()]
            if caller.channel is not None:
                names = f"{caller.channel.name} {caller.channel.profile.channel_name}"
                found.append((f"the name of the channel {caller.uuid}", names))
        found.append(("the log", self.logged.getvalue()))
        found += [("a call's view", repr(call)) for call in self.calls()]
        told = b"".join(self.simulator.told).decode("utf-8", "replace")
        found.append(("what the switch was told", told))
        found += [("a call's place", _unpacked(place)) for place in set(_PLACE.findall(told))]
        return found


_PLACE = re.compile(r"_:([A-Za-z0-9_-]{4,})")


def _unpacked(place: str) -> str:
    return base64.urlsafe_b64decode(place + "=" * (-len(place) % 4)).decode("utf-8", "replace")


class _Overheard(Simulator):
    """The switch of a test; ``told`` is all that the engines ever sent it."""

    def __init__(self, clock: VirtualClock, *, password: str, spool: Path) -> None:
        super().__init__(clock, password=password, spool=spool)
        self.told: list[bytes] = []

    def pipe(self) -> Pipe:
        made = super().pipe()
        send = made.sendall

        def sendall(data: bytes) -> None:
            self.told.append(bytes(data))
            send(data)

        made.sendall = sendall  # type: ignore[method-assign]
        return made


class EngineSwitch:
    """Kill the engine and start another one, while the switch and its calls stay."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre

    def kill(self) -> None:
        """As ``kill -9`` would: nothing is sent, nothing is said."""
        self._centre.app.kill()

    def start(self) -> None:
        """A new engine on the same database and the same switch."""
        self._centre._start()


class Caller:
    """Somebody on the phone. Each expectation answers the caller itself (or what was heard), so that they chain."""

    def __init__(self, centre: Centre, number: str, name: str, origin: str) -> None:
        self._centre = centre
        self._number = number
        self._name = name
        self._origin = origin
        self._sim: SimCaller | None = None
        self.transcript: list[str] = []

    # -- what the caller does ---------------------------------------------------------------------------

    def dials(self, number: str) -> Caller:
        """Dial; the call is ringing when this returns."""
        gateway = "" if self._origin == "internal" else "pstn"
        self._sim = self._centre.simulator.call(number, caller=self._number, name=self._name, gateway=gateway)
        self.transcript.append(f"dials {number}")
        return self

    def presses(self, keys: str) -> Caller:
        """Press keys, one after the other."""
        self.transcript.append(f"presses {keys}")
        self._live.press(keys)
        return self

    def stays_silent(self) -> Caller:
        """Do nothing; time passes by itself while the next thing is waited for."""
        self.transcript.append("stays silent")
        return self

    def hangs_up(self) -> Caller:
        """Put the receiver down."""
        self.transcript.append("hangs up")
        self._live.hang_up()
        self._centre.virtual.sleep(0.5)
        return self

    # -- what the caller hears --------------------------------------------------------------------------

    def hears(self, prompt: str, **values: Any) -> Heard:
        """The next prompt is ``prompt`` (``department/key``, a common key, or a literal text), with these values
        as they are.

        Music and silence are no prompts. Fails with the transcript so far.
        """
        said = self._next_prompt(prompt)
        if (said.key or said.text) != prompt:
            self._fail(f"heard {said.key or said.text!r} instead of {prompt!r}")
        for name, value in values.items():
            heard = said.values.get(name)
            if str(heard) != str(value):
                self._fail(f"{prompt}: {name} is {heard!r}, not {value!r}")
        return Heard(self, said)

    def hears_next(self) -> Heard:
        """The next prompt, whatever it is."""
        return Heard(self, self._next_prompt("something"))

    def says(self, length: float | str) -> Caller:
        """Whenever the caller is asked to speak after a beep from now on: so long (``0``: nothing at all)."""
        self.transcript.append(f"says something for {length}" if length else "will say nothing")
        self._live.speech = seconds_of(length)
        return self

    def hears_beep(self) -> Caller:
        """The beep that is followed by a recording; what comes before it is passed over."""
        return self._hears_sound(lambda path: path.startswith("tone_stream://"), "a beep")

    def hears_clip(self, clip: str = "") -> Caller:
        """The next sound is a clip that a caller dictated, or a message; ``clip`` is its id."""
        folder = str(self._centre.installation.folders.recordings)
        return self._hears_sound(
            lambda path: path.startswith(folder) and f"{clip}" in path, f"the clip {clip}"
        )

    def _hears_sound(self, wanted: Callable[[str], bool], what: str) -> Caller:
        try:
            while not wanted(self._live.next_playback(PATIENCE).path):
                pass
        except Empty:
            self._fail(f"did not hear {what}")
        except HungUp as gone:
            self._fail(f"was hung up ({gone.cause}) instead of hearing {what}")
        self.transcript.append(f"hears {what}")
        return self

    def hears_music(self) -> Caller:
        """Music plays, now or soon."""
        music = self._centre.app.music
        end = self._centre.virtual.monotonic() + PATIENCE
        while self._centre.virtual.monotonic() < end:
            if any(
                music in sound.path.removeprefix("file_string://").split("!") and sound.ended is None
                for sound in self._live.played
            ):
                return self
            self._centre.virtual.sleep(0.1)
        self._fail("no music")
        return self

    def talks_to(self, agent: Agent) -> Caller:
        """The caller is (or soon comes to be) connected with the agent."""
        if not self._live.wait_bridged(PATIENCE):
            self._fail(f"was not connected with {agent.id}")
        view = self._centre.app.acd.agent(agent.id)
        assert view.call == self.uuid, f"{agent.id} talks to {view.call}, not to this caller"
        return self

    @property
    def ended(self) -> str | None:
        """The hang-up cause once the call is over (waits for it); None when it goes on."""
        cause = self._live.wait_ended(PATIENCE)
        self._centre.virtual.sleep(0.5)  # the engine's own end of it: CDR, journal
        return cause

    @property
    def uuid(self) -> str:
        """The call's id."""
        return self._live.uuid

    @property
    def view(self) -> CallView:
        """The call as the engine sees it."""
        return self._centre.app.calls.get(self.uuid).view()

    @property
    def sim(self) -> SimCaller:
        """The caller as the simulator has it."""
        return self._live

    @property
    def _live(self) -> SimCaller:
        if self._sim is None:
            raise AssertionError("this caller has not dialled yet")
        return self._sim

    def _next_prompt(self, expected: str) -> Utterance:
        clock = self._centre.virtual
        end = clock.monotonic() + PATIENCE
        while True:
            try:
                sound = self._live.next_playback(max(0.0, end - clock.monotonic()))
            except Empty:
                self._fail(f"heard nothing instead of {expected!r}")
            except HungUp as gone:
                self._fail(f"was hung up ({gone.cause}) instead of hearing {expected!r}")
            said = self._said(sound)
            if said is not None:
                self.transcript.append(f"hears {said.key or 'text'}: {said.text}")
                return said

    def _said(self, sound: Playback) -> Utterance | None:
        """What a playback says; None for music, silence and tones."""
        path = sound.path
        music = self._centre.app.music in path.removeprefix("file_string://").split("!")
        if music or path.startswith("tone_stream://") or _SILENT.fullmatch(path):
            return None
        if path.startswith(str(self._centre.installation.folders.recordings)):
            return None  # what a caller said
        describe = self._centre.describe
        said = describe(path)
        if said is None and path.startswith("file_string://silence_stream://"):
            rest = path.removeprefix("file_string://").partition("!")[2]
            said = describe(rest) or describe(f"file_string://{rest}")
        if said is None:
            self._fail(f"heard a sound that nobody said: {path}")
        return said

    def _fail(self, why: str) -> Any:
        lines = "\n  ".join(self.transcript)
        step = next((call.step for call in self._centre.calls() if call.id == self.uuid), "over")
        raise AssertionError(f"the caller {why}\nso far (now at {step}):\n  {lines}")


class Heard:
    """What was just heard (``text``, ``values``, ``language``), and the caller who heard it: its methods are
    the caller's."""

    def __init__(self, caller: Caller, said: Utterance) -> None:
        self._caller = caller
        self._said = said

    def __getattr__(self, name: str) -> Any:
        return getattr(self._caller, name)

    @property
    def key(self) -> str:
        """The prompt, as ``hears`` names it; "" for a literal text."""
        return self._said.key or ""

    @property
    def text(self) -> str:
        return self._said.text

    @property
    def values(self) -> Mapping[str, Any]:
        return self._said.values

    @property
    def language(self) -> str:
        return self._said.language


class Agent:
    """An agent and the phone on the desk."""

    def __init__(self, centre: Centre, agent_id: str) -> None:
        self._centre = centre
        self.id = agent_id
        self._offered = ""

    @property
    def view(self) -> AgentView:
        """The agent as the engine sees it."""
        return self._centre.app.acd.agent(self.id)

    @property
    def state(self) -> str:
        return str(self.view.state)

    @property
    def reason(self) -> str:
        return self.view.reason

    @property
    def phone(self) -> SimPhone:
        """The phone that the agent sits at."""
        return self._centre.simulator.phone(self.view.phone)

    # -- what the agent does ----------------------------------------------------------------------------

    def ready(self) -> Agent:
        """Log in if need be, and be ready for calls."""
        acd = self._centre.app.acd
        if self.state == "logged_out":
            acd.login(self.id)
        if self.state != "ready":
            acd.ready(self.id)
        return self

    def logs_out(self) -> Agent:
        self._centre.app.acd.logout(self.id)
        return self

    def pauses(self, reason: str) -> Agent:
        self._centre.app.acd.pause(self.id, reason)
        return self

    def answers(self) -> Agent:
        """Take the call that rings."""
        self.phone.answer()
        self._centre.virtual.sleep(0.3)
        return self

    def rejects(self) -> Agent:
        self.phone.reject()
        return self

    def hangs_up(self, disposition: str = "") -> Agent:
        """End the talk; with a disposition the work after it is done, too."""
        self.phone.hang_up()
        self._centre.virtual.sleep(0.3)
        if disposition:
            self._centre.app.acd.disposition(self.id, disposition)
        return self

    # -- what the agent sees ----------------------------------------------------------------------------

    def is_offered(self, caller: Caller) -> Agent:
        """The phone rings for this caller."""
        ring = self.phone.wait_ring(PATIENCE)
        assert ring is not None, f"the phone of {self.id} does not ring; {caller.transcript}"
        assert self.view.call == caller.uuid, f"{self.id} is offered {self.view.call}, not this caller"
        self._offered = caller.uuid
        return self

    def is_not_offered(self, within: float | str = 5.0) -> Agent:
        """The phone stays silent."""
        assert self.phone.wait_ring(seconds_of(within)) is None, f"the phone of {self.id} rings"
        return self

    def sees(self, **facts: Any) -> Agent:
        """The desk shows these facts about the call that is offered."""
        told = self._centre.app.calls.get(self._offered).view().told
        for name, value in facts.items():
            assert told.get(name) == value, f"the desk of {self.id} shows {dict(told)}"
        return self
