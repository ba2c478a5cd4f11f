"""Clips on disk: what was rendered once is played from its file from then on.

A clip is found by its content: voice, language, text, silence around it. Its file's name says whose it is
(``logistics.main_menu.0-5c1d….wav``), so that a folder listing reads well and two prompts with the same words can be
told apart. Files appear whole or not at all, and the longest unused go when there are too many bytes.
"""

from __future__ import annotations

import hashlib
import os
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from gevent.threadpool import ThreadPool

from engine.clock import Clock, Event
from engine.prompts.render import MuteVoice, Voice
from engine.prompts.sound import RATE, silence, tone, write_wav
from engine.prompts.spoken import LANGUAGES

log = structlog.get_logger(__name__)

_HEADER: Final = 44  # bytes of a WAV before its samples
PATIENCE: Final = 6.0  # seconds that a call waits for a clip before it goes on with a tone


@dataclass(frozen=True, slots=True)
class Spec:
    """What a clip says. Without ``text`` it is silence of ``after`` seconds."""

    owner: str  # whose words: "logistics.main_menu.0", "value", "text", "pause"
    language: str
    text: str
    before: float = 0.0  # seconds of silence in front
    after: float = 0.0  # and behind


@dataclass(frozen=True, slots=True)
class Clip:
    """A file that the switch can play."""

    path: str
    seconds: float


@dataclass(slots=True)
class Counts:
    """What the cache did since it was opened."""

    hits: int = 0
    rendered: int = 0
    failed: int = 0
    evicted: int = 0


class ClipCache:
    """Clips of one voice in ``folder``. Used from the hub; renders and writes in ``pool``."""

    def __init__(self, folder: Path, voice: Voice, clock: Clock, pool: ThreadPool, limit_bytes: int) -> None:
        self.folder = folder.absolute()
        self.voice = voice
        self.counts = Counts()
        self._clock = clock
        self._pool = pool
        self._limit = limit_bytes
        self._sizes: OrderedDict[str, int] = OrderedDict()  # path -> bytes, the longest unused first
        self._names: dict[Spec, str] = {}
        self._total = 0
        self._pending: dict[str, Event] = {}
        self._mute = MuteVoice()
        self._scan()

    @property
    def size(self) -> int:
        """Bytes of all clips."""
        return self._total

    def clips(self, specs: Sequence[Spec], patience: float = PATIENCE) -> list[Clip]:
        """The clips of ``specs``, rendered where they are missing. Waits at most ``patience`` seconds; what is
        not there then, or can't be rendered, is a tone instead. Never raises for a voice that fails."""
        paths = [self._path(spec, self.voice) for spec in specs]
        wanted = {path: spec for path, spec in zip(paths, specs, strict=True) if not self._there(path)}
        if wanted:
            self._make(wanted, patience)
        return [self._clip(path, spec) for path, spec in zip(paths, specs, strict=True)]

    def missing(self, specs: Sequence[Spec]) -> list[Spec]:
        """Those of ``specs`` that are not rendered yet, each once."""
        return [spec for spec in dict.fromkeys(specs) if self._path(spec, self.voice) not in self._sizes]

    # -- finding -------------------------------------------------------------------------------

    def _path(self, spec: Spec, voice: Voice) -> str:
        name = self._names.get(spec) if voice is self.voice else None
        if name is None:
            what = (voice.name if spec.text else "", spec.language, spec.text, spec.before, spec.after, RATE)
            mark = hashlib.blake2b(repr(what).encode(), digest_size=10).hexdigest()
            name = f"{self.folder}/{spec.language}/{spec.owner}-{mark}.wav"
            if voice is self.voice:
                if len(self._names) >= 20_000:
                    self._names.clear()
                self._names[spec] = name
        return name

    def _there(self, path: str) -> bool:
        if path not in self._sizes:
            return False
        if not os.path.exists(path):  # somebody tidied up; a missing file would be silence on the phone
            self._total -= self._sizes.pop(path)
            return False
        self._sizes.move_to_end(path)
        self.counts.hits += 1
        return True

    def _clip(self, path: str, spec: Spec) -> Clip:
        if path not in self._sizes:
            path = self._path(spec, self._mute)
            if not self._there(path):
                try:
                    self._keep([(path, _write(path, _around(spec, self._mute)))])
                except OSError as error:  # a full disk: the switch finds no file, and the call goes on
                    log.error("prompt_not_written", path=path, why=str(error))
        return Clip(path, _seconds(self._sizes.get(path, _HEADER)))

    # -- making --------------------------------------------------------------------------------

    def _make(self, wanted: dict[str, Spec], patience: float) -> None:
        """Render ``wanted`` once, however many calls want it at the same time."""
        waits: list[Event] = []
        mine: dict[str, Spec] = {}
        done = self._clock.event()
        for path, spec in wanted.items():
            if (other := self._pending.get(path)) is not None:
                waits.append(other)
            else:
                mine[path] = spec
                self._pending[path] = done
        if mine:
            if self.voice.quick:
                self._render(mine, done)
            else:
                # A greenlet of its own: a caller who hangs up must not take the clip from those who wait for it.
                self._clock.spawn(self._render, mine, done)
                waits.append(done)
        until = self._clock.monotonic() + patience
        for event in waits:
            if not event.wait(max(0.0, until - self._clock.monotonic())):
                log.warning("prompt_late", seconds=patience, clips=len(wanted))
                return

    def _render(self, wanted: dict[str, Spec], done: Event) -> None:
        try:
            if self.voice.quick:
                results = _render(wanted, self.voice)
            else:
                results = self._clock.blocking(self._pool, _render, wanted, self.voice)
            made = [(path, result) for path, result in results.items() if isinstance(result, int)]
            self.counts.rendered += len(made)
            self._keep(made)
            for path, why in results.items():
                if isinstance(why, str):
                    self.counts.failed += 1
                    spec = wanted[path]
                    log.error("prompt_not_rendered", owner=spec.owner, language=spec.language, why=why)
        finally:
            for path in wanted:
                self._pending.pop(path, None)
            done.set()

    def _keep(self, made: Sequence[tuple[str, int]]) -> None:
        for path, size in made:
            self._total += size - self._sizes.pop(path, 0)
            self._sizes[path] = size
        kept = {path for path, _ in made}
        while self._total > self._limit and len(self._sizes) > len(kept):
            path, size = next(iter(self._sizes.items()))
            if path in kept:
                break
            del self._sizes[path]
            self._total -= size
            self.counts.evicted += 1
            with suppress(FileNotFoundError):
                os.unlink(path)

    def _scan(self) -> None:
        """Know what an earlier engine rendered, the oldest first; and sweep what it left half written."""
        found: list[tuple[float, str, int]] = []
        # Only where we write ourselves: whatever else lies in the folder is not ours to count, or to delete.
        for folder in filter(Path.is_dir, (self.folder / language for language in LANGUAGES)):
            for entry in os.scandir(folder):
                if entry.name.endswith(".part"):
                    with suppress(FileNotFoundError):
                        os.unlink(entry.path)
                elif entry.name.endswith(".wav"):
                    stat = entry.stat()
                    found.append((stat.st_mtime, entry.path, stat.st_size))
        for _, path, size in sorted(found):
            self._sizes[path] = size
            self._total += size


def _render(wanted: dict[str, Spec], voice: Voice) -> dict[str, int | str]:
    """Render and write clips; of each the bytes, or why not. Runs in a pool thread, so it does not log."""
    results: dict[str, int | str] = {}
    for path, spec in wanted.items():
        try:
            results[path] = _write(path, _around(spec, voice))
        except Exception as error:  # noqa: BLE001 - a voice is foreign code; the caller hears a tone instead
            results[path] = f"{type(error).__name__}: {error}"
    return results


def _around(spec: Spec, voice: Voice) -> array[int]:
    if not spec.text:
        return silence(spec.before + spec.after)
    return silence(spec.before) + voice.samples(spec.text, spec.language) + silence(spec.after)


def _write(path: str, samples: array[int]) -> int:
    data = write_wav(samples or tone(0.1))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    part = f"{path}.{os.getpid()}.part"
    with open(part, "wb") as file:
        file.write(data)
    os.replace(part, path)
    return len(data)


def _seconds(size: int) -> float:
    return (size - _HEADER) / (2 * RATE)
