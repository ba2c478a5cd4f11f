"""The agents over the control API: what they are doing, whom they talk to, and what may be done for them."""

from __future__ import annotations

from typing import Any

import falcon

from engine.errors import NotFound
from engine.web.answers import say, told
from engine.web.parts import Parts


class AgentsResource:
    """The agents, and what an operator may do for them."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        say(resp, self.parts.acd.agents())

    def on_get_one(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        say(resp, self.parts.acd.agent(name))

    def on_get_deed(self, req: falcon.Request, resp: falcon.Response, name: str, deed: str) -> None:
        """``/agents/<id>/call``: who is offered or talked to, with what the flow and the plugins tell of it."""
        if deed != "call":
            raise falcon.HTTPNotFound(description=f"an agent has no {deed}")
        agent = self.parts.acd.agent(name)
        call = next((one for one in self.parts.calls.views() if one.id == agent.call), None)
        if call is None:
            raise NotFound(f"agent {name} has no call")
        say(resp, call)

    def on_post_deed(self, req: falcon.Request, resp: falcon.Response, name: str, deed: str) -> None:
        acd = self.parts.acd
        view: Any
        if deed == "login":
            asked = told(req, "phone", "pin")
            view = acd.login(name, asked["pin"] or None, asked["phone"] or None)
        elif deed == "pause":
            view = acd.pause(name, _wanted(req, "reason", "a pause needs a reason"))
        elif deed == "disposition":
            view = acd.disposition(name, _wanted(req, "code", "say which disposition: its word or its key"))
        elif deed in ("logout", "ready", "wrap-up", "unlock"):
            told(req)
            if deed == "wrap-up":
                view = acd.end_wrap_up(name)
            elif deed == "unlock":
                view = acd.unlock(name)
            else:
                view = acd.logout(name) if deed == "logout" else acd.ready(name)
        else:
            raise falcon.HTTPNotFound(description=f"an agent can't {deed}")
        say(resp, view)


def _wanted(req: falcon.Request, name: str, missing: str) -> str:
    text = told(req, name)[name]
    if not text:
        raise falcon.HTTPBadRequest(description=missing)
    return text


__all__ = ["AgentsResource"]
