"""``pytest --flow-coverage``: keeps which blocks and ways of the installation's flows the tests walked.

Each run adds to ``var/flow-coverage.json`` of the installation; ``insideline flow coverage`` tells what it comes to. It
works with pytest-xdist: each worker adds what it walked.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from engine.flows.coverage import Walked

_KEPT = pytest.StashKey["Watcher"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--flow-coverage",
        action="store_true",
        help="keep which blocks and ways of flows are walked, for `insideline flow coverage`",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--flow-coverage"):
        watcher = config.stash[_KEPT] = Watcher()
        watcher.start()


def pytest_unconfigure(config: pytest.Config) -> None:
    if (watcher := config.stash.get(_KEPT, None)) is not None:
        watcher.stop()


def pytest_sessionfinish(session: pytest.Session) -> None:
    from engine.flows.coverage import FILE, add_walked

    watcher = session.config.stash.get(_KEPT, None)
    if watcher is not None:
        home = Path(session.config.getini("insideline_home") or session.config.rootpath)
        add_walked(home / "var" / FILE, watcher.of(home))


class Watcher:
    """Looks on while calls walk: wraps what the interpreter does at each step."""

    def __init__(self) -> None:
        from engine.flows.coverage import Walked

        self.walked: Walked = Walked()
        self._flows: dict[tuple[str, str], str] = {}  # name and hash -> file
        self._before: list[tuple[type[Any], str, Any]] = []

    def start(self) -> None:
        """From now on."""
        from engine.flows.run import Run

        def show(run: Any, frame: Any, step: Any) -> None:
            self._flows[frame.flow.name, frame.flow.hash] = frame.flow.file
            self.walked.reached(frame.flow, step)

        def follow(run: Any, frame: Any, move: Any) -> None:
            self.walked.left(frame.flow, frame.flow.step(frame.block, frame.index), move)

        def after_hang_up(run: Any, cause: str) -> None:
            for frame in run.frames:
                for step in frame.flow.on_hangup:
                    self.walked.reached(frame.flow, step)

        self._wrap(Run, "_show", show)
        self._wrap(Run, "_follow", follow)
        self._wrap(Run, "after_hang_up", after_hang_up)

    def _wrap(self, of: type[Any], name: str, first: Callable[..., None]) -> None:
        original = getattr(of, name)
        self._before.append((of, name, original))

        def wrapped(*args: Any, **named: Any) -> Any:
            first(*args)
            return original(*args, **named)

        setattr(of, name, wrapped)

    def stop(self) -> None:
        """No longer."""
        while self._before:
            setattr(*self._before.pop())

    def of(self, home: Path) -> Walked:
        """What was walked of the flows in a home, as they say now; tests have flows of their own, too."""
        from engine.flows.coverage import Walked
        from engine.flows.model import flow_hash
        from engine.schema.source import read_document

        kept = Walked()
        for (name, hash_), file in self._flows.items():
            path = home / file  # an absolute one stays as it is
            if file and path.is_file() and flow_hash(read_document(path).tree) == hash_:
                kept.flows.setdefault(name, {})[hash_] = self.walked.flows[name][hash_]
        return kept
