"""Pass 4: what is sure to go wrong with a value's type is told, and what is not sure is left alone."""

from __future__ import annotations

import pytest

from engine.flows.checker import check_drafts
from engine.flows.loader import parse_flow
from engine.flows.passes.keys import offered
from engine.flows.steps import STEPS
from tests.flows.administered import administered
from tests.flows.checking import KNOWN

ORDER = '    - query: {ask: orders.state, with: {dealer: "1"}, into: order, not_found: b, failed: b}\n'


def faults(steps: str, **others: str) -> list[tuple[str, str]]:
    """Code and hint of what is wrong with these steps of a flow (which has an order) and with other flows."""

    def flow(name: str, blocks: str, head: str = "") -> str:
        return (
            f"grammar: 1\nflow: orders/{name}\ntitle: x\nlanguages: [en]\nstart: a\n{head}blocks:\n{blocks}"
        )

    blocks = f"  a:\n{ORDER}{steps}    - go: b\n  b:\n    - hangup\n"
    drafts = [parse_flow(flow("main", blocks), "orders/main", STEPS)]
    for name, text in others.items():
        head, _, body = text.partition("|")
        drafts.append(parse_flow(flow(name, body, head), f"orders/{name}", STEPS))
    return [(fault.code, fault.hint) for fault in check_drafts(drafts, KNOWN)[1]]


@pytest.mark.parametrize(
    "step",
    [
        'set: {x: "{order.at.year}", y: "= order.lines * 2 + 0.5"}',
        'set: {x: "{order.note} {order.number:digits} {order.lines:count}"}',
        "set: {x: \"= order.at < now\", y: \"= now.date == order.at\"}",
        "set: {x: '= order.state in [\"open\", \"shipped\"] and \"a\" in order.note'}",
        "set: {x: '= order.number == \"0123\"', y: '= refusal.limit > 3 and queue.anything == 1'}",
    ],
)  # fmt: skip
def test_what_may_go_well_is_no_fault(step: str) -> None:
    assert faults(f"    - {step}\n") == []


@pytest.mark.parametrize(
    ("value", "code", "hint"),
    [
        ("= order.at.hour", "unknown-field", "known: day, month, year"),
        ("= order.lines.count", "unknown-field", ""),
        ("= order.lines == \"3\"", "wrong-type", 'a number is written without quotes, and set with a sign: "= 3"'),
        ("= order.number > 3", "wrong-type", "digits are a text: collect them `as: number`"),
        ("= order + 1", "wrong-type", ""),
        ("= 1 + \"a\"", "wrong-type", "texts are joined in a text"),
        ("= -order.state", "wrong-type", ""),
        ("= now - order.at", "wrong-type", ""),
        ("= order.lines in 3", "wrong-type", 'write a list: ["a", "b"]'),
        ("= order.state == \"opne\"", "unknown-choice", 'did you mean "open"?'),
        ("= order.state in [\"open\", \"shiped\"]", "unknown-choice", 'did you mean "shipped"?'),
        ("on {order.state:date}", "wrong-type", "it can be said as {text}, {digits}"),
        ("see {order}", "wrong-type", "name a field: {order.number}, {order.state}, {order.lines}"),
    ],
)  # fmt: skip
def test_what_surely_goes_wrong_is_told(value: str, code: str, hint: str) -> None:
    written = "'" + value.replace("'", "''") + "'"
    found = faults(f"    - set: {{x: {written}}}\n")
    assert [fault[0] for fault in found] == [code], found
    assert hint.split("{")[0] in found[0][1]


def test_types_go_through_the_parameters_and_the_returns_of_a_flow_that_is_run() -> None:
    sub = (
        "params: [day, count]\nreturns: [twice, day]\n|"
        '  a:\n    - return: {values: {twice: "= count * 2", day: "{day}"}}\n'
    )
    run = '    - run: {flow: orders/sub, with: {day: "{order.at}", count: "{order.lines}"}, into: made}\n'
    assert faults(run + '    - set: {x: "= made.twice + made.day.year"}\n', sub=sub) == []
    found = faults(run + '    - set: {x: "= made.twice + made.day"}\n', sub=sub)
    assert [code for code, _ in found] == ["wrong-type"]
    found = faults(run + '    - set: {x: "= made.tvice"}\n', sub=sub)
    assert found == [("unknown-field", 'did you mean "twice"?')]
    wrong = run.replace('count: "{order.lines}"', 'count: "{order.state}"')
    assert [code for code, _ in faults(wrong, sub=sub)] == ["wrong-type"]


def test_a_pin_stays_secret_under_another_name_in_a_flow_that_is_run() -> None:
    sub = 'params: [code]\n|  a:\n    - journal: {event: x, data: {c: "{code}"}}\n    - return\n'
    ask = "    - collect: {into: pin, as: pin, prompt: bye, give_up: b}\n"
    run = '    - run: {flow: orders/sub, with: {code: "{pin}"}}\n'
    assert [code for code, _ in faults(ask + run, sub=sub)] == ["secret-spoken"]


def test_the_key_of_a_menu_is_one_of_its_options() -> None:
    menu = "    - menu: {prompt: bye, options: {1: c, 2: b}, into: key, give_up: b}\n  c:\n"
    assert faults(menu + "    - set: {x: '= key == \"1\"'}\n") == []
    assert [code for code, _ in faults(menu + "    - set: {x: '= key == \"3\"'}\n")] == ["unknown-choice"]
    assert [code for code, _ in faults(menu + "    - set: {x: '= key == 1'}\n")] == ["wrong-type"]


def test_a_name_that_is_reckoned_from_itself_has_the_type_of_where_it_began() -> None:
    assert faults('    - set: {n: "= 0"}\n    - set: {n: "= n + 1"}\n    - set: {x: "= n > 2"}\n') == []


@pytest.mark.parametrize(
    ("text", "language", "keys"),
    [
        ("For sales, press 1. For all else, press 0.", "en", "10"),
        ("Press one or two.", "en", "12"),
        ("Press 1, 2 or 3, or press the star key.", "en", "123*"),
        ("To hear this again, press the hash key.", "en", "#"),
        ("Press 1 to 3.", "en", "123"),
        ("We are open from 9 to 5.", "en", None),
        ("查询运单请按1，人工服务请按0，重听请按星号键。", "zh-CN", "10*"),
        ("请按“2”或按井号键。", "zh-CN", "2#"),
        ("按一查询，按二下单", "zh-CN", "12"),
        ("请按１、２或３", "zh-CN", "123"),
        ("中文服务请按1。For English, press 2.", "zh-CN", "12"),
        ("For English, press 2. 中文服务请按1。", "en", "12"),
        ("Bitte 1.", "de", None),
    ],
)
def test_the_keys_that_words_offer_are_found(text: str, language: str, keys: str | None) -> None:
    assert offered(text, language) == (None if keys is None else frozenset(keys))


@pytest.mark.parametrize(
    "steps",
    [
        '    - set: {n: "= 0"}\n    - set: {n: "= n + 1"}\n',
        '    - set: {n: "= 0"}\n    - set: {n: "= n + 0.5"}\n    - set: {n: "= n * 2"}\n',
        # What it was set to first may not be what it is when it is reckoned with.
        '    - set: {n: none}\n    - set: {n: "= 1"}\n    - set: {n: "= n + 1"}\n',
        '    - set: {n: a}\n    - set: {n: "{n}, b"}\n    - set: {n: "= n + n"}\n',
        '    - set: {n: "= 1", m: "= 2"}\n    - set: {n: "= m + n", m: "= n * m"}\n',
    ],
)
def test_a_name_may_be_reckoned_from_itself(steps: str) -> None:
    assert faults(steps) == []


@pytest.mark.parametrize(
    ("steps", "code", "hint"),
    [
        ('    - set: {n: 0}\n    - set: {n: "= n + 1"}\n', "wrong-type", '"= 0"'),
        ('    - set: {n: 0, m: "= 1"}\n    - set: {n: "= n * m", m: "= m + 1"}\n', "wrong-type", '"= 0"'),
        ('    - set: {n: "{order.at}"}\n    - set: {n: "= n + 1"}\n', "wrong-type", ""),
    ],
)
def test_a_text_that_is_reckoned_from_itself_never_becomes_a_number(steps: str, code: str, hint: str) -> None:
    [(found, told)] = faults(steps)
    assert found == code
    assert hint in told


@pytest.mark.parametrize(
    ("step", "wrong"),
    [
        ("transfer: {extension: 101, into: t, failed: b}", "t.numbr"),
        ("conference: {room: a, into: t, failed: b}", "t.numbr"),
        ("fax: {document: Hello., to: 101, into: t, failed: b}", "t.numbr"),
        ("ticket: {kind: fault, into: t, failed: b}", "t.numbr"),
        ("ticket: {kind: fault, into: t, failed: b}", "t.due.hour + t.state"),
        ("transfer: {extension: 101, into: t, failed: b}", "t.by == 'nobody'"),
    ],
)
def test_what_a_step_bears_has_its_fields(step: str, wrong: str) -> None:
    """A field that there is not, a sum that there can't be, an end of a talk that there never is."""
    assert len(faults(f'    - {step}\n    - set: {{x: "= {wrong}"}}\n')) == 1


PAY = "pay/main"


@pytest.mark.parametrize(
    ("step", "code"),
    [
        ('alert: {to: leads, text: your_pay, values: {month: "{month}"}}', "private"),
        ('alert: {to: leads, text: no_slip, values: {month: "{slip.net}"}}', "private"),
        ("fax: {document: your_pay, to: 02088886666, failed: trouble}", "private"),
        (
            'fax: {document: no_slip, values: {month: "{slip.net}"}, to: 02088886666, failed: trouble}',
            "private",
        ),
        ('ticket: {kind: pay, data: {net: "{slip.net}"}, failed: trouble}', "private"),
        ('ticket: {kind: pay, data: {about: "net {slip.net}"}, failed: trouble}', "private"),
        ('transfer: {to: "{slip.net}", failed: trouble}', "private"),
        ('tally: {name: pay, by: {net: "{slip.net}"}}', "private"),
        ('voicemail: "{slip.net}"', "private"),
        ('say: {prompt: no_slip, values: {month: "{pin}"}}', "secret-spoken"),
        ('ticket: {kind: pay, once: "{pin}", failed: trouble}', "secret-spoken"),
        ('callback: {queue: office, number: "{pin}", failed: trouble}', "secret-spoken"),
    ],
)
def test_what_is_written_down_holds_nothing_private_and_nothing_secret(step: str, code: str) -> None:
    text = (
        administered()
        .texts[PAY]
        .replace("    - say: {prompt: your_pay", f"    - {step}\n    - say: {{prompt: your_pay")
    )
    _, found = administered().check(pay_main=text)
    assert code in [fault.code for fault in found], found.pretty()


def test_a_waiting_caller_is_told_nothing_private_since_nothing_is_silenced_then() -> None:
    queue = "queue: {name: office, waiting: {say: your_pay}, full: bye, too_long: bye, no_agents: bye}"
    text = administered().texts[PAY]
    text = text.replace("    - say: {prompt: your_pay", f"    - {queue}\n    - say: {{prompt: your_pay")
    _, found = administered().check(pay_main=text)
    [fault] = [fault for fault in found if fault.code == "private"]
    assert "while the recording goes on" in fault.message


def test_what_was_spoken_to_the_caller_before_may_still_not_be_written_down() -> None:
    text = administered().texts[PAY]
    fax = "fax: {document: your_pay, to: 02088886666, failed: trouble}"
    text = text.replace(said := "    - say: {prompt: your_pay", f"    - say: your_pay\n    - {fax}\n{said}")
    _, found = administered().check(pay_main=text)
    assert "private" in [fault.code for fault in found], found.pretty()


def test_a_command_takes_what_is_private_only_where_it_says_so() -> None:
    given = '    - id: in\n      command: {do: pay.sign_in, with: {employee: "{slip.net}", pin: "{pin}"},'
    ways = " refused: {wrong: bye, locked: bye}, failed: bye}\n"
    text = administered().texts[PAY]
    text = text.replace("    - say: {prompt: your_pay", given + ways + "    - say: {prompt: your_pay")
    _, found = administered().check(pay_main=text)
    assert "private" in [fault.code for fault in found], found.pretty()
    assert "Private[" in found.pretty()
