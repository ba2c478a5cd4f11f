"""The scheduler: ``sched_api``, ``sched_transfer``, ``sched_hangup``, ``sched_del``.

The switch counts in whole seconds of the wall clock, so "+8" comes between 7 and 8 seconds later.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from engine.clock import Clock, Timer
from engine.switch.simulator.events import Bus


@dataclass(slots=True)
class Task:
    """Something that will be done. ``repeat`` seconds later it is done again (0: once)."""

    id: int
    description: str
    group: str
    runtime: int  # seconds since the epoch
    deed: Callable[[], object]
    repeat: int = 0
    timer: Timer | None = None

    def row(self, hostname: str) -> dict[str, str]:
        """As ``show tasks`` lists it."""
        return {
            "task_id": str(self.id),
            "task_desc": self.description,
            "task_group": self.group,
            "task_runtime": str(self.runtime),
            "task_sql_manager": "0",
            "hostname": hostname,
        }


class Scheduler:
    def __init__(self, clock: Clock, bus: Bus) -> None:
        self._clock = clock
        self._bus = bus
        self._last = 3
        self.tasks: dict[int, Task] = {}

    def epoch(self) -> float:
        return self._clock.now().timestamp()

    def add(
        self, when: int, description: str, group: str, deed: Callable[[], object], *, repeat: int = 0
    ) -> Task:
        """Do ``deed`` when the wall clock shows ``when`` (seconds since the epoch)."""
        self._last += 1
        task = Task(self._last, description, group, when, deed, repeat)
        self.tasks[task.id] = task
        self._fire("ADD_SCHEDULE", task)
        self._arm(task)
        return task

    def _arm(self, task: Task) -> None:
        task.timer = self._clock.after(max(0.0, task.runtime - self.epoch()), self._run, task)

    def _run(self, task: Task) -> None:
        if task.id not in self.tasks:
            return
        if not task.repeat:
            del self.tasks[task.id]
        self._fire("EXE_SCHEDULE", task)
        task.deed()
        if task.repeat and task.id in self.tasks:
            task.runtime = math.floor(self.epoch()) + task.repeat
            self._fire("RE_SCHEDULE", task)
            self._arm(task)
        elif not task.repeat:
            self._fire("DEL_SCHEDULE", task)

    def delete(self, name: str) -> int:
        """Delete a task by its number, or all of a group; how many there were."""
        if name.isdecimal():
            found = [task for task in self.tasks.values() if task.id == int(name)]
        else:
            found = [task for task in self.tasks.values() if task.group == name]
        for task in found:
            del self.tasks[task.id]
            if task.timer is not None:
                task.timer.cancel()
            self._fire("DEL_SCHEDULE", task)
        return len(found)

    def stop(self) -> None:
        """Forget everything."""
        for task in self.tasks.values():
            if task.timer is not None:
                task.timer.cancel()
        self.tasks.clear()

    def _fire(self, name: str, task: Task) -> None:
        self._bus.fire(
            name,
            extra={
                "Task-ID": str(task.id),
                "Task-Desc": task.description,
                "Task-Group": task.group,
                "Task-Runtime": str(task.runtime),
            },
        )
