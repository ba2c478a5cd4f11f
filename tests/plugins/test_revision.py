"""``insideline db revision``: a migration is written of what the models have more, and rows stay."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from engine.cli.init import make_home
from engine.cli.main import cli
from engine.hooks import loading

Insideline = Callable[..., Any]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    make_home(tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def insideline(place: Path, monkeypatch: pytest.MonkeyPatch) -> Insideline:
    """The command line in that home; `anew` with the code of these departments as it is now, as another process would
    have it."""
    monkeypatch.chdir(place)

    def run(*words: str, anew: bool = False) -> Any:
        if anew:
            loading.forget("warranty")
            loading.forget("lending")
        return CliRunner().invoke(cli, list(words))

    return run


def asked(place: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(place / "var" / "insideline.db")) as database, database:
        return database.execute(statement).fetchall()


def test_migrations_follow_the_models_and_rows_stay(place: Path, insideline: Insideline) -> None:
    insideline("plugin", "new", "warranty")
    insideline("db", "upgrade")
    asked(place, "INSERT INTO warranty_items (code, title, \"left\") VALUES ('1001', 'a lamp', 4)")
    folder = place / "plugins" / "warranty" / "migrations"

    first = insideline("db", "revision", "warranty", "What there is")
    assert first.stdout.strip() == str(folder / "warranty_0001_what_there_is.py")
    assert "nothing to do" in insideline("db", "revision", "warranty", "again").stdout

    models = place / "plugins" / "warranty" / "models.py"
    more = "    left: Mapped[int]\n    place: Mapped[str | None] = mapped_column(String(9))\n"
    models.write_text(
        models.read_text(encoding="utf-8").replace("    left: Mapped[int]\n", more), encoding="utf-8"
    )
    second = insideline("db", "revision", "warranty", 'Where it "lies".', anew=True)
    assert second.stdout.strip() == str(folder / "warranty_0002_where_it_lies.py")
    assert "op.create_table" not in Path(second.stdout.strip()).read_text(encoding="utf-8")

    assert "warranty: nothing -> warranty_0002" in insideline("db", "upgrade", anew=True).stdout
    assert asked(place, 'SELECT code, "left", place FROM warranty_items') == [("1001", 4, None)]


def test_a_migration_names_no_type_of_the_engine(place: Path, insideline: Insideline) -> None:
    insideline("plugin", "new", "lending")
    models = place / "plugins" / "lending" / "models.py"
    text = models.read_text(encoding="utf-8")
    head = "from __future__ import annotations\n"
    text = text.replace(head, f"{head}\nfrom datetime import datetime\n\nfrom engine.api import Moment\n")
    lent = "    lent: Mapped[datetime] = mapped_column(Moment)\n"
    models.write_text(
        text.replace("    left: Mapped[int]\n", f"    left: Mapped[int]\n{lent}"), encoding="utf-8"
    )

    written = Path(insideline("db", "revision", "lending", "Loans", anew=True).stdout.strip())
    migration = written.read_text(encoding="utf-8")
    assert 'sa.Column("lent", sa.DateTime(timezone=True)' in migration.replace("'", '"')
    assert "engine" not in migration
    assert "lending_0001" in insideline("db", "upgrade", anew=True).stdout
    assert "nothing to do" in insideline("db", "revision", "lending", "again", anew=True).stdout


@pytest.mark.parametrize("department", ["expert", "hr", "logistics", "orders"])
def test_migrations_that_were_written_by_hand_make_what_the_models_want(
    place: Path, insideline: Insideline, department: str
) -> None:
    folder = place / "plugins" / department / "migrations"
    before = sorted(folder.glob("*.py"))
    assert "nothing to do" in insideline("db", "revision", department, "x").stdout
    assert sorted(folder.glob("*.py")) == before


def test_a_department_that_is_not_there_is_told(insideline: Insideline) -> None:
    assert "there is no department nothing" in insideline("db", "revision", "nothing", "x").stderr
