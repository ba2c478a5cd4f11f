"""One call from its arrival to its end, and the protocol around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.clock import VirtualClock
from engine.switch.simulator import Simulator


def test_an_arriving_call_is_marked_and_parked_unanswered(sim: Simulator, client: Any) -> None:
    caller = sim.call("8004", caller="+8613800000001", name="Zhang San")
    park = client.event("CHANNEL_PARK", caller.uuid)
    assert park["variable_il_call"] == "true"
    assert park["variable_playback_terminators"] == "none"
    assert park["Caller-Destination-Number"] == "8004"
    assert park["Caller-Caller-ID-Name"] == "Zhang San"
    assert (park["Channel-State"], park["Answer-State"]) == ("CS_EXECUTE", "ringing")


def test_a_call_is_answered_hears_a_prompt_presses_keys_and_is_hung_up(
    sim: Simulator, client: Any, sound: Callable[..., str], clock: VirtualClock
) -> None:
    prompt = sound("menu", 3)
    caller = sim.call("8004")
    uuid = caller.uuid
    client.event("CHANNEL_PARK", uuid)
    client.execute(uuid, "answer")
    client.execute(
        uuid,
        "play_and_get_digits",
        f"1 4 1 3000 # {prompt} silence_stream://10 il_digits \\d+ 1000",
        event_uuid="E1",
        lock=True,
    )
    client.execute(uuid, "set", "il_done=E1")
    assert caller.next_playback(1).path == prompt
    assert caller.hearing == prompt
    clock.sleep(1)
    caller.press("12#")
    done = client.complete("E1")
    assert done["variable_il_digits"] == "12"
    assert done["variable_read_result"] == "success"
    assert done["variable_read_terminator_used"] == "#"
    client.wait(lambda e: e["Event-Name"] == "CHANNEL_EXECUTE_COMPLETE" and e.get("variable_il_done") == "E1")
    client.execute(uuid, "hangup", "NORMAL_CLEARING")
    end = client.event("CHANNEL_HANGUP_COMPLETE", uuid)
    assert end["variable_digits_dialed"] == "XXX"  # the dialplan sets digits_dialed_filter
    assert end["Hangup-Cause"] == "NORMAL_CLEARING"
    assert caller.wait_ended(1) == "NORMAL_CLEARING"
    names = client.names(uuid)
    assert names[-5:] == [
        "CHANNEL_EXECUTE_COMPLETE(hangup)",
        "CHANNEL_UNPARK",
        "CHANNEL_EXECUTE_COMPLETE(park)",
        "CHANNEL_HANGUP_COMPLETE",
        "CHANNEL_DESTROY",
    ]


def test_an_agent_is_called_answers_and_talks_with_the_caller(
    sim: Simulator, client: Any, clock: VirtualClock
) -> None:
    phone = sim.phone("1001")
    caller = sim.call("8004")
    uuid = caller.uuid
    client.execute(uuid, "answer")
    client.api(f"sched_del {uuid}")
    client.execute(uuid, "playback", "local_stream://moh")
    leg = "aaaaaaaa-0000-4000-8000-000000000001"
    client.command(
        f"bgapi originate {{origination_uuid={leg},il_owner={uuid},originate_timeout=20,park_after_bridge=true,"
        f"hangup_after_bridge=false,origination_caller_id_number=8004}}sofia/internal/1001%local &park()\nJob-UUID: J1"
    )
    ring = phone.wait_ring(2)
    assert ring is not None
    clock.sleep(2)
    ring.answer()
    job = client.event("BACKGROUND_JOB")
    assert (job["Job-UUID"], job["_body"]) == ("J1", f"+OK {leg}\n")
    parked = client.event("CHANNEL_PARK", leg)
    assert parked["variable_il_owner"] == uuid
    assert client.api(f"uuid_bridge {uuid} {leg}") == f"+OK {leg}\n"
    assert caller.bridged_to is None
    bridge = client.event("CHANNEL_BRIDGE")
    assert {bridge["Bridge-A-Unique-ID"], bridge["Bridge-B-Unique-ID"]} == {uuid, leg}
    assert caller.bridged_to == leg
    assert ring.bridged_to == uuid
    assert client.dump(uuid)["Channel-State"] == "CS_SOFT_EXECUTE"
    assert client.dump(leg)["Channel-State"] == "CS_EXCHANGE_MEDIA"
    clock.sleep(20)
    start = len(client.events)
    phone.hang_up()
    client.event("CHANNEL_UNBRIDGE", uuid, start=start)
    again = client.event("CHANNEL_PARK", uuid, start=start)
    assert again["Channel-State"] == "CS_PARK"
    client.event("CHANNEL_HANGUP_COMPLETE", leg)
    caller.hang_up()
    assert client.event("CHANNEL_HANGUP_COMPLETE", uuid)["variable_sip_hangup_disposition"] == "recv_bye"
