"""The rig on a real FreeSWITCH: people are SIP telephones."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from engine.esl.connection import Connection
from tests.contract.rig import ALL_EVENTS, Heard, Rig, connected
from tests.sip.phone import Call, Telephone
from tests.switch.real import RealSwitch


class SipPerson:
    """A caller, or an agent on one call."""

    def __init__(self, call: Call) -> None:
        self.call = call

    def press(self, keys: str) -> None:
        self.call.press(keys, held=0.06, pause=0.04)

    def speak(self, hz: float, seconds: float) -> None:
        self.call.say_tone(hz, seconds)

    def hang_up(self) -> None:
        self.call.hang_up()

    def answer(self) -> None:
        self.call.answer()

    def reject(self, status: int = 486) -> None:
        self.call.reject(status)

    @property
    def gone(self) -> bool:
        return self.call.over

    @property
    def keys_heard(self) -> str:
        return "".join(self.call.sound.digits)


class SipPhone:
    """An agent's phone."""

    def __init__(self, telephone: Telephone) -> None:
        self.telephone = telephone
        self.extension = telephone.user

    def wait_ring(self, timeout: float = 5.0) -> SipPerson:
        return SipPerson(self.telephone.wait_ring(timeout))

    def unregister(self) -> None:
        assert self.telephone.unregister() == 200

    def vanish(self) -> None:
        self.telephone.vanish()


class FreeSwitchRig(Rig):
    kind = "freeswitch"

    def __init__(self, switch: RealSwitch, folder: Path) -> None:
        self.switch, self.clock, self.folder = switch, switch.clock, folder
        self._stack = ExitStack()
        self._telephones: list[Telephone] = []
        self.connection, self.heard = self.connect()

    def connect(self, **more: Any) -> tuple[Connection, Heard]:
        freeswitch = self.switch.freeswitch
        return self._stack.enter_context(
            connected(
                self.clock,
                lambda put: Connection(
                    freeswitch.host,
                    freeswitch.port,
                    freeswitch.password,
                    clock=self.clock,
                    on_event=put,
                    events=ALL_EVENTS,
                    **more,
                ),
            )
        )

    def dial(self, number: str = "8004", *, caller: str = "+8613800000000", name: str = "") -> SipPerson:
        telephone = self.switch.outside(caller, name)
        self._telephones.append(telephone)
        return SipPerson(telephone.dial(number))

    def phone(self, extension: str = "1001") -> SipPhone:
        telephone = self.switch.telephone(extension)
        self._telephones.append(telephone)
        assert telephone.register(expires=60) == 200
        return SipPhone(telephone)

    def close(self) -> None:
        if not self.connection.up:  # a test that failed while it had ended it
            self.connection, self.heard = self.connect()
        self.end_all()
        for telephone in self._telephones:
            if telephone.gone:
                continue
            if telephone.password:
                telephone.unregister()
            telephone.close()
        self._stack.close()
