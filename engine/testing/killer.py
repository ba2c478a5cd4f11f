"""An engine that dies at every point of every command, while a conversation goes on as if nothing had happened.

::

    with Killer(centre) as killer:
        caller = dealer().presses("5")           # ordinary conversations, from the first key to the last word
        ...
    assert killer.spared("orders") == []         # commands of that department at which no engine died
    assert centre.one("orders.order").total == 360

When a command is come to for the first time, three engines die at it one after the other as by ``kill -9``: before the
deed, behind the deed and before anybody knows of it, and when the next thing was sent to the switch. Each time another
engine starts on the same database and takes the call up. So whatever the conversations assert holds for all of these
deaths together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from greenlet import getcurrent

from engine.calls.call import Call
from engine.calls.lease import REALM
from engine.flows.moves import Move
from engine.flows.steps.command import Command
from engine.hooks.departments import Departments

if TYPE_CHECKING:
    from engine.flows.run import Run
    from engine.testing.centre import Centre

POINTS: Final = ("kept", "done", "sent")


class _Visit(NamedTuple):
    """A command that a call has come to."""

    call: str
    command: str


class Killer:
    """Kills the engines of ``centre`` while it is entered. Commands of ``on_hangup`` are let live: there is no call
    left whose conversation could go on (tests/faults/test_hung_up.py has their deaths)."""

    def __init__(self, centre: Centre) -> None:
        self.deaths = 0
        self._centre = centre
        self._killed: set[tuple[str, str]] = set()  # command, point
        self._at: dict[Any, _Visit] = {}  # by greenlet
        self._sending: dict[
            str, _Visit
        ] = {}  # calls whose next word to the switch is the last one of an engine
        self._dying = centre.virtual.event()
        self._never = centre.virtual.event()
        self._failed: BaseException | None = None
        self._undertaker: Any = None
        self._originals: list[tuple[type[Any], str, Any]] = []

    def spared(self, department: str) -> list[str]:
        """The commands that a department's flows do (``orders.place``) at which not all engines died."""
        done = {
            str(getattr(step, "do"))  # noqa: B009 - of commands alone
            for name, flow in self._centre.app.lead.flows.flows.items()
            if name.partition("/")[0] == department
            for block in flow.blocks.values()
            for step in block.steps
            if step.kind == "command"
        }
        return sorted(one for one in done if any((one, point) not in self._killed for point in POINTS))

    # -- how -------------------------------------------------------------------------------------------

    def __enter__(self) -> Killer:
        made = self._centre.installation
        limits = made.settings.limits.model_copy(update={"adoptions": 1_000_000})
        made.settings = made.settings.model_copy(update={"limits": limits})
        self._undertaker = self._centre.virtual.spawn(self._bury)
        killer = self

        def run(step: Command, run: Run) -> Move:
            if step.block == "on_hangup":
                return ran(step, run)
            visit = killer._at[getcurrent()] = _Visit(run.call.id, step.do)
            try:
                move = ran(step, run)
                killer._sending[run.call.id] = visit
                return move
            finally:
                killer._at.pop(getcurrent(), None)

        def do(departments: Departments, name: str, values: Any, **how: Any) -> Any:
            visit = killer._at.get(getcurrent())
            killer._die(visit, "kept")
            outcome = original_do(departments, name, values, **how)
            killer._die(visit, "done")
            return outcome

        def flush(call: Call) -> None:
            visit = killer._sending.pop(call.id, None) if call._batch else None
            original_flush(call)
            killer._die(visit, "sent")

        ran: Callable[[Command, Run], Move] = self._wrap(Command, "run", run)
        original_do = self._wrap(Departments, "do", do)
        original_flush = self._wrap(Call, "flush", flush)
        return self

    def _wrap(self, of: type[Any], name: str, instead: Any) -> Any:
        original = getattr(of, name)
        self._originals.append((of, name, original))
        setattr(of, name, instead)
        return original

    def __exit__(self, *_: object) -> None:
        while self._originals:
            setattr(*self._originals.pop())
        self._undertaker.kill()
        if self._failed is not None:
            raise self._failed

    def _die(self, visit: _Visit | None, point: str) -> None:
        """The engine dies here, if none has died here before: what runs here goes no further."""
        if visit is None or (visit.command, point) in self._killed:
            return
        self._killed.add((visit.command, point))
        self._sending.pop(visit.call, None)
        self._dying.set()
        self._never.wait()

    def _bury(self) -> None:
        while True:
            self._dying.wait()
            self._dying.clear()
            self.deaths += 1
            try:
                self._centre.engine.kill()
                # An engine that starts on the same machine sees that the process of the lease is gone.
                self._centre.simulator.switch.hashes.values.pop((REALM, "lease"), None)
                self._centre.engine.start()
            except Exception as error:  # noqa: BLE001 - told where the test waits
                self._failed = error
                return
