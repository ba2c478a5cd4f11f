"""An installation of its own for a test, and the engine as users run it: a process, with a real FreeSWITCH.

The process can be killed with -9 and started again on the same folder; its FreeSWITCH goes on meanwhile.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import yaml

from engine.clock import Clock
from engine.esl import commands
from engine.switch.files import RunFolder
from engine.switch.probe import ask
from tests.sip.phone import Telephone
from tests.switch.real import free_port

REPOSITORY = Path(__file__).resolve().parents[2]

ENGINE = """\
grammar: 1
site: {{id: test, name: Test}}
languages: [zh-CN, en]
log: {{level: info, format: json}}
prompts: {{cache: {prompts}}}
recording:
  policies:
    service: {{share: 100%, keep: 180d}}
    training: {{share: 100%, keep: 30d}}
switch:
  event_socket: {event_socket}
  phones: {{ip: 127.0.0.1, port: {phones}, codecs: [PCMU]}}
  trunks: {{ip: 127.0.0.1, port: {trunks}, codecs: [PCMU]}}
  sound: {{first: {first}, last: {last}}}
  fallback: {{silence: 2m}}
"""
"""The switch waits longer for an engine that was killed than the shipped 15 s: on a machine that is full a start takes
its time, and what a test asks is what the new engine finds. :meth:`House.as_impatient_as_shipped` takes it back."""
TRUNKS = """\
grammar: 1
trunks:
  - {{name: pstn, host: 127.0.0.1, port: {port}}}
"""


def beside_the_shipped(path: Path, section: str, text: str) -> None:
    """Write ``text`` with what the shipped file of that name has in its ``section`` beside it (queues, groups, and
    agents, who are at home): the shipped departments name them."""
    made, shipped = yaml.safe_load(text), yaml.safe_load((REPOSITORY / "conf" / path.name).read_text("utf-8"))
    for name, one in shipped[section].items():
        one.pop("login", None)
        made[section].setdefault(name, one)
    path.write_text(yaml.safe_dump(made, allow_unicode=True), encoding="utf-8")


class House:
    """One installation in ``folder`` and the engine that runs in it."""

    def __init__(self, folder: Path, clock: Clock, prompts: Path) -> None:
        """``prompts``: where rendered prompts are kept, shared by the houses of a run."""
        self.home = folder
        self.clock = clock
        self.process: subprocess.Popen[bytes] | None = None
        self.ports = {
            "event_socket": free_port(socket.SOCK_STREAM),
            "phones": free_port(),
            "trunks": free_port(),
            "first": 32000 + os.getpid() % 10 * 1000,
        }
        self.ports["last"] = self.ports["first"] + 400
        self._telephones: list[Telephone] = []
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "prompts").symlink_to(REPOSITORY / "prompts")
        (folder / "plugins").mkdir()
        for plugin in (REPOSITORY / "plugins").iterdir():
            if plugin.is_dir() and not plugin.name.startswith(("_", ".")):
                (folder / "plugins" / plugin.name).symlink_to(plugin)
        shutil.copytree(REPOSITORY / "dialplans", folder / "dialplans")
        shutil.copytree(REPOSITORY / "conf", folder / "conf")
        (folder / "conf" / "engine.yaml").write_text(
            ENGINE.format(**self.ports, prompts=prompts), encoding="utf-8"
        )
        (folder / "conf" / "trunks.yaml").write_text(TRUNKS.format(port=free_port()), encoding="utf-8")

    def add_department(self, name: str, number: str, files: dict[str, str]) -> None:
        """A department of the test's own, whose flow ``<name>/main`` answers ``number``."""
        for path, text in files.items():
            place = self.home / "plugins" / name / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
        plan = self.home / "dialplans" / "main.yaml"
        rule = f'numbers:\n  - {{to: "{number}", flow: {name}/main}}\n'
        plan.write_text(plan.read_text(encoding="utf-8").replace("numbers:\n", rule, 1), encoding="utf-8")

    def as_impatient_as_shipped(self) -> None:
        """For tests of what the switch does when no engine comes; before a start."""
        conf = self.home / "conf" / "engine.yaml"
        text = conf.read_text(encoding="utf-8")
        assert "  fallback: {silence: 2m}\n" in text
        conf.write_text(text.replace("  fallback: {silence: 2m}\n", ""), encoding="utf-8")

    # -- the engine ---------------------------------------------------------------------------------

    def start(self, *options: str, within: float = 90.0) -> None:
        """Start the engine and wait until it leads its switch and makes offers."""
        with (self.home / "engine.out").open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "engine", "run", "--no-board", "--sample", *options],
                cwd=self.home,
                env={
                    **os.environ,
                    "INSIDELINE_HOME": str(self.home),
                    "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        end = self.clock.monotonic() + within
        while self.clock.monotonic() < end:
            if self.process.poll() is not None:
                raise AssertionError(f"the engine ended:\n{self.output()[-4000:]}")
            if self.get("/status").get("ready"):
                return
            self.clock.sleep(0.1)
        raise AssertionError(f"the engine was not ready within {within:g} s:\n{self.output()[-4000:]}")

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self, within: float = 20.0) -> int:
        """SIGTERM, and its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(within)

    def close(self) -> None:
        """End everything, whatever state it is in."""
        for telephone in self._telephones:
            if not telephone.gone:
                telephone.close()
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        running = RunFolder(self.home / "var" / "freeswitch").process()
        if running is not None:
            running.kill()
            running.wait(10)

    def output(self) -> str:
        """What the engine printed and logged."""
        return (self.home / "engine.out").read_text(encoding="utf-8", errors="replace")

    def cli(self, *words: str) -> Any:
        """A command with ``--json``, as its parsed answer."""
        return json.loads(self.command(*words, "--json"))

    def command(self, *words: str) -> str:
        """A command, as a person types it; what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "engine", *words],
            cwd=self.home,
            env={**os.environ, "INSIDELINE_HOME": str(self.home)},
            capture_output=True,
            timeout=180,  # it takes seconds of a processor, of which a full machine gives it a tenth
            check=False,
        )
        assert done.returncode == 0, f"insideline {' '.join(words)}: {done.stderr.decode()}"
        return done.stdout.decode()

    def get(self, path: str) -> Any:
        """What the control API answers, for waits: a command takes half a second to start. {} when it is silent."""
        transport = httpx.HTTPTransport(uds=str(self.home / "var" / "insideline.sock"), verify=False)
        try:
            with httpx.Client(transport=transport, base_url="http://insideline", timeout=10) as client:
                return client.get(path).raise_for_status().json()
        except httpx.HTTPError:
            return {}

    def post(self, path: str, **body: str) -> Any:
        """What the control API answers to a deed; AssertionError with its words when it refuses."""
        transport = httpx.HTTPTransport(uds=str(self.home / "var" / "insideline.sock"), verify=False)
        with httpx.Client(transport=transport, base_url="http://insideline", timeout=20) as client:
            answer = client.post(path, json=body)
        assert answer.is_success, f"{path}: {answer.text}"
        return answer.json()

    def calls(self) -> list[dict[str, Any]]:
        """The live calls."""
        return list(self.get("/calls"))

    def switch(self, line: str) -> str:
        """An API command of the switch, beside the engine."""
        password = RunFolder(self.home / "var" / "freeswitch").password()
        assert password is not None
        question = [commands.raw_api(line)]
        return ask("127.0.0.1", self.ports["event_socket"], password, question, clock=self.clock, within=5.0)[
            0
        ]

    # -- people -------------------------------------------------------------------------------------

    def outside(self, number: str = "13800138000") -> Telephone:
        """A telephone beyond the trunk."""
        phone = Telephone(self.clock, ("127.0.0.1", self.ports["trunks"]), user=number)
        self._telephones.append(phone)
        return phone

    def carrier(self, allow: str, *, caller: str = "") -> Telephone:
        """The other end of the trunk, over which numbers that begin so may be rung; set up before a start."""
        phone = Telephone(self.clock, ("127.0.0.1", self.ports["trunks"]), user="carrier")
        shown = f', caller: "{caller}"' if caller else ""
        (self.home / "conf" / "trunks.yaml").write_text(
            "grammar: 1\n"
            f"trunks: [{{name: pstn, host: 127.0.0.1, port: {phone.port}}}]\n"
            f'outbound: {{allow: ["{allow}"]{shown}}}\n',
            encoding="utf-8",
        )
        self._telephones.append(phone)
        return phone

    def desk(self, extension: str) -> Telephone:
        """An agent's phone, registered."""
        passwords = json.loads((self.home / "var" / "freeswitch" / "phones.json").read_text(encoding="utf-8"))
        phone = Telephone(
            self.clock, ("127.0.0.1", self.ports["phones"]), user=extension, password=passwords[extension]
        )
        self._telephones.append(phone)
        assert phone.register() == 200
        return phone

    # -- what the engine says ---------------------------------------------------------------------------

    def wait_step(self, step: str, within: float = 20.0) -> dict[str, Any]:
        """Wait until the only live call is in a step whose name holds ``step``; the call."""
        return self.wait_for(lambda: self._call_in(step), f"no call in {step}", within)

    def wait_state(self, state: str, within: float = 20.0) -> dict[str, Any]:
        """Wait until the only live call is in this state; the call."""

        def look() -> dict[str, Any] | None:
            calls = self.calls()
            return next((call for call in calls if call["state"] == state), None)

        return self.wait_for(look, f"no call is {state}", within)

    def wait_for(self, look: Any, why: str, within: float = 20.0) -> Any:
        """Wait until ``look`` answers something."""
        end = self.clock.monotonic() + within
        while self.clock.monotonic() < end:
            found = look()
            if found:
                return found
            self.clock.sleep(0.1)
        raise AssertionError(f"{why}\n{self.output()[-6000:]}")

    def _call_in(self, step: str) -> dict[str, Any] | None:
        return next((call for call in self.calls() if step in call["step"]), None)
