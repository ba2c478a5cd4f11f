"""What a contract test works with: a connection to a switch, what it said, callers and agents' phones.

The simulator and FreeSWITCH give the same :class:`Rig`. On the simulator everything runs on a virtual clock and
people are played by it; on FreeSWITCH they are SIP telephones with real sound and real keys.
"""

from __future__ import annotations

import json
import uuid as uuids
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from engine.clock import Clock
from engine.errors import CommandRefused
from engine.esl import commands as c
from engine.esl.commands import Command
from engine.esl.connection import EVENTS, Connection, Event

#: Beside what the engine follows, what only these tests look at.
ALL_EVENTS = (
    *EVENTS,
    "CHANNEL_CREATE",
    "CHANNEL_EXECUTE",
    "CHANNEL_DESTROY",
    "CHANNEL_UNPARK",
    "CHANNEL_PROGRESS",
    "PLAYBACK_START",
    "RECORD_START",
    "sofia::sip_user_state",
    "il::other",
)


class Missing(AssertionError):
    """What a test waited for did not come."""


class Person(Protocol):
    """One end of a call, outside the switch."""

    def press(self, keys: str) -> None: ...
    def speak(self, hz: float, seconds: float) -> None: ...
    def hang_up(self) -> None: ...
    @property
    def keys_heard(self) -> str: ...
    @property
    def gone(self) -> bool: ...


class AgentPhone(Protocol):
    """A registered phone."""

    extension: str

    def wait_ring(self, timeout: float = 5.0) -> Any: ...  # a Person with answer() and reject(status)
    def unregister(self) -> None: ...
    def vanish(self) -> None: ...


class Heard:
    """The events of one connection, in order."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.events: list[Event] = []
        self._more = clock.event()

    def put(self, event: Event) -> None:
        self.events.append(event)
        self._more.set()

    @property
    def mark(self) -> int:
        """Where we are now; pass it as ``since``."""
        return len(self.events)

    def find(
        self,
        name: str,
        uuid: str | None = None,
        *,
        since: int = 0,
        where: Callable[[Event], bool] = lambda e: True,
    ) -> list[Event]:
        return [
            event
            for event in self.events[since:]
            if name in (event.name, event.subclass) and uuid in (None, event.uuid) and where(event)
        ]

    def wait(
        self,
        name: str,
        uuid: str | None = None,
        *,
        timeout: float = 4.0,
        since: int = 0,
        where: Callable[[Event], bool] = lambda e: True,
    ) -> Event:
        """The first such event since the mark, waiting for it."""
        deadline = self._clock.monotonic() + timeout
        while True:
            self._more.clear()
            if found := self.find(name, uuid, since=since, where=where):
                return found[0]
            if not self._more.wait(max(0.0, deadline - self._clock.monotonic())):
                came = ", ".join(
                    f"{e.subclass or e.name}:{e.get('Application') or ''}" for e in self.events[since:]
                )
                raise Missing(f"no {name} for {uuid} within {timeout:g} s; there came: {came}")

    def done(self, execution: str, *, timeout: float = 4.0) -> Event:
        """The CHANNEL_EXECUTE_COMPLETE with that Application-UUID."""
        return self.wait(
            "CHANNEL_EXECUTE_COMPLETE",
            timeout=timeout,
            where=lambda e: e.get("Application-UUID") == execution,
        )

    def order(self, *names: str, uuid: str | None = None) -> list[str]:
        """The names of those events that are among ``names``, in the order in which they came."""
        return [e.name for e in self.events if e.name in names and uuid in (None, e.uuid)]


class Rig:
    """A switch to be tested. ``kind``: ``freeswitch`` or ``simulator``."""

    kind: str
    clock: Clock
    connection: Connection
    heard: Heard
    folder: Path  # where recordings go

    def connect(self, **more: Any) -> tuple[Connection, Heard]:
        """One more client of the switch, up."""
        raise NotImplementedError

    def dial(self, number: str = "8004", *, caller: str = "+8613800000000", name: str = "") -> Person:
        """Somebody calls in over the trunk."""
        raise NotImplementedError

    def phone(self, extension: str = "1001") -> AgentPhone:
        """A registered phone."""
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    # -- the same for both --------------------------------------------------------------------

    def api(self, command: Command, timeout: float | None = None) -> str:
        return self.connection.api(command, timeout)

    def refused(self, command: Command) -> str:
        """What the switch says to a command that it refuses."""
        try:
            answer = self.connection.api(command)
        except CommandRefused as error:
            return str(error)
        raise AssertionError(f"{command} was not refused: {answer!r}")

    def arrive(
        self, number: str = "8004", *, answered: bool = True, caller: str = "+8613800000000", name: str = ""
    ) -> tuple[Person, str]:
        """A call that is parked here: its caller and its UUID; answered, and the fallback cancelled."""
        since = self.heard.mark
        person = self.dial(number, caller=caller, name=name)
        uuid = self.heard.wait("CHANNEL_PARK", since=since).uuid
        self.api(c.sched_del(uuid))
        if answered:
            self.connection.post(c.answer(uuid))
            self.heard.wait("CHANNEL_ANSWER", uuid, since=since)
            # CHANNEL_ANSWER comes before the application is over and park goes on.
            self.heard.wait("CHANNEL_EXECUTE_COMPLETE", uuid, since=since)
        return person, uuid

    def execute(self, uuid: str, app: str, arg: str = "", *, lock: bool = False) -> str:
        """Send an application; returns the id that its CHANNEL_EXECUTE_COMPLETE will carry."""
        execution = str(uuids.uuid4())
        self.connection.post(c.execute(uuid, app, arg, event_uuid=execution, lock=lock))
        return execution

    def run(self, uuid: str, app: str, arg: str = "", *, lock: bool = True, timeout: float = 4.0) -> Event:
        """Run an application and wait until it is over."""
        return self.heard.done(self.execute(uuid, app, arg, lock=lock), timeout=timeout)

    def variable(self, uuid: str, name: str) -> str | None:
        text = self.api(c.uuid_getvar(uuid, name))
        return None if text == "_undef_" else text

    def dump(self, uuid: str) -> Mapping[str, str]:
        found: dict[str, str] = json.loads(self.api(c.uuid_dump(uuid)))
        return found

    def exists(self, uuid: str) -> bool:
        return self.api(c.uuid_exists(uuid)).strip() == "true"

    def channels(self) -> dict[str, dict[str, str]]:
        rows = json.loads(self.api(c.show_channels())).get("rows", [])
        return {row["uuid"]: row for row in rows}

    def bridged(self) -> set[str]:
        rows = json.loads(self.api(c.show_bridged_calls())).get("rows", [])
        return {row[key] for row in rows for key in ("uuid", "b_uuid")}

    def originate(self, extension: str = "1001", *, timeout: int = 20, **variables: str) -> tuple[str, Any]:
        """Ring a phone with a UUID of our own; returns it and the background job."""
        leg = str(uuids.uuid4())
        wanted = {"park_after_bridge": "true", "hangup_after_bridge": "false", **variables}
        call = c.Originate(uuid=leg, dial=c.PhoneDial(extension), variables=wanted, timeout=timeout)
        return leg, self.connection.bgapi(c.originate(call))

    def agent_leg(self, phone: AgentPhone, **variables: str) -> tuple[Any, str]:
        """An agent's leg, answered and parked: the person at the phone and the UUID."""
        leg, job = self.originate(phone.extension, **variables)
        ring = phone.wait_ring()
        ring.answer()
        job.wait(5.0)
        self.heard.wait("CHANNEL_PARK", leg)
        return ring, leg

    def bridge(self, one: str, other: str) -> Event:
        """Bridge two legs and wait for the event, which comes on either."""
        since = self.heard.mark
        self.api(c.uuid_bridge(one, other))
        return self.heard.wait("CHANNEL_BRIDGE", since=since, where=lambda e: e.uuid in (one, other))

    def end_all(self) -> None:
        """Hang everything up that this rig has seen, and wait until it is gone."""
        self.connection.request(c.raw_api("hupall NORMAL_CLEARING"))
        for event in self.heard.find("CHANNEL_CREATE"):
            self.heard.wait("CHANNEL_HANGUP_COMPLETE", event.uuid)

    def until(self, true: Callable[[], bool], timeout: float = 4.0) -> None:
        """Wait for something that no event tells."""
        deadline = self.clock.monotonic() + timeout
        while not true():
            if self.clock.monotonic() >= deadline:
                raise Missing(f"still not true after {timeout:g} s")
            self.clock.sleep(0.02)

    def quiet(self, name: str, uuid: str, during: float = 0.4) -> None:
        """No such event comes for a while."""
        since = self.heard.mark
        self.clock.sleep(during)
        assert not self.heard.find(name, uuid, since=since)


@contextmanager
def connected(
    clock: Clock, make: Callable[[Callable[[Event], None]], Connection]
) -> Iterator[tuple[Connection, Heard]]:
    heard = Heard(clock)
    connection = make(heard.put)
    connection.start()
    if not connection.wait_up(5.0):
        raise Missing(f"no connection: {connection.error}")
    try:
        yield connection, heard
    finally:
        connection.stop()
