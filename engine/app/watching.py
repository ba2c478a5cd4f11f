"""Who is told of what is wrong with a running engine: the watch of the operators, and how their notices are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import structlog

from engine.errors import StoreError
from engine.hooks.builtin_watch import Thresholds
from engine.records import notices

if TYPE_CHECKING:
    from engine.app.app import App
    from engine.flows.services import Services

log = structlog.get_logger(__name__)

LIMIT: Final = 5.0
MARK: Final = "running"
"""The file below var/ that is there while an engine runs, with the moment of its start."""


def keep_notice(
    app: App,
    group: str,
    prompt: str,
    values: Mapping[str, Any],
    *,
    key: str = "",
    call: str = "",
    level: str = "warning",
    window: float = 0.0,
) -> None:
    """Keep a notice of the engine's own. Waits for the database; without it the notice is only logged."""
    now = app.clock.now()
    try:
        app.store.work(
            lambda session: notices.add(
                session, group, prompt, values, now=now, level=level, key=key, window=window, call=call
            ),
            LIMIT,
        )
    except StoreError as error:
        log.warning("notice.not_kept", group=group, prompt=prompt, error=str(error))
        return
    if app.records is not None:
        app.records.settled("notices")


def begin_watch(app: App, services: Services) -> None:
    """Let the built-in plugin ``watch`` look after this engine."""
    made = app.installation
    said = made.notify.operators
    limits = Thresholds()
    calendar = ""
    if said is not None:
        longest = said.silence.longest if said.silence is not None else 0.0
        calendar = said.silence.calendar if said.silence is not None else ""
        limits = Thresholds(said.blocked, said.failures, said.within, said.unreachable, longest)

    def tell(
        prompt: str, values: Mapping[str, Any], *, level: str, key: str = "", window: float = 0.0
    ) -> None:
        assert said is not None
        app.clock.spawn(
            keep_notice, app, said.group, prompt, values, key=key, level=level, window=window
        )  # fmt: skip

    def listens() -> bool:
        # An engine that only stands by for another one hears of no call.
        return app.calls.leading and services.calendars.at(calendar, app.clock.now()).open

    made.watch.begin(
        made.folders.var / MARK,
        tell if said is not None else None,
        limits,
        live=lambda: len(app.calls.calls),
        listens=listens,
    )


__all__ = ["begin_watch", "keep_notice"]
