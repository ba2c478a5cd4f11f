"""Which switch to run on: what ``--switch`` means on this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.errors import ConfigError
from engine.esl.commands import Command
from engine.switch.freeswitch import TEMPLATES, find_freeswitch
from engine.switch.safety import check_safety
from engine.switch.settings import SwitchSettings

Api = Callable[[Command], str]


@dataclass(frozen=True, slots=True)
class Choice:
    """A switch, chosen. Host, port and password are those of one that runs already."""

    kind: Literal["simulator", "freeswitch", "running"]
    host: str = ""
    port: int = 0
    password: str = ""
    binary: Path | None = None
    allow_remote: bool = False

    def safety(self, host: str, port: int, password: str) -> Callable[[Api], None]:
        """The check that a live switch has to pass before it is led."""

        def check(api: Api) -> None:
            if self.kind != "simulator":
                check_safety(api, host=host, port=port, password=password, allow_remote=self.allow_remote)

        return check


def templates_of(home: Path) -> Path:
    """What the switch's configuration is rendered from: the home's own ``freeswitch/``, else the shipped one."""
    own = home / "freeswitch"
    return own if (own / "freeswitch.xml").is_file() else TEMPLATES


def choose_switch(word: str, settings: SwitchSettings, password_file: Path | None = None) -> Choice:
    """``word`` is auto, simulator, freeswitch or HOST:PORT; :class:`ConfigError` when it can't be had."""
    if word == "simulator":
        return Choice("simulator")
    if word in ("auto", "freeswitch"):
        binary = settings.binary or find_freeswitch()
        if binary is not None:
            return Choice("freeswitch", binary=binary)
        if word == "auto":
            return Choice("simulator")
        raise ConfigError("there is no freeswitch on this machine: install it, or set INSIDELINE_FREESWITCH")
    host, colon, port = word.rpartition(":")
    if not colon or not host or not port.isdigit():
        raise ConfigError(f"--switch {word}: write auto, freeswitch, simulator or HOST:PORT")
    if password_file is None:
        raise ConfigError(f"--switch {word} needs --password-file with the password of its event socket")
    try:
        password = password_file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{password_file}: {error.strerror}") from None
    remote = getattr(settings, "allow_remote", False)
    return Choice("running", host.strip("[]"), int(port), password, allow_remote=bool(remote))
