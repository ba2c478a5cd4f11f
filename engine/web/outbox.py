"""What remote systems are still to be told, and what an operator may do about it."""

from __future__ import annotations

from typing import Any

import falcon

from engine.hooks.outbox import Outbox
from engine.web.answers import say, told
from engine.web.parts import Parts


class OutboxResource:
    """The outbox."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    @property
    def _outbox(self) -> Outbox:
        if self.parts.departments is None:
            raise falcon.HTTPNotFound(description="this engine has no departments")
        return self.parts.departments.outbox

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        say(resp, [_shown(row) for row in self._outbox.rows()])

    def on_post_deed(self, req: falcon.Request, resp: falcon.Response, name: str, deed: str) -> None:
        told(req)
        if deed not in ("retry", "drop"):
            raise falcon.HTTPNotFound(description=f"a command in the outbox can't {deed}")
        act = self._outbox.retry if deed == "retry" else self._outbox.drop
        say(resp, _shown(act(name)))


def _shown(row: Any) -> dict[str, Any]:
    """A row for people: what was to be said to the remote stays in the database."""
    names = (
        "id",
        "key",
        "command",
        "remote",
        "call",
        "state",
        "attempts",
        "error",
        "reason",
        "created",
        "due",
    )
    return {name: getattr(row, name) for name in names}
