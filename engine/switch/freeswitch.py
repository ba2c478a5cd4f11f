"""Run FreeSWITCH as a child on Insideline's own configuration, and find it again after a crash of the engine.

The child outlives the engine on purpose. It has its own session (a Ctrl-C at the engine's terminal does
not reach it) and keeps its run folder; calls, music and talks go on while no engine is there. The next
engine that starts on the same folder attaches to the running child instead of starting a second one.
Only :meth:`FreeSwitch.stop` ends it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import gevent
import psutil
import structlog

from engine.clock import Clock
from engine.errors import CommandTimeout, ConfigError, NotConnected, SwitchError
from engine.esl import commands
from engine.esl.commands import Command
from engine.shipped import shipped
from engine.switch.files import FOLDERS, RunFolder, quiet_music
from engine.switch.probe import ask
from engine.switch.render import Templates, directory, render, write_private
from engine.switch.settings import Phone, SwitchSettings, Trunk

log = structlog.get_logger(__name__)

HOST = "127.0.0.1"
TEMPLATES = shipped() / "freeswitch"
USUAL_PLACES = (
    "/usr/bin/freeswitch",
    "/usr/sbin/freeswitch",
    "/usr/local/bin/freeswitch",
    "/usr/local/freeswitch/bin/freeswitch",
    "/opt/freeswitch/bin/freeswitch",
)


def find_freeswitch(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The ``freeswitch`` of this machine: ``INSIDELINE_FREESWITCH``, PATH, the usual places; else None.

    A variable that names nothing runnable is an error, not a reason to look elsewhere. Empty: there is none.
    """
    if (named := environment.get("INSIDELINE_FREESWITCH")) is not None:
        if not named:
            return None
        if not os.access(named, os.X_OK) or not Path(named).is_file():
            raise ConfigError(f"INSIDELINE_FREESWITCH names {named}, which is no program")
        return Path(named)
    if found := shutil.which("freeswitch", path=environment.get("PATH")):
        return Path(found)
    return next((Path(place) for place in USUAL_PLACES if os.access(place, os.X_OK)), None)


class FreeSwitch:
    """One FreeSWITCH on one run folder.

    After :meth:`start`: ``host``, ``port``, ``password`` of its event socket, ``pid``, ``adopted`` (it ran
    already), ``passwords`` of the phones by extension. ``on_death(reason)`` is called once, in a greenlet of
    its own, when it ends without having been asked to.
    """

    def __init__(
        self,
        settings: SwitchSettings,
        folder: Path,
        *,
        clock: Clock,
        phones: Iterable[Phone] = (),
        trunks: Iterable[Trunk] = (),
        binary: Path | None = None,
        templates: Path = TEMPLATES,
        on_death: Callable[[str], object] | None = None,
    ) -> None:
        self.settings = settings
        self.folder = RunFolder(folder)
        self.host = HOST
        self.port = settings.event_socket
        self.password = ""
        self.passwords: dict[str, str] = {}
        self.adopted = False
        self._clock = clock
        self._phones = tuple(phones)
        self._trunks = tuple(trunks)
        self._binary = binary or settings.binary
        self._templates = Templates(templates)
        self._on_death = on_death
        self._child: subprocess.Popen[bytes] | None = None
        self._process: psutil.Process | None = None
        self._watch: gevent.Greenlet[..., object] | None = None
        self._stopping = False

    # -- what it is -----------------------------------------------------------------------------------

    @property
    def pid(self) -> int | None:
        """Its process, while there is one."""
        return self._process.pid if self._process is not None else None

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        if self._child is not None:
            return self._child.poll() is None
        if self._process is None:
            return False
        try:
            return self._process.is_running() and self._process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def ask(self, *questions: Command, within: float = 5.0) -> list[str]:
        """Answers of the switch, over a socket of its own (for checks; the engine has its connection)."""
        return ask(self.host, self.port, self.password, questions, clock=self._clock, within=within)

    # -- its life -------------------------------------------------------------------------------------

    def start(self) -> None:
        """Attach to the switch that runs on this folder, or start one; return when it takes calls.

        :class:`SwitchError` with its last words when it does not come up in ``settings.start_within`` seconds.
        """
        self.folder.make()
        with self._alone():
            running = self.folder.process()
            if running is not None:
                self._attach(running)
            else:
                self._launch()
        self._stopping = False
        self._watch = self._clock.spawn(self._wait_for_death)

    def stop(self, within: float | None = None) -> None:
        """End the switch, and with it every call. Asks first, and kills after ``within`` seconds."""
        self._stopping = True
        limit = self.settings.stop_within if within is None else within
        if self.alive:
            self._signal(signal.SIGTERM)
            if not self._gone(limit):
                log.warning("switch.killed", pid=self.pid, after=limit)
                self._signal(signal.SIGKILL)
                self._gone(5.0)
        if self._process is not None and not self.alive:
            self.folder.forget_db()
        self._let_go()

    def release(self) -> None:
        """Forget the switch and leave it running, for the engine that comes next."""
        self._stopping = True
        self._let_go()

    def change_phones(self, phones: Iterable[Phone]) -> None:
        """Give the running switch another directory of phones, without touching a call."""
        self._phones = tuple(phones)
        self._write_directory()
        self.ask(commands.reloadxml())

    # -- starting -------------------------------------------------------------------------------------

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two engines that start on one folder at the same moment must not both start a switch."""
        descriptor = os.open(self.folder.path / ".starting", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise SwitchError(
                f"{self.folder.path}: another engine is just starting its switch here"
            ) from None
        finally:
            os.close(descriptor)

    def _attach(self, running: psutil.Process) -> None:
        facts = self.folder.remembered()
        password = self.folder.password()
        port = facts.get("event_socket")
        if password is None or not isinstance(port, int):
            raise SwitchError(
                f"a FreeSWITCH (pid {running.pid}) runs on {self.folder.path}, but its password or port is gone; "
                "end it and start again"
            )
        self.port, self.password = port, password
        self._process, self._child = running, None
        self.adopted = True
        if facts != self._facts():
            log.warning(
                "switch.settings_differ", pid=running.pid, hint="they take effect when the switch restarts"
            )
        self._wait_ready()
        self.change_phones(self._phones)
        log.info("switch.attached", pid=running.pid, port=self.port)

    def _launch(self) -> None:
        binary = self._binary or find_freeswitch()
        if binary is None:
            raise SwitchError(
                "there is no freeswitch on this machine (set INSIDELINE_FREESWITCH=/path/to/it)"
            )
        self._check_ports()
        self.folder.keep_db_in_memory()
        self.adopted = False
        self.port = self.settings.event_socket
        # Started anew after its death it keeps its password: the engine's connection is waiting with it.
        self.password = self.folder.new_password(self.password)
        self.passwords = self.folder.phone_passwords(self._phones)
        if self.settings.music is None and not (music := self.folder.path / "music" / "quiet.wav").exists():
            quiet_music(music)
        render(
            self._templates,
            self.folder.path,
            self.settings,
            phones=self._phones,
            passwords=self.passwords,
            trunks=self._trunks,
            socket_password=self.password,
        )
        self.folder.remember(**self._facts())
        arguments = [str(binary), "-nf", "-nc", "-nonat", "-nonatmap"]
        for option, name in FOLDERS.items():
            arguments += [option, str(self.folder.path / name)]
        with open(
            self.folder.console_log, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)
        ) as output:
            self._child = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder.path,
                start_new_session=True,
                umask=0o077,
            )
        try:
            self._process = psutil.Process(self._child.pid)
        except psutil.NoSuchProcess:  # gevent reaps children as they end: this one is gone already
            raise SwitchError(f"FreeSWITCH ended while it was starting: {self.folder.last_words()}") from None
        _many_files(self._process)
        try:
            self._wait_ready()
        except SwitchError:
            self.stop()
            raise
        log.info("switch.started", pid=self.pid, binary=str(binary), port=self.port)

    def _wait_ready(self) -> None:
        """Return when the event socket answers, the core says ready, and every profile runs."""
        wanted = ["internal"] + (["external"] if self._external_rendered() else [])
        deadline = self._clock.monotonic() + self.settings.start_within
        missing = "its event socket did not answer"
        while self._clock.monotonic() < deadline:
            if not self.alive:
                raise SwitchError(f"FreeSWITCH ended while it was starting: {self.folder.last_words()}")
            try:
                status, profiles = self.ask(commands.status(), commands.sofia_status(), within=2.0)
            except (NotConnected, CommandTimeout) as error:
                missing = str(error)
            else:
                running = [name for name in wanted if _runs(name, profiles)]
                if "is ready" in status and running == wanted:
                    return
                missing = (
                    f"profile {wanted[len(running)]} does not run" if running != wanted else status.strip()
                )
            self._clock.sleep(0.05)
        raise SwitchError(
            f"FreeSWITCH was not ready within {self.settings.start_within:g} s: {missing}: "
            f"{self.folder.last_words()}"
        )

    def _external_rendered(self) -> bool:
        return (self.folder.path / "conf" / "sip_profiles" / "external.xml").exists()

    def _check_ports(self) -> None:
        """A port that is taken gives a clear line here, and only a riddle from a SIP profile that won't start."""
        wanted = [(HOST, self.settings.event_socket, socket.SOCK_STREAM, "the event socket")]
        wanted.append((self.settings.phones.ip, self.settings.phones.port, socket.SOCK_DGRAM, "phones"))
        if self._trunks:
            wanted.append((self.settings.trunks.ip, self.settings.trunks.port, socket.SOCK_DGRAM, "trunks"))
        for ip, port, kind, what in wanted:
            family = socket.AF_INET6 if ":" in ip else socket.AF_INET
            with socket.socket(family, kind) as trial:
                if kind == socket.SOCK_STREAM:
                    trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    trial.bind((ip, port))
                except OSError as error:
                    raise SwitchError(f"can't listen on {ip}:{port} for {what}: {error.strerror}") from None

    def _facts(self) -> dict[str, str | int | None]:
        phones, trunks = self.settings.phones, self.settings.trunks
        return {
            "event_socket": self.settings.event_socket,
            "phones": f"{phones.ip}:{phones.port}",
            "trunks": f"{trunks.ip}:{trunks.port}" if self._trunks else None,
        }

    def _write_directory(self) -> None:
        self.passwords = self.folder.phone_passwords(self._phones)
        text = directory(self._templates, self._phones, self.passwords)
        write_private(self.folder.path / "conf" / "directory" / "phones.xml", text)

    # -- ending ---------------------------------------------------------------------------------------

    def _wait_for_death(self) -> None:
        while self.alive:
            self._clock.sleep(0.25)
        if self._stopping:
            return
        code = self._child.returncode if self._child is not None else None
        reason = _cause_of_death(code)
        log.error("switch.died", pid=self.pid, reason=reason, last_words=self.folder.last_words(1))
        if self._on_death is not None:
            self._on_death(reason)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        try:
            self._process.send_signal(number)  # psutil makes sure that the pid is still this process's
        except psutil.NoSuchProcess:
            return

    def _gone(self, within: float) -> bool:
        deadline = self._clock.monotonic() + within
        while self.alive:
            if self._clock.monotonic() >= deadline:
                return False
            self._clock.sleep(0.02)
        return True

    def _let_go(self) -> None:
        if self._watch is not None and self._watch is not gevent.getcurrent():
            self._watch.kill()
        self._watch = None
        self._child = None
        self._process = None


def _runs(profile: str, sofia_status: str) -> bool:
    """Whether the line of this profile in ``sofia status`` says RUNNING."""
    rows: Sequence[list[str]] = [line.split() for line in sofia_status.splitlines()]
    return any(row[:2] == [profile, "profile"] and "RUNNING" in row[-2:][0] for row in rows if len(row) >= 4)


def _many_files(process: psutil.Process) -> None:
    """Every leg needs two sockets, and more with a recording: let it open as many files as it may."""
    if not hasattr(process, "rlimit"):  # Linux only
        return
    try:
        _, hard = process.rlimit(psutil.RLIMIT_NOFILE)
        process.rlimit(psutil.RLIMIT_NOFILE, (hard, hard))
    except psutil.Error as error:
        log.info("switch.file_limit_kept", error=str(error))


def _cause_of_death(code: int | None) -> str:
    if code is None:
        return "the switch ended"
    if code < 0:
        return f"the switch was killed by {signal.Signals(-code).name}"
    return f"the switch ended with exit code {code}"
