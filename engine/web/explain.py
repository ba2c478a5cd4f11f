"""Why a call waited, and why an agent was idle, over the control socket.

GET    /explain/calls/<id>
GET    /explain/agents/<id>  ?since=… until=…
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import falcon

from engine.acd.evidence import about_agent, about_call
from engine.web.answers import say
from engine.web.parts import Parts

LOOK = 20.0  # seconds that a look into the database may take
USUAL = timedelta(hours=1)


class ExplainResource:
    """Explanations, from the journal."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def on_get_call(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        now = self.parts.clock.now()
        say(resp, self.parts.store.read(lambda session: about_call(session, name, now), LOOK))

    def on_get_agent(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        now = self.parts.clock.now()
        until = _moment(req, "until") or now
        since = _moment(req, "since") or until - USUAL
        say(resp, self.parts.store.read(lambda session: about_agent(session, name, since, until), LOOK))


def add_explain(app: falcon.App[Any, Any], parts: Parts) -> None:
    """The routes."""
    resource = ExplainResource(parts)
    app.add_route("/explain/calls/{name}", resource, suffix="call")
    app.add_route("/explain/agents/{name}", resource, suffix="agent")


def _moment(req: falcon.Request, name: str) -> datetime | None:
    text = req.get_param(name)
    if not text:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise falcon.HTTPBadRequest(description=f"{name} is no time") from None
    return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
