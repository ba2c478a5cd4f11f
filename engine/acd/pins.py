"""Checking agents' PINs: slowly on purpose, off the hub, and only so many times.

PINs are short, so argon2 alone does not protect them: wrong tries are counted for the agent and for the
phone that they came from, and each locks for a while. An unknown agent costs as much time as a known one.
"""

from __future__ import annotations

from collections import OrderedDict

import structlog
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from gevent.threadpool import ThreadPool

from engine.clock import Clock
from engine.errors import LoginRefused

log = structlog.get_logger(__name__)

REMEMBERED = 10_000  # accounts and phones with wrong tries; the oldest are forgotten first

# A hash of nothing that anyone can type, with argon2's ordinary cost, for agents that do not exist.
_NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$bm9ib2R5LWhhcy10aGlzLXBpbg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)


def hash_pin(pin: str) -> str:
    """The argon2 hash of a PIN, as it stands in agents.yaml."""
    return PasswordHasher().hash(pin)


def looks_like_a_hash(text: str) -> bool:
    """Whether ``text`` is an argon2 hash that :meth:`PinDesk.check` can use."""
    try:
        PasswordHasher().check_needs_rehash(text)
    except InvalidHashError:
        return False
    return True


class _Tries:
    __slots__ = ("last", "locked_until", "wrong")

    def __init__(self) -> None:
        self.wrong = 0
        self.last = 0.0
        self.locked_until = 0.0


class PinDesk:
    """Verifies PINs. ``tries`` wrong ones in a row lock the account, and the phone, for ``lock`` seconds."""

    def __init__(self, clock: Clock, *, tries: int = 5, lock: float = 900.0) -> None:
        self._clock = clock
        self._limit = tries
        self._lock = lock
        self._tries: OrderedDict[str, _Tries] = OrderedDict()
        self._hasher = PasswordHasher()
        self._pool: ThreadPool | None = None

    def check(self, agent_id: str, phone: str, stored: str | None, pin: str) -> None:
        """Return when ``pin`` is right; else raise :class:`LoginRefused`. Blocks this greenlet, not the hub.

        ``stored`` is the agent's hash, None for an agent that does not exist or has no PIN. ``phone`` is
        where the try comes from, "" when that is not known.
        """
        keys = [f"agent:{agent_id}"] + ([f"phone:{phone}"] if phone else [])
        now = self._clock.monotonic()
        for key in keys:
            tries = self._tries.get(key)
            if tries is not None and tries.locked_until > now:
                left = tries.locked_until - now
                raise LoginRefused("locked", f"too many wrong PINs; locked for {_minutes(left)} more")
        # Counted before the slow check, so that guesses sent side by side do not get past the limit.
        locked = [key for key in keys if self._count(key, now)]
        right = self._clock.blocking(self._threads(), self._verify, stored or _NOBODY, pin)
        if right and stored is not None:
            for key in keys:
                self._tries.pop(key, None)
            return
        if locked:
            log.warning("login.locked", agent=agent_id, phone=phone, seconds=self._lock)
            raise LoginRefused("locked", f"wrong PIN; locked for {_minutes(self._lock)}")
        raise LoginRefused("wrong_pin", f"wrong PIN for agent {agent_id}")

    def close(self) -> None:
        """Give the worker threads back."""
        if self._pool is not None:
            self._clock.end_threads(self._pool)
            self._pool = None

    def _count(self, key: str, now: float) -> bool:
        tries = self._tries.setdefault(key, _Tries())
        self._tries.move_to_end(key)
        if now - tries.last > self._lock:
            tries.wrong = 0
        tries.wrong += 1
        tries.last = now
        while len(self._tries) > REMEMBERED:
            self._tries.popitem(last=False)
        if tries.wrong < self._limit:
            return False
        tries.wrong = 0
        tries.locked_until = now + self._lock
        return True

    def _threads(self) -> ThreadPool:
        if self._pool is None:
            self._pool = ThreadPool(2)
        return self._pool

    def _verify(self, stored: str, pin: str) -> bool:
        """In a worker thread: argon2 takes tens of milliseconds and 64 MiB."""
        try:
            return self._hasher.verify(stored, pin)
        except (Argon2Error, InvalidHashError):
            return False


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} minutes"
