"""Which company system stands behind which contract: the department's own tables, another database, or http.

conf/engine.yaml::

    departments:
      logistics:
        adapters:
          WaybillSystem: {kind: http, url: "https://tms.example/api", secret_file: conf/tms.token}

Nothing said: the department's own tables, where it has an sql adapter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.clock import Clock
from engine.errors import PluginError, StoreError
from engine.hooks.breaker import Breaker
from engine.hooks.department import Adapter, Department
from engine.hooks.http import HttpClient

if TYPE_CHECKING:
    from engine.store.foreign import ForeignDatabase

SQL = "sql"  # the department's own tables, in the engine's database
DATABASE = "database"  # another database by its URL
HTTP = "http"


@dataclass(frozen=True, slots=True)
class System:
    """Where one company system is. ``tables``: by the name of a table here, (its name there, columns there by the
    names here); for ``database`` only."""

    kind: str = SQL
    url: str = ""
    limit: float = 10.0  # seconds for one request
    secret_file: Path | None = None
    ca_file: Path | None = None
    tables: Mapping[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)


def system_of(said: System | str) -> System:
    """A bare address means http."""
    return System(HTTP, said) if isinstance(said, str) else said


class Systems:
    """The company systems of all departments, open."""

    def __init__(
        self,
        departments: Iterable[Department],
        said: Mapping[str, System | str],
        clock: Clock,
        breaker: Callable[[str], Breaker],
    ) -> None:
        """``said``: by "logistics.WaybillSystem". :class:`PluginError` when it does not fit the departments."""
        self._kinds: dict[tuple[str, Any], str] = {}
        self._remotes: dict[tuple[str, Any], Any] = {}
        self._databases: dict[tuple[str, Any], ForeignDatabase] = {}
        self._clients: list[HttpClient] = []
        self._clock = clock
        self._breaker = breaker
        left = {name: system_of(one) for name, one in said.items()}
        try:
            for department in departments:
                for adapter in department.adapters:
                    name = f"{department.name}.{adapter.name}"
                    self._open(department.name, adapter, name, left.pop(name, None))
            if left:
                raise PluginError(f"the configuration names a system that no department has: {min(left)}")
        except PluginError:
            self.close()
            raise

    def kind(self, department: str, contract: Any) -> str:
        """How the system behind this contract is reached; "sql" for a department without any."""
        return self._kinds.get((department, contract), SQL)

    def remotes(self, department: str) -> dict[Any, Any]:
        """The http adapters of a department, by contract."""
        return {contract: made for (name, contract), made in self._remotes.items() if name == department}

    def database(self, department: str, contract: Any) -> ForeignDatabase:
        """The database behind a contract of kind "database"."""
        return self._databases[department, contract]

    def close(self) -> None:
        """Close all connections."""
        for client in self._clients:
            client.close()
        for database in self._databases.values():
            database.close()

    def _open(self, department: str, adapter: Adapter, name: str, system: System | None) -> None:
        at = (department, adapter.contract)
        if system is None or system.kind == SQL:
            if adapter.sql is None:
                raise PluginError(
                    f"{name} has only an http adapter, and the configuration gives it no address"
                )
            self._kinds[at] = SQL
            return
        self._kinds[at] = system.kind
        if system.kind == HTTP:
            if adapter.http is None:
                raise PluginError(f"{name} has no http adapter, but the configuration gives it an address")
            client = HttpClient(
                system.url,
                clock=self._clock,
                name=name,
                limit=system.limit,
                secret_file=system.secret_file,
                ca_file=system.ca_file,
                breaker=self._breaker(name),
            )
            self._clients.append(client)
            self._remotes[at] = adapter.http(client)
            return
        if adapter.sql is None:
            raise PluginError(f"{name} has no sql adapter, but the configuration gives it a database")
        from engine.store.foreign import ForeignDatabase, Mapped

        tables = {here: Mapped(there, columns) for here, (there, columns) in system.tables.items()}
        try:
            self._databases[at] = ForeignDatabase(name, system.url, self._clock, tables=tables)
        except StoreError as error:
            raise PluginError(str(error)) from error
