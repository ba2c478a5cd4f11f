"""Clips, messages and ratings, made of what the installation says and wired to the switch's and the calls' events."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

import structlog

from engine.clock import Clock
from engine.config import Recording
from engine.errors import StoreError
from engine.recording.files import Files
from engine.recording.wav import measure
from engine.records.clips import FOLDER, Clips
from engine.records.messages import Messages
from engine.records.ratings import Ratings
from engine.store.store import Store

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Sounds:
    """What callers leave: clips, messages, ratings."""

    clips: Clips
    messages: Messages
    ratings: Ratings
    missed: Callable[[], None] = lambda: None  # tells of messages that were left and not told of

    def recorded(self, others: Callable[[str, str], None]) -> Callable[[str, str], None]:
        """Who is told that a file is complete: the clips of theirs, the recordings of all else."""

        def told(leg: str, file: str) -> None:
            if not self.clips.finished(file):
                others(leg, file)

        return told

    def settle(self, live: Collection[str]) -> None:
        """Every call that is on the switch is known: close the messages of those that are not."""
        try:
            self.missed()
            kept = self.messages.close_lost(live)
        except StoreError as error:
            log.warning("messages.not_closed", error=str(error))
            return
        if kept:
            log.info("messages.found", kept=kept)

    def sweep(self) -> None:
        """Delete what is kept no longer. Raises StoreError."""
        swept = self.messages.sweep() + self.clips.sweep()
        if swept:
            log.info("clips.swept", deleted=swept)

    def close(self) -> None:
        """Let go of the thread."""
        self.clips.close()


def make_sounds(
    store: Store, clock: Clock, recordings: Path, settings: Recording, *, timezone: str
) -> Sounds:
    """``recordings`` is their folder; clips have one of their own within it."""
    clips = Clips(
        store,
        clock,
        Files(recordings / FOLDER),
        _measured,
        keep=timedelta(seconds=settings.keep_clips),
        timezone=timezone,
    )
    messages = Messages(store, clock, clips, keep=timedelta(seconds=settings.keep_messages))
    return Sounds(clips, messages, Ratings(store, clock))


def _measured(file: BinaryIO) -> tuple[float, float, int]:
    sound = measure(file)
    size = file.seek(0, 2)
    return sound.seconds, max((channel.heard for channel in sound.channels), default=0.0), size
