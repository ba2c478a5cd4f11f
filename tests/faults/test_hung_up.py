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


NAMED = """
greet:
  - answer
  - identify: {by: number, of: dealer}
  - collect: {into: pin, as: pin, length: 4, prompt: Your PIN., give_up: bye}
  - set: {wanted: "first"}
  - menu: {prompt: Press one., options: {1: second}, give_up: bye, first: 100s}
second:
  - set: {wanted: "second"}
  - run: {flow: shop/inner, with: {wanted: "of the inner"}, done: greet}
bye:
  - hangup
"""
WANTED = """
on_hangup:
  - id: gone
    if: {when}
    command:
      do: shop.order
      with: {{article: "{{wanted}}", who: "{{party.name}} {flow}"}}
      refused: {{credit: {way}, stock: {way}}}
      failed: {way}
"""


@pytest.fixture
def named(home: Home, centre_of: Callable[[Any], Any]) -> Any:
    """A flow and one within it, whose steps of a hang-up read names of their own, and whether there is a secret."""
    outer = WANTED.format(
        flow="outer", when="party is known and (wanted is known or pin is known)", way="bye"
    )
    made = shop_home(home, NAMED, head=outer.strip("\n"))
    inner = WANTED.format(flow="inner", when="party is known", way="back")
    made.flow("shop/inner", INNER, head="params: [wanted]\n" + inner.strip("\n"))
    made.number("8001", "shop/main", "identity: deferred")
    return centre_of(made)


def test_what_was_born_is_read_by_the_next_engine_and_a_secret_is_not(named: Any) -> None:
    number = "+8613802880001"
    named.app.parties.add({"kind": "dealer", "code": "44010001", "name": "Hengrun"}, [number])
    caller = named.caller(number).dials("8000").hears("Your PIN.").presses("4711")
    caller.hears("Press one.").presses("1")
    caller.hears("Press two.")
    for left in (False, True):  # in the inner flow, and back in the outer one, which is begun once more
        if left:
            caller = named.caller(number).dials("8000").hears("Your PIN.").presses("4711")
            caller.hears("Press one.").presses("1")
            caller.hears("Press two.").presses("2")
            caller.hears("Your PIN.").presses("4712")
            caller.hears("Press one.")
        named.engine.kill()
        caller.hangs_up()
        named.engine.start()
        named.clock.advance(1)
        rows = [(row["who"], row["article"]) for row in named.rows("shop.orders")]
        assert rows[:2] == [("Hengrun inner", "of the inner"), ("Hengrun outer", "second")]
        assert rows[2:] == ([("Hengrun outer", "first")] if left else [])
    written = [entry.data for entry in named.journal(kind="flow.names")]
    assert {"flow": "shop/main", "names": {"wanted": "second"}} in written
    assert "4711" not in str(written) + str(named.journal())
    caller = named.caller(number).dials("8001").hears("Your PIN.").presses("4711")
    caller.hears("Press one.").hangs_up()
    assert [entry.data for entry in named.journal(kind="flow.names")] == written, "nobody is to know"
