"""An agent who waits in a queue to ask somebody, with its caller on hold.

The place is the call's own (under its id), so that the agent who is offered it sees the caller's data, and explain
tells of it; who is brought by it is bridged with the first instead of with the caller. While it waits the first hears
the queue's music, and its position now and then. It may go back to the caller, which gives the place up; or hand the
caller over, which then waits in the very same place itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.calls.talk_words import UNASKED, Party
from engine.calls.talking import Mode, Ring, Target
from engine.errors import WrongState

if TYPE_CHECKING:
    from engine.calls.talk import Talk

EVERY: Final = 40.0  # seconds between two announcements of the position


def enter(talk: Talk, target: Target, by: str) -> None:
    """The first waits in the queue ``target``. Raises QueueRefused; then nothing has changed."""
    held = talk.mode is Mode.HELD
    talk.entering = True
    try:
        talk.asked = talk.moves.desk.ask(talk.call, target.name, talk.first.agent, talk)
    finally:
        talk.entering = False
    if not held:
        talk.moves.part(talk.first.leg)
    talk.moves.music(talk.first.leg, target.name)
    talk.enter(Mode.QUEUED, by=by, to=target.shown)
    _say_position(talk)


def due(talk: Talk) -> float | None:
    """Monotonic: when the position is told next."""
    return talk.announce_at if talk.mode is Mode.QUEUED and talk.asked is not None else None


def announce(talk: Talk) -> None:
    """Tell the position, when it is time for that."""
    moment = due(talk)
    if moment is not None and talk.clock.monotonic() >= moment:
        _say_position(talk)


def _say_position(talk: Talk) -> None:
    talk.announce_at = talk.clock.monotonic() + EVERY
    position = talk.asked.position() if talk.asked is not None else 0
    if position > 0:
        talk.say("talk_position", position=position)


def leave(talk: Talk, reason: str) -> None:
    """Give the place up, if there is one."""
    asked, talk.asked = talk.asked, None
    if asked is not None:
        asked.leave(reason)


def joined(talk: Talk, ring: Ring) -> bool | None:
    """An agent of the queue has answered: the two are brought together. See :meth:`Asker.join`."""
    if talk.asked is None or talk.mode is not Mode.QUEUED:
        return None
    leg = talk.calls.legs.get(ring.leg)
    if leg is None or leg.gone is not None:
        return False
    asked = talk.asked
    leg.kept, leg.watch = True, talk.on_signal
    talk.second = Party(leg, leg.agent, "", ring, asked=asked, since=talk.clock.monotonic())
    if not talk.to_second():
        talk.second = None
        leg.kept, leg.watch = False, None
        if talk.first.leg.gone is None and talk.call.leg.gone is None:
            talk.moves.music(talk.first.leg, asked.queue)
            return False
        return None
    talk.asked = None
    ring.talks()
    talk.enter(Mode.CONSULTING, by="answered", to=leg.agent, queue=asked.queue)
    return True


def join_late(talk: Talk, ring: Ring) -> bool | None:
    """The same when the talk is over: where the caller has taken the place over, it is the one to talk to."""
    onward = talk.call.onward
    handed = talk.handed or (onward is not None and onward.asked is not None)
    return ring.connect() if handed else None


def sent_out(talk: Talk, reason: str) -> None:
    """The queue can't bring anybody: the first talks to the caller again."""
    if talk.asked is None or talk.mode is not Mode.QUEUED:
        return
    talk.call.journal("talk.missed", to=f"queue {talk.asked.queue}", why=reason)
    talk.asked = None
    talk.reunite(by="missed")
    talk.say(UNASKED.get(reason, "talk_not_there"))


def hand_over(talk: Talk, by: str) -> None:
    """The caller goes on waiting in the place in which the first waited; the first is free."""
    asked = talk.asked
    assert asked is not None
    if not talk.call.flow:
        raise WrongState("this call has no flow that could take it further")
    talk.asked, talk.handed = None, True
    talk.call.onward = Target("queue", asked.queue, shown=f"queue {asked.queue}", asked=asked)
    talk.moved("blind", f"queue {asked.queue}", by=by)
    talk.count()
    talk.release(talk.first)
    talk.closed()


__all__ = ["announce", "due", "enter", "hand_over", "join_late", "joined", "leave", "sent_out"]
