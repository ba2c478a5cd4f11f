"""Tickets, callbacks, tallies, notices and schedules over the control API.

GET    /tickets             ?department= kind= group= owner= caller= state= owed= overdue= limit=
GET    /tickets/<number>    POST /tickets/<number>/assign|take|return|note|answer|solve|close|reopen
GET    /ticket-kinds
POST   /knowledge/<deed>    see engine.records.knowledge_desk
GET    /callbacks           ?queue= state= live= limit=     DELETE /callbacks/<id>?by=…
                                                           POST /callbacks/<id>/now
GET    /tallies             ?name=
GET    /notices             ?state= group= limit=           POST /notices/<id>/ack
GET    /schedules
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import falcon

from engine.records import callbacks, knowledge_desk, notices, schedules, tallies
from engine.web.answers import say, told
from engine.web.parts import Parts, RecordsPart

MOST_ROWS = 10_000


def add_records(app: falcon.App[Any, Any], parts: Parts) -> None:
    """Add the routes."""
    if parts.records is None:
        return
    tickets, owed = Tickets(parts, parts.records), CallbacksResource(parts, parts.records)
    kept = NoticesResource(parts, parts.records)
    app.add_route("/tickets", tickets)
    app.add_route("/tickets/{number}", tickets, suffix="one")
    app.add_route("/tickets/{number}/{deed}", tickets, suffix="deed")
    app.add_route("/knowledge/{deed}", KnowledgeResource(parts, parts.records))
    app.add_route("/ticket-kinds", tickets, suffix="kinds")
    app.add_route("/callbacks", owed)
    app.add_route("/callbacks/{name}", owed, suffix="one")
    app.add_route("/callbacks/{name}/now", owed, suffix="now")
    app.add_route("/tallies", Tallies(parts, parts.records))
    app.add_route("/notices", kept)
    app.add_route("/notices/{name}/ack", kept, suffix="ack")
    app.add_route("/schedules", Schedules(parts, parts.records))


class _Resource:
    def __init__(self, parts: Parts, records: RecordsPart) -> None:
        self.parts = parts
        self.records = records


class Tickets(_Resource):
    """What departments owe."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        names = ("department", "kind", "group", "owner", "caller", "state")
        wanted: dict[str, Any] = {name: req.get_param(name, default="") for name in names}
        for name in ("owed", "overdue"):
            wanted[name] = req.get_param_as_bool(name, default=False)
        wanted["limit"] = _limit(req)
        wanted["data"] = dict(_pair(one) for one in req.get_param_as_list("data", default=[]))
        wanted["party"] = req.get_param_as_int("party", default=0)
        say(resp, self.records.read(lambda session: self.records.desk(session).search(**wanted)))

    def on_get_one(self, req: falcon.Request, resp: falcon.Response, number: str) -> None:
        def look(session: Any) -> Any:
            desk = self.records.desk(session)
            return {"ticket": desk.get(number), "history": desk.history(number)}

        say(resp, self.records.read(look))

    def on_get_kinds(self, req: falcon.Request, resp: falcon.Response) -> None:
        say(resp, self.records.kinds())

    def on_post_deed(self, req: falcon.Request, resp: falcon.Response, number: str, deed: str) -> None:
        given = told(req, "owner", "text", "by")
        owner, text = given["owner"], given["text"]
        if deed in ("assign", "take") and not owner:
            raise falcon.HTTPBadRequest(description="say who it is assigned to")
        if deed in ("return", "note", "reopen", "answer") and not text:
            raise falcon.HTTPBadRequest(description="say why, or what")
        acts = {
            "assign": lambda desk: desk.assign(number, owner),
            "take": lambda desk: desk.assign(number, owner),
            "answer": lambda desk: desk.answer(number, text),
            "return": lambda desk: desk.give_back(number, text),
            "note": lambda desk: desk.note(number, text),
            "solve": lambda desk: desk.solve(number, text),
            "close": lambda desk: desk.close(number, text),
            "reopen": lambda desk: desk.reopen(number, text),
        }
        act = acts.get(deed)
        if act is None:
            raise falcon.HTTPNotFound(description=f"a ticket can't {deed}")
        say(
            resp,
            self.records.work(lambda session: act(self.records.desk(session, by=given["by"] or "command"))),
        )


class KnowledgeResource(_Resource):
    """Answers and rules, and who passed them."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, deed: str) -> None:
        given = req.get_media() or {}
        if not isinstance(given, dict):
            raise falcon.HTTPBadRequest(description="an object is wanted")

        def work(session: Any) -> Any:
            library, certificates = self.records.library(session), self.records.certifications(session)
            try:
                return knowledge_desk.do(library, certificates, deed, given)
            except (KeyError, TypeError, ValueError) as error:
                raise falcon.HTTPBadRequest(description=f"{type(error).__name__}: {error}") from error

        looks = deed in knowledge_desk.LOOKS
        say(resp, (self.records.read if looks else self.records.work)(work))


class CallbacksResource(_Resource):
    """The calls that we owe."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        wanted: dict[str, Any] = {name: req.get_param(name, default="") for name in ("queue", "state")}
        wanted["live"] = req.get_param_as_bool("live", default=False)
        wanted["limit"] = _limit(req)
        found = self.records.read(lambda session: callbacks.rows(session, **wanted))
        say(resp, [asdict(row) for row in found])

    def on_delete_one(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        by = req.get_param("by", default="command")
        gone = self.records.work(lambda session: callbacks.cancel(session, name, by))
        self.records.note_cancelled(gone, by)
        say(resp, asdict(gone))

    def on_post_now(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        by = told(req, "by")["by"] or "command"
        row = self.records.work(lambda session: callbacks.at_once(session, name, self.records.now()))
        self.records.note_hurried(row, by)
        say(resp, asdict(row))


class Tallies(_Resource):
    """What was counted."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        now, name = self.parts.clock.now(), req.get_param("name", default="")
        say(resp, self.records.read(lambda session: tallies.rows(session, now, name)))


class NoticesResource(_Resource):
    """What people are to be told."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        wanted: dict[str, Any] = {name: req.get_param(name, default="") for name in ("state", "group")}
        wanted["limit"] = _limit(req)
        say(resp, self.records.read(lambda session: notices.rows(session, **wanted)))

    def on_post_ack(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        by, now = told(req, "by")["by"] or "command", self.parts.clock.now()
        row = self.records.work(lambda session: notices.acknowledge(session, name, by, now))
        self.records.note_acknowledged(row, by)
        say(resp, row)


class Schedules(_Resource):
    """What is done by the clock, and when it was done last."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        say(resp, [asdict(row) for row in self.records.read(schedules.last_runs)])


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise falcon.HTTPBadRequest(description=f"`{text}` is no NAME=VALUE")
    return name, value


def _limit(req: falcon.Request) -> int:
    return req.get_param_as_int("limit", min_value=1, max_value=MOST_ROWS, default=100)
