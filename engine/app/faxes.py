"""The faxes of an installation, made and told when this engine leads."""

from __future__ import annotations

from engine.app.installation import Installation
from engine.calls.outbound import Outbound
from engine.calls.registry import Calls
from engine.clock import Clock
from engine.flows.model import FlowSet
from engine.records.faxes import Faxes
from engine.store.store import Store


def make_faxes(made: Installation, store: Store, calls: Calls, outbound: Outbound, clock: Clock) -> Faxes:
    """The faxes, at work."""
    settings = made.settings
    faxes = Faxes(
        store,
        calls,
        outbound,
        clock,
        settings=settings.fax,
        folder=made.home / settings.fax.folder,
        header=settings.fax.header or settings.site.name,
    )
    faxes.start()
    return faxes


def uses_fax(flows: FlowSet | None) -> bool:
    """Does any flow send faxes?"""
    return flows is not None and any(
        step.kind == "fax"
        for flow in flows.flows.values()
        for block in flow.blocks.values()
        for step in block.steps
    )
