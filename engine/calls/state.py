"""A call's place in its flow, as it is kept in a variable of the call's own channel.

The switch unescapes, splits and expands what it is given (`uuid_setvar` drops paired apostrophes and
reads ``ARRAY::``), so the state travels as base64url of compact JSON: letters, digits, ``-`` and ``_``
only. It is capped, because every event of the channel carries it: what doesn't fit belongs in the store.
"""

from __future__ import annotations

import base64
import binascii
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


def encode(state: Mapping[str, Any]) -> str:
    """``state`` (JSON types only) as text for the channel; :class:`StateTooLarge` beyond ``LIMIT`` bytes."""
    text = base64.urlsafe_b64encode(orjson.dumps(state)).rstrip(b"=").decode("ascii")
    if len(text) > LIMIT:
        raise StateTooLarge(len(text))
    return text


def decode(text: str) -> dict[str, Any]:
    """What :func:`encode` was given; :class:`StateUnreadable` for anything else."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        state = orjson.loads(raw)
    except (binascii.Error, ValueError) as error:
        raise StateUnreadable(str(error)) from None
    if not isinstance(state, dict):
        raise StateUnreadable("not an object")
    return state
