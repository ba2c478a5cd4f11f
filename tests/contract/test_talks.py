"""What the talks of the engine rest on: parting two, keys on a leg that is parked or in a conference, whispering."""

from __future__ import annotations

import uuid as uuids

import pytest

from engine.calls.keys import APPLICATION, KeyPlan, bind
from engine.esl import commands as c
from tests.contract.rig import Rig


def _bind(switch: Rig, leg: str) -> None:
    switch.connection.post(c.bind_digit_action(leg, "*1", "il::key", {"il_key": "hold"}))
    switch.heard.wait(
        "CHANNEL_EXECUTE_COMPLETE", leg, where=lambda e: e.get("Application") == "bind_digit_action"
    )


def test_a_transfer_of_one_to_the_park_parks_the_other_too(switch: Rig) -> None:
    person, caller = switch.arrive()
    agent, leg = switch.agent_leg(switch.phone("1001"))
    switch.bridge(caller, leg)
    switch.until(lambda: switch.bridged() == {caller, leg})
    since = switch.heard.mark
    switch.api(c.uuid_transfer_to_park(caller))
    switch.heard.wait("CHANNEL_PARK", caller, since=since)
    switch.heard.wait("CHANNEL_PARK", leg, since=since)
    assert [person.gone, agent.gone] == [False, False]
    # And together again, which ends what the caller heard meanwhile.
    music = switch.execute(caller, "endless_playback", "tone_stream://%(30000,0,440)")
    switch.heard.wait("PLAYBACK_START", caller, since=since)
    switch.bridge(caller, leg)
    switch.heard.done(music)
    switch.until(lambda: switch.bridged() == {caller, leg})


def test_bound_keys_are_heard_of_when_the_leg_is_parked_and_in_a_conference(switch: Rig) -> None:
    _, caller = switch.arrive()
    agent, leg = switch.agent_leg(switch.phone("1001"))
    _bind(switch, leg)
    since = switch.heard.mark
    agent.press("*1")
    switch.heard.wait("il::key", leg, since=since)
    switch.bridge(caller, leg)
    room = f"il-{uuids.uuid4().hex[:8]}"
    for one in (caller, leg):
        switch.api(c.uuid_transfer_to_conference(one, room))
    switch.until(lambda: leg in switch.connection.request(c.conference(room, "list")).text)
    since = switch.heard.mark
    agent.press("*1")
    assert switch.heard.wait("il::key", leg, since=since).get("il_key") == "hold"


@pytest.mark.parametrize("before", ["parked", "in a talk", "in a conference"])
def test_keys_sent_with_the_bridge_are_bound_when_it_begins(switch: Rig, before: str) -> None:
    """In one go, without a wait: the second leg of uuid_bridge does what waits for it before the two talk."""
    person, caller = switch.arrive()
    other, third = switch.agent_leg(switch.phone("1002"))
    agent, leg = switch.agent_leg(switch.phone("1001"))
    if before == "in a talk":
        switch.bridge(third, leg)
        switch.until(lambda: switch.bridged() == {third, leg})
    elif before == "in a conference":
        room = f"il-{uuids.uuid4().hex[:8]}"
        for one in (caller, third, leg):
            switch.api(c.uuid_transfer_to_conference(one, room))
        switch.until(lambda: leg in switch.connection.request(c.conference(room, "list")).text)
    since = switch.heard.mark
    switch.connection.post(*bind(leg, KeyPlan()))
    switch.bridge(caller, leg)
    agent.press("*1")
    assert switch.heard.wait("il::key", leg, since=since).get("il_key") == "hold"
    told = [
        "bound" if event.get("Application") == APPLICATION else event.name
        for event in switch.heard.events[since:]
        if leg in (event.uuid, event.get("Bridge-B-Unique-ID"))
        and (
            (event.get("Application"), event.name) == (APPLICATION, "CHANNEL_EXECUTE_COMPLETE")
            or event.name == "CHANNEL_BRIDGE"
        )
    ]
    assert told == ["bound", "CHANNEL_BRIDGE"]
    assert (person.keys_heard, other.gone) == ("", False)


def test_what_is_sent_into_a_bridge_that_has_just_begun_waits(switch: Rig) -> None:
    """For ten frames, and then one command is done in a frame: keys that are bound now are late."""
    _, caller = switch.arrive()
    _, leg = switch.agent_leg(switch.phone("1001"))
    switch.bridge(caller, leg)
    began = switch.clock.monotonic()
    sent = [switch.execute(leg, "unset", "il_probe") for _ in range(4)]
    done = []
    for one in sent:
        switch.heard.done(one)
        done.append(switch.clock.monotonic() - began)
    assert done[0] > 0.15
    assert done[3] - done[0] > 0.03


def test_each_key_is_told_at_once_after_the_keys_of_a_realm_of_its_own(switch: Rig) -> None:
    """What an agent types for a target, as fast as a machine does, while the two are parted."""
    person, caller = switch.arrive()
    agent, leg = switch.agent_leg(switch.phone("1001"))
    switch.connection.post(
        c.bind_digit_action(leg, c.ANY_KEY, "il::key", {"il_key": "typed"}, realm="consult"),
        c.bind_digit_action(leg, "*1", "il::key", {"il_key": "hold"}),
        c.bind_digit_realm(leg, "*5", "consult"),
    )
    switch.heard.wait(
        "CHANNEL_EXECUTE_COMPLETE", leg, where=lambda e: "*5" in (e.get("Application-Data") or "")
    )
    switch.bridge(caller, leg)
    switch.until(lambda: switch.bridged() == {caller, leg})

    def typed() -> str:
        return "".join(
            e.var("last_matching_digits") or ""
            for e in switch.heard.find(
                "il::key", leg, since=since, where=lambda e: e.get("il_key") == "typed"
            )
        )

    for _ in range(2):
        since = switch.heard.mark
        agent.press("*58013#")
        word = switch.heard.wait(
            "CHANNEL_EXECUTE_COMPLETE",
            leg,
            since=since,
            where=lambda e: e.get("Application") == "digit_action_set_realm",
        )
        assert word.get("Application-Data") == "consult"
        switch.api(c.uuid_transfer_to_park(caller))
        switch.until(lambda: typed() == "8013#")
        switch.heard.wait("CHANNEL_PARK", leg, since=since)
        # Back: the ordinary keys count again, and what is none of them comes to the other one.
        switch.connection.post(c.digit_action_set_realm(leg, "talk"))
        switch.heard.wait(
            "CHANNEL_EXECUTE_COMPLETE",
            leg,
            since=since,
            where=lambda e: e.get("Application-Data") == "talk",
        )
        switch.bridge(caller, leg)
        switch.until(lambda: switch.bridged() == {caller, leg})
        since = switch.heard.mark
        agent.press("*1")
        assert switch.heard.wait("il::key", leg, since=since).get("il_key") == "hold"
    assert person.keys_heard == ""
    agent.press("7")
    switch.until(lambda: person.keys_heard == "7")


def test_three_bridges_and_the_second_hung_up_afterwards_leave_two_who_talk(switch: Rig) -> None:
    person, caller = switch.arrive()
    one, leg_one = switch.agent_leg(switch.phone("1001"))
    two, leg_two = switch.agent_leg(switch.phone("1002"))
    switch.bridge(caller, leg_one)
    since = switch.heard.mark
    switch.bridge(leg_one, leg_two)
    switch.heard.wait("CHANNEL_PARK", caller, since=since)
    since = switch.heard.mark
    switch.bridge(caller, leg_one)
    switch.heard.wait("CHANNEL_PARK", leg_two, since=since)
    switch.api(c.uuid_kill(leg_two))
    switch.until(lambda: two.gone)
    switch.until(lambda: switch.bridged() == {caller, leg_one})
    assert [person.gone, one.gone] == [False, False]


def test_an_ear_goes_with_the_leg_it_listens_to_and_can_be_parked(switch: Rig) -> None:
    _, caller = switch.arrive()
    agent, leg = switch.agent_leg(switch.phone("1001"))
    switch.bridge(caller, leg)
    switch.until(lambda: switch.bridged() == {caller, leg})
    desk, ear = switch.phone("1002"), str(uuids.uuid4())
    dial = c.Originate(
        uuid=ear,
        dial=c.PhoneDial("1002"),
        timeout=10,
        app="eavesdrop",
        arg=leg,
        variables={"park_after_bridge": "true", "hangup_after_bridge": "false"},
    )
    job = switch.connection.bgapi(c.originate(dial))
    supervisor = desk.wait_ring()
    supervisor.answer()
    job.wait(5.0)
    switch.api(c.uuid_recv_dtmf(ear, "2"))
    # Over a hold it stays, parked it can be bridged with the caller: who took over talks.
    switch.api(c.uuid_transfer_to_park(caller))
    switch.until(lambda: switch.bridged() == set())
    switch.bridge(caller, leg)
    assert not supervisor.gone
    since = switch.heard.mark
    switch.api(c.uuid_transfer_to_park(ear))
    switch.heard.wait("CHANNEL_PARK", ear, since=since)
    switch.bridge(caller, ear)
    switch.heard.wait("CHANNEL_PARK", leg, since=since)
    switch.until(lambda: switch.bridged() == {caller, ear})
    assert [supervisor.gone, agent.gone] == [False, False]
