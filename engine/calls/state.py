"""A call's place in its flow, as it is kept in a variable of the call's own channel.

The switch unescapes, splits and expands what it is given (`uuid_setvar` drops paired apostrophes and
reads ``ARRAY::``), and it reads a command's line byte by byte, which made the state the dearest part of a
step (docs/decisions/0005). So plain fields travel as they are, ``f:logistics/main~b:track~s=2``, and only what
needs more (names, outer flows, a queue's place) as base64url of compact JSON behind them. It is capped,
because every event of the channel carries it: what doesn't fit belongs in the store.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

import orjson

VARIABLE = "il_state"
LIMIT = 512
"""Bytes of the encoded state: the switch's cost of an event grows beyond it (see docs/decisions)."""


class StateTooLarge(ValueError):
    """The state doesn't fit in its variable; the caller moves its variables to the store."""


class StateUnreadable(ValueError):
    """The variable holds no state of ours: truncated, foreign, or from another version."""


_PLAIN = re.compile(r"[A-Za-z0-9_./+-]*\Z")
_KEY = re.compile(r"[A-Za-z]\Z")
_REST = "_:"


def encode(state: Mapping[str, Any]) -> str:
    """``state`` (JSON types only; short keys are cheap) as text for the channel; :class:`StateTooLarge` beyond
    ``LIMIT`` bytes."""
    fields, rest = [], {}
    for key, value in state.items():
        if not _KEY.match(key):
            rest[key] = value
        elif type(value) is int:
            fields.append(f"{key}={value}")
        elif type(value) is str and _PLAIN.match(value):
            fields.append(f"{key}:{value}")
        else:
            rest[key] = value
    if rest or not fields:
        fields.append(_REST + base64.urlsafe_b64encode(orjson.dumps(rest)).rstrip(b"=").decode("ascii"))
    text = "~".join(fields)
    if len(text) > LIMIT:
        raise StateTooLarge(len(text))
    return text


def decode(text: str) -> dict[str, Any]:
    """What :func:`encode` was given; :class:`StateUnreadable` for anything else."""
    state: dict[str, Any] = {}
    try:
        for part in text.split("~"):
            key, kind, value = part[:1], part[1:2], part[2:]
            if part.startswith(_REST):
                state |= _rest(value)
            elif kind == "=":
                state[key] = int(value)
            elif kind == ":" and _PLAIN.match(value):
                state[key] = value
            else:
                raise StateUnreadable("a field without a kind")
    except (binascii.Error, TypeError, ValueError) as error:
        raise StateUnreadable(str(error)) from None
    return state


def _rest(text: str) -> dict[str, Any]:
    """The fields that needed JSON."""
    raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    rest = orjson.loads(raw)
    if not isinstance(rest, dict):
        raise StateUnreadable("not an object")
    return rest
