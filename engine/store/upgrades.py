"""Which tables the database has, which ones this program wants, and the way from one to the other.

The engine's own tables are one Alembic branch (``core``). A department that has a folder of migrations is
a branch of its own, labelled with its name. A department without one is created from its metadata, and a
fingerprint of it is kept: when the code changes, ``upgrade`` adds what can be added without asking (new
tables, new columns that may be empty or have a default, new indexes) and refuses the rest.

A database that is older than the program is never touched without being asked: see ``check``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Column, MetaData, String, Table, delete, insert, inspect, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateIndex, CreateTable

from engine.errors import StoreError
from engine.store import tables
from engine.store.engines import is_outage, one_line

CORE = "core"
LOOKED = "migrations.looked_at"  # the row of ``meta`` that says what was compared last
_HERE = Path(__file__).parent / "migrations"
_VERSIONS = Table("alembic_version", MetaData(), Column("version_num", String(32)))  # Alembic's own


@dataclass(frozen=True, slots=True)
class DepartmentTables:
    """What a department keeps. ``prefix`` begins the names of all its tables; ``migrations`` is a folder
    of Alembic revisions whose first one carries ``branch_labels = ("<name>",)``."""

    name: str
    metadata: MetaData | None = None
    migrations: Path | None = None
    prefix: str = ""

    def check(self) -> None:
        """:class:`StoreError` when a table is named as if it were someone else's."""
        prefix = self.prefix or f"{self.name}_"
        if self.metadata is not None:
            for name in self.metadata.tables:
                if not name.startswith(prefix):
                    raise StoreError(f"department {self.name}: table {name} must be named {prefix}…")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that ``upgrade`` did or would do, for people: of whom, from where, to where."""

    owner: str
    was: str
    now: str

    def __str__(self) -> str:
        return f"{self.owner}: {self.was or 'nothing'} -> {self.now}"


class Upgrades:
    """Compares and changes the schema of one database."""

    def __init__(self, departments: Sequence[DepartmentTables] = ()) -> None:
        for department in departments:
            department.check()
        self._branches = [item for item in departments if item.migrations is not None]
        self._plain = [item for item in departments if item.migrations is None and item.metadata is not None]

    def load(self) -> None:
        """Import Alembic, on the hub: import locks are gevent's too. (At the top it would cost every command.)"""
        import alembic.autogenerate
        import alembic.command
        import alembic.migration
        import alembic.operations
        import alembic.script  # noqa: F401

    def is_new(self, connection: Connection) -> bool:
        """True when the database holds nothing yet."""
        return not inspect(connection).get_table_names()

    def settled(self, connection: Connection) -> bool:
        """Whether these very migrations were compared with this very schema before, and nothing was to be done.

        Needs no Alembic, which would be a tenth of a start.
        """
        if not {tables.meta.name, _VERSIONS.name} <= set(inspect(connection).get_table_names()):
            return False
        look = select(tables.meta.c.value).where(tables.meta.c.key == LOOKED)
        return bool(connection.execute(look).scalar() == self._digest(connection))

    def settle(self, connection: Connection, now: datetime) -> None:
        """Remember for :meth:`settled` that nothing is to be done."""
        connection.execute(delete(tables.meta).where(tables.meta.c.key == LOOKED))
        connection.execute(insert(tables.meta).values(key=LOOKED, value=self._digest(connection), at=now))

    def _digest(self, connection: Connection) -> str:
        """Of all that decides about what is pending: every migration there is, and what the database says of itself."""
        digest = hashlib.sha256()
        branches = [(item.name, item.migrations) for item in self._branches if item.migrations is not None]
        for owner, folder in [(CORE, _HERE / "versions"), *sorted(branches)]:
            for file in sorted(folder.glob("*.py")):
                digest.update(f"{owner} {file.name} ".encode() + file.read_bytes() + b"\0")
        for department in sorted(self._plain, key=lambda item: item.name):
            digest.update(f"{department.name} {fingerprint(department, connection)} ".encode())
        prints = self._fingerprints(connection)
        versions = sorted(connection.execute(select(_VERSIONS.c.version_num)).scalars())
        digest.update(repr((sorted(prints.items()), versions)).encode())
        return digest.hexdigest()

    def pending(self, connection: Connection) -> list[Change]:
        """What an upgrade would do. :class:`StoreError` when the database is newer than this program."""
        changes = self._branches_behind(connection)
        prints = self._fingerprints(connection)
        for department in self._plain:
            wanted = fingerprint(department, connection)
            if prints.get(department.name) != wanted:
                changes.append(Change(department.name, prints.get(department.name, ""), wanted))
        return changes

    def make_up_to_date(self, connection: Connection) -> dict[str, str]:
        """Run all migrations on an empty database; the last one of each branch."""
        self._migrate(connection)
        return self._heads(self._script(connection))

    def check(self, connection: Connection) -> list[Change]:
        """What may be created without asking: the tables of departments that have none yet.

        :class:`StoreError` when anything that exists is older than the program.
        """
        changes = self.pending(connection)
        old = [change for change in changes if change.was or change.owner == CORE]
        if old:
            what = "; ".join(map(str, old))
            raise StoreError(f"the database is older than this program ({what}): run `insideline db upgrade`")
        return changes

    def upgrade(self, connection: Connection, now: datetime) -> list[Change]:
        """Bring everything to what this program wants, in the transaction of ``connection``."""
        changes = self._branches_behind(connection) if not self.is_new(connection) else None
        if changes is None or changes:
            self._migrate(connection)
        if changes is None:
            changes = [
                Change(owner, "", head) for owner, head in self._heads(self._script(connection)).items()
            ]
        prints = self._fingerprints(connection)
        for department in self._plain:
            wanted = fingerprint(department, connection)
            was = prints.get(department.name, "")
            if was != wanted:
                _grow(department, connection)
                key = _key(department)
                connection.execute(delete(tables.meta).where(tables.meta.c.key == key))
                connection.execute(insert(tables.meta).values(key=key, value=wanted, at=now))
                changes.append(Change(department.name, was, wanted))
        return changes

    # -- Alembic ----------------------------------------------------------------------------------

    def _config(self, connection: Connection) -> Any:
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", _escape(_HERE))
        config.set_main_option("path_separator", "newline")
        folders = [_HERE / "versions", *(item.migrations for item in self._branches if item.migrations)]
        config.set_main_option("version_locations", "\n".join(map(_escape, folders)))
        config.attributes["connection"] = connection
        return config

    def _script(self, connection: Connection) -> Any:
        """All revisions that there are, read and linked."""
        from alembic.script import ScriptDirectory

        script = ScriptDirectory.from_config(self._config(connection))
        try:
            list(script.walk_revisions())
        except Exception as error:  # these are files of departments: anything may be wrong with them
            raise StoreError(f"the migrations can't be read: {one_line(error)}") from error
        return script

    def _heads(self, script: Any) -> dict[str, str]:
        """The last revision of each branch."""
        heads: dict[str, str] = {}
        for owner in (CORE, *(department.name for department in self._branches)):
            try:
                heads[owner] = script.get_revision(f"{owner}@head").revision
            except Exception as error:
                wanted = f"need a first revision with branch_labels = ({owner!r},)"
                raise StoreError(f"the migrations of {owner} {wanted}: {one_line(error)}") from error
        return heads

    def _migrate(self, connection: Connection) -> None:
        from alembic import command
        from alembic.migration import MigrationContext

        # Revisions of departments that are not installed any more would stop Alembic: they are kept apart.
        known = {revision.revision for revision in self._script(connection).walk_revisions()}
        apart = [
            item for item in MigrationContext.configure(connection).get_current_heads() if item not in known
        ]
        for revision in apart:
            connection.execute(text("DELETE FROM alembic_version WHERE version_num = :it"), {"it": revision})
        try:
            command.upgrade(self._config(connection), "heads")
        except Exception as error:
            if isinstance(error, SQLAlchemyError) and is_outage(error):
                raise
            raise StoreError(f"a migration failed, and nothing was changed: {one_line(error)}") from error
        for revision in apart:
            connection.execute(text("INSERT INTO alembic_version VALUES (:it)"), {"it": revision})

    def _branches_behind(self, connection: Connection) -> list[Change]:
        if not inspect(connection).has_table("alembic_version"):
            raise StoreError("the database holds tables that are not Insideline's: give it one of its own")
        from alembic.migration import MigrationContext

        script = self._script(connection)
        stored = set(MigrationContext.configure(connection).get_current_heads())
        changes = []
        known: set[str] = set()
        for owner, head in self._heads(script).items():
            line = [item.revision for item in script.iterate_revisions(head, "base")]
            known.update(line)
            at = [revision for revision in line if revision in stored]
            if head not in at:
                changes.append(Change(owner, at[0] if at else "", head))
        strange = sorted(revision for revision in stored - known if revision.startswith(f"{CORE}_"))
        if strange:
            raise StoreError(
                f"the database was written by a newer Insideline (it is at {', '.join(strange)})"
            )
        return changes

    # -- fingerprints -----------------------------------------------------------------------------

    def _fingerprints(self, connection: Connection) -> dict[str, str]:
        keys = {_key(department): department.name for department in self._plain}
        if not keys:
            return {}
        rows = connection.execute(
            select(tables.meta.c.key, tables.meta.c.value).where(tables.meta.c.key.in_(keys))
        )
        return {keys[row.key]: row.value for row in rows}


def fingerprint(department: DepartmentTables, connection: Connection) -> str:
    """A short name for what the code says the department's tables are."""
    digest = hashlib.sha256()
    for table in _tables(department):
        digest.update(str(CreateTable(table).compile(dialect=connection.dialect)).encode())
        for index in sorted(table.indexes, key=lambda item: str(item.name)):
            digest.update(str(CreateIndex(index).compile(dialect=connection.dialect)).encode())
    return digest.hexdigest()[:12]


def _grow(department: DepartmentTables, connection: Connection) -> None:
    """Add to the database what the metadata has more. :class:`StoreError` for anything else."""
    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    look = inspect(connection)
    there = set(look.get_table_names())
    operations = Operations(MigrationContext.configure(connection))
    for table in _tables(department):
        if table.name not in there:
            table.create(connection)
            continue
        have = {column["name"] for column in look.get_columns(table.name)}
        for column in table.columns:
            if column.name not in have:
                if not column.nullable and column.server_default is None:
                    raise _needs_migration(
                        department, f"{table.name}.{column.name} is new, not null and has no default"
                    )
                operations.add_column(table.name, _detached(column))
        indexes = {index["name"] for index in look.get_indexes(table.name)}
        for index in table.indexes:
            if index.name not in indexes:
                index.create(connection)
    left = differences(connection, department)
    if left:
        raise _needs_migration(department, f"the tables differ from the code ({left[0]})")


def differences(connection: Connection, department: DepartmentTables) -> list[str]:
    """How the department's tables differ from its metadata, as Alembic's comparison tells it."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    prefix = department.prefix or f"{department.name}_"

    def ours(name: str | None, kind: str, parents: Any) -> bool:
        return kind != "table" or str(name).startswith(prefix)

    context = MigrationContext.configure(connection, opts={"include_name": ours})
    found = compare_metadata(context, department.metadata or MetaData())
    return [
        " ".join(str(part) for part in item[:4]) if isinstance(item, tuple) else str(item) for item in found
    ]


def _detached(column: Column[Any]) -> Column[Any]:
    return Column(column.name, column.type, nullable=column.nullable, server_default=column.server_default)


def _tables(department: DepartmentTables) -> list[Table]:
    return list(department.metadata.sorted_tables) if department.metadata is not None else []


def _needs_migration(department: DepartmentTables, why: str) -> StoreError:
    return StoreError(
        f"department {department.name}: {why}; that needs a migration in plugins/{department.name}/migrations"
    )


def _key(department: DepartmentTables) -> str:
    return f"schema:{department.name}"


def _escape(path: Path) -> str:
    return str(path).replace("%", "%%")
