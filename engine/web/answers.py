"""What comes in and goes out over the control API, as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import falcon
import orjson


def to_json(value: Any) -> bytes:
    """``value`` (views, rows, lists and mappings of them) as JSON; times are RFC 3339 in UTC."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Set):
        return sorted(value)
    if isinstance(value, Path | Decimal):
        return str(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    raise TypeError(f"{type(value).__name__} has no JSON")


def say(resp: falcon.Response, value: Any) -> None:
    """Answer with ``value`` as JSON."""
    resp.content_type = falcon.MEDIA_JSON
    resp.data = to_json(value)


def told(req: falcon.Request, *names: str) -> dict[str, str]:
    """The text fields of the request's JSON body; missing ones are "". 400 for anything else."""
    raw = req.bounded_stream.read(1 << 16)
    try:
        body = orjson.loads(raw) if raw else {}
    except orjson.JSONDecodeError:
        raise falcon.HTTPBadRequest(description="the body is no JSON") from None
    if not isinstance(body, dict) or not all(isinstance(value, str) for value in body.values()):
        raise falcon.HTTPBadRequest(description="the body must be a JSON object of texts")
    if odd := body.keys() - set(names):
        raise falcon.HTTPBadRequest(description=f"unknown field {min(odd)!r}")
    return {name: body.get(name, "") for name in names}
