"""On a real FreeSWITCH: a colleague by extension, the desk closed by phone, files read again while calls run."""

from __future__ import annotations

import os
import signal

import pytest

from tests.e2e.house import House

pytestmark = pytest.mark.switch


def test_a_colleague_is_rung_and_a_closure_by_phone_is_heard_by_the_next_caller(house: House) -> None:
    house.start("--switch", "freeswitch")
    # A colleague's extension, typed on the main number, rings that phone, and the two talk.
    colleague = house.desk("1002")
    caller = house.outside().dial("8800").wait_answered(10)
    house.wait_step("greet[2] menu")
    caller.press("2")
    house.wait_step("departments[1] menu")
    caller.press("2")
    house.wait_step("ask[1] collect")
    caller.press("1002#")
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
    house.wait_step("number[2] collect")
    supervisor.press("8013#")
    house.wait_step("number[3] collect")
    supervisor.press("4813#")
    house.wait_step("which[1] menu")
    supervisor.press("2")
    house.wait_step("until[1] collect")
    supervisor.press("2359#")
    house.wait_step("until[3] confirm")
    supervisor.press("1")
    house.wait_for(lambda: not house.get("/calendars/desk")["open"], "the desk is not closed")
    supervisor.hang_up()
    house.wait_for(lambda: not house.calls(), "the call did not end", 30)
    [closure] = house.get("/calendars/desk")["closures"]
    assert (closure["by"], closure["how"]) == ("8013", "phone")

    # The next caller who wants the operator is led to a message.
    late = house.outside("13800138002").dial("8800").wait_answered(10)
    house.wait_step("greet[2] menu")
    late.press("2")
    house.wait_step("departments[1] menu")
    late.press("0")
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
    plan.write_text(good.replace("*15", "*16"), encoding="utf-8")
    assert "the dialplan" in house.command("reload")
    assert house.get("/status")["flows"]["hash"] == before
    moved = house.outside("13800138003").dial("*16").wait_answered(10)
    house.wait_step("number[2] collect")
    moved.hang_up()
    assert house.stop() == 0
