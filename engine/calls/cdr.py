"""One row for each call that was: what the CDR says of it."""

from __future__ import annotations

from typing import Any

from engine.calls.call import Call
from engine.clock import Clock


def cdr_row(call: Call, clock: Clock) -> dict[str, Any]:
    """The CDR of an ended call, as a row of the store's table ``cdr``.

    Times are aware UTC, ``waited`` and ``talked`` seconds. ``outcome`` is one of: ``talked`` (with an agent),
    ``abandoned`` (hung up in a queue), ``served`` (by the flow alone), ``failed`` (the flow could not go on),
    ``handed_over`` (to the switch's fallback), ``unanswered`` (gone before anything answered). A call that ended
    while no engine was there gets ``lost`` (see ``engine.app.lost_calls``).
    """
    if call.handed_over:
        outcome = "handed_over"
    elif call.fault:
        outcome = "failed"
    elif call.talked > 0:
        outcome = "talked"
    elif call.abandoned:
        outcome = "abandoned"
    else:
        outcome = "served" if call.answered else "unanswered"
    ended = clock.now()
    return {
        "call": call.id,
        "origin": call.origin,
        "number": call.number,
        "dialled": call.dialled,
        "department": (call.first_flow or call.flow).partition("/")[0],
        "flow": call.first_flow or call.flow,
        "last_flow": call.flow,
        "last_step": call.step,
        "revision": call.revision,
        "flow_hash": call.flow_hash,
        "language": call.language,
        "arrived": call.arrived,
        "answered": call.answered,
        "ended": ended,
        "seconds": round((ended - call.answered).total_seconds(), 3) if call.answered else 0.0,
        "outcome": outcome,
        "cause": call.cause,
        "ordinary": call.ended_by != "switch",
        "queue": call.queue,
        "agent": call.agent or call.talker,
        "recording": call.recording,
        "waited": round(call.waited, 3),
        "talked": round(call.talked, 3),
        "adopted": call.adopted,
        "data": {
            "direction": "asked" if call.asks else "out" if call.callback else "in",
            **({"callback": call.callback} if call.callback else {}),
            **call.promise,
            "ended_by": call.ended_by,
            "fault": call.fault,
            **({"transferred": call.transferred} if call.transferred else {}),
            **(
                {"agents": {who: round(spent, 1) for who, spent in call.agents.items()}}
                if call.agents
                else {}
            ),
            **({"moves": call.moves} if call.moves else {}),
            **({"asked": call.asked} if call.asked else {}),
        },
    }
