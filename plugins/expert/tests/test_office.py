"""The reports and commands of the office, over questions that were asked on the phone."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.errors import Refused


@pytest.fixture
def office(centre: Any) -> Any:
    """``office("open_questions", days=1)``: a report or command of the department, asked as the command line does."""
    host = centre.installation.host
    found = {one.rows.__name__: one.rows for one in host.reports.values() if one.name.startswith("expert.")}
    found |= {name: one.run for name, one in host.commands["expert"].items()}

    def ask(name: str, **given: Any) -> Any:
        def run(ctx: Any) -> Any:
            answer = found[name](ctx, **given)
            return answer if isinstance(answer, (str, dict)) else list(answer)

        return centre.app.departments.in_context("expert", name, run, 10.0, writes=True)

    return ask


@pytest.fixture
def asked(centre: Any, seed: Any) -> Any:
    """``asked(days, …)``: a question so many days ago."""
    known = iter(range(1, 1000))

    def ask(days: float, **facts: Any) -> Any:
        at = centre.clock.now() - timedelta(days=days)
        empty = {
            "called_back": "",
            "caller": "",
            "language": "zh-CN",
            "staff": "60101",
            "name": "吴敏仪",
            "nth": 1,
        }
        empty |= {
            "branch": "广州白云营业部",
            "region": "华南",
            "topic": "claims",
            "holding": False,
            "heard": "",
        }
        empty |= {
            "heard_version": 0,
            "expert": "",
            "last_expert": "",
            "talked": 0,
            "clip": "",
            "closed_by": "",
        }
        empty |= {
            "disposition": "",
            "answer": "",
            "version": 0,
            "standard_version": 0,
            "draft": "",
            "ticket": "",
        }
        if facts.get("disposition"):
            facts = {"closed": at + timedelta(minutes=5), "closed_by": facts.get("expert", ""), **facts}
        return seed.expert.question(call=f"c{next(known)}", asked=at, **{**empty, "note": "", **facts})

    return ask


def test_a_question_of_the_phone_is_in_the_reports(centre: Any, first_line: Any, office: Any) -> None:
    caller = first_line.waits("claims")
    centre.agent("8032").is_offered(caller).answers().hangs_up()
    caller.hears("expert/rate_solution").presses("4")
    caller.hears("expert/rate_attitude").hangs_up()
    [expert] = office("by_expert")
    assert expert[:2] == ("8032", 1)
    [row] = office("open_questions")
    assert row[2:] == ("0m", "60101", "吴敏仪", "广州白云营业部", "claims", "8032", "talked")
    everything = office("report")
    assert everything["Experts"][0]["solution"] == 4
    assert [one["topic"] for one in everything["Topics"]] == ["claims"]
    assert [one["question"] for one in everything["Open questions"]] == [row[0]]


def test_open_questions_are_told_with_their_age_the_oldest_first(office: Any, asked: Any) -> None:
    asked(0.1, expert="8032")
    asked(3.2, topic="tariff", expert="8031", last_expert="8036")
    asked(5, disposition="gap")
    assert [row[2] for row in office("open_questions")] == ["3d 4h", "2h 24m"]
    assert [row[2] for row in office("open_questions", days=1)] == ["3d 4h"]
    assert [row[2] for row in office("open_questions", expert="8036")] == ["3d 4h"]
    assert [row[2] for row in office("open_questions", topic="claims")] == ["2h 24m"]


def test_what_diverged_says_what_was_found_and_what_was_given(office: Any, asked: Any) -> None:
    asked(1, expert="8031", disposition="answer", answer="2001", version=1, standard_version=2)
    asked(2, expert="8031", disposition="answer", heard="2001", answer="2002", version=1, standard_version=1)
    asked(3, expert="8031", disposition="answer", heard="2001", answer="2001", version=2, standard_version=2)
    found = [(row[4:9]) for row in office("diverged")]
    assert found == [("2001", "2002", 1, 1, "another answer"), ("", "2001", 1, 2, "another version")]


def test_a_branch_and_its_people_whose_questions_fall_away_are_told(office: Any, asked: Any) -> None:
    for at in range(8):
        asked(7.5 + at % 5, staff="60401", name="蒋春燕", branch="成都双流营业部")
        asked(7.5 + at % 5)
        asked(0.5 + at % 5)
    [branch] = office("falling")
    assert branch[0] == "成都双流营业部"
    assert branch[2:4] == (8, 0)
    [person] = office("falling", by="staff")
    assert person[:2] == ("60401", "蒋春燕, 成都双流营业部")
    with pytest.raises(Refused, match="by"):
        office("falling", by="moon")


def test_who_asks_again_and_again_is_told(office: Any, asked: Any) -> None:
    for at in range(4):
        asked(at, staff="60301", name="沈文君", branch="杭州萧山营业部", topic="tariff")
    asked(1)
    found = [row[:5] for row in office("repeated")]
    assert found == [("60301", "沈文君", "杭州萧山营业部", "tariff", 4)]


def test_a_time_that_ends_before_it_begins_is_refused(office: Any) -> None:
    with pytest.raises(Refused, match="no_time"):
        office("by_expert", since=date(2026, 11, 23), until=date(2026, 11, 1))


def test_a_report_of_a_time_has_what_was_asked_in_it(office: Any, asked: Any) -> None:
    asked(1, topic="tariff")
    asked(9, topic="claims")
    asked(20, topic="systems")
    assert [row[0] for row in office("by_topic")] == ["claims", "tariff"]
    assert [row[0] for row in office("by_topic", since=date(2026, 11, 1), until=date(2026, 11, 10))] == [
        "systems"
    ]


def test_one_question_is_shown_and_an_unknown_one_refused(office: Any, asked: Any) -> None:
    made = asked(1, topic="tariff")
    facts = {row["fact"]: row["value"] for row in office("show", question=made.id)}
    assert (facts["topic"], facts["staff"]) == ("tariff", "60101")
    with pytest.raises(Refused, match="unknown"):
        office("show", question=999)


def test_topics_and_people_are_taken_in_from_files(centre: Any, office: Any, tmp_path: Path) -> None:
    file = tmp_path / "staff.csv"
    file.write_text("number,name,branch,region\n60999,新来的,昆明官渡营业部,西南\n", encoding="utf-8")
    assert office("import-staff", file=str(file)) == "1 people"
    assert centre.one("expert.staff", number="60999").name == "新来的"
    with pytest.raises(Refused, match="unreadable"):
        office("import-topics", file=str(file))
    with pytest.raises(Refused, match="unreadable"):
        office("import-staff", file="/nowhere")


def test_a_question_is_closed_by_command_in_one_of_three_ways(centre: Any, office: Any, asked: Any) -> None:
    one, two, three = asked(1, expert="8031"), asked(1, expert="8031"), asked(1, expert="8031")
    with pytest.raises(Refused, match="unknown_answer"):
        office("close", question=one.id, answer="9999")
    assert "version 2" in office("close", question=one.id, answer="2001", by="8031")
    with pytest.raises(Refused, match="closed"):
        office("close", question=one.id, gap=True)
    assert "draft" in office("close", question=two.id, gap=True, by="8031")
    assert "ticket" in office("close", question=three.id, ticket=True, by="8031")
    with pytest.raises(Refused, match="how"):
        office("close", question=three.id, ticket=True, gap=True)
    rows = {row.id: row for row in centre.rows("expert.questions")}
    assert (rows[one.id].answer, rows[one.id].version, rows[one.id].closed_by) == ("2001", 2, "8031")
    assert [rows[at.id].disposition for at in (one, two, three)] == ["answer", "gap", "ticket"]


def test_open_questions_are_told_each_working_morning(centre: Any, asked: Any) -> None:
    asked(3, expert="8031")
    asked(2, expert="8031")
    centre.clock.advance("2s")
    centre.virtual.shift_wall(timedelta(hours=23, minutes=31))
    centre.clock.advance("90s")
    [notice] = [row for row in centre.rows("notices") if row["group"] == "expert_desk"]
    assert notice["prompt"] == "expert/open_notice"
