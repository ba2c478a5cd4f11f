"""What queues.yaml names that other files hold: calendars, and the flows that an overflow leads to."""

from __future__ import annotations

from collections.abc import Iterable

from engine.acd.config import AcdConfig
from engine.flows.overflowing import LEAVE_MESSAGE, PASS_ON
from engine.schema.faults import Fault, did_you_mean

_BUILT_IN = {"voicemail": LEAVE_MESSAGE, "number": PASS_ON}


def queue_faults(
    acd: AcdConfig, *, calendars: Iterable[str] | None, flows: Iterable[str] | None
) -> list[Fault]:
    """What can't be found; ``None`` for what could not be read, and is not looked up."""
    file = acd.file
    if file is None:
        return []
    faults = []
    for name, queue in file.queues.items():
        if calendars is not None and queue.calendar is not None and queue.calendar not in calendars:
            faults.append(
                file.fault(
                    ("queues", name, "calendar"),
                    "unknown-calendar",
                    f"there is no calendar `{queue.calendar}`",
                    did_you_mean(queue.calendar, calendars),
                )
            )
        if flows is None or queue.overflow is None:
            continue
        goal, path = queue.overflow.to, ("queues", name, "overflow", "to")
        if goal.kind == "flow" and goal.name not in flows:
            message = f"there is no flow `{goal.name}`"
            faults.append(file.fault(path, "unknown-flow", message, did_you_mean(goal.name, flows)))
        elif goal.kind in _BUILT_IN and _BUILT_IN[goal.kind] not in flows:
            message = (
                f"an overflow to a {goal.kind} runs the flow `{_BUILT_IN[goal.kind]}`, which is not there"
            )
            faults.append(file.fault(path, "unknown-flow", message))
    return faults
