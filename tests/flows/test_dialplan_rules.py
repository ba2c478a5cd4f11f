"""What a rule of the dialplan may hang on beside the number, why one wins, and which can never win."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.flows.calendars import Closure, load_calendars
from engine.flows.dialplan import Dialplan, load_dialplan
from engine.flows.dialplan_file import During
from engine.flows.numbers import Numbers
from engine.flows.patterns import Pattern
from engine.flows.shadows import Calls, shadowed
from engine.schema.faults import Faults

REPO = Path(__file__).parents[2]
ZONE = ZoneInfo("Asia/Shanghai")
PLAN = """\
grammar: 1
dialplan: main
lists:
  partners: {allow: ["02088880000", "+86208888111x"], say: refused}
  staff: {allow: ["1xxx"]}
numbers:
  - {to: "8010", only: partners, flow: a/partners}
  - {to: "8011", from: {list: partners}, flow: a/partners}
  - {to: "8011", from: {list: staff, tier: gold}, flow: a/gold_staff}
  - {to: "8011", flow: a/anybody}
  - {to: "8012", during: {days: sat-sun, hours: ["09:00-12:00"]}, flow: a/weekend}
  - {to: "8012", during: {calendar: office, closed: true}, flow: a/closed}
  - {to: "8012", flow: a/open}
  - {to: "8013", from: {tier: diamond}, flow: a/diamond}
  - {to: "8013", flow: a/anybody}
otherwise: a/unknown
"""


def load(tmp_path: Path, text: str) -> tuple[Dialplan | None, Faults]:
    path = tmp_path / "main.yaml"
    path.write_text(text, encoding="utf-8")
    calendars, _ = load_calendars(REPO / "conf" / "calendars.yaml", today=date(2026, 6, 1))
    return load_dialplan(path, numbers=Numbers("CN"), calendars=calendars, name="main.yaml")


@pytest.fixture
def plan(tmp_path: Path) -> Dialplan:
    found, faults = load(tmp_path, PLAN)
    assert found is not None, faults.pretty()
    assert not len(faults), faults.pretty()
    return found


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def test_a_number_for_a_list_turns_everybody_else_away(plan: Dialplan) -> None:
    for partner in ("+862088880000", "+862088881117"):
        assert plan.match(to="8010", caller=partner).flow == "a/partners"
    stranger = plan.match(to="8010", caller="+8613800000000")
    assert (stranger.kind, stranger.say, stranger.rule) == ("deny", "refused", "main.yaml:7")
    assert stranger.why == "8010 was dialled, but +8613800000000 is not on the list partners"
    assert plan.match(to="8010", caller="").kind == "deny"


def test_a_rule_for_a_list_lets_the_others_go_on(plan: Dialplan) -> None:
    assert plan.match(to="8011", caller="+862088880000").flow == "a/partners"
    assert plan.match(to="8011", caller="+8613800000000").flow == "a/anybody"
    assert plan.match(to="8011", caller="1001", tier="gold").flow == "a/gold_staff"
    assert plan.match(to="8011", caller="1001").flow == "a/anybody"


@pytest.mark.parametrize(
    ("when", "flow"),
    [
        ("2026-11-21 09:00", "a/weekend"),  # a Saturday
        ("2026-11-21 12:00", "a/closed"),
        ("2026-11-23 09:00", "a/open"),
        ("2026-11-23 12:30", "a/closed"),
        ("2026-10-01 09:00", "a/closed"),  # National Day, a Thursday
        ("2026-10-10 09:00", "a/weekend"),  # a Saturday, though a working day: days are days
    ],
)
def test_rules_hold_at_their_hours(plan: Dialplan, when: str, flow: str) -> None:
    assert plan.match(to="8012", at=at(when)).flow == flow


def test_a_closure_that_was_made_meanwhile_counts(plan: Dialplan) -> None:
    calendars, _ = load_calendars(REPO / "conf" / "calendars.yaml", today=date(2026, 6, 1))
    assert calendars is not None
    closed = calendars.with_closures([Closure("office", at("2026-11-23 09:00"), at("2026-11-23 10:00"))])
    assert plan.match(to="8012", at=at("2026-11-23 09:30"), calendars=closed).flow == "a/closed"


def test_whose_number_it_is_is_asked_once_and_only_where_a_rule_wants_to_know(plan: Dialplan) -> None:
    asked = []

    def tier() -> str:
        asked.append(1)
        return "diamond"

    assert plan.match(to="8012", tier=tier, at=at("2026-11-23 09:00")).flow == "a/open"
    assert asked == []
    assert plan.match(to="8013", tier=tier).flow == "a/diamond"
    assert asked == [1]


def test_each_rule_that_was_passed_over_says_why(plan: Dialplan) -> None:
    found = plan.explain(to="8012", caller="+8613800000000", at=at("2026-11-23 09:00"))
    assert (found.match.flow, found.match.rule) == ("a/open", "main.yaml:13")
    assert [(one.rule, one.text, one.why_not) for one in found.tried if one.number] == [
        ("main.yaml:11", "8012 during sat-sun 09:00-12:00", "it is Mon 09:00"),
        ("main.yaml:12", "8012 during office closed", "office is open (mon)"),
    ]
    assert len([one for one in found.tried if not one.number]) == 4
    nobody = plan.explain(to="8013", caller="+8613800000000")
    assert nobody.tried[-1].why_not == "the caller is of no tier that we know"


HEAD = 'grammar: 1\ndialplan: main\nlists:\n  one: {allow: ["1xx"]}\n  bad: {deny: ["+86170."]}\nnumbers:\n'
SHADOWED: dict[str, tuple[str, str]] = {
    "ten patterns together": (
        "".join(f'  - {{to: "86{digit}x", only: one, flow: a/b}}\n' for digit in range(10))
        + '  - {to: "86xx", flow: a/b}\n',
        "this rule never wins: those in lines 7, 8, 9, 10, 11, 12, 13, 14, 15 and 16 take all its calls",
    ),
    "an open pattern by its parts": (
        '  - {to: "8x", only: one, flow: a/b}\n  - {to: "8x.", flow: a/b}\n  - {to: "8.", flow: a/b}\n',
        "this rule never wins: those in lines 7 and 8 take all its calls",
    ),
    "a calendar open and closed": (
        '  - {to: "8", during: office, only: one, flow: a/b}\n'
        '  - {to: "8", during: {calendar: office, closed: true}, flow: a/b}\n  - {to: "8", flow: a/b}\n',
        "this rule never wins: those in lines 7 and 8 take all its calls",
    ),
    "numbers and callers": (
        "".join(f'  - {{to: "8", from: "1{digit}", only: one, flow: a/b}}\n' for digit in range(10))
        + '  - {to: "8", from: "1x", trunk: pstn, flow: a/b}\n',
        "this rule never wins: those in lines 7, 8, 9, 10, 11, 12, 13, 14, 15 and 16 take all its calls",
    ),
}


@pytest.mark.parametrize(("rules", "message"), SHADOWED.values(), ids=SHADOWED)
def test_rules_that_others_take_together_are_faults(tmp_path: Path, rules: str, message: str) -> None:
    _, faults = load(tmp_path, HEAD + rules + "otherwise: a/b\n")
    assert [fault.message for fault in faults.errors] == [message]


NOT_SURE = {
    "nine of ten": "".join(f'  - {{to: "86{digit}x", only: one, flow: a/b}}\n' for digit in range(9))
    + '  - {to: "86xx", flow: a/b}\n',
    "two tiers": '  - {to: "8", from: {tier: a}, only: one, flow: a/b}\n  - {to: "8", from: {tier: b}, flow: a/b}\n'
    '  - {to: "8", flow: a/b}\n',
    "two calendars": '  - {to: "8", during: office, only: one, flow: a/b}\n'
    '  - {to: "8", during: {calendar: desk, closed: true}, flow: a/b}\n  - {to: "8", flow: a/b}\n',
    "any caller, and all numbers": '  - {to: "8", from: ".", only: one, flow: a/b}\n'
    '  - {to: "8", from: "+.", flow: a/b}\n  - {to: "8", flow: a/b}\n',
    "other trunks": '  - {to: "8", trunk: a, only: one, flow: a/b}\n  - {to: "8", trunk: b, flow: a/b}\n',
}


@pytest.mark.parametrize("rules", NOT_SURE.values(), ids=NOT_SURE)
def test_what_is_not_sure_is_no_fault(tmp_path: Path, rules: str) -> None:
    found, faults = load(tmp_path, HEAD + rules + "otherwise: a/b\n")
    assert found is not None, faults.pretty()


_PATTERNS = st.text(alphabet="01x", min_size=1, max_size=3).flatmap(
    lambda text: st.sampled_from([text, text + "."])
)


@settings(deadline=None)
@given(st.lists(_PATTERNS, max_size=6), _PATTERNS, st.text(alphabet="0123456789", min_size=1, max_size=5))
def test_a_number_of_a_shadowed_rule_fits_one_of_those_before_it(
    earlier: list[str], late: str, number: str
) -> None:
    found = shadowed(Calls(Pattern(late)), [Calls(Pattern(one)) for one in earlier])
    if found is not None and Pattern(late).match(number) is not None:
        assert any(Pattern(earlier[index]).match(number) is not None for index in found)


def test_many_rules_are_looked_through_in_no_time() -> None:
    earlier = [Calls(Pattern(f"8{number:03}")) for number in range(1000)]
    assert shadowed(Calls(Pattern("8xxx")), earlier[:-1]) is None
    assert During(calendar="office") == During(calendar="office")


LISTS: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "an allow list that nobody names": ('  - {to: "1", flow: a/b}\n', [("warning", "unused-list")]),
    "a list that there is not": (
        '  - {to: "1", only: noe, flow: a/b}\n  - {to: "2", only: one, flow: a/b}\n',
        [("error", "unknown-list")],
    ),
    "a deny list named": (
        '  - {to: "1", from: {list: bad}, flow: a/b}\n  - {to: "2", only: one, flow: a/b}\n',
        [("error", "list")],
    ),
}


@pytest.mark.parametrize(("rules", "wanted"), LISTS.values(), ids=LISTS)
def test_lists_are_looked_up(tmp_path: Path, rules: str, wanted: list[Any]) -> None:
    _, faults = load(tmp_path, HEAD + rules + "otherwise: a/b\n")
    assert [(fault.severity, fault.code) for fault in faults] == wanted


@pytest.mark.parametrize(
    ("during", "code"),
    [
        ("{}", "during"),
        ("{calendar: office, days: mon}", "during"),
        ("{days: mon, closed: true}", "during"),
        ('{hours: "9-12"}', "hours"),
    ],
)
def test_hours_of_a_rule_that_make_no_sense_are_refused(tmp_path: Path, during: str, code: str) -> None:
    rules = f'  - {{to: "1", during: {during}, only: one, flow: a/b}}\n'
    _, faults = load(tmp_path, HEAD + rules + "otherwise: a/b\n")
    assert [fault.code for fault in faults] == [code]
