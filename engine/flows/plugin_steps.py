"""Kinds of steps that plugins bring: the base that they extend, and what such a step may do with a call.

A plugin's step does not hold the call: it is given a :class:`Conversation`, which speaks, asks, reads and bears names.
Whatever it raises, and when it takes too long, the step's ``failed`` way is taken; without one the caller hears the
apology, as with every step that fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import structlog

from engine.clock import TimeUp
from engine.errors import HungUp
from engine.flows.moves import Go
from engine.flows.step import Step
from engine.flows.values import Value
from engine.hooks.brought import StepKind
from engine.schema.fields import parse_duration
from engine.types import CallView

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run


log = structlog.get_logger(__name__)


class PluginStep(Step, StepKind):
    """The base of a plugin's kind of step (``engine.api.Step``). Its fields are the keys that may be written; the
    checker, the flow schema and editors know them from there.

    ::

        class Challenge(Step):
            kind = "duty_challenge"          # the plugin's name, and a word
            waits = True                     # it waits for the caller's keys
            prompt: Prompt
            give_up: Target

            def act(self, call: Conversation) -> str | None:
                typed = call.ask(self.prompt, length=2, code="47")
                return None if typed == "47" else self.give_up

    ``limit`` is what the whole step may take, in seconds. A field ``failed: Target`` is where a failure leads. After a
    restart of the engine the step begins anew.
    """

    #: Seconds for the whole step, the caller's time included.
    limit: ClassVar[float] = 300.0

    def act(self, call: Conversation) -> str | None:
        """Do it, in the call's own greenlet. Answers one of the step's own ways (``self.give_up``), or None for the
        next step."""
        raise NotImplementedError(self.kind)

    def run(self, run: Run) -> Move:
        if run.resumption is not None:
            run.resumption = None
            run.call.stop_sound()
        run.checkpoint()
        run.flush()
        try:
            with run.clock.timeout(self.limit) as mine:
                way = self.act(Conversation(run, self.kind))
        except TimeUp as up:
            if up is not mine:
                raise
            return self._failed(run, f"it took more than {self.limit:g} s")
        except HungUp:
            raise
        except (Exception, SystemExit) as error:  # SystemExit in a greenlet would end the engine
            from engine.flows.run import FlowFault

            if isinstance(error, FlowFault):
                raise
            log.error("step.raised", kind=self.kind, step=run.call.step, exc_info=error)
            return self._failed(run, type(error).__name__)
        if way is None:
            return None
        if way not in [one.target for one in self.ways()]:
            return self._failed(run, "it answered a way that it does not have")
        return Go(way)

    def _failed(self, run: Run, why: str) -> Move:
        failed = getattr(self, "failed", None)
        if isinstance(failed, str):
            return run.fail(self, why, failed)
        from engine.flows.run import FlowFault

        raise FlowFault(f"{run.frame.flow.name} {self.label}: {why}")


class Conversation:
    """What a plugin's step may do with the call that it is given. Everything here may wait, and raises when the caller
    hangs up (let that pass: the engine needs it)."""

    __slots__ = ("_kind", "_run", "log")

    def __init__(self, run: Run, kind: str) -> None:
        self._run = run
        self._kind = kind
        self.log = structlog.get_logger("insideline.plugins").bind(step=kind)

    @property
    def view(self) -> CallView:
        """The call at this moment."""
        return self._run.call.view()

    @property
    def language(self) -> str:
        """What the caller hears: ``zh-CN``, ``en``."""
        return self._run.call.language

    @property
    def names(self) -> Mapping[str, Any]:
        """The names that the flow may read now: those born in it, and ``caller``, ``party``, ``now`` …"""
        return MappingProxyType(dict(self._run.scope))

    def value(self, written: Value) -> Any:
        """What a field of type ``Value`` means now: ``"{waybill}"`` is the waybill. Raises where a name has none."""
        return written.get(self._run.scope)

    def say(self, prompt: str, *, interrupt: bool = False, **values: Any) -> None:
        """Let the caller hear a prompt to its end, or (``interrupt``) until a key."""
        self._run.speak(prompt, values, interrupt=interrupt)

    def ask(
        self,
        prompt: str | None,
        *,
        length: int | tuple[int, int],
        end: str = "#",
        first: float = 6.0,
        between: float = 3.0,
        secret: bool = False,
        **values: Any,
    ) -> str | None:
        """Say ``prompt`` (None: nothing) and wait for so many keys (``length``: exactly, or from and to); ``end`` is
        the key that ends them ("" for none), ``first`` and ``between`` the seconds that a key is waited for. A
        ``secret`` is in no event, log or recording. What was typed, or None when nothing, or too little, came."""
        from engine.esl.commands import Digits
        from engine.flows.asking import Asked, Given, ask

        least, most = (length, length) if isinstance(length, int) else length
        digits = Digits(minimum=least, maximum=most, first=first, between=between, terminators=end)
        question = Asked(self._kind, prompt, attempts=1)
        given = ask(self._run, question, digits, Given, secret=secret, extra=values)
        return None if given is None else str(given.value)

    def bear(self, name: str, value: Any) -> None:
        """Give a name of the flow its value. The checker has to know it: a field of type ``Into``."""
        self._run.bear(name, value)

    def query(self, name: str, /, within: str = "3s", **values: Any) -> Any:
        """The answer of a query of any department, within its time; None: it found nothing. Raises
        :class:`~engine.errors.DepartmentFailed`, which leads to the step's ``failed`` way when it is let pass."""
        return self._run.services.departments.ask(name, values, within=parse_duration(within))

    def journal(self, event: str, **data: Any) -> None:
        """Write ``<kind>.<event>`` into the call's journal, with values that JSON can hold. Nothing private."""
        self._run.call.journal(f"{self._kind}.{event}", **data)


__all__ = ["Conversation", "PluginStep"]
