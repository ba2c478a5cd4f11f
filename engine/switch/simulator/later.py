"""An answer that comes later."""

from __future__ import annotations

from collections.abc import Callable


class Later:
    """Holds an answer until it is there, then gives it to whoever waits."""

    def __init__(self) -> None:
        self._text: str | None = None
        self._waiting: Callable[[str], None] | None = None

    def answer(self, text: str) -> None:
        """Give the answer, once."""
        self._text = text
        if self._waiting is not None:
            self._waiting(text)

    def then(self, function: Callable[[str], None]) -> None:
        """Call ``function(text)`` with the answer: at once when it is there already."""
        if self._text is not None:
            function(self._text)
        else:
            self._waiting = function
