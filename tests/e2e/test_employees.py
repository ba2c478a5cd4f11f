"""The employees' line on a real FreeSWITCH: pay that no recording and no file holds."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.house import House

pytestmark = pytest.mark.switch

EMPLOYEE, PIN = "30011", "730115"
KNOWN = "13902887766"


def test_a_slip_is_heard_by_keys_and_neither_it_nor_the_pin_is_anywhere(house: House) -> None:
    house.start("--switch", "freeswitch")
    caller = house.outside(KNOWN).dial("8003").wait_answered(10)
    press(house, caller, "greet[2] menu", "1")
    press(house, caller, "main[1] menu", "1")
    house.wait_step("who[1] identify", 60.0)
    house.clock.sleep(0.7)
    caller.press(f"{EMPLOYEE}#")
    house.clock.sleep(3.0)
    caller.press(f"{PIN}#")
    press(house, caller, "menu[1] menu", "1")
    press(house, caller, "slip[1] menu", "1")
    live = house.wait_step("say_slip[2] say", 60.0)
    assert live["party"]["code"] == EMPLOYEE
    house.clock.sleep(12.0)
    caller.press("*")
    house.wait_step("say_slip[4] menu", 60.0)
    press(house, caller, "say_slip[4] menu", "*")
    house.wait_step("menu[1] menu", 30.0)
    house.clock.sleep(3.0)
    caller.hang_up()
    house.wait_for(lambda: not house.calls(), "the call did not end")
    [row] = house.wait_for(lambda: house.get("/recordings"), "there is no recording")
    file = house.home / "var" / "recordings" / row["path"]
    house.wait_for(file.exists, "there is no file")
    masked = silent_seconds(file)
    print(
        f"the recording has {row['seconds']:.1f} s, of which {masked:.1f} s are digital silence in one piece"
    )
    assert masked >= 11.0
    house.stop()
    for secret in (PIN, "12075.71", "1868.25", "8200.00"):
        assert found(house, secret) == []


def press(house: House, caller: Any, step: str, keys: str, within: float = 60.0) -> None:
    """Once the call is in that step; again when that did not lead on, because its prompt was not ready yet."""
    house.wait_step(step, within)
    for _ in range(5):
        house.clock.sleep(0.7)
        caller.press(keys)
        try:
            house.wait_for(lambda: not any(step in call["step"] for call in house.calls()), "", 8.0)
        except AssertionError:
            continue
        return
    raise AssertionError(f"{keys} leads nowhere from {step}\n{house.output()[-3000:]}")


def found(house: House, secret: str) -> list[str]:
    """Where it stands below the house, in contents and names, the switch's logs and databases among it."""
    places = [*(house.home / "var").rglob("*"), house.home / "engine.out"]
    return [
        str(path)
        for path in places
        if secret in path.name
        or (path.is_file() and path.suffix != ".wav" and secret.encode() in path.read_bytes())
    ]


def silent_seconds(file: Path) -> float:
    """The longest stretch of digital silence (all samples 0, both channels) of a recording, measured by its samples."""
    raw = subprocess.run(
        ["sox", str(file), "-t", "raw", "-e", "signed", "-b", "16", "-"], capture_output=True, check=True
    ).stdout
    longest = run = 0
    step = 320  # 10 ms of two channels at 8 kHz
    for at in range(0, len(raw), step):
        run = 0 if any(raw[at : at + step]) else run + 1
        longest = max(longest, run)
    return longest / 100
