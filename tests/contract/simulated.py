"""The rig on the simulator: people are played by it, on a virtual clock."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from engine.clock import VirtualClock
from engine.esl.connection import Connection
from engine.switch.simulator.people import Person, SimPhone, SimRing
from engine.switch.simulator.simulator import Simulator
from tests.contract.rig import ALL_EVENTS, Heard, Missing, Rig, connected

PASSWORD = "contract"
CAUSES = {486: "USER_BUSY", 603: "CALL_REJECTED", 480: "NO_USER_RESPONSE"}


class SimulatedPerson:
    """A caller, or an agent on one call."""

    def __init__(self, rig: SimulatorRig, person: Person) -> None:
        self.rig, self.person = rig, person
        person.speech = 0.0  # says only what it is told to

    def press(self, keys: str) -> None:
        self.person.press(keys, gap=0.1)
        self.rig.clock.sleep(0.1 * len(keys))

    def speak(self, hz: float, seconds: float) -> None:
        """The simulator's people speak by themselves while they talk; this is for a beep, and in a tone of its own."""
        self.person.speak(seconds)

    def hang_up(self) -> None:
        self.person.hang_up()

    def answer(self) -> None:
        assert isinstance(self.person, SimRing)
        self.person.answer()

    def reject(self, status: int = 486) -> None:
        assert isinstance(self.person, SimRing)
        self.person.reject(CAUSES[status])

    @property
    def gone(self) -> bool:
        return self.person.ended is not None

    @property
    def keys_heard(self) -> str:
        return self.person.keys_heard


class SimulatedPhone:
    """An agent's phone."""

    def __init__(self, rig: SimulatorRig, phone: SimPhone) -> None:
        self.rig, self.phone, self.extension = rig, phone, phone.extension

    def wait_ring(self, timeout: float = 5.0) -> SimulatedPerson:
        ring = self.phone.wait_ring(timeout)
        if ring is None:
            raise Missing(f"{self.extension}: nothing rang within {timeout:g} s")
        return SimulatedPerson(self.rig, ring)

    def unregister(self) -> None:
        self.phone.unregister()

    def vanish(self) -> None:
        self.phone.vanish()


class SimulatorRig(Rig):
    kind = "simulator"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.virtual = VirtualClock()
        self.clock = self.virtual
        self.simulator = Simulator(self.clock, password=PASSWORD)
        self._stack = ExitStack()
        self.connection, self.heard = self.connect()

    def connect(self, **more: Any) -> tuple[Connection, Heard]:
        return self._stack.enter_context(
            connected(
                self.clock,
                lambda put: Connection(
                    "simulator",
                    0,
                    PASSWORD,
                    clock=self.clock,
                    connect=self.simulator.pipe,
                    on_event=put,
                    events=ALL_EVENTS,
                    **more,
                ),
            )
        )

    def dial(
        self, number: str = "8004", *, caller: str = "+8613800000000", name: str = ""
    ) -> SimulatedPerson:
        return SimulatedPerson(self, self.simulator.call(number, caller=caller, name=name))

    def phone(self, extension: str = "1001") -> SimulatedPhone:
        return SimulatedPhone(self, self.simulator.phone(extension))

    def close(self) -> None:
        self.end_all()
        self._stack.close()
        self.simulator.stop()
        self.virtual.close()
