"""Checking PINs, agents' and callers': slowly on purpose, off the hub, and only so many times.

PINs are short, so argon2 alone does not protect them: wrong tries are counted for the account and for the
phone (or caller's number) that they came from, and each locks for a while. An unknown account costs as much
time as a known one, and is locked as one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import structlog
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from gevent.threadpool import ThreadPool

from engine.clock import Clock
from engine.errors import LoginRefused

log = structlog.get_logger(__name__)

REMEMBERED = 10_000  # accounts and phones with wrong tries; the oldest that is not locked is forgotten first

# A hash of nothing that anyone can type, with argon2's ordinary cost, for accounts that do not exist.
_NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$bm9ib2R5LWhhcy10aGlzLXBpbg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)

#: Told of a lock: its key, the seconds that it lasts (0: it is over), how many there were in a row.
Keep = Callable[[str, float, int], object]


def hash_pin(pin: str) -> str:
    """The argon2 hash of a PIN, as agents.yaml and the table of parties keep it."""
    return PasswordHasher().hash(pin)


def looks_like_a_hash(text: str) -> bool:
    """Whether ``text`` is an argon2 hash that :meth:`PinDesk.check` can use."""
    try:
        PasswordHasher().check_needs_rehash(text)
    except InvalidHashError:
        return False
    return True


class _Tries:
    __slots__ = ("last", "locked_until", "locks", "wrong")

    def __init__(self) -> None:
        self.wrong = 0
        self.last = 0.0
        self.locked_until = 0.0
        self.locks = 0


class PinDesk:
    """Verifies PINs. ``tries`` wrong ones in a row lock the account, and the phone, for ``lock`` seconds.

    Each lock that follows another without a right PIN between lasts twice as long, up to ``longest`` seconds
    (by default they are all alike). ``keep`` is told of every lock, for those that must outlive the engine.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        tries: int = 5,
        lock: float = 900.0,
        longest: float = 0.0,
        kind: str = "agent",
        keep: Keep | None = None,
    ) -> None:
        """``kind`` is what an account is called in keys, logs and refusals."""
        self._clock = clock
        self._limit = tries
        self._lock = lock
        self._longest = max(lock, longest)
        self._kind = kind
        self._keep = keep
        self._tries: OrderedDict[str, _Tries] = OrderedDict()
        self._hasher = PasswordHasher()
        self._pool: ThreadPool | None = None

    def check(self, account: str, origin: str, stored: str | None, pin: str) -> None:
        """Return when ``pin`` is right; else raise :class:`LoginRefused`. Blocks this greenlet, not the hub.

        ``stored`` is the account's hash, None for one that does not exist or has no PIN. ``origin`` is where the
        try comes from (an extension, a caller's number), "" when that is not known.
        """
        keys = [self.account_key(account)] + ([self.origin_key(origin)] if origin else [])
        now = self._clock.monotonic()
        for key in keys:
            if left := self._left(key, now):
                raise LoginRefused("locked", f"too many wrong PINs; locked for {_minutes(left)} more")
        # Counted before the slow check, so that guesses sent side by side do not get past the limit.
        locked = [key for key in keys if self._count(key, now)]
        right = self._clock.blocking(self._threads(), self._verify, stored or _NOBODY, pin)
        if right and stored is not None:
            self._forgive(keys)
            return
        if locked:
            log.warning(
                "login.locked", account=account, kind=self._kind, by=[key.split(":")[0] for key in locked]
            )
            raise LoginRefused("locked", f"wrong PIN; locked for {_minutes(self._longest_of(locked, now))}")
        raise LoginRefused("wrong_pin", f"wrong PIN for {self._kind} {account}")

    def account_key(self, account: str) -> str:
        """What an account's tries are counted under."""
        return f"{self._kind}:{account}"

    def origin_key(self, origin: str) -> str:
        """What the tries from a phone are counted under."""
        return f"phone:{origin}"

    def locked(self, key: str) -> float:
        """Seconds that a key is still locked for; 0 when it is not."""
        return self._left(key, self._clock.monotonic())

    def unlock(self, *keys: str) -> None:
        """Forget all wrong tries and locks of these keys."""
        for key in keys:
            self._tries.pop(key, None)
            if self._keep is not None:
                self._keep(key, 0.0, 0)

    def restore(self, key: str, seconds: float, locks: int) -> None:
        """A lock that an earlier engine made, and that lasts ``seconds`` more."""
        tries = self._tries.setdefault(key, _Tries())
        tries.locks, tries.last = locks, self._clock.monotonic()
        tries.locked_until = tries.last + seconds

    def close(self) -> None:
        """Give the worker threads back."""
        if self._pool is not None:
            self._clock.end_threads(self._pool)
            self._pool = None

    def _left(self, key: str, now: float) -> float:
        tries = self._tries.get(key)
        return max(0.0, tries.locked_until - now) if tries is not None else 0.0

    def _longest_of(self, keys: list[str], now: float) -> float:
        return max(self._left(key, now) for key in keys)

    def _count(self, key: str, now: float) -> bool:
        tries = self._tries.setdefault(key, _Tries())
        self._tries.move_to_end(key)
        if now - max(tries.last, tries.locked_until) > self._longest:
            tries.locks = 0
        if now - tries.last > self._lock:
            tries.wrong = 0
        tries.wrong += 1
        tries.last = now
        if len(self._tries) > REMEMBERED:
            self._forget_one(now)
        if tries.wrong < self._limit:
            return False
        tries.wrong = 0
        seconds = min(self._lock * 2.0 ** min(tries.locks, 32), self._longest)
        tries.locks += 1
        tries.locked_until = now + seconds
        if self._keep is not None:
            self._keep(key, seconds, tries.locks)
        return True

    def _forget_one(self, now: float) -> None:
        """Forget the oldest that is not locked: who calls from ever new numbers must not open a lock so."""
        oldest = next((key for key, tries in self._tries.items() if tries.locked_until <= now), None)
        if oldest is None:
            self._tries.popitem(last=False)
        else:
            del self._tries[oldest]

    def _forgive(self, keys: list[str]) -> None:
        """The PIN was right: the account is clear. The phone is forgiven only the tries at this account, or who
        knows one PIN could guess at others' without end."""
        account, *origins = keys
        tries = self._tries.pop(account, None)
        if tries is not None and tries.locks and self._keep is not None:
            self._keep(account, 0.0, 0)
        mine = tries.wrong if tries is not None and tries.wrong else self._limit
        for origin in origins:
            if (counted := self._tries.get(origin)) is None:
                continue
            counted.wrong = max(0, counted.wrong - mine)
            if counted.locked_until > self._clock.monotonic():
                # This very try filled the measure before it was known to be right.
                counted.wrong, counted.locked_until = self._limit - 1, 0.0
                counted.locks = max(0, counted.locks - 1)
                if self._keep is not None:
                    self._keep(origin, 0.0, 0)
            if not counted.wrong and not counted.locks:
                del self._tries[origin]

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
