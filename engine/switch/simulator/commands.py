"""A command that waits for its channel: what ``sendmsg`` asked for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Command:
    """One ``sendmsg``. ``kind`` is its call-command; ``arg`` the argument (for a hang-up: the cause)."""

    kind: str
    app: str = ""
    arg: str = ""
    event_uuid: str = ""
    event_uuid_name: str = ""
    lock: bool = False
    loops: int = 1
    loop: int = 0
    inner: bool = False  # runs inside another command's application: a break goes on to that one
