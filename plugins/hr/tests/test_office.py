"""What head office and the desk read: feedback by branch, deadline and outcome; requests; who waits for a call."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from .conftest import NUMBER


def test_head_office_sees_branches_deadlines_and_outcomes(line: Any, centre: Any, desk: Any) -> None:
    before = {row["branch"]: row for row in desk.report("hr.feedback")}
    for key in ("2", "2", "5"):
        caller = line.nobody()
        line.files(caller, key=key)
        caller.hangs_up()
    first, second, third = [row["ticket"] for row in desk.runs("feedback") if row["received"] is not None][
        -3:
    ]
    desk.runs("answer", number=first, agent="8043", text="It was so.", outcome="justified")
    centre.virtual.shift_wall(timedelta(days=9))
    desk.runs("answer", number=second, agent="8043", text="It was not.", outcome="unfounded")
    rows = {row["branch"]: row for row in desk.report("hr.feedback")}

    def more(branch: str, what: str) -> int:
        return rows[branch][what] - (before[branch][what] if branch in before else 0)

    assert [more("7101", what) for what in ("received", "anonymous", "in time", "late")] == [2, 2, 1, 1]
    assert [more("7101", what) for what in ("justified", "unfounded")] == [1, 1]
    assert [more("7202", what) for what in ("received", "open", "overdue")] == [1, 1, 1]
    assert third in [row["ticket"] for row in desk.runs("feedback", branch="7202", overdue=True)]
    centre.nowhere(NUMBER)
    topics = {row["branch"]: row for row in desk.report("hr.topics")}
    assert topics["广州白云网点"]["conduct"] >= 2


def test_commands_refuse_what_makes_no_sense(line: Any, centre: Any, desk: Any, tmp_path: Path) -> None:
    desk.refuses("unknown", "show", number="123456")
    desk.refuses("unknown", "take", number="123456", agent="8043")
    desk.refuses("unknown", "answer", number="123456", agent="8043", text="so")
    desk.refuses("unknown", "follow-up", code="0000000001")
    caller = line.nobody()
    code = line.files(caller)
    caller.hangs_up()
    number = centre.rows("hr.feedback", code=code)[0].ticket
    desk.refuses("empty", "answer", number=number, agent="8043", text="  ")
    desk.refuses("outcome", "answer", number=number, agent="8043", text="so", outcome="whatever")
    desk.runs("answer", number=number, agent="8043", text="It was so.")
    assert {row["what"]: row["is"] for row in desk.runs("show", number=number)}["reply"] == "It was so."
    assert {row["what"]: row["is"] for row in desk.runs("follow-up", code=code)}["reply"] == "It was so."
    assert "by" not in {row["what"] for row in desk.runs("follow-up", code=code)}
    desk.refuses("unreadable", "import-slips", file=str(tmp_path / "none.csv"))
    sample = Path(__file__).parents[1] / "sample" / "slips.csv"
    assert desk.runs("import-slips", file=str(sample)) == "24 slips"


def test_requests_and_families_are_counted(line: Any, centre: Any, desk: Any) -> None:
    before = {row["kind"]: row["received"] for row in desk.report("hr.requests")}
    caller = line.employee("30011").presses("4")
    caller.hears("hr/requests_menu").presses("1")
    caller.hears("hr/which_certificate").presses("1")
    caller.hears("hr/request_taken").hangs_up()
    after = {row["kind"]: row for row in desk.report("hr.requests")}
    assert after["employment"]["received"] == before.get("employment", 0) + 1
    assert all(row["state"] in ("", "late") for row in desk.report("hr.families"))


def test_head_office_is_told_in_the_morning_of_what_is_late(line: Any, centre: Any) -> None:
    caller = line.nobody()
    line.files(caller)
    caller.hangs_up()
    centre.virtual.shift_wall(timedelta(days=10))
    centre.clock.advance("2m")
    notices = [row for row in centre.rows("notices") if row["prompt"] == "hr/feedback_notice"]
    assert [row["group"] for row in notices] == ["hr_head_office"]
    centre.clock.advance("1m")
    assert "notice" in [row["kind"] for row in centre.rows("tickets")]
