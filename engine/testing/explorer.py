"""A caller who takes every way: each key of each menu, wrong keys, silence, hanging up, each failure behind the line.

An :class:`Explorer` calls a number again and again until nothing is left that it has not tried. At every step that asks
for keys it presses them as a caller does, and what a department may answer (not found, refused, failed, not known yet)
is answered for it. What happens in between is the real thing: the engine, the switch's keys, what is said. It learns
where each choice leads, and goes the shortest way to what it has not tried.

::

    explorer = Explorer(centre, typed={"orders/goods.code": ["10010001", "99999999"]})
    explorer.explores("8001", number="+8613802880002")
    assert explorer.missed("orders/goods") == []

Of each call it asserts what holds of any call: nobody hears silence for long, no flow breaks off, everything ends, and
a CDR tells of it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from engine.errors import HungUp
from engine.flows.coverage import Walked, coverage_of
from engine.flows.model import Flow
from engine.flows.moves import Go, Move
from engine.flows.step import Step, Way
from engine.flows.steps import STEPS
from engine.testing.flow_coverage import Watcher

if TYPE_CHECKING:
    from engine.flows.run import Run
    from engine.switch.simulator import Playback
    from engine.testing.centre import Caller, Centre

LONGEST_SILENCE: Final = 20.0
"""Seconds of a call in which nothing at all is heard: the longest wait for keys, and a query behind it."""
_MOST_CHOICES: Final = 150  # in one call
_IDLE: Final = 8  # calls in a row in which nothing new was found: that is all
_CHANGES: Final = 3  # times that another result is given: the first may have met a failure right behind it
_PATIENCE: Final = 3600.0
_WRONG: Final = {"menu": "#", "confirm": "7", "rate": "9", "pick": "#", "collect": "1#"}
#: Where a call leads by itself, and nobody chooses.
_ON_ITS_OWN: Final = frozenset({"choose", "go", "say", "return"})
#: Steps that ask in ways of their own: what is pressed for each good way, one answer for each time that it asks.
_SCRIPTS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "answer_from_knowledge": {"solved": ("1", "1"), "not_solved": ("2", "2")},
    "dictate": {"said again, then accepted": ("2", "3")},
    "voicemail": {"said": ("3",)},
    "messages": {"heard": ("2", "2", "2", "2")},
}


@dataclass(frozen=True, slots=True)
class Choice:
    """What is done at a step: ``keys`` are pressed one after the other, each time that it asks, and ``then`` from there
    on. ``way``: the step ends so, whatever it would have found; ``passed``: as if it had gone well. ``change`` is done
    to its result."""

    name: str
    keys: tuple[str, ...] = ()
    then: str = ""
    way: Way | None = None
    change: Callable[[Any], Any] | None = None
    speech: float | None = None
    hangs_up: bool = False
    passed: bool = False


@dataclass(slots=True)
class Place:
    """A step at which there is something to choose, and what is known of it."""

    choices: list[Choice]
    tried: Counter[str] = field(default_factory=Counter)
    leads: dict[str, dict[str, int]] = field(default_factory=dict)  # choice -> the next places, and how often

    def untried(self) -> Iterator[Choice]:
        return (one for one in self.choices if self.tried[one.name] < (1 if one.change is None else _CHANGES))


class Explorer:
    """``typed``: what is typed at a ``collect``, each in its turn, by "flow.name" (the name that it fills), or by
    "flow.identify" ("code pin"). ``answers``: other results of queries and commands, by their names: a word for each,
    and a function of what was answered. ``details``: what a refusal tells, by its reason. ``always``: the choices at a
    step, by "flow:block.index", one for each call in its turn (the language, say)."""

    def __init__(
        self,
        centre: Centre,
        *,
        typed: Mapping[str, Sequence[str]] | None = None,
        answers: Mapping[str, Mapping[str, Callable[[Any], Any]]] | None = None,
        details: Mapping[str, Mapping[str, Any]] | None = None,
        always: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._centre = centre
        self._typed, self._answers = typed or {}, answers or {}
        self._details, self._always = details or {}, always or {}
        self._watcher = Watcher()
        self.places: dict[str, Place] = {}
        self.calls = 0
        self._caller: Caller | None = None
        self._before: tuple[str, str] | None = None  # the place that was left last, and how
        self._choice = Choice("nothing yet")
        self._asked = self._chosen = 0
        self._answered = False
        self._params: Mapping[str, Any] = {}
        self._idle = 0  # calls in a row that found nothing new
        self._new = False  # something was tried in this call for the first time

    @property
    def walked(self) -> Walked:
        """What was walked."""
        return self._watcher.walked

    def missed(self, *flows: str) -> list[str]:
        """The blocks and ways of these flows that were not walked."""
        found = self._centre.app.lead.flows
        return [
            f"{name} {one.block}: {one.step} {one.way}".strip()
            for name in flows
            for one in coverage_of(found[name], self.walked).missed
        ]

    def untried(self) -> list[str]:
        """What was found, and could not be done: a way that led there once did so no more."""
        return [
            f"{at}: {one.name}"
            for at, place in self.places.items()
            for one in place.untried()
            if at not in self._always
        ]

    def explores(
        self,
        dialled: str,
        *,
        flow: str = "",
        params: Mapping[str, Any] | None = None,
        prepare: Callable[[], object] | None = None,
        **caller: Any,
    ) -> Explorer:
        """Call that number, as that caller, until everything was tried that can be reached. ``prepare`` is done before
        each call. With ``flow`` the number leads to that one, begun with ``params``."""
        if flow:
            self._centre.number(dialled, flow)
        self._params = params or {}
        for phone in self._centre.installation.phones:
            self._centre.simulator.phone(phone.extension).auto(answer_after=0.5, talk_for=1.0)
        self._idle = 0
        with self._watching():
            least = self.calls + max(map(len, self._always.values()), default=1)
            while self._idle < _IDLE and (self.calls < least or self.untried()):
                if prepare is not None:
                    prepare()
                self._new = False
                self._call(dialled, caller)
                self._idle = 0 if self._new else self._idle + 1
        return self

    # -- one call -------------------------------------------------------------------------------------

    def _call(self, dialled: str, who: Mapping[str, Any]) -> None:
        centre = self._centre
        centre.logged.seek(0, 2)
        begun = centre.logged.tell()
        self.calls += 1
        self._before, self._choice, self._chosen = ("", dialled), Choice("dial"), 0
        self.places.setdefault("", Place([]))
        caller = self._caller = centre.caller(**who).dials(dialled)
        caller.sim.on_playback, caller.sim.on_asked = self._hears, self._is_asked
        ended = caller.sim.wait_ended(_PATIENCE)
        centre.virtual.sleep(0.5)
        path = "\n  ".join(caller.transcript)
        assert ended is not None, f"this call never ends:\n  {path}"
        centre.logged.seek(begun)
        wrong = [line for line in centre.logged if '"level": "error"' in line]
        assert not wrong, f"{''.join(wrong)[:3000]}\n  {path}"
        silence = _silence(caller)
        assert silence <= LONGEST_SILENCE, f"{silence:.0f} s of silence:\n  {path}"

    def _hears(self, sound: Playback) -> None:
        """Keys are pressed while the question is still being said, as somebody does who knows it by heart."""
        if sound.waits_for_keys:
            self._answers_it()
            self._answered = True

    def _is_asked(self, _seconds: float) -> None:
        if not self._answered:  # it could not be interrupted
            self._answers_it()
        self._answered = False

    def _answers_it(self) -> None:
        choice, number = self._choice, self._asked
        self._asked += 1
        keys = choice.keys[number] if number < len(choice.keys) else choice.then
        caller = self._caller
        if keys and caller is not None:
            try:
                caller.presses(keys)
            except HungUp:
                pass  # the call ended in this very moment

    # -- one step -------------------------------------------------------------------------------------

    def _step(self, run: Run, step: Step, original: Callable[[Step, Run], Move]) -> Move:
        caller = self._caller
        if (
            caller is None
            or not self._is_mine(run)
            or step.block == "on_hangup"
            or not self._has_choice(step)
        ):
            return original(step, run)
        choice = self._choose(run, step)
        caller.transcript.append(f"{run.frame.flow.name} {step.label}: {choice.name}")
        if choice.hangs_up:
            self._centre.virtual.after(0.1, caller.sim.hang_up)
        caller.sim.speech = 3.0 if choice.speech is None else choice.speech
        if choice.way is not None:
            return self._ends(run, step, choice.way)
        if choice.passed:
            return None
        move = original(step, run)
        self._judge(step, choice, move)
        into = getattr(step, "into", None)
        if choice.change is not None and move is None and into is not None:
            run.bear(into, choice.change(run.frame.names[into]))
        return move

    def _is_mine(self, run: Run) -> bool:
        return self._caller is not None and run.call.id == self._caller.uuid

    def _judge(self, step: Step, choice: Choice, move: Move) -> None:
        """Who was silent where nothing was asked after all (an empty list) has yet to be so, a few times at most."""
        asks = choice.name in ("silence", "wrong keys") and any(way.name == "give_up" for way in step.ways())
        if asks and not (isinstance(move, Go) and move.way == "give_up") and self._before is not None:
            tried = self.places[self._before[0]].tried
            tried[f"{choice.name} in vain"] += 1
            if tried[f"{choice.name} in vain"] < _CHANGES:
                tried[choice.name] = 0

    def _ends(self, run: Run, step: Step, way: Way) -> Move:
        """The step ends by this way."""
        run.checkpoint()
        run.flush()
        run.awaited = ""
        kind, _, reason = way.name.partition(".")
        if kind == "refused":
            run.refusal = {"reason": reason, **self._details.get(reason, {})}
        elif kind in ("failed", "pending"):
            run.fail(step, "made to fail", way.target)
        return Go(way.target, way=way.name)

    def _has_choice(self, step: Step) -> bool:
        return step.kind not in _ON_ITS_OWN and any(step.ways())

    def _choose(self, run: Run, step: Step) -> Choice:
        flow = run.frame.flow
        at = f"{flow.name}:{step.block}.{step.index}"
        place = self.places.get(at)
        if place is None:
            place = self.places[at] = Place(list(self._choices(flow, step)))
        if self._before is not None:
            there = self.places[self._before[0]].leads.setdefault(self._before[1], {})
            there[at] = there.get(at, 0) + 1
        self._chosen += 1
        self._asked = 0
        choice = next(place.untried(), None)
        if at in self._always:
            turns = self._always[at]
            choice = next(one for one in place.choices if one.name == turns[self.calls % len(turns)])
        elif choice is not None:
            self._new = True
        else:
            choice = self._towards(at) or Choice("leaves", hangs_up=True)
        if self._chosen > _MOST_CHOICES:
            choice = Choice("leaves", hangs_up=True)
        place.tried[choice.name] += 1
        self._before, self._choice = (at, choice.name), choice
        return choice

    def _towards(self, at: str) -> Choice | None:
        """The first choice on the shortest way to something untried; None when there is nothing."""
        seen, line = {at}, deque[tuple[str, Choice | None]]([(at, None)])
        while line:
            here, first = line.popleft()
            place = self.places[here]
            if first is not None and next(place.untried(), None) is not None:
                return first
            # Where a choice leads depends on what was done before it, too: who gets nowhere goes other ways.
            turned = self._idle > 0
            for choice in sorted(place.choices, key=lambda one: turned and place.tried[one.name]):
                for there in () if choice.hangs_up else place.leads.get(choice.name, ()):
                    if there not in seen:
                        seen.add(there)
                        line.append((there, first or choice))
        return None

    # -- what can be done at a step ---------------------------------------------------------------------

    def _choices(self, flow: Flow, step: Step) -> Iterator[Choice]:
        ways = {way.name: way for way in step.ways()}
        pressed = set()
        for choice in self._pressed(flow, step):
            pressed.add(choice.name)
            yield choice
        asks = step.waits and step.kind != "queue"
        if asks:
            wrong = (
                "0#" if step.kind == "collect" and getattr(step, "min", None) else _WRONG.get(step.kind, "#")
            )
            yield Choice("silence", speech=0.0)
            yield Choice("wrong keys", then=wrong, speech=0.0)
        if not pressed or step.kind in ("query", "command"):
            yield Choice("as it is")
        name = str(getattr(step, "ask", "") or getattr(step, "do", ""))
        for word, change in self._answers.get(name, {}).items():
            yield Choice(word, change=change)
        for way in ways.values():
            if way.name not in pressed and not (asks and way.name == "give_up"):
                yield Choice(way.name, way=way)
        if step.falls_through() and (step.kind in ("transfer", "play") or step.kind not in STEPS):
            yield Choice("talked", passed=True)
        if step.needs_caller and step.kind != "run":
            yield Choice("hangs up", hangs_up=True)

    def _pressed(self, flow: Flow, step: Step) -> Iterator[Choice]:
        """The good answers of a caller."""
        values: Any = step
        if step.kind == "menu":
            for key in values.options:
                yield Choice(f"options.{key}", keys=(key,))
        elif step.kind == "confirm":
            yield Choice("yes", keys=(values.yes_key,))
            yield Choice("no", keys=(values.no_key,))
        elif step.kind == "rate":
            yield Choice("a mark", keys=("4",))
        elif step.kind == "pick":
            yield Choice("the first", keys=("1",))
        elif step.kind in ("collect", "identify"):
            name = "identify" if step.kind == "identify" else values.into
            end = getattr(step, "end", "#")
            if step.kind == "identify" and values.by == "number":
                return
            for typed in self._typed[f"{flow.name}.{name}"]:
                yield Choice(f"types {typed}", keys=tuple(f"{part}{end}" for part in typed.split()))
        if step.kind in ("dictate", "voicemail"):
            yield Choice("speaks", keys=("3",))
        for way, keys in _SCRIPTS.get(step.kind, {}).items():
            yield Choice(way, keys=keys)

    # -- looking on -----------------------------------------------------------------------------------

    def _watching(self) -> Any:
        return _Wrapped(self)


class _Wrapped:
    """While it is entered, every step asks the explorer first."""

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer
        self._kinds: dict[type[Step], Any] = {}
        self._start: Any = None

    def __enter__(self) -> None:
        from engine.flows.run import Run

        explorer, start = self._explorer, Run.start

        def begin(run: Run, flow: str, params: Mapping[str, Any] | None = None) -> None:
            start(run, flow, params or (explorer._params if explorer._is_mine(run) else {}))

        self._start = start
        setattr(Run, "start", begin)  # noqa: B010 - for as long as it explores
        self._explorer._watcher.start()
        for flow in self._explorer._centre.app.lead.flows.flows.values():
            for block in flow.blocks.values():
                for step in block.steps:
                    self._wrap(type(step))

    def _wrap(self, kind: type[Step]) -> None:
        if kind in self._kinds:
            return
        original = self._kinds[kind] = kind.run
        explorer = self._explorer

        def run(step: Step, run: Run) -> Move:
            return explorer._step(run, step, original)

        setattr(kind, "run", run)  # noqa: B010 - for as long as it explores

    def __exit__(self, *_: object) -> None:
        from engine.flows.run import Run

        setattr(Run, "start", self._start)  # noqa: B010
        for kind, original in self._kinds.items():
            setattr(kind, "run", original)  # noqa: B010
        self._explorer._watcher.stop()


def _silence(caller: Caller) -> float:
    """The longest time of a call in which its caller heard nothing, and talked with nobody, in seconds."""
    sim, longest = caller.sim, 0.0
    if sim.talks or not sim.played:
        return 0.0
    heard = sim.played[0].at
    for sound in sim.played:  # music goes on behind what is said over it
        longest = max(longest, sound.at - heard)
        heard = max(heard, sound.ended if sound.ended is not None else float("inf"))
    return longest
