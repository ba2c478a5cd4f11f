from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.flows.calendars import load_calendars
from engine.flows.checker import check_drafts
from engine.flows.dialplan import Dialplan, load_dialplan
from engine.flows.known import Known
from engine.flows.loader import parse_flow
from engine.flows.model import Flow
from engine.flows.numbers import Numbers
from engine.flows.patterns import Pattern, captures_in, fill_captures
from engine.flows.steps import STEPS
from engine.schema.faults import Faults
from tests.flows.checking import KNOWN, marked

REPO = Path(__file__).parents[2]
NUMBERS = Numbers("CN")
HEAD = "grammar: 1\ndialplan: main\n"
PLAN = (
    HEAD
    + """\
lists:
  nuisance: {deny: ["17000000000", "+86171."], say: closed}
numbers:
  - {to: "8003", flow: hr/main, identity: deferred, record: never, lost_place: hr/lost}
  - {to: "8004", from: {tier: diamond}, flow: logistics/main, priority: 50}
  - {to: "8004", from: "+86139.", flow: logistics/main, language: en}
  - {to: "8004", during: office, flow: logistics/main}
  - {to: "8004", flow: logistics/night, languages: [en]}
  - {to: "8005", trunk: hotline, flow: logistics/night}
  - {to: "8005", flow: logistics/main}
  - {to: "86xx", extension: "10{1}"}
  - {to: "*8x.", flow: hr/main, params: {who: "{1}"}}
otherwise: reception/unknown
"""
)


def flow(name: str, languages: str = "[zh-CN, en]", params: str = "[]") -> Flow:
    text = (f"grammar: 1\nflow: {name}\ntitle: x\nlanguages: {languages}\nparams: {params}\n"
            "start: a\nblocks:\n  a:\n    - hangup\n")  # fmt: skip
    flows, faults = check_drafts([parse_flow(text, name, STEPS)], KNOWN)
    assert flows is not None, faults.pretty()
    return flows[name]


FLOWS = {name: flow(name) for name in ("logistics/main", "logistics/night", "hr/lost", "reception/unknown")}
FLOWS["hr/main"] = flow("hr/main", "[zh-CN]")


def load(
    tmp_path: Path, text: str, *, flows: dict[str, Flow] | None = None, known: Known | None = None
) -> tuple[Dialplan | None, Faults]:
    path = tmp_path / "main.yaml"
    path.write_text(text, encoding="utf-8")
    calendars, _ = load_calendars(REPO / "conf" / "calendars.yaml", today=date(2026, 6, 1))
    return load_dialplan(
        path, numbers=NUMBERS, flows=flows, known=known, calendars=calendars, name="main.yaml"
    )


@pytest.fixture
def plan(tmp_path: Path) -> Dialplan:
    found, faults = load(tmp_path, PLAN)
    assert found is not None, faults.pretty()
    return found


OPEN = datetime(2026, 11, 23, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
NIGHT = datetime(2026, 11, 23, 22, 0, tzinfo=ZoneInfo("Asia/Shanghai"))


def test_the_first_rule_that_fits_wins(plan: Dialplan) -> None:
    assert plan.match(to="8004", caller="+8613800000000", tier="diamond", at=NIGHT).priority == 50
    mobile = plan.match(to="8004", caller="+8613900000000", at=NIGHT)
    assert (mobile.flow, mobile.language, mobile.why) == (
        "logistics/main",
        "en",
        "8004 was dialled and +8613900000000 calls",
    )
    assert plan.match(to="8004", caller="+8613800000000", at=OPEN).flow == "logistics/main"
    assert plan.match(to="8004", caller="+8613800000000", at=NIGHT).flow == "logistics/night"
    assert plan.match(to="8004", at=NIGHT).rule == "main.yaml:10"


def test_a_rule_may_be_for_the_calls_of_one_trunk(plan: Dialplan) -> None:
    assert plan.match(to="8005", trunk="hotline").flow == "logistics/night"
    assert plan.match(to="8005", trunk="pstn").flow == "logistics/main"


def test_a_rule_says_how_the_call_is_treated(plan: Dialplan) -> None:
    match = plan.match(to="8003", caller="+8613800000000")
    assert (match.kind, match.deferred, match.record, match.lost_place) == ("flow", True, "never", "hr/lost")


def test_what_a_pattern_captures_goes_on(plan: Dialplan) -> None:
    match = plan.match(to="8621")
    assert (match.kind, match.extension, match.flow, match.why) == ("extension", "1021", "", "8621 fits 86xx")
    assert plan.match(to="*8123").params == {"who": "123"}


def test_a_number_that_fits_no_rule_goes_otherwise(plan: Dialplan) -> None:
    for number in ("", "1", "86", "86xx", "86210", "*8", "8004 ", "８００４"):
        match = plan.match(to=number)
        assert (match.flow, match.why) == ("reception/unknown", f"no rule fits {number}")


def test_a_caller_on_a_list_is_denied(plan: Dialplan) -> None:
    for number in ("+8617000000000", "+8617112345678"):
        match = plan.match(to="8004", caller=number)
        assert (match.kind, match.say, match.flow, match.rule) == ("deny", "closed", "", "main.yaml:4")
    assert plan.match(to="8004", caller="").kind == "flow"


def test_the_languages_are_those_of_the_flow_unless_the_rule_says_otherwise(tmp_path: Path) -> None:
    text = (
        HEAD + "numbers:\n  - {to: 1, flow: a/b}\n  - {to: 2, flow: a/b, languages: [en]}\notherwise: a/b\n"
    )
    plan, faults = load(tmp_path, text, flows={"a/b": flow("a/b")})
    assert plan is not None, faults.pretty()
    assert plan.match(to="1").languages == ("zh-CN", "en")
    assert plan.match(to="1").language == "zh-CN"
    assert plan.match(to="2").languages == ("en",)
    assert plan.flows == {"a/b"}


BROKEN = {
    "a shadowed rule": ('  »- {to: "8004", flow: x/y}\n', "shadowed"),
    "a rule behind a pattern that takes all": (
        '  - {to: ".", flow: x/y}\n  »- {to: "8005", flow: x/y}\n',
        "shadowed",
    ),
    "no way": ('  »- {to: "1"}\n', "way"),
    "two ways": ('  »- {to: "1", flow: x/y, extension: "1"}\n', "way"),
    "a pattern that is none": ('  - {to: »"86yy", flow: x/y}\n', "pattern"),
    "a capture of nothing": ('  - {to: "1x", extension: »"1{2}"}\n', "capture"),
    "an extension with signs": ('  - {to: "1", extension: »"1@evil"}\n', "extension"),
    "a misspelt key": ('  - {to: "1", flwo: x/y}\n', "unknown-key"),
    "a flow that is none": ('  - {to: "1", flow: »main}\n', "flow-name"),
    "a from that says nothing": ('  - {to: "1", from: »{}, flow: x/y}\n', "from"),
    "a language that is not offered": (
        '  - {to: "1", flow: x/y, language: »fr, languages: [en]}\n',
        "language",
    ),
    "an identity that is none": ('  - {to: "1", flow: x/y, identity: »late}\n', "unknown-choice"),
}


@pytest.mark.parametrize(("rule", "code"), BROKEN.values(), ids=BROKEN)
def test_a_broken_rule_is_reported_at_its_place(tmp_path: Path, rule: str, code: str) -> None:
    text = HEAD + 'numbers:\n  - {to: "8004", flow: x/y}\n' + rule + "otherwise: x/y\n"
    if "»" not in text:
        text = text.replace("flwo", "»flwo")
    text = text.replace("  »- {", "  - »{")
    text, line, column = marked(text)
    plan, faults = load(tmp_path, text)
    assert plan is None
    assert (line, column, code) in [(fault.line, fault.column, fault.code) for fault in faults], (
        faults.pretty()
    )


def test_a_dialplan_without_otherwise_is_refused(tmp_path: Path) -> None:
    _, faults = load(tmp_path, HEAD + "numbers: []\n")
    assert [(fault.code, fault.message) for fault in faults] == [("missing-key", "`otherwise` is missing")]


def test_what_a_dialplan_names_is_looked_up(tmp_path: Path) -> None:
    text = (
        HEAD
        + """\
lists: {bad: {deny: ["+86171."], say: clsoed}}
numbers:
  - {to: "1", flow: logistics/mian}
  - {to: "2", flow: hr/main, languages: [zh-CN, en]}
  - {to: "3", flow: logistics/main, params: {who: x}, during: ofice}
  - {to: "4", flow: ask/who, language: fr}
  - {to: "5", extension: "1009"}
otherwise: {flow: reception/unknown, lost_place: reception/lost}
"""
    )
    flows = {**FLOWS, "ask/who": flow("ask/who", params="[who]")}
    known = Known(prompts=KNOWN.prompts, calendars={"office"}, extensions={"1001"})
    _, faults = load(tmp_path, text, flows=flows, known=known)
    assert [(fault.line, fault.column, fault.code) for fault in faults] == [
        (3, 39, "unknown-prompt"),
        (5, 21, "unknown-flow"),
        (6, 49, "flow-language"),
        (7, 46, "unknown-argument"),
        (7, 63, "unknown-calendar"),
        (8, 21, "missing-argument"),
        (8, 40, "unknown-language"),
        (8, 40, "flow-language"),
        (9, 26, "unknown-extension"),
        (10, 50, "unknown-flow"),
    ]


def test_the_dialplan_of_the_sample_company_is_good() -> None:
    plan, faults = load_dialplan(REPO / "dialplans" / "main.yaml", numbers=NUMBERS)
    assert plan is not None, faults.pretty()
    assert plan.match(to="8004").flow == "logistics/main"
    assert plan.match(to="*13").flow == "desk/ready"
    assert plan.match(to="4711").flow == "reception/unknown_number"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("13800000000", "+8613800000000"),
        ("008613800000000", "+8613800000000"),
        ("8613800000000", "+8613800000000"),
        ("+86 138 0000 0000", "+8613800000000"),
        ("02088886666", "+862088886666"),
        ("sip:+85223456789@example", "+85223456789"),
        ("1001", "1001"),
        ("*11", "*11"),
        ("95588", "95588"),
        ("anonymous", ""),
        ("Anonymous", ""),
        ("", ""),
        ("12345678901234567890", "12345678901234567890"),
        ("x${system ls}", ""),
        ("+1' OR 1", "+11"),
    ],
)
def test_numbers_are_read_as_people_of_the_region_dial_them(written: str, read: str) -> None:
    assert NUMBERS.e164(written) == read


@settings(deadline=None)
@given(st.text(max_size=30))
def test_any_number_is_read_as_digits_or_nothing(text: str) -> None:
    assert set(NUMBERS.e164(text)) <= set("0123456789+*#")


def test_a_pattern_captures_its_runs() -> None:
    assert Pattern("8xx4x").match("81243") == ("12", "3")
    assert Pattern("+86139.").match("+8613900000000") == ("00000000",)
    assert Pattern("*8x.").match("*81") is None
    assert Pattern(".").match("*") is None
    assert fill_captures("a{2}b{1}", ("1", "2")) == "a2b1"
    assert captures_in("a{2}b{10}") == [2, 10]


_PATTERNS = st.text(alphabet="01x*", min_size=1, max_size=4).flatmap(
    lambda text: st.sampled_from([text, text + "."])
)
_DIALLED = st.text(alphabet="01*", min_size=1, max_size=6)


@settings(deadline=None)
@given(_PATTERNS, _PATTERNS, _DIALLED)
def test_a_pattern_that_covers_another_fits_all_that_it_fits(one: str, other: str, number: str) -> None:
    wide, narrow = Pattern(one), Pattern(other)
    if wide.covers(narrow) and narrow.match(number) is not None:
        assert wide.match(number) is not None


@settings(deadline=None)
@given(_PATTERNS, _DIALLED)
def test_a_pattern_covers_itself_and_every_number_that_it_fits(text: str, number: str) -> None:
    pattern = Pattern(text)
    assert pattern.covers(pattern)
    fits = pattern.match(number)
    assert (fits is not None) == pattern.covers(Pattern(number))
    if fits is not None:
        assert len(fits) == pattern.captures
