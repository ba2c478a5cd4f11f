"""The simulated switch itself: what a core of FreeSWITCH holds, and the deeds that concern several parts."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote
from uuid import UUID

from engine.clock import Clock, Timer
from engine.switch.simulator import dialplan
from engine.switch.simulator.api import COMMANDS, MODULES, run
from engine.switch.simulator.applications import APPLICATIONS
from engine.switch.simulator.channels import Channel
from engine.switch.simulator.conference import Rooms
from engine.switch.simulator.digits import split_commas
from engine.switch.simulator.events import Bus, Headers
from engine.switch.simulator.hashes import Hashes
from engine.switch.simulator.listings import channel_row
from engine.switch.simulator.originate import Originate
from engine.switch.simulator.party import Party
from engine.switch.simulator.profile import Profile, Times
from engine.switch.simulator.registrations import Registrations
from engine.switch.simulator.scheduler import Scheduler

HEARTBEAT = 20.0  # seconds


class Callee(Protocol):
    """Where an originate leads: a phone, or somebody behind a gateway."""

    @property
    def party(self) -> Party: ...

    def attach(self, channel: Channel, originate: Originate) -> None: ...

    def called(self) -> None: ...


@dataclass(slots=True)
class Gone:
    """A channel that ended, for as long as listings still show it."""

    at: float
    row: dict[str, str]


class Switch:
    """Channels and everything beside them. It has no sockets and no people; others bring those."""

    def __init__(
        self,
        clock: Clock,
        *,
        seed: int = 0,
        gateways: Iterable[str] = ("pstn",),
        show_lag: float = 0.25,
        record_limit: float | None = None,
        hostname: str = "simulator",
    ) -> None:
        self.clock = clock
        self.hostname = hostname
        self.gateways = frozenset(gateways)
        self.show_lag = show_lag
        self.record_limit = record_limit
        self.random = random.Random(seed)
        self.core_uuid = self.new_uuid()
        self.bus = Bus(clock, self.core_uuid, hostname)
        self.applications = APPLICATIONS
        self.commands = COMMANDS
        self.modules = set(MODULES)  # loaded
        self.lacks: set[str] = set()  # modules that this switch does not have, for tests
        self.channels: dict[str, Channel] = {}
        self.gone: deque[Gone] = deque()
        self.globals: dict[str, str] = {"hostname": hostname, "core_uuid": self.core_uuid, "domain": "local"}
        self.hashes = Hashes()
        self.scheduler = Scheduler(clock, self.bus)
        self.registrations = Registrations(clock, self.bus)
        self.conferences = Rooms()
        self.api_expansion = False  # as the shipped configuration has it
        self.paused: set[str] = set()  # "inbound", "outbound": no new calls
        self.sessions = 0
        self.peak = 0
        self.started = clock.monotonic()
        self.calls_to: Callable[[str, str, str], Callee] | None = None
        self._beat: Timer | None = clock.after(HEARTBEAT, self._heartbeat)

    # -- small things -----------------------------------------------------------------------------

    def new_uuid(self) -> str:
        """A UUID of version 4 from the seed."""
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def new_session(self) -> str:
        """The next session number."""
        self.sessions += 1
        return str(self.sessions)

    def expansion(self, denied: str) -> Callable[[str, str], str]:
        """What becomes of ``${name(argument)}``: the command's answer, or that it is denied."""

        def api(name: str, argument: str) -> str:
            if not self.api_expansion:
                return denied
            answer = run(self, f"{name} {argument}".strip())
            return answer if isinstance(answer, str) else ""

        return api

    def keep(self, channel: Channel) -> None:
        """A channel was born."""
        self.channels[channel.uuid] = channel
        self.peak = max(self.peak, len(self.channels))

    def forget(self, channel: Channel) -> None:
        """A channel is gone; for a moment the listings still show it."""
        self.channels.pop(channel.uuid, None)
        self.scheduler.delete(channel.uuid)
        if self.show_lag > 0:
            self.gone.append(Gone(self.clock.monotonic(), channel_row(channel)))
            while len(self.gone) > 200 and self.gone[0].at + self.show_lag < self.clock.monotonic():
                self.gone.popleft()

    def _heartbeat(self) -> None:
        self._beat = self.clock.after(HEARTBEAT, self._heartbeat)
        heard = self.bus.heard("HEARTBEAT")  # in months of virtual time without an engine nobody does
        self.bus.fire("HEARTBEAT", extra=self._vitals() if heard else None)

    def _vitals(self) -> Headers:
        return {
            "Event-Info": "System Ready",
            "Up-Time": self.up_time(),
            "FreeSWITCH-Version": "1.11.2-dev~64bit",
            "Uptime-msec": str(int((self.clock.monotonic() - self.started) * 1000)),
            "Session-Count": str(len(self.channels)),
            "Max-Sessions": "1000",
            "Session-Per-Sec": "30",
            "Session-Per-Sec-Last": "0",
            "Session-Per-Sec-Max": "0",
            "Session-Per-Sec-FiveMin": "0",
            "Session-Since-Startup": str(self.sessions),
            "Session-Peak-Max": str(self.peak),
            "Session-Peak-FiveMin": str(self.peak),
            "Idle-CPU": "98.000000",
        }

    def up_time(self) -> str:
        """The time since the start, in the switch's words."""
        micro = int((self.clock.monotonic() - self.started) * 1_000_000)
        seconds, micro = divmod(micro, 1_000_000)
        minutes, seconds = divmod(seconds, 60)
        hours, minutes = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        years, days = divmod(days, 365)

        def some(number: int, word: str) -> str:
            return f"{number} {word}{'' if number == 1 else 's'}"

        return ", ".join(
            [
                some(years, "year"),
                some(days, "day"),
                some(hours, "hour"),
                some(minutes, "minute"),
                some(seconds, "second"),
                some(micro // 1000, "millisecond"),
                some(micro % 1000, "microsecond"),
            ]
        )

    def stop(self) -> None:
        """Stop the timers of the core."""
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None
        self.scheduler.stop()
        self.registrations.stop()

    # -- calls ------------------------------------------------------------------------------------

    def arrive(
        self,
        party: Party,
        number: str,
        *,
        caller: str,
        name: str = "",
        profile: str = "external",
        context: str = "trunk",
        variables: dict[str, str] | None = None,
        channel_name: str = "",
    ) -> Channel:
        """A call comes in over SIP; the dialplan marks and parks it before this returns."""
        now = round(self.clock.now().timestamp() * 1_000_000)
        user = caller or "anonymous"
        # The SIP stack decodes a name as if it were part of a URL, and takes the sting out of expressions.
        name = unquote(name).replace("${", "%{")
        channel_name = channel_name or f"sofia/{profile}/{user}@127.0.0.1"
        channel = Channel(
            self,
            Profile(
                uuid=self.new_uuid(),
                direction="inbound",
                username=user,
                caller_id_name=name or user,
                caller_id_number=user,
                orig_caller_id_name=name or user,
                orig_caller_id_number=user,
                network_addr="127.0.0.1",
                ani=user,
                destination_number=number,
                source="mod_sofia",
                context=context,
                channel_name=channel_name,
                times=Times(profile_created=now, created=now),
            ),
            party,
        )
        channel.variables.update(self._sip_variables(channel, number, user, name, profile, now))
        if variables:
            channel.variables.update(variables)
        self.keep(channel)
        channel.set_state("CS_INIT")
        channel.state_number = 2
        channel.fire("CHANNEL_CREATE")
        channel.state = "CS_ROUTING"
        channel.set_callstate("RINGING")
        channel.set("DP_MATCH", [number, number])
        self.route(channel, number, "XML", context)
        return channel

    def _sip_variables(
        self, channel: Channel, number: str, user: str, name: str, profile: str, now: int
    ) -> dict[str, str]:
        display = name or user
        return {
            "direction": "inbound",
            "uuid": channel.uuid,
            "session_id": self.new_session(),
            "sip_from_user": user,
            "sip_from_uri": f"{user}@127.0.0.1",
            "sip_from_host": "127.0.0.1",
            "channel_name": channel.name,
            "sip_call_id": f"{channel.uuid}@127.0.0.1",
            "sip_network_ip": "127.0.0.1",
            "sip_invite_stamp": str(now),
            "sip_received_ip": "127.0.0.1",
            "sip_via_protocol": "udp",
            "sofia_profile_name": profile,
            "sip_from_display": display,
            "sip_full_from": f'"{display}" <sip:{user}@127.0.0.1>',
            "sip_full_to": f"<sip:{number}@127.0.0.1>",
            "sip_req_user": number,
            "sip_req_uri": f"{number}@127.0.0.1",
            "sip_to_user": number,
            "sip_to_uri": f"{number}@127.0.0.1",
            "sip_contact_user": user,
            "max_forwards": "70",
            "read_codec": "PCMU",
            "read_rate": "8000",
            "write_codec": "PCMU",
            "write_rate": "8000",
            "dtmf_type": "rfc2833",
            "endpoint_disposition": "RECEIVED",
            "call_uuid": channel.uuid,
        }

    def plan_for(self, context: str, number: str, gateway: str = "") -> dialplan.Plan | None:
        """What the dialplan has a call to ``number`` run; None: no route."""
        return dialplan.lookup(context, number, gateway, led=self.globals.get("il_led") == "true")

    def route(self, channel: Channel, number: str, plan: str, context: str) -> None:
        """Send a channel that runs nothing through the dialplan."""
        channel.promise = None
        channel.set_state("CS_ROUTING")
        channel.set_callstate("RINGING")
        gateway = str(channel.variables.get("sip_acl_authed_by", ""))
        steps = (
            dialplan.inline(number) if plan.lower() == "inline" else self.plan_for(context, number, gateway)
        )
        if steps is None:
            channel.hangup("NO_ROUTE_DESTINATION")
            return
        channel.party.context(context if plan.lower() != "inline" else "inline")
        channel.plan = deque(steps)
        if channel.answer_state == "answered":
            channel.set_callstate("ACTIVE")
        channel.set_state("CS_EXECUTE")
        channel.follow_plan()

    def transfer(self, channel: Channel, number: str, plan: str = "", context: str = "") -> None:
        """Transfer at the next frame. An outbound leg is turned round, as if its phone had called."""
        if channel.hangup_cause:
            return
        profile = channel.profile
        plan = plan or profile.dialplan or "XML"
        context = context or profile.context or "default"
        former = profile.destination_number
        profile.index += 1
        profile.times.profile_created = profile.times.transfer = channel.microseconds()
        profile.destination_number, profile.dialplan, profile.context = number, plan, context
        seconds = channel.microseconds() // 1_000_000
        profile.transfer_source = f"{seconds}:{self.new_uuid()}:bl_xfer:{number}/{context}/{plan}"
        channel.touched()
        channel.set("transfer_history", profile.transfer_source)
        channel.set("transfer_source", profile.transfer_source)

        def go() -> None:
            if plan.lower() == "inline":  # the number was a plan: the call keeps the one it had
                profile.destination_number = former
                channel.touched()
            self.route(channel, number, plan, context)

        channel.promise = None
        channel.interrupt("CS_ROUTING", go)

    def schedule_transfer(self, channel: Channel, when: int, number: str, plan: str, context: str) -> int:
        """``sched_transfer``: the number of the task."""
        uuid = channel.uuid

        def deed() -> None:
            found = self.channels.get(uuid)
            if found is not None:
                self.transfer(found, number, plan, context)

        return self.scheduler.add(when, "switch_ivr_schedule_transfer", uuid, deed).id

    def schedule_hangup(self, channel: Channel, when: int, cause: str) -> int:
        """``sched_hangup``: the number of the task."""
        uuid = channel.uuid

        def deed() -> None:
            found = self.channels.get(uuid)
            if found is not None:
                found.hangup(cause)

        return self.scheduler.add(when, "switch_ivr_schedule_hangup", uuid, deed).id

    def callee(self, extension: str, gateway: str, destination: str) -> Callee:
        """Who is reached at a registered extension or behind a gateway."""
        assert self.calls_to is not None
        return self.calls_to(extension, gateway, destination)

    def fire_event_application(self, channel: Channel, text: str) -> None:
        """``event Header=value,…``: an event of the dialplan's own making."""
        fields = [item.partition("=") for item in split_commas(text)]
        headers = {name.strip(): value for name, has, value in fields if has}
        name = headers.pop("Event-Name", "CHANNEL_APPLICATION")
        subclass = headers.pop("Event-Subclass", "")
        self.bus.fire(name, channel, headers, subclass=subclass)

    def epoch(self) -> int:
        """The wall clock in whole seconds."""
        return math.floor(self.clock.now().timestamp())
