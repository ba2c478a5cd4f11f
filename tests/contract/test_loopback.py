"""A leg that walks into our own dialplan (mod_loopback): by it an agent hears a flow, its caller on hold."""

from __future__ import annotations

import uuid as uuids

from engine.esl import commands as c
from tests.contract.rig import Rig


def test_a_loopback_is_answered_with_its_other_end_carries_keys_and_ends_with_it(switch: Rig) -> None:
    agent, leg = switch.agent_leg(switch.phone("1001"))
    near = str(uuids.uuid4())
    since = switch.heard.mark
    dial = c.Originate(
        uuid=near,
        dial=c.LoopbackDial("8000", context="internal"),
        timeout=10,
        caller_id_number="13800138000",
        variables={
            "il_asks": "shop/track~0a1b",
            "loopback_export": "il_asks",
            "loopback_bowout": "false",
            "park_after_bridge": "true",
            "hangup_after_bridge": "false",
        },
    )
    job = switch.connection.bgapi(c.originate(dial))
    parked = switch.heard.wait(
        "CHANNEL_PARK", None, since=since, where=lambda e: e.var("il_asks") == "shop/track~0a1b"
    )
    far = parked.uuid
    assert far != near
    assert parked.var("il_call") == "true"
    assert parked.get("Caller-Caller-ID-Number") == "13800138000"
    switch.connection.post(c.answer(far))
    assert "+OK" in str(job.wait(5.0))
    switch.heard.wait("CHANNEL_PARK", near, since=since)
    switch.bridge(leg, near)
    switch.until(lambda: switch.bridged() == {leg, near})
    collected = switch.execute(
        far,
        "play_and_get_digits",
        "1 4 1 8000 # silence_stream://100 silence_stream://10 il_digits \\d+ 3000",
    )
    agent.press("4711")
    done = switch.heard.done(collected)
    assert done.var("il_digits") == "4711"
    since = switch.heard.mark
    switch.api(c.uuid_kill(far))
    switch.heard.wait("CHANNEL_HANGUP", near, since=since)
    switch.heard.wait("CHANNEL_PARK", leg, since=since)
    assert not agent.gone
