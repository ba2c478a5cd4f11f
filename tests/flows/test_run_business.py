"""Queries and commands of a department in a running flow: every way out, and deeds that happen exactly once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from engine.errors import Pending
from engine.hooks.departments import Departments
from tests.flows.shop import Shop

FIND = """
greet:
  - answer
  - collect: {into: number, as: digits, prompt: Which article?, give_up: end}
  - query: {ask: shop.find, with: {number: "{number}"}, into: article, within: 3s, not_found: unknown, failed: broken}
  - say: {prompt: amount, values: {value: "{article.price}"}}
  - hangup
unknown:
  - play: Unknown.
  - hangup
broken:
  - {journal: {event: note, data: {why: "{failure}"}}}
  - play: Broken.
  - go: end
end:
  - hangup
"""

ORDER = """
greet:
  - answer
  - collect: {into: article, as: digits, prompt: Which article?, give_up: end}
  - id: place
    command:
      do: shop.order
      with: {article: "{article}", who: "{caller.number}"}
      into: order
      refused: {credit: no_credit, stock: no_stock}
      pending: unsure
      failed: broken
  - {journal: {event: note, data: {order: "{order}"}}}
  - play: Ordered.
  - menu: {prompt: One for another., options: {1: greet}, give_up: end}
no_credit:
  - {journal: {event: note, data: {why: "{refusal.reason}", limit: "{refusal.limit}"}}}
  - play: No credit.
  - hangup
no_stock:
  - play: No stock.
  - hangup
unsure:
  - play: We do not know yet.
  - hangup
broken:
  - play: Broken.
  - hangup
end:
  - hangup
"""


def asks(centre: Any, number: str) -> Any:
    caller = centre.caller().dials("8000")
    caller.hears("Which article?").presses(f"{number}#")
    return caller


def why(centre: Any, caller: Any) -> str:
    (entry,) = centre.journal(caller, "flow.note")
    return str(entry.data["why"])


def test_a_query_finds_and_its_record_is_spoken(shop: Shop) -> None:
    asks(shop(FIND), "1").hears("amount", value="12.50")


def test_a_query_that_finds_nothing_goes_its_own_way(shop: Shop) -> None:
    asks(shop(FIND), "404").hears("Unknown.")


@pytest.mark.parametrize(("number", "word"), [("500", "raised"), ("600", "nonsense")])
def test_a_query_that_raises_or_answers_nonsense_fails_alone(shop: Shop, number: str, word: str) -> None:
    centre = shop(FIND)
    caller = asks(centre, number)
    caller.hears("Broken.")
    assert word in why(centre, caller)
    assert [e.data["step"] for e in centre.journal(caller, "step.failed")] == ["greet[3] query"]
    asks(centre, "1").hears("amount")


def test_a_query_that_hangs_fails_in_its_time_and_nobody_else_waits(shop: Shop) -> None:
    centre = shop(FIND)
    trouble = centre.adapter("shop.Stock")
    trouble.hangs()
    caller = asks(centre, "1")
    before = centre.virtual.monotonic()
    caller.hears("Broken.")
    assert centre.virtual.monotonic() - before < 6
    assert "time_up" in why(centre, caller)
    trouble.over()
    asks(centre, "1").hears("amount")


def test_a_query_that_is_too_slow_fails_and_one_that_is_slow_does_not(shop: Shop) -> None:
    centre = shop(FIND)
    centre.adapter("shop.Stock").after(2.5)
    asks(centre, "1").hears("amount")
    centre.adapter("shop.Stock").after(3.5)
    asks(centre, "1").hears("Broken.")


def test_a_query_that_calls_exit_does_not_end_the_engine(shop: Shop) -> None:
    centre = shop(
        """
        greet:
          - answer
          - query: {ask: shop.exits, into: x, failed: broken}
          - hangup
        broken:
          - play: Broken.
          - hangup
        """
    )
    caller = centre.caller().dials("8000")
    caller.hears("Broken.")
    assert caller.ended == "NORMAL_CLEARING"


# -- commands ------------------------------------------------------------------------------------------


def test_a_command_is_done_and_its_result_is_kept(shop: Shop) -> None:
    centre = shop(ORDER)
    caller = asks(centre, "17")
    caller.hears("Ordered.")
    assert centre.one("shop.orders")["article"] == "17"
    assert len(centre.journal(caller, "command.done")) == 1


@pytest.mark.parametrize(
    ("article", "heard"), [("402", "No credit."), ("409", "No stock."), ("500", "Broken.")]
)
def test_each_refusal_has_its_way_and_leaves_nothing_behind(shop: Shop, article: str, heard: str) -> None:
    centre = shop(ORDER)
    caller = asks(centre, article)
    caller.hears(heard)
    assert centre.rows("shop.orders") == []
    if article == "402":
        (note,) = centre.journal(caller, "flow.note")
        assert note.data == {"why": "credit", "limit": 100}


def test_a_loop_may_order_twice(shop: Shop) -> None:
    centre = shop(ORDER)
    caller = asks(centre, "1")
    caller.hears("Ordered.")
    caller.hears("One for another.").presses("1")
    caller.hears("Which article?").presses("1#")
    caller.hears("Ordered.")
    assert len(centre.rows("shop.orders")) == 2


@contextmanager
def stopped(when: str) -> Iterator[Any]:
    """Whatever engine carries out a command stops for ever right before the deed, or right after it."""
    do = Departments.do

    def stop(self: Departments, *args: Any, **more: Any) -> Any:
        if when == "after":
            do(self, *args, **more)
        self._clock.event().wait()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Departments, "do", stop)
        yield


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_engine_killed_around_a_deed_leaves_exactly_one(shop: Shop, when: str) -> None:
    centre = shop(ORDER)
    with stopped(when):
        caller = asks(centre, "17")
        centre.clock.advance(3)
        centre.engine.kill()
    assert len(centre_rows(centre)) == (0 if when == "before" else 1)
    centre.engine.start()
    caller.hears("Ordered.")
    assert centre.one("shop.orders")["article"] == "17"
    assert [e.data["order"] for e in centre.journal(caller, "flow.note")] == [1]


def centre_rows(centre: Any) -> list[Any]:
    """The orders, read while no engine runs."""
    path = centre.installation.folders.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as database:
        return database.execute("select * from shop_orders").fetchall()


def test_an_engine_killed_in_the_midst_of_a_deed_leaves_exactly_one(shop: Shop) -> None:
    centre = shop(ORDER)
    trouble = centre.adapter("shop.Stock")
    trouble.after(2.0)
    caller = asks(centre, "17")
    centre.clock.advance(1.5)
    assert centre.calls()[0].step == "greet[3] command"
    centre.engine.kill()
    trouble.over()
    centre.engine.start()
    caller.hears("Ordered.")
    assert len(centre.rows("shop.orders")) == 1


def test_an_engine_killed_again_and_again_right_after_the_deed_still_leaves_one(shop: Shop) -> None:
    centre = shop(ORDER)
    with stopped("after"):
        caller = asks(centre, "17")
        for _ in range(3):
            centre.clock.advance(3)
            centre.engine.kill()
            centre.engine.start()
        centre.engine.kill()
    centre.engine.start()
    caller.hears("Ordered.")
    assert len(centre.rows("shop.orders")) == 1


def test_a_key_that_holds_across_calls_gives_the_redial_the_first_result(shop: Shop) -> None:
    once = ORDER.replace("failed: broken\n", 'failed: broken\n      once: "{article}"\n', 1)
    centre = shop(once)
    for _ in range(2):
        caller = asks(centre, "17")
        caller.hears("Ordered.").hangs_up()
        (note,) = centre.journal(caller, "flow.note")
        assert note.data["order"] == 1
    asks(centre, "18").hears("Ordered.")
    assert [row["article"] for row in centre.rows("shop.orders")] == ["17", "18"]


def test_a_result_that_nobody_knows_is_said_to_be_so(shop: Shop) -> None:
    centre = shop(ORDER)
    centre.app.departments.do = lambda *args, **more: Pending("the line broke")
    caller = asks(centre, "17")
    caller.hears("We do not know yet.")
    assert len(centre.journal(caller, "command.pending")) == 1
