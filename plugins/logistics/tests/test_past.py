"""The two weeks of `insideline data seed`: the reports show each of its stories."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engine.app.history import seed


@pytest.fixture
def past(centre: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A centre with two weeks of this department behind it; traffic and the others have tests of their own."""
    monkeypatch.setattr("engine.app.history.fill", lambda past, queues: 0)
    for name, other in centre.installation.host.departments.items():
        if name != "logistics":
            monkeypatch.setattr(other, "history", None)
    seed(centre.installation, centre.app.store, centre.virtual, 14)
    return centre


def typhoon(centre: Any) -> Any:
    """The day of the typhoon."""
    return centre.one("logistics.complaints", waybill="44016000").opened.date() - timedelta(days=1)


def test_the_reports_show_the_stories_of_the_past(past: Any, office: Any) -> None:
    centre = past
    # The typhoon: eighteen shipments late, windows that did not hold, complaints for which nobody is liable.
    held = [
        row
        for row in office.report("logistics.late")
        if row["destination"] == "昆明" and row["number"] != "44018010"
    ]
    assert len(held) == 3
    assert all(row["hours"] > 24 for row in held)
    [promise] = [row for row in office.report("logistics.arrivals") if row["basis"] == "promise"]
    assert (promise["told"], promise["late"], promise["in_time"]) == (8, 8, 0)
    day = typhoon(centre)
    late = [row for row in office.report("logistics.complaints") if row["kind"] == "late"]
    assert {row["opened"].date() for row in late} == {day + timedelta(days=1)}
    assert {(row["liable"], row["verdict"]) for row in late} == {("undecided", "settled")}

    # The caller who asked three times.
    first = office.report("logistics.inquiries")[0]
    assert (first["caller"], first["asked"], first["by"]) == ("+8613800138009", 3, "8013")
    assert first["escalated"] is not None

    # The branch that won its appeal, and the one that did not appeal.
    scores = {row["branch"]: row for row in office.report("logistics.scores")}
    assert (scores["020002"]["score"], scores["020002"]["appeals"], scores["020002"]["won"]) == (100, 1, 1)
    assert (scores["028001"]["score"], scores["028001"]["appeals"]) == (95, 0)

    # Quotes, orders, calls by tier.
    quotes = office.report("logistics.quotes")
    assert sum(row["quotes"] for row in quotes) > 30
    assert 0 < sum(row["orders"] for row in quotes) < sum(row["quotes"] for row in quotes)
    taken = office.report("logistics.pickups", days=15)
    assert sum(row["orders"] for row in quotes) == len(taken)
    assert {(row["notice"], row["acknowledged_by"]) for row in taken} == {("acknowledged", "phone 1057")}
    assert all(0 < row["minutes"] < 8 for row in taken)
    calls = office.report("logistics.followups")
    assert {row["tier"] for row in calls} == {"diamond", "gold", "ordinary"}
    assert all(row["in_time"] <= row["done"] for row in calls)


def test_the_past_can_be_gone_on_with(past: Any, office: Any, line: Any) -> None:
    caller = line.tracked("44016999", number="+8613800138009")
    said = caller.hears("logistics/answer_text")
    assert "落地配今天下午送到" in said.text
    said.hangs_up()
    certified = past.app.records.certifications_for(None)
    assert certified.passed("8054", "LIAB-02", 3)
    assert not certified.passed("8052", "LIAB-02", 3)
