"""The dialplan of the shipped configuration, as far as calls notice it (see ``freeswitch/``).

Every call from outside (context ``trunk``) and from an agent's phone (``internal``) is marked, gets
its fallback armed, and is parked unanswered. The ``fallback`` context answers, apologises and hangs up.
``inline`` plans come from a transfer's own argument: ``park inline``, ``'app:arg,app:arg' inline``.
"""

from __future__ import annotations

import re

from engine.switch.simulator.digits import split_commas

FALLBACK_AFTER = 8  # seconds that a parked call waits for an engine
DEAD_LINE = 300_000  # milliseconds without a packet after which a call is given up
MARK = (
    "playback_terminators=none digits_dialed_filter=.+ hangup_after_bridge=false park_after_bridge=true "
    "uuid_bridge_park_on_cancel=true"
)
APOLOGY = "tone_stream://%(400,200,425);loops=5"

Plan = list[tuple[str, str]]

_SORRY: Plan = [
    ("answer", ""),
    ("sleep", "500"),
    ("playback", APOLOGY),
    ("hangup", "NORMAL_TEMPORARY_FAILURE"),
]
_FALLBACK: Plan = [
    ("set", "il_fallback=true"),
    ("set", "hangup_after_bridge=true"),
    ("set", "park_after_bridge=false"),
    *_SORRY,
]
_NUMBER = re.compile(r"[0-9A-Za-z+*#._-]{1,40}\Z")


def lookup(context: str, number: str, gateway: str = "", led: bool = False) -> Plan | None:
    """What a call to ``number`` runs in ``context``; None: no route. ``led``: an engine leads the switch."""
    if context == "fallback":
        return _FALLBACK
    if context not in ("trunk", "internal"):
        return None
    if not _NUMBER.match(number):
        return [("hangup", "UNALLOCATED_NUMBER")]
    gate = f" il_gateway={gateway}" if context == "trunk" else ""
    mark = f"il_origin={context}{gate} il_call=true il_dnis={number} {MARK} media_timeout={DEAD_LINE}"
    return [
        ("multiset", mark),
        *([] if led else [("sched_transfer", f"+{FALLBACK_AFTER} fallback XML fallback")]),
        ("park", ""),
        *_SORRY,
    ]


def inline(text: str) -> Plan:
    """``app:arg,app:arg``; with ``m:^:`` in front another delimiter than the comma."""
    if text.startswith("m:") and len(text) > 4 and text[3] == ":":
        parts = text[4:].split(text[2])
    else:
        parts = split_commas(text)
    plan: Plan = []
    for part in parts:
        app, _, arg = part.partition(":")
        if app:
            plan.append((app, arg))
    return plan
