"""A verdict by a certified person, a second signature, the branch's appeal by phone, and then its score."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engine.api import Refused

BRANCH, PIN, PHONE = "020001", "5101", "1057"
GIVER, SIGNER, JUDGE = "8054", "8055", "8051"


@pytest.fixture
def ticket(centre: Any, line: Any) -> str:
    """A complaint of damaged goods."""
    caller = line.chose("4")
    caller.hears("logistics/which_complaint").presses("3")
    caller.hears("logistics/has_waybill").presses("2")
    caller.says("5s")
    caller.hears("logistics/dictate_complaint").hears_beep()
    caller.hears("clip_review").presses("3")
    caller.hears("logistics/complaint_text").hangs_up()
    centre.app.records.certifications_for(None).record(GIVER, "LIAB-02", 3, 1, 1)
    return str(centre.one("tickets")["number"])


@pytest.fixture
def signed(office: Any, ticket: str) -> str:
    """A verdict against the branch, signed."""
    office.does("verdict", ticket=ticket, rule="LIAB-02", liable=BRANCH, by=GIVER)
    office.does("sign", ticket=ticket, by=SIGNER)
    return ticket


def logged_in(centre: Any, language: str = "zh-CN", code: str = BRANCH, pin: str = PIN) -> Any:
    """Somebody who typed a branch's code and PIN."""
    caller = centre.caller(number="+8613800000077").dials("8005")
    caller.hears("logistics/branch_language").presses("1" if language == "zh-CN" else "2")
    caller.hears("recorded_notice")
    caller.hears("logistics/enter_branch").presses(f"{code}#")
    return caller.hears("logistics/enter_branch_pin").presses(f"{pin}#")


def appealing(caller: Any, prompt: str = "logistics/verdict_text") -> Any:
    caller.hears("logistics/branch_hello_one")
    caller.hears("logistics/branch_menu").presses("1")
    caller.hears(prompt)
    caller.hears("logistics/appeal_it").presses("1")
    caller.says("6s")
    caller.hears("logistics/dictate_appeal").hears_beep()
    return caller.hears("clip_review").presses("3")


def score(office: Any) -> int:
    rows = office.does("score", branch=BRANCH)
    return int(rows[0]["score"]) if rows else 100


# -- by command ---------------------------------------------------------------------------------------------


def test_a_verdict_names_the_rule_and_the_version_that_holds(centre: Any, office: Any, ticket: str) -> None:
    said = office.does(
        "verdict", ticket=ticket, rule="LIAB-02", liable=BRANCH, by=GIVER, note="no record of handover"
    )
    assert said == f"{BRANCH} by LIAB-02 v3, to be signed by somebody else"
    verdict = centre.one("logistics.verdicts")
    assert (verdict.rule, verdict.version, verdict.points, verdict.state) == ("LIAB-02", 3, 5, "given")
    [row] = office.report("logistics.verdicts")
    assert (row["rule"], row["given_by"], row["signed_by"]) == ("LIAB-02 v3", GIVER, "")


def test_only_who_passed_that_version_may_give_it(centre: Any, office: Any, ticket: str) -> None:
    centre.app.records.certifications_for(None).record(SIGNER, "LIAB-02", 3, 0, 1, passed=False)
    for nobody in (SIGNER, JUDGE):
        with pytest.raises(Refused, match="not_certified"):
            office.does("verdict", ticket=ticket, rule="LIAB-02", liable=BRANCH, by=nobody)
    with pytest.raises(Refused, match="not_certified"):
        office.does("verdict", ticket=ticket, rule="LIAB-01", liable=BRANCH, by=GIVER)
    assert centre.rows("logistics.verdicts") == []


def test_not_decided_is_a_verdict_for_which_nobody_needs_to_be_certified(
    centre: Any, office: Any, ticket: str
) -> None:
    office.does("verdict", ticket=ticket, rule="LIAB-03", liable="undecided", by=JUDGE)
    assert office.does("sign", ticket=ticket, by=SIGNER) == "undecided: settled"
    assert centre.one("logistics.verdicts").state == "settled"
    assert centre.rows("logistics.scores") == centre.rows("notices") == []


def test_a_second_person_signs(office: Any, ticket: str) -> None:
    office.does("verdict", ticket=ticket, rule="LIAB-02", liable=BRANCH, by=GIVER)
    with pytest.raises(Refused, match="same_person"):
        office.does("sign", ticket=ticket, by=GIVER)
    with pytest.raises(Refused, match="who"):
        office.does("sign", ticket=ticket, by=" ")
    assert "may appeal until 2026-11-26" in office.does("sign", ticket=ticket, by=SIGNER)
    with pytest.raises(Refused, match="state"):
        office.does("sign", ticket=ticket, by=JUDGE)
    with pytest.raises(Refused, match="state"):
        office.does("verdict", ticket=ticket, rule="LIAB-02", liable="company", by=GIVER)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"ticket": "123456789"}, "unknown"),
        ({"rule": "LIAB-99"}, "rule"),
        ({"liable": "999999"}, "branch"),
        ({"by": ""}, "who"),
    ],
)
def test_what_does_not_fit_is_refused(office: Any, ticket: str, change: dict[str, str], reason: str) -> None:
    given = {"ticket": ticket, "rule": "LIAB-02", "liable": BRANCH, "by": GIVER, **change}
    with pytest.raises(Refused, match=reason):
        office.does("verdict", **given)


def test_the_branch_hears_of_it_on_its_phone(centre: Any, signed: str) -> None:
    phone = centre.simulator.phone(PHONE)
    assert phone.wait_ring(60.0) is not None
    phone.answer()
    for _ in range(60):
        centre.virtual.sleep(1.0)
        notice = centre.one("notices")
        if notice["state"] == "acknowledged":
            break
        phone.press("1")
    assert (notice["state"], notice["by"]) == ("acknowledged", f"phone {PHONE}")


def test_the_score_moves_once_when_nobody_appealed_in_time(centre: Any, office: Any, signed: str) -> None:
    centre.clock.advance("2s")
    centre.virtual.shift_wall(timedelta(hours=71))
    centre.app.departments.do("logistics.settle_verdicts", {}, key="one", within=10.0)
    assert score(office) == 100
    centre.virtual.shift_wall(timedelta(hours=2))
    centre.clock.advance("2m")  # by the clock: nobody does anything
    assert score(office) == 95
    centre.app.departments.do("logistics.settle_verdicts", {}, key="two", within=10.0)
    assert len(centre.rows("logistics.scores")) == 1
    assert centre.one("logistics.verdicts").state == "settled"


def test_it_does_not_move_before_that(centre: Any, office: Any, signed: str) -> None:
    centre.app.departments.do("logistics.settle_verdicts", {}, key="one", within=10.0)
    assert score(office) == 100


@pytest.mark.parametrize(("outcome", "left"), [("upheld", 95), ("overturned", 100)])
def test_an_appeal_is_decided_by_a_third_person(
    centre: Any, office: Any, signed: str, outcome: str, left: int
) -> None:
    said = office.does("appeal", ticket=signed, branch=BRANCH, reason="the packing was broken before")
    with pytest.raises(Refused, match="too_late"):
        office.does("appeal", ticket=signed, branch=BRANCH, reason="again")
    assert score(office) == 100
    for partial in (GIVER, SIGNER):
        with pytest.raises(Refused, match="same_person"):
            office.does("decide", ticket=signed, outcome=outcome, by=partial)
    with pytest.raises(Refused, match="outcome"):
        office.does("decide", ticket=signed, outcome="perhaps", by=JUDGE)
    office.does("decide", ticket=signed, outcome=outcome, by=JUDGE)
    assert score(office) == left
    appeal = centre.one("tickets", kind="appeal")
    assert (said, appeal["state"]) == (f"the appeal is ticket {appeal['number']}", "solved")
    [row] = office.report("logistics.scores")
    assert (row["appeals"], row["won"], row["score"]) == (1, int(outcome == "overturned"), left)
    with pytest.raises(Refused, match="state"):
        office.does("decide", ticket=signed, outcome=outcome, by=JUDGE)


def test_another_branch_can_not_appeal(office: Any, signed: str) -> None:
    with pytest.raises(Refused, match="not_yours"):
        office.does("appeal", ticket=signed, branch="020003", reason="it was us")


# -- by phone -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_branch_hears_the_verdict_and_appeals_before_its_score_moves(
    centre: Any, office: Any, signed: str, language: str
) -> None:
    caller = appealing(logged_in(centre, language))
    said = caller.hears("logistics/appealed_text")
    caller.hears("logistics/branch_more").presses("1")
    caller.hears("logistics/branch_menu").presses("2")
    assert caller.hears("logistics/branch_score").values["standing.score"] == 100
    caller.hears("logistics/branch_menu").hangs_up()
    appeal = centre.one("tickets", kind="appeal")
    assert said.values["appealed.ticket"] == appeal["number"]
    verdict = centre.one("logistics.verdicts")
    assert (verdict.state, verdict.appeal_ticket) == ("appealed", appeal["number"])
    [told] = [row["note"] for row in centre.rows("ticket_history", ticket=signed) if "appeals" in row["note"]]
    assert told == f"{BRANCH} appeals: ticket {appeal['number']}"
    assert len(centre.rows("ticket_links", ticket=appeal["number"], kind="clip")) == 1
    centre.nowhere(PIN)


def test_who_does_not_appeal_is_led_back_to_the_menu(centre: Any, signed: str) -> None:
    caller = logged_in(centre)
    caller.hears("logistics/branch_hello_one")
    caller.hears("logistics/branch_menu").presses("1")
    assert "货物破损或丢失" in caller.hears("logistics/verdict_text").text
    caller.hears("logistics/appeal_it").presses("2")
    caller.hears("logistics/branch_menu").presses("*")
    caller.hears("logistics/branch_menu").hangs_up()
    assert centre.one("logistics.verdicts").state == "signed"


def test_of_more_verdicts_one_is_chosen(centre: Any, office: Any, signed: str, seed: Any) -> None:
    first = centre.one("logistics.verdicts")
    another = seed.ticket("complaint_damage", data={"kind": "damage"})
    seed.verdict(**{**dict(first), "ticket": another.number})
    caller = logged_in(centre)
    caller.hears("logistics/branch_hello")
    caller.hears("logistics/branch_menu").presses("1")
    caller.hears("logistics/which_verdict")
    caller.hears("logistics/verdict_entry")
    caller.hears("logistics/verdict_entry").presses("2")
    caller.hears("logistics/verdict_text").hangs_up()


def test_without_verdicts_a_branch_hears_so(centre: Any) -> None:
    caller = logged_in(centre)
    caller.hears("logistics/branch_hello_none")
    caller.hears("logistics/branch_menu").presses("1")
    caller.hears("logistics/no_verdicts")
    caller.hears("logistics/branch_more").presses("2")
    caller.hears("bye")


def test_a_silent_branch_is_taken_leave_of(centre: Any) -> None:
    caller = logged_in(centre)
    caller.hears("logistics/branch_hello_none")
    caller.hears("logistics/branch_menu").presses("1")
    caller.hears("logistics/no_verdicts")
    caller.hears("logistics/branch_more").stays_silent()
    caller.hears("bye")


def test_an_appeal_that_comes_too_late_is_said_to_be(centre: Any, office: Any, signed: str) -> None:
    caller = logged_in(centre)
    caller.hears("logistics/branch_hello_one")
    caller.hears("logistics/branch_menu").presses("1")
    caller.hears("logistics/verdict_text")
    office.does("appeal", ticket=signed, branch=BRANCH, reason="by letter")
    caller.hears("logistics/appeal_it").presses("1")
    caller.says("6s")
    caller.hears("logistics/dictate_appeal").hears_beep()
    caller.hears("clip_review").presses("3")
    caller.hears("logistics/appeal_too_late")


def test_wrong_pins_are_asked_again_locked_and_led_to_the_desk(centre: Any) -> None:
    caller = logged_in(centre, pin="0000")
    for _ in range(2):
        caller.hears("wrong")
        caller.hears("logistics/enter_branch").presses(f"{BRANCH}#")
        caller.hears("logistics/enter_branch_pin").presses("0001#")
    caller.hears("connecting").hangs_up()
    again = logged_in(centre, pin="0002")
    again.hears("wrong")
    again.hears("logistics/enter_branch").presses(f"{BRANCH}#")
    again.hears("logistics/enter_branch_pin").presses("0003#")
    again.hears("logistics/branch_locked")
    again.hears("connecting")


def test_a_silent_caller_of_the_branches_line_is_led_to_the_desk(centre: Any) -> None:
    caller = centre.caller(number="+8613800000077").dials("8005")
    caller.says("0s")
    while (said := caller.hears_next()).key != "connecting":
        assert said.key in (
            "logistics/branch_language",
            "silent",
            "recorded_notice",
            "logistics/enter_branch",
        )


def test_books_that_can_not_be_read_lead_to_the_desk(centre: Any) -> None:
    centre.adapter("logistics.Books").raises(RuntimeError("the disk is gone"))
    caller = logged_in(centre)
    caller.hears("logistics/trouble_desk")
    caller.hears("connecting")


def test_a_silent_branch_in_the_menu_is_led_to_the_desk(centre: Any) -> None:
    caller = logged_in(centre)
    caller.hears("logistics/branch_hello_none")
    while (said := caller.hears_next()).key != "connecting":
        assert said.key in ("logistics/branch_menu", "silent")


@pytest.mark.parametrize("point", ["before", "after"])
def test_a_killed_engine_takes_one_appeal(centre: Any, signed: str, point: str) -> None:
    caller = appealing(logged_in(centre))
    if point == "after":
        caller.hears("logistics/appealed_text")
    centre.engine.kill()
    centre.engine.start()
    caller.hears("logistics/appealed_text" if point == "before" else "logistics/branch_more")
    assert len(centre.rows("tickets", kind="appeal")) == 1
