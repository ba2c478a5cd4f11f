"""How the system lets the hub's thread run: like the switch's own threads, where it may.

FreeSWITCH takes real-time priority for its threads (``SCHED_FIFO`` 1 and above; mod_callcenter runs in them). With a
thousand callers on the line these have the processors nearly to themselves, and an engine of ordinary priority hears
of an agent who became free when they leave it a moment: 30 ms later, or 300. So the one thread that hears events and
gives orders asks for the lowest real-time priority, ``SCHED_RR`` 1. It needs a few hundredths of a processor.

Only that thread: what renders, reads and writes beside it stays ordinary, and so does every child
(``SCHED_RESET_ON_FORK``). Code that does not let go of the hub must not take the sound of all calls with it: the
watchdog lowers a thread that is blocked, and it is raised again when the hub gives a sign.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

import structlog
from gevent import monkey

from engine.web.parts import PriorityView

if TYPE_CHECKING:
    from engine.app.app import App

log = structlog.get_logger(__name__)

REALTIME = 1  # the lowest there is; the switch's threads have this one and higher ones
HINT = "see \u201cAs a service\u201d in docs/install.md"

_start_thread: Any = monkey.get_original("_thread", "start_new_thread")
_allocate_lock: Any = monkey.get_original("_thread", "allocate_lock")


class Priority:
    """The scheduling of one thread, the one that calls :meth:`take`."""

    def __init__(self) -> None:
        self._thread = 0  # the system's number of it; 0 until it has real-time priority
        self._lowered = False
        self._why = ""

    def take(self) -> None:
        """Ask for real-time priority for the calling thread. A system that refuses is logged, and nothing else."""
        self._why = _set(0, REALTIME)
        if self._why:
            log.warning("priority.normal", reason=self._why, hint=HINT)
            return
        self._thread = threading.get_native_id()
        log.info("priority.realtime", priority=REALTIME)

    def leave(self, why: str) -> None:
        """Say why real-time priority is not asked for."""
        self._why = why

    def lower(self) -> None:
        """The thread does not let go: give the processor back to the others. From any thread."""
        if self._thread and not self._lowered:
            self._lowered = not _set(self._thread, 0)

    def restore(self) -> None:
        """The thread lets go again. From any thread."""
        if self._lowered:
            self._lowered = bool(_set(self._thread, REALTIME))

    @property
    def view(self) -> PriorityView:
        """Whether the thread runs at real-time priority at this moment, else why not ("": it was not asked for)."""
        if self._lowered:
            return PriorityView(False, "lowered while something does not let go of the engine")
        return PriorityView(bool(self._thread), self._why)


def take_priority(app: App) -> None:
    """Let the calling thread, the hub's, run like the switch's: beside a real one, unless the file forbids it."""
    if app.simulator is not None:
        return  # beside the simulator nothing needs it
    if app.installation.settings.priority == "normal":
        app.priority.leave("conf/engine.yaml says `priority: normal`")
    else:
        app.priority.take()


def refused() -> str:
    """Why the system would refuse real-time priority, "" when it would grant it. Tried in a thread of its own."""
    said: list[str] = []
    done = _allocate_lock()
    done.acquire()

    def ask() -> None:
        try:
            said.append(_set(0, REALTIME))
        finally:
            done.release()

    _start_thread(ask, ())
    done.acquire()
    return said[0]


def _set(thread: int, priority: int) -> str:
    """Why it was refused; "" when it is done. ``thread`` 0 is the calling one, ``priority`` 0 is the ordinary one."""
    if not hasattr(os, "sched_setscheduler"):
        return "this system has no such priority"
    policy = os.SCHED_RR if priority else os.SCHED_OTHER
    try:
        os.sched_setscheduler(thread, policy | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except OSError as error:
        return f"the system does not let this user have it ({error.strerror})"
    return ""
