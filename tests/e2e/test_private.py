"""What is private, on a real FreeSWITCH: spoken to the caller and not in the recording, also after the engine's death;
and keys that are pressed while a prompt is still being rendered."""

from __future__ import annotations

from array import array

import pytest

from engine.clock import Clock
from tests.e2e.house import House
from tests.sip.sound import loudness, pcm, read_wav

pytestmark = pytest.mark.switch

PLUGIN = """\
from engine.api import Context, Department, Digits, Private, Record, hookimpl, query

department = Department("pay")


class Slip(Record):
    month: Digits
    amount: Private[str]


@query(department, over="engine")
def slip(ctx: Context, employee: Digits) -> Slip:
    return Slip(month="202611", amount="twelve thousand three hundred and forty five dollars and not a cent more")


@hookimpl
def register_department() -> Department:
    return department
"""
FLOW = """\
grammar: 1
flow: pay/main
revision: 1
title: Pay
owner: tests
languages: [en]
start: arrive
blocks:
  arrive:
    - answer
    - record: {policy: service}
    - query: {ask: pay.slip, with: {employee: "30011"}, into: slip, failed: bye}
    - menu: {prompt: Press one to hear your pay., options: {1: tell}, first: 2m, give_up: bye}
  tell:
    - say: This is your pay and nobody but you is going to hear it.
    - say: "{slip.amount}"
    - say: That was all of it and everybody may hear it again.
    - menu: {prompt: Press one., options: {1: bye}, first: 20s, give_up: bye}
  bye:
    - hangup
"""


def spoken(samples: array[int]) -> list[tuple[float, float]]:
    """When somebody speaks: (from, to) in seconds, pauses of less than 0.4 s left out."""
    step, found = 400, list[tuple[float, float]]()
    for at in range(0, len(samples) - step, step):
        if loudness(samples[at : at + step]) > 200:
            begin, end = at / 8000, (at + step) / 8000
            if found and begin - found[-1][1] < 0.4:
                found[-1] = found[-1][0], end
            else:
                found.append((begin, end))
    return found


def test_private_words_are_heard_and_not_recorded_also_by_the_next_engine(house: House) -> None:
    house.add_department("pay", "8059", {"flows/main.yaml": FLOW, "plugin.py": PLUGIN})
    house.start("--switch", "freeswitch", within=150)
    caller = house.outside().dial("8059").wait_answered(10)
    house.wait_step("menu")
    house.clock.sleep(2.0)
    house.kill()
    # However long the next engine takes to start on a busy machine: the dead man's switch is told that one lives.
    house.switch(f"hash insert/il/alive/{int(house.clock.now().timestamp()) + 600}")
    house.start("--switch", "freeswitch", within=150)
    house.wait_step("menu", 60)
    house.clock.sleep(1.5)
    before = len(caller.sound.heard)
    caller.press("1")
    house.wait_for(
        lambda: house.calls() and house.calls()[0]["step"].startswith("tell[4]"),
        f"the pay was not told: {[(call['step'], call['state']) for call in house.calls()]}",
        60,
    )
    heard = spoken(pcm(bytes(caller.sound.heard[before:])))
    caller.press("1")
    caller.wait_over(20)
    (cdr,) = house.cli("cdr", "list")
    assert (cdr["adopted"], cdr["outcome"]) == (1, "served")
    (path,) = (house.home / "var" / "recordings").rglob("*.wav")
    sound = read_wav(path)
    recorded = [spoken(channel) for channel in sound]
    print("FIGURE heard", heard)
    print("FIGURE recorded", recorded)
    # The caller hears three sentences on end; of the one in the middle the recording has silence.
    before_it, behind_it = max(recorded, key=len)[-2:]
    kept = before_it[1] - before_it[0] + behind_it[1] - behind_it[0]
    assert kept > 3.0
    assert behind_it[0] - before_it[1] > 3.0
    assert sum(end - begin for begin, end in heard) > kept + 3.0
    for file in (house.home / "var").rglob("*"):
        if file.is_file() and file.suffix in (".db", ".log", ".json", ".jsonl", ".xml"):
            assert b"twelve thousand" not in file.read_bytes(), file
    assert "twelve thousand" not in house.output()


WORDS = [" ".join(f"sentence {line} of part {part} is long" for line in range(12)) for part in range(14)]
SLOW_PLUGIN = PLUGIN.replace('"pay"', '"slow"').replace("amount: Private[str]", "words: list[str]")
SLOW_PLUGIN = SLOW_PLUGIN[: SLOW_PLUGIN.index("    return Slip")] + (
    f"    return Slip(month='202611', words={WORDS!r})\n\n\n" + SLOW_PLUGIN[SLOW_PLUGIN.index("@hookimpl") :]
)
SLOW = """\
grammar: 1
flow: slow/main
revision: 1
title: Slow
owner: tests
languages: [en]
start: arrive
blocks:
  arrive:
    - answer
    - query: {ask: slow.slip, with: {employee: "1"}, into: slip, failed: bye}
    - menu: {prompt: "{slip.words}", options: {1: quick}, first: 20s, give_up: bye}
  quick:
    - menu: {prompt: Press one., options: {1: bye}, first: 20s, give_up: bye}
  bye:
    - hangup
"""


def test_a_key_that_is_pressed_while_the_prompt_is_rendered_counts(
    house: House,
) -> None:
    house.add_department("slow", "8060", {"flows/main.yaml": SLOW, "plugin.py": SLOW_PLUGIN})
    engine = house.home / "conf" / "engine.yaml"  # a cache of its own: nothing is rendered yet
    text = engine.read_text(encoding="utf-8")
    start = text.index("prompts: {cache:")
    text = text[:start] + f"prompts: {{cache: {house.home / 'cold'}}}" + text[text.index("\n", start) :]
    engine.write_text(text, encoding="utf-8")
    house.start("--switch", "freeswitch", within=150)
    clock: Clock = house.clock
    caller = house.outside().dial("8060").wait_answered(10)
    clock.sleep(0.2)
    began = clock.monotonic()
    caller.press("1")
    at_press = len(caller.sound.heard)
    house.wait_for(lambda: house.calls() and "quick" in house.calls()[0]["step"], "the key was lost", 60)
    waited = clock.monotonic() - began
    silent = loudness(pcm(bytes(caller.sound.heard[:at_press])))
    print(f"FIGURE key while rendering: taken after {waited:.2f} s, loudness before it {silent:.0f}")
    assert silent < 50  # nothing had been said yet
    caller.hang_up()
