"""Conversations with a supplier, and with the travelling supervisors."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from engine.cli.main import cli
from engine.errors import Refused
from engine.hooks.loading import load_folder
from plugins.orders.tests.conftest import DIANYUAN, HENGRUN, LINE, SUPERVISORS

load_folder(Path(__file__).parents[1])
Call = Callable[..., Any]


@pytest.fixture
def supplier(centre: Any) -> Call:
    def called(language: str = "zh-CN", *, code: str = "", pin: str = "") -> Any:
        number = "+8613999990000" if code else "+8613802880101"
        caller = centre.caller(number=number).dials(LINE)
        caller.hears("orders/choose_language").presses("1" if language == "zh-CN" else "2")
        caller.hears("recorded_notice")
        if code:
            caller.hears("orders/who_calls").presses("2")
            caller.hears("orders/enter_supplier").presses(f"{code}#")
            caller.hears("orders/enter_pin").presses(f"{pin}#")
        caller.hears("orders/hello_supplier")
        return caller.hears("orders/supplier_menu")

    return called


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_supplier_hears_what_is_due_and_what_is_paid(supplier: Call, language: str) -> None:
    caller = supplier(language).presses("1")
    assert ("已逾期2天" if language == "zh-CN" else "2 days late") in caller.hears(
        "orders/delivery_text"
    ).text
    caller.hears("orders/delivery_text")
    caller.hears("orders/supplier_menu").presses("2")
    assert caller.hears("orders/settlement_text").values["bill.open"] == Decimal("63260.40")
    caller.hears("orders/next_payment")
    caller.hears("orders/last_payment")
    caller.hears("orders/supplier_menu").presses("*")
    caller.hears("orders/supplier_menu").presses("0")
    caller.hears("connecting").hangs_up()


def test_a_supplier_by_code_and_pin_to_whom_nothing_is_due(centre: Any, supplier: Call) -> None:
    caller = supplier(code="20010002", pin="9753").presses("1")
    caller.hears("orders/no_deliveries")
    caller.hears("orders/supplier_menu").presses("2")
    caller.hears("orders/no_bills")
    caller.hears("orders/last_payment")
    for attempt in range(3):
        caller.hears("orders/supplier_menu").stays_silent()
        if attempt < 2:
            caller.hears("silent")
    caller.hears("connecting").hangs_up()
    centre.nowhere("9753")


def test_a_ledger_that_is_down_leads_to_the_desk(centre: Any, supplier: Call) -> None:
    for key in ("1", "2"):
        caller = supplier()
        trouble = centre.adapter("orders.SupplierSystem")
        trouble.raises(RuntimeError("down"))
        caller.presses(key)
        caller.hears("orders/no_system")
        caller.hears("connecting").hangs_up()
        trouble.over()


def test_a_supplier_whom_the_ledger_does_not_know(centre: Any, seed: Any) -> None:
    seed.party(kind="supplier", code="20019999", name="新供应商", numbers=("+8613802889997",))
    caller = centre.caller(number="+8613802889997").dials(LINE)
    caller.hears("orders/choose_language").presses("1")
    caller.hears("recorded_notice")
    caller.hears("orders/not_known")
    caller.hears("connecting").hangs_up()


# -- supervisors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_supervisor_hears_the_figures_of_the_region_by_pin(
    centre: Any, supervisor: Call, language: str
) -> None:
    caller = supervisor(language=language).presses("3")
    assert caller.hears("orders/overdue_text").values["one.amount"] == Decimal("36480.50")
    caller.hears("orders/overdue_text")
    caller.hears("orders/supervisor_menu").presses("4")
    assert ("缺货" if language == "zh-CN" else "lack of stock") in caller.hears("orders/unshipped_text").text
    caller.hears("orders/unshipped_text")
    caller.hears("orders/supervisor_menu").presses("1")
    caller.hears("orders/figures_text")
    caller.hears("orders/figures_late")
    caller.hears("orders/waiting_text")
    caller.hears("orders/supervisor_menu").presses("*")
    for attempt in range(3):
        caller.hears("orders/supervisor_menu").stays_silent()
        if attempt < 2:
            caller.hears("silent")
    caller.hears("bye")
    assert centre.journal(caller, "flow.signed_in")[0].data["agent"] == "8021"
    centre.nowhere("4821")


def test_a_wrong_pin_and_one_who_is_no_supervisor(centre: Any) -> None:
    caller = centre.caller(number="+8613900000099").dials(SUPERVISORS)
    caller.hears("orders/choose_language").presses("2")
    caller.hears("recorded_notice")
    caller.hears("orders/enter_agent").presses("8021#")
    caller.hears("orders/enter_pin").presses("0000#")
    caller.hears("orders/wrong_pin")
    caller.hears("orders/enter_agent").presses("8024#")
    caller.hears("orders/enter_pin").presses("4824#")
    caller.hears("orders/not_allowed")
    caller.hears("bye")


def test_a_supervisor_of_something_else_is_not_let_in(centre: Any) -> None:
    caller = centre.caller(number="+8613900000099").dials(SUPERVISORS)
    caller.hears("orders/choose_language").stays_silent()
    caller.hears("silent")
    caller.hears("orders/choose_language").stays_silent()
    caller.hears("recorded_notice")
    caller.hears("orders/enter_agent").presses("8013#")
    caller.hears("orders/enter_pin").presses("4813#")
    caller.hears("orders/not_allowed")
    caller.hears("bye")


def test_wrong_pins_lock(centre: Any) -> None:
    caller = centre.caller(number="+8613900000099").dials(SUPERVISORS)
    caller.hears("orders/choose_language").presses("1")
    caller.hears("recorded_notice")
    for _ in range(5):
        caller.hears("orders/enter_agent").presses("8021#")
        caller.hears("orders/enter_pin").presses("0000#")
        said = caller.hears_next()
        if said._said.key == "orders/locked":
            break
    else:
        caller.hears("orders/enter_agent").presses("8021#")
        caller.hears("orders/enter_pin").presses("4821#")
        caller.hears("orders/locked")
    caller.hears("bye")


def test_without_the_sales_system_the_rest_works(centre: Any) -> None:
    centre.adapter("orders.OrderSystem").raises(RuntimeError("down"))
    caller = centre.caller(number="+8613900000099").dials(SUPERVISORS)
    caller.hears("orders/choose_language").presses("1")
    caller.hears("recorded_notice")
    caller.hears("orders/enter_agent").presses("8021#")
    caller.hears("orders/enter_pin").presses("4821#")
    caller.hears("orders/hello_supervisor")
    caller.hears("orders/no_figures")
    caller.hears("orders/waiting_text")
    caller.hears("orders/supervisor_menu").presses("3")
    caller.hears("orders/no_figures")
    caller.hears("orders/waiting_text")
    caller.hears("orders/supervisor_menu").presses("4")
    caller.hears("orders/no_figures").hangs_up()


def test_a_region_without_anything_late(centre: Any, supervisor: Call) -> None:
    from sqlalchemy import text

    centre.app.store.work(
        lambda session: (
            session.execute(text("UPDATE orders_order SET paid = total, state = 'received'")) and None
        ),
        10.0,
    )
    caller = supervisor("8022", "4822").presses("3")
    caller.hears("orders/none_late")
    caller.hears("orders/supervisor_menu").presses("4")
    caller.hears("orders/none_late")
    for key in ("2", "5", "6"):
        caller.hears("orders/supervisor_menu").presses(key)
        caller.hears("orders/none_waits")
    caller.hangs_up()


def opened(centre: Any, kind: str, dealer: str = "44010001", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "dealer": dealer, "name": "广州恒润商贸", "region": "华南", "phone": HENGRUN,
              "reason": "damaged" if kind == "return" else "", "amount": "0.00", "draft": 0, "article": "10010001",
              "cases": 3, "about": "2611000001", "clip": "", "ticket": "", "state": "open", "by": "",
              "opened": centre.clock.now() - timedelta(hours=5), **more}  # fmt: skip


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_returns_and_reports_are_heard_and_settled(
    centre: Any, seed: Any, supervisor: Call, language: str
) -> None:
    seed.case(**opened(centre, "return"))
    seed.case(**opened(centre, "diversion"))
    seed.case(**opened(centre, "diversion", name="深圳海丰贸易"))
    caller = supervisor(language=language).presses("5")
    caller.hears("orders/return_text")
    caller.hears("orders/settle_it").presses("1")
    caller.hears("orders/settled")
    caller.hears("orders/supervisor_menu").presses("6")
    caller.hears("orders/which_case")
    caller.hears("orders/diversion_entry")
    caller.hears("orders/diversion_entry").presses("2")
    caller.hears("orders/diversion_text")
    caller.hears("orders/settle_it").presses("2")
    caller.hears("orders/supervisor_menu").hangs_up()
    assert [one.state for one in centre.rows("orders.case")] == ["settled", "open", "open"]
    assert [one.what for one in centre.rows("orders.act")] == ["heard", "settled", "heard"]
    assert centre.rows("orders.case")[2].responded is not None
    assert len(centre.journal(caller, "flow.settled")) == 1


def test_two_returns_are_picked_from(centre: Any, seed: Any, supervisor: Call) -> None:
    seed.case(**opened(centre, "return"))
    seed.case(**opened(centre, "return"))
    caller = supervisor().presses("5")
    caller.hears("orders/which_case")
    caller.hears("orders/return_entry").presses("1")
    caller.hears("orders/return_text").hangs_up()


def test_what_another_decided_meanwhile_is_told(centre: Any, seed: Any, supervisor: Call) -> None:
    from sqlalchemy import text

    seed.case(**opened(centre, "exception", reason="credit", amount="160.00"))
    seed.case(**opened(centre, "exception", reason="arrears", amount="36480.50"))
    caller = supervisor().presses("2")
    caller.hears("orders/which_exception")
    caller.hears("orders/exception_entry").presses("1")
    caller.hears("orders/exception_text")
    caller.hears("orders/exception_verdict")
    centre.app.store.work(
        lambda session: session.execute(text("UPDATE orders_case SET state = 'refused'")) and None, 10.0
    )
    caller.presses("1")
    caller.hears("orders/decided_before")
    caller.hears("orders/supervisor_menu").hangs_up()
    assert [one.state for one in centre.rows("orders.case")] == ["refused", "refused"]


def test_a_region_that_was_given_to_somebody_else_meanwhile_is_decided_by_them(
    centre: Any, seed: Any, supervisor: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed.case(**opened(centre, "exception", reason="credit", amount="160.00"))
    caller = supervisor().presses("2")
    caller.hears("orders/exception_text")
    caller.hears("orders/exception_verdict")
    regions = centre.app.departments.contexts._settings["orders"].regions
    monkeypatch.setitem(regions, "华南", regions["西南"])
    caller.presses("1")
    caller.hears("orders/not_yours")
    caller.hears("bye")
    assert centre.one("orders.case").state == "open"
    assert [one.what for one in centre.rows("orders.act")] == ["heard"]


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_who_stands_in_for_another_supervisor_says_which_region_it_is_about(
    centre: Any, seed: Any, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    seed.case(**opened(centre, "exception", reason="credit", amount="160.00"))
    regions = centre.app.departments.contexts._settings["orders"].regions
    monkeypatch.setitem(regions, "华南", regions["西南"])  # 8023 has both now
    caller = centre.caller(number="+8613900000099").dials(SUPERVISORS)
    caller.hears("orders/choose_language").presses("1" if language == "zh-CN" else "2")
    caller.hears("recorded_notice")
    caller.hears("orders/enter_agent").presses("8023#")
    caller.hears("orders/enter_pin").presses("4823#")
    caller.hears("orders/which_region")
    caller.hears("orders/region_entry", **{"one.region": "华南"})
    caller.hears("orders/region_entry", **{"one.region": "西南"}).presses("1")
    assert caller.hears("orders/hello_supervisor").values["region.region"] == "华南"
    caller.hears("orders/figures_text")
    caller.hears("orders/figures_late")
    caller.hears("orders/waiting_text")
    caller.hears("orders/supervisor_menu").presses("2")
    caller.hears("orders/exception_text")
    caller.hears("orders/exception_verdict").presses("2")
    caller.hears("orders/refused_exception").hangs_up()
    assert centre.one("orders.case").by == "8023"


def test_an_exception_may_wait(centre: Any, seed: Any, supervisor: Call) -> None:
    seed.case(**opened(centre, "exception", reason="credit", amount="160.00"))
    caller = supervisor().presses("2")
    caller.hears("orders/exception_text")
    caller.hears("orders/exception_verdict").presses("*")
    caller.hears("orders/supervisor_menu").hangs_up()
    assert centre.one("orders.case").state == "open"


def test_an_approval_survives_the_engine_and_is_given_once(centre: Any, seed: Any, supervisor: Call) -> None:
    seed.case(**opened(centre, "exception", reason="credit", amount="160.00"))
    caller = supervisor().presses("2")
    caller.hears("orders/exception_text")
    caller.hears("orders/exception_verdict").presses("1")
    centre.engine.kill()
    centre.engine.start()
    caller.hears("orders/approved").hangs_up()
    assert [one.what for one in centre.rows("orders.act")] == ["heard", "approved"]


def test_supervisors_are_told_each_working_morning_what_is_late(centre: Any) -> None:
    centre.clock.advance("2s")
    centre.virtual.shift_wall(
        timedelta(hours=23, minutes=45)
    )  # Monday nine o'clock to Tuesday a quarter to nine
    centre.clock.advance("90s")
    told = sorted(
        (one["group"], one["prompt"]) for one in centre.rows("notices") if one["group"].startswith("orders")
    )
    assert [group for group, prompt in told if prompt == "orders/overdue_notice"] == [
        "orders_huadong",
        "orders_huanan",
        "orders_xinan",
    ]
    assert [group for group, prompt in told if prompt == "orders/unshipped_notice"] == [
        "orders_huadong",
        "orders_huanan",
        "orders_xinan",
    ]


def test_whoever_works_on_the_ticket_of_a_case_has_responded(centre: Any, ordering: Call) -> None:
    caller = ordering(DIANYUAN, "10010001", 30, tasks=True).presses("2")
    caller.hears("orders/order_line")
    caller.hears("orders/order_total")
    caller.hears("orders/short_refusal")
    caller.hears("orders/exception_menu").presses("1")
    caller.hears("orders/exception_asked").hangs_up()
    number = centre.one("orders.case").ticket
    records = centre.app.records
    records.work(lambda session: records.desk(session, by="8023").assign(number, "8023"))
    records.settled("tickets")
    centre.clock.advance("5s")
    assert centre.one("orders.case").responded is not None
    assert centre.one("orders.act").who == "8023"


def test_a_talk_of_the_desk_is_an_act(centre: Any, dealer: Call) -> None:
    agent = centre.agent("8021").ready()
    caller = dealer().presses("0")
    caller.hears("connecting")
    agent.is_offered(caller).answers()
    caller.talks_to(agent)
    agent.hangs_up()
    caller.hears("bye")
    centre.clock.advance("40s")
    act = centre.one("orders.act")
    assert (act.who, act.what, act.about) == ("8021", "talked", caller.uuid)


def test_the_supervisor_hears_what_the_dealer_said(centre: Any, dealer: Call, supervisor: Call) -> None:
    caller = dealer().presses("7")
    caller.hears("orders/more_menu").presses("2")
    caller.hears("orders/diversion_article").presses("10010001#")
    caller.hears("orders/enter_batch").presses("20261101#")
    caller.says("5s").hears("orders/say_where").hears_beep()
    caller.hears("clip_review").presses("3")
    caller.hears("orders/diversion_opened").hangs_up()
    case = centre.one("orders.case")
    ticket = centre.one("tickets", number=case.ticket)
    assert (ticket["kind"], ticket["escalate"]) == ("diversion", "orders_huanan")
    assert json.loads(ticket["data"])["batch"] == "20261101"
    boss = supervisor().presses("6")
    boss.hears("orders/diversion_text")
    boss.hears_clip(case.clip)
    boss.hears("orders/settle_it").presses("1")
    boss.hears("orders/settled").hangs_up()
    assert centre.one("orders.case").state == "settled"
    assert centre.one("tickets", number=case.ticket)["state"] == "solved"


def test_cases_are_decided_by_command_once_and_each_in_its_own_way(centre: Any, seed: Any) -> None:
    facts = {
        "dealer": "44010001",
        "order": "2611000001",
        "article": "10010001",
        "cases": 3,
        "reason": "damaged",
    }
    ticket = seed.orders.ticket("return", group="orders_huanan", data=facts).number
    for kind in ("exception", "exception", "return"):
        one = opened(centre, kind, reason="credit" if kind == "exception" else "damaged", amount="160.00")
        seed.case(**{**one, "ticket": ticket if kind == "return" else ""})
    first, second, third = (one.id for one in centre.rows("orders.case"))

    def said(name: str, **given: str) -> Any:
        found = centre.app.installation.host.commands["orders"][name]
        return centre.app.departments.in_context(
            "orders", f"orders {name}", lambda ctx: found.run(ctx, **given), 5.0, writes=True
        )

    def command(name: str, case: object, by: str = "8021") -> str:
        return str(said(name, case=str(case), by=by))

    assert [(one["id"], one["kind"], one["ticket"]) for one in said("cases")] == [
        (first, "exception", ""),
        (second, "exception", ""),
        (third, "return", ticket),
    ]

    for other in ("8022", "8024"):  # another region's supervisor, and nobody's
        for name, case in (("approve", first), ("refuse", second), ("settle", third)):
            with pytest.raises(Refused, match="not_yours") as refused:
                command(name, case, by=other)
            assert (
                refused.value.details["say"]
                == f"case {case} is of 华南, which 8021 陈志强 supervises, not {other}"
            )
    assert {one.state for one in centre.rows("orders.case")} == {"open"}
    assert command("approve", first) == f"case {first} of 广州恒润商贸: approved"
    assert command("refuse", second).endswith("refused")
    assert command("settle", ticket) == f"case {third} of 广州恒润商贸: settled"  # what the dealer was told
    for name, case, why in (
        ("refuse", first, "decided"),  # it is over
        ("settle", second, "unknown"),  # an exception is approved or refused
        ("approve", third, "unknown"),  # a return is settled
        ("approve", 999, "unknown"),
        ("settle", "00" + ticket, "unknown"),
        ("settle", "x", "unknown"),
    ):
        with pytest.raises(Refused, match=why):
            command(name, case)
    assert [one.state for one in centre.rows("orders.case")] == ["approved", "refused", "settled"]
    assert [(one.who, one.what, one.how) for one in centre.rows("orders.act")] == [
        ("8021", "approved", "command"),
        ("8021", "refused", "command"),
        ("8021", "settled", "command"),
    ]


def test_a_command_says_which_system_is_down(
    centre_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("plugins", "dialplans", "prompts"):
        (tmp_path / name).symlink_to(centre_home / name)
    shutil.copytree(centre_home / "conf", tmp_path / "conf")
    settings = tmp_path / "conf" / "engine.yaml"
    system = '{kind: http, url: "http://127.0.0.1:9"}'
    remote = f"  orders:\n    adapters: {{OrderSystem: {system}, Warehouse: {system}}}\n"
    settings.write_text(settings.read_text("utf-8").replace("  orders:\n", remote, 1), "utf-8")
    monkeypatch.setenv("INSIDELINE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(cli, ["data", "seed", "--history", "0"]).exit_code == 0
    done = CliRunner().invoke(cli, ["orders", "overdue"])
    assert (done.exit_code, done.output.splitlines()[-1]) == (
        1, "insideline: orders.OrderSystem: not reached (ConnectError)",
    )  # fmt: skip
    done = CliRunner().invoke(cli, ["orders", "approve", "7", "8021"])
    assert (done.exit_code, done.output.splitlines()[-1]) == (
        1, "insideline: there is no case or ticket 7 (`insideline orders cases`)",
    )  # fmt: skip
