"""Phones that registered, as the switch lists them and tells of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.clock import Clock, Timer
    from engine.switch.simulator.events import Bus

DOMAIN = "local"
PING = 10.0  # seconds from one question (OPTIONS) to the next
SILENCE = 3.5  # seconds without an answer: the phone is gone


@dataclass(slots=True)
class Registration:
    """One phone's registration; ``ends`` in monotonic seconds."""

    extension: str
    call_id: str
    contact: str
    ip: str
    port: int
    agent: str
    ends: float
    expires_epoch: int
    timer: Timer | None = None
    silence: Timer | None = None


class Registrations:
    """By extension; one contact each."""

    def __init__(self, clock: Clock, bus: Bus, domain: str = DOMAIN) -> None:
        self._clock = clock
        self._bus = bus
        self.domain = domain
        self.known: dict[str, Registration] = {}
        # What `show registrations` lists. A phone that was found gone stays there till its time is over.
        self.listed: dict[str, Registration] = {}
        self.on_expired: Callable[[str], None] | None = None

    def register(self, extension: str, *, ip: str, port: int, agent: str, expires: int) -> None:
        """Take a REGISTER; tells ``sofia::register`` at once."""
        self._drop(extension)
        registration = Registration(
            extension,
            f"{extension}-reg",
            f'"" <sip:{extension}@{ip}:{port}>',
            ip,
            port,
            agent,
            self._clock.monotonic() + expires,
            int(self._clock.now().timestamp()) + expires + 60,
        )
        self.known[extension] = self.listed[extension] = registration
        # The switch looks for expired ones once in a while: it is late by its margin and its rhythm.
        registration.timer = self._clock.after(expires + 60, self._expired, registration)
        self._bus.fire(
            "CUSTOM",
            subclass="sofia::register",
            extra={
                "profile-name": "internal",
                "from-user": extension,
                "from-host": self.domain,
                "presence-hosts": "n/a",
                "contact": registration.contact,
                "call-id": registration.call_id,
                "rpid": "unknown",
                "status": "Registered(UDP)",
                "expires": str(expires),
                "to-user": extension,
                "to-host": self.domain,
                "network-ip": ip,
                "network-port": str(port),
                "username": extension,
                "realm": self.domain,
                "user-agent": agent,
            },
        )

    def unregister(self, extension: str) -> None:
        """Take a REGISTER with ``Expires: 0``."""
        self.listed.pop(extension, None)
        registration = self._drop(extension)
        if registration is None:
            return
        self._bus.fire(
            "CUSTOM",
            subclass="sofia::unregister",
            extra={
                "profile-name": "internal",
                "from-user": extension,
                "from-host": self.domain,
                "contact": registration.contact,
                "call-id": registration.call_id,
                "rpid": "unknown",
                "expires": "0",
            },
        )

    def silent(self, extension: str) -> None:
        """The phone answers nothing from now on: the next question finds out."""
        registration = self.known.get(extension)
        if registration is not None and registration.silence is None:
            registration.silence = self._clock.after(PING + SILENCE, self._unreachable, registration)

    def _unreachable(self, registration: Registration) -> None:
        extension = registration.extension
        self._bus.fire(
            "CUSTOM",
            subclass="sofia::sip_user_state",
            extra={
                "sip_contact": registration.contact,
                "event-type": "presence",
                "profile-name": "internal",
                "from-user": extension,
                "from-host": self.domain,
                "call-id": registration.call_id,
                "Ping-Status": "UNREACHABLE",
            },
        )
        registration.silence = self._clock.after(0.5, self._forget, registration)

    def _expired(self, registration: Registration) -> None:
        if self.listed.get(registration.extension) is registration:
            del self.listed[registration.extension]
        self._forget(registration)

    def _forget(self, registration: Registration) -> None:
        if self.known.get(registration.extension) is not registration:
            return
        del self.known[registration.extension]
        self._bus.fire(
            "CUSTOM",
            subclass="sofia::expire",
            extra={
                "profile-name": "internal",
                "call-id": registration.call_id,
                "user": registration.extension,
                "host": self.domain,
                "contact": registration.contact,
                "expires": str(registration.expires_epoch),
                "user-agent": registration.agent,
            },
        )

    def _drop(self, extension: str) -> Registration | None:
        registration = self.known.pop(extension, None)
        if registration is not None:
            for timer in (registration.timer, registration.silence):
                if timer is not None:
                    timer.cancel()
        return registration

    def stop(self) -> None:
        for registration in [*self.known.values(), *self.listed.values()]:
            for timer in (registration.timer, registration.silence):
                if timer is not None:
                    timer.cancel()
        self.known.clear()
        self.listed.clear()

    def rows(self, hostname: str) -> list[dict[str, str]]:
        """As ``show registrations`` lists them."""
        return [
            {
                "reg_user": one.extension,
                "realm": self.domain,
                "token": one.call_id,
                "url": f"sofia/internal/sip:{one.extension}@{one.ip}:{one.port}",
                "expires": str(one.expires_epoch),
                "network_ip": one.ip,
                "network_port": str(one.port),
                "network_proto": "udp",
                "hostname": hostname,
                "metadata": "",
            }
            for one in self.listed.values()
        ]

    def report(self) -> str:
        """As ``sofia status profile internal reg`` prints them."""
        line = "=" * 97
        text = f"\nRegistrations:\n{line}\n"
        now = self._clock.monotonic()
        for one in self.known.values():
            text += (
                f"Call-ID:    \t{one.call_id}\nUser:       \t{one.extension}@{self.domain}\n"
                f"Contact:    \t{one.contact}\nAgent:      \t{one.agent}\n"
                f"Status:     \tRegistered(UDP)(unknown) EXPSECS({int(one.ends - now) + 60})\n"
                f"Ping-Status:\tReachable\nPing-Time:\t0.00\nHost:       \tsimulator\n"
                f"IP:         \t{one.ip}\nPort:       \t{one.port}\nAuth-User:  \t{one.extension}\n"
                f"Auth-Realm: \t{self.domain}\nMWI-Account:\t{one.extension}@{self.domain}\n\n"
            )
        return f"{text}Total items returned: {len(self.known)}\n{line}\n\n"
