"""What the switch does by itself, later: fallbacks, guards, leases."""

from __future__ import annotations

import uuid as uuids

from engine.esl import commands as c
from tests.contract.rig import Rig


def test_a_call_that_no_engine_takes_goes_to_the_fallback(switch: Rig) -> None:
    person = switch.dial()
    uuid = switch.heard.wait("CHANNEL_PARK").uuid
    switch.api(c.sched_del(uuid))
    switch.api(c.sched_transfer(1, uuid, "fallback", "XML", "fallback"))
    switch.heard.wait("CHANNEL_ANSWER", uuid, timeout=4.0)
    assert switch.variable(uuid, "il_fallback") == "true"
    assert switch.dump(uuid)["Caller-Context"] == "fallback"
    assert not person.gone


def test_the_armed_fallback_is_cancelled_by_the_uuid(switch: Rig) -> None:
    switch.dial()
    uuid = switch.heard.wait("CHANNEL_PARK").uuid
    assert switch.api(c.sched_del(uuid)).startswith("+OK")
    switch.api(c.sched_transfer(1, uuid, "fallback", "XML", "fallback"))
    assert switch.api(c.sched_del(uuid)).startswith("+OK")
    switch.clock.sleep(1.6)
    assert switch.variable(uuid, "il_fallback") is None


def test_deleting_what_is_not_scheduled_is_no_error_to_worry_about(switch: Rig) -> None:
    reply = switch.connection.request(c.sched_del(str(uuids.uuid4())))
    assert "Deleted: 0" in reply.text or reply.text.startswith("-ERR")


def test_a_scheduled_command_answers_its_task_and_runs(switch: Rig) -> None:
    key = f"k{uuids.uuid4().hex[:8]}"
    answer = switch.api(c.sched_api(1, "il_test", c.hash_insert("il", key, "1")))
    assert answer.startswith("+OK Added: ")
    assert int(answer.removeprefix("+OK Added: "))
    assert switch.api(c.hash_select("il", key)) == ""
    switch.until(lambda: switch.api(c.hash_select("il", key)) == "1", timeout=4.0)


def test_a_scheduled_command_can_repeat_until_its_group_is_deleted(switch: Rig) -> None:
    key = f"k{uuids.uuid4().hex[:8]}"
    group = f"g{key}"
    switch.api(c.sched_api(1, group, c.hash_insert("il", key, "1"), repeat=True))
    switch.until(lambda: switch.api(c.hash_select("il", key)) == "1", timeout=4.0)
    switch.api(c.hash_delete("il", key))
    switch.until(lambda: switch.api(c.hash_select("il", key)) == "1", timeout=4.0)
    switch.api(c.sched_del(group))
    switch.api(c.hash_delete("il", key))
    switch.clock.sleep(1.2)
    assert switch.api(c.hash_select("il", key)) == ""


def test_one_of_several_racers_gets_the_lease(switch: Rig) -> None:
    key = f"lease{uuids.uuid4().hex[:8]}"
    others = [switch.connect()[0] for _ in range(3)]
    won = [
        other.request(c.hash_insert_ifempty("il", key, f"engine{n}")).ok
        for n, other in enumerate([switch.connection, *others])
    ]
    assert won.count(True) == 1
    assert switch.api(c.hash_select("il", key)) == f"engine{won.index(True)}"


def test_a_lease_is_deleted_only_by_who_still_holds_it(switch: Rig) -> None:
    key = f"lease{uuids.uuid4().hex[:8]}"
    switch.api(c.hash_insert("il", key, "mine"))
    assert "-ERR" in switch.refused(c.hash_delete_ifmatch("il", key, "theirs"))
    assert switch.api(c.hash_select("il", key)) == "mine"
    assert switch.api(c.hash_delete_ifmatch("il", key, "mine")).startswith("+OK")
    assert switch.api(c.hash_select("il", key)) == ""
    assert "-ERR" in switch.refused(c.hash_delete("il", key))


def test_inserting_again_replaces(switch: Rig) -> None:
    key = f"alive{uuids.uuid4().hex[:8]}"
    assert switch.api(c.hash_insert("il", key, "1")).startswith("+OK")
    switch.api(c.hash_insert("il", key, "2"))
    assert switch.api(c.hash_select("il", key)) == "2"


def test_a_channel_can_be_hung_up_later(switch: Rig) -> None:
    _, uuid = switch.arrive()
    switch.api(c.sched_hangup(1, uuid, "ALLOTTED_TIMEOUT"))
    gone = switch.heard.wait("CHANNEL_HANGUP_COMPLETE", uuid)
    assert gone.get("Hangup-Cause") == "ALLOTTED_TIMEOUT"
