"""The simulator as the engine, tests and a person at the terminal use it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from engine.clock import Clock
from engine.switch.simulator.people import RINGS, LineRing, PhoneRing, Recent, SimCaller, SimPhone
from engine.switch.simulator.script import ScriptPlayer
from engine.switch.simulator.script_file import ScriptFile, load
from engine.switch.simulator.switch import Callee, Switch
from engine.switch.simulator.transport import Pipe, TcpServer

FIRST_PHONE_PORT = 40000
HISTORY = 500
"""Calls that are over and that one can still look at, of callers and of lines: the latest."""


class Simulator:
    """A stand-in for FreeSWITCH with people at its phones.

    ``password``: of the event socket. ``seed``: of everything random, UUIDs among it. ``gateways``: the
    trunks that originate may use. ``show_lag``: seconds that listings are behind the truth.
    ``record_limit``: seconds of sound written at most into a recording (None: all of it), so that a
    simulated day does not fill the disk. ``history``: how many calls that are over can still be looked at;
    ``rings``: the same of each phone's.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        password: str,
        seed: int = 0,
        spool: Path | None = None,
        gateways: Iterable[str] = ("pstn",),
        show_lag: float = 0.25,
        record_limit: float | None = None,
        history: int = HISTORY,
        rings: int = RINGS,
    ) -> None:
        self.clock = clock
        self.spool = spool
        self._password = password
        self.switch = Switch(
            clock, seed=seed, gateways=gateways, show_lag=show_lag, record_limit=record_limit
        )
        self.switch.calls_to = self._calls_to
        self.phones: dict[str, SimPhone] = {}
        self._rings = rings
        self.callers: list[SimCaller] = Recent(history)
        self.lines: list[LineRing] = Recent(history)  # calls that went out through a gateway
        self.line_answers: Callable[[str], float | None] = _after_three_seconds
        self._servers: list[TcpServer] = []
        self._pipes: list[Pipe] = []

    @property
    def password(self) -> str:
        """Of its event socket."""
        return self._password

    # -- the event socket -------------------------------------------------------------------------

    def listen(self, host: str = "127.0.0.1", port: int = 0) -> tuple[str, int]:
        """Open the event socket on TCP; host and port (port 0: a free one)."""
        server = TcpServer(self.clock, self.switch, self._password, host, port)
        self._servers.append(server)
        return server.address

    def pipe(self) -> Pipe:
        """A new connection in memory, with ``sendall``, ``recv`` and ``close``."""
        pipe = Pipe(self.clock, self.switch, self._password)
        self._pipes = [one for one in self._pipes if not one.ended]
        self._pipes.append(pipe)
        return pipe

    @property
    def pipes(self) -> list[Pipe]:
        """The connections in memory that are open."""
        return [one for one in self._pipes if not one.ended]

    def stop(self) -> None:
        """Close everything; calls just stop to exist."""
        for server in self._servers:
            server.stop()
        for pipe in self._pipes:
            pipe.cut()
        self._servers.clear()
        self._pipes.clear()
        self.switch.stop()

    # -- people -----------------------------------------------------------------------------------

    def call(
        self, number: str, *, caller: str = "+8613800000000", name: str = "", gateway: str = "pstn"
    ) -> SimCaller:
        """Somebody dials ``number``: the call is marked, its fallback armed, and parked when this returns.

        ``gateway`` is the trunk that the call comes over; "": from a phone of the company.
        """
        person = SimCaller(self.switch, number, caller, name)
        self.callers.append(person)
        channel = self.switch.arrive(
            person,
            number,
            caller=caller,
            name=name,
            profile="external" if gateway else "internal",
            context="trunk" if gateway else "internal",
            variables={"sip_acl_authed_by": gateway} if gateway else None,
        )
        person.channel = channel
        person.uuid = channel.uuid
        return person

    def phone(
        self,
        extension: str,
        *,
        register: bool = True,
        answer_after: float | Callable[[], float | None] | None = None,
        talk_for: float | Callable[[], float | None] | None = None,
    ) -> SimPhone:
        """An agent's phone, registered at once; the same one when it is asked for again."""
        phone = self.phones.get(extension)
        if phone is None:
            port = FIRST_PHONE_PORT + 2 * len(self.phones)
            phone = SimPhone(self.switch, extension, port, history=self._rings)
            self.phones[extension] = phone
            if register:
                phone.register()
        if answer_after is not None or talk_for is not None:
            phone.auto(answer_after=answer_after, talk_for=talk_for)
        return phone

    def play(self, script: ScriptFile | Path, *, seed: int = 0) -> ScriptPlayer:
        """Let callers and phones do what a script says (``conf/simulator.yaml``).

        Raises ConfigError with every fault of the file. The player is started; its ``stop`` ends it.
        """
        player = ScriptPlayer(self, load(script) if isinstance(script, Path) else script, seed=seed)
        player.start()
        return player

    def _calls_to(self, extension: str, gateway: str, destination: str) -> Callee:
        if extension:
            return PhoneRing(self.switch, self.phone(extension, register=False))
        line = LineRing(self.switch, destination, self.line_answers(destination))
        self.lines.append(line)
        return line


def _after_three_seconds(number: str) -> float | None:
    return 3.0
