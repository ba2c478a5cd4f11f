"""Who calls, and who may know: a caller's number that is withheld until the flow says so, or for good.

Where the dialplan says ``identity: deferred``, the number is in this engine's memory and nowhere else:
``call.number`` is "" for everything that writes, and the channel's variables, caller profile and name, which the
switch filled in before anybody could say that it must not, are written over at once. ``identity: release`` gives
the number out; ``identity: discard`` forgets it for good.

What can't be written over is what the caller profile began with (``orig_caller_id_number``): it stays in the switch's
memory until the call ends, and no event or dump shows it while ``caller_id_number`` is empty. An engine that takes
a deferred call up has the number from there. And with every request that the caller's side sends (its ACK, its BYE)
the switch sets ``sip_full_from`` and ``sip_from_display`` anew: in its memory, and written nowhere.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import orjson
import structlog

from engine.calls.call import Call
from engine.errors import SwitchError
from engine.esl import commands
from engine.flows.numbers import Numbers
from engine.types import PartyView

if TYPE_CHECKING:
    from engine.flows.run import Run

log = structlog.get_logger(__name__)

AT_ONCE, DEFERRED, DISCARDED = 0, 1, 2
"""How a call's identity stands in its place on the channel (``i``)."""

# The engine's own variables, the call's ids and the sound's addresses: nobody's number stands in them.
_KEPT: Final = re.compile(
    r"il_(?!phone\Z)|(?:sip_call_id|uuid|call_uuid|session_id)\Z|rtp_|local_media|remote_media"
)
_VARIABLE: Final = re.compile(r"[A-Za-z0-9_.-]+")
_PLAIN: Final = re.compile(r"[\w+*#. -]+")
_PROFILE: Final = ("caller_id_number", "caller_id_name", "ani", "username")
WIPED: Final = 2.0
"""Seconds that the switch may take for it."""
LONG: Final = 7
"""Digits from which on a run of them is somebody's number wherever it stands; fewer must stand alone."""


def defer(call: Call, number: str, numbers: Numbers) -> None:
    """Withhold who calls, from the first ring on. ``number`` is the caller's as E.164."""
    raw, name = call.number, call.name
    call.withheld = (number, name)
    call.number = call.name = ""
    call.hidden = True
    wipe(call, forms(numbers, number, raw), name)


def release(run: Run) -> None:
    """The flow says that the number may be known from here on. Nothing happens where it is known, or discarded."""
    call = run.call
    if not run.deferred or run.discarded:
        return
    number, name = call.withheld if call.withheld is not None else _still_known(run)
    run.deferred = call.hidden = False
    call.number, call.name, call.withheld = number, name, None
    # Back on the channel, where an engine after this one looks for it.
    for field, value in (("caller_id_number", number), ("caller_id_name", name)):
        if _PLAIN.fullmatch(value):
            call.run("set_profile_var", f"{field}={value}")
    call.later(commands.uuid_setvar(call.id, "ignore_display_updates", ""))
    call.journal("identity.released", number=number)


def discard(run: Run) -> None:
    """Forget who calls, for good: here, and on the channel. What was written before, of a call that was not
    deferred, stays written."""
    call = run.call
    if run.discarded:
        return
    numbers = run.services.numbers
    if call.leg.gone is None:
        if not run.deferred:
            defer(call, call.number, numbers)
        else:
            # Once more: with every request of the call the switch sets two of its variables anew.
            number, name = call.withheld if call.withheld is not None else _still_known(run)
            wipe(call, forms(numbers, number, number), name)
    run.deferred = run.discarded = call.hidden = True
    call.number = call.name = ""
    call.withheld = None
    know(run, None)
    call.journal("identity.discarded")


def know(run: Run, party: PartyView | None) -> None:
    """Who calls is known (or, with None, not any more). The numbers of one who does not give theirs are left out."""
    if party is not None and run.deferred:
        party = replace(party, numbers=())
    run.party = run.call.party = party


def told(run: Run) -> dict[str, object]:
    """What the journal may say of who calls."""
    party = run.party
    if party is None or run.deferred:
        return {}
    return {"party": party.id, "of": party.kind, "code": party.code, "tier": party.tier}


def origin(run: Run) -> str:
    """Where wrong PINs come from, to be counted: the caller's number, or what nobody can read it from."""
    parties, call = run.services.parties, run.call
    if parties is None or run.discarded:
        return ""
    return parties.hidden(call.withheld[0]) if call.withheld is not None else call.number


def wipe(call: Call, numbers: frozenset[str], name: str) -> None:
    """Take these numbers (digits) and the caller's name off the channel."""
    headers: dict[str, str] = orjson.loads(call.ask(commands.uuid_dump(call.id)))
    for header, value in headers.items():
        variable = header.removeprefix("variable_")
        if variable == header or _KEPT.match(variable) or not _VARIABLE.fullmatch(variable):
            continue
        if tells(str(value), numbers) or (name and name in str(value)):
            call.later(commands.uuid_setvar(call.id, variable, ""))
    for field in _PROFILE:
        call.run("set_profile_var", f"{field}=")
    # The name stands in two places: the channel's, and that of the profile that every event shows.
    call.run("set_name", f"caller/{call.id}")
    call.run("set_profile_var", f"chan_name=caller/{call.id}")
    # Whoever is bridged with this call is not told by the switch either.
    call.later(commands.uuid_setvar(call.id, "ignore_display_updates", "true"))
    # Not before it is done may anything else happen to the call, its end included.
    call.wait_behind(WIPED)


def tells(text: str, numbers: frozenset[str]) -> bool:
    """Whether one of the numbers stands in ``text``."""
    for number in numbers:
        if len(number) >= LONG:
            if number in text:
                return True
        elif re.search(rf"(?<!\d){re.escape(number)}(?!\d)", text):
            return True
    return False


def forms(numbers: Numbers, number: str, raw: str) -> frozenset[str]:
    """The digits that a number may be written with: as it came, with its country code, and without it."""
    found = {number.removeprefix("+"), re.sub(r"\D", "", raw)}
    if number.startswith("+"):
        found.add(numbers.national(number))
    return frozenset(found - {""})


def _still_known(run: Run) -> tuple[str, str]:
    """What an earlier engine held in its memory: the switch's still has it."""
    call = run.call
    # It is shown only beside a number that is there.
    for field in ("caller_id_number", "caller_id_name"):
        call.run("set_profile_var", f"{field}=0")
    call.wait_behind(WIPED)
    try:
        headers: dict[str, str] = orjson.loads(call.ask(commands.uuid_dump(call.id)))
    except (SwitchError, ValueError) as error:
        log.warning("identity.not_found_again", call=call.id, error=str(error))
        return "", ""
    number = headers.get("Caller-Orig-Caller-ID-Number", "")
    return run.services.numbers.e164(number), headers.get("Caller-Orig-Caller-ID-Name", "")


__all__ = [
    "DEFERRED",
    "DISCARDED",
    "defer",
    "discard",
    "forms",
    "know",
    "origin",
    "release",
    "tells",
    "told",
    "wipe",
]
