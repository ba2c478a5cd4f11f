"""The watchdog: notices that nothing else can run, and says whose code it is that does not let go.

A real thread of the operating system asks the hub for a sign every so often. When none comes in time, it reads the
hub's stack where it stands, logs it (now: the block may never end), and looks for the plugin whose code is on it.
When the sign comes after all, what happened is counted and told.

Under gevent's patches a ``threading.Thread`` is a greenlet, which would be blocked with all others; so the thread is
made by the original functions, and waits by the original sleep.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import structlog
from gevent import monkey
from gevent.hub import get_hub

from engine.app.priority import Priority
from engine.clock import Clock
from engine.hooks.host import Host
from engine.types import BlockedView

log = structlog.get_logger(__name__)

_start_thread: Any = monkey.get_original("_thread", "start_new_thread")
_sleep: Any = monkey.get_original("time", "sleep")
_monotonic: Any = monkey.get_original("time", "monotonic")
_ident: Any = monkey.get_original("_thread", "get_ident")
LINES = 25  # of a stack, the innermost


@dataclass(slots=True)
class Blocks:
    """What one plugin (or the engine itself, "") did since the start."""

    count: int = 0
    seconds: float = 0.0
    longest: float = 0.0
    where: str = ""  # the last time


class Watchdog:
    """Watches the hub of the thread that it is made in. ``limit``: seconds without a sign that are a block, in which
    the thread loses its ``priority``."""

    def __init__(
        self,
        clock: Clock,
        host: Host,
        *,
        limit: float,
        told: Callable[[BlockedView], object],
        priority: Priority | None = None,
    ) -> None:
        self._clock = clock
        self._host = host
        self._limit = limit
        self._told = told
        self._priority = priority or Priority()
        self._hub = get_hub()
        self._hub_thread = _ident()
        self._answered = True
        self._asked_at = 0.0
        self._found: tuple[str, str, str] | None = None
        self._running: list[bool] = []
        self.blocks: dict[str, Blocks] = {}

    def start(self) -> None:
        """Begin to watch."""
        if not self._running:
            self._running = [True]
            _start_thread(self._watch, (self._running,))

    def stop(self) -> None:
        """Stop watching; the thread ends by itself within a fraction of the limit."""
        self._running.clear()

    # -- in the thread --------------------------------------------------------------------------------

    def _watch(self, running: list[bool]) -> None:
        beat = min(0.25, self._limit / 4)
        seen = _monotonic()
        while running:
            now, before = _monotonic(), seen
            seen = now
            if now - before > self._limit / 2 + beat and not self._answered:
                self._asked_at = now  # this thread stood still as well: the process was stopped, or starved
            elif self._answered:
                self._answered = False
                self._found = None
                self._asked_at = now
                try:
                    self._hub.loop.run_callback_threadsafe(self._sign)
                except Exception:  # noqa: BLE001 - the loop is gone, and this thread with it
                    return
            elif self._found is None and now - self._asked_at >= self._limit:
                self._priority.lower()  # first: the calls' sound may be waiting for this processor
                self._look()
            _sleep(beat)

    def _look(self) -> None:
        frame = sys._current_frames().get(self._hub_thread)
        if frame is None:
            return
        plugin, where = self._whose(frame)
        stack = "".join(traceback.format_stack(frame)[-LINES:])
        if self._answered:
            return  # it came back while we looked: the stack is of something else
        self._found = plugin, where, stack
        log.error("hub.blocked", plugin=plugin, where=where, limit=self._limit, stack=stack)

    def _whose(self, frame: FrameType | None) -> tuple[str, str]:
        """The plugin whose code is innermost on the stack, and its place; else the innermost place."""
        folders = [
            (plugin.name, str(plugin.folder) + "/")
            for plugin in self._host.plugins
            if plugin.folder is not None
        ]
        innermost = _place(frame)
        while frame is not None:
            file = frame.f_code.co_filename
            for name, folder in folders:
                if file.startswith(folder):
                    return name, _place(frame)
            frame = frame.f_back
        return "", innermost

    # -- on the hub -----------------------------------------------------------------------------------

    def _sign(self) -> None:
        found, self._found = self._found, None
        seconds = _monotonic() - self._asked_at
        self._answered = True
        self._priority.restore()
        if found is None or not self._running:
            return
        plugin, where, stack = found
        tally = self.blocks.setdefault(plugin, Blocks())
        tally.count += 1
        tally.seconds += seconds
        tally.longest = max(tally.longest, seconds)
        tally.where = where
        view = BlockedView(plugin, where, seconds, self._clock.now(), stack)
        self._clock.spawn(self._told, view)  # telling may take more than a callback of the hub may


def _place(frame: FrameType | None) -> str:
    if frame is None:
        return ""
    code = frame.f_code
    return f"{Path(code.co_filename).name}:{frame.f_lineno} {code.co_name}"
