"""The calendars of a running engine: closures from the store, and who is told when they change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.flows.calendars import Calendars
from engine.flows.closing import Closing

if TYPE_CHECKING:
    from engine.app.app import App


def make_closing(app: App) -> Closing:
    """What closes and opens the calendars of ``app``: new ones are what its calls meet from then on."""

    def publish(calendars: Calendars) -> None:
        app.lead.services.calendars = calendars

    def missing(prompt: str) -> list[str]:
        catalogue = app.prompts.catalogue
        return [one for one in app.installation.settings.languages if catalogue.find(prompt, one) is None]

    assert app.installation.calendars is not None
    return Closing(app.installation.calendars, app.store, app.clock, publish=publish, missing=missing)
