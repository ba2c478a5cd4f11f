"""What supervisors do, in the control API.

    GET    /supervisions                    who listens to whom
    POST   /supervisions/<agent>            {"by": "8013", "phone": "1009", "mode": "listen"}
    POST   /supervisions/<agent>/take_over  {"by": "8013"}
    DELETE /supervisions/<agent>?by=8013
    POST   /queues/<name>/close|open        {"by": "8013", "why": "fire alarm"}
    POST   /calls/<id>/move                 {"by": "8013", "queue": "orders", "front": "yes"}

``by`` must be an agent with the role supervisor. Who may open the control socket may command (docs/operations.md);
the role is checked so that a slip of the hand doesn't let an agent listen to a colleague, and the journal has a name.
"""

from __future__ import annotations

from typing import Any

import falcon

from engine.errors import WrongState
from engine.web.answers import say, told
from engine.web.parts import Parts


def add_supervision(app: falcon.App[Any, Any], parts: Parts) -> None:
    """Add the routes."""
    ears, queues = SupervisionsResource(parts), QueueDeedResource(parts)
    app.add_route("/supervisions", ears)
    app.add_route("/supervisions/{agent}", ears, suffix="one")
    app.add_route("/supervisions/{agent}/take_over", ears, suffix="over")
    app.add_route("/queues/{name}/{deed}", queues)
    app.add_route("/calls/{name}/move", queues, suffix="move")


class _Resource:
    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def supervisor(self, by: str) -> str:
        """``by`` when it is a supervisor's number."""
        if not by:
            raise falcon.HTTPBadRequest(description="which supervisor? (by)")
        view = self.parts.acd.agent(by)
        if "supervisor" not in view.roles:
            raise WrongState(f"agent {by} is no supervisor")
        return by


class SupervisionsResource(_Resource):
    """Who listens to whom."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        say(resp, self.parts.calls.supervision.views())

    def on_post_one(self, req: falcon.Request, resp: falcon.Response, agent: str) -> None:
        wanted = told(req, "by", "phone", "mode")
        by = self.supervisor(wanted["by"])
        self.parts.acd.agent(agent)
        phone = wanted["phone"] or self.parts.acd.agent(by).phone
        say(resp, self.parts.calls.supervision.begin(by, agent, phone, wanted["mode"] or "listen"))

    def on_post_over(self, req: falcon.Request, resp: falcon.Response, agent: str) -> None:
        by = self.supervisor(told(req, "by")["by"])
        say(resp, {"call": self.parts.calls.supervision.take_over(by), "by": by})

    def on_delete_one(self, req: falcon.Request, resp: falcon.Response, agent: str) -> None:
        by = self.supervisor(req.get_param("by", default=""))
        self.parts.calls.supervision.end(by)
        say(resp, {"by": by, "agent": agent})


class QueueDeedResource(_Resource):
    """Close and open queues, move those who wait."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, name: str, deed: str) -> None:
        wanted = told(req, "by", "why")
        by = self.supervisor(wanted["by"]) if wanted["by"] else "operator"
        if deed == "close":
            self.parts.acd.close_queue(name, wanted["why"] or "command", by)
        elif deed == "open":
            self.parts.acd.open_queue(name, by)
        else:
            raise falcon.HTTPNotFound(description=f"a queue can't {deed}")
        say(resp, self.parts.acd.queue(name))

    def on_post_move(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        wanted = told(req, "by", "queue", "front")
        by = self.supervisor(wanted["by"]) if wanted["by"] else "operator"
        if not wanted["queue"] and not wanted["front"]:
            raise falcon.HTTPBadRequest(description="to which queue, or to the front?")
        call = self.parts.acd.waits_as(name)
        view = None
        if wanted["queue"]:
            view = self.parts.acd.move(call, wanted["queue"], by)
        if wanted["front"]:
            view = self.parts.acd.to_front(call, by)
        say(resp, view)


__all__ = ["add_supervision"]
