"""The shipped installation with one of its files written otherwise, for a test of its own."""

from __future__ import annotations

import shutil
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
