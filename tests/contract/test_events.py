"""The stream of events."""

from __future__ import annotations

from engine.calls.registry import UNTOLD
from engine.esl import commands as c
from tests.contract.rig import Rig


def test_a_caller_s_name_can_t_become_a_header(switch: Rig) -> None:
    _, uuid = switch.arrive(name="x%0AUnique-ID%3A victim")
    parked = switch.heard.wait("CHANNEL_PARK", uuid)
    assert parked.uuid == uuid
    assert "victim" in (parked.get("Caller-Caller-ID-Name") or "")
    assert switch.dump(uuid)["Unique-ID"] == uuid


def test_a_caller_s_name_is_text_and_its_expressions_are_defused(switch: Rig) -> None:
    _, uuid = switch.arrive(name="${create_uuid()} 它 {a=b}")
    parked = switch.heard.wait("CHANNEL_PARK", uuid)
    assert parked.get("Caller-Caller-ID-Name") == "%{create_uuid()} 它 {a=b}"


def test_the_events_of_a_call_come_in_order(switch: Rig) -> None:
    person, uuid = switch.arrive()
    for n in range(20):
        switch.connection.post(c.set_(uuid, "il_n", str(n)))
    switch.run(uuid, "set", "il_last=1")
    person.hang_up()
    switch.heard.wait("CHANNEL_DESTROY", uuid)
    numbers = [int(e.get("Event-Sequence") or 0) for e in switch.heard.events if e.uuid == uuid]
    assert numbers == sorted(numbers)
    values = [e.var("il_n") for e in switch.heard.find("CHANNEL_EXECUTE_COMPLETE", uuid) if e.var("il_n")]
    assert values == sorted(values, key=lambda v: int(v or 0))


def test_only_what_was_asked_for_comes(switch: Rig) -> None:
    _, heard = switch.connect()
    switch.arrive()
    assert {e.name for e in heard.events} <= {
        "CHANNEL_CREATE", "CHANNEL_PARK", "CHANNEL_ANSWER", "CHANNEL_EXECUTE", "CHANNEL_EXECUTE_COMPLETE",
        "CHANNEL_PROGRESS", "HEARTBEAT", "BACKGROUND_JOB",
    }  # fmt: skip


def test_the_ends_that_nobody_waits_for_are_kept_back(switch: Rig) -> None:
    _, heard = switch.connect(without=UNTOLD)
    _, uuid = switch.arrive()
    quiet = c.execute(uuid, "playback", "silence_stream://40", event_uuid=c.UNHEARD, lock=True)
    switch.connection.post(quiet, c.set_(uuid, "il_x", "1"))
    switch.run(uuid, "playback", "silence_stream://20")
    switch.until(lambda: heard.find("CHANNEL_EXECUTE_COMPLETE", uuid))
    assert len(switch.heard.find("CHANNEL_EXECUTE_COMPLETE", uuid)) > 2
    (told,) = heard.find("CHANNEL_EXECUTE_COMPLETE", uuid)
    assert (told.get("Application"), told.var("il_x")) == ("playback", "1")


def test_a_background_job_comes_back_under_our_own_id(switch: Rig) -> None:
    job = switch.connection.bgapi(c.status())
    assert "is ready" in job.wait(5.0)


def test_a_background_job_that_fails_says_so(switch: Rig) -> None:
    done: list[str] = []
    job = switch.connection.bgapi(c.raw_api("no_such_command"), on_done=done.append)
    switch.until(lambda: job.text is not None)
    assert done[0].startswith("-ERR")


def test_an_unknown_command_is_refused(switch: Rig) -> None:
    assert "-ERR" in switch.refused(c.raw_api("no_such_command x"))


def test_the_probe_shows_that_commands_in_text_are_not_run(switch: Rig) -> None:
    assert not c.expands(switch.api(c.expand_probe()))


def test_every_event_names_its_core_and_its_time(switch: Rig) -> None:
    _, uuid = switch.arrive()
    parked = switch.heard.wait("CHANNEL_PARK", uuid)
    assert parked.get("Core-UUID") == switch.connection.core_uuid
    assert int(parked.get("Event-Date-Timestamp") or 0) > 10**15
    assert int(parked.get("Caller-Channel-Created-Time") or 0) > 10**15
