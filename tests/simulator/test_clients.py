"""Clients that know nothing of the simulator drive it over TCP: greenswitch, and FreeSWITCH's own binding."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from greenswitch import InboundESL

from engine.clock import Clock
from engine.switch.simulator import Simulator

PASSWORD = "only for tests"


@pytest.fixture
def real_time() -> Clock:
    return Clock()


@pytest.fixture
def listening(real_time: Clock) -> Iterator[tuple[Simulator, int]]:
    sim = Simulator(real_time, password=PASSWORD)
    _, port = sim.listen()
    yield sim, port
    sim.stop()


def test_plain_greenswitch_leads_a_call(listening: tuple[Simulator, int], real_time: Clock) -> None:
    sim, port = listening
    client = InboundESL("127.0.0.1", port, PASSWORD)
    client.connect()
    parked, over, gone = real_time.event(), real_time.event(), real_time.event()
    seen: list[str] = []

    def on_park(event: object) -> None:
        seen.append(event.headers["Unique-ID"])  # type: ignore[attr-defined]
        parked.set()

    client.register_handle("CHANNEL_PARK", on_park)
    client.register_handle("CHANNEL_EXECUTE_COMPLETE", lambda event: over.set())
    client.register_handle("CHANNEL_HANGUP_COMPLETE", lambda event: gone.set())
    client.send("event plain CHANNEL_PARK CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP_COMPLETE")
    caller = sim.call("8004")
    assert parked.wait(5)
    assert seen == [caller.uuid]
    assert client.send(f"api uuid_exists {caller.uuid}").data == "true"
    over.clear()
    client.send(f"sendmsg {caller.uuid}\ncall-command: execute\nexecute-app-name: answer")
    assert over.wait(5)
    assert caller.state == "answered"
    client.send(f"api uuid_kill {caller.uuid}")
    assert gone.wait(5)
    client.stop()


def test_a_wrong_password_is_told_to_greenswitch(listening: tuple[Simulator, int]) -> None:
    _, port = listening
    client = InboundESL("127.0.0.1", port, "wrong")
    with pytest.raises(ValueError, match="Invalid password"):
        client.connect()


ESL_CLIENT = """
import sys
import ESL
client = ESL.ESLconnection("127.0.0.1", sys.argv[1], sys.argv[2])
assert client.connected(), "not connected"
print("version", client.api("version").getBody().split()[0])
client.events(sys.argv[3], "CHANNEL_PARK CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP_COMPLETE")
print("ready", flush=True)
uuid = None
while True:
    event = client.recvEventTimed(5000)
    assert event, "no event came"
    name = event.getHeader("Event-Name")
    if name == "CHANNEL_PARK":
        uuid = event.getHeader("Unique-ID")
        print("park", event.getHeader("Caller-Caller-ID-Name"), event.getHeader("variable_il_call"))
        client.execute("answer", "", uuid)
        client.execute("set", "note=some words", uuid)
    elif name == "CHANNEL_EXECUTE_COMPLETE" and event.getHeader("Application") == "set":
        if event.getHeader("variable_note"):
            print("note", event.getHeader("variable_note"))
            print(client.api("uuid_kill", uuid + " USER_BUSY").getBody().strip())
    elif name == "CHANNEL_HANGUP_COMPLETE":
        print("gone", event.getHeader("Hangup-Cause"))
        break
client.disconnect()
"""


def _esl_is_there() -> bool:
    found = subprocess.run([sys.executable, "-c", "import ESL"], capture_output=True, check=False)
    return found.returncode == 0


@pytest.mark.parametrize("format_", ["plain", "json"])
def test_the_switchs_own_python_binding_leads_a_call(
    listening: tuple[Simulator, int], real_time: Clock, format_: str
) -> None:
    if not _esl_is_there():
        pytest.skip("python-ESL left out: no module ESL can be imported (FreeSWITCH's own build makes it)")
    sim, port = listening
    process = subprocess.Popen(
        [sys.executable, "-c", ESL_CLIENT, str(port), PASSWORD, format_],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=dict(os.environ),
    )
    assert process.stdout is not None
    lines: list[str] = []
    try:
        with real_time.timeout(30):
            for line in process.stdout:
                lines.append(line.strip())
                if line.strip() == "ready":
                    sim.call("8004", name="Zhang San: a & b")
        assert process.wait(10) == 0, lines
    finally:
        process.kill()
    assert lines == [
        "version FreeSWITCH",
        "ready",
        "park Zhang San: a & b true",
        "note some words",
        "+OK",
        "gone USER_BUSY",
    ]
