"""What the shipped configuration lets in, and what it does not: over SIP, on a real FreeSWITCH."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.clock import Clock
from engine.esl import commands as c
from engine.esl.connection import Connection, Event
from tests.sip.message import Message
from tests.sip.phone import Telephone
from tests.switch.real import RealSwitch, start_real_switch

pytestmark = pytest.mark.switch
clock = Clock()


@pytest.fixture
def parked(real_switch: RealSwitch) -> Iterator[list[Event]]:
    """The CHANNEL_PARK events while a test runs; all calls are ended afterwards."""
    freeswitch = real_switch.freeswitch
    events: list[Event] = []
    connection = Connection(
        freeswitch.host,
        freeswitch.port,
        freeswitch.password,
        clock=clock,
        on_event=events.append,
        events=("CHANNEL_PARK",),
    )
    connection.start()
    assert connection.wait_up(5)
    yield events
    connection.request(c.raw_api("hupall NORMAL_CLEARING"))
    connection.stop()


def until(true: object, what: str = "") -> None:
    deadline = clock.monotonic() + 4
    while not true():  # type: ignore[operator]
        assert clock.monotonic() < deadline, what
        clock.sleep(0.02)


def request(phone: Telephone, method: str, number: str, body: str = "") -> Message:
    """Send a request of its own, outside any call, and take the final answer."""
    host, port = phone.server
    uri = f"sip:{number}@{host}:{port}"
    message = phone.request(
        method,
        uri,
        cseq=1,
        call_id=secrets.token_hex(8),
        to=f"<{uri}>",
        from_=f"<sip:{phone.user}@{phone.ip}>;tag={secrets.token_hex(4)}",
        body=body,
    )
    return phone.send_request(message, 5.0)


def test_a_phone_registers_with_its_password_and_not_with_another(real_switch: RealSwitch) -> None:
    good = real_switch.telephone("1005")
    assert good.register() == 200
    assert good.unregister() == 200
    good.password = "guessed"
    assert good.register() == 403
    good.close()


def test_one_phone_s_password_does_not_register_another(real_switch: RealSwitch) -> None:
    phone = real_switch.telephone("1005")
    phone.password = real_switch.freeswitch.passwords["1006"]
    assert phone.register() == 403
    phone.close()


def test_an_extension_nobody_has_can_t_register(real_switch: RealSwitch) -> None:
    phone = real_switch.telephone("1005")
    phone.user = "9999"
    assert phone.register() in (403, 404)
    phone.close()


def test_a_call_from_a_phone_needs_the_password_too(real_switch: RealSwitch, parked: list[Event]) -> None:
    phone = real_switch.telephone("1005")
    password, phone.password = phone.password, ""
    call = phone.dial("8004")
    until(lambda: call.over)
    assert call.status == 407
    phone.password = "guessed"
    call = phone.dial("8004")
    until(lambda: call.over)
    assert call.status == 403
    assert parked == []
    phone.password = password
    phone.dial("8004")
    until(lambda: len(parked) == 1)
    phone.close()


def test_a_call_from_a_phone_says_whose_password_opened_it_whatever_it_claims(
    real_switch: RealSwitch, parked: list[Event]
) -> None:
    phone = real_switch.telephone("1005")
    phone.dial("8004", headers=[("X-il_phone", "1001"), ("P-Asserted-Identity", "<sip:1001@local>")])
    until(lambda: len(parked) == 1)
    assert parked[0].var("il_phone") == "1005"
    assert parked[0].var("il_origin") == "internal"
    assert parked[0].var("il_gateway") is None
    phone.close()


def test_a_trunk_call_is_let_in_by_address_only(real_switch: RealSwitch, parked: list[Event]) -> None:
    trunks = real_switch.freeswitch.settings.trunks
    stranger = Telephone(clock, (trunks.ip, trunks.port), user="+8613800000000", ip="127.0.0.2")
    call = stranger.dial("8004")
    until(lambda: call.over)
    assert call.status == 403
    assert parked == []
    stranger.close()


def test_nobody_registers_at_the_trunks(real_switch: RealSwitch) -> None:
    phone = real_switch.telephone("1005")
    trunks = real_switch.freeswitch.settings.trunks
    phone.server = (trunks.ip, trunks.port)
    assert phone.register() >= 400
    phone.close()


@pytest.mark.parametrize("number", ["a%20b", "8004%3Bx", "%24%7Bcreate_uuid()%7D", "8" * 41, "x%0Ay"])
def test_an_odd_number_is_refused(real_switch: RealSwitch, parked: list[Event], number: str) -> None:
    caller = real_switch.outside("+8613800000000")
    call = caller.dial(number)
    until(lambda: call.over)
    assert call.status >= 400
    assert parked == []
    caller.close()


def test_a_message_does_not_reach_the_command_interface(real_switch: RealSwitch, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    for phone in (real_switch.outside("+8613800000000"), real_switch.telephone("1005")):
        for number in ("api+system", "api"):
            request(phone, "MESSAGE", number, f"system touch {canary}")
        phone.close()
    clock.sleep(0.3)
    assert not canary.exists()


def test_an_expression_in_a_caller_s_name_or_headers_is_not_run(
    real_switch: RealSwitch, parked: list[Event], tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    text = f"${{system(touch {canary})}}"
    caller = real_switch.outside("+8613800000000", name=text)
    caller.dial("8004", headers=[("X-Note", text), ("Subject", text)])
    until(lambda: len(parked) == 1)
    uuid = parked[0].uuid
    freeswitch = real_switch.freeswitch
    freeswitch.ask(c.raw_api(f"uuid_setvar {uuid} il_text {text}"))
    clock.sleep(0.3)
    assert not canary.exists()
    caller.close()


def test_a_phone_can_t_move_a_call_with_refer(real_switch: RealSwitch, parked: list[Event]) -> None:
    caller = real_switch.outside("+8613800000000")
    call = caller.dial("8004")
    until(lambda: len(parked) == 1)
    real_switch.freeswitch.ask(c.raw_api(f"uuid_answer {parked[0].uuid}"))
    call.wait_answered(4)
    refer = caller.request(
        "REFER",
        call.invite.uri,
        cseq=7,
        call_id=call.invite.call_id,
        to=f"{call.invite.get('to')};tag=x",
        from_=call.invite.get("from"),
        extra=[("Refer-To", "<sip:+8690012345678@127.0.0.1>")],
    )
    assert caller.send_request(refer, 5.0).status >= 400
    assert not call.over
    caller.close()


def test_no_secret_and_no_caller_is_in_the_log(real_switch: RealSwitch, parked: list[Event]) -> None:
    phone = real_switch.telephone("1005")
    phone.register()
    caller = real_switch.outside("+8613812345678")
    call = caller.dial("8004")
    until(lambda: len(parked) == 1)
    real_switch.freeswitch.ask(c.raw_api(f"uuid_answer {parked[0].uuid}"))
    call.wait_answered(4)
    call.press("2580")
    call.hang_up()
    phone.unregister()
    phone.close()
    caller.close()
    folder = real_switch.freeswitch.folder
    logged = folder.log.read_text() + folder.console_log.read_text()
    for secret in ("2580", "13812345678", real_switch.freeswitch.password, phone.password):
        assert secret not in logged
    assert "SIP auth" in logged  # but who guesses passwords is


def test_a_phone_that_falls_silent_is_forgotten(tmp_path: Path) -> None:
    """Its socket is open and nothing comes back, as when its network is gone: no ICMP tells."""
    switch = start_real_switch(tmp_path / "run", clock)
    freeswitch = switch.freeswitch
    told = clock.queue()
    connection = Connection(
        freeswitch.host,
        freeswitch.port,
        freeswitch.password,
        clock=clock,
        on_event=told.put,
        events=("sofia::expire",),
    )
    connection.start()
    try:
        assert connection.wait_up(5)
        phone = switch.telephone("1007")
        assert phone.register(expires=600) == 200
        until(lambda: phone.asked >= 1, "the switch never asked whether the phone is there")
        phone.deaf = True
        began = clock.monotonic()
        while (event := told.get(10)).subclass != "sofia::expire":
            pass
        assert event.get("user") == "1007"
        # ping 2 s, silence 1 s, and the two threads of the profile that look once a second
        assert clock.monotonic() - began < 7
        phone.vanish()
    finally:
        connection.stop()
        freeswitch.stop(within=0.0)


def test_the_fallback_apologises_and_hangs_up(real_switch: RealSwitch, parked: list[Event]) -> None:
    caller = real_switch.outside("+8613800000000")
    call = caller.dial("8004")
    until(lambda: len(parked) == 1)
    real_switch.freeswitch.ask(c.uuid_transfer(parked[0].uuid, "fallback", "XML", "fallback"))
    call.wait_answered(4)
    call.wait_hears(440, 4)
    assert call.wait_over(15) == "them"
    caller.close()
