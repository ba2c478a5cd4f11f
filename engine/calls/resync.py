"""From a snapshot of the switch to the truth about every call.

``show channels`` lags behind by a third of a second, both for new and for gone channels, and some of its
columns go stale. So it only says whom to ask about: each channel that matters is asked for by ``uuid_dump``,
which is exact, and who talks to whom by ``show bridged_calls``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog

from engine.calls import state as place
from engine.calls.call import Resumption
from engine.calls.leg import Leg
from engine.calls.registry import AGENT, CALLBACK, FALLBACK_CONTEXT, FELL_BACK, MARK, OWNER, Calls
from engine.calls.signals import Answered, Bridged, Gone, Parked, Unbridged
from engine.errors import SwitchError
from engine.esl import commands

log = structlog.get_logger(__name__)

Dump = Mapping[str, str]

ON_ITS_WAY = 0.3
"""Seconds in which an event that is on its way arrives."""


class Channel:
    """One channel as ``uuid_dump`` shows it; reads like an event."""

    name = "CHANNEL_DATA"

    def __init__(self, headers: Dump) -> None:
        self.headers = headers

    @property
    def uuid(self) -> str:
        return self.headers.get("Unique-ID", "")

    def get(self, header: str, default: str | None = None) -> str | None:
        return self.headers.get(header, default)

    def var(self, name: str, default: str | None = None) -> str | None:
        return self.headers.get(f"variable_{name}", default)

    @property
    def handed_over(self) -> bool:
        """Whether the switch moved this call to its fallback."""
        return self.var(FELL_BACK) == "true" or self.get("Caller-Context") == FALLBACK_CONTEXT

    @property
    def dying(self) -> bool:
        return self.headers.get("Channel-State", "") in ("CS_HANGUP", "CS_REPORTING", "CS_DESTROY")


def resync(
    calls: Calls, rows: Iterable[Mapping[str, str]], *, adopt: bool = True, reconcile: bool = True
) -> int:
    """Bring the registry in line with the switch; answers how many calls were adopted.

    ``rows``: what ``show channels`` listed. ``reconcile`` also compares the known legs' facts (needed after
    an outage of the socket, when events were lost; the reaper only looks for what is gone or unknown).
    """
    listed = [uuid for row in rows if (uuid := row.get("uuid"))]
    present = set(listed)
    bridges = _bridges(calls)
    for uuid, leg in list(calls.legs.items()):
        if uuid not in present or reconcile:
            channel = dump(calls, uuid)
            if channel is None or channel.dying:
                # An agent's leg that is only being asked for has no channel yet: its ring has its own limit.
                if (
                    leg.owner
                    and not leg.answered
                    and channel is None
                    and uuid not in present
                    and not reconcile
                ):
                    continue
                if not reconcile and not _unheard(calls, leg):
                    continue
                calls._gone(
                    leg, "LOST" if channel is None else channel.get("Hangup-Cause") or "NORMAL_CLEARING"
                )
            elif channel.handed_over and uuid in calls.calls:
                calls.handed_over(calls.calls[uuid], "the switch took it back")
            elif reconcile:
                _reconcile(calls, leg, channel, bridges)
    if not reconcile:
        _look_for_drift(calls, {row.get("uuid", ""): row.get("state", "") for row in rows}, bridges)
    return _adopt(calls, [uuid for uuid in listed if uuid not in calls.legs], bridges) if adopt else 0


def _unheard(calls: Calls, leg: Leg) -> bool:
    """Whether the hang-up of a leg that is gone was really lost, and not just on its way."""
    calls.clock.sleep(ON_ITS_WAY)
    if leg.gone is not None:
        return False
    calls.mend(leg, "a hang-up was not told")
    return True


def _look_for_drift(calls: Calls, states: Mapping[str, str], bridges: Mapping[str, str]) -> None:
    """Legs that are something else than what is believed of them, twice in a row: events were lost.

    What ``show channels`` says only raises the suspicion; the channel itself is asked before anything is mended.
    """
    suspected: dict[str, str] = {}
    for uuid, leg in list(calls.legs.items()):
        if uuid not in states or leg.gone is not None:
            continue
        what, peer, state = "", bridges.get(uuid, ""), states[uuid]
        if peer != leg.peer:
            what = "a bridge was not told" if peer else "the end of a bridge was not told"
        elif leg.owner and not leg.answered and state in ("CS_EXECUTE", "CS_PARK"):
            what = "an answer was not told"
        elif not peer and not leg.parked and state == "CS_PARK":
            what = "a park was not told"
        if not what:
            continue
        suspected[uuid] = what
        if calls.suspected.get(uuid) != what:
            continue
        channel = dump(calls, uuid)
        if channel is not None and not channel.dying and leg.gone is None and _still(leg, peer, what):
            del suspected[uuid]
            calls.mend(leg, what)
            _reconcile(calls, leg, channel, bridges)
            if what == "an answer was not told" and not leg.parked and not leg.peer:
                leg.tell(Parked())
    calls.suspected = suspected


def _still(leg: Leg, peer: str, what: str) -> bool:
    """Whether no event came meanwhile that explains it."""
    return (leg.peer != peer) if "bridge" in what else not leg.parked


def _adopt(calls: Calls, unknown: list[str], bridges: Mapping[str, str]) -> int:
    callers: list[Channel] = []
    for uuid in unknown:
        channel = dump(calls, uuid)
        if channel is None or channel.dying or channel.handed_over:
            continue
        answered_back = bool(channel.var(CALLBACK)) and channel.get("Answer-State") == "answered"
        if (
            channel.var(OWNER) and not answered_back
        ):  # what we dialled and lead is a call, whoever asked for it
            leg = Leg(uuid, calls.clock, owner=channel.var(OWNER) or "", agent=channel.var(AGENT) or "")
            _learn(leg, channel, bridges)
            calls.legs[uuid] = leg
        elif channel.var(MARK) == "true" or answered_back:
            callers.append(channel)
    for channel in callers:
        if channel.uuid in calls.calls:
            continue  # its CHANNEL_PARK came meanwhile
        call = calls.add(channel)
        if channel.var(OWNER):  # answered when no engine was there to say what it is
            for name, value in ((MARK, "true"), (OWNER, "")):
                call.later(commands.uuid_setvar(call.id, name, value))
        _learn(call.leg, channel, bridges)
        call.arrived = _moment(channel, "Caller-Channel-Created-Time") or call.arrived
        call.answered = _moment(channel, "Caller-Channel-Answered-Time")
        state, text = None, channel.var(place.VARIABLE)
        if text:
            try:
                state = place.decode(text)
            except place.StateUnreadable as error:
                log.warning("call.state_unreadable", call=call.id, error=str(error))
        if text or call.leg.answered:
            call.resumed = Resumption(
                state=state,
                bridged_to=call.leg.peer,
                agent_legs=tuple(
                    (leg.uuid, leg.agent) for leg in calls.legs.values() if leg.owner == call.id
                ),
                parked=call.leg.parked,
                variables={
                    key[9:]: value for key, value in channel.headers.items() if key.startswith("variable_il_")
                },
            )
        else:
            call.later(commands.sched_del(call.id))  # new, and its CHANNEL_PARK was lost
        calls.begin(call)
    owners = {channel.uuid for channel in callers} | set(calls.calls) | calls.pledged
    for leg in list(calls.legs.values()):
        if leg.owner and leg.owner not in owners:
            log.warning("leg.orphan", leg=leg.uuid, owner=leg.owner)
            calls.require_line().post(commands.uuid_kill(leg.uuid, "NORMAL_CLEARING"))
    return sum(1 for channel in callers if calls.calls.get(channel.uuid) is not None)


def _moment(channel: Channel, header: str) -> datetime | None:
    """A time of the switch (microseconds since 1970; 0: it has not happened)."""
    text = channel.get(header) or ""
    return datetime.fromtimestamp(int(text) / 1e6, UTC) if text.isdigit() and int(text) else None


def _learn(leg: Leg, channel: Channel, bridges: Mapping[str, str]) -> None:
    """Take over the facts of a channel that no event told us about."""
    leg.answered = channel.get("Answer-State") == "answered"
    leg.peer = bridges.get(leg.uuid, "")
    leg.parked = not leg.peer and channel.get("Channel-State") in ("CS_PARK", "CS_EXECUTE")


def _reconcile(calls: Calls, leg: Leg, channel: Channel, bridges: Mapping[str, str]) -> None:
    """Tell a known leg what it missed while the socket was away."""
    if channel.get("Answer-State") == "answered" and not leg.answered:
        leg.tell(Answered())
    peer = bridges.get(leg.uuid, "")
    if peer and peer != leg.peer:
        leg.tell(Bridged(peer))
    elif leg.peer and not peer:
        leg.tell(Unbridged(leg.peer))
    if not peer and not leg.parked and channel.get("Channel-State") == "CS_PARK":
        leg.tell(Parked())
    for event_uuid in list(leg.awaited):
        if not peer and event_uuid != leg.music:
            # Still under way, or over unheard: behind it goes a probe, which the lock holds until it is over.
            # (In a talk nothing is under way, and nothing holds a probe back from music, which has no lock.)
            probe(calls, leg, event_uuid)


def probe(calls: Calls, leg: Leg, event_uuid: str) -> None:
    """Make sure that the end of ``event_uuid`` is heard of, even if its own event was lost."""
    calls.require_line().post(
        commands.execute(leg.uuid, *commands.PROBE, event_uuid=event_uuid, lock=True),
    )


def dump(calls: Calls, uuid: str) -> Channel | None:
    """The channel ``uuid`` as it is now; None when there is none."""
    try:
        return channel_of(calls.ask(commands.uuid_dump(uuid), 5.0))
    except SwitchError as error:
        if calls.line is None or not calls.line.up:
            raise
        log.debug("channel.none", uuid=uuid, error=str(error))
        return None


def channel_of(dumped: str) -> Channel | None:
    """The channel that the switch's answer to ``uuid_dump`` shows; None when it shows none."""
    try:
        headers: Any = orjson.loads(dumped)
    except ValueError as error:
        log.debug("channel.unreadable", error=str(error))
        return None
    return Channel(headers)


def bridged_now(calls: Calls, uuid: str) -> str:
    """The leg that ``uuid`` is bridged with at this moment, "" when there is none."""
    return _bridges(calls).get(uuid, "")


def _bridges(calls: Calls) -> dict[str, str]:
    """Who talks to whom: leg -> leg, both ways. Legs, not ``Other-Leg`` headers, which go stale."""
    text = calls.ask(commands.show_bridged_calls(), 5.0)
    try:
        rows: list[dict[str, str]] = orjson.loads(text).get("rows", [])
    except ValueError:
        rows = []
    pairs: dict[str, str] = {}
    for row in rows:
        one, other = row.get("uuid", ""), row.get("b_uuid", "")
        if one and other:
            pairs[one], pairs[other] = other, one
    return pairs


__all__ = ["Channel", "Gone", "bridged_now", "dump", "probe", "resync"]
