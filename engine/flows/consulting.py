"""An agent waits in a queue to ask somebody about its caller: the place, and what its news mean to the talk.

The place stands under the caller's own id, with its wait so far, its tier and its data, and ahead of those who have no
caller on hold (``consultations`` of the queue). See :mod:`engine.calls.talk_queue` for what the agent does meanwhile.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from engine.acd.places import Left, Moved, Over, Place, Request
from engine.calls.call import Call
from engine.calls.talking import Asker
from engine.errors import NoSuchCall, NotFound, QueueRefused
from engine.flows.ranking import ranked_agents

if TYPE_CHECKING:
    from engine.clock import Mailbox
    from engine.flows.services import Services

log = structlog.get_logger(__name__)

_WHY = {"closed": "is closed", "full": "is full", "no_agents": "has nobody who could help"}


class Consultation:
    """One such place (an :class:`engine.calls.talking.Consultation`)."""

    def __init__(self, services: Services, asker: Asker, place: Place, began: float) -> None:
        self._services = services
        self._asker = asker
        self._place = place
        self.queue = place.request.queue
        self.began = began
        self._greenlet: Any = services.clock.spawn(self._follow)

    def position(self) -> int:
        return self._place.position()

    def leave(self, reason: str) -> bool:
        left = self._place.leave(reason)
        if left:
            self._greenlet.kill(block=False)
        return left

    def hand_over(self, request: Request, news: Mailbox[Any]) -> Place:
        """The caller itself waits in it from now on; ``request`` is what its flow wants to be told."""
        self._greenlet.kill(block=False)
        self._services.acd.hand(self._place, news, tell=request.tell)
        return self._place

    def _follow(self) -> None:
        while True:
            match self._place.news.get():
                case Left(reason):
                    self._asker.unasked(str(reason))
                    return
                case Over(_, by):
                    self._asker.asked_over(by)
                    return
                case Moved(queue):
                    self.queue = queue
                    self._asker.asks_in(queue)


def consult_queue(
    services: Services,
    call: Call,
    queue: str,
    by: str,
    asker: Asker,
    *,
    began: float | None = None,
    leg: str = "",
) -> Consultation:
    """See :meth:`engine.calls.talking.Desk.ask`."""
    acd, now = services.acd, services.clock.now().timestamp()
    if acd.config.queues.get(queue) is None:
        raise NotFound(f"there is no queue {queue}")
    request = _request(services, call, queue, by, asker)
    if began is None:
        began = now
        if why := acd.refuses(request):
            call.journal("talk.queue_refused", to=f"queue {queue}", why=why)
            raise QueueRefused(why, f"queue {queue} {_WHY.get(why, why)}")
    else:
        here = max(0.0, now - began)
        request = replace(request, resumed=True, here=here, since=request.since + here)
    return Consultation(services, asker, _stand(services, call, request, leg), began)


def _stand(services: Services, call: Call, request: Request, leg: str) -> Place:
    """A new place, or one that an earlier engine left: in a talk, at phones that ring for it, in the line."""
    acd, calls = services.acd, services.calls
    if leg:
        try:
            return acd.resume_talk(request, calls.legs[leg].agent, leg)
        except (NotFound, NoSuchCall, KeyError) as error:
            raise NotFound(f"nobody knows who was asked: {error}") from None
    place: Place | None = None
    if request.resumed and call.talk is not None:
        for other in list(calls.legs.values()):
            if other.owner == call.id and other.agent and other is not call.talk.first.leg:
                try:
                    place = acd.resume_offer(request, other.agent, other.uuid)
                except (NotFound, NoSuchCall) as error:
                    log.warning("talk.leg_not_resumed", call=call.id, leg=other.uuid, error=str(error))
    return place or acd.enter(request)


def _join(asker: Asker, ring: Any) -> bool | None:
    return asker.join(ring)


def _request(services: Services, call: Call, queue: str, by: str, asker: Asker) -> Request:
    config = services.acd.config.queues[queue]
    view = replace(call.view(), queue=queue)
    more = 0
    ranked: tuple[str, ...] = ()
    if (answers := services.answers) is not None:
        more = answers.first("queue_priority", int, call=view, queue=queue) or 0
        ranked = ranked_agents(services, queue, {}, view)
    known = call.party if call.party is not None and not call.hidden else None
    return Request(
        call_id=call.id,
        number=call.number,
        queue=queue,
        priority=config.consultations + more,
        since=call.waited,
        ranked=ranked,
        tell={**call.popped, **call.told},
        language=call.language,
        longest=config.longest + call.waited,
        tier=known.tier if known is not None else "",
        site=known.site if known is not None else "",
        away=call.away,
        asks=by,
        join=partial(_join, asker),
    )


__all__ = ["Consultation", "consult_queue"]
