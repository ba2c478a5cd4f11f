"""Notices of a handler that runs in another database: that transaction can't hold them, so they are told after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from engine.hooks.context import Notify


@dataclass(slots=True)
class Later:
    """What a handler wanted told. Called as ``ctx.notify`` is; :meth:`tell` once the handler's work is committed."""

    key: str  # of the deed
    said: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def __call__(
        self,
        group: str,
        prompt: str,
        /,
        *,
        level: str = "warning",
        key: str = "",
        window: timedelta = timedelta(),
        **values: Any,
    ) -> str:
        """It has no id yet."""
        # With a key of its own a deed that is done again after a crash tells nobody twice.
        own = key or f"{self.key}:{len(self.said)}"
        given = {"level": level, "key": own, "window": window or timedelta(days=1), **values}
        self.said.append((group, prompt, given))
        return ""

    def tell(self, notify: Notify) -> None:
        """Tell it all."""
        for group, prompt, given in self.said:
            notify(group, prompt, **given)
        self.said.clear()
