"""A channel's variables, kept beside their JSON.

Nearly every event carries all variables, and few of them change from one to the next: each is
written into JSON once when it is set, and an event only joins them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import orjson

Value = str | list[str]

_YES = frozenset({"yes", "on", "true", "t", "enabled", "active", "allow", "1"})


class Variables(Mapping[str, Value]):
    """Names to values; a list is an array (``ARRAY::a|:b`` in text)."""

    __slots__ = ("_json", "_pieces", "_values")

    def __init__(self) -> None:
        self._values: dict[str, Value] = {}
        self._pieces: dict[str, bytes] = {}
        self._json: bytes | None = b""

    def __getitem__(self, name: str) -> Value:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def set(self, name: str, value: Value | None) -> None:
        """Set one; None or the empty text unsets it, as on the switch."""
        if value is None or value == "":
            if name in self._values:
                del self._values[name], self._pieces[name]
                self._json = None
        elif self._values.get(name) != value:
            self._values[name] = value
            self._pieces[name] = orjson.dumps({f"variable_{name}": value})[1:-1]
            self._json = None

    def update(self, values: Mapping[str, Value]) -> None:
        """Set many at once; empty ones are kept empty (an account has such)."""
        self._values.update(values)
        for name, value in values.items():
            self._pieces[name] = orjson.dumps({f"variable_{name}": value})[1:-1]
        self._json = None

    def text(self, name: str) -> str | None:
        """One as text; None when it is not set."""
        value = self._values.get(name)
        return "ARRAY::" + "|:".join(value) if isinstance(value, list) else value

    def true(self, name: str) -> bool:
        """Whether one says yes, in any of the switch's words for it."""
        return (self.text(name) or "").lower() in _YES

    def headers(self) -> dict[str, Value]:
        """All as event headers."""
        return {f"variable_{name}": value for name, value in self._values.items()}

    def json(self) -> bytes:
        """All as the inside of a JSON object."""
        if self._json is None:
            self._json = b",".join(self._pieces.values())
        return self._json
