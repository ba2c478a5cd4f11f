"""The calendars of a running engine: closures from the store, and who is told when they change."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from engine.acd.opening import Hours
from engine.clock import Clock
from engine.flows.calendars import Calendars
from engine.flows.closing import Closing

if TYPE_CHECKING:
    from engine.app.app import App


def make_closing(app: App) -> Closing:
    """What closes and opens the calendars of ``app``: new ones are what its calls meet from then on."""

    def publish(calendars: Calendars) -> None:
        app.lead.services.calendars = calendars
        app.acd.watch_hours(partial(_hours, calendars, app.clock))

    def missing(prompt: str) -> list[str]:
        catalogue = app.prompts.catalogue
        return [one for one in app.installation.settings.languages if catalogue.find(prompt, one) is None]

    assert app.installation.calendars is not None
    return Closing(app.installation.calendars, app.store, app.clock, publish=publish, missing=missing)


def _hours(calendars: Calendars, clock: Clock, name: str) -> Hours:
    """A calendar as the queues ask it: open or not, and for how many seconds."""
    now = clock.now()
    found = calendars.at(name, now)
    changes = (found.until - now).total_seconds() if found.until is not None else None
    return Hours(found.open, changes, found.why)
