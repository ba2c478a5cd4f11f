"""The fax machine (or the person) that a fax reaches."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Machine:
    """The far end of a fax. ``takes``: pages it takes before it hangs up (None: all of them); 0 with ``silent`` is
    somebody who lifts a telephone and says nothing that a machine understands."""

    station: str = "02000000000"
    takes: int | None = None
    silent: bool = False
