"""A command to a remote system: exactly once for its key, whoever dies, and whatever the remote does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, Protocol

import pytest
from structlog.testing import capture_logs

from engine.api import Adapter, Context, Department, Digits, Private, Refused, command, query
from engine.clock import VirtualClock
from engine.errors import DepartmentFailed, NotFound, Pending
from engine.hooks import outbox as module
from engine.hooks.departments import Departments, Done
from engine.hooks.http import HttpClient
from engine.log import Secret
from engine.testing.twin import Twin

Start = Callable[..., SimpleNamespace]


class Orders(Protocol):
    def place(self, article: str, *, key: str) -> int: ...
    def check(self, pin: str, *, key: str) -> int: ...
    def stock(self, article: str) -> int | None: ...


class Memory:
    """The remote's own side: what it keeps when it is told to."""

    def __init__(self) -> None:
        self.orders: list[str] = []

    def place(self, article: str, *, key: str) -> int:
        if article == "402":
            raise Refused("credit", limit=100)
        if article == "418":
            raise Refused("tea")
        self.orders.append(article)
        return 7000 + len(self.orders)

    def check(self, pin: str, *, key: str) -> int:
        return self.place("pin", key=key)

    def stock(self, article: str) -> int | None:
        return None if article == "404" else 5


class HttpOrders:
    def __init__(self, client: HttpClient) -> None:
        self.client = client

    def place(self, article: str, *, key: str) -> int:
        return int(self.client.do("place", {"article": article}, int, key=key))

    def check(self, pin: str, *, key: str) -> int:
        return int(self.client.do("check", {"pin": pin}, int, key=key))

    def stock(self, article: str) -> int | None:
        return self.client.ask("stock", {"article": article}, int | None)


@pytest.fixture
def department() -> Department:
    made = Department("orders", adapters=[Adapter(Orders, http=HttpOrders)])

    @command(made, refusals=("credit",))
    def place(ctx: Context, article: str) -> int:
        return ctx.adapter(Orders).place(article, key=ctx.key)

    @command(made)
    def check(ctx: Context, pin: Private[Digits]) -> int:
        return ctx.adapter(Orders).check(pin, key=ctx.key)

    @query(made)
    def stock(ctx: Context, article: str) -> int | None:
        return ctx.adapter(Orders).stock(article)

    return made


@pytest.fixture
def remote(clock: VirtualClock) -> Iterator[SimpleNamespace]:
    memory = Memory()

    @contextmanager
    def opened() -> Iterator[Memory]:
        yield memory

    twin = Twin(Orders, opened, clock)
    yield SimpleNamespace(twin=twin, orders=memory.orders)
    twin.close()


@pytest.fixture
def centre(
    department: Department, remote: SimpleNamespace, at_work: Start, clock: VirtualClock
) -> Iterator[SimpleNamespace]:
    """Departments at work on the remote, which can be killed and started again on the same database."""
    made = at_work(department, systems={"orders.Orders": remote.twin.url})
    made.told = []
    made.alarms = []

    def wire(runtime: Departments) -> None:
        runtime.outbox.settled = made.told.append
        runtime.outbox.alarm = lambda name, on, detail: made.alarms.append((name, on))
        runtime.outbox.start()
        made.runtime, made.outbox = runtime, runtime.outbox

    def restart() -> None:
        made.runtime.stop()
        wire(
            Departments(
                [department],
                clock=clock,
                store=made.store,
                agents=made.agents,
                timezone=made.runtime.contexts._timezone,
                systems={"orders.Orders": remote.twin.url},
            )
        )

    def place(article: str = "1001", key: str = "k1", within: float = 5.0, **more: Any) -> Any:
        return made.runtime.do("orders.place", {"article": article}, key=key, within=within, **more)

    made.restart, made.place = restart, place
    wire(made.runtime)
    yield made
    made.runtime.stop()


def rows(centre: SimpleNamespace) -> list[tuple[str, str]]:
    return [(row.key, row.state) for row in centre.outbox.rows()]


def test_a_remote_that_answers_does_it_once_and_a_redial_hears_the_same(
    centre: SimpleNamespace, remote: SimpleNamespace, clock: VirtualClock
) -> None:
    assert [centre.place() for _ in range(3)] == [Done(7001)] * 3
    assert remote.twin.seen == [("place", "k1")]
    assert rows(centre) == []
    assert clock.monotonic() == 0


def test_the_intent_is_kept_before_the_first_request(
    centre: SimpleNamespace, remote: SimpleNamespace
) -> None:
    kept: list[Any] = []
    remote.twin._before = [lambda request: kept.append(centre.outbox.rows())]
    centre.place()
    ((row,),) = kept
    assert (row.key, row.command, row.arguments, row.state) == (
        "k1",
        "orders.place",
        {"article": "1001"},
        "waiting",
    )


def test_a_remote_that_accepts_and_then_is_silent_is_pending_and_the_result_comes_later(
    centre: SimpleNamespace, remote: SimpleNamespace, clock: VirtualClock
) -> None:
    remote.twin.accepts_then_hangs(times=1)
    assert isinstance(centre.place(call="c1"), Pending)
    assert clock.monotonic() == 5
    assert remote.orders == ["1001"]
    clock.sleep(20)
    assert centre.place() == Done(7001)
    assert remote.orders == ["1001"]
    assert len(remote.twin.seen) == 2
    (told,) = centre.told
    assert (told.command, told.call, told.outcome, told.result) == ("orders.place", "c1", "done", 7001)


def test_a_redial_makes_the_outbox_try_at_once(
    centre: SimpleNamespace, remote: SimpleNamespace, clock: VirtualClock
) -> None:
    remote.twin.dead()
    assert isinstance(centre.place(), Pending)
    clock.sleep(60)
    remote.twin.back()
    began = clock.monotonic()
    while not isinstance(centre.place(within=5), Done):  # the client's own breaker may rest for a while
        assert clock.monotonic() - began < 40
    assert remote.orders == ["1001"]


@pytest.mark.parametrize("trouble", ["dead", "hangs", "fails", "accepts_then_fails", "accepts_then_hangs"])
def test_a_remote_in_trouble_for_a_minute_ends_with_one_order(
    centre: SimpleNamespace, remote: SimpleNamespace, clock: VirtualClock, trouble: str
) -> None:
    getattr(remote.twin, trouble)()
    assert isinstance(centre.place(), Pending)
    clock.sleep(60)
    remote.twin.back()
    clock.sleep(120)
    assert remote.orders == ["1001"]
    assert centre.place() == Done(7001)
    assert [one.outcome for one in centre.told] == ["done"]
    assert rows(centre) == []


def test_a_refusal_is_heard_and_nothing_is_kept(centre: SimpleNamespace, remote: SimpleNamespace) -> None:
    refused = centre.place("402")
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.details) == ("credit", {"limit": 100})
    assert rows(centre) == []
    assert centre.place("1001") == Done(7001)  # the same key may be used again


def test_a_refusal_that_came_late_is_heard_by_whoever_asks_again(
    centre: SimpleNamespace, remote: SimpleNamespace, clock: VirtualClock
) -> None:
    remote.twin.dead()
    assert isinstance(centre.place("402"), Pending)
    remote.twin.back()
    clock.sleep(60)
    assert rows(centre) == [("k1", "refused")]
    assert [(one.outcome, one.reason) for one in centre.told] == [("refused", "credit")]
    refused = centre.place("402")
    assert isinstance(refused, Refused)
    assert refused.reason == "credit"
    assert rows(centre) == []


def test_a_refusal_that_the_command_does_not_declare_fails(centre: SimpleNamespace) -> None:
    with pytest.raises(DepartmentFailed, match="tea"):
        centre.place("418")
    assert rows(centre) == []


def test_an_answer_that_says_no_for_good_fails_at_once(
    centre: SimpleNamespace, remote: SimpleNamespace, clock: VirtualClock
) -> None:
    remote.twin.fails(401)
    with pytest.raises(DepartmentFailed, match="remote: it answered 401"):
        centre.place()
    assert rows(centre) == []
    assert clock.monotonic() == 0


def test_without_a_pending_way_what_did_not_reach_its_remote_has_failed_and_is_forgotten(
    centre: SimpleNamespace, remote: SimpleNamespace, clock: VirtualClock
) -> None:
    remote.twin.dead()
    with pytest.raises(DepartmentFailed, match="not reached in time"):
        centre.place(patient=False)
    remote.twin.back()
    clock.sleep(120)
    assert remote.orders == []
    remote.twin.accepts_then_hangs(times=1)
    assert isinstance(centre.place(key="k2", patient=False), Pending)  # it may have arrived


def test_what_waits_for_one_remote_goes_in_order_and_runs_side_by_side_when_all_is_well(
    centre: SimpleNamespace, remote: SimpleNamespace, clock: VirtualClock
) -> None:
    remote.twin.dead()
    waiting = []
    for at in range(3):
        waiting.append(clock.spawn(centre.place, str(at), f"k{at}"))
        clock.sleep(1)
    clock.sleep(10)
    assert all(isinstance(one.value, Pending) for one in waiting)
    remote.twin.back()
    clock.sleep(120)
    assert remote.orders == ["0", "1", "2"]
    remote.twin.after(3)
    began = clock.monotonic()
    together = [clock.spawn(centre.place, str(at), f"m{at}") for at in range(5)]
    for one in together:
        one.join()
    assert clock.monotonic() - began < 4


@pytest.mark.parametrize("done_already", [False, True])
def test_an_engine_that_dies_leaves_its_outbox_to_the_next(
    centre: SimpleNamespace, remote: SimpleNamespace, clock: VirtualClock, done_already: bool
) -> None:
    remote.twin.accepts_then_hangs() if done_already else remote.twin.hangs()
    asked = clock.spawn(centre.place)
    clock.sleep(1)
    asked.kill()
    centre.restart()
    remote.twin.back()
    clock.sleep(30)
    assert remote.orders == ["1001"]
    assert centre.place() == Done(7001)


def test_only_an_engine_that_leads_goes_on_with_the_outbox(
    centre: SimpleNamespace, remote: SimpleNamespace, clock: VirtualClock
) -> None:
    remote.twin.dead()
    centre.place()
    centre.restart()
    centre.outbox.leads = lambda: False
    remote.twin.back()
    clock.sleep(300)
    assert remote.orders == []
    centre.outbox.leads = lambda: True
    clock.sleep(40)
    assert remote.orders == ["1001"]


def test_what_fails_too_often_needs_a_person_who_may_retry_or_drop_it(
    centre: SimpleNamespace, remote: SimpleNamespace, clock: VirtualClock
) -> None:
    remote.twin.fails(500)
    centre.place()
    clock.sleep(3600)
    assert rows(centre) == [("k1", "stuck")]
    assert len(remote.twin.seen) >= module.MOST_ATTEMPTS - 3
    assert [one.outcome for one in centre.told] == ["stuck"]
    assert centre.alarms == [("outbox.stuck", True)]
    assert centre.outbox.view().stuck == 1
    remote.twin.back()
    centre.outbox.retry("k1")
    clock.sleep(60)
    assert remote.orders == ["1001"]
    assert centre.alarms[-1] == ("outbox.stuck", False)
    remote.twin.fails(500)
    centre.place(key="k2")
    centre.outbox.drop("k2")
    assert rows(centre) == []
    with pytest.raises(NotFound):
        centre.outbox.retry("k2")
    remote.twin.back()
    clock.sleep(300)
    assert remote.orders == ["1001"]


def test_a_remote_that_is_away_for_hours_uses_no_attempt_up(
    centre: SimpleNamespace, remote: SimpleNamespace, clock: VirtualClock
) -> None:
    remote.twin.dead()
    centre.place()
    clock.sleep(2 * 3600)
    remote.twin.back()
    clock.sleep(120)
    assert remote.orders == ["1001"]


def test_a_private_argument_is_never_written_and_dies_with_its_engine(
    centre: SimpleNamespace, remote: SimpleNamespace, clock: VirtualClock
) -> None:
    def check() -> Any:
        return centre.runtime.do("orders.check", {"pin": Secret("2580")}, key="k1", within=5)

    remote.twin.dead()
    with capture_logs() as logs:
        assert isinstance(check(), Pending)
    assert "2580" not in str(logs)
    (row,) = centre.outbox.rows()
    assert row.arguments is None
    centre.restart()
    clock.sleep(60)
    assert rows(centre) == [("k1", "stuck")]
    remote.twin.back()
    clock.sleep(30)
    assert check() == Done(7001)  # who dials again brings the value along


def test_reads_are_tried_again_and_unknown_is_none(
    centre: SimpleNamespace, remote: SimpleNamespace, clock: VirtualClock
) -> None:
    remote.twin.fails(503, times=2)
    assert centre.runtime.ask("orders.stock", {"article": "1"}, within=3) == 5
    assert centre.runtime.ask("orders.stock", {"article": "404"}, within=3) is None
    remote.twin.hangs()
    with pytest.raises(DepartmentFailed, match="time_up"):
        centre.runtime.ask("orders.stock", {"article": "1"}, within=3)


def test_after_failures_in_a_row_the_command_fails_at_once_but_a_known_key_is_still_told(
    centre: SimpleNamespace, remote: SimpleNamespace, clock: VirtualClock
) -> None:
    assert centre.place() == Done(7001)
    remote.twin.fails(500)
    centre.place(key="x0")
    centre.place(key="x1")
    while not any(one.state == "open" for one in centre.runtime.breakers() if one.name == "orders.place"):
        clock.sleep(1)
    began = clock.monotonic()
    with pytest.raises(DepartmentFailed, match="open"):
        centre.place(key="y")
    assert clock.monotonic() == began
    assert centre.place() == Done(7001)
    assert "y" not in str(rows(centre))
    assert {one.name: one.state for one in centre.runtime.breakers()}["orders.place"] != "closed"
    remote.twin.back()
    clock.sleep(120)
    assert centre.place(key="y") == Done(7004)
    assert centre.runtime.breakers() == []
