"""Calling phones and numbers, and why it comes to nothing."""

from __future__ import annotations

from typing import Any

import pytest

from engine.clock import VirtualClock
from engine.switch.simulator import Simulator


def ring(client: Any, uuid: str, extension: str = "1001", more: str = "") -> None:
    reply = client.command(
        f"bgapi originate {{origination_uuid={uuid},il_owner=me,park_after_bridge=true{more}}}"
        f"sofia/internal/{extension}%local &park()"
    )
    assert reply.startswith("+OK Job-UUID: ")


def result(client: Any, start: int = 0) -> str:
    return client.event("BACKGROUND_JOB", start=start, timeout=120)["_body"]


def test_an_answered_leg_is_parked_and_carries_its_variables(
    sim: Simulator, client: Any, clock: VirtualClock
) -> None:
    phone = sim.phone("1001")
    ring(client, "L", more=",origination_caller_id_number=8004,il_note='a,b'")
    call = phone.wait_ring(1)
    assert (call.caller_id[1], phone.state) == ("8004", "ringing")
    assert client.dump("L")["Answer-State"] == "ringing"
    clock.sleep(2)
    call.answer()
    assert result(client) == "+OK L\n"
    parked = client.event("CHANNEL_PARK", "L")
    assert (parked["variable_il_owner"], parked["variable_il_note"]) == ("me", "a,b")
    assert parked["Call-Direction"] == "outbound"
    assert client.names("L") == [
        "CHANNEL_CREATE",
        "CHANNEL_PROGRESS",
        "CHANNEL_ANSWER",
        "CHANNEL_EXECUTE(park)",
        "CHANNEL_PARK",
    ]


@pytest.mark.parametrize(("cause", "outcome"), [("USER_BUSY", "busy"), ("CALL_REJECTED", "rejected")])
def test_a_refusal_is_the_jobs_result(sim: Simulator, client: Any, cause: str, outcome: str) -> None:
    phone = sim.phone("1001")
    ring(client, "L")
    call = phone.wait_ring(1)
    call.reject(cause)
    assert result(client) == f"-ERR {cause}\n"
    assert client.event("CHANNEL_HANGUP", "L")["Hangup-Cause"] == cause
    assert (call.outcome, phone.state) == (outcome, "idle")


def test_nobody_answers(sim: Simulator, client: Any, clock: VirtualClock) -> None:
    phone = sim.phone("1001")
    began = clock.monotonic()
    ring(client, "L", more=",originate_timeout=7")
    assert result(client) == "-ERR NO_ANSWER\n"
    assert clock.monotonic() - began == pytest.approx(7, abs=0.1)
    assert phone.rings[0].outcome == "no_answer"


def test_a_ring_is_cancelled_by_uuid_kill_before_any_reply(
    sim: Simulator, client: Any, clock: VirtualClock
) -> None:
    phone = sim.phone("1001")
    ring(client, "L")
    clock.sleep(1)
    assert client.api("uuid_kill L ORIGINATOR_CANCEL") == "+OK\n"
    assert result(client) == "-ERR ORIGINATOR_CANCEL\n"
    assert phone.rings[0].outcome == "cancelled"
    phone.rings[0].answer()  # too late, and harmless
    clock.sleep(1)
    assert "L" not in sim.switch.channels


def test_an_unregistered_phone_is_known_to_be_so_within_a_millisecond(
    sim: Simulator, client: Any, clock: VirtualClock
) -> None:
    ring(client, "L", "1009")
    assert result(client) == "-ERR USER_NOT_REGISTERED\n"
    assert clock.monotonic() <= 0.002
    assert client.event("CHANNEL_DESTROY", "L")["Channel-State"] == "CS_NONE"


def test_a_vanished_phone_is_a_temporary_failure(sim: Simulator, client: Any) -> None:
    phone = sim.phone("1001")
    phone.vanish()
    ring(client, "L")
    assert result(client) == "-ERR NORMAL_TEMPORARY_FAILURE\n"
    assert phone.rings[0].outcome == "vanished"


def test_a_phone_that_talks_is_busy(sim: Simulator, client: Any) -> None:
    phone = sim.phone("1001")
    ring(client, "L")
    phone.wait_ring(1).answer()
    client.event("CHANNEL_PARK", "L")
    start = len(client.events)
    ring(client, "M")
    assert result(client, start) == "-ERR USER_BUSY\n"


@pytest.mark.parametrize(
    ("dial", "answer"),
    [
        ("sofia/gateway/nogw/1", "INVALID_GATEWAY"),
        ("user/1001", "SUBSCRIBER_ABSENT"),
        ("foo/1001", "CHAN_NOT_IMPLEMENTED"),
        ("sofia/nowhere/1001", "INVALID_PROFILE"),
    ],
)
def test_what_can_not_be_dialled_fails_at_once(client: Any, dial: str, answer: str) -> None:
    assert client.api(f"originate {dial} &park()") == f"-ERR {answer}\n"


def test_originate_without_a_target_shows_its_usage(client: Any) -> None:
    assert client.api("originate").startswith("-USAGE: <call url> <exten>|&<application_name>(<app_args>)")
    assert client.api("originate sofia/internal/1001%local").startswith("-USAGE")


def test_a_number_outside_answers_through_its_gateway(
    sim: Simulator, client: Any, clock: VirtualClock
) -> None:
    sim.line_answers = lambda number: 4.0 if number == "95001" else None
    client.command("bgapi originate {originate_timeout=9}sofia/gateway/pstn/95001 &park()")
    assert result(client).startswith("+OK ")
    assert clock.monotonic() == pytest.approx(4.0, abs=0.1)
    start = len(client.events)
    client.command("bgapi originate {originate_timeout=9}sofia/gateway/pstn/95002 &park()")
    assert result(client, start) == "-ERR NO_ANSWER\n"
    assert [line.number for line in sim.lines] == ["95001", "95002"]


def test_a_paused_switch_calls_nobody(sim: Simulator, client: Any) -> None:
    sim.phone("1001")
    assert client.api("fsctl pause outbound") == "+OK\n"
    assert client.api("originate sofia/internal/1001%local &park()") == "-ERR DESTINATION_OUT_OF_ORDER\n"
    assert client.api("fsctl resume") == "+OK\n"


def test_an_api_originate_answers_when_somebody_answered(
    sim: Simulator, client: Any, clock: VirtualClock
) -> None:
    sim.phone("1001").auto(answer_after=3.0)
    client.post("api originate {origination_uuid=L}sofia/internal/1001%local &park()")
    assert client.reply()[1] == "+OK L\n"
    assert clock.monotonic() == pytest.approx(3.0, abs=0.1)


def test_phones_register_unregister_and_are_listed(sim: Simulator, client: Any) -> None:
    phone = sim.phone("1001")
    event = client.wait(lambda e: e.get("Event-Subclass") == "sofia::register")
    assert (event["from-user"], event["from-host"], event["status"]) == ("1001", "local", "Registered(UDP)")
    assert '"reg_user":"1001","realm":"local"' in client.api("show registrations as json")
    assert "User:       \t1001@local" in client.api("sofia status profile internal reg")
    phone.unregister()
    client.wait(lambda e: e.get("Event-Subclass") == "sofia::unregister")
    assert client.api("show registrations as json") == '{"row_count": 0}\n'


def test_an_expired_registration_is_told_late(sim: Simulator, client: Any, clock: VirtualClock) -> None:
    phone = sim.phone("1001", register=False)
    phone.register(expires=3)
    clock.sleep(40)
    assert phone.registered
    client.wait(lambda e: e.get("Event-Subclass") == "sofia::expire", timeout=60)
    assert not phone.registered
