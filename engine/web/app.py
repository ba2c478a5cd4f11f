"""The control API: what the command line asks of a running engine, as HTTP and JSON.

    GET    /status
    GET    /calls               /calls/<id>              DELETE /calls/<id>?cause=…
    POST   /calls/<id>/talk/<verb>   see engine.web.talks
           /supervisions /queues/<name>/close|open /calls/<id>/move    see engine.web.supervision
    GET    /agents              /agents/<id>[/call]     POST   /agents/<id>/login|logout|ready|pause|wrap-up|disposition
    GET    /queues              /queues/<name>
    GET    /cdrs                /cdrs/<call>             ?since= until= number= dialled= agent= queue= limit=
    GET    /recordings          /recordings/<id>         ?since= until= call= agent= limit=
    GET    /faxes               /faxes/<id>              POST   /faxes/<id>/retry
    GET    /conferences                                  DELETE /conferences/<room>/<member>
    GET    /explain/calls/<id>  /explain/agents/<id>     ?since= until=
    …      /messages /boxes /clips /ratings              see engine.web.clips
    GET    /flows
    GET    /news                ?after=<number>
    GET    /calendars           /calendars/<name>        ?at=…
    POST   /calendars/<name>/close|open                  {"until": "2026-11-22 20:00", "why": "storm", "by": "li.na"}
    POST   /reload              {"by": "li.na"}
    POST   /parties/<deed>      see engine.records.party_desk
    GET    /outbox                                       POST   /outbox/<id>/retry|drop
    POST   /switch              {"command": "status"}
    POST   /dials               see engine.web.dial
           /tickets /callbacks /tallies /notices /schedules    see engine.web.records

Lists are JSON arrays. An error is ``{"error": "one line"}`` with a status that fits it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import falcon
import structlog

from engine.errors import (
    InsidelineError,
    LoginRefused,
    NoSuchCall,
    NotFound,
    StoreError,
    SwitchError,
    UnsafeText,
    WrongState,
)
from engine.records import party_desk
from engine.store import queries
from engine.web import clips
from engine.web.agents import AgentsResource
from engine.web.answers import say, told
from engine.web.conferences import add_conferences
from engine.web.dial import Dials, DialsResource
from engine.web.explain import add_explain
from engine.web.faxes import add_faxes
from engine.web.hours import add_hours
from engine.web.naming import cdr_named, recording_named
from engine.web.outbox import OutboxResource
from engine.web.parts import Parts
from engine.web.records import add_records
from engine.web.supervision import add_supervision
from engine.web.talks import add_talks

log = structlog.get_logger(__name__)

LOOK = 5.0  # seconds that a look into the database may take
MOST_ROWS = 10_000

_STATUS: tuple[tuple[type[InsidelineError], str], ...] = (
    (NotFound, falcon.HTTP_404),
    (NoSuchCall, falcon.HTTP_404),
    (WrongState, falcon.HTTP_409),
    (LoginRefused, falcon.HTTP_409),
    (UnsafeText, falcon.HTTP_400),
    (SwitchError, falcon.HTTP_503),
    (StoreError, falcon.HTTP_503),
    (InsidelineError, falcon.HTTP_500),
)


def control_app(parts: Parts) -> falcon.App[Any, Any]:
    """The WSGI application over these parts."""
    app = falcon.App()
    app.set_error_serializer(_serialize)
    app.add_error_handler(Exception, _unexpected)
    for kind, status in reversed(_STATUS):
        app.add_error_handler(kind, _refusal(status))
    # Ours come first in the tuple and last here: falcon takes the handler that was added last.
    app.add_error_handler(falcon.HTTPError, _http_error)
    dials = DialsResource(Dials(parts))
    calls, agents, queues = CallsResource(parts), AgentsResource(parts), QueuesResource(parts)
    cdrs, recordings = CdrsResource(parts), RecordingsResource(parts)
    app.add_route("/status", StatusResource(parts))
    app.add_route("/news", NewsResource(parts))
    app.add_route("/flows", FlowsResource(parts))
    app.add_route("/switch", SwitchResource(parts))
    add_hours(app, parts)
    add_faxes(app, parts)
    add_explain(app, parts)
    add_conferences(app, parts)
    add_talks(app, parts)
    add_supervision(app, parts)
    outbox = OutboxResource(parts)
    app.add_route("/outbox", outbox)
    app.add_route("/outbox/{name}/{deed}", outbox, suffix="deed")
    for path, resource in (
        ("/calls", calls),
        ("/agents", agents),
        ("/queues", queues),
        ("/cdrs", cdrs),
        ("/recordings", recordings),
    ):
        app.add_route(path, resource)
        app.add_route(f"{path}/{{name}}", resource, suffix="one")
    app.add_route("/agents/{name}/{deed}", agents, suffix="deed")
    app.add_route("/parties/{deed}", PartiesResource(parts))
    add_records(app, parts)
    clips.add_routes(app, parts)
    app.add_route("/dials", dials)
    app.add_route("/dials/{name}", dials, suffix="one")
    app.add_route("/dials/{name}/{what}", dials, suffix="what")
    return app


# -- errors -------------------------------------------------------------------------------------


def _serialize(req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError) -> None:
    say(resp, {"error": error.description or error.title or str(error.status)})


def _http_error(req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError, params: Any) -> None:
    resp.status = error.status
    _serialize(req, resp, error)


def _refusal(status: str) -> Callable[..., None]:
    def handle(req: falcon.Request, resp: falcon.Response, error: InsidelineError, params: Any) -> None:
        resp.status = status
        say(resp, {"error": str(error)})

    return handle


def _unexpected(req: falcon.Request, resp: falcon.Response, error: Exception, params: Any) -> None:
    log.error("web.failed", method=req.method, path=req.path, exc_info=error)
    resp.status = falcon.HTTP_500
    say(resp, {"error": f"the engine failed to answer ({type(error).__name__}); its log says why"})


# -- resources ----------------------------------------------------------------------------------


class _Resource:
    def __init__(self, parts: Parts) -> None:
        self.parts = parts


class StatusResource(_Resource):
    """How the engine is."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        say(resp, status(self.parts))


def status(parts: Parts) -> dict[str, Any]:
    """How the engine is, in one mapping: for ``insideline status`` and the board."""
    flows = parts.flows()
    return {
        "version": parts.version,
        "home": parts.home,
        "began": parts.began,
        "now": parts.clock.now(),
        "switch": parts.switch(),
        "ready": parts.ready(),
        "calls": len(parts.calls.views()),
        "queues": [
            {
                "name": one.name,
                "waiting": one.callers,
                "ready": one.agents_ready,
                "in": one.agents_in,
                "closed": one.closed,
            }
            for one in parts.acd.queues()
        ],
        "flows": {"count": len(flows), "hash": flows.hash},
        "store": parts.store.health(),
        "plugins": [
            {
                "name": one.name,
                "origin": one.origin,
                "department": one.department.name if one.department else "",
                "version": one.version,
                "told": parts.host.tallies.get(one.name),
            }
            for one in parts.host.plugins
        ],
        "faults": [
            {"plugin": one.plugin, "message": one.message, "callers": parts.led_away(one.plugin)}
            for one in parts.host.faults
        ],
        "day": parts.day.figures,
        "breakers": parts.departments.breakers() if parts.departments else [],
        "outbox": parts.departments.outbox.view() if parts.departments else None,
        "priority": parts.priority(),
        "blocked": parts.blocks(),
        "mended": parts.mended(),
        "how_to_call": list(parts.how_to_call),
    }


class CallsResource(_Resource):
    """The live calls."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        say(resp, self.parts.calls.views())

    def on_get_one(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        say(resp, self._find(name))

    def on_delete_one(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        call = self._find(name)
        self.parts.calls.hang_up(call.id, req.get_param("cause", default="NORMAL_CLEARING"))
        say(resp, call)

    def _find(self, name: str) -> Any:
        return _one(self.parts.calls.views(), lambda call: call.id, name, "live call")


class PartiesResource(_Resource):
    """Who calls: each deed of :mod:`engine.records.party_desk`."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, deed: str) -> None:
        if self.parts.parties is None:
            raise falcon.HTTPServiceUnavailable(description="the parties are not there yet")
        body = req.get_media()
        if not isinstance(body, dict):
            raise falcon.HTTPBadRequest(description="an object is wanted")
        say(resp, party_desk.do(self.parts.parties, deed, body))


class QueuesResource(_Resource):
    """The queues and who waits in them."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        say(resp, self.parts.acd.queues(req.get_param("language", default="en")))

    def on_get_one(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        say(resp, self.parts.acd.queue(name, req.get_param("language", default="en")))


class CdrsResource(_Resource):
    """The calls that are over."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        wanted = _wanted(req, "number", "dialled", "agent", "queue")
        say(resp, self.parts.store.read(lambda session: queries.cdrs(session, **wanted), LOOK))

    def on_get_one(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        def look(session: Any) -> Any:
            found = cdr_named(session, name)
            return {"cdr": found, "journal": queries.journal(session, call=found.call, limit=1000)}

        say(resp, self.parts.store.read(look, LOOK))


class RecordingsResource(_Resource):
    """The recordings: what there is, and where."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        wanted = _wanted(req, "call", "agent")
        say(resp, self.parts.store.read(lambda session: queries.recordings(session, **wanted), LOOK))

    def on_get_one(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        row = self.parts.store.read(lambda session: recording_named(session, name), LOOK)
        say(resp, {"recording": row, "file": str(self.parts.recordings / row.path)})


class FlowsResource(_Resource):
    """The flows that new calls begin with."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        say(resp, flow_rows(self.parts.flows().flows.values()))


def flow_rows(flows: Iterable[Any]) -> list[dict[str, Any]]:
    """The flows as lists show them."""
    return [
        {
            "name": flow.name,
            "revision": flow.revision,
            "title": flow.title,
            "owner": flow.owner,
            "languages": list(flow.languages),
            "blocks": len(flow.blocks),
            "hash": flow.hash,
            "file": flow.file,
        }
        for flow in flows
    ]


class NewsResource(_Resource):
    """What happened last."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        say(resp, self.parts.day.since(req.get_param_as_int("after", min_value=0, default=0)))


class SwitchResource(_Resource):
    """An operator's own command to the switch."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        line = told(req, "command")["command"]
        try:
            answer = self.parts.command(line)
        except SwitchError as error:
            # The switch's own words, without the engine's name for a command that an operator wrote himself.
            raise SwitchError(str(error).removeprefix("raw: ")) from error
        say(resp, {"answer": answer})


def _wanted(req: falcon.Request, *names: str) -> dict[str, Any]:
    wanted: dict[str, Any] = {name: req.get_param(name, default="") for name in names}
    wanted["limit"] = req.get_param_as_int("limit", min_value=1, max_value=MOST_ROWS, default=queries.LIMIT)
    for name in ("since", "until"):
        text = req.get_param(name, default="")
        try:
            moment = datetime.fromisoformat(text) if text else None
        except ValueError:
            raise falcon.HTTPInvalidParam(f"{text!r} is no moment like 2026-11-22T08:00Z", name) from None
        if moment is not None and moment.tzinfo is None:
            raise falcon.HTTPInvalidParam("say the time zone, as in 2026-11-22T08:00Z", name)
        wanted[name] = moment
    return wanted


def _one(rows: list[Any], key: Callable[[Any], str], name: str, what: str) -> Any:
    """The row of that name, or the only one whose name begins so (four signs at least)."""
    exact = [row for row in rows if key(row) == name]
    near = exact or [row for row in rows if len(name) >= 4 and key(row).startswith(name)]
    if len(near) > 1:
        raise NotFound(f"{len(near)} of them begin with {name}")
    if not near:
        raise NotFound(f"there is no {what} {name}")
    return near[0]
