"""Logging: one event with fields per line, for people on a terminal and as JSON elsewhere.

    log = structlog.get_logger(__name__)
    log.info("call.queued", queue="logistics")

Whatever this greenlet is about (call, agent) is added by itself: see ``about``. Fields that could hold a
secret are masked by their name, and a :class:`Secret` shows nothing wherever it goes.
"""

from __future__ import annotations

import hmac
import logging
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final, TextIO

import structlog
from gevent.monkey import get_original

# Worker threads log too, and in a thread a lock of gevent's may be waited for without end (see
# engine/store/threads.py). The standard library's own lock, and those of our outputs, are native ones.
_native_rlock = get_original("threading", "RLock")
logging._lock = _native_rlock()  # type: ignore[attr-defined]

MASK: Final = "***"

# A field is masked when one of the words of its name is among these: agent_pin, cardNumber, sip-password.
SECRET_WORDS: Final = frozenset(
    {
        *("pin", "pins", "password", "passwd", "passphrase", "pw", "secret", "secrets"),
        *("digits", "dtmf", "keys", "card", "cards", "cvv", "cvc", "iban"),
        *("token", "tokens", "authorization", "credential", "credentials"),
        *("salary", "pay", "payslip"),
    }
)
_DEEP = 6  # levels of nested fields that are looked through; what lies deeper is not shown


class Secret:
    """A text that must not be seen: a PIN, a card number, a password.

    It is no ``str``, so that nothing can join, encode or store it by accident; ``reveal`` gives the text to
    the one place that needs it. Equality takes the same time whatever differs.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __format__(self, spec: str) -> str:
        return MASK

    def __len__(self) -> int:
        return len(self._text)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Secret):
            other = other._text
        if not isinstance(other, str):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other.encode())

    __hash__ = None  # type: ignore[assignment]  # a key of a mapping would be seen, and could be looked for

    def __reduce__(self) -> Any:
        raise TypeError("a secret is never pickled")


def set_up(level: str = "info", format: str = "auto", stream: TextIO | None = None) -> None:
    """Write everything from ``level`` up to ``stream`` (stderr), the standard library's loggers included.

    ``format``: "console", "json", or "auto" (console when ``stream`` is a terminal).
    """
    out = sys.stderr if stream is None else stream
    console = format == "console" or (format == "auto" and out.isatty())
    threshold = logging.getLevelNamesMapping()[level.upper()]
    before: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=not console),
        mask,
    ]
    last: list[Any]
    if console:
        # Plain tracebacks: the pretty ones show local variables, and a PIN may be one.
        plain = structlog.dev.plain_traceback
        last = [structlog.dev.ConsoleRenderer(colors=out.isatty(), exception_formatter=plain)]
    else:
        last = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
        ]
    lines = _Lines(out)
    structlog.configure(
        processors=[*before, *last],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,
    )
    handler = _Handler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Libraries talk more than we do: they are heard from "warning" up, unless everything was asked for.
    root.setLevel(threshold if level == "debug" else max(threshold, logging.WARNING))


class _Lines:
    """Writes finished lines to a stream, one at a time, from any thread."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = _native_rlock()

    def msg(self, line: str) -> None:
        with self._lock:
            self._stream.write(line + "\n")
            self._stream.flush()

    debug = info = warning = warn = error = critical = exception = fatal = failure = err = log = msg


class _Handler(logging.StreamHandler[TextIO]):
    def createLock(self) -> None:
        self.lock = _native_rlock()


@contextmanager
def about(**fields: object) -> Iterator[None]:
    """Add ``fields`` (``call=``, ``agent=`` …) to whatever is logged within, also by greenlets begun there."""
    with structlog.contextvars.bound_contextvars(**fields):
        yield


def bind(**fields: object) -> None:
    """The same for the rest of this greenlet's life."""
    structlog.contextvars.bind_contextvars(**fields)


def mask(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of structlog: hides the values of fields that are secret by name, at any depth."""
    for name, value in event.items():
        if name == "event":
            continue
        if is_secret_name(name):
            event[name] = MASK
        elif isinstance(value, (Mapping, list, tuple, set, frozenset)):
            event[name] = masked(value)
    return event


def masked(value: Any, _depth: int = 0) -> Any:
    """``value`` with everything hidden that is secret by name; containers are copied, never changed."""
    if isinstance(value, Mapping):
        if _depth == _DEEP:
            return MASK
        return {
            key: MASK if isinstance(key, str) and is_secret_name(key) else masked(item, _depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple, set, frozenset)):
        return MASK if _depth == _DEEP else [masked(item, _depth + 1) for item in value]
    return value


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Whether a field of this name could hold a secret."""
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)
    return any(word.lower() in SECRET_WORDS for word in words)
