"""What is private may be spoken, with the recording masked meanwhile, and is kept nowhere; what is secret never is."""

from __future__ import annotations

from typing import Any

import pytest

from engine.testing.home import Home

PLUGIN = '''
"""Pay."""
from __future__ import annotations

from decimal import Decimal

from engine.api import Context, Department, Digits, Private, Record, Refused, command, hookimpl, query

ASKED, AWAY = [], []


class Line(Record):
    title: str
    amount: Private[Decimal]


class Slip(Record):
    month: str
    net: Private[Decimal]
    lines: list[Line] = []


department = Department("pay")


@query(department, over="engine")
def slip(ctx: Context, employee: Digits) -> Slip | None:
    ASKED.append("slip")
    if AWAY:
        raise RuntimeError("away")
    lines = [Line(title="Base", amount=Decimal("7001.25")), Line(title="Allowance", amount=Decimal("1122.20"))]
    return Slip(month="2026-10", net=Decimal("8123.45"), lines=lines)


@query(department, over="engine")
def bonus(ctx: Context, of: Private[Decimal]) -> Private[Decimal]:
    """What goes with a pay: private, and asked for by something private."""
    ASKED.append("bonus")
    return of / 10


@command(department, refusals=("wrong",), over="engine")
def sign_in(ctx: Context, pin: Private[Digits]) -> None:
    if pin != "73915028":
        raise Refused("wrong")


@hookimpl
def register_department():
    return department
'''
PRIVATE = ("8123.45", "4061.72", "16246.9", "812.345", "7001.25", "1122.20", "1122.2")
PIN = "73915028"
BEGIN = """
greet:
  - answer
  - record: service
  - collect: {into: employee, as: digits, length: 6, end: none, prompt: Your number., give_up: end}
  - query: {ask: pay.slip, with: {employee: "{employee}"}, into: slip, not_found: away, failed: away}
  - go: on
away:
  - play: We can't look it up now.
  - hangup
end:
  - play: Goodbye.
  - hangup
"""


@pytest.fixture
def pay(home: Home, centre_of: Any) -> Any:
    """``pay(blocks, sub)``: a centre whose number 8000 asks for a slip and goes on with these blocks."""

    def make(blocks: str, sub: str = "", **head: Any) -> Any:
        home.plugin("pay", PLUGIN)
        home.prompts(
            amount="It is {value:money}.",
            line="This is {line.title}, {line.amount:money}.",
            pick_line="For {line.title} of {line.amount:money} press {key}.",
            choose="You get {half:money}. To hear it all press one, to end press two.",
            whole="You get {slip.net:money}.",
        )
        home.flow("pay/main", BEGIN + blocks)
        if sub:
            home.flow("pay/sub", sub, **head)
        return centre_of(home.number("8000", "pay/main"))

    return make


def asked(centre: Any) -> list[str]:
    return list(_plugin(centre)["ASKED"])


def _plugin(centre: Any) -> Any:
    return centre.installation.host.departments["pay"].queries["pay.slip"].function.__globals__


def restarts(centre: Any, caller: Any, asked: str, *, away: bool = False) -> Any:
    """Another engine takes the call up while it asks; nothing was pressed meanwhile, and it is asked again."""
    centre.engine.kill()
    if away:
        _plugin(centre)["AWAY"].append("all day")
    centre.engine.start()
    return caller.hears("silent").hears(asked)


def masked(centre: Any, caller: Any) -> bool:
    """Is the recording silent at this moment?"""
    return bool(centre.app.recordings.masked(caller.view.recording))


def hears(centre: Any, caller: Any, prompt: str, *, private: bool, **values: Any) -> Any:
    """The caller hears it, and the recording holds it only when it is not private."""
    heard = caller.hears(prompt, **values)
    assert masked(centre, caller) == private, prompt
    return heard


def nothing_kept(centre: Any) -> None:
    for amount in PRIVATE:
        centre.nowhere(amount)


def test_what_is_computed_from_something_private_is_masked_and_kept_nowhere(pay: Any) -> None:
    centre = pay("""
on:
  - say: whole
  - set: {half: "= slip.net / 2", words: "about {slip.net}", month: "{slip.month}", rich: "= slip.net > 5000"}
  - say: {prompt: amount, values: {value: "{half}"}}
  - say: {prompt: amount, values: {value: "= half * 4"}}
  - say: "So {words}."
  - say: "In {month}."
  - query: {ask: pay.bonus, with: {of: "{slip.net}"}, into: bonus, failed: away}
  - say: {prompt: amount, values: {value: "{bonus}"}}
  - {journal: {event: heard, data: {month: "{slip.month}"}}}
  - choose:
      - {when: rich, go: ask}
      - {otherwise: end}
ask:
  - menu: {prompt: choose, options: {1: list, 2: end}, give_up: end}
list:
  - say: {prompt: line, each: slip.lines, as: line}
  - pick: {prompt: Which one., each: slip.lines, as: line, entry: pick_line, into: mine, none: end, give_up: end}
  - say: {prompt: amount, values: {value: "{mine.amount}"}}
  - say: "That was {mine.title}."
  - go: end
""")
    caller = centre.caller().dials("8000")
    caller.hears("Your number.").presses("100001")
    hears(centre, caller, "whole", private=True, **{"slip.net": "8123.45"})
    hears(centre, caller, "amount", private=True, value="4061.725")
    hears(centre, caller, "amount", private=True, value="16246.900")
    hears(centre, caller, "So about 8123.45.", private=True)
    hears(centre, caller, "In 2026-10.", private=False)
    hears(centre, caller, "amount", private=True, value="812.345")
    hears(centre, caller, "choose", private=True).presses("1")
    hears(centre, caller, "line", private=True, **{"line.amount": "7001.25"})
    hears(centre, caller, "line", private=True, **{"line.amount": "1122.20"})
    hears(centre, caller, "Which one.", private=False)
    hears(centre, caller, "pick_line", private=True).presses("2")
    hears(centre, caller, "amount", private=True, value="1122.20")
    hears(centre, caller, "That was Allowance.", private=False)
    hears(centre, caller, "Goodbye.", private=False)
    assert caller.ended
    nothing_kept(centre)


SUB = """
in:
  - set: {twice: "= pay * 2"}
  - menu: {prompt: Go on., options: {1: back}, give_up: back}
back:
  - return: {outcome: done, values: {twice: "{twice}", note: fine}}
"""
SUB_HEAD = "params: [pay]\nreturns: [twice, note]\noutcomes: [done]"


def test_what_a_sub_flow_is_given_and_returns_stays_private_over_a_restart(pay: Any) -> None:
    centre = pay("""
on:
  - run: {flow: pay/sub, with: {pay: "{slip.net}"}, into: answer}
  - menu: {prompt: Still there., options: {1: hear}, give_up: end}
hear:
  - say: "All is {answer.note}."
  - say: {prompt: amount, values: {value: "{answer.twice}"}}
  - go: end
""", SUB, head=SUB_HEAD)  # fmt: skip
    caller = centre.caller().dials("8000")
    caller.hears("Your number.").presses("100001")
    caller.hears("Go on.")
    restarts(centre, caller, "Go on.").presses("1").hears("Still there.")
    restarts(centre, caller, "Still there.").presses("1").hears("All is fine.")
    assert not masked(centre, caller)
    hears(centre, caller, "amount", private=True, value="16246.90")
    assert caller.hears("Goodbye.").ended
    assert asked(centre) == ["slip", "slip", "slip"]  # once by each engine
    nothing_kept(centre)


REGAINED = """
on:
  - set: {half: "= slip.net / 2"}
  - pick: {prompt: Which one., each: slip.lines, as: line, entry: pick_line, into: mine, none: end, give_up: end}
  - query: {ask: pay.bonus, with: {of: "{slip.net}"}, into: bonus, failed: away}
  - set: {half: "= half + bonus"}
  - menu: {prompt: Press one., options: {1: hear}, give_up: end}
hear:
  - say: "In {slip.month}."
  - say: {prompt: amount, values: {value: "{half}"}}
  - say: {prompt: amount, values: {value: "{mine.amount}"}}
  - say: {prompt: amount, values: {value: "{bonus}"}}
  - go: end
"""


def test_after_a_restart_the_query_is_asked_again_and_what_came_of_it_is_reckoned_again(pay: Any) -> None:
    centre = pay(REGAINED)
    caller = centre.caller().dials("8000")
    caller.hears("Your number.").presses("100001")
    caller.hears("Which one.").presses("1")
    caller.hears("Press one.")
    restarts(centre, caller, "Press one.").presses("1").hears("In 2026-10.")
    hears(centre, caller, "amount", private=True, value="4874.070")
    hears(centre, caller, "amount", private=True, value="7001.25")
    hears(centre, caller, "amount", private=True, value="812.345")
    assert caller.hears("Goodbye.").ended
    assert asked(centre)[2:].count("slip") == 1
    nothing_kept(centre)
    centre.nowhere("4874.07")


def test_what_cannot_be_asked_for_again_goes_the_way_of_its_query(pay: Any) -> None:
    centre = pay(REGAINED)
    caller = centre.caller().dials("8000")
    caller.hears("Your number.").presses("100001")
    caller.hears("Which one.").presses("1")
    caller.hears("Press one.")
    restarts(centre, caller, "Press one.", away=True).presses("1").hears("In 2026-10.").hears(
        "We can't look it up now."
    )
    assert caller.ended == "NORMAL_CLEARING"
    assert [entry.data["failure"] for entry in centre.journal(caller, "step.failed")] == [
        "`half` could not be asked for again"
    ]
    assert not centre.journal(caller, "flow.failed")
    nothing_kept(centre)


def test_a_recording_that_was_masked_when_the_engine_died_is_heard_again_afterwards(pay: Any) -> None:
    centre = pay("""
on:
  - say: whole
  - menu: {prompt: Anything else., options: {1: end}, give_up: end}
""")
    caller = centre.caller().dials("8000")
    caller.hears("Your number.").presses("100001")
    hears(centre, caller, "whole", private=True)
    centre.engine.kill()
    centre.engine.start()
    caller.hears("Anything else.")
    assert not masked(centre, caller)
    assert caller.presses("1").hears("Goodbye.").ended
    nothing_kept(centre)


CODE = """
in:
  - menu: {prompt: Go on., options: {1: try}, give_up: bad}
try:
  - set: {known: yes, code: "{code}"}
  - id: sign_in
    command: {do: pay.sign_in, with: {pin: "{code}"}, refused: {wrong: bad}, failed: bad}
  - play: That is right.
  - return: {outcome: done}
bad:
  - play: That can't be looked at.
  - return: {outcome: done}
"""


@pytest.mark.parametrize("restart", [False, True])
def test_a_secret_that_is_handed_to_a_sub_flow_stays_secret_there(pay: Any, restart: bool) -> None:
    centre = pay("""
on:
  - collect: {into: pin, as: pin, length: 8, end: none, prompt: Your PIN., give_up: end}
  - run: {flow: pay/sub, with: {code: "{pin}"}}
  - go: end
""", CODE.replace('  - set: {known: yes, code: "{code}"}\n', ""), head="params: [code]\noutcomes: [done]")  # fmt: skip
    caller = centre.caller().dials("8000")
    caller.hears("Your number.").presses("100001")
    caller.hears("Your PIN.").presses(PIN)
    caller.hears("Go on.")
    if restart:
        restarts(centre, caller, "Go on.")
    caller.presses("1")
    caller.hears("That can't be looked at." if restart else "That is right.").hears("Goodbye.")
    assert caller.ended
    centre.nowhere(PIN)


@pytest.mark.parametrize("end", ["hang up", "failure"])
def test_nothing_private_is_written_when_the_caller_hangs_up_or_the_system_fails(pay: Any, end: str) -> None:
    centre = pay("""
on:
  - collect: {into: pin, as: pin, length: 8, end: none, prompt: Your PIN., give_up: end}
  - set: {half: "= slip.net / 2"}
  - say: {prompt: amount, values: {value: "{half}"}}
  - query: {ask: pay.slip, with: {employee: "{employee}"}, into: slip, not_found: away, failed: away}
  - go: end
""")
    caller = centre.caller().dials("8000")
    caller.hears("Your number.").presses("100001")
    caller.hears("Your PIN.").presses(PIN)
    caller.hears("amount", value="4061.725")
    if end == "hang up":
        caller.hangs_up()
    else:
        _plugin(centre)["AWAY"].append("all day")
        caller.hears("We can't look it up now.")
        assert caller.ended
    nothing_kept(centre)
    centre.nowhere(PIN)
