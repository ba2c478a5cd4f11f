"""The end of a channel: what CHANNEL_HANGUP_COMPLETE accounts for, and its disappearance."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from engine.switch.simulator.causes import Q850

if TYPE_CHECKING:
    from engine.switch.simulator.channels import Channel


# What holding and resurrecting a channel would account for; neither happens here.
_NEVER = {
    "last_hold_epoch": "0",
    "last_hold_uepoch": "0",
    "hold_accum_seconds": "0",
    "hold_accum_usec": "0",
    "hold_accum_ms": "0",
    "resurrect_epoch": "0",
    "resurrect_uepoch": "0",
}


def finish(channel: Channel) -> None:
    """Report a channel that was hung up and has stopped everything, and forget it."""
    channel.set_state("CS_HANGUP")
    for recording in list(channel.recordings.values()):
        recording.stop()
    channel.set_callstate("HANGUP")
    channel.set_state("CS_REPORTING")
    _account(channel)
    channel.fire("CHANNEL_HANGUP_COMPLETE")
    if channel.originate is not None:
        channel.originate.over(channel.hangup_cause)
    channel.state_number = 12
    channel.fire("CHANNEL_DESTROY")
    channel.set_state("CS_DESTROY")
    channel.gone = True
    for listener in list(channel.eavesdroppers):
        listener.target_gone()
    channel.switch.forget(channel)
    for mourner in channel.mourners:
        mourner()
    channel.party.over(channel.hangup_cause)


def _account(channel: Channel) -> None:
    """The variables of a channel's account, as set_call_detail of the switch names and counts them."""
    times = channel.profile.times
    end = times.hangup
    variables: dict[str, str] = {}

    def stamp(name: str, moment: int) -> None:
        if moment:
            variables[f"{name}_stamp"] = datetime.fromtimestamp(moment // 1_000_000, UTC).strftime(
                "%Y-%m-%d %H:%M:%S"
            )

    variables["hangup_cause"] = channel.hangup_cause
    variables["hangup_cause_q850"] = str(Q850.get(channel.hangup_cause, 16))
    variables["digits_dialed"] = _filtered("".join(channel.dialled_keys), channel.get("digits_dialed_filter"))
    moments = {
        "start": times.created,
        "profile_start": times.profile_created,
        "answer": times.answered,
        "bridge": times.bridged,
        "progress": times.progress,
        "progress_media": times.progress_media,
        "end": end,
    }
    for name, moment in moments.items():
        stamp(name, moment)
    for name, moment in moments.items():
        variables[f"{name}_epoch"] = str(moment // 1_000_000)
        variables[f"{name}_uepoch"] = str(moment)
    variables.update(_NEVER)
    if channel.last_app:
        variables["last_app"] = channel.last_app
        if channel.last_arg:
            variables["last_arg"] = channel.last_arg
    profile = channel.profile
    variables["caller_id"] = f'"{profile.caller_id_name}" <{profile.caller_id_number}>'
    total = end - times.created
    spans = {
        "duration": total,
        "bill": end - times.answered if times.answered else 0,
        "progress": times.progress - times.created if times.progress else 0,
        "answer": times.answered - times.created if times.answered else 0,
        "wait": times.bridged - times.created if times.bridged else 0,
        "progress_media": times.progress_media - times.created if times.progress_media else 0,
        "flow_bill": total,
    }
    for name, span in spans.items():
        span = max(0, span)
        whole = name == "duration"
        variables["duration" if whole else f"{name}sec"] = str(span // 1_000_000)
        variables["mduration" if whole else f"{name}msec"] = str(span // 1_000)
        variables["uduration" if whole else f"{name}usec"] = str(span)
    channel.variables.update(variables)


def _filtered(keys: str, pattern: str | None) -> str:
    """The keys that were pressed, with an X for each that ``digits_dialed_filter`` matches; "none" without any."""
    found = re.search(pattern, keys) if pattern and keys else None
    for group in (found.group(), *found.groups()) if found is not None else ():
        if group:
            keys = keys.replace(group, "X" * len(group))
    return keys or "none"
