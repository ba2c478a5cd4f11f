"""Talks in the control API: ``POST /calls/<id>/talk/<verb>`` with ``{"target": "agent:8013", "by": "li.na"}``, and
``GET /calls/<id>/talk`` for what it is now.

The verbs are those of :data:`engine.calls.talk.VERBS`; the answer is the call and what its talk is now.
"""

from __future__ import annotations

from typing import Any

import falcon

from engine.calls.talk import VERBS
from engine.errors import WrongState
from engine.web.answers import say, told
from engine.web.parts import Parts


def add_talks(app: falcon.App[Any, Any], parts: Parts) -> None:
    """Add the routes."""
    resource = TalkResource(parts)
    app.add_route("/calls/{name}/talk", resource, suffix="now")
    app.add_route("/calls/{name}/talk/{verb}", resource)


class TalkResource:
    """What an agent, or an operator for him, does in a talk."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def on_get_now(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        call = self.parts.calls.get(name)
        live = call.talk is not None and not call.talk.over
        say(resp, {"call": call.view(), "talk": str(call.talk.mode) if live else "", "over": not live})

    def on_post(self, req: falcon.Request, resp: falcon.Response, name: str, verb: str) -> None:
        if verb not in VERBS:
            raise falcon.HTTPNotFound(description=f"a talk can't {verb}: {', '.join(VERBS)}")
        wanted = told(req, "target", "by")
        if verb == "consult" and not wanted["target"]:
            raise falcon.HTTPBadRequest(description="whom to consult?")
        call = self.parts.calls.get(name)
        if call.talk is None or call.talk.over:
            raise WrongState(f"call {call.id[:8]} talks to nobody")
        mode = call.talk.do(verb, wanted["target"] or "", by=wanted["by"] or "operator")
        say(resp, {"call": call.view(), "talk": str(mode), "over": call.talk.over})


__all__ = ["add_talks"]
