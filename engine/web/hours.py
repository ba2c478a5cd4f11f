"""The part of the control API that changes what calls meet: calendars closed and opened, files read again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import falcon

from engine.errors import NotFound
from engine.web.answers import say, told
from engine.web.parts import ClosingPart, Parts


def add_hours(app: falcon.App[Any, Any], parts: Parts) -> None:
    """Put the resources of this module into the application."""
    calendars = CalendarsResource(parts)
    app.add_route("/calendars", calendars)
    app.add_route("/calendars/{name}", calendars, suffix="one")
    app.add_route("/calendars/{name}/{deed}", calendars, suffix="deed")
    app.add_route("/reload", ReloadResource(parts))


class CalendarsResource:
    """What the calendars say, and emergency closures. A time without a zone is the calendar's own."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        say(resp, self._closing.states())

    def on_get_one(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        say(resp, self._closing.state(name, _moment(req.get_param("at", default=""), "at")))

    def on_post_deed(self, req: falcon.Request, resp: falcon.Response, name: str, deed: str) -> None:
        if deed == "close":
            given = told(req, "until", "from", "why", "by", "prompt")
            until = _moment(given["until"], "until")
            if until is None:
                raise falcon.HTTPBadRequest(description="a closure needs an end: until")
            view = self._closing.close(
                name,
                until,
                by=given["by"],
                why=given["why"],
                prompt=given["prompt"],
                begin=_moment(given["from"], "from"),
            )
        elif deed == "open":
            given = told(req, "why", "by", "planned")
            view = self._closing.open(
                name, by=given["by"], why=given["why"], planned=given["planned"] == "yes"
            )
        else:
            raise falcon.HTTPNotFound(description=f"a calendar can't {deed}")
        say(resp, view)

    @property
    def _closing(self) -> ClosingPart:
        if self.parts.closing is None:
            raise NotFound("this engine has no calendars")
        return self.parts.closing


class ReloadResource:
    """Read the files again. The answer says whether what they say is served now, and every fault."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        if self.parts.reload is None:
            raise NotFound("this engine can't read its files again")
        say(resp, self.parts.reload(told(req, "by")["by"]))


def _moment(text: str, name: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        raise falcon.HTTPInvalidParam(f"{text!r} is no moment like 2026-11-22 20:00", name) from None
