"""Wiring of the parties: who calls, for flows, dialplans, departments and hooks."""

from __future__ import annotations

from engine.app.installation import Installation
from engine.clock import Clock
from engine.flows.services import Services
from engine.hooks.answers import Answers
from engine.records.parties import Parties
from engine.store.store import Store


def open_parties(made: Installation, store: Store, clock: Clock, services: Services) -> Parties:
    """The parties of a centre, known to whoever asks for them. Raises StoreError."""
    limits = made.settings.parties
    parties = Parties(
        store,
        clock,
        services.numbers.e164,
        tries=limits.wrong_pins,
        lock=limits.locked,
        longest=limits.longest,
    )
    parties.open()
    services.parties = parties
    services.party_of = parties.by_number
    services.departments.contexts.parties = parties
    services.answers = Answers(made.host, clock, services.departments)
    return parties
