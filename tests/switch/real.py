"""A real FreeSWITCH for tests: Insideline's own configuration on ports of this run's own."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.clock import Clock
from engine.switch.freeswitch import FreeSwitch
from engine.switch.settings import Phone, SwitchSettings, Trunk
from tests.sip.phone import Telephone

PHONES = tuple(Phone(extension=str(number), name=f"Phone {number}") for number in range(1001, 1021))


def free_port(kind: int = socket.SOCK_DGRAM) -> int:
    """A port that nobody has right now."""
    with socket.socket(socket.AF_INET, kind) as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


def settings(**changes: Any) -> SwitchSettings:
    """The configuration on free ports; G.711 mu-law only, which is all that the test telephone speaks."""
    first = 20000 + os.getpid() % 12 * 1000  # below the ports that the system hands out
    values: dict[str, Any] = {
        "event_socket": free_port(socket.SOCK_STREAM),
        "phones": {"port": free_port(), "codecs": ["PCMU"], "ping": 2, "silence": 2},
        "trunks": {"port": free_port(), "codecs": ["PCMU"]},
        "sound": {"first": first, "last": first + 998},
    }
    return SwitchSettings(**{**values, **changes})


@dataclass
class RealSwitch:
    """A running FreeSWITCH and telephones for it."""

    freeswitch: FreeSwitch
    clock: Clock

    def telephone(self, extension: str) -> Telephone:
        """An agent's phone, not registered yet."""
        phones = self.freeswitch.settings.phones
        password = self.freeswitch.passwords[extension]
        return Telephone(self.clock, (phones.ip, phones.port), user=extension, password=password)

    def outside(self, number: str, name: str = "") -> Telephone:
        """A telephone beyond the trunk."""
        trunks = self.freeswitch.settings.trunks
        return Telephone(self.clock, (trunks.ip, trunks.port), user=number, name=name)


def start_real_switch(folder: Path, clock: Clock, **changes: Any) -> RealSwitch:
    trunk = Trunk(name="pstn", host="127.0.0.1", port=free_port())
    freeswitch = FreeSwitch(settings(**changes), folder, clock=clock, phones=PHONES, trunks=[trunk])
    freeswitch.start()
    return RealSwitch(freeswitch, clock)
