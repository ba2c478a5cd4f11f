"""Conversations of the first line with the experts' line, and the question row that each leaves."""

from __future__ import annotations

from typing import Any

import pytest

LANGUAGES = pytest.mark.parametrize("language", ["zh-CN", "en"])


def question(centre: Any, **where: Any) -> Any:
    return centre.one("expert.questions", **where)


def rated(caller: Any, *marks: str) -> Any:
    for name, mark in zip(("solution", "attitude", "effort"), marks, strict=False):
        caller.hears(f"expert/rate_{name}").presses(mark)
    return caller


@LANGUAGES
def test_an_expert_of_the_topic_answers_sees_who_asks_and_is_rated(
    centre: Any, first_line: Any, language: str
) -> None:
    caller = first_line.asks("claims", language=language)
    caller.hears("expert/customer_on_hold").presses("1")
    caller.hears("connecting")
    expert = centre.agent("8032").is_offered(caller)
    expert.sees(staff="60101", name="吴敏仪", branch="广州白云营业部", customer_on_hold=True, times=1)
    centre.clock.advance("5s")
    expert.answers()
    caller.talks_to(expert)
    centre.clock.advance("2m")
    expert.hangs_up()
    rated(caller, "5", "4", "3").hears("rate_thanks")
    caller.hears("expert/another_question").hangs_up()
    row = question(centre)
    assert (row.staff, row.name, row.branch, row.region) == ("60101", "吴敏仪", "广州白云营业部", "华南")
    assert (row.topic, row.holding, row.expert, row.last_expert) == ("claims", True, "8032", "8032")
    assert (row.solution, row.attitude, row.effort) == (5, 4, 3)
    assert row.talked == pytest.approx(120, abs=2)
    assert (row.answered - row.queued).total_seconds() == pytest.approx(8, abs=4)
    assert row.language == language
    assert row.closed is None, "an expert has to say what came of it"


def test_the_row_is_there_from_the_first_second_on(centre: Any) -> None:
    caller = centre.caller(number="+8613800138000").dials("8002")
    caller.hears("expert/choose_language")
    row = question(centre)
    assert (row.call, row.caller, row.staff, row.closed) == (caller.uuid, "+8613800138000", "", None)
    caller.hangs_up()
    row = question(centre)
    assert (row.disposition, row.closed_by) == ("none", "engine"), "no question came of it"
    assert row.ended is not None


def test_whoever_is_known_by_the_phone_is_asked_nothing(centre: Any, seed: Any) -> None:
    seed.party(kind="employee", code="60202", name="潘晓彤", language="zh-CN", numbers=("+8613900099202",))
    caller = centre.caller(number="+8613900099202").dials("8002")
    caller.hears("recorded_notice")
    caller.hears("expert/welcome")
    caller.hears("expert/which_topic").hangs_up()
    assert question(centre).staff == "60202"


def test_whoever_speaks_english_is_greeted_so(centre: Any, seed: Any) -> None:
    seed.party(kind="employee", code="60302", name="Grace Liu", language="en", numbers=("+8613900099302",))
    caller = centre.caller(number="+8613900099302").dials("8002")
    assert caller.hears("recorded_notice").language == "en"
    assert caller.hears("expert/welcome").text == "Hello, Grace Liu."


@pytest.mark.parametrize("trouble", ["no such number", "the directory is down"])
def test_a_phone_that_leads_to_nobody_in_the_directory_is_asked_for_the_number(
    centre: Any, seed: Any, trouble: str
) -> None:
    code = "60202" if trouble == "the directory is down" else "99999"
    seed.party(kind="employee", code=code, name="?", language="zh-CN", numbers=("+8613900099202",))
    if trouble == "the directory is down":
        centre.adapter("expert.StaffDirectory").raises(RuntimeError("down"))
    caller = centre.caller(number="+8613900099202").dials("8002")
    caller.hears("recorded_notice")
    caller.hears("expert/enter_number")


def test_a_phone_of_the_house_says_its_staff_number_too(centre: Any) -> None:
    caller = centre.caller(number="1009", origin="internal").dials("8002")
    caller.hears("expert/choose_language").presses("1")
    caller.hears("recorded_notice")
    caller.hears("expert/enter_number")


@LANGUAGES
def test_an_unknown_number_may_be_typed_again(centre: Any, first_line: Any, language: str) -> None:
    caller = first_line.opened(language).presses("69999#")
    caller.hears("expert/no_such_number")
    caller.hears("expert/try_again").presses("1")
    caller.hears("expert/enter_number").presses("60401#")
    caller.hears("expert/welcome").hangs_up()
    assert question(centre).name == "蒋春燕"


def test_who_works_here_no_more_is_unknown(first_line: Any) -> None:
    first_line.opened().presses("60404#").hears("expert/no_such_number")


@pytest.mark.parametrize("key", ["2", ""])
def test_without_a_number_one_may_ask_all_the_same(centre: Any, first_line: Any, key: str) -> None:
    caller = first_line.opened().presses("69999#")
    caller.hears("expert/no_such_number")
    heard = caller.hears("expert/try_again")
    if key:
        heard.presses(key)
    else:
        caller.stays_silent().hears("silent")
        caller.hears("expert/try_again").stays_silent().hears("silent")
        caller.hears("expert/try_again").stays_silent()
    caller.hears("expert/goes_on_unnamed")
    caller.hears("expert/which_topic").presses("5")
    caller.hears("expert/customer_on_hold").hangs_up()
    row = question(centre)
    assert (row.staff, row.topic) == ("", "systems")


def test_a_number_too_short_is_asked_for_again_and_silence_leads_on(first_line: Any) -> None:
    caller = first_line.opened().presses("12#")
    caller.hears("expert/wrong_number")
    caller.hears("expert/enter_number").stays_silent()
    caller.hears("silent")
    caller.hears("expert/enter_number").stays_silent()
    caller.hears("expert/goes_on_unnamed")


@pytest.mark.parametrize("trouble", ["fails", "hangs"])
def test_a_directory_that_does_not_answer_is_told_and_the_number_is_kept(
    centre: Any, first_line: Any, trouble: str
) -> None:
    directory = centre.adapter("expert.StaffDirectory")
    directory.hangs() if trouble == "hangs" else directory.raises(RuntimeError("down"))
    caller = first_line.opened().presses("60101#")
    caller.hears("expert/directory_unreachable")
    caller.hears("expert/which_topic").hangs_up()
    row = question(centre)
    assert (row.staff, row.name) == ("60101", "")


@pytest.mark.parametrize("keys", ["", "9"])
def test_who_chooses_no_topic_is_connected_with_anybody(
    centre: Any, first_line: Any, only: Any, keys: str
) -> None:
    expert = only("8034")
    caller = first_line.named()
    for attempt in range(3):
        for _ in range(5):
            caller.hears("expert/topic_entry")
        if keys:
            caller.presses(keys)
        if attempt < 2:
            caller.hears("wrong" if keys else "silent")
            caller.hears("expert/which_topic")
    caller.hears("expert/goes_to_anybody")
    caller.hears("expert/customer_on_hold").presses("2")
    caller.hears("connecting")
    expert.is_offered(caller)
    assert question(centre).topic == ""


def test_a_caller_with_a_customer_on_hold_goes_before_one_without(
    centre: Any, first_line: Any, only: Any
) -> None:
    expert = only("8031")
    expert.pauses("meal")
    patient = first_line.waits("tariff", "60101")
    centre.clock.advance("30s")
    pressed = first_line.waits("tariff", "60201", holding=True).hears_music()
    expert.ready()
    expert.is_offered(pressed).answers()
    expert.hangs_up(disposition="answer")
    expert.is_offered(patient)
    first, second = question(centre, staff="60101"), question(centre, staff="60201")
    assert (first.holding, second.holding) == (False, True)


def test_an_agent_with_a_customer_on_hold_who_asks_the_queue_is_a_question_of_the_book(
    centre: Any, only: Any
) -> None:
    expert = only("8034")
    customer = centre.caller().dials("8004")
    customer.hears("logistics/choose_language").presses("1")
    customer.hears("recorded_notice")
    customer.hears("logistics/main_menu").presses("0")
    customer.hears("connecting")
    for one in ("8013", "8014"):
        centre.agent(one).pauses("meal")
    agent = centre.agent("8012").is_offered(customer).answers()
    customer.talks_to(agent)
    talk = centre.app.calls.get(customer.uuid).talk
    talk.do("consult", "queue:expert", by="8012")
    expert.is_offered(customer).answers()
    talk.do("conference", "", by="8012")
    centre.clock.advance("30s")
    expert.hangs_up(disposition="gap")
    agent.hangs_up()
    row = question(centre)
    assert (row.staff, row.name, row.holding, row.expert) == ("8012", "林晓燕", True, "8034")
    assert (row.disposition, row.closed_by, bool(row.draft)) == ("gap", "8034", True)


def test_the_one_who_knows_the_topic_best_is_asked_first(centre: Any, first_line: Any) -> None:
    caller = first_line.waits("policy")
    centre.agent("8035").is_not_offered("1s")
    centre.agent("8033").is_offered(caller).rejects()
    centre.agent("8035").is_offered(caller)


def test_an_expert_without_the_skill_is_never_asked(centre: Any, first_line: Any, only: Any) -> None:
    expert = only("8034")
    first_line.waits("tariff")
    expert.is_not_offered("2m")


def test_rings_that_were_not_answered_are_counted(centre: Any, first_line: Any, only: Any) -> None:
    only("8032")
    caller = first_line.waits("claims")
    centre.agent("8032").is_offered(caller).rejects()
    centre.clock.advance("11s")
    centre.agent("8032").is_offered(caller)
    centre.clock.advance("21s")
    found = centre.rows("expert.missed")
    assert [(one.expert, one.why) for one in found] == [("8032", "rejected"), ("8032", "no_answer")]
    assert {one.question for one in found} == {question(centre).id}


def leaves(centre: Any, only: Any, number: str) -> Any:
    """A caller who leaves the queue by its key, while no expert is free, to be called back."""
    only("8032").pauses("meal")
    inside = len(number) < 6
    caller = centre.caller(number=number, origin="internal" if inside else "pstn").dials("8002")
    caller.hears("expert/choose_language").presses("1")
    caller.hears("recorded_notice")
    caller.hears("expert/enter_number").presses("60101#")
    caller.hears("expert/welcome")
    caller.hears("expert/which_topic").presses("2")
    caller.hears("expert/which_answer").presses("0")
    caller.hears("expert/customer_on_hold").presses("2")
    caller.hears("connecting")
    caller.hears("expert/position_or_later", position=1).presses("1")
    caller.hears("expert/later").presses("1")
    return caller.says("6s").hears("expert/say_question")


def said(caller: Any) -> Any:
    caller.hears_beep()
    caller.hears("clip_review").presses("3")
    return caller


def test_who_waits_may_leave_the_question_in_own_words_for_a_call_back(outside: Any, out_only: Any) -> None:
    caller = leaves(outside, out_only, "+8613800138000")
    said(caller).hears("expert/called_back_soon")
    caller.hears("bye")
    assert caller.ended
    row = question(outside)
    assert row.clip != ""
    assert (row.expert, row.closed) == ("", None)
    owed = outside.one("callbacks")
    assert (owed["queue"], owed["call"]) == ("expert", caller.uuid)


def test_who_says_nothing_is_called_back_all_the_same(outside: Any, out_only: Any) -> None:
    caller = leaves(outside, out_only, "+8613800138000").says("0s")
    for _ in range(3):
        caller.hears_beep()
    caller.hears("expert/called_back_soon")
    assert question(outside).clip == ""


def test_the_question_survives_an_engine_that_dies_while_it_is_dictated(centre: Any, only: Any) -> None:
    # A caller whom a plugin knows by the phone: the place of the call is at its longest here.
    caller = leaves(centre, only, "1009")
    caller.hears_beep()
    caller.hears("clip_review")
    centre.engine.kill()
    centre.engine.start()
    caller.presses("3")
    caller.hears("expert/no_call_back")
    assert question(centre).clip != ""


def test_a_number_that_may_not_be_rung_is_not_promised_a_call(centre: Any, only: Any) -> None:
    caller = said(leaves(centre, only, "+8613800138000"))
    caller.hears("expert/no_call_back")
    caller.hears("expert/question_kept")
    caller.hears("bye")


@pytest.mark.parametrize("key", ["1", "2", ""])
def test_who_is_called_back_talks_about_the_question_of_the_first_call(
    outside: Any, out_only: Any, key: str
) -> None:
    caller = said(leaves(outside, out_only, "+8613800138000"))
    caller.hears("expert/called_back_soon")
    caller.hears("bye")
    assert caller.ended
    first = question(outside)
    expert = outside.agent("8032").ready()
    line = dialled(outside)
    assert heard(outside, line) == "expert/calling_back"
    if key != "1":
        if key:
            line.press(key)
        assert heard(outside, line) == ("bye" if key else "silent")
        return
    line.press("1")
    assert expert.phone.wait_ring(30.0) is not None
    [call] = outside.calls()
    assert (call.told["topic"], call.told["name"]) == ("理赔与异常", "吴敏仪")
    expert.answers()
    outside.clock.advance("30s")
    expert.hangs_up(disposition="answer")
    assert heard(outside, line) == "expert/rate_solution"
    line.press("5")
    assert heard(outside, line) == "expert/rate_attitude"
    row = question(outside)
    assert (row.id, row.expert, row.called_back, row.solution) == (first.id, "8032", call.id, 5)
    assert row.talked == pytest.approx(30, abs=2)


def dialled(centre: Any) -> Any:
    """The next call that goes out."""
    end = centre.virtual.monotonic() + 120.0
    while centre.virtual.monotonic() < end:
        if centre.simulator.lines:
            return centre.simulator.lines[-1]
        centre.virtual.sleep(0.1)
    raise AssertionError("nobody was called")


def heard(centre: Any, line: Any) -> str:
    """The next words on such a line."""
    while (found := centre.describe(line.next_playback(30.0).path)) is None:
        pass
    return found.key or found.text


def test_full_busy_and_nobody_lead_to_a_call_back(centre: Any, first_line: Any, only: Any) -> None:
    for one in ("8031", "8032", "8036"):
        centre.agent(one).logs_out()
    caller = first_line.waits("claims")
    caller.hears("expert/no_expert")
    caller.hears("expert/later").presses("2")
    caller.hears("bye")
    row = question(centre)
    assert (row.topic, row.expert, row.closed) == ("claims", "", None)


def test_who_waits_too_long_is_told(centre: Any, first_line: Any, only: Any) -> None:
    only("8032").pauses("meal")
    caller = first_line.waits("claims", holding=True)
    for _ in range(9):
        caller.hears("position")
    centre.clock.advance("30s")
    caller.hears("all_busy")
    caller.hears("expert/later").stays_silent()
    caller.hears("silent")
    caller.hears("expert/later").stays_silent()
    caller.hears("expert/question_kept")
    caller.hears("bye")


def test_outside_of_hours_the_question_is_kept(centre: Any, first_line: Any) -> None:
    centre.closes("desk", "1h", "closed")
    caller = first_line.asks("systems")
    caller.hears("closed")
    caller.hears("expert/later").presses("2")
    caller.hears("bye")
    assert question(centre).closed is None


def test_who_asks_again_leaves_one_open_question(centre: Any, first_line: Any, only: Any) -> None:
    only()
    first = first_line.waits("claims")
    first.hangs_up()
    second = first_line.waits("claims")
    before, now = centre.rows("expert.questions")
    assert (before.disposition, before.note) == ("again", f"asked again as {now.id}")
    assert now.closed is None
    second.hangs_up()


def test_a_second_question_of_one_call_is_a_row_of_its_own(centre: Any, first_line: Any) -> None:
    caller = first_line.waits("claims")
    expert = centre.agent("8032").is_offered(caller).answers()
    centre.clock.advance("1m")
    expert.hangs_up(disposition="answer")
    caller.hears("expert/rate_solution").stays_silent()
    caller.hears("expert/another_question").presses("1")
    caller.hears("expert/which_topic").presses("5")
    caller.hears("expert/customer_on_hold").presses("2")
    caller.hears("connecting")
    other = centre.agent("8034").is_offered(caller).answers()
    centre.clock.advance("30s")
    other.hangs_up(disposition="answer")
    caller.hears("expert/rate_solution").hangs_up()
    first, second = centre.rows("expert.questions")
    assert [(one.nth, one.topic, one.expert) for one in (first, second)] == [
        (1, "claims", "8032"),
        (2, "systems", "8034"),
    ]
    assert (first.talked, second.talked) == (pytest.approx(60, abs=2), pytest.approx(30, abs=2))
    assert second.staff == "60101"


def test_who_hangs_up_in_the_talk_is_known_to_have_talked(centre: Any, first_line: Any) -> None:
    caller = first_line.waits("systems")
    expert = centre.agent("8034").is_offered(caller).answers()
    centre.clock.advance("45s")
    caller.talks_to(expert).hangs_up()
    row = question(centre)
    assert (row.expert, row.talked) == ("8034", pytest.approx(45, abs=2))
    assert row.ended is not None


@pytest.mark.parametrize("marks", [("1",), ("1", "2"), ("1", "2", "5")])
def test_marks_are_kept_as_far_as_they_were_given(
    centre: Any, first_line: Any, marks: tuple[str, ...]
) -> None:
    caller = first_line.waits("systems")
    centre.agent("8034").is_offered(caller).answers().hangs_up()
    rated(caller, *marks)
    caller.hears(
        "rate_thanks" if len(marks) == 3 else f"expert/rate_{('solution', 'attitude', 'effort')[len(marks)]}"
    )
    caller.hangs_up()
    row = question(centre)
    given = [mark for mark in (row.solution, row.attitude, row.effort) if mark is not None]
    assert given == [int(mark) for mark in marks]


JOURNEY = [
    ("expert/choose_language", "1"),
    ("recorded_notice", ""),
    ("expert/enter_number", "60101#"),
    ("expert/welcome", ""),
    ("expert/which_topic", "2"),
    ("expert/which_answer", "0"),
    ("expert/customer_on_hold", "1"),
    ("connecting", ""),
]


@pytest.mark.parametrize("steps", range(len(JOURNEY)), ids=[prompt for prompt, _ in JOURNEY])
def test_a_caller_may_hang_up_at_any_step_and_leaves_one_question_and_one_cdr(
    centre: Any, steps: int
) -> None:
    caller = centre.caller(number="+8613800138000").dials("8002")
    for prompt, keys in JOURNEY[:steps]:
        caller.hears(prompt)
        if keys:
            caller.presses(keys)
    caller.hears(JOURNEY[steps][0]).hangs_up()
    assert centre.calls() == []
    assert len(centre.cdrs()) == 1
    row = question(centre)
    assert row.ended is not None
    assert (row.disposition == "none") == (steps < 5)


@pytest.mark.parametrize("killed", range(len(JOURNEY)), ids=[prompt for prompt, _ in JOURNEY])
def test_an_engine_killed_at_any_step_leaves_one_question(centre: Any, killed: int) -> None:
    caller = centre.caller(number="+8613800138000").dials("8002")
    for step, (prompt, keys) in enumerate(JOURNEY):
        while caller.hears_next().key != prompt:
            pass  # what a question of an engine before says again
        if step == killed:
            centre.engine.kill()
            centre.engine.start()
        if keys:
            caller.presses(keys)
    expert = centre.agent("8032").is_offered(caller).answers()
    caller.talks_to(expert).hangs_up()
    row = question(centre)
    assert (row.topic, row.staff, row.holding, row.expert) == ("claims", "60101", True, "8032")
