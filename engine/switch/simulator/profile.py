"""A channel's caller profile: who calls whom, and when what happened to the channel."""

from __future__ import annotations

from dataclasses import dataclass, field, replace


@dataclass(slots=True)
class Times:
    """Moments in microseconds since the epoch; 0: has not happened."""

    profile_created: int = 0
    created: int = 0
    answered: int = 0
    progress: int = 0
    progress_media: int = 0
    hangup: int = 0
    transfer: int = 0
    bridged: int = 0


@dataclass(slots=True)
class Profile:
    """The fields of switch_caller_profile that events carry as ``Caller-…`` and ``Other-Leg-…``."""

    uuid: str
    direction: str
    caller_id_name: str
    caller_id_number: str
    destination_number: str
    context: str
    source: str
    channel_name: str
    username: str = ""
    dialplan: str = "XML"
    orig_caller_id_name: str = ""
    orig_caller_id_number: str = ""
    callee_id_name: str = ""
    callee_id_number: str = ""
    network_addr: str = ""
    ani: str = ""
    transfer_source: str = ""
    logical_direction: str = ""
    index: int = 1
    times: Times = field(default_factory=Times)

    def headers(self, prefix: str, *, own: bool = True) -> dict[str, str]:
        """The profile as event headers; empty fields are left out, as the switch leaves them out."""
        times = self.times
        optional = {
            "Username": self.username,
            "Dialplan": self.dialplan,
            "Caller-ID-Name": self.caller_id_name,
            "Caller-ID-Number": self.caller_id_number,
            # Beside a number that is there only: switch_caller.c, switch_caller_profile_event_set_data.
            "Orig-Caller-ID-Name": self.orig_caller_id_name if self.caller_id_name else "",
            "Orig-Caller-ID-Number": self.orig_caller_id_number if self.caller_id_number else "",
            "Callee-ID-Name": self.callee_id_name,
            "Callee-ID-Number": self.callee_id_number,
            "Network-Addr": self.network_addr,
            "ANI": self.ani,
            "Destination-Number": self.destination_number,
            "Unique-ID": self.uuid,
            "Source": self.source,
            "Transfer-Source": self.transfer_source if own else "",
            "Context": self.context,
            "Channel-Name": self.channel_name,
        }
        headers = {
            f"{prefix}-Direction": self.direction,
            f"{prefix}-Logical-Direction": self.logical_direction or self.direction,
        }
        headers.update({f"{prefix}-{name}": value for name, value in optional.items() if value})
        if own:
            headers[f"{prefix}-Profile-Index"] = str(self.index)
        headers.update(
            {
                f"{prefix}-Profile-Created-Time": str(times.profile_created),
                f"{prefix}-Channel-Created-Time": str(times.created),
                f"{prefix}-Channel-Answered-Time": str(times.answered),
                f"{prefix}-Channel-Progress-Time": str(times.progress),
                f"{prefix}-Channel-Progress-Media-Time": str(times.progress_media),
                f"{prefix}-Channel-Hangup-Time": str(times.hangup),
                f"{prefix}-Channel-Transfer-Time": str(times.transfer),
                f"{prefix}-Channel-Resurrect-Time": "0",
                f"{prefix}-Channel-Bridged-Time": str(times.bridged),
                f"{prefix}-Channel-Last-Hold": "0",
                f"{prefix}-Channel-Hold-Accum": "0",
                f"{prefix}-Screen-Bit": "true",
                f"{prefix}-Privacy-Hide-Name": "false",
                f"{prefix}-Privacy-Hide-Number": "false",
            }
        )
        return headers

    def copy(self) -> Profile:
        """A copy that later changes of this one don't reach."""
        return replace(self, times=replace(self.times))
