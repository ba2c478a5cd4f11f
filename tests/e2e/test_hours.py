"""On a real FreeSWITCH: a colleague by extension, the desk closed by phone, files read again while calls run."""

from __future__ import annotations

import os
import signal
from typing import Any
from zlib import crc32

import pytest

from tests.e2e.house import House

pytestmark = pytest.mark.switch


_asked: list[str] = [""]


def at(house: House, step: str, caller: Any, keys: str) -> None:
    """Press keys once the call is in a step and the switch listens for them (its words may have to be made first)."""
    call = house.wait_step(step)["id"]

    def listens() -> bool:
        application = house.switch(f"uuid_getvar {call} current_application")
        asked = f"{call} {house.switch(f'uuid_getvar {call} current_application_data')}"
        if application.strip() != "play_and_get_digits" or asked == _asked[0]:
            return False
        _asked[0] = asked
        return True

    house.wait_for(listens, f"nothing is asked in {step}")
    house.clock.sleep(0.3)
    caller.press(keys)


def test_a_colleague_is_rung_and_a_closure_by_phone_is_heard_by_the_next_caller(house: House) -> None:
    house.start("--switch", "freeswitch")
    # A colleague's extension, typed on the main number, rings that phone, and the two talk.
    colleague = house.desk("1002")
    caller = house.outside().dial("8800").wait_answered(10)
    at(house, "greet[2] menu", caller, "2")
    at(house, "departments[1] menu", caller, "2")
    at(house, "ask[1] collect", caller, "1002#")
    ring = colleague.wait_ring(20)
    ring.answer()
    house.wait_state("talking")
    ring.say_tone(880, 3.0)
    caller.wait_hears(880, 5.0)
    ring.hang_up()
    house.wait_for(lambda: not house.calls(), "the call did not end", 30)
    assert house.cli("cdr", "list")[0]["outcome"] == "talked"

    # A supervisor closes the shipments desk by phone.
    supervisor = house.outside("13800138001").dial("*15").wait_answered(10)
    at(house, "number[2] collect", supervisor, "8013#")
    at(house, "number[3] collect", supervisor, "4813#")
    at(house, "which[1] menu", supervisor, "2")
    at(house, "until[1] collect", supervisor, "2359#")
    at(house, "until[3] confirm", supervisor, "1")
    # The two digits that are read out (plugins/duty/challenge.py).
    call = house.wait_step("duty_challenge")["id"]
    at(house, "duty_challenge", supervisor, str(crc32(f"{call} 0".encode()) % 90 + 10))
    house.wait_for(lambda: not house.get("/calendars/desk")["open"], "the desk is not closed")
    supervisor.hang_up()
    house.wait_for(lambda: not house.calls(), "the call did not end", 30)
    [closure] = house.get("/calendars/desk")["closures"]
    assert (closure["by"], closure["how"]) == ("8013", "phone")

    # The next caller who wants the operator is led to a message.
    late = house.outside("13800138002").dial("8800").wait_answered(10)
    at(house, "greet[2] menu", late, "2")
    at(house, "departments[1] menu", late, "0")
    house.wait_step("message[1] voicemail")
    late.hang_up()
    house.wait_for(lambda: not house.calls(), "the call did not end", 30)
    kinds = [row["kind"] for row in house.cli("call", "show", house.cli("cdr", "list")[0]["call"])["journal"]]
    assert "hours.closed" in kinds

    # Opened at the terminal; a changed flow is taken on SIGHUP, a broken one is not.
    assert "desk is open" in house.command("calendar", "open", "desk", "--by", "li.na")
    before = house.get("/status")["flows"]["hash"]
    plan = house.home / "dialplans" / "main.yaml"
    good = plan.read_text(encoding="utf-8")
    plan.write_text(good.replace("duty/main", "duty/mian"), encoding="utf-8")
    assert house.process is not None
    os.kill(house.process.pid, signal.SIGHUP)
    house.wait_for(lambda: "reload.refused" in house.output(), "the broken dialplan was not refused")
    plan.write_text(good.replace("*15", "*95"), encoding="utf-8")
    assert "the dialplan" in house.command("reload")
    assert house.get("/status")["flows"]["hash"] == before
    moved = house.outside("13800138003").dial("*95").wait_answered(10)
    house.wait_step("number[2] collect")
    moved.hang_up()
    assert house.stop() == 0
