"""A way to tell people something that a plugin brings: named in conf/notify.yaml as ``notifier: name``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.hooks.context import Context
from engine.types import NoticeView


@dataclass(frozen=True, slots=True)
class Notifier:
    """``send(ctx, notice, to)`` gets a notice through, or raises, and is then tried again. It runs in a worker thread
    in a transaction of its own (``ctx.session``, ``ctx.tickets``), committed when it returns. ``to`` is what
    conf/notify.yaml says beside it."""

    name: str  # logistics.task
    send: Callable[[Context, NoticeView, str], None]
