"""The experts' line on a real FreeSWITCH: an answer that does not help, an expert by topic, who has a customer on hold
first, two experts with the caller, marks and closing by keys."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.house import House
from tests.e2e.keyed import Keyed

pytestmark = pytest.mark.switch


def at(house: House, call: Any, step: str) -> None:
    """The call of that phone has come to this step."""
    house.wait_for(
        lambda: any(
            step in one["step"] for one in house.calls() if one["number"].endswith(call.phone.user[-4:])
        ),
        f"{call.phone.user} is not in {step}",
        40,
    )
    house.clock.sleep(0.4)


def rates(house: House, call: Any, step: str, mark: str) -> None:
    """The switch takes the mark for this question, and it is pressed."""
    at(house, call, f"{step}[1] rate")
    [id] = [one["id"] for one in house.calls() if one["number"].endswith(call.phone.user[-4:])]
    house.wait_for(
        lambda: "play_and_get_digits" in house.switch(f"uuid_getvar {id} current_application"),
        f"{step} is not asked",
    )
    house.clock.sleep(0.4)
    call.press(mark)


def asks(house: House, number: str, holding: str) -> Any:
    """Somebody of the first line, up to the queue: a topic, its answer heard, not solved."""
    call = house.outside(number).dial("8002").wait_answered(20)
    at(house, call, "language")
    call.press("1")
    at(house, call, "number[1] collect")
    call.press("60101#")
    at(house, call, "topic")
    call.press("3")
    at(house, call, "answers")
    house.clock.sleep(1.0)
    call.press("2")
    house.clock.sleep(1.0)
    if any("answers" in one["step"] for one in house.calls() if one["number"].endswith(number[-4:])):
        call.press("2")  # the first one ended the answer, the second says that it did not help
    at(house, call, "holding")
    call.press(holding)
    at(house, call, "[2] queue")  # behind the words "we connect you"
    house.clock.sleep(0.5)
    return call


def test_a_question_from_the_answer_to_the_marks(house: House) -> None:
    house.start("--switch", "freeswitch")
    expert = house.desk("1035")
    house.wait_for(lambda: house.get("/agents/8035").get("state") == "ready", "8035 is not ready", 30)
    house.post("/agents/8035/pause", reason="meeting")
    patient = asks(house, "13900000001", "2")
    pressed = asks(house, "13900000002", "1")
    house.post("/agents/8035/ready")
    ring = expert.wait_ring(15)
    ring.answer()
    house.wait_state("talking")
    [talk] = [one for one in house.calls() if one["state"] == "talking"]
    assert talk["number"].endswith("0002"), "who has a customer on hold goes first"
    house.clock.sleep(1.5)
    ring.hang_up()
    rates(house, pressed, "solution", "5")
    rates(house, pressed, "attitude", "4")
    at(house, pressed, "effort[1] rate")
    pressed.hang_up()
    house.command("agent", "disposition", "8035", "answer")
    _two_experts(house, expert, patient)
    [first, second] = [
        {row["fact"]: row["value"] for row in house.cli("expert", "show", number)} for number in ("2", "1")
    ]
    assert (first["expert"], first["disposition"], first["answer"], first["version"]) == (
        "8035",
        "answer",
        "3501",
        1,
    )
    assert (first["solution"], first["attitude"], first["holding"]) == (5, 4, True)
    assert "effort" not in first, "hung up before the third mark"
    assert (second["expert"], second["last_expert"], second["closed_by"]) == ("8035", "8036", "8036")
    assert (second["disposition"], second["answer"], "holding" in second) == ("answer", "3501", False)
    assert house.cli("report", "expert.open") == []
    _hung_up_without_an_engine(house)
    print("FIGURE", first, second)


def _two_experts(house: House, one: Any, caller: Any) -> None:
    """The first expert asks another one by keys, all three talk, the first leaves; the second closes the question by
    keys."""
    other = house.desk("1036")
    house.wait_for(lambda: house.get("/agents/8036").get("state") == "ready", "8036 is not ready", 30)
    ring = one.wait_ring(15)
    ring.answer()
    house.wait_state("talking")
    house.clock.sleep(1.0)
    ring.press("*58036#")
    second = other.wait_ring(15)
    second.answer()
    house.clock.sleep(1.5)
    ring.press("*3")
    house.clock.sleep(1.5)
    caller.say_tone(1013, 2.0)
    house.wait_for(lambda: ring.sound.hears(1013) > 800 and second.sound.hears(1013) > 800, "not three", 5)
    ring.press("*2")
    house.wait_for(lambda: ring.over, "the first expert was not let go", 5)
    house.clock.sleep(1.0)
    second.hang_up()
    at(house, caller, "solution")
    caller.hang_up()
    house.post("/agents/8036/ready")
    house.clock.sleep(1.0)
    closing = Keyed(house, other, "*26")
    closing.at("how[1] menu", "1").at("answer[1] collect", "3501#").at("answer[4] menu", "1").reaches("next")
    closing.hangs_up()


def _hung_up_without_an_engine(house: House) -> None:
    """Who hangs up while no engine is there leaves an ended question and a CDR: the next engine sees to both."""
    caller = house.outside("13900000004").dial("8002").wait_answered(20)
    at(house, caller, "language")
    house.kill()
    caller.hang_up()
    house.start("--switch", "freeswitch")
    question = house.wait_for(
        lambda: [one for one in house.cli("cdr", "list") if one["number"].endswith("0004")], "no CDR"
    )
    assert question[0]["outcome"] == "lost"
    found = {row["fact"]: row["value"] for row in house.cli("expert", "show", "3")}
    assert (found["caller"], found["disposition"], found["closed_by"]) == ("+8613900000004", "none", "engine")
    assert found["ended"]
