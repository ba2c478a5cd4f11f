"""A talk, once its agent does more than talk: hold, ask somebody, transfer, three together.

An ordinary talk costs one small object. With the first order (a key of the agent's phone, a command) it gets a
greenlet, which alone moves the legs from then on: orders come to it one after the other, and so does the word that
something happened to a leg. After each it looks at the facts (:meth:`Talk._settle`) and not at what it was told, so
that no order of events can surprise it:

- the caller is gone: everybody is let go
- the second is gone: the caller and the first are together again
- the first is gone: the caller goes to the second if that one has answered, else to the front of its queue

All by re-bridging: ``uuid_bridge`` takes a leg out of the bridge that it is in, and who is left over is parked,
never hung up (docs/decisions/0100). What is going on stands in the variable ``il_talk`` of the caller's channel, from
which the next engine takes it up (:func:`engine.calls.talk_again.take_up`).

The leg that the talk began with is driven by whoever rang it (the ACD's offer, a step). It is *kept* while it is not
bridged with the caller, and *released* when its part is over. A second that becomes the first is followed here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import structlog

from engine.calls import keys
from engine.calls.leg import Leg
from engine.calls.ring import AgentRing, CallFloor
from engine.calls.signals import Gone, Key, Signal
from engine.calls.talking import FRONT, Engagement, Mode, TalkOver, Target
from engine.clock import Empty
from engine.errors import InsidelineError, NotFound, SwitchError, WrongState
from engine.esl import commands
from engine.types import RingKind, RingResult, TalkEnd

if TYPE_CHECKING:
    from engine.calls.call import Call
    from engine.calls.registry import Calls

log = structlog.get_logger(__name__)

VARIABLE: Final = "il_talk"
RINGBACK: Final = "tone_stream://%(1000,4000,450);loops=-1"
RINGS_FOR: Final = 30.0
MOVE_LIMIT: Final = 1.5  # seconds from a command to what it does on the switch
LOOK: Final = 0.02
ORDER_LIMIT: Final = 10.0
TYPING: Final = 8.0  # seconds for the first key of a target, and between two
MISSED = {RingKind.BUSY: "talk_busy", RingKind.REJECTED: "talk_busy", RingKind.NO_ANSWER: "talk_no_answer"}
VERBS: Final = ("hold", "resume", "transfer", "consult", "complete", "conference", "back")


@dataclass(slots=True)
class Party:
    """Somebody whom the caller talks with, or is about to."""

    leg: Leg
    agent: str = ""
    shown: str = ""
    ring: AgentRing | None = None  # of those whom the talk has rung itself
    engaged: Engagement | None = None
    spoke: bool = False  # with the caller

    @property
    def who(self) -> str:
        """What records say."""
        return self.agent or self.shown or self.leg.uuid


@dataclass(slots=True)
class _Order:
    verb: str
    target: str
    by: str
    done: Any
    error: InsidelineError | None = None


@dataclass(slots=True)
class _Rang:
    party: Party
    result: RingResult


@dataclass(slots=True)
class _Typed:
    """A key of a target, pressed by ``leg``."""

    leg: Leg
    digit: str


@dataclass(slots=True)
class _Typing:
    """The target that an agent types after a key."""

    verb: str
    until: float
    digits: str = ""
    began_held: bool = False
    spoken: bool = field(default=False)


class Talk:
    """One caller's talk. Orders may come from any greenlet; see the module's head."""

    def __init__(self, calls: Calls, call: Call, leg: Leg) -> None:
        self._calls = calls
        self._clock = calls.clock
        self.call = call
        self.first = Party(leg, leg.agent, call.transferred if not leg.agent else "", spoke=True)
        self.second: Party | None = None
        self.mode = Mode.TALKING
        self.room = ""
        self.outlives = False  # it goes on without the leg that it began with
        self.over = False
        self._inbox: Any = None  # with the first order
        self._greenlet: Any = None
        self._typing: _Typing | None = None
        self._since = calls.clock.monotonic()
        self._began = self._since
        self._held_since = self._since
        self._changed: Leg | None = None  # whose keys are those of a target now
        self._early = False  # keys of a target have come since its word did
        if leg.agent:
            leg.wants_keys, leg.watch = True, self._on_signal
        self._said_over = False

    # -- what others ask ------------------------------------------------------------------------------

    def do(self, verb: str, target: str = "", *, by: str = "") -> Mode:
        """Carry out one of :data:`VERBS`; answers what it is now. ``by``: who wants it, for the journal.

        Raises :class:`WrongState` (not now), :class:`NotFound` and ``DialRefused`` (the target), SwitchError.
        """
        if verb not in VERBS:
            raise NotFound(f"a talk can't {verb}")
        if self.over or self.call.leg.gone is not None:
            raise WrongState("the talk is over")
        order = _Order(verb, target, by, self._clock.event())
        self._tell(order)
        if not order.done.wait(ORDER_LIMIT):
            raise SwitchError(f"{verb}: the switch did not do it within {ORDER_LIMIT:g} s")
        if order.error is not None:
            raise order.error
        return self.mode

    def hand_to(self, leg: Leg, by: str) -> None:
        """The supervisor ``by``, whose leg is parked, takes the caller over from the first. Raises WrongState."""
        order = _Order("take_over", leg.uuid, by, self._clock.event())
        self._tell(order)
        order.done.wait(ORDER_LIMIT)
        if order.error is not None:
            raise order.error

    def key(self, leg: Leg, action: str, pressed: str = "") -> None:
        """The agent pressed the keys of ``action``, or ``pressed`` one of a target. Never blocks."""
        if self.over or leg is not self.first.leg:
            return
        if action == keys.TYPED:
            self._early = True
            self._tell(_Typed(leg, pressed[-1:]))
        elif action in keys.ACTIONS:
            self._early = False
            self._tell(_Order(action, "", "key", self._clock.event()))

    def close(self) -> None:
        """The talk is over for the call: count it, and let go of everything. Harmless twice."""
        if self.over:
            return
        self._count()
        self.over = True
        self._unwatch()
        self._drop_second()
        if self._inbox is not None:
            self._inbox.put(None)

    def abandon(self) -> None:
        """Forget it without touching a leg, as the process's death would."""
        self.over = True
        self._unwatch()
        if self._greenlet is not None:
            self._greenlet.kill(block=False)

    # -- its greenlet ---------------------------------------------------------------------------------

    def _tell(self, what: Any) -> None:
        self.wake()
        self._inbox.put(what)

    def wake(self) -> None:
        """Begin to act for the legs."""
        if self._inbox is None:
            self._inbox = self._clock.queue()
            self.call.leg.watch = self.first.leg.watch = self._on_signal
            self._greenlet = self._clock.spawn(self._run)

    def _on_signal(self, leg: Leg, signal: Signal) -> None:
        """In the dispatcher: what must be decided before anybody else wakes up, and the word to our greenlet."""
        if self.over:
            return
        if self._inbox is None:
            return
        if isinstance(signal, Gone) and leg is self.first.leg and self.mode is not Mode.TALKING:
            if self._second_there():
                self.outlives = True
            elif self.call.leg.gone is None and self.mode is not Mode.ASIDE:
                self.call.onward = FRONT
        self._inbox.put((leg, signal))

    def _run(self) -> None:
        while not self.over:
            try:
                item = self._inbox.get(self._patience())
            except Empty:
                item = None
            if self.over:
                break
            order = item if isinstance(item, _Order) else None
            try:
                if order is not None:
                    self._obey(order)
                elif isinstance(item, _Rang):
                    self._rang(item)
                elif isinstance(item, _Typed):
                    self._changed = item.leg
                    self._heard(item.leg, item.digit)
                elif isinstance(item, tuple) and isinstance(item[1], Key):
                    self._heard(item[0], item[1].digit)
                self._typed()
                self._settle()
                self._give_keys_back()
            except InsidelineError as error:
                self._failed(order, error)
            finally:
                if order is not None:
                    order.done.set()

    def _failed(self, order: _Order | None, error: InsidelineError) -> None:
        if order is not None:
            order.error = error
            self.call.journal(
                "talk.refused", verb=order.verb, by=order.by, target=order.target, why=str(error)
            )
            if order.by == "key" and self.first.leg.gone is None:
                self._say("talk_not_now" if isinstance(error, WrongState) else "talk_not_there")
        else:
            log.warning("talk.failed", call=self.call.id, error=str(error))

    # -- orders ---------------------------------------------------------------------------------------

    def _obey(self, order: _Order) -> None:
        if self.call.leg.gone is not None or self.first.leg.gone is not None:
            raise WrongState("the talk is over")
        self._typing = None if order.by != "key" else self._typing
        if order.by == "key" and order.verb in keys.TARGETED:
            self._changed = self.first.leg  # the switch has done so in the moment of the key
        match order.verb:
            case "hold":
                self._hold(order)
            case "resume":
                self._resume(order)
            case "consult" | "transfer" if order.by == "key":
                self._wants_target(order)
            case "transfer":
                self._transfer(order)
            case "consult":
                self._consult(order)
            case "complete":
                self._complete(order)
            case "conference":
                self._conference(order)
            case "back":
                self._back(order)
            case "mend":
                self._mend()
            case "take_over":
                self._taken_over(order)

    def _hold(self, order: _Order) -> None:
        match self.mode:
            case Mode.TALKING:
                self._part()
                self._enter(Mode.HELD, by=order.by)
                self._say("talk_held")
            case Mode.ASIDE:
                self._to_second()
                self._enter(Mode.CONSULTING, by=order.by)
            case Mode.HELD | Mode.CONSULTING if order.by == "key":
                self._resume(order)
            case _:
                raise WrongState(
                    "the caller is on hold already" if self.mode is not Mode.THREE else _NOT_IN_THREE
                )

    def _resume(self, order: _Order) -> None:
        match self.mode:
            case Mode.HELD:
                self._reunite(by=order.by)
            case Mode.CONSULTING:
                assert self.second is not None
                self._join(self.call.leg, self.first.leg)
                self._music(self.second.leg)
                self._enter(Mode.ASIDE, by=order.by)
            case _:
                raise WrongState("the caller is not on hold")

    def _consult(self, order: _Order) -> None:
        if self.mode not in (Mode.TALKING, Mode.HELD):
            raise WrongState("somebody is asked already: complete, conference or back")
        desk = self._desk
        target = desk.find(self.call, order.target)
        if target.kind not in ("agent", "extension", "number"):
            raise WrongState(f"nobody can be asked in a {target.kind}: transfer the caller to it")
        engaged = desk.engage(target, self.call)
        try:
            target = desk.dial(self.call, target)
            if self.mode is Mode.TALKING:
                self._part()
            self._ring(target, engaged)
        except InsidelineError:
            if engaged is not None:
                engaged.over(wrap_up=False)
            if self.mode is Mode.TALKING and self.first.leg.kept:
                self._reunite(by=order.by)
            raise
        self._enter(Mode.RINGING, by=order.by, to=target.shown or target.name)

    def _ring(self, target: Target, engaged: Engagement | None) -> None:
        call = self.call
        assert target.dial is not None
        ring = CallFloor(self._calls).dial(
            call.id,
            target.dial,
            seconds=RINGS_FOR,
            number=target.caller,
            name=call.name or target.caller,
            agent=target.agent,
        )
        self.second = Party(
            self._calls.legs[ring.leg], target.agent, target.shown or target.name, ring, engaged
        )
        self.follow_ring(self.second)
        self._execute(self.first.leg, "playback", RINGBACK)

    def follow_ring(self, second: Party) -> None:
        """Wait for the answer of the second, whoever rang it."""
        ring = second.ring
        assert ring is not None
        second.leg.watch = self._on_signal
        if second.engaged is not None:
            second.engaged.cancel = ring.cancel
        self._clock.spawn(self._follow_ring, second, ring)

    def _follow_ring(self, party: Party, ring: AgentRing) -> None:
        try:
            result = ring.wait()
        except SwitchError as error:
            result = RingResult(RingKind.FAILED, str(error))
        if result.kind is RingKind.ANSWERED:
            party.leg.kept = True
        self._inbox.put(_Rang(party, result))

    def _rang(self, news: _Rang) -> None:
        party = news.party
        if party is not self.second or self.mode is not Mode.RINGING:
            return
        if news.result.kind is not RingKind.ANSWERED:
            self.call.journal(
                "talk.missed", to=party.who, why=f"{news.result.kind} {news.result.cause}".strip()
            )
            if self.first.leg.gone is None:
                self._reunite(by="missed")
                self._say(MISSED.get(news.result.kind, "talk_not_there"))
            return
        if party.engaged is not None:
            party.engaged.answered()
        if self.first.leg.gone is None and self.call.leg.gone is None:
            self._to_second()
            self._enter(Mode.CONSULTING, by="answered", to=party.who)

    def _complete(self, order: _Order) -> None:
        if self.mode not in (Mode.CONSULTING, Mode.ASIDE, Mode.THREE):
            raise WrongState("there is nobody to transfer to who has answered")
        self._pass(by=order.by, how="attended" if self.mode is not Mode.THREE else "left")

    def _conference(self, order: _Order) -> None:
        if self.mode not in (Mode.CONSULTING, Mode.ASIDE):
            raise WrongState("a conference needs somebody who was asked, and has answered")
        assert self.second is not None
        self.room = f"talk-{self.call.id[:8]}"
        legs = (self.call.leg, self.first.leg, self.second.leg)
        for leg in legs:
            self._calls.require_line().post(commands.uuid_transfer_to_conference(leg.uuid, self.room))
        if not self._wait(
            lambda: any(leg.gone is not None for leg in legs) or self._all_in(legs), 2 * MOVE_LIMIT
        ):
            log.warning("talk.no_conference", call=self.call.id, room=self.room)
            raise SwitchError("the switch did not make the conference")
        for leg in legs:
            leg.parked = False  # the park that a broken bridge left behind
        self.call.moves.append({"how": "conference", "from": self.first.who, "to": self.second.who})
        self._enter(Mode.THREE, by=order.by, to=self.second.who)
        self.second.spoke = True
        self._desk.recorded(self.call, self.second.agent)

    def _all_in(self, legs: tuple[Leg, ...]) -> bool:
        try:
            inside = self._calls.ask(commands.conference(self.room, "list"), 5.0)
        except SwitchError:
            return False  # there is no such room yet
        return all(leg.uuid in inside for leg in legs)

    def _back(self, order: _Order) -> None:
        if self.mode is Mode.TALKING:
            raise WrongState("you talk to the caller")
        if self.mode is Mode.ASIDE:
            self._drop_second()
            self._enter(Mode.TALKING, by=order.by)
            self.first.leg.kept = False
        else:
            self._reunite(by=order.by)

    def _taken_over(self, order: _Order) -> None:
        leg = self._calls.legs.get(order.target)
        if leg is None or leg.gone is not None:
            raise WrongState("the supervisor has hung up")
        self._drop_second()
        ring = CallFloor(self._calls).adopt(self.call.id, leg.uuid)
        target = Target("agent", order.by)
        try:
            engaged = self._desk.engage(target, self.call)
        except InsidelineError:
            engaged = None  # no agent, or one whom no queue rings now anyway
        if engaged is not None:
            engaged.answered()
        leg.kept = True
        leg.watch = self._on_signal
        self.second = Party(leg, order.by, "", ring, engaged)
        self._pass(by=order.by, how="taken over")

    def _transfer(self, order: _Order) -> None:
        """Without a word to whoever it is: the call's flow takes the caller there."""
        if self.mode in (Mode.CONSULTING, Mode.ASIDE, Mode.THREE) and not order.target:
            self._complete(order)
            return
        if self.mode not in (Mode.TALKING, Mode.HELD):
            raise WrongState("somebody is asked already: complete, conference or back")
        if not self.call.flow:
            raise WrongState("this call has no flow that could take it further")
        target = self._desk.find(self.call, order.target)
        if self.mode is Mode.TALKING:
            self._part(music=False)
        self.call.onward = target
        self._moved("blind", target.shown or f"{target.kind} {target.name}", by=order.by)
        self._count()
        self._release(self.first)
        self._closed()

    def follow_first(self, ring: AgentRing) -> None:
        """Found after a restart with a first whom no queue knows: follow it here to its end."""
        self.outlives = True
        self.first.ring = ring
        ring.talks()
        self._clock.spawn(self._follow_talk, self.first, ring)

    def mend(self) -> None:
        """Found after a restart: see whether it is as it was, and else bring caller and first together again."""
        self._tell(_Order("mend", "", "", self._clock.event()))

    def _mend(self) -> None:
        caller, first, second = self.call.leg, self.first.leg, self.second
        match self.mode:
            case Mode.HELD:
                whole = not caller.bridged
            case Mode.CONSULTING:
                whole = second is not None and first.peer == second.leg.uuid
            case Mode.ASIDE:
                whole = second is not None and caller.peer == first.uuid
            case Mode.THREE:
                whole = second is not None and self._all_in((caller, first, second.leg))
                if whole:
                    assert second is not None
                    second.spoke = True
                    for leg in (caller, first, second.leg):
                        leg.parked = (
                            False  # a member's channel looks like one that is parked for the first time
                        )
            case _:
                whole = caller.peer == first.uuid
        self.call.journal("talk.taken_up", mode=str(self.mode), whole=whole)
        if whole and self.mode in (Mode.HELD, Mode.CONSULTING) and self.first.agent:
            self._desk.held(self.first.agent, True)
        if not whole:
            if caller.peer == first.uuid:
                self._drop_second()
                self._enter(Mode.TALKING, by="restart")
                first.kept = False
            else:
                self._reunite(by="restart")

    # -- keys -----------------------------------------------------------------------------------------

    def _wants_target(self, order: _Order) -> None:
        if self.mode in (Mode.CONSULTING, Mode.ASIDE, Mode.THREE):
            if order.verb == "consult":
                raise WrongState("somebody is asked already")
            self._complete(order)
            return
        if self.mode is Mode.RINGING:
            raise WrongState("nobody has answered yet")
        self._typing = _Typing(order.verb, self._clock.monotonic() + TYPING)
        if self.mode is Mode.TALKING:
            self._part()
            self._enter(Mode.HELD, by=order.by)
        if self._early:
            self._typing.spoken = True  # who types at once need not be asked
        else:
            self._say("talk_whom")

    def _give_keys_back(self) -> None:
        """The first has its ordinary keys again, when no target is typed (any more)."""
        leg = self._changed
        if leg is None or self._typing is not None:
            return
        self._changed = None
        if leg.gone is None:
            self._calls.require_line().post(keys.give_back(leg.uuid))

    def _heard(self, leg: Leg, digit: str) -> None:
        typing = self._typing
        if typing is None or leg is not self.first.leg:
            return
        if not typing.spoken:
            typing.spoken = True
            self._calls.require_line().post(commands.uuid_break(leg.uuid, all=True))
        typing.until = self._clock.monotonic() + TYPING
        if digit != "#":
            typing.digits += digit
            for action, bound in self._calls.keys.bound().items():
                if typing.digits.endswith(bound):  # thought better of it
                    self._typing = None
                    self._tell(_Order(action, "", "key", self._clock.event()))
            return
        self._typing = None
        order = _Order(typing.verb, typing.digits, "phone", self._clock.event())
        try:
            (self._transfer if typing.verb == "transfer" else self._consult)(order)
        except InsidelineError as error:
            self._failed(order, error)
            self._reunite(by="phone")
            self._say("talk_not_there")

    def _typed(self) -> None:
        """Who types nothing (more) talks to the caller again."""
        if self._typing is not None and self._clock.monotonic() >= self._typing.until:
            self._typing = None
            if self.mode is Mode.HELD:
                self._reunite(by="silence")

    def _patience(self) -> float | None:
        return None if self._typing is None else max(0.0, self._typing.until - self._clock.monotonic())

    # -- what follows from the facts ----------------------------------------------------------------------

    def _settle(self) -> None:
        if self.over:
            return
        first, second = self.first, self.second
        if self.call.leg.gone is not None:
            self._count()
            self._drop_second()
            self._release(first, None)
            self._closed()
        elif first.leg.gone is not None:
            if self.mode is Mode.TALKING:
                return  # whoever drives that leg says that the talk is over
            if self._second_there():
                self._pass(by="hang-up", how="attended")
            else:
                self._count()
                self._drop_second()
                self.call.onward = FRONT
                self.call.journal("talk.left_alone", agent_gone=first.who)
                self._closed()
                if self.outlives:
                    self._say_over(TalkEnd.AGENT)
        elif second is not None and second.leg.gone is not None and self.mode is not Mode.RINGING:
            self.call.journal("talk.second_gone", who=second.who)
            if self.mode is Mode.ASIDE:
                self._drop_second()
                self._enter(Mode.TALKING, by="hang-up")
                first.leg.kept = False
            else:
                self._reunite(by="hang-up")

    def _second_there(self) -> bool:
        second = self.second
        return second is not None and second.leg.gone is None and second.leg.kept

    # -- moves ------------------------------------------------------------------------------------------

    def _part(self, *, music: bool = True) -> None:
        """Caller and first let go of each other; both are parked."""
        call, leg = self.call, self.first.leg
        leg.kept = True
        self._calls.ask(commands.uuid_transfer_to_park(call.id), 5.0)
        done = self._wait(
            lambda: (call.leg.parked or call.leg.gone is not None) and (leg.parked or leg.gone is not None)
        )
        if not done:
            log.warning("talk.not_parted", call=call.id, leg=leg.uuid)
        if music:
            self._music(call.leg)

    def _to_second(self) -> None:
        """The first talks to the second; the caller, if it was not parked, is, and hears music."""
        assert self.second is not None
        caller = self.call.leg
        heard_music = caller.parked
        self.first.leg.kept = True
        self._join(self.first.leg, self.second.leg)
        if not heard_music:
            self._wait(lambda: caller.parked or caller.gone is not None)
            self._music(caller)

    def _reunite(self, *, by: str) -> None:
        """Caller and first are together, without anybody else."""
        # The second goes afterwards: a leg whose partner hangs up in the moment of a bridge is where limbo begins.
        self._join(self.call.leg, self.first.leg)
        self._count()
        self._drop_second()
        self._enter(Mode.TALKING, by=by)
        if self.first.leg.peer == self.call.id:
            self.first.leg.kept = False

    def _pass(self, *, by: str, how: str) -> None:
        """The caller talks to the second; the first is free."""
        before, new = self.first, self.second
        assert new is not None
        self.outlives = True
        if not self._join(self.call.leg, new.leg):
            return  # one of the two is gone: the facts say what follows
        self._moved(how, new.who, by=by)
        self._count()
        self.first, self.second, self.mode = new, None, Mode.TALKING
        new.spoke = True
        new.leg.wants_keys = bool(new.agent)
        new.leg.watch = self._on_signal
        call = self.call
        call.agent, call.agent_leg = new.agent, new.leg.uuid
        if not new.agent:
            call.transferred = new.shown
        self._release(before)
        self._save()
        if new.agent:
            self._calls.require_line().post(*keys.bind(new.leg.uuid, self._calls.keys))
        self._desk.recorded(call, new.agent)
        if new.ring is not None:
            new.ring.talks()
            self._clock.spawn(self._follow_talk, new, new.ring)
        new.leg.kept = False

    def _follow_talk(self, party: Party, ring: AgentRing) -> None:
        """The first, which this talk has rung itself, to the end of its part."""
        result = ring.wait_over()
        if party.engaged is not None:
            party.engaged.over(wrap_up=party.spoke)
        ring.drop()
        if party is self.first and (self.call.onward is not None or self.second is None or self.over):
            self._say_over(result.by)
            self.close()

    def _say_over(self, by: TalkEnd) -> None:
        """Tell the flow that the talk is over which outlived its beginning; once."""
        if not self._said_over and self.call.leg.gone is None:
            self._said_over = True
            self.call.leg.inbox.put(TalkOver(self.first.agent, by, self._seconds()))

    def _join(self, one: Leg, other: Leg) -> bool:
        """Bridge two legs; whoever either talked to is parked. False when one of them is gone."""
        for attempt in (1, 2):
            if self.mode is not Mode.THREE:
                # One that was just left is on its way into the park: to bridge it now would catch it in between.
                self._wait(lambda: all(leg.parked or leg.peer or leg.gone for leg in (one, other)), 0.5)
            if one.gone is not None or other.gone is not None:
                return False
            self._calls.ask(commands.uuid_bridge(one.uuid, other.uuid), 5.0)
            if self._wait(lambda: one.peer == other.uuid or one.gone is not None or other.gone is not None):
                return one.peer == other.uuid
            log.warning("bridge.limbo", call=self.call.id, one=one.uuid, other=other.uuid, attempt=attempt)
            # A transfer brings back whatever the broken bridge has left in limbo.
            line = self._calls.require_line()
            line.post(commands.uuid_transfer_to_park(one.uuid), commands.uuid_transfer_to_park(other.uuid))
            self._wait(lambda: one.parked and other.parked)
        return False

    def _wait(self, true: Callable[[], bool], limit: float = MOVE_LIMIT) -> bool:
        """Wait until the legs are as they should be. They are looked at, for no one event says it."""
        end = self._clock.monotonic() + limit
        while not true():
            if self._clock.monotonic() >= end:
                return False
            self._clock.sleep(LOOK)
        return True

    def _release(self, party: Party, by: TalkEnd | None = TalkEnd.TRANSFER) -> None:
        """The part of the first is over: whoever drives its leg goes on."""
        leg = party.leg
        leg.watch = None
        leg.kept, leg.released = False, by
        leg.inbox.put(None)

    def _drop_second(self) -> None:
        second, self.second = self.second, None
        if second is None:
            return
        second.leg.watch = None
        second.leg.kept = False
        if second.ring is not None:
            second.ring.cancel()
            second.ring.drop()
        if second.engaged is not None:
            second.engaged.over(wrap_up=second.spoke)

    def _unwatch(self) -> None:
        for leg in (
            self.call.leg,
            self.first.leg,
            self.second.leg if self.second is not None else self.first.leg,
        ):
            if leg.watch == self._on_signal:
                leg.watch = None

    def _closed(self) -> None:
        self.over = True
        self._unwatch()
        if self.call.leg.gone is None:
            self._save()

    # -- what is heard ------------------------------------------------------------------------------------

    def _music(self, leg: Leg) -> None:
        self._execute(leg, "endless_playback", self._desk.music(self.call))

    def _say(self, key: str) -> None:
        """Tell the agent something that nobody else hears."""
        words = self._desk.words(key, self.call, self.first.agent)
        if words and self.first.leg.gone is None:
            self._execute(self.first.leg, "playback", words)

    def _execute(self, leg: Leg, application: str, argument: str) -> None:
        if leg.gone is None:
            self._calls.require_line().post(commands.execute(leg.uuid, application, argument))

    # -- what is written ------------------------------------------------------------------------------------

    def _enter(self, mode: Mode, *, by: str, **facts: str) -> None:
        self._count()
        before, self.mode = self.mode, mode
        now = self._clock.monotonic()
        held = before not in (Mode.TALKING, Mode.THREE, Mode.ASIDE)
        holds = mode not in (Mode.TALKING, Mode.THREE, Mode.ASIDE)
        if held != holds:
            if not holds:
                self.call.journal("talk.resumed", by=by, held=round(now - self._held_since, 1))
            self._held_since = now
            if self.first.agent:
                self._desk.held(self.first.agent, holds)
        self.call.journal(f"talk.{mode}", by=by, **facts)
        self._save()

    def _moved(self, how: str, to: str, *, by: str) -> None:
        self.call.moves.append({"how": how, "from": self.first.who, "to": to})
        self.call.journal("talk.transferred", how=how, by=by, to=to, **{"from": self.first.who})

    def _count(self) -> None:
        """Whoever talked to the caller until now has done so for so many seconds more."""
        now = self._clock.monotonic()
        spent, self._since = now - self._since, now
        if self.over:
            return
        with_caller = [self.first] if self.mode in (Mode.TALKING, Mode.ASIDE, Mode.THREE) else []
        if self.mode is Mode.THREE and self.second is not None:
            with_caller.append(self.second)
        for party in with_caller:
            self.call.agents[party.who] = self.call.agents.get(party.who, 0.0) + spent

    def _seconds(self) -> float:
        return self._clock.monotonic() - self._began

    def _save(self) -> None:
        """Put what is going on on the caller's channel, for the next engine."""
        if self.call.leg.gone is not None:
            return
        second = self.second
        text = "~".join(
            (self.mode, self.first.leg.uuid, second.leg.uuid if second is not None else "", self.room)
        )
        value = "" if self.over or (self.mode is Mode.TALKING and second is None) else text
        self._calls.require_line().post(commands.uuid_setvar(self.call.id, VARIABLE, value))

    @property
    def _desk(self) -> Any:
        if self._calls.desk is None:
            raise WrongState("nobody can be found: the engine has no desk")
        return self._calls.desk


_NOT_IN_THREE: Final = "in a conference nobody is on hold"

__all__ = ["VARIABLE", "VERBS", "Party", "Talk"]
