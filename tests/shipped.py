"""The shipped installation for a test of its own: one of its files written otherwise, or its flows compiled already."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parents[1]


def with_short_queue(folder: Path, queue: str, length: int) -> Path:
    """A home like the shipped one, in which so few may wait in a queue; its folder."""
    folder.mkdir()
    for name in ("plugins", "dialplans", "prompts"):
        (folder / name).symlink_to(REPOSITORY / name)
    shutil.copytree(REPOSITORY / "conf", folder / "conf")
    file = folder / "conf" / "queues.yaml"
    queues = yaml.safe_load(file.read_text(encoding="utf-8"))
    queues["queues"][queue]["length"] = length
    file.write_text(yaml.safe_dump(queues, allow_unicode=True), encoding="utf-8")
    return folder


_compiled: dict[str, bytes] = {}


@contextmanager
def compiled(home: Path, kind: str = "shipped") -> Iterator[Path]:
    """``home``, in which the flows that one test compiled are there for the next, as for an engine that starts again.
    ``kind`` names homes with the same flows; with others the cache does not fit, and costs nothing but its reading."""
    cache = home / "var" / "cache" / "flows"
    if kind in _compiled:
        cache.parent.mkdir(parents=True, exist_ok=True)
        cache.write_bytes(_compiled[kind])
    yield home
    if cache.exists():
        _compiled.setdefault(kind, cache.read_bytes())
