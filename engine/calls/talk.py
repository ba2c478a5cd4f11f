"""A talk, once its agent does more than talk: hold, ask somebody, transfer, three together.

An ordinary talk costs one small object. With the first order (a key of the agent's phone, a command) it gets a
greenlet, which alone moves the legs from then on: orders come to it one after the other, and so does the word that
something happened to a leg. After each it looks at the facts (:meth:`Talk.settle`) and not at what it was told, so
that no order of events can surprise it:

- the caller is gone: everybody is let go
- the second is gone: the caller and the first are together again
- the first is gone: the caller goes to the second if that one has answered, else to the front of its queue

All by re-bridging (:mod:`engine.calls.talk_moves`). What each order does stands in :mod:`engine.calls.talk_orders`,
how a target is typed in :mod:`engine.calls.talk_typing`, waiting in a queue for somebody to ask in
:mod:`engine.calls.talk_queue`. What is going on is in the variable ``il_talk`` of the caller's channel, from which the
next engine takes it up (:func:`engine.calls.talk_again.take_up`).

The leg that the talk began with is driven by whoever rang it (the ACD's offer, a step). It is *kept* while it is not
bridged with the caller, and *released* when its part is over. A second that becomes the first is followed here, or,
when it came from a queue, by the offer that brought it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import structlog

from engine.calls import account, keys, talk_queue
from engine.calls.leg import Leg
from engine.calls.signals import Gone, Key, Signal
from engine.calls.talk_moves import Moves
from engine.calls.talk_orders import missed_or_answered, obey
from engine.calls.talk_start import give_keys
from engine.calls.talk_typing import TargetKeys
from engine.calls.talk_words import VERBS, AskedOver, Joined, Order, Party, Rang, Typed, Unasked, words_for
from engine.calls.talking import FRONT, Asker, Consultation, Mode, Ring, TalkOver
from engine.clock import Empty
from engine.errors import InsidelineError, NotFound, SwitchError, WrongState
from engine.esl import commands
from engine.types import TalkEnd

if TYPE_CHECKING:
    from engine.calls.call import Call
    from engine.calls.registry import Calls

log = structlog.get_logger(__name__)

VARIABLE: Final = "il_talk"
FLOW: Final = "flow:"  # before the name of a flow, where that of a queue may stand
ORDER_LIMIT: Final = 10.0
JOIN_LIMIT: Final = 8.0
_WITH_CALLER: Final = (Mode.TALKING, Mode.ASIDE, Mode.THREE)


class Talk(Asker):
    """One caller's talk. Orders may come from any greenlet; see the module's head.

    What is not underscored is for the modules that the talk is made of, in its own greenlet, and to look at for others.
    """

    def __init__(self, calls: Calls, call: Call, leg: Leg) -> None:
        self.calls = calls
        self.clock = calls.clock
        self.call = call
        self.moves = Moves(calls, call)
        self.typing = TargetKeys(self)
        self.first = Party(leg, leg.agent, call.transferred if not leg.agent else "", spoke=True)
        self.second: Party | None = None
        self.asked: Consultation | None = None  # the place in a queue in which the first waits
        self.entering = False  # it is just taking that place: whoever is told of it asks who it is
        self.mode = Mode.TALKING
        self.room = ""
        self.from_queue = ""  # which the first was brought from, where that is not the caller's own
        self.handed = False  # the caller waits in the place in which the first did
        self.announce_at = 0.0  # monotonic: when the first hears its position again
        self.outlives = False  # it goes on without the leg that it began with
        self.over = False
        self._inbox: Any = None  # with the first order
        self._greenlet: Any = None
        self._since = calls.clock.monotonic()
        self._began = self._since
        self._held_since = self._since
        self._said_over = False
        if leg.agent:
            leg.wants_keys, leg.watch = True, self.on_signal

    # -- what others ask ------------------------------------------------------------------------------

    def do(self, verb: str, target: str = "", *, by: str = "") -> Mode:
        """Carry out one of :data:`VERBS`; answers what it is now. ``by``: who wants it, for the journal.

        Raises :class:`WrongState` (not now), :class:`NotFound` and ``DialRefused`` (the target), SwitchError.
        """
        if verb not in VERBS:
            raise NotFound(f"a talk can't {verb}")
        if self.over or self.call.leg.gone is not None:
            raise WrongState("the talk is over")
        self._ask(Order(verb, target, by, self.clock.event()))
        return self.mode

    def hand_to(self, leg: Leg, by: str) -> None:
        """The supervisor ``by``, whose leg is parked, takes the caller over from the first. Raises WrongState."""
        self._ask(Order("take_over", leg.uuid, by, self.clock.event()))

    def _ask(self, order: Order) -> None:
        self.tell(order)
        if not order.done.wait(ORDER_LIMIT):
            raise SwitchError(f"{order.verb}: the switch did not do it within {ORDER_LIMIT:g} s")
        if order.error is not None:
            raise order.error

    def key(self, leg: Leg, action: str, pressed: str = "") -> bool:
        """The agent pressed the keys of ``action``, or ``pressed`` one of a target. Never blocks. False when the talk
        is not that leg's (yet)."""
        if self.over or leg is not self.first.leg:
            return False
        if action == keys.TYPED:
            self.typing.early = True
            self.tell(Typed(leg, pressed[-1:]))
        elif action in keys.ACTIONS:
            self.typing.early = False
            self.tell(Order(action, "", "key", self.clock.event()))
        return True

    def take_early_keys(self) -> None:
        """Those that the first pressed before the word of its bridge came."""
        pressed, self.first.leg.early = self.first.leg.early, ()
        for action, digit in pressed:
            self.key(self.first.leg, action, digit)

    @property
    def asked_by(self) -> str:
        """The agent who asks somebody, or waits to; "" when nobody does."""
        asks = not self.over and (self.entering or self.asked is not None or self.second is not None)
        return self.first.who if asks else ""

    def shown_as(self, name: str) -> None:
        """Who the first is, where it is no agent: a number, an extension."""
        self.first.shown = name
        self._keep_account()

    def close(self) -> None:
        """The talk is over for the call: count it, and let go of everything. Harmless twice."""
        if self.over:
            return
        self.count()
        self.over = True
        self._unwatch()
        talk_queue.leave(self, "caller" if self.call.leg.gone is not None else "back")
        self.drop_second()
        self._keep_account()
        if self._inbox is not None:
            self._inbox.put(None)

    def abandon(self) -> None:
        """Forget it without touching a leg, as the process's death would."""
        self.over = True
        self._unwatch()
        if self._greenlet is not None:
            self._greenlet.kill(block=False)

    def mend(self) -> None:
        """Found after a restart: see whether it is as it was, and else bring caller and first together again."""
        self.tell(Order("mend", "", "", self.clock.event()))

    # -- what a queue tells (see engine.calls.talking.Asker) ------------------------------------------------

    def join(self, ring: Ring) -> bool | None:
        if self.over:
            return talk_queue.join_late(self, ring)
        joined = Joined(ring, self.clock.event())
        self.tell(joined)
        if not joined.done.wait(JOIN_LIMIT):
            return False
        return joined.answer

    def unasked(self, reason: str) -> None:
        self.tell(Unasked(reason))

    def asks_in(self, queue: str) -> None:
        if self.asked is not None and not self.over:
            self.call.journal("talk.asks_in", to=f"queue {queue}")
            self.save()

    def asked_over(self, by: TalkEnd) -> None:
        self.tell(AskedOver(by))

    # -- its greenlet ---------------------------------------------------------------------------------

    def tell(self, what: Any) -> None:
        """Put something into the inbox. Never blocks."""
        self.wake()
        self._inbox.put(what)

    def wake(self) -> None:
        """Begin to act for the legs."""
        if self._inbox is None:
            self._inbox = self.clock.queue()
            if not self.over:
                self.call.leg.watch = self.first.leg.watch = self.on_signal
            self._greenlet = self.clock.spawn(self._run)

    def on_signal(self, leg: Leg, signal: Signal) -> None:
        """In the dispatcher: what must be decided before anybody else wakes up, and the word to our greenlet."""
        if self.over or self._inbox is None:
            return
        if isinstance(signal, Gone) and leg is self.first.leg and self.mode is not Mode.TALKING:
            if self.second_there():
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
                self._too_late(item)
                break
            order = item if isinstance(item, Order) else None
            try:
                self._take(item)
                self.typing.look()
                talk_queue.announce(self)
                self.settle()
                self.typing.give_keys_back()
            except InsidelineError as error:
                self.failed(order, error)
            finally:
                if isinstance(item, Order | Joined):
                    item.done.set()
        while len(self._inbox):
            self._too_late(self._inbox.get(0))

    def _take(self, item: Any) -> None:
        match item:
            case Order():
                obey(self, item)
            case Rang():
                missed_or_answered(self, item)
            case Typed(leg, digit):
                self.typing.typed(leg, digit)
            case Joined():
                item.answer = talk_queue.joined(self, item.ring)
            case Unasked(reason):
                talk_queue.sent_out(self, reason)
            case AskedOver(by):
                self._first_over(by)
            case (leg, Key(digit)):
                self.typing.heard(leg, digit)

    def _too_late(self, item: Any) -> None:
        """What came when the talk was over already: nobody waits for it for long."""
        if isinstance(item, Order):
            item.error = WrongState("the talk is over")
            item.done.set()
        elif isinstance(item, Joined):
            item.answer = talk_queue.join_late(self, item.ring)
            item.done.set()

    def _patience(self) -> float | None:
        due = [moment for moment in (self.typing.until, talk_queue.due(self)) if moment is not None]
        return max(0.0, min(due) - self.clock.monotonic()) if due else None

    def failed(self, order: Order | None, error: InsidelineError) -> None:
        """An order could not be done: whoever gave it is told."""
        if order is None:
            log.warning("talk.failed", call=self.call.id, error=str(error))
            return
        order.error = error
        self.call.journal("talk.refused", verb=order.verb, by=order.by, target=order.target, why=str(error))
        if order.by in ("key", "phone") and self.first.leg.gone is None:
            self.say(words_for(error))

    # -- what follows from the facts ----------------------------------------------------------------------

    def settle(self) -> None:
        """Bring about what the facts call for."""
        if self.over:
            return
        first, second = self.first, self.second
        if self.call.leg.gone is not None:
            self.count()
            talk_queue.leave(self, "caller")
            self.drop_second()
            self.release(first, None)
            self.closed()
        elif first.leg.gone is not None:
            if self.mode is Mode.TALKING:
                return  # whoever drives that leg says that the talk is over
            if self.second_there():
                self.pass_on(by="hang-up", how="attended")
            else:
                self.count()
                talk_queue.leave(self, "back")
                self.drop_second()
                self.call.onward = FRONT
                self.call.journal("talk.left_alone", agent_gone=first.who)
                self.closed()
                if self.outlives:
                    self._say_over(TalkEnd.AGENT)
        elif second is not None and second.leg.gone is not None and self.mode is not Mode.RINGING:
            self.call.journal("talk.second_gone", who=second.who)
            if self.mode is Mode.ASIDE:
                self.drop_second()
                self.enter(Mode.TALKING, by="hang-up")
                first.leg.kept = False
            else:
                self.reunite(by="hang-up")

    def second_there(self) -> bool:
        """Somebody was asked, and has answered."""
        second = self.second
        return second is not None and not second.flow and second.leg.gone is None and second.leg.kept

    # -- moves of more than one order -------------------------------------------------------------------------

    def bridge(self, one: Leg, other: Leg) -> bool:
        """See :meth:`Moves.join`."""
        self.typing.give_keys_back()  # in the bridge it would take the switch some tenths of a second
        return self.moves.join(one, other, from_room=self.mode is Mode.THREE)

    def to_second(self) -> bool:
        """The first talks to the second; the caller, if it was not parked, is, and hears music."""
        assert self.second is not None
        caller = self.call.leg
        heard_music = caller.parked
        self.first.leg.kept = True
        together = self.bridge(self.first.leg, self.second.leg)
        if not heard_music:
            self.moves.wait(lambda: caller.parked or caller.gone is not None)
            self.moves.music(caller)
        return together

    def reunite(self, *, by: str) -> None:
        """Caller and first are together, without anybody else."""
        # The second goes afterwards: a leg whose partner hangs up in the moment of a bridge is where limbo begins.
        self.bridge(self.call.leg, self.first.leg)
        self.count()
        talk_queue.leave(self, "back")
        self.drop_second()
        self.enter(Mode.TALKING, by=by)
        if self.first.leg.peer == self.call.id:
            self.first.leg.kept = False

    def pass_on(self, *, by: str, how: str) -> None:
        """The caller talks to the second; the first is free."""
        before, new = self.first, self.second
        assert new is not None
        self.outlives = True
        give_keys(self.calls, new.leg)
        if not self.bridge(self.call.leg, new.leg):
            return  # one of the two is gone: the facts say what follows
        self.moved(how, new.who, by=by)
        self.count()
        self._note_asked(new)
        self.first, self.second, self.mode = new, None, Mode.TALKING
        new.spoke = True
        new.leg.wants_keys = bool(new.agent)
        new.leg.watch = self.on_signal
        call = self.call
        call.agent, call.agent_leg = new.agent, new.leg.uuid
        if new.asked is not None:
            self.from_queue = call.queue = new.asked.queue
        if not new.agent:
            call.transferred = new.shown
        self.release(before)
        self.take_early_keys()
        self.save()
        self.moves.desk.recorded(call, new.agent)
        if new.ring is not None and new.asked is None:
            new.ring.talks()
            self.clock.spawn(self._follow_talk, new, new.ring)
        new.leg.kept = False

    def follow_first(self, ring: Ring) -> None:
        """Found after a restart with a first whom no queue knows: follow it here to its end."""
        self.outlives = True
        self.first.ring = ring
        ring.talks()
        self.clock.spawn(self._follow_talk, self.first, ring)

    def _follow_talk(self, party: Party, ring: Ring) -> None:
        """The first, which this talk has rung itself, to the end of its part."""
        result = ring.wait_over()
        if party.engaged is not None:
            party.engaged.over(wrap_up=party.spoke)
        ring.drop()
        if party is self.first:
            self._first_over(result.by)

    def _first_over(self, by: TalkEnd) -> None:
        """The part of the first is over, with which the talk did not begin."""
        if self.outlives and (self.call.onward is not None or self.second is None or self.over):
            self._say_over(by)
            self.close()

    def _say_over(self, by: TalkEnd) -> None:
        """Tell the flow that the talk is over which outlived its beginning; once."""
        if not self._said_over and self.call.leg.gone is None:
            self._said_over = True
            self.call.leg.inbox.put(TalkOver(self.first.agent, by, self.clock.monotonic() - self._began))

    def release(self, party: Party, by: TalkEnd | None = TalkEnd.TRANSFER) -> None:
        """The part of the first is over: whoever drives its leg goes on."""
        leg = party.leg
        leg.watch = None
        leg.kept, leg.released = False, by
        leg.inbox.put(None)

    def drop_second(self) -> None:
        """Who was asked is let go."""
        second, self.second = self.second, None
        if second is None:
            return
        self._note_asked(second)
        second.leg.watch = None
        if second.asked is not None:
            self.release(second, TalkEnd.CALLER)  # the offer that brought it ends with that
            return
        second.leg.kept = False
        if second.ring is not None:
            second.ring.cancel()
            second.ring.drop()
        if second.engaged is not None:
            second.engaged.over(wrap_up=second.spoke, missed=second.missed)

    def closed(self) -> None:
        """Nothing is to be done any more."""
        self.over = True
        self._unwatch()
        if self.call.leg.gone is None:
            self.save()

    def _unwatch(self) -> None:
        for leg in (
            self.call.leg,
            self.first.leg,
            self.second.leg if self.second is not None else self.first.leg,
        ):
            if leg.watch == self.on_signal:
                leg.watch = None

    def say(self, key: str, **values: Any) -> None:
        """Tell the first something that nobody else hears."""
        if self.first.leg.gone is None:
            self.moves.say(self.first.leg, self.first.agent, key, values)

    # -- what is written ------------------------------------------------------------------------------------

    def enter(self, mode: Mode, *, by: str, **facts: Any) -> None:
        """It is something else now."""
        self.count()
        before, self.mode = self.mode, mode
        now = self.clock.monotonic()
        held, holds = before not in _WITH_CALLER, mode not in _WITH_CALLER
        if held != holds:
            if not holds:
                self.call.journal("talk.resumed", by=by, held=round(now - self._held_since, 1))
            self._held_since = now
            if self.first.agent:
                self.moves.desk.held(self.first.agent, holds)
        self.call.journal(f"talk.{mode}", by=by, **facts)
        self.save()

    def moved(self, how: str, to: str, *, by: str) -> None:
        """The caller goes to somebody else."""
        self.call.moves.append({"how": how, "from": self.first.who, "to": to})
        self.call.journal("talk.transferred", how=how, by=by, to=to, **{"from": self.first.who})

    def _note_asked(self, second: Party) -> None:
        """How long somebody was asked, for the CDR."""
        if second.since is None:
            return
        self.call.asked.append(
            {
                "by": self.first.who,
                "to": second.who,
                **({"queue": second.asked.queue} if second.asked is not None else {}),
                "seconds": round(self.clock.monotonic() - second.since, 1),
            }
        )
        second.since = None

    @property
    def _with_caller(self) -> list[Party]:
        """Those who talk with the caller now."""
        if self.over or self.mode not in _WITH_CALLER:
            return []
        both = self.mode is Mode.THREE and self.second is not None
        return [self.first, self.second] if both and self.second is not None else [self.first]

    def count(self) -> None:
        """Whoever talked to the caller until now has done so for so many seconds more."""
        now = self.clock.monotonic()
        spent, self._since = now - self._since, now
        for party in self._with_caller:
            self.call.agents[party.who] = self.call.agents.get(party.who, 0.0) + spent
            self.call.talker = party.agent or self.call.talker

    def save(self) -> None:
        """Put what is going on on the caller's channel, for the next engine."""
        if self.call.leg.gone is not None:
            return
        second, asked = self.second, self.asked
        if asked is None and second is not None:
            asked = second.asked
        queue = asked.queue if asked is not None else self.from_queue
        if second is not None and second.flow:
            queue = f"{FLOW}{second.flow}"
        text = "~".join(
            (
                self.mode,
                self.first.leg.uuid,
                second.leg.uuid if second is not None else "",
                self.room,
                queue,
                str(round(asked.began)) if asked is not None else "",
            )
        )
        plain = self.mode is Mode.TALKING and second is None and not self.from_queue
        self.calls.require_line().post(
            commands.uuid_setvar(self.call.id, VARIABLE, "" if self.over or plain else text)
        )
        self._keep_account()

    def _keep_account(self) -> None:
        """The same for what its CDR will say."""
        if self.call.leg.gone is None and self.calls.line is not None and self.calls.line.up:
            talking = [party.who for party in self._with_caller]
            self.calls.require_line().post(account.keep(self.call, talking, self.clock.now().timestamp()))


__all__ = ["VARIABLE", "VERBS", "Party", "Talk"]
