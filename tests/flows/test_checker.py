from __future__ import annotations

from pathlib import Path

from engine.flows.checker import check_drafts
from engine.flows.known import Known
from engine.flows.loader import find_flows, parse_flow
from engine.flows.steps import STEPS
from engine.schema.faults import Faults
from tests.flows.checking import KNOWN, MAIN, SAMPLE, check, department


def faults_of(text: str, name: str = "orders/main", known: Known = KNOWN) -> Faults:
    return check_drafts([parse_flow(text, name, STEPS)], known)[1]


def flow(blocks: str, head: str = "") -> str:
    return f"grammar: 1\nflow: orders/main\ntitle: A flow\nlanguages: [en]\nstart: a\n{head}blocks:\n{blocks}"


def codes(text: str) -> list[tuple[int, str]]:
    return [(fault.line, fault.code) for fault in faults_of(text)]


def test_a_good_department_compiles_without_a_word() -> None:
    flows, faults = check(SAMPLE)
    assert list(faults) == [], faults.pretty()
    assert flows is not None
    assert set(flows.flows) == {"orders/main", "orders/check"}


def test_a_set_is_compiled_whole_or_not_at_all(tmp_path: Path) -> None:
    plugins = department(tmp_path, extra="grammar: 1\nflow: orders/extra\n")
    flows, faults = check(plugins)
    assert flows is None
    assert {fault.file for fault in faults} == {"plugins/orders/flows/extra.yaml"}


def test_all_faults_of_all_flows_come_in_one_run(tmp_path: Path) -> None:
    text = MAIN.read_text(encoding="utf-8")
    broken = {"longest: 10m": "longest: 10", "star: greet": "star: great", "{order.note}": "{order.not}"}
    for written, instead in broken.items():
        text = text.replace(written, instead)
    plugins = department(tmp_path, main=text, check="grammar: 1\nflow: orders/chek\n  title: x\n")
    _, faults = check(plugins)
    assert {fault.code for fault in faults} >= {"duration", "unknown-block", "unknown-field", "syntax"}
    assert len({fault.file for fault in faults}) == 2


def test_a_fault_in_a_step_hides_no_fault_behind_it() -> None:
    text = flow("  a:\n    - qeury: {}\n    - go: b\n    - play: c\n")
    assert codes(text) == [
        (8, "unknown-step"),
        (9, "unknown-block"),
        (10, "unreachable"),
        (10, "unknown-prompt"),
    ]


def test_what_a_faulty_step_may_have_borne_is_no_fault_behind_it() -> None:
    text = flow('  a:\n    - collect: {into: x, as: digit}\n    - set: {y: "{x}"}\n    - hangup\n')
    assert "not-born" not in {code for _, code in codes(text)}


def test_a_literal_text_may_stand_where_the_flow_speaks_one_language() -> None:
    assert codes(flow('  a:\n    - play: "Hello, and good bye."\n    - hangup\n')) == []
    assert codes(flow('  a:\n    - set: {n: 3}\n    - say: "Number {n:count}"\n    - hangup\n')) == []
    assert codes(flow('  a:\n    - say: "Number {m:count}"\n    - hangup\n')) == [(8, "unknown-name")]


def test_a_test_for_known_makes_a_name_readable_where_it_holds() -> None:
    text = flow("""\
  a:
    - menu: {prompt: bye, options: {1: b, 2: c}, give_up: c}
  b:
    - set: {x: "= 1"}
    - go: c
  c:
    - set: {y: "{x}", if: 1 == 1}
    - choose:
        - {when: x is known and x > 3, go: d}
        - {when: x is not known, go: e}
    - set: {y: "{x}"}
    - hangup
  d:
    - set: {y: "{x}"}
    - hangup
  e:
    - set: {y: "{x}"}
    - hangup
""").replace('\n    - set: {y: "{x}", if: 1 == 1}', '\n    - set: {y: "{x}"}\n      if: x is known')
    assert codes(text) == [(24, "not-born")]


def test_a_name_is_born_only_on_the_ways_of_success() -> None:
    text = flow("""\
  a:
    - query: {ask: orders.state, with: {dealer: "1"}, into: order, not_found: b, failed: b}
    - set: {x: "{order.state}"}
    - hangup
  b:
    - set: {x: "{order.state}"}
    - hangup
""")
    assert codes(text) == [(12, "not-born")]


def test_the_key_of_a_menu_is_known_behind_its_options() -> None:
    text = flow("""\
  a:
    - menu: {prompt: bye, options: {1: b}, into: key, give_up: c}
  b:
    - set: {x: "{key}"}
    - hangup
  c:
    - set: {x: "{key}"}
    - hangup
""")
    assert codes(text) == [(13, "not-born")]


def test_a_value_may_not_be_made_of_itself_before_it_is_there() -> None:
    assert codes(flow('  a:\n    - set: {n: "= n + 1"}\n    - hangup\n')) == [(8, "not-born")]
    assert codes(flow('  a:\n    - set: {n: "= 1", m: "= n + 1"}\n    - hangup\n')) == []


def test_a_loop_that_only_keys_keep_alive_is_allowed() -> None:
    text = flow("""\
  a:
    - confirm: {prompt: try_again, yes: a, no: b, give_up: b}
  b:
    - hangup
""")
    assert codes(text) == []


def test_a_block_without_an_end_is_told_once_and_not_as_a_loop_too() -> None:
    text = flow("""\
  a:
    - confirm: {prompt: try_again, yes: a, no: a, give_up: b}
    - go: a
  c:
    - confirm: {prompt: try_again, yes: a, no: a, give_up: b}
  b:
    - set: {x: 1}
    - confirm: {prompt: try_again, yes: a, no: a, give_up: a}
      if: x == 1
""")
    assert "endless-loop" not in [code for _, code in codes(text)]


def test_a_loop_through_silence_is_refused() -> None:
    text = flow("""\
  a:
    - confirm: {prompt: try_again, yes: c, no: c, give_up: b}
  b:
    - set: {x: 1}
    - go: a
  c:
    - hangup
""")
    assert codes(text) == [(7, "endless-loop")]
    assert [fault.way for fault in faults_of(text)] == ["stay silent x3 -> block a again"]


def test_a_loop_that_a_query_may_leave_is_allowed() -> None:
    text = flow("""\
  a:
    - query: {ask: orders.state, with: {dealer: "1"}, not_found: a, failed: a}
    - hangup
""")
    assert codes(text) == []


def test_a_sub_flow_ends_a_block_when_all_its_outcomes_lead_somewhere() -> None:
    sub = flow("  a:\n    - return: no\n", "outcomes: [yes, no]\n").replace("orders/main", "orders/sub")
    whole = flow("  a:\n    - run: {flow: orders/sub, yes: b, no: b}\n  b:\n    - hangup\n")
    part = flow("  a:\n    - run: {flow: orders/sub, yes: b}\n  b:\n    - hangup\n")

    def run(text: str) -> list[str]:
        drafts = [parse_flow(text, "orders/main", STEPS), parse_flow(sub, "orders/sub", STEPS)]
        return [fault.code for fault in check_drafts(drafts, KNOWN)[1]]

    assert run(whole) == []
    assert run(part) == ["no-end", "missing-way"]


def test_a_return_gives_what_the_flow_declares() -> None:
    head = "outcomes: [done]\nreturns: [x]\n"
    assert codes(flow("  a:\n    - return\n", head)) == []
    assert codes(flow("  a:\n    - return: gone\n", head)) == [(10, "unknown-outcome")]
    assert codes(flow("  a:\n    - return: {values: {y: 1}}\n", head)) == [(10, "unknown-return")]


def test_a_comment_behind_a_key_is_no_text_cut_off() -> None:
    assert codes(flow("  a:\n    - play: bye   # a comment\n    - hangup # another\n")) == []
    assert codes(flow("  a:\n    - play: Press 1 # for sales\n    - hangup\n")) == [(8, "cut-off")]


def test_hidden_files_and_folders_are_no_flows(tmp_path: Path) -> None:
    for name in (
        "a/flows/main.yaml",
        "a/flows/.draft.yaml",
        ".git/flows/x.yaml",
        "a/flows/notes.txt",
        "b/flows/x.yml",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    assert [source.name for source in find_flows(tmp_path)] == ["a/main", "b/x"]
    assert find_flows(tmp_path / "none") == []


def test_flows_of_an_installed_plugin_are_found_too(tmp_path: Path) -> None:
    (tmp_path / "main.yaml").write_text("x")
    assert [source.name for source in find_flows(tmp_path / "none", {"extra": tmp_path})] == ["extra/main"]


def test_the_second_of_two_flows_of_one_name_is_refused() -> None:
    text = flow("  a:\n    - hangup\n")
    drafts = [
        parse_flow(text, "orders/main", STEPS, file="a.yaml"),
        parse_flow(text, "orders/main", STEPS, file="b.yaml"),
    ]
    faults = list(check_drafts(drafts, KNOWN)[1])
    assert [(fault.file, fault.code, str(fault.also)) for fault in faults] == [
        ("b.yaml", "duplicate-flow", "a.yaml:1:1")
    ]
