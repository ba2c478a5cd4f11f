"""A PostgreSQL server of the tests' own, on a socket in a folder of its own, gone when the tests are over.

Where Debian's ``postgresql`` is installed (or ``initdb`` is on ``PATH``) the tests start it themselves; its system
service need not run, and is not touched. ``INSIDELINE_POSTGRESQL=postgresql://user@host/postgres`` names a server
to be used instead, on which databases may be made.

The server dies with the tests, however they die: a little shell holds one end of a pipe, and ends the server when
nobody holds the other.
"""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gevent.monkey import get_original
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError

from engine.errors import ConfigError

OVERRIDE = "INSIDELINE_POSTGRESQL"
_DEBIAN = Path("/usr/lib/postgresql")
_OWNER = "insideline"
_START = 30.0  # seconds
_LOOK = 0.02
# Nothing in a test has to survive the machine (though it does survive `kill`), and nobody else may reach the server.
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "100",
    "shared_buffers": "16MB",
    "autovacuum": "off",
}
# Ends the server (SIGINT: now, but in order) and removes its folder as soon as the pipe on its standard input closes.
_GUARD = """
folder=$1; shift
"$@" & server=$!
echo $server
read -r line
kill -INT $server; wait $server
[ "$line" ] || rm -rf "$folder"
"""

_monotonic: Any = get_original("time", "monotonic")
_sleep: Any = get_original("time", "sleep")


def find_postgresql() -> Path | None:
    """The folder with ``initdb`` and ``postgres``, the newest version first; None where there is none."""
    folders = sorted(
        _DEBIAN.glob("*/bin"), key=lambda path: [int(n) for n in path.parent.name.split(".") if n.isdigit()]
    )
    if (on_path := shutil.which("initdb")) is not None:
        folders.append(Path(on_path).resolve().parent)
    for folder in reversed(folders):
        if all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres")):
            return folder
    return None


def missing() -> str:
    """Why there can be no PostgreSQL for tests on this machine; "" when there can."""
    if find_spec("psycopg") is None:
        return "psycopg is not installed (pip install 'insideline[postgresql]')"
    if os.environ.get(OVERRIDE) or find_postgresql() is not None:
        return ""
    return f"no {_DEBIAN}/*/bin/postgres, no initdb on PATH, and {OVERRIDE} names no server"


class PostgreSQL:
    """A server for tests. ``start``, ``make_database`` as often as wanted, ``stop``."""

    def __init__(self) -> None:
        self._given = os.environ.get(OVERRIDE, "")
        self._folder = Path()
        self._guard: Any = None
        self._server = 0
        self._swept: list[str] = []  # empty databases to be given out again

    @property
    def ours(self) -> bool:
        """Whether we started it, so that it may be killed, too."""
        return not self._given

    @property
    def url(self) -> URL:
        """The database ``postgres`` of the server."""
        if self._given:
            return make_url(self._given)
        return URL.create(
            "postgresql", username=_OWNER, database="postgres", query={"host": str(self._folder)}
        )

    def start(self) -> None:
        """Make a new server and start it. :class:`ConfigError` with its own last words when it does not."""
        if self._given:
            return
        folder = find_postgresql()
        if folder is None:
            raise ConfigError(missing())
        self._folder = Path(tempfile.mkdtemp(prefix="il-pg-"))
        user = _unprivileged()
        if user:
            os.chown(self._folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
        made = subprocess.run(
            [
                folder / "initdb",
                *("--pgdata", self._folder / "data", "--username", _OWNER, "--auth", "trust"),
                *("--encoding", "UTF8", "--no-locale", "--no-sync", "--no-instructions"),
            ],
            **_as(user, self._folder),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if made.returncode:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise ConfigError(f"initdb failed: {made.stderr.strip()[-500:]}")
        self.start_again()

    def start_again(self) -> None:
        """Start it on what it kept (after :meth:`kill`)."""
        folder = find_postgresql()
        assert folder is not None
        settings = [
            part
            for name, value in {**_SETTINGS, "unix_socket_directories": str(self._folder)}.items()
            for part in ("-c", f"{name}={value}")
        ]
        server = [str(folder / "postgres"), "-D", str(self._folder / "data"), *settings]
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "sh", str(self._folder), *server],
            **_as(_unprivileged(), self._folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(self._folder / "log").open("ab"),
            start_new_session=True,  # a Ctrl-C is for the tests: they end the server
        )
        self._server = int(self._guard.stdout.readline())
        self._wait_up()

    def _wait_up(self) -> None:
        engine = create_engine(self.url, poolclass=NullPool)
        end = _monotonic() + _START
        while True:
            try:
                engine.connect().close()
                return
            except OperationalError as error:
                if _monotonic() > end or self._guard.poll() is not None:
                    said = (self._folder / "log").read_text(encoding="utf-8", errors="replace")[-1000:]
                    self.stop()
                    raise ConfigError(f"PostgreSQL did not start: {said or error}") from None
            _sleep(_LOOK)

    def make_database(self, like: str = "") -> str:
        """The URL of a database of its own: empty, or a copy of the one at ``like`` (which nobody may use now)."""
        if self._swept and not like:
            return self._swept.pop()
        name = f"il_{uuid.uuid4().hex[:12]}"
        template = f' TEMPLATE "{make_url(like).database}"' if like else ""
        self.run(f'CREATE DATABASE "{name}"{template}')
        return self.url.set(database=name).render_as_string(hide_password=False)

    def sweep_database(self, url: str) -> None:
        """Empty it, also from under those who use it; ``make_database`` gives it out again, which is quicker."""
        self.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name",
            name=make_url(url).database,
        )
        self.run("DROP SCHEMA public CASCADE", at=url)
        self.run("CREATE SCHEMA public", at=url)
        self._swept.append(url)

    def drop_database(self, url: str) -> None:
        """Remove it, also from under those who use it."""
        self.run(f'DROP DATABASE IF EXISTS "{make_url(url).database}" WITH (FORCE)')

    def run(self, statement: str, at: str = "", **values: Any) -> None:
        """A statement of the server's owner (in the database ``at``), outside of any transaction."""
        engine = create_engine(at or self.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement), values)

    def kill(self) -> None:
        """As a power cut would: at once, in the midst of whatever it does. All its processes are gone on return."""
        assert self.ours
        children = _children(self._server)
        for process in (self._server, *children):
            _kill(process)
        self._end_guard(b"keep\n")
        end = _monotonic() + _START
        while any(Path(f"/proc/{process}").exists() for process in children) and _monotonic() < end:
            _sleep(_LOOK)
        # A server that was killed leaves its mark, and a process of another program may have its number by now.
        (self._folder / "data" / "postmaster.pid").unlink(missing_ok=True)

    def stop(self) -> None:
        """End it, and remove all that it wrote."""
        while self._given and self._swept:
            self.drop_database(self._swept.pop())
        if self._guard is not None:
            self._end_guard(b"")
            shutil.rmtree(self._folder, ignore_errors=True)

    def _end_guard(self, word: bytes) -> None:
        guard, self._guard = self._guard, None
        try:
            guard.communicate(word, timeout=_START)
        except subprocess.TimeoutExpired:
            _kill(self._server)
            guard.kill()
            guard.wait()


def _unprivileged() -> str:
    """PostgreSQL refuses to run as root: whom it runs as then; "" to stay who we are."""
    if os.geteuid() != 0:
        return ""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in names), "")


def _as(user: str, folder: Path) -> dict[str, Any]:
    """How a process is started as ``user``, in a folder that it may enter."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    more: dict[str, Any] = {"cwd": folder, "env": {**environment, "LC_ALL": "C", "TZ": "UTC"}}
    if user and user != getpass.getuser():
        entry = pwd.getpwnam(user)
        more |= {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    return more


def _children(process: int) -> list[int]:
    try:
        said = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(number) for number in said.split()]


def _kill(process: int) -> None:
    try:
        os.kill(process, 9)
    except ProcessLookupError:
        pass  # it ended by itself in this moment


__all__ = ["PostgreSQL", "find_postgresql", "missing"]
