"""A switch that would make a call a way into the machine is refused."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from engine.errors import SwitchUnsafe
from engine.esl import commands
from engine.esl.commands import Command
from engine.switch.safety import check_safety, open_to_others
from tests.switch.real import RealSwitch

OFF = "il-<API execute Permission Denied>-il"
ON = "il-6e2f0a5c-1f5e-4a3f-8f57-1f0b9f1c2d3e-il"


def answering(text: str) -> Callable[[Command], str]:
    return lambda command: text


def test_a_switch_on_the_loopback_with_its_own_password_passes() -> None:
    check_safety(answering(OFF), host="127.0.0.1", port=1, password="something else")


def test_the_shipped_password_is_refused() -> None:
    with pytest.raises(SwitchUnsafe, match="shipped password"):
        check_safety(answering(OFF), host="127.0.0.1", port=1, password="ClueCon")


def test_a_switch_that_expands_commands_is_refused() -> None:
    with pytest.raises(SwitchUnsafe, match="api-expansion"):
        check_safety(answering(ON), host="127.0.0.1", port=1, password="x")


def test_a_socket_on_another_machine_is_refused_unless_told_so() -> None:
    with pytest.raises(SwitchUnsafe, match=r"listens on 192\.0\.2\.7"):
        check_safety(answering(OFF), host="192.0.2.7", port=8021, password="x")
    check_safety(answering(OFF), host="192.0.2.7", port=8021, password="x", allow_remote=True)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(SwitchUnsafe, match=r"shipped password.*api-expansion.*192\.0\.2\.7"):
        check_safety(answering(ON), host="192.0.2.7", port=8021, password="ClueCon")


def test_a_socket_bound_to_every_address_is_found_out_also_from_the_loopback() -> None:
    with socket.create_server(("0.0.0.0", 0)) as wide:
        port = wide.getsockname()[1]
        assert open_to_others("127.0.0.1", port) == "0.0.0.0"
    with socket.create_server(("127.0.0.1", 0)) as narrow:
        assert open_to_others("127.0.0.1", narrow.getsockname()[1]) is None
        assert open_to_others("localhost", narrow.getsockname()[1]) is None


@pytest.mark.switch
def test_our_own_switch_passes_and_is_refused_once_expansion_is_switched_on(real_switch: RealSwitch) -> None:
    freeswitch = real_switch.freeswitch

    def check() -> None:
        check_safety(
            lambda command: freeswitch.ask(command)[0],
            host=freeswitch.host,
            port=freeswitch.port,
            password=freeswitch.password,
        )

    check()
    try:
        freeswitch.ask(commands.raw_api("fsctl api_expansion on"))
        with pytest.raises(SwitchUnsafe, match="api-expansion"):
            check()
    finally:
        freeswitch.ask(commands.raw_api("fsctl api_expansion off"))
    check()
