"""Kinds of tickets that a department declares: in its handlers, in its flows, at the terminal, on the phone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.errors import DepartmentFailed, PluginError, WrongState
from engine.hooks.kinds import Private, Record
from engine.hooks.ticket_kinds import TicketKind
from engine.testing.home import Home
from tests.records.conftest import CALENDARS

PLUGIN = """
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from engine.api import Context, Department, Digits, Record, TicketKind, command, hookimpl, query


class Late(Record):
    waybill: Digits
    promised: date | None = None
    amount: Decimal = Decimal(0)


department = Department("shop", tables="shop_", tickets=[
    TicketKind("late", fields=Late, title={"en": "late delivery"}, group="exceptions",
               within=timedelta(hours=4), calendar="office"),
    TicketKind("other"),
])


@command(department)
def complain(ctx: Context, waybill: Digits, promised: date) -> Digits:
    return ctx.tickets.open("late", data={"waybill": waybill, "promised": promised, "amount": Decimal("3.50")}).number


@command(department)
def nonsense(ctx: Context, kind: str) -> Digits:
    return ctx.tickets.open(kind, data={"nobody": "knows"}).number


@command(department)
def about(ctx: Context, waybill: Digits) -> int:
    return len(ctx.tickets.search(kind="late", data={"waybill": waybill}))


@hookimpl
def register_department() -> Department:
    return department
"""
FLOW = """
open:
  - answer
  - identify: number
  - ticket:
      kind: late
      data: {waybill: "44018004", promised: "{day}"}
      into: ticket
      failed: sorry
  - say: number_is
  - go: state
state:
  - run: {flow: common/ticket_state, with: {department: shop}, done: bye, gave_up: bye}
bye:
  - play: bye
  - hangup
sorry:
  - play: sorry
  - hangup
"""


def shop(home: Home, flow: str = FLOW) -> Home:
    home.write("conf/calendars.yaml", CALENDARS).plugin("shop", PLUGIN)
    here = Path(__file__).parents[2]
    words = (here / "prompts/en.yaml").read_text(encoding="utf-8").splitlines()
    told = dict(line.split(": ", 1) for line in words if line.startswith("ticket_"))
    home.prompts(
        **told,
        number_is="Your ticket is {ticket.number:digits}, due {ticket.due:date}.",
        sorry="Sorry.",
        bye="Bye.",
    )
    common = (here / "plugins/common/flows/ticket_state.yaml").read_text(encoding="utf-8")
    home.write("plugins/common/flows/ticket_state.yaml", common.replace("[zh-CN, en]", "[en]"))
    return home.flow("shop/main", flow.replace("{day}", "2026-11-20")).number("8000", "shop/main")


def test_what_a_kind_says_holds_and_its_fields_are_kept(home: Home, centre_of: Any) -> None:
    centre = centre_of(shop(home))
    values = {"waybill": "44018004", "promised": "2026-11-20"}
    number = centre.app.departments.do("shop.complain", values, key="k", within=5.0).value
    found = centre.app.records.read(lambda session: centre.app.records.desk(session).get(number))
    assert (found.group, found.titles, found.data) == (
        "exceptions",
        {"en": "late delivery"},
        {"waybill": "44018004", "promised": "2026-11-20", "amount": "3.50"},
    )
    # Four hours of the office's time from nine on Monday, over its lunch.
    assert found.due.replace(second=0) == datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
    assert centre.app.departments.do("shop.about", {"waybill": "44018004"}, key="a", within=5.0).value == 1
    assert centre.app.departments.do("shop.about", {"waybill": "44018005"}, key="b", within=5.0).value == 0


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("later", "shop has no tickets of the kind later, only late, other"),
        ("late", "waybill: field required"),
    ],
)
def test_what_is_not_declared_is_not_opened(home: Home, centre_of: Any, kind: str, why: str) -> None:
    centre = centre_of(shop(home))
    with pytest.raises(DepartmentFailed):
        centre.app.departments.do("shop.nonsense", {"kind": kind}, key="k", within=5.0)
    assert why in centre.logged.getvalue()
    assert centre.rows("tickets") == []


@pytest.mark.parametrize(
    ("written", "code", "says"),
    [
        ("kind: lat\n", "unknown-ticket", "there is no kind of ticket `lat`"),
        ("kind: late\n      data: {}", "missing-field", "a ticket `late` must say `waybill`"),
        ("kind: late\n      data: {waybill: x1}", "wrong-type", "`waybill` of a ticket `late` is digits"),
        ("kind: late\n      data: {waybill: '1', waibill: '2'}", "unknown-field", "has no `waibill`"),
        ("kind: late\n      data: {waybill: '1', promised: soon}", "wrong-type", "`promised`"),
    ],
)
def test_the_checker_holds_tickets_against_their_kinds(
    home: Home, centre_of: Any, written: str, code: str, says: str
) -> None:
    blocks = f"open:\n  - ticket:\n      {written}\n      failed: bye\n  - go: bye\nbye:\n  - hangup\n"
    shop(home, blocks)
    with pytest.raises(Exception, match=code) as raised:
        centre_of(home)
    assert says in str(raised.value)


def test_a_caller_hears_how_the_ticket_stands_and_what_was_answered(home: Home, centre_of: Any) -> None:
    centre = centre_of(shop(home))
    caller = centre.caller(number="+8613800000007").dials("8000")
    caller.hears("number_is")
    number = centre.one("tickets")["number"]
    caller.hears("ticket_enter").presses("111111111")
    caller.hears("ticket_unknown").hears("ticket_again").presses("1")
    caller.hears("ticket_enter").presses(number)
    assert "late delivery" in caller.hears_next().text
    caller.hears("ticket_another").presses("1")
    records = centre.app.records
    records.work(lambda session: records.desk(session, by="li.na").answer(number, "It arrives today."))
    caller.hears("ticket_enter").presses(number)
    caller.hears("ticket_solved").hears("ticket_answer", **{"ticket.answer": "It arrives today."})
    caller.hears("ticket_another").presses("2")
    caller.hears("bye")


def test_a_ticket_that_is_late_is_called_so(home: Home, centre_of: Any) -> None:
    centre = centre_of(shop(home))
    caller = centre.caller(number="+8613800000007").dials("8000")
    caller.hears("number_is").hears("ticket_enter").hangs_up()
    number = centre.one("tickets")["number"]
    centre.virtual.shift_wall(timedelta(hours=8))
    caller = centre.caller(number="+8613800000007").dials("8000")
    caller.hears("number_is").hears("ticket_enter").presses(number)
    caller.hears("ticket_late")


def test_an_answer_solves_and_what_comes_back_is_counted(home: Home, centre_of: Any) -> None:
    centre = centre_of(shop(home))
    records = centre.app.records
    number = centre.app.departments.do(
        "shop.complain", {"waybill": "1", "promised": "2026-11-20"}, key="k", within=5.0
    ).value

    def act(name: str, *words: str) -> Any:
        return records.work(lambda session: getattr(records.desk(session, by="li.na"), name)(number, *words))

    act("assign", "li.na")
    act("give_back", "not mine")
    act("assign", "wang.wei")
    assert (act("answer", "done").state, act("answer", "really done").answer) == ("solved", "really done")
    found = act("reopen", "not at all")
    assert (found.solved, found.reopens, found.returns) == (None, 1, 1)
    found = act("close")
    assert found.solved is not None
    with pytest.raises(WrongState, match="can't be answered"):
        act("answer", "too late")


def test_what_a_kind_may_not_say() -> None:
    class Pay(Record):
        net: Private[int]

    with pytest.raises(PluginError, match="private can't be written into a ticket"):
        TicketKind("pay", fields=Pay)
    with pytest.raises(PluginError, match="lower-case"):
        TicketKind("Late")
    with pytest.raises(PluginError, match="a class of Record"):
        TicketKind("late", fields=dict)  # type: ignore[arg-type]
    assert TicketKind("late", within=timedelta(hours=1)).checked({"a": 1}) == {"a": 1}


def test_a_kind_with_a_calendar_that_there_is_not_stops_the_engine(home: Home, centre_of: Any) -> None:
    shop(home)
    home.plugin("shop", PLUGIN.replace('calendar="office"', 'calendar="offices"'))
    with pytest.raises(PluginError, match="shop: ticket late: there is no calendar offices"):
        centre_of(home)
