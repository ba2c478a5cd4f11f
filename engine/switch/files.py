"""The run folder: what a FreeSWITCH child keeps on disk, and what an engine that comes later finds there.

    run folder (0700)
      socket.password      the event socket's password (0600), made before the switch starts
      switch.json          ports and binary of the switch that was started here last (0600)
      phones.json          passwords made up for phones that bring none (0600); they stay the same
      conf/ scripts/       the rendered configuration
      run/freeswitch.pid   written by FreeSWITCH itself, locked while it lives
      log/ db/ music/ …    its own

Everything that an attaching engine needs is on disk before the switch starts, so that a kill at any
moment leaves a switch that can be found again.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import secrets
import shutil
import sys
import wave
from array import array
from collections.abc import Iterable
from pathlib import Path

import psutil
import structlog

from engine.errors import ConfigError
from engine.switch.render import write_private
from engine.switch.settings import Phone

log = structlog.get_logger(__name__)

MEMORY = Path("/dev/shm")
"""Files in memory, on Linux."""

#: Below the run folder: what FreeSWITCH wants to know by option, and the folder's name.
FOLDERS = {
    "-conf": "conf",
    "-log": "log",
    "-db": "db",
    "-run": "run",
    "-scripts": "scripts",
    "-sounds": "sounds",
    "-recordings": "recordings",
    "-temp": "tmp",
    "-storage": "storage",
    "-cache": "cache",
    "-certs": "certs",
    "-htdocs": "htdocs",
    "-grammar": "grammar",
}


class RunFolder:
    """Paths and small files below one run folder."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    def make(self) -> None:
        """Create what is missing; nobody else may look in."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path.chmod(0o700)
        for name in [*FOLDERS.values(), "music"]:
            if (self.path / name).is_symlink():
                continue  # db, in memory: see keep_db_in_memory
            (self.path / name).mkdir(exist_ok=True, mode=0o700)

    def keep_db_in_memory(self) -> None:
        """Before a switch starts: let ``db`` be a folder in memory, where the machine has one.

        The switch keeps its live channels there in SQLite, with the callers' numbers, also of those who are promised
        that they are written nowhere. What it holds is worth nothing once the switch has ended.
        """
        db = self.path / "db"
        self.forget_db()
        place = self._in_memory
        try:
            place.mkdir(mode=0o700)
        except OSError as error:
            log.warning("switch.db_on_disk", folder=str(db), error=str(error))
            if db.is_symlink():
                db.unlink()
            db.mkdir(exist_ok=True, mode=0o700)
            return
        if db.is_dir() and not db.is_symlink():
            shutil.rmtree(db)
        db.unlink(missing_ok=True)
        db.symlink_to(place, target_is_directory=True)

    def forget_db(self) -> None:
        """After the switch has ended: take what was in memory away."""
        place = self._in_memory
        if place.is_dir() and not place.is_symlink() and place.stat().st_uid == os.getuid():
            shutil.rmtree(place, ignore_errors=True)

    @property
    def _in_memory(self) -> Path:
        name = hashlib.sha256(str(self.path).encode()).hexdigest()[:16]
        return MEMORY / f"insideline-{os.getuid()}-{name}"

    @property
    def console_log(self) -> Path:
        """What FreeSWITCH prints before and beside its log."""
        return self.path / "log" / "console.log"

    @property
    def log(self) -> Path:
        return self.path / "log" / "freeswitch.log"

    def new_password(self, password: str = "") -> str:
        """A fresh password for the event socket (or the given one), kept for whoever attaches later."""
        password = password or secrets.token_urlsafe(24)
        write_private(self.path / "socket.password", password + "\n")
        return password

    def password(self) -> str | None:
        try:
            return (self.path / "socket.password").read_text(encoding="utf-8").strip() or None
        except FileNotFoundError:
            return None

    def remember(self, **facts: str | int | None) -> None:
        """Write ``switch.json``."""
        write_private(self.path / "switch.json", json.dumps(facts, indent=1) + "\n")

    def remembered(self) -> dict[str, str | int | None]:
        """What was written there last; empty when nothing usable was."""
        try:
            facts = json.loads((self.path / "switch.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return facts if isinstance(facts, dict) else {}

    def process(self) -> psutil.Process | None:
        """The FreeSWITCH that runs on this folder, whoever started it; None when there is none.

        The number in the pid file may have been given to another process since, so its command line must
        name this folder's configuration. A zombie is no running switch.
        """
        try:
            pid = int((self.path / "run" / "freeswitch.pid").read_text(encoding="ascii"))
            process = psutil.Process(pid)
            mine = str(self.path / "conf") in process.cmdline()
            return process if mine and process.status() != psutil.STATUS_ZOMBIE else None
        except (FileNotFoundError, ValueError, psutil.Error):
            return None

    def phone_passwords(self, phones: Iterable[Phone]) -> dict[str, str]:
        """The password of each phone: its own, the one made up for it earlier, or a new one."""
        file = self.path / "phones.json"
        try:
            known = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            known = {}
        except ValueError as error:
            raise ConfigError(
                f"{file}: not JSON any more ({error}); delete it to get new passwords"
            ) from None
        made = dict(known)
        result = {}
        for phone in phones:
            if phone.extension in result:
                raise ConfigError(f"two phones have the extension {phone.extension}")
            if phone.sip_password is not None:
                result[phone.extension] = phone.sip_password.get_secret_value()
            else:
                result[phone.extension] = made.setdefault(phone.extension, secrets.token_urlsafe(12))
        if made != known:
            write_private(file, json.dumps(made, indent=1) + "\n")
        return result

    def last_words(self, lines: int = 3) -> str:
        """The end of the switch's own logs, for the message when it did not come up."""
        words: list[str] = []
        for file in (self.log, self.console_log):
            try:
                with file.open("rb") as stream:
                    stream.seek(max(0, file.stat().st_size - 8192))
                    tail = stream.read().decode("utf-8", "replace").splitlines()
            except FileNotFoundError:
                continue
            words += [line.strip() for line in tail if line.strip()][-lines:]
        return " | ".join(words)[:600]


def quiet_music(path: Path, *, seconds: int = 24, rate: int = 8000) -> None:
    """Write a WAV that loops without a click: slow soft chords, 8 kHz mono, so that a centre where nobody
    has chosen music yet still tells its callers that the line is alive."""
    chords = ((220, 275, 330), (195, 245, 295), (175, 220, 260), (195, 245, 330))
    period = rate // 5  # every pitch is a multiple of 5 Hz, so a fifth of a second holds whole waves of all
    bar = seconds * rate // len(chords)
    swell = [1500 * math.sin(math.pi * n / bar) ** 2 for n in range(bar)]  # silent where the chord changes
    samples = array("h")
    for chord in chords:
        angles = [2 * math.pi * pitch / rate for pitch in chord]
        waves = [sum(math.sin(a * n) + 0.3 * math.sin(2 * a * n) for a in angles) for n in range(period)]
        samples.extend(int(swell[n] * waves[n % period]) for n in range(bar))
    if sys.byteorder == "big":
        samples.byteswap()
    beside = path.with_name(f".{path.name}.new")
    with wave.open(str(beside), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    beside.chmod(0o600)
    beside.rename(path)
