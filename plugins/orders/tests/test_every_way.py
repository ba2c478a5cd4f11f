"""Callers who take every way of the order desk: each key, wrong keys, silence, hanging up, and all that may go wrong
behind the line; every other call is in English."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from engine.hooks.loading import load_folder
from engine.testing.explorer import Explorer
from plugins.orders.tests.conftest import HENGRUN, LINE, SUPERVISORS

load_folder(Path(__file__).parents[1])
MODELS: Any = sys.modules["insideline_plugins.orders.models"]
DESK: Any = sys.modules["insideline_plugins.orders.desk"]

FLOWS = [
    f"orders/{one}"
    for one in (
        "main", "opening", "dealer", "supplier", "desk", "goods", "account", "policy", "state", "order", "tasks",
        "returns", "diversion",
    )
]  # fmt: skip
ARTICLES = ("10010001", "19999999")  # there, unknown
TYPED = {
    "orders/opening.identify": ("44030002 1357", "44030002 9999", "20010001 8642"),
    "orders/goods.code": ARTICLES,
    "orders/order.code": ARTICLES,
    "orders/order.cases": ("5", "99999"),
    "orders/returns.number": ("2611000002",),
    "orders/returns.code": ARTICLES[:1],
    "orders/returns.cases": ("2", "9999"),
    "orders/diversion.code": ARTICLES[:1],
    "orders/diversion.batch": ("20261101",),
    "orders/state.number": ("2611000002",),
    "orders/supervisor.agent_number": ("8021",),
    "orders/supervisor.secret_number": ("4821",),
}


def but(**values: Any) -> Callable[[Any], Any]:
    """The answer, but for these fields."""
    return lambda answer: answer.model_copy(update=values)


def draft(state: str) -> Callable[[Any], Any]:
    line = DESK.DraftPart(article="10010001", name="清泉", cases=5)
    return but(
        id=1, key="order-44010001-1-1-0", state=state, number="2611000099", count=1, cases=5, lines=[line]
    )


ANSWERS = {
    "orders.dealer": {"not sold to": but(active=False)},
    "orders.draft": {state: draft(state) for state in ("submitted", "ordered", "open")},
    "orders.remove": {"lines left": draft("open")},
    "orders.stock": {"none": but(cases=0, restock=None), "coming": but(cases=0, restock=date(2026, 12, 1))},
    "orders.policy": {"none": but(code="")},
    "orders.reckon": {
        "late": but(late=True),
        "short": but(short=Decimal(9)),
        "well": but(late=False, short=0),
    },
    "orders.grant": {state: but(state=state) for state in ("open", "refused")},
    "orders.cases": {"none": lambda _: []},
    "orders.overdue": {"none": lambda _: []},
    "orders.unshipped": {"none": lambda _: []},
    "orders.sign_in": {"two regions": lambda one: one.model_copy(update={"regions": one.regions * 2})},
    "orders.deliveries": {"none": lambda _: []},
}
LANGUAGES = {
    "orders/main:greet.1": ("options.1", "options.2", "silence"),
    "orders/supervisor:greet.1": ("options.1", "options.2", "silence"),
}


@pytest.fixture
def explorer(centre: Any, monkeypatch: pytest.MonkeyPatch) -> Explorer:
    outbound = centre.app.records.callbacks.outbound
    monkeypatch.setattr(type(outbound), "check", lambda *_, **__: "")  # any number may be called
    return Explorer(
        centre, typed=TYPED, answers=ANSWERS, details={"stock": {"name": "清泉", "left": 3}}, always=LANGUAGES
    )


def begun(centre: Any, *dealers: str) -> Callable[[], None]:
    """Every call begins with all tasks, and without a draft but one of each of these dealers."""

    def work(session: Any) -> None:
        session.execute(update(MODELS.DraftRow).values(state="dropped", held_by=None, told=True))
        session.execute(update(MODELS.Task).values(acknowledged=None))
        now = centre.virtual.now()
        for one in dealers:
            line = MODELS.DraftLine(article="10010001", name="清泉", english="Spring", cases=5)
            session.add(MODELS.DraftRow(dealer=one, held_by=one, opened=now, changed=now, lines=[line]))

    return lambda: centre.app.store.work(work, 5.0)


def test_every_way_of_the_dealers_line(centre: Any, explorer: Explorer) -> None:
    # With a draft that can be ordered the order is walked on its own first: what an exception may have come to.
    good = {"dealer": "44030002", "name": "深圳海丰贸易", "region": "华南", "supervisor": "陈志强"}
    prepare = begun(centre, "44030002")
    explorer.explores("8999", flow="orders/order", params=good, number=HENGRUN, prepare=prepare)
    explorer.explores(LINE, number=HENGRUN, prepare=begun(centre))
    missed = explorer.missed(*FLOWS)
    print(
        "\n".join(missed),
        f"{explorer.calls} calls, {len(explorer.places)} places, not done: {explorer.untried()}",
    )
    assert (
        missed
        == [
            "orders/opening known: choose cases.2.otherwise",  # nobody is known and is neither a dealer nor a supplier
            "orders/order earlier: command next",  # what was confirmed before, and is placed now: test_ordering.py
        ]
    )


def test_every_way_of_who_is_called_back(explorer: Explorer) -> None:
    told = {"about": "a dealer", "region": "华南", "dealer": "44010001", "agent": "8021"}
    callback = {"id": "x", "call": "first", "queue": "orders", "data": told}
    explorer.explores("8999", flow="orders/callback_orders", params={"callback": callback}, number=HENGRUN)
    assert explorer.missed("orders/callback_orders") == []


def test_every_way_of_the_supervisors_line(centre: Any, seed: Any, explorer: Explorer) -> None:
    def opened() -> None:
        """There always is something to decide."""
        for kind in ("exception", "return", "diversion"):
            while len(centre.rows("orders.case", kind=kind, state="open")) < 2:
                seed.case(
                    kind=kind, dealer="44010001", name="广州恒润商贸", region="华南", phone="+8613802880001",
                    reason="credit", clip="gone", amount="900.00", article="10010001", cases=3, about="2611000002",
                    opened=centre.virtual.now(),
                )  # fmt: skip

    explorer.explores(SUPERVISORS, number="+8613900000099", prepare=opened)
    # That a PIN dies with its engine is walked by test_killed_everywhere.py.
    assert explorer.missed("orders/supervisor") == [
        "orders/supervisor not_signed_in: choose cases.1.otherwise"
    ]
