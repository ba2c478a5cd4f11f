"""The same conversations with the company's own sales system and warehouse over http, which accept and are silent,
refuse, are down; and engines that die meanwhile. The dealer has one order, and hears its number."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import StaticPool, create_engine, func, select
from sqlalchemy.orm import Session

from engine.clock import Clock
from engine.hooks.loading import load_folder
from engine.testing.twin import Twin
from plugins.orders.tests.conftest import HAIFENG, LINE

PLUGIN = load_folder(Path(__file__).parents[1])
MODELS: Any = sys.modules["insideline_plugins.orders.models"]
STOCK: Any = sys.modules["insideline_plugins.orders.stock"]
SQL: Any = sys.modules["insideline_plugins.orders.sql"]
ROOT = Path(__file__).parents[3]


@pytest.fixture
def remote() -> Iterator[Any]:
    """The company's side: its tables, the sales system and the warehouse."""
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    PLUGIN.department.models.create_all(engine)
    with Session(engine) as session:
        PLUGIN.department.sample(session, date(2026, 11, 23))
        session.commit()

    def opened(made: Callable[[Session], Any]) -> Callable[[], Any]:
        @contextmanager
        def one() -> Iterator[Any]:
            with Session(engine) as session:
                yield made(session)
                session.commit()

        return one

    def placed() -> list[Any]:
        with Session(engine, expire_on_commit=False) as session:
            return list(session.scalars(select(MODELS.Order).where(MODELS.Order.key.not_like("sample-%"))))

    def reserved() -> int:
        with Session(engine) as session:
            return session.scalar(select(func.sum(MODELS.Article.reserved))) or 0

    sales = Twin(PLUGIN.OrderSystem, opened(SQL.SqlOrders), Clock())
    warehouse = Twin(PLUGIN.Warehouse, opened(STOCK.SqlWarehouse), Clock())
    yield SimpleNamespace(sales=sales, warehouse=warehouse, placed=placed, reserved=reserved, engine=engine)
    sales.close()
    warehouse.close()
    engine.dispose()


@pytest.fixture
def centre(tmp_path: Path, remote: Any, centre_of: Callable[..., Any]) -> Any:
    """The shipped centre, whose sales system and warehouse are that company's."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("plugins", "prompts", "dialplans"):
        (home / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "conf", home / "conf")
    settings = home / "conf" / "engine.yaml"
    systems = f"""  orders:
    adapters:
      OrderSystem: {{kind: http, url: "{remote.sales.url}"}}
      Warehouse: {{kind: http, url: "{remote.warehouse.url}"}}
"""
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("  orders:\n", systems, 1), encoding="utf-8")
    made = centre_of(home)
    remote.sales.keep(made.virtual)
    remote.warehouse.keep(made.virtual)
    return made


def again(centre: Any) -> Any:
    """The dealer calls once more, up to the greeting."""
    caller = centre.caller(number=HAIFENG).dials(LINE)
    caller.hears("orders/choose_language").presses("1")
    caller.hears("recorded_notice")
    return caller.hears("orders/hello")


def test_an_order_is_reserved_posted_and_confirmed(centre: Any, remote: Any, read_back: Any) -> None:
    caller = read_back().presses("1")
    said = caller.hears("orders/order_placed")
    caller.hangs_up()
    [order] = remote.placed()
    assert (said.values["number"], order.total) == (order.number, Decimal("355.00"))
    assert [method for method, key in remote.warehouse.did if key] == ["reserve", "confirm"]
    assert remote.reserved() == 10
    assert centre.one("orders.draft").state == "ordered"


@pytest.mark.parametrize("which", ["sales", "warehouse"])
def test_one_that_accepts_and_is_silent_is_told_and_the_next_call_hears_the_number(
    centre: Any, remote: Any, read_back: Any, which: str
) -> None:
    caller = read_back()
    getattr(remote, which).accepts_then_hangs()
    caller.presses("1")
    caller.hears("orders/pending")
    caller.hears("orders/call_again")  # no number outside may be dialled in the sample
    caller.hears("orders/main_menu").hangs_up()
    assert centre.one("orders.draft").state == "submitted"
    getattr(remote, which).back()
    caller = again(centre)
    said = caller.hears_next()
    if said._said.key == "orders/earlier":  # else it became known by itself in the meantime
        said = caller.hears("orders/order_placed")
    [order] = remote.placed()
    assert order.number in said.values.values()
    assert remote.reserved() == 10
    caller.hangs_up()


def test_what_was_pending_is_settled_without_a_call(centre: Any, remote: Any, read_back: Any) -> None:
    caller = read_back()
    remote.sales.accepts_then_hangs(times=1)
    caller.presses("1")
    caller.hears("orders/pending").hangs_up()
    centre.clock.advance("2m")
    [order] = remote.placed()
    draft = centre.one("orders.draft")
    assert (draft.state, draft.number) == ("ordered", order.number)
    caller = again(centre)
    assert caller.hears("orders/placed_since").values["draft.number"] == order.number
    caller.hears("orders/placed_since")
    caller.hears("orders/main_menu").hangs_up()
    again(centre).hears("orders/main_menu").hangs_up()


def test_what_the_sales_system_refuses_gives_its_stock_back(centre: Any, remote: Any, read_back: Any) -> None:
    caller = read_back()
    with Session(remote.engine) as session:
        session.get_one(MODELS.DealerRow, "44030002").outstanding = Decimal("120000.00")
        session.commit()
    caller.presses("1")
    caller.hears("orders/account_changed")
    caller.hears("orders/way_on").hangs_up()
    assert remote.placed() == []
    assert remote.reserved() == 0
    assert [method for method, key in remote.warehouse.did if key] == ["reserve", "release"]
    assert centre.one("orders.draft").state == "open"


def test_a_sales_system_that_is_gone_is_apologised_for_and_nothing_is_half_done(
    centre: Any, remote: Any, read_back: Any
) -> None:
    caller = read_back()
    remote.warehouse.dead()
    caller.presses("1")
    said = caller.hears_next()
    assert said._said.key in ("orders/pending", "orders/not_placed")
    caller.hangs_up()
    assert remote.placed() == []
    remote.warehouse.back()
    centre.clock.advance("3m")
    state = centre.one("orders.draft").state
    assert (state, len(remote.placed())) in (("open", 0), ("ordered", 1))
    assert remote.reserved() == 10 * len(remote.placed())


@pytest.mark.parametrize("at", range(4))
def test_killed_at_each_request_it_is_one_order_and_its_number_is_told(
    centre: Any, remote: Any, read_back: Any, at: int
) -> None:
    caller = read_back()
    seen = [0]

    def count(request: Any) -> None:
        """Dies at the so-and-so-many-th request that changes something, or is about to."""
        seen[0] += 1
        if seen[0] == at + 1:
            centre.engine.kill()

    remote.sales._after = [count]
    remote.warehouse._after = [count]
    caller.presses("1")
    centre.clock.advance("2s")
    if seen[0] <= at:
        centre.engine.kill()
    centre.engine.start()
    remote.sales.keep(centre.virtual).back()
    remote.warehouse.keep(centre.virtual).back()
    said = caller.hears_next()
    if said._said.key == "orders/pending":
        caller.hangs_up()
        centre.clock.advance("2m")
    else:
        assert said._said.key == "orders/order_placed"
        caller.hangs_up()
    [order] = remote.placed()
    assert remote.reserved() == 10
    assert centre.one("orders.draft").number in ("", order.number)
