"""Telling plugins what happened, so that no plugin can harm a call or another plugin.

Every implementation of a told hook runs in its own greenlet with a deadline. pluggy alone would run them
one after the other in the caller's greenlet, where one that raises keeps the rest from being told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gevent
import pluggy
import structlog

from engine.clock import Clock, TimeUp
from engine.errors import PluginError, StoreTimeout
from engine.hooks.hookspecs import Told

log = structlog.get_logger(__name__)

HOOKS = tuple(name for name in vars(Told) if not name.startswith("_"))

#: Runs what a plugin does with a ``ctx`` of its department: (plugin, where, function(ctx), seconds).
InContext = Callable[[str, str, Callable[[Any], object], float], object]


@dataclass(slots=True)
class Tally:
    """How often a plugin was told something, and what came of it."""

    told: int = 0
    failed: int = 0
    late: int = 0  # stopped at the deadline
    dropped: int = 0  # not told: too many of its notifications were still running


@dataclass(frozen=True, slots=True)
class _Target:
    plugin: str
    function: Callable[..., object]
    arguments: tuple[str, ...]


class Teller:
    """Dispatches told hooks. ``deadline`` is in seconds; ``most`` limits one plugin's running notifications."""

    def __init__(
        self, clock: Clock, manager: pluggy.PluginManager, *, deadline: float = 5.0, most: int = 100
    ) -> None:
        self._clock = clock
        self._manager = manager
        self._deadline = deadline
        self._most = most
        self._targets: dict[str, tuple[_Target, ...]] = {}
        self._running: dict[str, set[gevent.Greenlet[..., Any]]] = defaultdict(set)
        self.tallies: dict[str, Tally] = defaultdict(Tally)
        #: Wired by the composition root, once the departments are at work.
        self.in_context: InContext | None = None
        #: Plugins of the engine's own that only take note: a greenlet with a deadline would cost many times more.
        self.instant: set[str] = set()
        for name in HOOKS:
            spec = getattr(manager.hook, name).spec
            # Whoever tells has no `ctx` to give, so that it stands in no specification; each may ask for it.
            spec.argnames = (*(one for one in spec.argnames if one != "ctx"), "ctx")
            setattr(self, name, self._told(name))

    def forget_targets(self) -> None:
        """Look the implementations up again: a plugin was added or taken away."""
        self._targets.clear()

    def _told(self, hook: str) -> Callable[..., None]:
        expected = frozenset(getattr(self._manager.hook, hook).spec.argnames) - {"ctx"}

        def tell(**values: object) -> None:
            if values.keys() != expected:
                raise TypeError(f"{hook} is told with {sorted(expected)}, not {sorted(values)}")
            for target in self._lookup(hook):
                self._spawn(hook, target, values)

        return tell

    def _lookup(self, hook: str) -> tuple[_Target, ...]:
        found = self._targets.get(hook)
        if found is None:
            found = tuple(
                _Target(impl.plugin_name, impl.function, tuple(impl.argnames))
                for impl in getattr(self._manager.hook, hook).get_hookimpls()
            )
            self._targets[hook] = found
        return found

    def _spawn(self, hook: str, target: _Target, values: dict[str, object]) -> None:
        tally = self.tallies[target.plugin]
        if target.plugin in self.instant:
            tally.told += 1
            try:
                target.function(*[values[name] for name in target.arguments])
            except Exception:
                tally.failed += 1
                log.exception("plugin.failed", plugin=target.plugin, hook=hook)
            return
        running = self._running[target.plugin]
        if len(running) >= self._most:
            tally.dropped += 1
            log.warning("plugin.not_told", plugin=target.plugin, hook=hook, running=len(running))
            return
        tally.told += 1
        greenlet = self._clock.spawn(self._run, hook, target, values, tally)
        running.add(greenlet)
        greenlet.rawlink(running.discard)

    def _run(self, hook: str, target: _Target, values: dict[str, Any], tally: Tally) -> None:
        mine: TimeUp | None = None
        try:
            if "ctx" in target.arguments:
                self._run_in_context(hook, target, values)
            else:
                with self._clock.timeout(self._deadline) as mine:
                    target.function(*[values[name] for name in target.arguments])
        except TimeUp as up:
            tally.late += 1
            # A limit of the plugin's own that it let through is its failure just the same.
            log.warning("plugin.late", plugin=target.plugin, hook=hook, seconds=up.seconds, ours=up is mine)
        except StoreTimeout:
            tally.late += 1
            log.warning("plugin.late", plugin=target.plugin, hook=hook, seconds=self._deadline, ours=True)
        except (Exception, SystemExit):  # SystemExit in a greenlet would end the engine
            tally.failed += 1
            log.exception("plugin.failed", plugin=target.plugin, hook=hook)

    def _run_in_context(self, hook: str, target: _Target, values: dict[str, Any]) -> None:
        """With a ``ctx``; what runs it has the deadline, too, and rolls back what is late."""
        if self.in_context is None:
            raise PluginError(f"{target.plugin}.{hook} takes ctx, and no department is at work")
        given = {name: values[name] for name in target.arguments if name != "ctx"}
        where = f"{target.plugin}.{hook}"
        self.in_context(target.plugin, where, lambda ctx: target.function(ctx=ctx, **given), self._deadline)

    def settle(self, timeout: float) -> bool:
        """Wait until every notification is through; False when ``timeout`` seconds passed first."""
        left = [one for running in self._running.values() for one in running]
        try:
            with self._clock.timeout(timeout) as mine:
                for greenlet in left:
                    greenlet.join()
        except TimeUp as up:
            if up is not mine:
                raise
            return False
        return True

    def stop(self) -> None:
        """End every notification that still runs."""
        left = [one for running in self._running.values() for one in running]
        gevent.killall(left, block=False)
