"""The sample company: what departments bring with ``Department(sample=…)``, ``sample/parties.csv`` and
``sample/knowledge/*.md``, taken in once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from sqlalchemy.orm import Session

from engine.app.installation import Installation
from engine.clock import Clock
from engine.flows.numbers import Numbers
from engine.hooks.department import Department
from engine.records.knowledge import Library
from engine.records.knowledge_files import read_folder
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
    folder = made.host.folders.get(name)
    return (
        department.sample is not None
        or sample_file(folder) is not None
        or (folder is not None and (folder / "sample" / "knowledge").is_dir())
    )


def _seed_one(made: Installation, store: Store, clock: Clock, department: Department, today: date) -> bool:
    name, ran = department.name, []
    parties = sample_file(made.host.folders.get(name))
    e164 = Numbers(made.settings.region).e164

    folder = made.host.folders.get(name)
    written = folder / "sample" / "knowledge" if folder is not None else None

    def once(session: Session) -> None:
        # First, so that the department's own sample may refer to them.
        if parties is not None:
            take_in(PartiesIn(session, e164, clock.now()), parties)
        if written is not None and written.is_dir():
            library = Library(session, now=clock.now(), today=today, department=name, by="sample")
            for _, item in read_folder(written, today):
                library.put(item if item.department else replace(item, department=name), told=True)
        if department.sample is not None:
            department.sample(session, today)
        ran.append(name)

    store.deed(f"sample:{name}", name, once, SECONDS)
    return bool(ran)
