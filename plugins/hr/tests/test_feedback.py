"""Feedback on a branch: by nobody or by name, never handled by the branch, followed up with a code."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import NUMBER

DIGITS = NUMBER.removeprefix("+86")
NAME = "Zhou Anonymous"
BAIYUN = "2"  # the key of 广州白云网点: branches are said by their codes


def test_nobody_knows_who_gave_it(line: Any, centre: Any) -> None:
    caller = centre.caller(number=NUMBER, name=NAME).dials("8003")
    caller.hears("choose_language").presses("1")
    assert (caller.view.number, caller.view.name) == ("", "")
    caller.hears("hr/main_menu").presses("2")
    caller.hears("hr/feedback_how").presses("1")
    caller.hears("hr/nobody_knows")
    caller.hears("hr/which_branch")
    code = line.files(caller)
    assert caller.view.recording == ""
    nowhere(centre)
    centre.agent("8043").ready()
    caller.presses("0")
    caller.hears("connecting")
    agent = centre.agent("8043").is_offered(caller).answers()
    nowhere(centre)
    agent.hangs_up(disposition="answered")
    caller.hears("bye")
    assert caller.ended == "NORMAL_CLEARING"
    nowhere(centre)
    assert centre.cdrs()[0].number == ""
    assert centre.rows("recordings") == []
    ticket, row = centre.one("tickets"), centre.one("hr.feedback")
    assert (ticket["caller"], ticket["call"], row.employee) == ("", "", "")
    assert (ticket["away_from"], row.branch, row.topic, row.code) == (
        "guangzhou_baiyun",
        "7101",
        "conduct",
        code,
    )
    assert len(code) == 10


def nowhere(centre: Any) -> None:
    """Neither the number in any form nor the name of the caller stands in anything that was written."""
    for what in (NUMBER, DIGITS, NAME):
        centre.nowhere(what)


def test_nobody_knows_either_when_the_engine_dies_in_between(line: Any, centre: Any) -> None:
    caller = line.nobody()
    line.picks_branch(caller, BAIYUN)
    caller.hears("hr/which_topic")
    centre.engine.kill()
    centre.engine.start()
    caller.presses("1")
    caller.hears("hr/say_what_happened").says("4s").hears_beep()
    caller.hears("clip_review")
    centre.engine.kill()
    centre.engine.start()
    caller.presses("3")
    caller.hears("hr/filed").hangs_up()
    nowhere(centre)
    assert len(centre.rows("hr.feedback")) == 1


@pytest.mark.parametrize("moment", ["accepted", "filed", "code"])
def test_it_is_filed_once_and_the_code_stays_the_same(line: Any, centre: Any, moment: str) -> None:
    caller = line.nobody()
    line.picks_branch(caller, BAIYUN)
    caller.hears("hr/which_topic").presses("1")
    caller.hears("hr/say_what_happened").says("4s").hears_beep()
    caller.hears("clip_review").presses("3")
    if moment == "accepted":
        centre.engine.kill()
        centre.engine.start()
    caller.hears("hr/filed")
    if moment == "filed":
        centre.engine.kill()
        centre.engine.start()
    first = str(caller.hears("hr/your_code").values["filed.code"])
    if moment == "code":
        centre.engine.kill()
        centre.engine.start()
    assert str(caller.hears("hr/your_code").values["filed.code"]) == first
    assert centre.one("hr.feedback").code == first
    assert len(centre.rows("tickets")) == 1


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize(("key", "topic"), [("2", "hours"), ("3", "pay"), ("4", "safety"), ("5", "other")])
def test_what_it_is_about_is_chosen(line: Any, centre: Any, language: str, key: str, topic: str) -> None:
    caller = line.nobody(language)
    line.files(caller, key="5", topic=key)
    caller.presses("1")
    caller.hears("hr/your_code")
    caller.hears("hr/your_code")
    caller.hears("hr/after_code").presses("*")
    caller.hears("bye")
    assert centre.one("hr.feedback").topic == topic


def test_who_presses_nothing_is_about_something_else_and_who_says_nothing_files_nothing(
    line: Any, centre: Any
) -> None:
    caller = line.nobody()
    line.picks_branch(caller, BAIYUN)
    caller.hears("hr/which_topic").stays_silent()
    caller.hears("silent")
    caller.hears("hr/which_topic").stays_silent()
    caller.says(0)
    for attempt in range(3):
        caller.hears("hr/say_what_happened").hears_beep()
        if attempt < 2:
            caller.hears("silent")
    caller.hears("hr/nothing_filed")
    caller.hears("bye")
    assert centre.rows("hr.feedback") == []
    assert centre.rows("tickets") == []


def test_who_hangs_up_before_it_is_accepted_has_filed_nothing(line: Any, centre: Any) -> None:
    caller = line.nobody()
    line.picks_branch(caller, BAIYUN)
    caller.hears("hr/which_topic").presses("1")
    caller.hears("hr/say_what_happened").says("4s").hears_beep()
    caller.hears("clip_review").hangs_up()
    assert centre.rows("tickets") == []
    assert centre.rows("clips") == []


def test_branches_that_can_not_be_looked_up_are_told(line: Any, centre: Any) -> None:
    centre.adapter("hr.Staff").hangs()
    caller = line.main().presses("2")
    caller.hears("hr/feedback_how").presses("1")
    caller.hears("hr/nobody_knows")
    caller.hears("system_trouble")
    caller.hears("bye")


def test_who_chooses_no_branch_is_let_go(line: Any) -> None:
    caller = line.nobody()
    for attempt in range(3):
        for _ in range(7):
            caller.hears("hr/branch_entry")
        caller.stays_silent()
        if attempt < 2:
            caller.hears("silent")
            caller.hears("hr/which_branch")
    caller.hears("hr/nothing_filed")


# -- by name ---------------------------------------------------------------------------------------------


def test_by_name_it_carries_the_staff_number(line: Any, centre: Any) -> None:
    caller = line.main().presses("2")
    caller.hears("hr/feedback_how").presses("2")
    line.signs_in(caller, "30012")
    caller.hears("hr/which_branch")
    line.files(caller)
    caller.presses("*")
    caller.hears("bye")
    row, ticket = centre.one("hr.feedback"), centre.one("tickets")
    assert row.employee == "30012"
    assert ticket["call"] == caller.uuid
    assert caller.ended
    assert centre.cdrs()[0].number == NUMBER


def test_from_ones_own_menu_it_is_by_name_after_a_warning(line: Any, centre: Any) -> None:
    caller = line.employee("30013").presses("5")
    caller.hears("hr/feedback_by_name").presses("2")
    caller.hears("hr/employee_menu").presses("5")
    caller.hears("hr/feedback_by_name").presses("1")
    caller.hears("hr/which_branch")
    line.files(caller)
    caller.presses("*")
    caller.hears("hr/employee_menu").hangs_up()
    assert centre.one("hr.feedback").employee == "30013"


def test_who_is_not_known_may_still_stay_anonymous(line: Any, centre: Any) -> None:
    caller = line.main().presses("2")
    caller.hears("hr/feedback_how").presses("*")
    caller.hears("hr/feedback_how").presses("2")
    for attempt in range(3):
        caller.hears("hr/enter_number").stays_silent()
        if attempt < 2:
            caller.hears("silent")
    caller.hears("hr/not_known_by_name")
    caller.hears("hr/feedback_how").presses("1")
    caller.hears("hr/nobody_knows").hangs_up()
    nowhere(centre)


def test_a_locked_employee_is_told(line: Any) -> None:
    for _ in range(2):
        caller = line.main().presses("2")
        caller.hears("hr/feedback_how").presses("2")
        for _ in range(3):
            caller.hears("hr/enter_number").presses("30012#")
            caller.hears("hr/enter_pin").presses("000000#")
            if caller.hears_next()._said.key == "hr/locked":
                caller.hears("bye")
                break
        caller.hangs_up()
    caller = line.main().presses("2")
    caller.hears("hr/feedback_how").presses("2")
    line.signs_in(caller, "30012")
    caller.hears("hr/locked")


# -- never the branch itself ------------------------------------------------------------------------------


def test_nobody_of_the_branch_is_offered_the_call(line: Any, centre: Any) -> None:
    caller = line.nobody()
    line.files(caller, key=BAIYUN)
    theirs, ours = centre.agent("8044").ready(), centre.agent("8043")
    caller.presses("0")
    caller.hears("connecting")
    caller.hears("no_agents")
    caller.hears("bye")
    ours.ready().pauses("meal")
    caller = line.nobody()
    line.files(caller, key=BAIYUN)
    caller.presses("0")
    caller.hears("connecting")
    theirs.is_not_offered(within="90s")  # not when the skill is relaxed after a minute either
    ours.ready()
    ours.is_offered(caller).answers().hangs_up(disposition="answered")
    for _ in range(2):
        caller.hears("position")
    caller.hears("bye")
    # About another branch the same agent may be asked.
    caller = line.nobody()
    line.files(caller, key="5")
    ours.pauses("meal")
    caller.presses("0")
    caller.hears("connecting")
    theirs.is_offered(caller)


def test_nobody_of_the_branch_is_given_the_ticket(line: Any, centre: Any, desk: Any) -> None:
    caller = line.nobody()
    line.files(caller, key=BAIYUN)
    number = centre.one("tickets")["number"]
    desk.refuses("kept_away", "take", number=number, agent="8044")
    desk.refuses("kept_away", "answer", number=number, agent="8044", text="nothing to it")
    desk.refuses("kept_away", "take", number=number, agent="li.na")
    assert "8043" in desk.runs("take", number=number, agent="8043")
    assert centre.one("tickets")["owner"] == "8043"


# -- following it up --------------------------------------------------------------------------------------


def follows(line: Any, code: str, language: str = "zh-CN") -> Any:
    caller = line.main(language).presses("3")
    return caller.hears("hr/enter_code").presses(f"{code}#")


def test_an_answer_in_words_is_heard_with_the_code_and_agreed_to(line: Any, centre: Any, desk: Any) -> None:
    caller = line.nobody()
    code = line.files(caller)
    caller.hangs_up()
    caller = follows(line, code)
    caller.hears("hr/follow_up_begins")
    caller.hears("hr/feedback_waits")
    caller.hears("hr/unanswered_menu").presses("*")
    caller.hears("bye")
    number = centre.one("tickets")["number"]
    desk.runs("take", number=number, agent="8043")
    caller = follows(line, code)
    caller.hears("hr/follow_up_begins")
    caller.hears("hr/feedback_worked_on")
    caller.hears("hr/unanswered_menu").hangs_up()
    desk.runs("answer", number=number, agent="8043", text="网点经理已被约谈。", outcome="justified")
    caller = follows(line, code)
    caller.hears("hr/follow_up_begins")
    assert "网点经理已被约谈。" in caller.hears("hr/reply_is").text
    caller.hears("hr/answered_menu").presses("1")
    caller.hears("hr/reply_is")
    caller.hears("hr/answered_menu").presses("3")
    caller.hears("hr/settled")
    caller.hears("bye")
    row = centre.one("hr.feedback")
    assert (row.outcome, row.settled is not None, centre.one("tickets")["state"]) == (
        "justified",
        True,
        "closed",
    )
    nowhere(centre)
    # Heard again later, it may be agreed to twice without harm.
    caller = follows(line, code)
    caller.hears("hr/follow_up_begins")
    caller.hears("hr/reply_is")
    caller.hears("hr/answered_menu").presses("3")
    caller.hears("hr/settled")


def test_who_is_not_content_says_more_and_it_is_owed_again(line: Any, centre: Any, desk: Any) -> None:
    caller = line.nobody()
    code = line.files(caller)
    caller.hangs_up()
    number = centre.one("tickets")["number"]
    caller = follows(line, code, "en")
    caller.hears("hr/follow_up_begins")
    caller.hears("hr/feedback_waits")
    caller.hears("hr/unanswered_menu").presses("2")
    caller.hears("hr/say_more").says("3s").hears_beep()
    caller.hears("clip_review").presses("3")
    caller.hears("hr/more_kept")
    assert len(centre.rows("hr.feedback_clips")) == 2
    desk.runs("answer", number=number, agent="8043", text="Nothing was found.", outcome="unfounded")
    caller = follows(line, code, "en")
    caller.hears("hr/follow_up_begins")
    caller.hears("hr/reply_is")
    caller.hears("hr/answered_menu").presses("2")
    caller.hears("hr/say_more").says("3s").hears_beep()
    caller.hears("clip_review").presses("3")
    caller.hears("hr/more_kept")
    assert (centre.one("tickets")["state"], centre.one("hr.feedback").reopened) == ("reopened", 1)
    desk.runs("answer", number=number, agent="8043", text="It was looked into again.", outcome="partly")
    assert centre.one("hr.feedback").outcome == "partly"
    nowhere(centre)


def test_a_code_that_nobody_has_is_asked_for_three_times(line: Any, centre: Any) -> None:
    caller = line.main().presses("3")
    for _ in range(3):
        caller.hears("hr/enter_code").presses("0000000001#")
        caller.hears("hr/no_such_code")
    caller.hears("bye")
    assert caller.ended == "NORMAL_CLEARING"
    caller = line.main().presses("3")
    for attempt in range(3):
        caller.hears("hr/enter_code").stays_silent()
        if attempt < 2:
            caller.hears("silent")
    caller.hears("bye")


def test_the_desk_is_asked_about_it_but_not_that_of_the_branch(line: Any, centre: Any) -> None:
    caller = line.nobody()
    code = line.files(caller, key=BAIYUN)
    caller.hangs_up()
    theirs, ours = centre.agent("8044").ready(), centre.agent("8043").ready()
    caller = follows(line, code)
    caller.hears("hr/follow_up_begins")
    caller.hears("hr/feedback_waits")
    caller.hears("hr/unanswered_menu").presses("0")
    caller.hears("connecting")
    ours.is_offered(caller).sees(about="follow-up").answers()
    assert theirs.state == "ready"
    ours.hangs_up(disposition="answered")
    caller.hears("bye")
    nowhere(centre)


# -- the desk by phone -------------------------------------------------------------------------------------


def signed_in(centre: Any, agent: str = "8043", pin: str = "4843") -> Any:
    caller = centre.caller(number="1043", origin="internal").dials("*19")
    caller.hears("hr/enter_agent").presses(f"{agent}#")
    return caller.hears("hr/enter_agent_pin").presses(f"{pin}#")


def test_an_answer_is_recorded_by_the_desk_and_heard_with_the_code(line: Any, centre: Any) -> None:
    caller = line.nobody()
    code = line.files(caller, key=BAIYUN, topic="4")
    caller.hangs_up()
    number, clip = centre.one("tickets")["number"], centre.one("clips")["id"]
    staff = signed_in(centre)
    staff.hears("hr/enter_ticket").presses(f"{number}#")
    staff.hears("hr/case_begins")
    staff.hears_clip(clip)
    staff.hears("hr/staff_menu").presses("1")
    staff.hears("hr/case_begins")
    staff.hears_clip(clip)
    staff.hears("hr/staff_menu").presses("2")
    staff.hears("hr/say_the_reply").says("5s").hears_beep()
    staff.hears("clip_review").presses("3")
    staff.hears("hr/which_outcome").presses("2")
    staff.hears("hr/reply_kept")
    staff.hears("hr/enter_ticket").hangs_up()
    row = centre.one("hr.feedback")
    assert (row.outcome, centre.one("tickets")["owner"]) == ("partly", "8043")
    caller = follows(line, code)
    caller.hears("hr/follow_up_begins")
    caller.hears("hr/reply_was_spoken")
    caller.hears_clip(row.reply_clip)
    caller.hears("hr/answered_menu").presses("*")
    caller.hears("bye")
    # A recording whose time is over is told.
    centre.app.sounds.clips.delete(row.reply_clip)
    caller = follows(line, code)
    caller.hears("hr/follow_up_begins")
    caller.hears("hr/reply_was_spoken")
    caller.hears("hr/reply_gone")
    caller.hears("hr/answered_menu").hangs_up()


@pytest.mark.parametrize(("key", "outcome"), [("1", "justified"), ("3", "unfounded"), ("4", "unclear")])
def test_what_came_of_it_is_chosen(line: Any, centre: Any, key: str, outcome: str) -> None:
    caller = line.nobody()
    line.files(caller)
    caller.hangs_up()
    staff = signed_in(centre)
    staff.hears("hr/enter_ticket").presses(f"{centre.one('tickets')['number']}#")
    staff.hears("hr/case_begins")
    staff.hears_clip()
    staff.hears("hr/staff_menu").presses("2")
    staff.hears("hr/say_the_reply").says("5s").hears_beep()
    staff.hears("clip_review").presses("3")
    staff.hears("hr/which_outcome").presses(key)
    staff.hears("hr/reply_kept").hangs_up()
    assert centre.one("hr.feedback").outcome == outcome


def test_one_of_the_branch_does_not_hear_it_nor_answer_it(line: Any, centre: Any) -> None:
    caller = line.nobody()
    line.files(caller, key=BAIYUN)
    caller.hangs_up()
    number = centre.one("tickets")["number"]
    staff = signed_in(centre, "8044", "4844")
    staff.hears("hr/enter_ticket").presses(f"{number}#")
    staff.hears("hr/kept_away")
    staff.hears("hr/enter_ticket").presses("123456#")
    staff.hears("hr/no_such_feedback")
    staff.hears("hr/enter_ticket").hangs_up()
    assert centre.one("tickets")["owner"] == ""


def test_what_is_closed_and_what_is_gone_is_told(line: Any, centre: Any, desk: Any) -> None:
    caller = line.nobody()
    code = line.files(caller)
    caller.hangs_up()
    number = centre.one("tickets")["number"]
    centre.app.sounds.clips.delete(centre.one("clips")["id"])
    staff = signed_in(centre)
    staff.hears("hr/enter_ticket").presses(f"{number}#")
    staff.hears("hr/case_begins")
    staff.hears("hr/clips_gone")
    staff.hears("hr/staff_menu").presses("3")
    staff.hears("hr/enter_ticket").hangs_up()
    desk.runs("answer", number=number, agent="8043", text="Done.")
    caller = follows(line, code)
    caller.hears("hr/follow_up_begins")
    caller.hears("hr/reply_is")
    caller.hears("hr/answered_menu").presses("3")
    caller.hears("hr/settled").hangs_up()
    staff = signed_in(centre)
    staff.hears("hr/enter_ticket").presses(f"{number}#")
    staff.hears("hr/feedback_closed")
    staff.hears("hr/enter_ticket").hangs_up()


def test_only_the_desk_comes_in(line: Any, centre: Any) -> None:
    staff = signed_in(centre, "8012", "4812")
    staff.hears("hr/not_allowed")
    staff.hears("bye")
    staff = signed_in(centre, "8043", "0000")
    staff.hears("hr/wrong_agent_pin")
    staff.hears("hr/enter_agent").hangs_up()
    for _ in range(4):
        staff = signed_in(centre, "8043", "0000")
        heard = staff.hears_next()
        staff.hangs_up()
    assert heard._said.key == "hr/locked"
    outside = centre.caller().dials("*19")
    outside.hears("unknown_number")
