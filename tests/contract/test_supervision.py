"""Three in one talk, and a supervisor's ear."""

from __future__ import annotations

import uuid as uuids

from engine.esl import commands as c
from tests.contract.rig import Rig


def test_a_talk_becomes_a_conference_and_two_again_by_a_bridge(switch: Rig) -> None:
    person, caller = switch.arrive()
    agent, leg = switch.agent_leg(switch.phone("1001"))
    switch.bridge(caller, leg)
    switch.until(lambda: switch.bridged() == {caller, leg})
    room = f"il-{uuids.uuid4().hex[:8]}"
    for one in (caller, leg):
        switch.api(c.uuid_transfer_to_conference(one, room))
    switch.until(lambda: {caller, leg} <= _members(switch, room))
    assert [person.gone, agent.gone] == [False, False]
    since = switch.heard.mark
    switch.api(c.uuid_bridge(caller, leg))
    switch.heard.wait("CHANNEL_BRIDGE", since=since)
    switch.until(lambda: switch.bridged() == {caller, leg})
    assert [person.gone, agent.gone] == [False, False]


def test_a_supervisor_listens_to_an_agent_s_leg_and_the_talk_goes_on(switch: Rig) -> None:
    _, caller = switch.arrive()
    _, leg = switch.agent_leg(switch.phone("1001"))
    switch.bridge(caller, leg)
    switch.until(lambda: switch.bridged() == {caller, leg})
    desk = switch.phone("1002")
    ear = str(uuids.uuid4())
    dial = c.Originate(uuid=ear, dial=c.PhoneDial("1002"), timeout=10, app="eavesdrop", arg=leg)
    job = switch.connection.bgapi(c.originate(dial))
    supervisor = desk.wait_ring()
    supervisor.answer()
    job.wait(5.0)
    switch.clock.sleep(0.3)
    assert not supervisor.gone
    assert switch.bridged() == {caller, leg}
    supervisor.hang_up()
    switch.heard.wait("CHANNEL_HANGUP_COMPLETE", ear)
    assert switch.bridged() == {caller, leg}


def _members(switch: Rig, room: str) -> set[str]:
    reply = switch.connection.request(c.conference(room, "list"))
    return {line.split(";")[2] for line in reply.text.splitlines() if line.count(";") > 3}
