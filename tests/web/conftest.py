"""A control API on a real Unix socket, over parts that the test holds in its hands."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from engine.clock import Clock
from engine.web.app import control_app
from engine.web.parts import Parts
from engine.web.place import USUAL, reachable
from engine.web.server import Server
from tests.web.fakes import make_parts


@pytest.fixture
def home() -> Iterator[Path]:
    """A home whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="il-") as folder:
        yield Path(folder)


@pytest.fixture
def parts(home: Path) -> Iterator[Parts]:
    parts = make_parts(home, Clock())
    yield parts
    parts.store.close()  # type: ignore[attr-defined]


@pytest.fixture
def server(home: Path, parts: Parts) -> Iterator[Server]:
    server = Server(control_app(parts), reachable(home / USUAL))
    server.start()
    yield server
    server.stop(0.1)


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    transport = httpx.HTTPTransport(uds=str(server.path))
    with httpx.Client(transport=transport, base_url="http://engine", timeout=10) as client:
        yield client
