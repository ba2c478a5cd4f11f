"""Phones come and go."""

from __future__ import annotations

import json

import pytest

from engine.errors import CommandRefused
from engine.esl import commands as c
from tests.contract.rig import Rig


def registered(switch: Rig) -> set[str]:
    rows = json.loads(switch.api(c.show_registrations())).get("rows", [])
    return {row["reg_user"] for row in rows}


def test_a_registration_is_told_at_once_and_listed(switch: Rig) -> None:
    switch.phone("1001")
    event = switch.heard.wait("sofia::register")
    assert event.get("from-user") == "1001"
    assert event.get("profile-name") == "internal"
    assert event.get("from-host") == "local"
    switch.until(lambda: "1001" in registered(switch))


def test_unregistering_is_told_and_the_phone_can_t_be_rung(switch: Rig) -> None:
    phone = switch.phone("1001")
    phone.unregister()
    event = switch.heard.wait("sofia::unregister")
    assert event.get("from-user") == "1001"
    _, job = switch.originate("1001")
    with pytest.raises(CommandRefused, match="USER_NOT_REGISTERED"):
        job.wait(2.0)
    switch.until(lambda: "1001" not in registered(switch))


def test_a_phone_that_vanishes_is_unregistered_by_the_switch_itself(switch: Rig) -> None:
    """It is asked with OPTIONS; without an answer its registration expires, and an event tells."""
    phone = switch.phone("1003")
    switch.heard.wait("sofia::register")
    switch.until(lambda: "1003" in registered(switch))
    phone.vanish()
    told = switch.heard.wait("sofia::sip_user_state", timeout=20.0)
    assert (told.get("from-user"), told.get("Ping-Status")) == ("1003", "UNREACHABLE")
    event = switch.heard.wait("sofia::expire", timeout=20.0)
    assert event.get("user") == "1003"
    switch.clock.sleep(0.3)  # the event comes just before it is forgotten
    _, job = switch.originate("1003")
    with pytest.raises(CommandRefused, match="USER_NOT_REGISTERED"):
        job.wait(2.0)
    # The list that the core keeps does not hear of it, and lasts as long as the phone registered for.
    assert "1003" in registered(switch)


def test_ringing_a_phone_that_has_vanished_fails(switch: Rig) -> None:
    phone = switch.phone("1004")
    phone.vanish()
    _, job = switch.originate("1004")
    with pytest.raises(CommandRefused) as refused:
        job.wait(10.0)
    assert any(
        cause in str(refused.value)
        for cause in (
            "NORMAL_TEMPORARY_FAILURE",
            "RECOVERY_ON_TIMER_EXPIRE",
            "USER_NOT_REGISTERED",
            "NO_ANSWER",
        )
    )
