"""Faxes in the control API: ``GET /faxes``, ``GET /faxes/<id>``, ``POST /faxes/<id>/retry``."""

from __future__ import annotations

from typing import Any

import falcon

from engine.web.answers import say
from engine.web.parts import Parts


def add_faxes(app: falcon.App[Any, Any], parts: Parts) -> None:
    """Add the routes."""
    app.add_route("/faxes", FaxesResource(parts))
    app.add_route("/faxes/{id}", FaxResource(parts))
    app.add_route("/faxes/{id}/retry", RetryResource(parts))


class _Resource:
    def __init__(self, parts: Parts) -> None:
        self.faxes = parts.faxes


class FaxesResource(_Resource):
    """All faxes, newest first; ``state=`` and ``limit=`` narrow them."""

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        limit = request.get_param_as_int("limit", min_value=1, max_value=10_000, default=100)
        found = (
            self.faxes.list(state=request.get_param("state", default=""), limit=limit) if self.faxes else []
        )
        say(response, found)


class FaxResource(_Resource):
    """One fax, by its id or the beginning of it."""

    def on_get(self, request: falcon.Request, response: falcon.Response, id: str) -> None:
        if self.faxes is None:
            raise falcon.HTTPNotFound
        say(response, self.faxes.show(id))


class RetryResource(_Resource):
    """Send one that failed again."""

    def on_post(self, request: falcon.Request, response: falcon.Response, id: str) -> None:
        if self.faxes is None:
            raise falcon.HTTPNotFound
        say(response, self.faxes.retry(id))
