"""The guard of outbound calls, made of what the installation says and of what was dialled before."""

from __future__ import annotations

from datetime import timedelta

import structlog

from engine.app.installation import Installation
from engine.calls.outbound import DIALLED, Outbound
from engine.clock import Clock
from engine.errors import StoreError
from engine.flows.numbers import Numbers
from engine.store import queries
from engine.store.store import Store

log = structlog.get_logger(__name__)

LIMIT = 5.0


def make_outbound(made: Installation, clock: Clock, store: Store) -> Outbound:
    """The guard, which remembers what went out within the last hour."""
    numbers = Numbers(made.settings.region)
    dialplan = made.dialplan
    assert dialplan is not None
    ours = {numbers.e164(to) for to, _ in dialplan.entries}
    outbound = Outbound(
        made.outbound,
        made.trunks,
        clock=clock,
        journal=store.journal,
        read=numbers.e164,
        is_ours=ours.__contains__,
    )
    now = clock.now()
    since = now - timedelta(hours=1)
    try:
        entries = store.read(lambda session: queries.journal(session, kind=DIALLED, since=since), LIMIT)
    except StoreError as error:
        log.warning("outbound.not_restored", error=str(error))
    else:
        outbound.restore(entries, now)
    return outbound
