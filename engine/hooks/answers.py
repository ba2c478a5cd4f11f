"""Asking plugins: the first who knows answers, or everybody adds something.

An implementation runs within a time limit, and one that raises, hangs or answers nonsense is passed over: the call
goes on as if it had said nothing. One that takes ``ctx`` and belongs to a department runs as its queries do: over sql
in a worker thread, with the department's session and adapters; the others run on the hub.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import structlog

from engine.clock import Clock, TimeUp
from engine.errors import InsidelineError
from engine.hooks.departments import Departments
from engine.hooks.host import Host, Implementation
from engine.hooks.isolation import Tally

log = structlog.get_logger(__name__)


class Answers:
    """Asks the plugins of a host. ``within`` is what one implementation may take (seconds)."""

    def __init__(self, host: Host, clock: Clock, departments: Departments, *, within: float = 1.0) -> None:
        self._host = host
        self._clock = clock
        self._departments = departments
        self._within = within
        self.tallies: dict[str, Tally] = defaultdict(Tally)

    def anybody(self, hook: str) -> bool:
        """Does any plugin implement it?"""
        return bool(self._host.implementations(hook))

    def first(self, hook: str, kind: type | tuple[type, ...], **values: Any) -> Any:
        """The first answer that is not None and of ``kind``; None when nobody has one."""
        for _, answer in self._answers(hook, kind, values):
            return answer
        return None

    def all(self, hook: str, **values: Any) -> dict[str, Any]:
        """What all plugins add, in one mapping; of two that give the same key the first counts."""
        added: dict[str, Any] = {}
        for plugin, answer in self._answers(hook, Mapping, values):
            for key, value in answer.items():
                if isinstance(key, str):
                    added.setdefault(key, value)
                else:
                    log.warning("plugin.nonsense", plugin=plugin, hook=hook, answered="a key that is no text")
        return added

    def _answers(
        self, hook: str, kind: type | tuple[type, ...], values: Mapping[str, Any]
    ) -> Iterator[tuple[str, Any]]:
        for one in self._host.implementations(hook):
            answer = self._ask(hook, one, values)
            if answer is None:
                continue
            if isinstance(answer, kind):
                yield one.plugin, answer
            else:
                self.tallies[one.plugin].failed += 1
                log.warning("plugin.nonsense", plugin=one.plugin, hook=hook, answered=type(answer).__name__)

    def _ask(self, hook: str, one: Implementation, values: Mapping[str, Any]) -> Any:
        tally = self.tallies[one.plugin]
        tally.told += 1
        given = {name: values[name] for name in one.arguments if name != "ctx"}
        try:
            if "ctx" in one.arguments:
                return self._departments.in_context(
                    one.department,
                    f"{one.plugin}.{hook}",
                    lambda ctx: one.function(ctx=ctx, **given),
                    self._within,
                )
            with self._clock.timeout(self._within) as mine:
                return one.function(**given)
        except TimeUp as up:
            tally.late += 1
            log.warning("plugin.late", plugin=one.plugin, hook=hook, seconds=up.seconds, ours=up is mine)
        except InsidelineError as error:
            tally.failed += 1
            log.warning("plugin.failed", plugin=one.plugin, hook=hook, error=str(error))
        except (Exception, SystemExit):  # SystemExit in a greenlet would end the engine
            tally.failed += 1
            log.exception("plugin.failed", plugin=one.plugin, hook=hook)
        return None
