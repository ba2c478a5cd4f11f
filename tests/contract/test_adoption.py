"""When the controller dies: what goes on by itself, and what the next one can find out."""

from __future__ import annotations

import uuid as uuids

from engine.esl import commands as c
from engine.esl.commands import Digits
from tests.contract.rig import Rig

MUSIC = "tone_stream://%(30000,0,440)"


def test_calls_prompts_ringing_and_talks_go_on_without_any_connection(switch: Rig) -> None:
    waiting, uuid = switch.arrive(caller="+8613800000001")
    switch.execute(uuid, "playback", MUSIC)
    switch.heard.wait("PLAYBACK_START", uuid)
    talker, caller = switch.arrive(caller="+8613800000002")
    agent, leg = switch.agent_leg(switch.phone("1001"))
    switch.bridge(caller, leg)
    ringing_phone = switch.phone("1002")
    ringing, _ = switch.originate("1002", il_owner=uuid)
    ring = ringing_phone.wait_ring()

    switch.connection.stop()
    switch.clock.sleep(0.5)
    second, heard = switch.connect()
    for one in (uuid, caller, leg, ringing):
        assert second.api(c.uuid_exists(one)).strip() == "true"
    assert [waiting.gone, talker.gone, agent.gone, ring.gone] == [False, False, False, False]
    assert second.api(c.uuid_getvar(ringing, "il_owner")) == uuid

    # On answer the new leg parks, and says whose it is.
    ring.answer()
    parked = heard.wait("CHANNEL_PARK", ringing)
    assert parked.var("il_owner") == uuid
    switch.connection, switch.heard = second, heard


def test_a_collection_in_progress_can_be_told_from_one_that_is_over(switch: Rig) -> None:
    """play_and_get_digits with the lock, and `set il_done` behind it: both run without an engine."""
    person, uuid = switch.arrive()
    execution = str(uuids.uuid4())
    # Long enough for a telephone whose machine is busy; the `#` ends it at once.
    argument = Digits(minimum=1, maximum=4, first=8.0, between=5.0).argument()
    switch.connection.post(
        c.execute(uuid, "play_and_get_digits", argument, event_uuid=execution, lock=True),
        c.set_(uuid, "il_done", execution),
    )
    switch.clock.sleep(0.2)
    switch.connection.stop()
    second, heard = switch.connect()
    assert second.api(c.uuid_getvar(uuid, "il_done")) == "_undef_"
    person.press("42#")
    over = heard.done(execution)  # with the id that the dead engine gave it
    assert over.var("il_digits") == "42"
    switch.connection, switch.heard = second, heard
    switch.until(lambda: switch.variable(uuid, "il_done") == execution)
    assert switch.dump(uuid)["variable_il_digits"] == "42"


def test_digits_typed_while_nobody_listened_are_in_the_variable(switch: Rig) -> None:
    person, uuid = switch.arrive()
    execution = str(uuids.uuid4())
    argument = Digits(minimum=1, maximum=4, first=8.0, between=5.0).argument()
    switch.connection.post(
        c.execute(uuid, "play_and_get_digits", argument, event_uuid=execution, lock=True),
        c.set_(uuid, "il_done", execution),
    )
    switch.clock.sleep(0.2)
    switch.connection.stop()
    person.press("42#")
    switch.clock.sleep(0.5)
    second, heard = switch.connect()
    switch.connection, switch.heard = second, heard
    assert switch.variable(uuid, "il_done") == execution
    assert switch.variable(uuid, "il_digits") == "42"
    assert switch.variable(uuid, "read_result") == "success"


def test_the_list_of_channels_lags_behind_and_uuid_exists_does_not(switch: Rig) -> None:
    person, uuid = switch.arrive()
    switch.until(lambda: uuid in switch.channels())
    person.hang_up()
    switch.heard.wait("CHANNEL_DESTROY", uuid)
    assert not switch.exists(uuid)
    switch.until(lambda: uuid not in switch.channels(), timeout=2.0)


def test_the_list_names_what_adoption_needs(switch: Rig) -> None:
    _, uuid = switch.arrive("8004", caller="+8613800000000")
    switch.until(lambda: switch.channels().get(uuid, {}).get("state") == "CS_EXECUTE")
    row = switch.channels()[uuid]
    assert row["direction"] == "inbound"
    assert row["cid_num"] == "+8613800000000"
    assert row["dest"] == "8004"
    assert row["context"] == "trunk"
    assert {"uuid", "created_epoch", "name", "application", "application_data", "callstate", "b_uuid"} <= set(
        row
    ) | {"b_uuid"}


def test_bridged_is_what_the_list_of_bridged_calls_says(switch: Rig) -> None:
    _, caller = switch.arrive()
    agent, leg = switch.agent_leg(switch.phone("1001"))
    switch.bridge(caller, leg)
    switch.until(lambda: switch.bridged() == {caller, leg})
    agent.hang_up()
    switch.heard.wait("CHANNEL_PARK", caller, where=lambda e: e.get("Channel-State") == "CS_PARK")
    switch.until(lambda: switch.bridged() == set())
    assert switch.dump(caller)["Channel-State"] == "CS_PARK"
    # What is left of the talk stays in variables, and means nothing.
    assert "variable_bridge_uuid" in switch.dump(caller) or "variable_last_bridge_to" in switch.dump(caller)


def test_an_application_in_progress_is_named_by_the_channel_s_state(switch: Rig) -> None:
    _, uuid = switch.arrive()
    switch.execute(uuid, "playback", MUSIC)
    switch.heard.wait("PLAYBACK_START", uuid)
    dump = switch.dump(uuid)
    assert dump["Channel-State"] == "CS_EXECUTE"
    assert dump["variable_current_application"] == "playback"
    assert dump["variable_current_application_data"] == MUSIC


def test_the_core_has_a_uuid_that_stays(switch: Rig) -> None:
    core = switch.api(c.global_getvar("core_uuid"))
    assert uuids.UUID(core)
    assert switch.connection.core_uuid == core
    second, _ = switch.connect()
    assert second.core_uuid == core
