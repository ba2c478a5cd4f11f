"""A caller who takes every way: each key of each menu, wrong keys, silence, hanging up, each failure behind the line.

An :class:`Explorer` calls a number again and again until nothing is left that it has not tried. At every step that asks
for keys it presses them as a caller does, and what a department may answer (not found, refused, failed, not known yet)
is answered for it. What happens in between is the real thing: the engine, the switch's keys, what is said.

No way is walked twice. Where a call came to a step with something to choose, what the flow knew there is kept, and the
next call begins right there with the next choice, as one does that a new engine takes up. Of a step, each choice is
tried once, those by which a caller gets on once for each caller; the first one, and what a department may answer, again
wherever the *facts* are other ones: the conditions by which the flow decides.

::

    explorer = Explorer(centre, typed={"orders/goods.code": ["10010001", "99999999"]})
    explorer.explores("8001", number="+8613802880002")
    assert explorer.missed("orders/goods") == []

Of each call it asserts what holds of any call: nobody hears silence for long, no flow breaks off, everything ends, and
a CDR tells of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from engine.calls import leader, lease
from engine.errors import HungUp, InsidelineError
from engine.flows.coverage import Walked, coverage_of
from engine.flows.expressions import Expression
from engine.flows.model import Flow
from engine.flows.moves import Go, Leave, Move
from engine.flows.step import Step, Way
from engine.flows.steps import STEPS
from engine.records import duty
from engine.testing.explored import AS_IT_IS, Choice, Kept, Place, State
from engine.testing.flow_coverage import Watcher

if TYPE_CHECKING:
    from engine.flows.run import Run
    from engine.switch.simulator import Playback
    from engine.testing.centre import Caller, Centre

LONGEST_SILENCE: Final = 20.0
"""Seconds of a call in which nothing at all is heard: the longest wait for keys, and a query behind it."""
_MOST_CHOICES: Final = 150  # in one call
_PATIENCE: Final = 3600.0
_ASKED_IN_VAIN: Final = ("silence", "wrong keys")
_WRONG: Final = {"menu": "#", "confirm": "7", "rate": "9", "pick": "#", "collect": "1#"}
#: Seconds, for as long as it explores: nothing changes from elsewhere, and no other engine wants to lead.
_SELDOM: Final[tuple[tuple[Any, str, Any], ...]] = (
    (duty, "ANYWAY", 86400.0), (leader, "RENEW", 600.0), (leader, "TTL", 7200), (lease, "TTL", 7200),
    (lease, "LED_TTL", 7200), (leader, "GUARD_EVERY", 7200),
)  # fmt: skip
#: Where a call leads by itself, and nobody chooses.
_ON_ITS_OWN: Final = frozenset({"choose", "go", "say", "return"})
#: Steps that ask in ways of their own: what is pressed for each good way, one answer for each time that it asks.
_SCRIPTS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "answer_from_knowledge": {"solved": ("1", "1"), "not_solved": ("2", "2")},
    "dictate": {"said again, then accepted": ("2", "3")},
    "voicemail": {"said": ("3",)},
    "messages": {"heard": ("2", "2", "2", "2")},
}


class Explorer:
    """``typed``: what is typed at a ``collect``, each in its turn, by "flow.name" or "flow.block.name" (the name that
    it fills), or by "flow.identify" ("code pin"). ``answers``: other results of queries and commands, by their names
    (of other steps by their kind): a word for each, and a function of what was answered. ``details``: what a refusal
    tells, by its reason. ``always``: the choices at a step, by "flow:block.index", and no others (the language)."""

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
        self._choice = Choice("nothing yet")
        self._asked = self._chosen = 0
        self._answered = False
        self._params: Mapping[str, Any] = {}
        self._only = ""
        self._journey = 0  # which of the explorations
        self._aim: tuple[State, Choice] | None = None  # where the call under way begins, and with what
        self._path: tuple[tuple[str, Choice], ...] = ()  # what was chosen where
        self._planned: list[tuple[str, Choice]] = []  # what is to be chosen where, from the start on
        self._given: dict[str, dict[str, Mapping[str, Any]]] = {}  # flow -> outcome -> the values it gave
        self._conditions: dict[str, tuple[Expression, ...]] = {}  # by which a flow decides

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
        """What was found, and could not be done."""
        return [
            f"{at}: {one.name}"
            for at, place in self.places.items()
            for one in place.choices
            if one.name not in place.tried
        ]

    def explores(
        self,
        dialled: str,
        *,
        flow: str = "",
        params: Mapping[str, Any] | None = None,
        prepare: Callable[[], object] | None = None,
        only: str = "",
        **caller: Any,
    ) -> Explorer:
        """Call that number, as that caller, until everything was tried that can be reached. ``prepare`` is done before
        each call. With ``flow`` the number leads to that one, begun with ``params``. ``only``: the call is left
        where it comes to flows whose names do not begin so."""
        if flow:
            self._centre.number(dialled, flow)
        self._params, self._only = params or {}, only
        for phone in self._centre.installation.phones:
            self._centre.simulator.phone(phone.extension).auto(answer_after=0.5, talk_for=1.0)
        self._journey += 1
        self._aim = None
        with _Wrapped(self):
            while True:
                if prepare is not None:
                    prepare()
                self._call(dialled, caller)
                self._path = ()
                self._aim = self._next_aim()
                if self._aim is not None:
                    self._path = self._aim[0].path
                elif not self._plan():
                    return self

    def _next_aim(self) -> tuple[State, Choice] | None:
        """What is to be tried next, and where: in the order in which it was found."""
        for place in self.places.values():
            for state in place.states.values():
                if state.journey == self._journey and (choice := place.untried(state)) is not None:
                    return state, choice
        return None

    def _plan(self) -> bool:
        """A deed that never went well may have lacked what a call before had used up: somebody dials, and comes to it
        from the start."""
        for at, place in self.places.items():
            for state in place.states.values():
                if (
                    state.journey == self._journey != place.dialled_for
                    and place.step.kind in ("command", "query")
                    and not place.went_well
                ):
                    place.dialled_for = self._journey
                    self._planned = [*state.path, (at, place.choices[0])]
                    return True
        return False

    # -- one call -------------------------------------------------------------------------------------

    def _call(self, dialled: str, who: Mapping[str, Any]) -> None:
        centre = self._centre
        centre.logged.seek(0, 2)
        begun = centre.logged.tell()
        self.calls += 1
        self._choice, self._chosen = Choice("dial"), 0
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
            move = original(step, run)
            if self._is_mine(run):
                self._learns(run, move)
            return move
        if not run.frame.flow.name.startswith(self._only):
            self._centre.virtual.after(0.1, caller.sim.hang_up)
            return original(step, run)
        place, state, choice = self._choose(run, step)
        caller.transcript.append(f"{run.frame.flow.name} {step.label}: {choice.name}")
        if choice.hangs_up:
            self._centre.virtual.after(0.1, caller.sim.hang_up)
        caller.sim.speech = 3.0 if choice.speech is None else choice.speech
        if choice.way is not None:
            return self._ends(run, step, choice.way)
        if choice.gives is not None:
            return step.returned(run, *choice.gives)
        if choice.passed:
            return None
        move = original(step, run)
        if choice.name in _ASKED_IN_VAIN and not (isinstance(move, Go) and move.way == "give_up"):
            place.tried.pop(choice.name, None)  # nothing was asked (an empty list, say): perhaps where it is
        place.went_well = place.went_well or (move is None and choice is place.choices[0])
        into = getattr(step, "into", None)
        if choice.change is not None and move is None and into is not None:
            run.bear(into, choice.change(run.frame.names[into]))
        elif choice.change is not None:
            state.vain[choice.name] = state.vain.get(choice.name, 0) + 1
            place.tried.pop(choice.name, None)
        return move

    def _is_mine(self, run: Run) -> bool:
        return self._caller is not None and run.call.id == self._caller.uuid

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

    def _choose(self, run: Run, step: Step) -> tuple[Place, State, Choice]:
        flow = run.frame.flow
        at = f"{flow.name}:{step.block}.{step.index}"
        place = self.places.get(at)
        if place is None:
            place = self.places[at] = Place(list(self._choices(flow, step)), step)
            if at in self._always:
                place.choices = [one for one in place.choices if one.name in self._always[at]]
            for outcome, values in self._given.get(getattr(step, "flow", ""), {}).items():
                self._may_give(place, outcome, values)
        self._chosen += 1
        self._asked = 0
        if self._aim is not None:
            (state, choice), self._aim = self._aim, None
        else:
            planned = self._planned.pop(0) if self._planned else None
            facts = self._journey, (run.deferred, run.discarded, *self._facts(run))
            state = place.states.get(facts) or place.states.setdefault(
                facts, State(Kept(run), self._journey, self._path)
            )
            if planned is not None and planned[0] == at:
                choice = planned[1]
            else:
                self._planned = []
                leaves = Choice("leaves", hangs_up=True)
                choice = place.untried(state) or place.again(state) or place.goes_on() or leaves
        if self._chosen > _MOST_CHOICES:
            choice = Choice("leaves", hangs_up=True)
        state.tried.add(choice.name)
        place.tried[choice.name] = self._journey
        self._path = (*self._path, (at, choice))
        self._choice = choice
        return place, state, choice

    def _facts(self, run: Run) -> tuple[bool | None, ...]:
        """How the conditions of the flow stand for this call."""
        flow = run.frame.flow
        if flow.name not in self._conditions:
            steps = [step for block in flow.blocks.values() for step in block.steps]
            cases = [case.when for step in steps for case in getattr(step, "cases", ())]
            found = [one for one in (*cases, *(step.when for step in steps)) if one is not None]
            self._conditions[flow.name] = tuple({one.text: one for one in found}.values())
        scope = run.scope
        return tuple(_stands(one, scope) for one in self._conditions[flow.name])

    def _learns(self, run: Run, move: Move) -> None:
        """What a sub-flow gives: whoever runs it elsewhere may get the same."""
        if not isinstance(move, Leave):
            return
        flow = run.frame.flow.name
        if len(run.frames) > 1:
            around = run.frames[-2]
            place = self.places.get(f"{around.flow.name}:{around.block}.{around.index}")
            if place is not None:
                place.tried[f"gives {move.outcome}"] = self._journey
        given = self._given.setdefault(flow, {})
        if move.outcome not in given:
            given[move.outcome] = move.values
            for place in self.places.values():
                if getattr(place.step, "flow", "") == flow:
                    self._may_give(place, move.outcome, move.values)

    def _may_give(self, place: Place, outcome: str, values: Mapping[str, Any]) -> None:
        place.choices.append(Choice(f"gives {outcome}", gives=(outcome, values)))

    # -- what can be done at a step ---------------------------------------------------------------------

    def _choices(self, flow: Flow, step: Step) -> Iterator[Choice]:
        ways = {way.name: way for way in step.ways()}
        pressed = set()
        for choice in self._pressed(flow, step):
            pressed.add(choice.name)
            yield choice
        asks = step.waits and step.kind != "queue"
        if asks:
            yield Choice("silence", speech=0.0)
            yield Choice("wrong keys", then=_wrong(step), speech=0.0)
        if not pressed or step.kind in ("query", "command"):
            yield Choice(AS_IT_IS)
        name = str(getattr(step, "ask", "") or getattr(step, "do", "") or step.kind)
        for word, change in self._answers.get(name, {}).items():
            yield Choice(word, change=change)
        for way in ways.values():
            if way.name not in pressed and step.kind != "run" and not (asks and way.name == "give_up"):
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
            block = f"{flow.name}.{step.block}.{name}"
            for typed in self._typed[block if block in self._typed else f"{flow.name}.{name}"]:
                yield Choice(f"types {typed}", keys=tuple(f"{part}{end}" for part in typed.split()))
        if step.kind in ("dictate", "voicemail"):
            yield Choice("speaks", keys=("3",))
        for way, keys in _SCRIPTS.get(step.kind, {}).items():
            yield Choice(way, keys=keys)


class _Wrapped:
    """While it is entered, every step asks the explorer first."""

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer
        self._kinds: dict[type[Step], Any] = {}
        self._start: Any = None
        self._usual: list[Any] = []

    def __enter__(self) -> None:
        from engine.flows.run import Run

        explorer, start = self._explorer, Run.start

        def begin(run: Run, flow: str, params: Mapping[str, Any] | None = None) -> None:
            if not explorer._is_mine(run):
                start(run, flow, params)
            elif explorer._aim is None:
                start(run, flow, params or explorer._params)
            else:
                explorer._aim[0].kept.leads(run)
                run.call.answer()
                run._walk()

        self._start = start
        self._usual = [getattr(module, name) for module, name, _ in _SELDOM]
        for module, name, seconds in _SELDOM:
            setattr(module, name, seconds)
        self._renew()
        for one in self._schedules():
            one.stop()
        setattr(Run, "start", begin)  # noqa: B010 - for as long as it explores
        self._explorer._watcher.start()
        for flow in self._explorer._centre.app.lead.flows.flows.values():
            for block in flow.blocks.values():
                for step in block.steps:
                    self._wrap(type(step))

    def _renew(self) -> None:
        """The lease holds for as long as is said now, and the switch looks as seldom whether somebody leads."""
        self._explorer._centre.app.leader._arm_guard()
        self._explorer._centre.app.leader._wake.set()
        self._explorer._centre.virtual.sleep(1.0)

    def _schedules(self) -> list[duty.Duty]:
        """Work by the clock, which no caller hears of: calls of minutes would be followed by all of it."""
        return [one for one in self._explorer._centre.app.records.duties if one.name == "schedules"]

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
        for (module, name, _), usual in zip(_SELDOM, self._usual, strict=True):
            setattr(module, name, usual)
        self._renew()
        for one in self._schedules():
            one.start()
        for kind, original in self._kinds.items():
            setattr(kind, "run", original)  # noqa: B010
        self._explorer._watcher.stop()


def _wrong(step: Any) -> str:
    """What is wrong at a step that asks."""
    if step.kind != "collect" or step.digits.least > 1:
        return _WRONG.get(step.kind, "#")
    return "0#" if step.min else "**#"


def _stands(condition: Expression, scope: Mapping[str, Any]) -> bool | None:
    """How a condition stands; None where it reads what is not known (yet)."""
    try:
        return condition.truth(scope)
    except (InsidelineError, LookupError, TypeError, ValueError):
        return None


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
