"""A home of its own for a benchmark: folders, ports, one department, and the engine in it as a process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import wave
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import psutil

from engine.clock import Clock
from engine.web.place import USUAL, reachable

REPOSITORY = Path(__file__).resolve().parents[1]

ENGINE = """\
grammar: 1
site: {{id: bench, name: Bench}}
languages: [en]
log: {{level: warning, format: json}}
switch:
  event_socket: {event_socket}
  phones: {{ip: 127.0.0.1, port: {phones}, codecs: [PCMU]}}
  trunks: {{ip: 127.0.0.1, port: {trunks}, codecs: [PCMU]}}
  sound: {{first: 24000, last: 29999}}
  sessions_per_second: 2000
"""
TRUNKS = """\
grammar: 1
trunks:
  - {name: pstn, host: 127.0.0.1}
"""
DIALPLAN = """\
grammar: 1
dialplan: main
numbers:
  - {to: "9005", flow: bench/ivr}
  - {to: "9000", flow: bench/parked}
otherwise: {flow: bench/ivr}
"""
IVR = """\
grammar: 1
flow: bench/ivr
revision: 1
title: Five steps
owner: operations
languages: [en]
start: all
blocks:
  all:
    - answer
    - play: {prompt: beep, interrupt: false}
    - collect: {into: key, prompt: none, as: digits, length: 1, end: none, first: 300ms, attempts: 1, give_up: end}
    - go: end
  end:
    - set: {x: 1}
    - hangup
"""
PARKED = """\
grammar: 1
flow: bench/parked
revision: 1
title: A call that is there, and that nothing happens to
owner: operations
languages: [en]
start: all
blocks:
  all:
    - answer
    - play: {prompt: beep, interrupt: false}
    - silence: 10m
    - hangup
"""


class Home:
    """An installation in ``folder`` with the department ``bench``, and the engine in it."""

    def __init__(self, folder: Path, clock: Clock, *, shipped: bool = False) -> None:
        """``shipped``: with the departments, dialplan and prompts of the repository in place of our own."""
        self.folder = folder
        self.clock = clock
        self.process: subprocess.Popen[bytes] | None = None
        self.nice = 0  #: of the engine's process, as the unit of docs/install.md sets it; where we may
        self.ports = {
            "event_socket": free_port(socket.SOCK_STREAM),
            "phones": free_port(socket.SOCK_DGRAM),
            "trunks": free_port(socket.SOCK_DGRAM),
        }
        conf = folder / "conf"
        conf.mkdir(parents=True)
        for path in (REPOSITORY / "conf").iterdir():
            if shipped or path.name != "notify.yaml":  # which names what departments bring
                (conf / path.name).write_bytes(path.read_bytes())
        self.write("conf/engine.yaml", ENGINE.format(**self.ports))
        self.write("conf/trunks.yaml", TRUNKS)
        if shipped:
            self.write("conf/engine.yaml", ENGINE.format(**self.ports).replace("[en]", "[zh-CN, en]"))
            for name in ("plugins", "prompts", "dialplans"):
                (folder / name).symlink_to(REPOSITORY / name)
            return
        (folder / "prompts").symlink_to(REPOSITORY / "prompts")
        self.write("dialplans/main.yaml", DIALPLAN)
        self.write("plugins/bench/flows/ivr.yaml", IVR)
        self.write("plugins/bench/flows/parked.yaml", PARKED)
        self.write("plugins/bench/prompts/en.yaml", "beep: A tone of 200 ms.\nnone: Nothing.\n")
        self.beep = folder / "plugins/bench/audio/en/beep.wav"
        self.silence = self.beep.with_name("none.wav")
        sound(self.beep, 0.2, loud=True)
        sound(self.silence, 0.02, loud=False)

    def write(self, name: str, text: str) -> None:
        """A file of the installation."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def switch_settings(self) -> dict[str, Any]:
        """What the engine's file says of the switch, for one that the benchmark starts itself."""
        return {
            "event_socket": self.ports["event_socket"],
            "phones": {"port": self.ports["phones"], "codecs": ["PCMU"]},
            "trunks": {"port": self.ports["trunks"], "codecs": ["PCMU"]},
            "sound": {"first": 24000, "last": 29999},
            "sessions_per_second": 2000,
        }

    # -- the engine ---------------------------------------------------------------------------------

    def begin(self, *options: str, environment: Mapping[str, str] | None = None) -> None:
        """Start the engine's process; it is not ready yet when this returns."""
        with (self.folder / "engine.out").open("ab") as output:
            self.process = subprocess.Popen(
                [*self._nicely(), sys.executable, "-m", "engine", "run", "--no-board", *options],
                cwd=self.folder,
                env={**_as_installed(), "INSIDELINE_HOME": str(self.folder), **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def _nicely(self) -> list[str]:
        return ["nice", "-n", str(self.nice)] if self.nice and os.geteuid() == 0 else []

    def start(self, *options: str, within: float = 120.0) -> psutil.Process:
        """Start the engine and wait until it leads its switch; its process."""
        self.begin(*options)
        self.wait(lambda: self.ask("GET", "/status")["ready"], "the engine is not ready", within)
        assert self.process is not None
        return psutil.Process(self.process.pid)

    def wait(self, look: object, why: str, within: float, every: float = 0.2) -> None:
        """Wait until ``look()`` is true. It may raise OSError-like trouble of a socket that is not there yet."""
        assert callable(look)
        end = self.clock.monotonic() + within
        while self.clock.monotonic() < end:
            assert self.process is not None
            if self.process.poll() is not None:
                raise RuntimeError(f"the engine ended:\n{self.output()[-3000:]}")
            try:
                if look():
                    return
            except (httpx.TransportError, OSError):
                pass  # its control socket is not open yet
            self.clock.sleep(every)
        raise RuntimeError(f"{why} after {within:g} s:\n{self.output()[-3000:]}")

    def ask(self, method: str, path: str, **body: str) -> dict[str, object]:
        """A request over the control socket."""
        transport = httpx.HTTPTransport(uds=str(reachable(self.folder / USUAL)))
        with httpx.Client(transport=transport, base_url="http://engine", timeout=10.0) as client:
            answer = client.request(method, path, json=body or None)
        answer.raise_for_status()
        found = answer.json()
        return found if isinstance(found, dict) else {"rows": found}

    def end(self) -> None:
        """SIGTERM, and SIGKILL when that does not end it."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def output(self) -> str:
        """What the engine printed and logged."""
        return (self.folder / "engine.out").read_text(encoding="utf-8", errors="replace")


def _as_installed() -> dict[str, str]:
    """The environment, without what would have Python compile every module anew at each start."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def free_port(kind: int) -> int:
    """A port of the loopback that nobody uses."""
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def sound(path: Path, seconds: float, *, loud: bool) -> None:
    """A WAV of 8 kHz: a square tone, or silence."""
    path.parent.mkdir(parents=True, exist_ok=True)
    level = 4000 if loud else 0
    frames = round(8000 * seconds)
    samples = b"".join(
        (level if at // 9 % 2 else -level).to_bytes(2, "little", signed=True) for at in range(frames)
    )
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(samples)


def cpu(process: psutil.Process) -> float:
    """Seconds of CPU that ``process`` used so far."""
    times = process.cpu_times()
    return float(times.user + times.system)
