"""From "this agent is free" to the INVITE at its phone: ours, and mod_callcenter's, on one FreeSWITCH.

The switch runs on Insideline's configuration with the module and its one queue beside it (rendered into this run's
folder and shipped nowhere). As many callers wait for one side, then for the other: SIPp's, real calls that hear the
same silence from the same file. A hundred agents are logged in and have a pause, and one of them has a phone. What
is timed begins with the command that frees that agent, by the way that each side offers (the control socket of the
engine, the event socket of the switch), and ends when the INVITE is read at the phone. Then the agent pauses again, and
everything that rings is over before the next turn; turns begin at random moments, so that a side that looks every
100 ms is met at any of them.

The engine has the priority that it asks for itself beside a switch (decision 103), like the module, which runs in the
switch's own threads. So has this process where the system lets it: a stopwatch that waits for a processor measures
its own waiting.

A second figure is the agent's own way: it hangs up on one caller, and is rung for the next.
"""

from __future__ import annotations

import os
import random
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import httpx

from bench.home import Home, free_port, sound
from bench.sipp import HERE, callcenter_templates
from bench.table import Report
from engine.clock import Clock, Empty
from engine.esl import commands
from engine.esl.wire import Decoder, Frame
from engine.switch.freeswitch import FreeSwitch, find_freeswitch
from engine.switch.settings import Phone, SwitchSettings, Trunk
from engine.web.place import USUAL, reachable
from tests.sip.phone import Call, NoAnswer, Telephone
from tests.sip.sipp import find_sipp

WAITING = (10, 1_000)
GOALS = {10: 5.0, 1_000: 20.0}  # how many times faster, at the median
WORST = 60.0  # ms, 99 of 100
AGENTS = 100
TURNS = int(os.environ.get("INSIDELINE_BENCH_ROUNDS", "120"))
TALKS = 20
RATE = 40  # callers that come in a second, while a queue is being filled
CROWDED = (
    400  # callers on the line from which on others come slower: those cost the switch as much as new ones
)
SLOWER = 13  # a second
PATIENCE = 30.0  # seconds that anything may take
STALLED = 10.0  # seconds without another caller, after which those that were lost on the way are made up for
NICE = -10  # of the engine's other threads, as in the unit of docs/install.md
WATCH = 2  # real-time priority of the stopwatch, one above those that it measures

PHONE = "1001"
AGENT = "1"  # the one with the phone
QUEUES = """\
grammar: 1
queues:
  desk: {title: {en: Desk}, offer: 30s, wrap_up: 0s, longest: 12h, length: 100000}
"""
FLOW = """\
grammar: 1
flow: bench/desk
revision: 1
title: A queue
owner: operations
languages: [en]
start: all
blocks:
  all:
    - answer
    - queue: {name: desk, waiting: {music: quiet}, full: over, too_long: over, no_agents: over, longest: 12h}
    - go: over
  over:
    - hangup
"""
DIALPLAN = """\
grammar: 1
dialplan: main
numbers:
  - {to: "9002", flow: bench/desk}
otherwise: {flow: bench/desk}
"""


class Side(Protocol):
    """A call centre with one queue, as this benchmark uses it."""

    name: str
    target: tuple[str, int]

    def free(self) -> None:
        """The agent can take a call from now on. What is timed begins here."""

    def pause(self) -> None:
        """The agent takes no calls."""

    def settled(self) -> bool:
        """Whether the agent is at rest in its pause."""

    def waiting(self) -> int:
        """How many callers wait."""

    def everybody_out(self) -> None:
        """Hang up on all callers."""


@dataclass
class Figures:
    """Milliseconds, one for each turn."""

    freed: list[float] = field(default_factory=list)
    talked: list[float] = field(default_factory=list)


def run(report: Report) -> None:
    sizes = [int(one) for one in os.environ.get("INSIDELINE_BENCH_WAITING", "").split()] or WAITING
    binary, sipp = find_freeswitch(), find_sipp()
    if binary is None or sipp is None:
        missing = " and ".join(name for name, found in (("freeswitch", binary), ("sipp", sipp)) if not found)
        report.left_out("agent free -> ringing", f"no {missing} on this machine")
        return
    clock = Clock()
    with tempfile.TemporaryDirectory(prefix="desk-") as name, _stopwatch():
        folder = Path(name)
        home = _home(folder / "home", clock)
        port = free_port(socket.SOCK_DGRAM)
        quiet = home.folder / "plugins/bench/audio/en/quiet.wav"
        switch = FreeSwitch(
            SwitchSettings(**home.switch_settings()),
            folder / "switch",
            clock=clock,
            phones=[Phone(extension=PHONE)],
            trunks=[Trunk(name="pstn", host="127.0.0.1")],
            binary=binary,
            templates=callcenter_templates(folder, port, music=str(quiet)),
        )
        switch.start()
        try:
            _measure(report, clock, home, switch, port, sizes)
        finally:
            home.end()
            switch.stop(within=5.0)


@contextmanager
def _stopwatch() -> Iterator[None]:
    """This thread, and nothing that it starts, runs before everything that it measures."""
    before = os.sched_getscheduler(0)
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(WATCH))
    except OSError as error:
        print(f"the stopwatch has no real-time priority ({error.strerror}): it may measure its own waiting")
        yield
        return
    try:
        yield
    finally:
        os.sched_setscheduler(0, before | os.SCHED_RESET_ON_FORK, os.sched_param(0))


def _home(folder: Path, clock: Clock) -> Home:
    home = Home(folder, clock)
    home.nice = NICE
    agents = "".join(
        f"  {number}: {{name: Agent {number}, phone: {1000 + number}, queues: [desk]}}\n"
        for number in range(1, AGENTS + 1)
    )
    home.write("conf/agents.yaml", f"grammar: 1\nagents:\n{agents}")
    home.write("conf/queues.yaml", QUEUES)
    home.write("dialplans/main.yaml", DIALPLAN)
    for old in ("ivr", "parked"):
        (folder / f"plugins/bench/flows/{old}.yaml").unlink()
    for old in (home.beep, home.silence):
        old.unlink()
    home.write("plugins/bench/flows/desk.yaml", FLOW)
    home.write("plugins/bench/prompts/en.yaml", "quiet: Nothing, for a long time.\n")
    sound(folder / "plugins/bench/audio/en/quiet.wav", 60.0, loud=False)
    return home


def _measure(
    report: Report,
    clock: Clock,
    home: Home,
    switch: FreeSwitch,
    port: int,
    sizes: list[int] | tuple[int, ...],
) -> None:
    phone = Telephone(
        clock,
        ("127.0.0.1", home.ports["phones"]),
        user=PHONE,
        password=switch.passwords[PHONE],
    )
    assert phone.register(expires=600) == 200
    peer: Callcenter | None = None
    if switch.ask(commands.raw_api("module_exists mod_callcenter"))[0].strip() == "true":
        peer = Callcenter(switch, port)
    password = home.folder / "password"
    password.write_text(switch.password, encoding="utf-8")
    try:
        for size in sizes:
            theirs = _turns(clock, peer, phone, size) if peer is not None else None
            home.start("--switch", f"127.0.0.1:{switch.port}", "--password-file", str(password))
            mine = Ours(home)
            try:
                ours = _turns(clock, mine, phone, size)
            finally:
                mine.close()
                home.end()
            _tell(report, size, ours, theirs)
    finally:
        phone.close()


def _turns(clock: Clock, side: Side, phone: Telephone, waiting: int) -> Figures:
    """Fill the queue, free the agent again and again, and empty the queue."""
    dice = random.Random(waiting)
    figures = Figures()
    talks = TALKS if waiting > TALKS * 4 else 0
    with _Callers(side) as callers:
        callers.fill(clock, waiting + talks)
        for turn in range(TURNS + 3):
            clock.sleep(dice.uniform(0.05, 0.35))
            began = clock.monotonic()
            side.free()
            ring = _ring(clock, side, phone)
            took = clock.monotonic() - began
            if turn >= 3:  # the first ones fill caches
                figures.freed.append(took * 1000)
            side.pause()
            if not ring.over:
                ring.reject(486)
            _at_rest(clock, side, phone)
        if talks:
            side.free()
            ring = _ring(clock, side, phone)
            for _ in range(talks):
                ring.answer()
                clock.sleep(dice.uniform(1.0, 1.4))
                began = clock.monotonic()
                ring.hang_up(wait=False)
                ring = _ring(clock, side, phone)
                figures.talked.append((clock.monotonic() - began) * 1000)
            side.pause()
            ring.reject(486)
            _at_rest(clock, side, phone)
    _wait(clock, lambda: side.waiting() == 0, f"an empty queue of {side.name}")
    return figures


def _ring(clock: Clock, side: Side, phone: Telephone) -> Call:
    try:
        return phone.wait_ring(PATIENCE)
    except NoAnswer:
        raise RuntimeError(f"the agent of {side.name} was not rung within {PATIENCE:g} s") from None


def _at_rest(clock: Clock, side: Side, phone: Telephone) -> None:
    """The agent has its pause and nothing rings, also nothing that was under way."""

    def look() -> bool:
        try:
            while True:
                late = phone.rings.get(0)
                if not late.over:
                    late.reject(486)
        except Empty:
            pass
        return side.settled() and all(call.over for call in phone.calls.values())

    _wait(clock, look, f"the agent of {side.name} at rest", every=0.02)


def _wait(clock: Clock, look: Callable[[], bool], what: str, every: float = 0.1) -> None:
    end = clock.monotonic() + PATIENCE * 4
    while not look():
        if clock.monotonic() > end:
            raise RuntimeError(f"{what}: not within {PATIENCE * 4:g} s")
        clock.sleep(every)


class _Callers:
    """SIPp's callers, who wait until this ends; then they are gone, and the switch learns it."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._stack = ExitStack()

    def __enter__(self) -> _Callers:
        return self

    def __exit__(self, *raised: object) -> None:
        self._stack.close()
        self._side.everybody_out()

    def fill(self, clock: Clock, count: int) -> None:
        """Let so many wait. On a busy machine some get no answer in time, and others take their place."""
        end = clock.monotonic() + PATIENCE * 4 + count / SLOWER
        here = self._side.waiting()
        if here < CROWDED < count:
            self.fill(clock, CROWDED)
            here = self._side.waiting()
        rate = RATE if count <= CROWDED else SLOWER
        self._call(count - here, rate)
        moved = clock.monotonic()
        while (now := self._side.waiting()) < count:
            if now > here:
                here, moved = now, clock.monotonic()
            elif clock.monotonic() - moved > STALLED:
                self._call(count - now, rate)
                moved = clock.monotonic()
            if clock.monotonic() > end:
                raise RuntimeError(f"{now} of {count} callers in {self._side.name}'s queue: not more in time")
            clock.sleep(1.0)  # to list a thousand callers takes a while

    def _call(self, count: int, rate: int) -> None:
        sipp = find_sipp()
        assert sipp is not None
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="sipp-"))
        target = self._side.target
        process = subprocess.Popen(
            [
                sipp, f"{target[0]}:{target[1]}", "-sf", str(HERE / "waiting.xml"), "-s", "9002",
                "-i", "127.0.0.1", "-mi", "127.0.0.1", "-r", str(rate), "-m", str(count), "-l", str(count),
                "-nostdin", "-trace_err", "-error_file", "errors.log",
            ],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "TERM": "dumb"},
        )  # fmt: skip
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)


class Ours:
    """The engine, over its control socket."""

    name = "Insideline"

    def __init__(self, home: Home) -> None:
        self._home = home
        self.target = ("127.0.0.1", home.ports["trunks"])
        transport = httpx.HTTPTransport(uds=str(reachable(home.folder / USUAL)))
        self._client = httpx.Client(transport=transport, base_url="http://engine", timeout=10.0)
        for number in range(1, AGENTS + 1):
            self._post(f"/agents/{number}/login")
            self._post(f"/agents/{number}/pause", reason="bench")

    def _post(self, path: str, **body: str) -> None:
        self._client.post(path, json=body).raise_for_status()

    def free(self) -> None:
        self._post(f"/agents/{AGENT}/ready")

    def pause(self) -> None:
        self._post(f"/agents/{AGENT}/pause", reason="bench")

    def settled(self) -> bool:
        found = self._client.get(f"/agents/{AGENT}").json()
        return bool(found["state"] == "paused" and found["reason"] == "bench")

    def waiting(self) -> int:
        return sum(call["state"] == "queued" for call in self._client.get("/calls").json())

    def everybody_out(self) -> None:
        self._client.post("/switch", json={"command": "hupall NORMAL_CLEARING"}).raise_for_status()

    def close(self) -> None:
        self._client.close()


class Callcenter:
    """mod_callcenter, by its API over the event socket, on a connection that stays."""

    name = "mod_callcenter"

    def __init__(self, switch: FreeSwitch, port: int) -> None:
        self.target = ("127.0.0.1", port)
        self._socket = socket.create_connection((switch.host, switch.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._decoder = Decoder()
        self._frame()
        self._socket.sendall(commands.auth(switch.password).wire())
        self._frame()
        for number in range(1, AGENTS + 1):
            self._do(f"agent add {number} callback")
            self._do(f"agent set contact {number} sofia/internal/{1000 + number}%local")
            self._do(f"tier add desk {number} 1 1")
            self._do(f"agent set state {number} Waiting")
            self._do(f"agent set status {number} 'On Break'")

    def _frame(self) -> Frame:
        while (frame := self._decoder.next()) is None:
            data = self._socket.recv(65536)
            assert data, "the switch closed its event socket"
            self._decoder.feed(data)
        return frame

    def _api(self, line: str) -> str:
        self._socket.sendall(commands.raw_api(line).wire())
        while (frame := self._frame()).headers.get("Content-Type") != "api/response":
            pass
        return frame.body.decode(errors="replace").strip()

    def _do(self, what: str) -> None:
        said = self._api(f"callcenter_config {what}")
        assert said.startswith("+OK"), f"callcenter_config {what}: {said}"

    def free(self) -> None:
        self._do(f"agent set status {AGENT} Available")

    def pause(self) -> None:
        self._do(f"agent set status {AGENT} 'On Break'")

    def settled(self) -> bool:
        return self._api(f"callcenter_config agent get state {AGENT}") == "Waiting"

    def waiting(self) -> int:
        return int(self._api("callcenter_config queue count members desk"))

    def everybody_out(self) -> None:
        self._api("hupall NORMAL_CLEARING")


def _tell(report: Report, waiting: int, ours: Figures, theirs: Figures | None) -> None:
    what = f"agent free -> INVITE, {waiting:,} waiting, {AGENTS} agents"
    if theirs is None:
        report.left_out(f"{what}: against mod_callcenter", "the switch here has no mod_callcenter")
    else:
        for share, goal in ((0.5, GOALS.get(waiting)), (0.99, None)):
            report.compare(
                f"{what}: {_share(share)}", _at(ours.freed, share), _at(theirs.freed, share), "mod_callcenter", "ms",
                at_least=goal,
            )  # fmt: skip
    report.limit(f"{what}: 99 of 100, bound", _at(ours.freed, 0.99), "ms", at_most=WORST)
    if ours.talked and theirs is not None and theirs.talked:
        report.compare(
            f"agent hangs up -> next INVITE, {waiting:,} waiting: median", _at(ours.talked, 0.5),
            _at(theirs.talked, 0.5), "mod_callcenter", "ms",
        )  # fmt: skip


def _share(share: float) -> str:
    return "median" if share == 0.5 else f"{share * 100:.0f} of 100"


def _at(times: list[float], share: float) -> float:
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
