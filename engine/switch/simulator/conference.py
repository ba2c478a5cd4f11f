"""``conference``, as far as a three-way call needs it: rooms, members, kick."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.switch.simulator.running import Running

if TYPE_CHECKING:
    from engine.switch.simulator.channels import Channel


@dataclass(slots=True)
class Room:
    """One conference, alive while it has members."""

    name: str
    uuid: str
    members: dict[int, Channel] = field(default_factory=dict)
    least: int = 0  # of members; with fewer the room ends, once there were as many ("mintwo")
    enforced: bool = False


class Rooms:
    """All conferences of the switch."""

    def __init__(self) -> None:
        self.rooms: dict[str, Room] = {}
        self._last_member = 0

    def join(self, channel: Channel, name: str) -> tuple[Room, int]:
        room = self.rooms.get(name)
        if room is None:
            room = self.rooms[name] = Room(name, channel.switch.new_uuid())
        self._last_member += 1
        room.members[self._last_member] = channel
        return room, self._last_member

    def leave(self, room: Room, member: int) -> None:
        room.members.pop(member, None)
        if not room.members:
            self.rooms.pop(room.name, None)

    def kick(self, name: str, who: str) -> str:
        """``conference NAME kick all|last|MEMBER``."""
        room = self.rooms.get(name)
        if room is None:
            return f"-ERR Conference {name} not found\n"
        if who == "all":
            members = list(reversed(room.members))
        elif who.isdecimal() and int(who) in room.members:
            members = [int(who)]
        else:
            return f"-ERR Non-Existant ID {who}\n"
        answer = ""
        for number in members:
            channel = room.members[number]
            answer += f"+OK kicked {number}\n"
            task = next((item for item in channel.stack if isinstance(item, Conference)), None)
            if task is not None:
                task.kicked()
        return answer

    def xml(self) -> str:
        """``conference xml_list``, as far as anybody reads it."""
        text = '<?xml version="1.0"?>\n<conferences>'
        for room in self.rooms.values():
            text += f'<conference name="{room.name}" member-count="{len(room.members)}" uuid="{room.uuid}"><members>'
            for number, channel in room.members.items():
                text += f'<member type="caller"><id>{number}</id><uuid>{channel.uuid}</uuid></member>'
            text += "</members></conference>"
        return text + "</conferences>\n"

    def listing(self) -> str:
        """``conference list``."""
        if not self.rooms:
            return "+OK No active conferences.\n"
        lines = []
        for room in self.rooms.values():
            count = len(room.members)
            lines.append(
                f"+OK Conference {room.name} ({count} member{'s' if count != 1 else ''} rate: 8000 flags: running)\n"
            )
            lines.append(self.members(room.name))
        return "".join(lines)

    def members(self, name: str) -> str:
        """``conference NAME list``: a line for each member."""
        lines = []
        for number, channel in self.rooms[name].members.items():
            profile = channel.profile
            lines.append(
                f"{number};{channel.name};{channel.uuid};{profile.caller_id_name};"
                f"{profile.caller_id_number};hear|speak;0;0;0;0\n"
            )
        return "".join(lines)


class Conference(Running):
    """A member's stay in a room: ``conference NAME@PROFILE``."""

    def start(self) -> None:
        channel = self.channel
        name = self.arg.partition("@")[0].partition("+")[0]
        new = name not in channel.switch.conferences.rooms
        self._room, self._member = channel.switch.conferences.join(channel, name)
        self._inside = True
        self._flags = frozenset(self.arg.partition("+flags{")[2].rstrip("}").split("|"))
        if "mintwo" in self._flags:
            self._room.least = 2
        if self._room.least and len(self._room.members) >= self._room.least:
            self._room.enforced = True
        if new:
            self._tell("conference-create")
        channel.in_conference = True
        channel.set("conference_name", name)
        channel.set("conference_member_id", str(self._member))
        channel.set("conference_uuid", self._room.uuid)
        self._tell("add-member")
        for recording in channel.recordings.values():
            recording.talks(True)

    def _tell(self, action: str) -> None:
        room = self._room
        self.channel.switch.bus.fire(
            "CUSTOM",
            self.channel,
            {
                "Conference-Name": room.name,
                "Conference-Size": str(len(room.members)),
                "Conference-Unique-ID": room.uuid,
                "Action": action,
                "Member-ID": str(self._member),
            },
            subclass="conference::maintenance",
            variables=False,
        )

    def take_keys(self) -> None:
        self.channel.take_key()

    def kicked(self) -> None:
        """Thrown out: what the dialplan has still to run goes on."""
        self._tell("kick-member")
        self._out()
        self.resume()

    def resume(self) -> None:
        channel = self.channel
        if not self._inside and channel.stack and channel.stack[-1] is self:
            channel.finish(self)

    def _out(self) -> None:
        """Leave. The variables stay as they were, and tell of a conference that is over."""
        if not self._inside:
            return
        self._inside = False
        channel = self.channel
        channel.in_conference = False
        channel.switch.conferences.leave(self._room, self._member)
        self._tell("del-member")
        if not self._room.members:
            self._tell("conference-destroy")
        elif "endconf" in self._flags or (self._room.enforced and len(self._room.members) < self._room.least):
            channel.clock.after(0.02, self._end_room)
        for recording in channel.recordings.values():
            recording.talks(False)

    def _end_room(self) -> None:
        """Everybody out; nobody was kicked."""
        for other in list(self._room.members.values()):
            task = next((item for item in other.stack if isinstance(item, Conference)), None)
            if task is not None:
                task._out()
                task.resume()

    def abort(self) -> str | None:
        self._out()
        return None
