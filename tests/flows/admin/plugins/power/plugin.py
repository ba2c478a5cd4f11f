"""Power faults: which area a meter is in, and what is known of it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from engine.api import Context, Department, Digits, Record, hookimpl, query


class Area(Record):
    code: Digits
    name: str
    state: Literal["normal", "known", "repaired"]
    back_at: datetime | None = None


department = Department("power", title="Power faults")
_AREAS = {
    "10": Area(code="10", name="East", state="normal"),
    "20": Area(code="20", name="West", state="known"),
}


@query(department, over="engine")
def area(ctx: Context, meter: Digits) -> Area | None:
    """The area of a meter: its first two digits."""
    return _AREAS.get(meter[:2])


@hookimpl
def register_department() -> Department:
    return department
