"""Finding out who calls: what the step ``identify`` does, and finding a party again after a restart.

Plugins are asked first (hook ``identify_party``), then the engine's own table. A store that is away makes nobody
known; a PIN can't be right then, and is not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import structlog

from engine.errors import StoreError
from engine.flows.services import Services
from engine.types import CallView, PartyView

if TYPE_CHECKING:
    from engine.flows.run import Run

log = structlog.get_logger(__name__)


class NotKnown(Exception):
    """Nobody can say now who that is: the database is away."""


def find(run: Run, by: str, value: str, kinds: Sequence[str] = ()) -> PartyView | None:
    """Whose number (``by="number"``) or code (``by="code"``) that is; None when it is nobody's of these kinds.

    Raises :class:`NotKnown`.
    """
    if not value:
        return None
    services = run.services
    found = asked(services, run.call.view(), by, value)
    if found is not None and kinds and found.kind not in kinds:
        found = None
    if found is not None or services.parties is None:
        return found
    try:
        if by == "code":
            return services.parties.by_code(value, *kinds)
        found = services.parties.by_number(value)
    except StoreError as error:
        log.warning("party.not_looked_up", by=by, error=str(error))
        raise NotKnown from error
    return found if found is None or not kinds or found.kind in kinds else None


def asked(services: Services, call: CallView, by: str, value: str) -> PartyView | None:
    """Who the plugins say that it is."""
    if services.answers is None:
        return None
    found: PartyView | None = services.answers.first(
        "identify_party", PartyView, call=call, by=by, value=value
    )
    return found


def party_again(services: Services, kept: Any) -> PartyView | None:
    """The party that a call's place names: by its id, or as a plugin gave it."""
    if isinstance(kept, dict):
        return PartyView(**{**kept, "numbers": tuple(kept.get("numbers", ()))})
    if services.parties is None:
        return None
    try:
        return services.parties.get(int(kept))
    except StoreError as error:
        log.warning("party.not_found_again", error=str(error))
        return None
