"""The two weeks of `insideline data seed`: the reports show each of its stories, and nobody's number who wanted none
known."""

from __future__ import annotations

from typing import Any

import pytest

from engine.app.history import seed


@pytest.fixture
def past(centre: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A centre with two weeks of this department behind it; traffic and the others have tests of their own."""
    monkeypatch.setattr("engine.app.history.fill", lambda past, queues: 0)
    for name, other in centre.installation.host.departments.items():
        if name != "hr":
            monkeypatch.setattr(other, "history", None)
    seed(centre.installation, centre.app.store, centre.virtual, 14)
    return centre


def test_the_reports_show_the_stories_of_the_past(past: Any, desk: Any, line: Any) -> None:
    rows = {row["branch"]: row for row in desk.report("hr.feedback")}
    # Many speak about one branch, most of them without a name, and most are right.
    worked = rows["7302"]
    assert worked["received"] == max(row["received"] for row in rows.values()) == 6
    assert (worked["anonymous"], worked["justified"], worked["partly"], worked["open"]) == (5, 3, 2, 1)
    # A late answer that was not the last word; one that nobody has given in its time.
    assert [rows["7101"][what] for what in ("received", "late", "reopened", "open")] == [3, 1, 1, 2]
    assert [rows["7102"][what] for what in ("received", "open", "overdue")] == [1, 1, 1]
    assert [row["branch"] for row in desk.runs("feedback", overdue=True)] == ["深圳龙岗网点"]
    assert sum(row["settled"] for row in rows.values()) >= 2
    topics = {row["branch"]: row for row in desk.report("hr.topics")}
    assert (topics["昆明官渡网点"]["hours"], topics["昆明官渡网点"]["all"]) == (4, 6)
    requests = {row["kind"]: row for row in desk.report("hr.requests")}
    assert set(requests) == {"employment", "income", "correction", "claim", "hardship"}
    assert sum(row["late"] for row in requests.values()) >= 3
    assert sum(row["in time"] for row in requests.values()) > 20
    assert (requests["hardship"]["received"], requests["hardship"]["late"]) == (4, 1)
    [waits] = desk.report("hr.families")
    assert waits["owner"] == "8042"

    # Of what was given without a name neither a number nor a call is kept; an answer is heard by its code alone.
    for row in past.rows("hr.feedback", employee=""):
        ticket = past.one("tickets", number=row.ticket)
        assert (ticket["caller"], ticket["call"], ticket["party"]) == ("", "", None)
        assert past.rows("ticket_links", ticket=row.ticket) == []
        assert ticket["owner"] in ("", "8043")
    answered = past.one("hr.feedback", branch="7302", topic="conduct")
    caller = line.main("zh-CN").presses("3")
    caller.hears("hr/enter_code").presses(f"{answered.code}#")
    caller.hears("hr/follow_up_begins")
    assert "已与网点负责人谈话" in caller.hears("hr/reply_is").text


def test_mondays_are_busy_and_every_ticket_of_the_past_is_one_of_the_departments_kinds(past: Any) -> None:
    opened = [row.opened for row in past.rows("hr.requests") if row.kind != "hardship"]
    by_day = [
        sum(at.date() == day for at in opened) for day in {at.date() for at in opened if at.weekday() == 0}
    ]
    assert sum(by_day) / len(by_day) > len(opened) / 14
    kinds = {row["kind"] for row in past.rows("tickets", department="hr")}
    assert kinds <= set(past.installation.host.departments["hr"].tickets)
