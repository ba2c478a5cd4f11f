from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import NullPool, create_engine
from sqlalchemy.orm import Session

from engine.hooks.loading import load_folder

TODAY = date(2026, 11, 23)


@pytest.fixture
def logistics() -> ModuleType:
    """The department's plugin, as the engine loads it."""
    return load_folder(Path(__file__).parents[1])


@pytest.fixture
def sampled(logistics: ModuleType, database_url: str) -> Iterator[Session]:
    """A database (SQLite, then PostgreSQL) with the sample shipments, put in on ``TODAY``."""
    database = create_engine(database_url, poolclass=NullPool)
    logistics.department.models.create_all(database)
    with Session(database) as session:
        logistics.department.sample(session, TODAY)
        session.flush()
        yield session
    database.dispose()
