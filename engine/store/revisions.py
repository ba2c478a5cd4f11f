"""Writes a migration of a department: what its models have that its migrations do not make yet.

Nothing is asked of the centre's own database: the migrations are run on an empty one in memory, and that is compared
with the models. So the same file comes out on every machine.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from engine.errors import StoreError
from engine.store.upgrades import DepartmentTables, Upgrades

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext

_PAGE = '''"""{message}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {before}
branch_labels = {label}
depends_on = None


def upgrade() -> None:
{guard}    {steps}
'''
_GUARD = """\
    # A database in which they were made before there were migrations keeps them.
    if sa.inspect(op.get_bind()).has_table("{table}"):
        return
"""


def write_revision(department: DepartmentTables, folder: Path, message: str) -> Path | None:
    """The file that was written into ``folder``; None when there is nothing to do. :class:`StoreError` when the
    migrations that are there can't be run, or the department has no models."""
    from alembic.autogenerate import produce_migrations, render_python_code
    from alembic.migration import MigrationContext
    from sqlalchemy import create_engine

    if department.metadata is None:
        raise StoreError(f"department {department.name} has no models")
    there = sorted(path for path in folder.glob("*.py") if not path.name.startswith("_"))
    branch = replace(department, migrations=folder if there else None)
    upgrades = Upgrades([branch] if there else [])
    upgrades.load()
    prefix = department.prefix or f"{department.name}_"
    with create_engine("sqlite://").connect() as connection:
        before = upgrades.make_up_to_date(connection).get(department.name)
        context = MigrationContext.configure(
            connection,
            opts={
                "include_name": lambda name, kind, _: kind != "table" or str(name).startswith(prefix),
                "compare_type": True,
            },
        )
        script = produce_migrations(context, department.metadata)
        found = script.upgrade_ops
        if found is None or found.is_empty():
            return None
        steps = render_python_code(
            found, render_as_batch=True, migration_context=context, render_item=_plain_type
        )
    steps = "\n".join(line for line in steps.splitlines() if not line.strip().startswith("# ###")).strip()
    number = 1 + max((int(one[1]) for path in there if (one := re.search(r"_(\d{4})", path.name))), default=0)
    revision = f"{department.name}_{number:04}"
    first = sorted(department.metadata.tables)[0]
    target = folder / f"{revision}_{_slug(message)}.py"
    folder.mkdir(exist_ok=True)
    target.write_text(
        _PAGE.format(
            message=message.replace("\\", "/").replace('"', "'").strip().rstrip("."),
            revision=revision,
            before=f'"{before}"' if before else None,
            label=None if before else f'("{department.name}",)',
            guard="" if before else _GUARD.format(table=first),
            steps=steps,
        ),
        encoding="utf-8",
    )
    return target


def _plain_type(kind: str, item: Any, _: AutogenContext) -> str | Literal[False]:
    """A type with code of its own (``Moment``) as the column type below it: a migration says what the tables were made
    of on its day, and so needs nothing of the engine's or the department's code."""
    from sqlalchemy.types import TypeDecorator

    return f"sa.{item.impl_instance!r}" if kind == "type" and isinstance(item, TypeDecorator) else False


def _slug(message: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", message.lower()).strip("_")[:40] or "change"
