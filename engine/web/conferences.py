"""Conferences in the control API: ``GET /conferences``, ``DELETE /conferences/<room>/<member>`` (or ``all``)."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import falcon

from engine.errors import NotFound
from engine.web.answers import say
from engine.web.parts import Parts


def add_conferences(app: falcon.App[Any, Any], parts: Parts) -> None:
    """Add the routes."""
    app.add_route("/conferences", ConferencesResource(parts))
    app.add_route("/conferences/{room}/{member}", MemberResource(parts))


def rooms(parts: Parts) -> list[dict[str, Any]]:
    """The rooms and who is in them, as the switch has it."""
    answer = parts.command("conference xml_list")
    try:
        tree = ElementTree.fromstring(answer[answer.index("<conferences") :])
    except (ValueError, ElementTree.ParseError):
        return []
    numbers = {call.id: call.number for call in parts.calls.views()}
    found = []
    for room in tree.iter("conference"):
        members = [
            {
                "member": int(member.findtext("id") or 0),
                "call": member.findtext("uuid") or "",
                "number": numbers.get(member.findtext("uuid") or "", ""),
            }
            for member in room.iter("member")
            if member.get("type", "caller") == "caller"
        ]
        found.append({"room": room.get("name", ""), "members": members})
    return found


class ConferencesResource:
    """All rooms."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        say(response, rooms(self.parts))


class MemberResource(ConferencesResource):
    """Send somebody out: a caller goes on in the flow, an invited party is hung up."""

    def on_delete(self, request: falcon.Request, response: falcon.Response, room: str, member: str) -> None:
        if (
            re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", room) is None
            or re.fullmatch(r"all|[0-9]{1,9}", member) is None
        ):
            raise NotFound(f"there is no member {member} in {room}")
        known = {one["room"]: [str(who["member"]) for who in one["members"]] for one in rooms(self.parts)}
        if room not in known or member not in (*known[room], "all"):
            raise NotFound(f"there is no member {member} in {room}")
        self.parts.command(f"conference {room} kick {member}")
        say(response, {"room": room, "kicked": known[room] if member == "all" else [member]})
