"""Messages, clips and ratings over the control API.

GET    /messages            ?box= limit= deleted=          /messages/<id>     DELETE /messages/<id>
GET    /boxes
GET    /clips               ?call=
GET    /ratings             ?since= until= agent= queue= question= limit= by=
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

import falcon

from engine.errors import NotFound
from engine.records import clips as clip_rows
from engine.records import messages as message_rows
from engine.records import ratings as rating_rows
from engine.web.answers import say

LOOK = 5.0


class Parts(Protocol):
    """The parts of :class:`engine.web.parts.Parts` that are asked here."""

    @property
    def store(self) -> Any: ...
    @property
    def sounds(self) -> Any: ...


class _Resource:
    def __init__(self, parts: Parts) -> None:
        self.parts = parts


class MessagesResource(_Resource):
    """The messages in boxes."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        say(resp, list_messages(self.parts.store, req.get_param("box", default=""), _limit(req)))

    def on_get_one(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        say(resp, one_message(self.parts.store, name))

    def on_delete_one(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        found = self.parts.sounds.messages.show(name)
        say(resp, self.parts.sounds.messages.delete(found.id, req.get_param("by", default="")))


class BoxesResource(_Resource):
    """The boxes that hold messages."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        rows = self.parts.store.read(message_rows.counted, LOOK)
        say(resp, [{"box": box, "new": new, "kept": kept} for box, new, kept in rows])


class ClipsResource(_Resource):
    """What a call's caller dictated."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        call = req.get_param("call", required=True)
        say(resp, self.parts.store.read(lambda session: clip_rows.clips_of(session, call), LOOK))


class RatingsResource(_Resource):
    """What callers answered to surveys; with ``by`` the means of a group."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        wanted = {name: req.get_param(name, default="") for name in ("agent", "queue", "question")}
        times = {name: _moment(req, name) for name in ("since", "until")}
        by = req.get_param("by", default="")
        if by and by not in rating_rows.GROUPS:
            raise falcon.HTTPInvalidParam(f"one of {', '.join(rating_rows.GROUPS)}", "by")
        say(resp, list_ratings(self.parts.store, by, limit=_limit(req), **times, **wanted))


def list_messages(store: Any, box: str, limit: int) -> list[message_rows.Message]:
    """The messages of a box, of all boxes when it is ""."""
    boxes = (box,) if box else ()
    found: list[message_rows.Message] = store.read(
        lambda session: message_rows.listed(session, boxes=boxes, limit=limit), LOOK
    )
    return found


def one_message(store: Any, name: str) -> dict[str, Any]:
    """A message and the path of its clip, below the folder of clips. :class:`NotFound`."""

    def look(session: Any) -> Any:
        found = message_rows.message(session, name)
        return found, None if found is None else clip_rows.clip(session, found.id)

    found, clip = store.read(look, LOOK)
    if found is None:
        raise NotFound(f"there is no message {name}")
    return {"message": found, "path": "" if clip is None else f"{clip_rows.FOLDER}/{clip.path}"}


def list_ratings(store: Any, by: str, *, limit: int, **wanted: Any) -> Any:
    """The answers, or their means by a group."""
    if by:
        return store.read(lambda session: rating_rows.averages(session, by, **wanted), LOOK)
    return store.read(lambda session: rating_rows.listed(session, limit=limit, **wanted), LOOK)


def _limit(req: falcon.Request) -> int:
    return req.get_param_as_int("limit", min_value=1, max_value=10_000, default=100) or 100


def _moment(req: falcon.Request, name: str) -> datetime | None:
    text = req.get_param(name, default="")
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        raise falcon.HTTPInvalidParam(f"{text!r} is no moment like 2026-11-22T08:00Z", name) from None
    if moment is not None and moment.tzinfo is None:
        raise falcon.HTTPInvalidParam("say the time zone, as in 2026-11-22T08:00Z", name)
    return moment


def add_routes(app: falcon.App[Any, Any], parts: Any) -> None:
    """Put them into the control API."""
    messages = MessagesResource(parts)
    app.add_route("/messages", messages)
    app.add_route("/messages/{name}", messages, suffix="one")
    app.add_route("/boxes", BoxesResource(parts))
    app.add_route("/clips", ClipsResource(parts))
    app.add_route("/ratings", RatingsResource(parts))
