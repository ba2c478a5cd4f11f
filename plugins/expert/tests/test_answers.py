"""The standard answer, heard before an expert is asked; and how questions are closed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

LANGUAGES = pytest.mark.parametrize("language", ["zh-CN", "en"])


def question(centre: Any, **where: Any) -> Any:
    return centre.one("expert.questions", **where)


@LANGUAGES
def test_a_standard_answer_that_solves_it_closes_the_question(
    centre: Any, first_line: Any, language: str
) -> None:
    caller = first_line.named(language=language).presses("1")
    caller.hears("expert/which_answer")
    caller.hears("knowledge_entry").presses("1")
    said = caller.hears_next()
    assert ("一百五十元" if language == "zh-CN" else "150 yuan") in said.text
    caller.hears("knowledge_solved").presses("1")
    caller.hears("expert/glad")
    caller.hears("expert/another_question").stays_silent()
    caller.hears("bye")
    assert caller.ended
    row = question(centre)
    assert (row.disposition, row.answer, row.version, row.standard_version) == ("heard", "1001", 3, 3)
    assert (row.closed_by, row.expert, row.queued) == ("caller", "", None)


def test_the_only_answer_of_a_topic_is_said_at_once_and_an_expert_follows_when_it_does_not_help(
    centre: Any, first_line: Any
) -> None:
    caller = first_line.named().presses("3")
    assert "四十五天" in caller.hears_next().text
    caller.hears("knowledge_solved").presses("2")
    caller.hears("expert/customer_on_hold").presses("2")
    caller.hears("connecting")
    centre.agent("8035").is_offered(caller).sees(heard="欠款多少天停止发货？").answers()
    row = question(centre)
    assert (row.heard, row.heard_version, row.disposition) == ("3501", 1, "")


def test_silence_after_the_answer_leads_to_an_expert(first_line: Any) -> None:
    caller = first_line.named().presses("3")
    caller.hears_next()
    caller.hears("knowledge_solved").stays_silent()
    caller.hears("expert/customer_on_hold")


def test_a_topic_without_an_answer_leads_to_an_expert(first_line: Any) -> None:
    first_line.named().presses("5").hears("expert/customer_on_hold")


# -- *16: a key after the talk ------------------------------------------------------------------------------


def talked(centre: Any, first_line: Any, topic: str, agent: str, disposition: str) -> Any:
    caller = first_line.waits(topic)
    centre.agent(agent).is_offered(caller).answers().hangs_up(disposition=disposition)
    caller.hears("expert/rate_solution").hangs_up()
    return question(centre)


def test_the_word_answer_closes_with_what_the_caller_had_heard(centre: Any, first_line: Any) -> None:
    row = talked(centre, first_line, "credit", "8035", "answer")
    assert (row.disposition, row.answer, row.version, row.closed_by) == ("answer", "3501", 1, "8035")


def test_the_word_answer_without_one_that_was_heard_names_none_and_leaves_it_open(
    centre: Any, first_line: Any
) -> None:
    row = talked(centre, first_line, "systems", "8034", "answer")
    assert (row.disposition, row.closed, row.expert) == ("", None, "8034")


def test_the_word_gap_opens_a_draft(centre: Any, first_line: Any) -> None:
    row = talked(centre, first_line, "systems", "8034", "gap")
    assert (row.disposition, row.closed_by) == ("gap", "8034")
    draft = centre.one("knowledge", id=row.draft)
    assert (draft["state"], draft["topic"], draft["call"]) == ("draft", "systems", row.call)


def test_the_word_ticket_opens_one_for_the_owner_with_a_clock(centre: Any, first_line: Any) -> None:
    row = talked(centre, first_line, "claims", "8032", "ticket")
    ticket = centre.one("tickets", number=row.ticket)
    assert (ticket["kind"], ticket["group"], ticket["call"]) == ("question", "exceptions", row.call)
    assert ticket["due"] is not None
    assert row.disposition == "ticket"


def test_an_expert_who_says_nothing_leaves_it_open(centre: Any, first_line: Any) -> None:
    caller = first_line.waits("systems")
    centre.agent("8034").is_offered(caller).answers().hangs_up()
    caller.hears("expert/rate_solution").hangs_up()
    centre.clock.advance("2m")
    assert question(centre).closed is None


# -- *26: which answer, in which version -----------------------------------------------------------------------


def closing(centre: Any, phone: str = "1034", *, asked: bool = True) -> Any:
    """An expert who dialled *26, and hears which question it is about."""
    caller = centre.caller(number=phone, origin="internal").dials("*26")
    return caller.hears("expert/question_is") if asked else caller


@pytest.fixture
def open_question(centre: Any, first_line: Any) -> Any:
    """A question about systems, answered by 8034 and not closed."""
    caller = first_line.waits("systems")
    centre.agent("8034").is_offered(caller).answers().hangs_up()
    caller.hears("expert/rate_solution").hangs_up()
    return question(centre)


def test_an_expert_closes_with_an_answer_by_its_number(centre: Any, open_question: Any) -> None:
    expert = closing(centre)
    expert.hears("expert/how_closed").presses("1")
    expert.hears("expert/enter_answer").presses("1001#")
    expert.hears("expert/answer_is")
    expert.hears("expert/this_answer").presses("1")
    expert.hears("expert/closed_with_answer", number="1001", given=3)
    expert.hears("expert/next_question").presses("1")
    expert.hears("expert/nothing_open")
    row = question(centre)
    assert (row.disposition, row.answer, row.version, row.standard_version) == ("answer", "1001", 3, 3)
    assert row.closed_by == "8034"


def test_an_old_version_that_was_given_is_written_down_as_such(centre: Any, open_question: Any) -> None:
    written(centre, edited)
    expert = closing(centre)
    expert.hears("expert/how_closed").presses("1")
    expert.hears("expert/enter_answer").presses("1001#")
    expert.hears("expert/answer_is")
    expert.hears("expert/this_answer").presses("3")
    expert.hears("expert/enter_version").presses("9#")
    expert.hears("expert/no_such_version")
    expert.hears("expert/how_closed").presses("1")
    expert.hears("expert/enter_answer").presses("1001#")
    expert.hears("expert/answer_is")
    expert.hears("expert/this_answer").presses("3")
    expert.hears("expert/enter_version").presses("3#")
    expert.hears("expert/closed_with_answer", given=3)
    row = question(centre)
    assert (row.version, row.standard_version) == (3, 4)


def written(centre: Any, work: Any) -> None:
    """``work(book)``: something is written at the knowledge, as a command does."""
    centre.app.departments.in_context("expert", "test", lambda ctx: work(ctx.knowledge), 10.0, writes=True)


def edited(book: Any) -> None:
    """Answer 1001 is published in a fourth version."""
    book.edit("1001", by="8031", answers={"zh-CN": "木架每立方米160元。", "en": "160 yuan."})
    book.review("1001", by="8036")
    book.publish("1001", by="8036")


def test_an_unknown_answer_is_said_and_another_way_offered(centre: Any, open_question: Any) -> None:
    expert = closing(centre)
    expert.hears("expert/how_closed").presses("1")
    expert.hears("expert/enter_answer").presses("9999#")
    expert.hears("expert/no_such_answer")
    expert.hears("expert/how_closed").presses("1")
    expert.hears("expert/enter_answer").presses("1002#")
    expert.hears("expert/answer_is")
    expert.hears("expert/this_answer").presses("2")
    expert.hears("expert/enter_answer").stays_silent()


@pytest.mark.parametrize("speaks", ["5s", "0s"])
def test_a_new_question_becomes_a_draft_in_the_experts_words(
    centre: Any, open_question: Any, speaks: str
) -> None:
    expert = closing(centre)
    expert.hears("expert/how_closed").presses("2")
    expert.says(speaks).hears("expert/say_gap")
    expert.hears_beep()
    expert.hears("expert/closed_as_gap")
    expert.hears("expert/next_question").presses("2")
    expert.hears("bye")
    row = question(centre)
    assert row.disposition == "gap"
    assert (row.clip != "") == (speaks != "0s")
    assert centre.one("knowledge", id=row.draft)["state"] == "draft"


def test_an_expert_opens_a_ticket_by_phone_and_hears_its_number(centre: Any, open_question: Any) -> None:
    expert = closing(centre)
    expert.hears("expert/how_closed").presses("3")
    said = expert.hears("expert/closed_with_ticket")
    assert said.values["ticket.number"] == question(centre).ticket


@pytest.mark.parametrize("how", ["1", "2", "3"])
def test_an_engine_killed_while_it_closes_has_closed_once(centre: Any, open_question: Any, how: str) -> None:
    expert = closing(centre)
    expert.hears("expert/how_closed").presses(how)
    if how == "1":
        expert.hears("expert/enter_answer").presses("1001#")
        expert.hears("expert/answer_is")
        expert.hears("expert/this_answer").presses("1")
    elif how == "2":
        expert.says("5s").hears("expert/say_gap")
        expert.hears_beep()
    centre.engine.kill()
    centre.engine.start()
    wanted = {
        "1": "expert/closed_with_answer",
        "2": "expert/closed_as_gap",
        "3": "expert/closed_with_ticket",
    }[how]
    while expert.hears_next().key != wanted:
        pass
    assert question(centre).closed is not None
    assert len(centre.rows("tickets")) == (how == "3")
    assert len([row for row in centre.rows("knowledge") if row["state"] == "draft"]) == (how == "2")


def test_several_open_questions_are_picked_the_latest_first(
    centre: Any, first_line: Any, open_question: Any
) -> None:
    centre.clock.advance("2m")
    caller = first_line.waits("systems", "60201")
    centre.agent("8034").is_offered(caller).answers().hangs_up()
    caller.hears("expert/rate_solution").hangs_up()
    expert = closing(centre, asked=False)
    expert.hears("expert/which_open")
    assert "黎家豪" in expert.hears("expert/open_entry").text
    expert.presses("2")
    assert "吴敏仪" in expert.hears("expert/question_is").text
    expert.hears("expert/how_closed").stays_silent()


def test_what_was_closed_meanwhile_is_not_closed_again(centre: Any, open_question: Any) -> None:
    expert = closing(centre)
    expert.hears("expert/how_closed")
    assert centre.agent("8034").state == "wrap_up"
    centre.app.acd.disposition("8034", "gap")
    centre.clock.advance("1s")
    assert question(centre).closed is not None
    expert.presses("3")
    expert.hears("expert/closed_already")


def test_nothing_open_nobody_logged_in_and_a_phone_outside(centre: Any) -> None:
    closing(centre, asked=False).hears("expert/nothing_open")
    closing(centre, "1099", asked=False).hears("expert/not_logged_in")
    centre.caller(number="+8613800138000").dials("*26").hears("expert/from_inside_only")


# -- what becomes of a gap --------------------------------------------------------------------------------------


def test_whoever_asked_what_had_no_answer_hears_it_with_the_next_call(centre: Any, first_line: Any) -> None:
    row = talked(centre, first_line, "systems", "8034", "gap")

    def publish(book: Any) -> None:
        book.edit(row.draft, by="8034", title="打印不出面单怎么办？", answers={"zh-CN": "重启打印服务。"})
        book.review(row.draft, by="8036")
        book.publish(row.draft, by="8036")

    written(centre, publish)
    centre.clock.advance("2s")
    caller = first_line.opened().presses("60101#")
    caller.hears("expert/welcome")
    assert "重启打印服务" in caller.hears("expert/news_entry").text
    caller.hears("expert/which_topic").hangs_up()
    caller = first_line.opened().presses("60101#")
    caller.hears("expert/welcome")
    caller.hears("expert/which_topic")


# -- who has not passed what must be read ------------------------------------------------------------------------


def test_who_has_not_passed_what_a_skill_must_know_gets_none_of_its_calls(
    centre: Any, first_line: Any, only: Any
) -> None:
    def publish(book: Any) -> None:
        book.draft(
            "新系统上线须知",
            {"zh-CN": "必读。", "en": "Read this."},
            id="5009",
            skill="systems",
            must_read=("systems",),
            by="8031",
        )
        book.review("5009", by="8036")
        book.publish("5009", by="8036")

    written(centre, publish)
    centre.virtual.shift_wall(timedelta(days=8))  # the grace that everybody has for something new is over
    centre.clock.advance("61s")
    caller = first_line.asks("systems")
    caller.hears("expert/customer_on_hold").presses("2")
    caller.hears("connecting")
    caller.hears("expert/no_expert")
