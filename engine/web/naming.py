"""Finding a call or a recording by what lists show of its id: people don't type 36 signs."""

from __future__ import annotations

import re
from typing import Any

from engine.errors import NotFound
from engine.store import queries

SHORTEST = 4  # signs of a beginning
_RECORDING = re.compile(r"(?P<call>[0-9a-f-]+)-(?P<part>[0-9]{1,4})\Z")


def cdr_named(session: Any, name: str) -> Any:
    """The CDR of the call of that id, or of the only one whose id begins so. :class:`NotFound` else."""
    found = queries.cdr(session, name)
    if found is not None:
        return found
    near = queries.cdrs_beginning(session, name) if len(name) >= SHORTEST else []
    return _only(near, name, "call")


def recording_named(session: Any, name: str) -> Any:
    """The recording of that id, or the only one of ``<beginning of the call>-<part>`` or of a beginning alone."""
    found = queries.recording(session, name)
    if found is not None:
        return found
    near: list[Any] = []
    if len(name) >= SHORTEST:
        near = queries.recordings_beginning(session, name)
        short = _RECORDING.match(name)
        if not near and short is not None and len(short["call"]) >= SHORTEST:
            near = queries.recordings_beginning(session, short["call"], int(short["part"]))
    return _only(near, name, "recording")


def _only(near: list[Any], name: str, what: str) -> Any:
    if not near:
        raise NotFound(f"there is no {what} {name}")
    if len(near) > 1:
        raise NotFound(f"more than one {what} begins with {name}")
    return near[0]
