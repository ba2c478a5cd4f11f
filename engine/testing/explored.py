"""What an :class:`~engine.testing.explorer.Explorer` keeps of a call's steps: where there was something to choose, with
which facts, and what was tried."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from engine.flows.step import Step, Way

if TYPE_CHECKING:
    from engine.flows.run import Run

AS_IT_IS: Final = "as it is"
_VAIN: Final = 10
_CHANGES: Final = 5  # with how many facts a department answers something else
Facts = tuple[int, tuple[bool | None, ...]]
"""In which exploration, and how the conditions of the flow stand."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What is done at a step: ``keys`` are pressed one after the other, each time that it asks, and ``then`` from there
    on. ``way``: the step ends so, whatever it would have found; ``passed``: as if it had gone well. ``change`` is done
    to its result. ``gives``: a sub-flow is not run again, but gives what it gave before: outcome and values."""

    name: str
    keys: tuple[str, ...] = ()
    then: str = ""
    way: Way | None = None
    change: Callable[[Any], Any] | None = None
    speech: float | None = None
    hangs_up: bool = False
    passed: bool = False
    gives: tuple[str, Mapping[str, Any]] | None = None

    @property
    def gets_on(self) -> bool:
        """A good answer, or what a department may answer."""
        return bool(self.keys) or self.change is not None or self.name == AS_IT_IS


@dataclass(slots=True)
class State:
    """A step with something to choose, as calls come to it with the same facts: ``kept`` leads another call there."""

    kept: Kept
    journey: int
    path: tuple[tuple[str, Choice], ...]  # what was chosen where since it was dialled
    tried: set[str] = field(default_factory=set)
    vain: dict[str, int] = field(default_factory=dict)  # how often nothing was answered that could be changed


@dataclass(slots=True)
class Place:
    """A step with something to choose."""

    choices: list[Choice]
    step: Step
    tried: dict[str, int] = field(default_factory=dict)  # choice -> in which exploration, with whatever facts
    states: dict[Facts, State] = field(default_factory=dict)
    went_well: bool = False  # with its first choice, whenever
    dialled_for: int = 0  # the last exploration in which somebody came here from the start, as it never did

    def goes_on(self) -> Choice | None:
        """What is done where nobody is asked: with other values than before, something else may come of it."""
        return next((one for one in self.choices if one.name == AS_IT_IS and not self.step.waits), None)

    def again(self, state: State) -> Choice | None:
        """A change that there was nothing for yet: with other values there may be."""
        for one in self.choices:
            if one.name not in self.tried and 0 < state.vain.get(one.name, 0) < _VAIN:
                return one
        return None

    def _times(self, choice: Choice) -> int:
        return sum(choice.name in one.tried for one in self.states.values())

    def untried(self, state: State) -> Choice | None:
        """What is still to be tried with these facts."""
        for one in self.choices:
            before = self.tried.get(one.name, 0)
            if one.name not in state.tried and (
                one is self.choices[0]
                or (one.change is not None and self._times(one) < _CHANGES)
                or not before
                or (one.gets_on and before < state.journey)
            ):
                return one
        return None


class Kept:
    """What a run knew at a step: where it was, and every name on the way there."""

    _PLAIN: Final = (
        "visits", "failure", "refusal", "party", "priority", "deferred", "discarded", "lost_place",
        "recording_policy", "recorded",
    )  # fmt: skip

    def __init__(self, run: Run) -> None:
        self._frames = [replace(one, names=dict(one.names), marks=dict(one.marks)) for one in run.frames]
        self._plain = {name: getattr(run, name) for name in self._PLAIN}
        self._language = run.call.language

    def leads(self, run: Run) -> None:
        """Bring another call's run there."""
        run.frames = [replace(one, names=dict(one.names), marks=dict(one.marks)) for one in self._frames]
        for name, value in self._plain.items():
            setattr(run, name, value)
        run.set_language(self._language)
