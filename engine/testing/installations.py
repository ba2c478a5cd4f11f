"""What was read of an installation's folder, for as long as no file in it is changed.

Each test has a centre of its own; what the files say is the same for all of them, is never changed by an engine, and
takes longer to read than the engine to start.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.hooks.builtin_day import Day
from engine.hooks.builtin_watch import Watch
from engine.hooks.host import Host

if TYPE_CHECKING:
    from engine.app import Installation
    from engine.clock import Clock

# All that read_installation looks at; `plugins/` by the suffixes of what may lie there.
_READ = ("conf", "dialplans", "prompts", "plugins")
_SUFFIXES = (".yaml", ".py", ".wav", ".csv", ".md")
_NOT_READ = frozenset({"tests", "__pycache__"})


@dataclass(frozen=True)
class _Kept:
    stamp: tuple[object, ...]
    made: Installation


class Installations:
    """Reads installations, each as often as it changes."""

    def __init__(self) -> None:
        self._kept: dict[Path, _Kept] = {}

    def read(self, folder: Path, clock: Clock) -> Installation:
        """As :func:`~engine.app.read_installation`: the host, and all that an engine changes, are the caller's own."""
        from engine.app import read_installation

        stamp = _stamp(folder, clock)
        known = self._kept.get(folder)
        if known is not None and known.stamp == stamp and (made := _again(known.made, clock)) is not None:
            return made
        made = read_installation(folder, clock)
        if not made.faults.errors and not made.away:
            kept = _own(made)
            self._kept[folder] = _Kept(stamp, kept)
        return made


def _again(known: Installation, clock: Clock) -> Installation | None:
    """The same on another clock; None when its plugins must be loaded anew."""
    host, day, watch = Host(clock), Day(clock), Watch(clock)
    host.add(day, "day", instant=True)
    host.add(watch, "watch", instant=True)
    if not host.take_over(known.host):
        return None
    return replace(_own(known), host=host, day=day, watch=watch, notifiers=host.notifiers)


def _own(made: Installation) -> Installation:
    """One more of it. Files' shapes are frozen; a reload changes the ACD's configuration in its place."""
    acd = made.acd
    assert acd is not None
    return replace(
        made,
        acd=replace(acd, queues={**acd.queues}, agents={**acd.agents}, tiers={**acd.tiers}),
        department_settings={**made.department_settings},
    )


def _stamp(folder: Path, clock: Clock) -> tuple[object, ...]:
    """Another one once any file was changed, added or removed, and on another day: calendars are read for today."""
    rows: list[object] = [clock.now().date()]
    rows += sorted(one for one in os.environ.items() if one[0].startswith("INSIDELINE_"))
    for name in _READ:
        for where, folders, files in os.walk(folder / name, followlinks=True):
            folders[:] = sorted(one for one in folders if one not in _NOT_READ)
            for file in sorted(files):
                if file.endswith(_SUFFIXES):
                    found = os.stat(f"{where}/{file}")
                    rows.append((where, file, found.st_size, found.st_mtime_ns, found.st_ino))
    return tuple(rows)


__all__ = ["Installations"]
