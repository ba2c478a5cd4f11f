"""The company's own system of orders over http, which accepts and then is silent: the caller hears that it is not
known, a ticket owes an answer, and there is one order, one ticket of the desk and one notice to the branch."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from gevent import GreenletExit
from sqlalchemy import StaticPool, create_engine
from sqlalchemy.orm import Session

from engine.clock import Clock
from engine.errors import Refused, RemoteFailed
from engine.hooks.loading import PACKAGE, load_folder
from engine.store.jobs import Jobs
from engine.testing.twin import Twin
from tests.faults.dying import dies_around_each_deed, hearing
from tests.faults.ordering import Points

from .conftest import Line, Office
from .test_quotes import measured

HERE = Path(__file__).parents[1]
KNOWN = "+8613922200001"


@pytest.fixture
def company(
    centre_home: Path, tmp_path: Path, centre_of: Callable[[Any], Any]
) -> Iterator[Callable[..., tuple[Any, dict[str, Twin]]]]:
    """``company(contracts…)``: (the centre, the remotes): a copy of the installation with these systems elsewhere."""
    plugin = load_folder(HERE)
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    plugin.department.models.create_all(engine)
    with Session(engine) as session:
        plugin.department.sample(session, date(2026, 11, 23))
        session.commit()
    twins: dict[str, Twin] = {}

    def served(name: str) -> Twin:
        adapter = next(one for one in plugin.department.adapters if one.name == name)

        @contextmanager
        def opened() -> Iterator[Any]:
            with Session(engine) as session:
                yield adapter.sql(session)
                session.commit()

        twins[name] = Twin(adapter.contract, opened, Clock())
        return twins[name]

    def made(*contracts: str) -> tuple[Any, dict[str, Twin]]:
        home = tmp_path / "home"
        home.mkdir()
        for part in ("dialplans", "prompts", "plugins"):
            (home / part).symlink_to(centre_home / part)
        shutil.copytree(centre_home / "conf", home / "conf")
        settings = home / "conf" / "engine.yaml"
        text = settings.read_text(encoding="utf-8")
        section = "departments:\n  logistics:\n    adapters:\n" + "".join(
            f'      {name}: {{kind: http, url: "{served(name).url}"}}\n' for name in contracts
        )
        assert text.count("\ndepartments:\n") == 1
        settings.write_text(text.replace("departments:\n", section, 1), encoding="utf-8")
        centre = centre_of(home)
        for one in twins.values():
            one.keep(centre.virtual)
        return centre, twins

    yield made
    for one in twins.values():
        one.close()
    engine.dispose()


@pytest.fixture
def remote(company: Any) -> Any:
    """(the centre, the remote): orders are at the company's own system."""
    centre, twins = company("Pickups")
    return centre, twins["Pickups"]


def offered(centre: Any, language: str = "1") -> Any:
    """A known caller who is asked whether it is to be ordered."""
    caller = centre.caller(number=KNOWN).dials("8004")
    caller.hears("logistics/choose_language").presses(language)
    caller.hears("recorded_notice")
    caller.hears("logistics/main_menu").presses("3")
    caller.hears("logistics/use_saved").presses("1")
    caller.hears("logistics/which_address").presses("1")
    caller.hears("logistics/address_chosen")
    caller.hears("logistics/which_goods").presses("1")
    caller.hears("logistics/enter_weight").presses("10#")
    caller.hears("logistics/enter_volume").presses("1#")
    caller.hears("logistics/branch_open")
    return caller.hears("logistics/order_it")


def confirmed(centre: Any, language: str = "1") -> Any:
    """A known caller who has just ordered."""
    return offered(centre, language).presses("1")


def test_an_order_at_the_companys_own_system_is_told_to_the_branch(remote: Any) -> None:
    centre, twin = remote
    said = confirmed(centre).hears("logistics/ordered_text")
    assert said.values["placed.number"] == "70000001"
    said.hangs_up()
    assert [method for method, _ in twin.did] == ["place"]
    assert centre.rows("logistics.pickups") == []  # it lies there, not here
    assert centre.one("tickets", kind="pickup")["caller"] == KNOWN
    assert centre.one("notices", group="logistics_branch")["prompt"] == "logistics/pickup_notice"


@pytest.mark.parametrize("language", ["1", "2"])
def test_a_system_that_accepts_and_is_silent_is_said_to_be_and_settled_later(
    remote: Any, language: str
) -> None:
    centre, twin = remote
    twin.accepts_then_hangs(times=1)
    caller = confirmed(centre, language)
    caller.hears("logistics/order_not_known")
    caller.hears("bye")
    assert centre.one("tickets", kind="pickup_unknown")["group"] == "logistics"
    centre.clock.advance("2m")
    assert [entry.data["outcome"] for entry in centre.journal(kind="command.settled")] == ["done"]
    assert [method for method, _ in twin.did] == ["place"]
    assert len(centre.rows("tickets", kind="pickup")) == 1
    assert len(centre.rows("notices", group="logistics_branch")) == 1


@pytest.mark.parametrize(
    ("contract", "what"), [("Pickups", "order"), ("Customers", "quote"), ("Customers", "won")]
)
def test_the_engine_may_die_around_what_a_remote_is_told_and_it_is_done_once(
    company: Any, monkeypatch: pytest.MonkeyPatch, contract: str, what: str
) -> None:
    centre, twins = company(contract)
    did = twins[contract].did

    def order(at: int) -> Any:
        def kept() -> bool:
            owed = len(centre.rows("tickets", kind="pickup"))
            told = len(centre.rows("notices", group="logistics_branch"))
            return [method for method, _ in did].count("place") == owed == told == at

        return offered(centre), "1", hearing("logistics/ordered_text"), kept

    def quote(at: int) -> Any:
        caller = measured(Line(centre), number=f"+86139333{at:05}")
        kept = lambda: [method for method, _ in did].count("keep_quote") == at  # noqa: E731
        return caller, "0#", hearing("logistics/quote_intro", "logistics/quote_line"), kept

    def won(at: int) -> Any:
        caller = measured(Line(centre), number=KNOWN).presses("0#")
        caller.hears("logistics/quote_intro")
        caller.hears("logistics/quote_line")
        caller.hears("logistics/quote_total")
        caller.hears("logistics/quote_next").presses("1")
        caller.hears("logistics/use_saved").presses("1")
        caller.hears("logistics/which_address").presses("1")
        caller.hears("logistics/address_chosen")
        caller.hears("logistics/which_goods").presses("1")
        caller.hears("logistics/branch_open")
        caller.hears("logistics/order_it")

        def kept() -> bool:
            orders = len(centre.rows("logistics.pickups", customer=KNOWN))
            return [method for method, _ in did].count("ordered") == orders == at

        return caller, "1", hearing("logistics/ordered_text"), kept

    scene = {"order": order, "quote": quote, "won": won}[what]
    dies_around_each_deed(centre, monkeypatch, scene, least=3, twin=twins[contract])


def typed_until_it_is_done(
    centre: Any, monkeypatch: pytest.MonkeyPatch, twins: dict[str, Twin], scene: Any, *, least: int
) -> None:
    """An operator types a command, and the engine dies at one point of it after the other (what a remote is told, each
    transaction); the operator types the same again. ``scene(n)``: the command, its answer, what must be true then."""
    points = Points(centre, None, monkeypatch, ((Jobs, "run"),))
    for twin in twins.values():
        points.watch(twin)
    at, died = 0, True
    while died:
        at += 1
        types, answer, kept = scene(at)
        said = ""
        with points.armed(at), suppress(Exception, GreenletExit):
            said = types(Office(centre))
        died = points.wait_dead()
        if died:
            centre.engine.start()
            said = types(Office(centre))
        where = f"died at {at}: {points.names[-1:]}" if died else "did not die"
        assert said == answer, where
        assert kept(), where
    assert at > least, points.names


def test_the_desk_completes_an_order_once_wherever_it_dies(
    company: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    centre, twins = company("Pickups", "Customers")

    def did(twin: str, method: str) -> int:
        return [one for one, _ in twins[twin].did].count(method)

    def scene(at: int) -> Any:
        confirmed(centre).hears("logistics/ordered_text").hangs_up()
        order = f"{70000000 + at}"
        ticket = next(
            row for row in centre.rows("tickets", kind="pickup") if json.loads(row["data"])["order"] == order
        )["number"]

        def types(office: Office) -> Any:
            return office.does("complete", ticket=ticket, address=f"体育西路{at}号", by="8012")

        def kept() -> bool:
            solved = len(centre.rows("tickets", kind="pickup", state="solved"))
            return did("Pickups", "complete") == did("Customers", "keep_address") == solved == at

        return types, f"pick-up {order} is complete", kept

    typed_until_it_is_done(centre, monkeypatch, twins, scene, least=5)
    ticket = centre.rows("tickets", kind="pickup")[0]["number"]
    said = Office(centre).does("complete", ticket=ticket, address="体育东路9号", by="8012")
    assert said == "pick-up 70000001 is complete", "what was written down wrong is put right"
    [*_, (method, _)] = twins["Customers"].did
    assert (did("Pickups", "complete"), method) == (
        len(centre.rows("tickets", kind="pickup")) + 1,
        "keep_address",
    )


def test_a_customer_was_called_once_wherever_it_dies(company: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    centre, twins = company("Customers")
    did = twins["Customers"].did
    customers: Any = import_module(f"{PACKAGE}.logistics.customers")  # as this centre loaded it

    def follows(number: str) -> None:
        who = customers.Who(number=number, name="周敏", tier="diamond")
        today = centre.virtual.now().date()
        work = lambda ctx: ctx.adapter(customers.Customers).follow(who, "care", today, key=number)  # noqa: E731
        centre.app.departments.in_context("logistics", "a test", work, 10.0, over="all", writes=True)

    def scene(at: int) -> Any:
        number = f"+86139333{at:05}"
        follows(number)
        [owed] = [one["id"] for one in Office(centre).does("followups") if one["customer"] == number]

        def types(office: Office) -> Any:
            return office.does("follow-up", followup=owed, outcome="satisfied", by="8012")

        def kept() -> bool:
            again = [
                one["due"] for one in Office(centre).does("followups", days=365) if one["customer"] == number
            ]
            return [method for method, _ in did].count("settle") == at and again == [date(2026, 11, 30)]

        return types, "satisfied; to be called again on 2026-11-30", kept

    typed_until_it_is_done(centre, monkeypatch, twins, scene, least=2)
    with pytest.raises(Refused, match="done"):  # and what somebody else says of it later does not count
        Office(centre).does("follow-up", followup=1, outcome="lost", by="8013")
    assert ("follow", "+8613933300001") in did


def test_who_gave_up_waiting_is_followed_up_in_the_companys_own_system_once(
    company: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    centre, twins = company("Customers")
    for agent in ("8012", "8013", "8014"):
        centre.agent(agent).ready()
    points = Points(centre, twins["Customers"], monkeypatch, ())
    did = twins["Customers"].did
    at, died = 0, True
    while died:
        at += 1
        caller = Line(centre).chose("0", number=KNOWN)
        caller.hears("connecting")
        centre.clock.advance("10s")
        with points.armed(at):
            caller.hangs_up()
            centre.clock.advance("5s")
        died = points.wait_dead()
        if died:
            centre.engine.start()
            for agent in ("8012", "8013", "8014"):
                centre.agent(agent).ready()
            centre.clock.advance("5s")
        where = f"died at {at}: {points.names[-1:]}"
        assert [method for method, _ in did].count("follow") == at, where
    assert at > 2
    [owed] = Office(centre).does("followups")
    assert (owed["kind"], owed["customer"]) == ("owed", KNOWN)


def test_a_system_that_is_not_there_leads_to_the_desk_or_is_owed(remote: Any) -> None:
    centre, twin = remote
    twin.dead()
    said = confirmed(centre).hears_next()
    assert said.key in ("logistics/order_not_known", "logistics/trouble_desk")
    twin.back()


def test_the_desks_reports_and_commands_reach_the_companys_own_systems(company: Any) -> None:
    """Orders, waybills and branches are elsewhere; what the centre owes about them, and its verdicts, are here."""
    centre, twins = company("Pickups", "WaybillSystem", "Branches")
    office = Office(centre)
    confirmed(centre).hears("logistics/ordered_text").hangs_up()
    [row] = office.report("logistics.pickups")
    assert (row["number"], row["state"], row["notice"]) == ("70000001", "placed", "trying")
    ticket = centre.one("tickets", kind="pickup")["number"]
    said = office.does("complete", ticket=ticket, contact="李雷", address="体育西路1号", by="8012")
    assert said == "pick-up 70000001 is complete"
    assert [method for method, _ in twins["Pickups"].did if method in ("place", "complete")] == [
        "place",
        "complete",
    ]
    assert [row["state"] for row in office.report("logistics.pickups")] == ["complete"]
    assert "体育西路1号" in [row.line for row in centre.rows("logistics.addresses", customer=KNOWN)]
    assert centre.one("tickets", number=ticket)["state"] == "solved"

    # Windows that were told here are compared with the truth that is there.
    caller = Line(centre).tracked("44018004")
    caller.hears("logistics/departed_text")
    caller.hears("logistics/window_text")
    caller.hangs_up()
    assert [(row["basis"], row["told"], row["open"]) for row in office.report("logistics.arrivals")] == [
        ("lane", 1, 1)
    ]

    assert office.does("score") == []
    twins["Branches"].dead()
    with pytest.raises(RemoteFailed):
        office.does(
            "verdict", ticket=ticket_of_a_complaint(centre), rule="LIAB-02", liable="020001", by="8054"
        )
    assert centre.rows("logistics.verdicts") == []


def ticket_of_a_complaint(centre: Any) -> str:
    """Somebody complained of damaged goods."""
    caller = Line(centre).chose("4")
    caller.hears("logistics/which_complaint").presses("3")
    caller.hears("logistics/has_waybill").presses("2")
    caller.says("5s")
    caller.hears("logistics/dictate_complaint").hears_beep()
    caller.hears("clip_review").presses("3")
    caller.hears("logistics/complaint_text").hangs_up()
    return str(centre.one("tickets", kind="complaint_damage")["number"])
