"""Run a foreign program from a thread of gevent's pool, with bytes in, bytes out and a limit.

``subprocess`` can't do this here: once gevent has patched it, it starts children on the main hub only, and
raises ``TypeError`` in a pool thread. ``posix_spawn`` starts one from any thread, without the cost of
forking a large process. All that waits for it here is what the system has, not what gevent put in its place.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from gevent.monkey import get_original

from engine.errors import InsidelineError

_poll: Any = get_original("select", "poll")
_waitpid: Any = get_original("os", "waitpid")
_spawn: Any = get_original("os", "posix_spawn")
# gevent's close waits for a turn of the thread's hub, and an end of a pipe that stays open is an end of file
# that never comes.
_close: Any = get_original("os", "close")
_sleep: Any = get_original("time", "sleep")

MOST_IN = 32_768  # bytes: below what a pipe holds (64 KiB), so that writing all of it never blocks


class ToolFailed(InsidelineError):
    """A program could not be started, took too long, said too much or reported a fault."""


def run_tool(arguments: Sequence[str], feed: bytes, *, limit: float, most: int, name: str = "") -> bytes:
    """What the program at the absolute path ``arguments[0]`` writes when it reads ``feed``. Blocks; call it
    in a pool thread. ``limit`` is in real seconds, ``most`` in bytes of output; :class:`ToolFailed` else, which
    calls it ``name``."""
    name = name or os.path.basename(arguments[0])
    if len(feed) > MOST_IN:
        raise ToolFailed(f"{name}: {len(feed)} bytes are too much to give it")
    # Real time, not the engine's clock: the child lives outside of it.
    deadline = time.monotonic() + limit
    # Python's pipes are closed on exec, so children started side by side do not hold one another's ends.
    in_read, in_write = os.pipe()
    out_read, out_write = os.pipe()
    try:
        try:
            child: int = _spawn(
                arguments[0],
                list(arguments),
                {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"},
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, in_read, 0),
                    (os.POSIX_SPAWN_DUP2, out_write, 1),
                    (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                ],
                setsigdef=[signal.SIGPIPE],
            )
        except OSError as error:
            raise ToolFailed(f"{name} can't be started: {error.strerror}") from None
        finally:
            _close(in_read)
            _close(out_write)
        try:
            with suppress(BrokenPipeError):  # it may have ended without reading; its status says why
                os.write(in_write, feed)
            _close(in_write)
            in_write = -1
            said = _read(out_read, deadline, most, name, limit)
        except ToolFailed:
            _end(child)
            raise
        status = _end(child, wait=max(0.0, deadline - time.monotonic()))
    finally:
        _close(out_read)
        if in_write >= 0:
            _close(in_write)
    if status:
        raise ToolFailed(f"{name} ended with {os.waitstatus_to_exitcode(status)}")
    return said


def _read(source: int, deadline: float, most: int, name: str, limit: float) -> bytes:
    poll = _poll()
    poll.register(source)
    pieces: list[bytes] = []
    size = 0
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise ToolFailed(f"{name} took longer than {limit:g} s")
        piece = os.read(source, 1 << 16)
        if not piece:
            return b"".join(pieces)
        size += len(piece)
        if size > most:
            raise ToolFailed(f"{name} wrote more than {most} bytes")
        pieces.append(piece)


def _end(child: int, wait: float = 0.0) -> int:
    """Reap the child, killing it when it is still there after ``wait`` seconds; its status (0: unknown).

    The hub's own SIGCHLD handler may have reaped it already: then there is no status to have, and the
    output has to speak for itself.
    """
    until = time.monotonic() + wait
    while True:
        try:
            found, status = _waitpid(child, os.WNOHANG)
        except ChildProcessError:
            return 0
        if found:
            return int(status)
        if time.monotonic() >= until:
            os.kill(child, signal.SIGKILL)
            with suppress(ChildProcessError):
                return int(_waitpid(child, 0)[1])
            return 0
        _sleep(0.001)
