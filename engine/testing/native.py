"""Locks of the operating system between the threads of a pytest-xdist worker, whatever gevent has patched."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from gevent.monkey import get_original

_lock: Any = get_original("_thread", "allocate_lock")
NativeRLock: Any = get_original("_thread", "RLock")


def wait_natively() -> None:
    """In a worker, between the thread that hears from the controller (it was there before gevent patched anything) and
    the one that runs the tests. With gevent's locks each waits for a message to the other's hub: a worker did not
    notice that its work was over, was interrupted in the midst of it, and the tests that were left went missing."""
    base: Any = sys.modules.get("execnet.gateway_base")
    if base is not None and _in_worker():
        base.ThreadExecModel.Event = lambda self: NativeEvent()
        base.ThreadExecModel.Lock = base.ThreadExecModel.RLock = lambda self: NativeRLock()


def _in_worker() -> bool:
    """Whether execnet runs this code. (What stands in the environment holds for processes that tests start, too.)"""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_globals.get("__name__") == "__channelexec__":
            return True
        frame = frame.f_back
    return False


class NativeEvent:
    """``threading.Event`` as it was."""

    def __init__(self) -> None:
        self._set = False
        self._mutex = _lock()
        self._waiting: list[Any] = []

    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        with self._mutex:
            self._set = True
            waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.release()

    def clear(self) -> None:
        with self._mutex:
            self._set = False

    def wait(self, timeout: float | None = None) -> bool:
        with self._mutex:
            if self._set:
                return True
            mine = _lock()
            mine.acquire()
            self._waiting.append(mine)
        return bool(mine.acquire(True, -1 if timeout is None else timeout))


__all__ = ["NativeEvent", "wait_natively"]
