"""A plugin out of an installed package: its flows, prompts, migrations and sample work as those of a folder do."""

from __future__ import annotations

import importlib
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from engine.cli.init import make_home
from engine.cli.main import cli

_MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "returns_0001"
down_revision = None
branch_labels = ("returns",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "returns_items",
        sa.Column("code", sa.String(8), primary_key=True),
        sa.Column("title", sa.String(40), nullable=False),
        sa.Column("left", sa.Integer(), nullable=False),
    )
    op.create_table(
        "returns_bookings",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("code", sa.String(8), sa.ForeignKey("returns_items.code"), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
    )
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home without the department, and the department's wheel installed where Python looks."""
    home, source, site = tmp_path / "home", tmp_path / "src", tmp_path / "site"
    make_home(home)
    monkeypatch.chdir(home)
    assert CliRunner().invoke(cli, ["plugin", "new", "returns", "--dir", str(source)]).exit_code == 0
    (source / "returns" / "__init__.py").write_text("", encoding="utf-8")
    (source / "returns" / "migrations").mkdir()
    (source / "returns" / "migrations" / "returns_0001.py").write_text(_MIGRATION, encoding="utf-8")
    wheel = tmp_path / "acme_returns-1.2-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as made:
        for path in sorted((source / "returns").rglob("*")):
            if path.is_file():
                made.write(path, path.relative_to(source).as_posix())
        info = "acme_returns-1.2.dist-info"
        made.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: acme-returns\nVersion: 1.2\n")
        made.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        made.writestr(f"{info}/entry_points.txt", "[insideline.plugins]\nreturns = returns.plugin\n")
        made.writestr(f"{info}/RECORD", "")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--target",
        str(site),
    ]
    subprocess.run([*pip, str(wheel)], check=True, timeout=120)
    monkeypatch.syspath_prepend(str(site))
    importlib.invalidate_caches()
    yield home
    for name in [one for one in sys.modules if one == "returns" or one.startswith("returns.")]:
        del sys.modules[name]


def test_a_call_is_answered_by_a_department_out_of_a_package(installed: Path, centre_of: Any) -> None:
    listed = CliRunner().invoke(cli, ["plugin", "list", "--json"]).stdout
    assert '"package"' in listed
    assert '"1.2"' in listed
    centre = centre_of(installed)
    centre.number("8088", "returns/main")
    caller = centre.caller().dials("8088")
    caller.hears("returns/choose_language").presses("2")
    caller.hears("returns/enter_code").presses("1001#")
    caller.hears("returns/item_text").hears("returns/book_one").presses("1")
    caller.hears("returns/booked_text")
    assert centre.one("returns.bookings").code == "1001"
    assert "returns_0001" in [row.version_num for row in centre.rows("alembic_version")]
