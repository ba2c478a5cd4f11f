"""What each order does to a talk: ``hold``, ``consult`` and their kin, by a key of the phone or by command.

Each is a function of the talk and the order, runs in the talk's greenlet, and raises when it can't be done now.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import structlog

from engine.calls import keys, talk_queue
from engine.calls.ring import CallFloor
from engine.calls.talk_words import MISSED, Order, Party, Rang
from engine.calls.talking import Engagement, Mode, Target
from engine.errors import InsidelineError, SwitchError, WrongState
from engine.types import RingKind, RingResult

if TYPE_CHECKING:
    from engine.calls.ring import AgentRing
    from engine.calls.talk import Talk

log = structlog.get_logger(__name__)

RINGBACK: Final = "tone_stream://%(1000,4000,450);loops=-1"
RINGBACK_AFTER: Final = (
    0.3  # a phone that answers by itself is quicker, and the tone would run on into the talk
)
RINGS_FOR: Final = 30.0
_ASKED: Final = (Mode.CONSULTING, Mode.ASIDE, Mode.THREE)
_TAKEN: Final = "somebody is asked already: complete, conference or back"


def obey(talk: Talk, order: Order) -> None:
    """Carry an order out."""
    if talk.call.leg.gone is not None or talk.first.leg.gone is not None:
        raise WrongState("the talk is over")
    if order.by != "key":
        talk.typing.stop()
    elif order.verb in keys.TARGETED:
        talk.typing.keys_are_changed(talk.first.leg)
    _ORDERS[order.verb](talk, order)


def _hold(talk: Talk, order: Order) -> None:
    match talk.mode:
        case Mode.TALKING:
            talk.moves.part(talk.first.leg)
            talk.enter(Mode.HELD, by=order.by)
            talk.say("talk_held")
        case Mode.ASIDE:
            talk.to_second()
            talk.enter(Mode.CONSULTING, by=order.by)
        case Mode.HELD | Mode.CONSULTING if order.by == "key":
            _resume(talk, order)
        case Mode.THREE:
            raise WrongState("in a conference nobody is on hold")
        case _:
            raise WrongState("the caller is on hold already")


def _resume(talk: Talk, order: Order) -> None:
    match talk.mode:
        case Mode.HELD:
            talk.reunite(by=order.by)
        case Mode.CONSULTING:
            assert talk.second is not None
            talk.bridge(talk.call.leg, talk.first.leg)
            talk.moves.music(talk.second.leg)
            talk.enter(Mode.ASIDE, by=order.by)
        case Mode.QUEUED:
            raise WrongState("you wait for somebody to ask: back gives that up")
        case _:
            raise WrongState("the caller is not on hold")


def consult(talk: Talk, order: Order) -> None:
    """Ask somebody, who is rung, or a queue, in which the first waits for somebody."""
    if talk.mode not in (Mode.TALKING, Mode.HELD):
        raise WrongState(_TAKEN)
    desk = talk.moves.desk
    target: Target = desk.find(talk.call, order.target)
    if target.kind == "queue":
        talk_queue.enter(talk, target, order.by)
        return
    engaged = desk.engage(target, talk.call)
    try:
        target = desk.dial(talk.call, target)
        if talk.mode is Mode.TALKING:
            talk.moves.part(talk.first.leg)
        _ring(talk, target, engaged)
    except InsidelineError:
        if engaged is not None:
            engaged.over(wrap_up=False)
        if talk.mode is Mode.TALKING and talk.first.leg.kept:
            talk.reunite(by=order.by)
        raise
    talk.enter(Mode.RINGING, by=order.by, to=target.shown or target.name)


def _ring(talk: Talk, target: Target, engaged: Engagement | None) -> None:
    call = talk.call
    assert target.dial is not None
    ring = CallFloor(talk.calls).dial(
        call.id,
        target.dial,
        seconds=RINGS_FOR,
        number=target.caller,
        name=call.name or target.caller,
        agent=target.agent,
        variables=target.variables,
    )
    flow = target.name if target.kind == "flow" else ""
    talk.second = Party(
        talk.calls.legs[ring.leg], target.agent, target.shown or target.name, ring, engaged, flow=flow
    )
    follow_ring(talk, talk.second, ring)
    if not flow:
        talk.clock.after(RINGBACK_AFTER, _let_hear_it_ring, talk, talk.second)


def _let_hear_it_ring(talk: Talk, second: Party) -> None:
    if talk.second is not second or talk.mode is not Mode.RINGING or talk.over:
        return
    try:
        talk.moves.play(talk.first.leg, RINGBACK)
    except SwitchError as error:
        log.info("talk.no_tone", call=talk.call.id, error=str(error))


def follow_ring(talk: Talk, second: Party, ring: AgentRing) -> None:
    """Wait for the answer of the second, whoever rang it."""
    second.leg.watch = talk.on_signal
    if second.engaged is not None:
        second.engaged.cancel = ring.cancel
    talk.clock.spawn(_follow_ring, talk, second, ring)


def _follow_ring(talk: Talk, party: Party, ring: AgentRing) -> None:
    try:
        result = ring.wait()
    except SwitchError as error:
        result = RingResult(RingKind.FAILED, str(error))
    if result.kind is RingKind.ANSWERED:
        party.leg.kept = True
    talk.tell(Rang(party, result))


def missed_or_answered(talk: Talk, news: Rang) -> None:
    """The ringing of the second has ended."""
    party = news.party
    if party is not talk.second or talk.mode is not Mode.RINGING:
        return
    if news.result.kind is not RingKind.ANSWERED:
        why = f"{news.result.kind} {news.result.cause}".strip()
        talk.call.journal("talk.missed", to=party.who, why=why)
        party.missed = news.result.kind
        if talk.first.leg.gone is None:
            talk.reunite(by="missed")
            talk.say(MISSED.get(news.result.kind, "talk_not_there"))
        return
    if party.engaged is not None:
        party.engaged.answered()
    if talk.first.leg.gone is None and talk.call.leg.gone is None:
        party.since = talk.clock.monotonic()
        talk.to_second()
        talk.enter(Mode.CONSULTING, by="answered", to=party.who)


def _complete(talk: Talk, order: Order) -> None:
    if talk.mode is Mode.QUEUED:
        talk_queue.hand_over(talk, order.by)
        return
    if talk.mode not in _ASKED or talk.second is None:
        raise WrongState("there is nobody to transfer to who has answered")
    if talk.second.flow:
        _into_flow(talk, order, talk.second.flow)
        return
    talk.pass_on(by=order.by, how="attended" if talk.mode is not Mode.THREE else "left")


def _into_flow(talk: Talk, order: Order, flow: str) -> None:
    """The flow that the first has heard is the caller's now, from its start and in the caller's own call."""
    if not talk.call.flow:
        raise WrongState("this call has no flow that could take it further")
    if talk.mode is not Mode.CONSULTING:
        talk.moves.free(talk.call.leg)
    talk.drop_second()
    talk.call.onward = Target("flow", flow, shown=f"flow {flow}")
    talk.moved("blind", f"flow {flow}", by=order.by)
    talk.count()
    talk.release(talk.first)
    talk.closed()


def _conference(talk: Talk, order: Order) -> None:
    if talk.mode not in (Mode.CONSULTING, Mode.ASIDE):
        raise WrongState("a conference needs somebody who was asked, and has answered")
    assert talk.second is not None
    talk.room = f"talk-{talk.call.id[:8]}"
    talk.moves.gather(talk.room, (talk.call.leg, talk.first.leg, talk.second.leg))
    talk.call.moves.append({"how": "conference", "from": talk.first.who, "to": talk.second.who})
    talk.enter(Mode.THREE, by=order.by, to=talk.second.who)
    talk.second.spoke = True
    talk.moves.desk.recorded(talk.call, talk.second.agent)


def _back(talk: Talk, order: Order) -> None:
    if talk.mode is Mode.TALKING:
        raise WrongState("you talk to the caller")
    if talk.mode is Mode.ASIDE:
        talk.drop_second()
        talk.enter(Mode.TALKING, by=order.by)
        talk.first.leg.kept = False
    else:
        talk.reunite(by=order.by)


def transfer(talk: Talk, order: Order) -> None:
    """Without a word to whoever it is: the call's flow takes the caller there."""
    if talk.mode in (*_ASKED, Mode.QUEUED) and not order.target:
        _complete(talk, order)
        return
    if talk.mode not in (Mode.TALKING, Mode.HELD):
        raise WrongState(_TAKEN)
    if not talk.call.flow:
        raise WrongState("this call has no flow that could take it further")
    target = talk.moves.desk.find(talk.call, order.target)
    if talk.mode is Mode.TALKING:
        talk.moves.part(talk.first.leg, music=False)
    talk.call.onward = target
    talk.moved("blind", target.shown or f"{target.kind} {target.name}", by=order.by)
    talk.count()
    talk.release(talk.first)
    talk.closed()


def _targeted(talk: Talk, order: Order) -> None:
    """``transfer`` or ``consult``; by a key its target is typed first."""
    if order.by != "key":
        (transfer if order.verb == "transfer" else consult)(talk, order)
    elif talk.mode in (*_ASKED, Mode.QUEUED):
        if order.verb == "consult":
            raise WrongState("somebody is asked already")
        _complete(talk, order)
    elif talk.mode is Mode.RINGING:
        raise WrongState("nobody has answered yet")
    else:
        talk.typing.begin(order.verb)


def _taken_over(talk: Talk, order: Order) -> None:
    leg = talk.calls.legs.get(order.target)
    if leg is None or leg.gone is not None:
        raise WrongState("the supervisor has hung up")
    talk_queue.leave(talk, "back")
    talk.drop_second()
    ring = CallFloor(talk.calls).adopt(talk.call.id, leg.uuid)
    target = Target("agent", order.by)
    try:
        engaged = talk.moves.desk.engage(target, talk.call)
    except InsidelineError:
        engaged = None  # no agent, or one whom no queue rings now anyway
    if engaged is not None:
        engaged.answered()
    leg.kept = True
    leg.watch = talk.on_signal
    talk.second = Party(leg, order.by, "", ring, engaged)
    talk.pass_on(by=order.by, how="taken over")


def _mend(talk: Talk, order: Order) -> None:
    """After a restart: is it as the last engine left it?"""
    caller, first, second = talk.call.leg, talk.first.leg, talk.second
    match talk.mode:
        case Mode.HELD:
            whole = not caller.bridged
        case Mode.QUEUED:
            whole = not caller.bridged and talk.asked is not None
        case Mode.CONSULTING:
            whole = second is not None and first.peer == second.leg.uuid
        case Mode.ASIDE:
            whole = second is not None and caller.peer == first.uuid
        case Mode.THREE:
            whole = second is not None and talk.moves.all_in(talk.room, (caller, first, second.leg))
            if whole:
                assert second is not None
                second.spoke = True
                for leg in (caller, first, second.leg):
                    leg.parked = False  # a member's channel looks like one that is parked for the first time
        case _:
            whole = caller.peer == first.uuid
    talk.call.journal("talk.taken_up", mode=str(talk.mode), whole=whole)
    if whole and talk.mode in (Mode.HELD, Mode.CONSULTING, Mode.QUEUED) and talk.first.agent:
        talk.moves.desk.held(talk.first.agent, True)
    if not whole:
        if caller.peer == first.uuid:
            talk_queue.leave(talk, "back")
            talk.drop_second()
            talk.enter(Mode.TALKING, by="restart")
            first.kept = False
        else:
            talk.reunite(by="restart")


_ORDERS: Final[dict[str, Callable[[Talk, Order], None]]] = {
    "hold": _hold,
    "resume": _resume,
    "consult": _targeted,
    "transfer": _targeted,
    "complete": _complete,
    "conference": _conference,
    "back": _back,
    "mend": _mend,
    "take_over": _taken_over,
}

__all__ = ["consult", "follow_ring", "missed_or_answered", "obey", "transfer"]
