"""When the engine stays away, or the switch dies, or either is told to stop; on a real FreeSWITCH."""

from __future__ import annotations

import signal

import pytest

from engine.calls.lease import LED_TTL
from engine.switch.files import RunFolder
from tests.e2e.house import House

pytestmark = pytest.mark.switch


@pytest.fixture(autouse=True)
def shipped(house: House) -> None:
    """The switch waits for an engine as long as it does in the shipped configuration."""
    house.as_impatient_as_shipped()


def test_without_an_engine_the_switch_itself_takes_the_caller_to_the_fallback(house: House) -> None:
    house.start("--switch", "freeswitch")
    caller = house.outside().dial("8004").wait_answered(10)
    house.wait_step("menu")
    house.clock.sleep(0.5)  # rows of the last 50 ms are what kill -9 may cost (docs/decisions/0040)
    began = house.clock.monotonic()
    house.kill()
    # Nobody leads it: rescue.lua finds no sign of life, apologises and hangs up.
    caller.wait_over(40.0)
    assert house.clock.monotonic() - began < 35
    house.start("--switch", "freeswitch")
    (cdr,) = house.wait_for(lambda: house.get("/cdrs"), "no CDR of the call that no engine saw the end of")
    assert (cdr["outcome"], cdr["dialled"], cdr["flow"]) == ("lost", "8004", "logistics/main")


def test_a_call_that_no_engine_takes_is_answered_by_the_fallback(house: House) -> None:
    house.start("--switch", "freeswitch")
    house.kill()
    house.clock.sleep(LED_TTL + 2.0)
    caller = house.outside().dial("8004").wait_answered(15)
    caller.wait_over(20.0)


def test_a_call_that_comes_in_the_moment_after_the_engine_died_is_found_by_the_switch(house: House) -> None:
    house.start("--switch", "freeswitch")
    house.kill()
    caller = house.outside().dial("8004").wait_answered(35)
    caller.wait_over(20.0)


def test_a_switch_that_dies_is_started_again_and_its_calls_are_accounted_for(house: House) -> None:
    house.start("--switch", "freeswitch")
    house.outside().dial("8004").wait_answered(10)
    house.wait_step("menu")
    before = house.cli("status")["switch"]["core_uuid"]
    running = RunFolder(house.home / "var" / "freeswitch").process()
    assert running is not None
    running.kill()
    (cdr,) = house.wait_for(lambda: house.get("/cdrs"), "no CDR for the call that was lost", 20)
    assert cdr["cause"] == "SYSTEM_SHUTDOWN"

    def back() -> bool:
        status = house.get("/status")
        return bool(status.get("ready")) and status["switch"]["core_uuid"] != before

    house.wait_for(back, "the switch did not come back", 40)
    house.outside("13900139000").dial("8004").wait_answered(10)


def test_an_engine_that_was_stopped_lets_go_of_what_the_switch_took_back(house: House) -> None:
    house.start("--switch", "freeswitch")
    caller = house.outside().dial("8004").wait_answered(10)
    house.wait_step("menu")
    assert house.process is not None
    house.process.send_signal(signal.SIGSTOP)
    caller.wait_over(40.0)  # the fallback apologised and hung up
    house.process.send_signal(signal.SIGCONT)
    house.wait_for(lambda: house.get("/status").get("ready") and not house.calls(), "the call is still there")
    (cdr,) = house.wait_for(lambda: house.get("/cdrs"), "no CDR of the call that was taken back")
    assert cdr["outcome"] == "handed_over"
    again = house.outside("13900139000").dial("8004").wait_answered(10)
    house.wait_step("menu")
    again.hang_up()


def test_told_to_stop_it_lets_the_call_end_and_leaves_no_switch_behind(house: House) -> None:
    house.start("--switch", "freeswitch")
    caller = house.outside().dial("8004").wait_answered(10)
    house.wait_step("menu")
    assert house.process is not None
    house.process.send_signal(signal.SIGTERM)
    house.clock.sleep(1.0)
    assert house.process.poll() is None, "it did not wait for the call"
    caller.hang_up()
    assert house.process.wait(20) == 0
    assert RunFolder(house.home / "var" / "freeswitch").process() is None
    assert "1 call" in house.output()


def test_an_unknown_number_gets_an_apology_and_a_cdr(house: House) -> None:
    house.start("--switch", "freeswitch")
    caller = house.outside().dial("8999").wait_answered(10)
    caller.wait_over(30.0)
    (cdr,) = house.wait_for(lambda: house.get("/cdrs"), "no CDR")
    assert (cdr["dialled"], cdr["flow"], cdr["outcome"]) == ("8999", "reception/unknown_number", "served")
