"""Faults #13, behind the hang-up: what flows do in ``on_hangup`` is done once, whenever the engine dies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from engine.store.store import Store
from engine.testing.home import Home
from tests.faults.ordering import DEEDS, Points
from tests.flows.shop import shop_home

MAIN = """
greet:
  - answer
  - run: {flow: shop/inner, done: menu}
menu:
  - menu: {prompt: Press one., options: {1: again, 2: bye}, give_up: bye, first: 100s}
again:
  - run: {flow: shop/inner, done: bye}
bye:
  - play: Goodbye.
  - hangup
"""
ORDER = "do: shop.order, refused: {{credit: {way}, stock: {way}}}, failed: {way}"
GONE = f"""
on_hangup:
  - id: gone
    command: {{{{{ORDER}, with: {{{{article: "{{flow}}", who: "{{{{call.id}}}}"}}}}}}}}
  - id: again
    command: {{{{{ORDER}, with: {{{{article: "{{flow}} again"}}}}}}}}
  - journal: {{{{event: left, data: {{{{flow: {{flow}}}}}}}}}}
"""
INNER = """
ask:
  - menu: {prompt: Press two., options: {2: back}, give_up: back, first: 100s}
back:
  - return
"""


@pytest.fixture
def shop(home: Home, centre_of: Callable[[Any], Any]) -> Any:
    made = shop_home(home, MAIN, head=GONE.format(flow="outer", way="bye").strip("\n"))
    made.flow("shop/inner", INNER, head=GONE.format(flow="inner", way="back").strip("\n"))
    return centre_of(made)


def in_the_inner(centre: Any) -> Any:
    return centre.caller().dials("8000").hears("Press two.")


def in_the_outer(centre: Any) -> Any:
    caller = in_the_inner(centre).presses("2")
    return caller.hears("Press one.")


OUTER = {"outer": 1, "outer again": 1}
BOTH = {**OUTER, "inner": 1, "inner again": 1}


def done(centre: Any, calls: int = 1) -> Counter[str]:
    assert len(centre.cdrs()) == calls
    return Counter(row["article"] for row in centre.rows("shop.orders"))


def left(centre: Any) -> list[str]:
    return [entry.data["flow"] for entry in centre.journal(kind="flow.left")]


@pytest.mark.parametrize("where", [in_the_inner, in_the_outer])
def test_whoever_hangs_up_while_no_engine_is_there_is_taken_leave_of_by_the_next(
    shop: Any, where: Callable[[Any], Any]
) -> None:
    caller = where(shop)
    shop.engine.kill()
    caller.hangs_up()
    shop.engine.start()
    shop.clock.advance(1)
    assert done(shop) == (BOTH if where is in_the_inner else OUTER)
    assert left(shop) == (["inner", "outer"] if where is in_the_inner else ["outer"])
    assert [row["who"] for row in shop.rows("shop.orders", article="outer")] == [caller.uuid]
    assert shop.cdrs()[0].outcome == "lost"
    shop.engine.kill()
    shop.engine.start()
    shop.clock.advance(1)
    assert sum(done(shop).values()) == (4 if where is in_the_inner else 2), "and by no other"


def test_an_engine_may_die_at_every_point_behind_a_hang_up(
    shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = Points(shop, None, monkeypatch, (*DEEDS, (Store, "journal"), (Store, "cdr")))
    at, died = 0, True
    while died:
        at += 1
        caller = in_the_inner(shop)
        with points.armed(at):
            caller.hangs_up()
            shop.virtual.sleep(0.5)
        died = points.wait_dead()
        if died:
            shop.engine.start()
            shop.clock.advance(1)
        wanted = Counter({name: count * at for name, count in BOTH.items()})
        assert done(shop, at) == wanted, f"died at {at}: {points.names[-1:]}"
        assert left(shop) == ["inner", "outer"] * at, f"died at {at}: {points.names[-1:]}"
    assert at > 8, points.names
