"""The sample company: what departments bring with ``Department(sample=…)`` and ``sample/parties.csv``, once."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from engine.app.installation import Installation
from engine.clock import Clock
from engine.flows.numbers import Numbers
from engine.hooks.department import Department
from engine.records.party_sample import sample_file, take_in
from engine.records.party_table import PartiesIn
from engine.store.store import Store

SECONDS = 30.0
"""What the sample of one department may take."""


def seed_sample(made: Installation, store: Store, clock: Clock) -> list[str]:
    """Put each department's sample into tables that are empty, all of it or none; the names of those that were seeded
    now. Raises what a sample raises, ConfigError for parties that can't be read, StoreError."""
    today = clock.now().astimezone(made.settings.zone).date()
    return [
        name
        for name, department in made.host.departments.items()
        if has_sample(made, name) and _seed_one(made, store, clock, department, today)
    ]


def has_sample(made: Installation, name: str) -> bool:
    """Whether a department brings anything."""
    department = made.host.departments[name]
    return department.sample is not None or sample_file(made.host.folders.get(name)) is not None


def _seed_one(made: Installation, store: Store, clock: Clock, department: Department, today: date) -> bool:
    name, ran = department.name, []
    parties = sample_file(made.host.folders.get(name))
    e164 = Numbers(made.settings.region).e164

    def once(session: Session) -> None:
        # First, so that the department's own sample may refer to them.
        if parties is not None:
            take_in(PartiesIn(session, e164, clock.now()), parties)
        if department.sample is not None:
            department.sample(session, today)
        ran.append(name)

    store.deed(f"sample:{name}", name, once, SECONDS)
    return bool(ran)
