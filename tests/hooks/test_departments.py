"""Whatever a handler does, its step fails in time and nothing else does; a deed is done once."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from types import SimpleNamespace
from typing import Any, Protocol

import gevent
import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from engine.api import (
    Adapter,
    Context,
    Department,
    Digits,
    LoginRefused,
    Private,
    Record,
    Refused,
    command,
    query,
)
from engine.clock import Clock, TimeUp, VirtualClock
from engine.errors import DepartmentFailed, NotFound, Pending, PluginError
from engine.hooks.departments import MOST_STUCK, Done
from engine.hooks.http import HttpClient

Start = Callable[..., SimpleNamespace]


class Shipment(Record):
    number: Digits
    owner: Private[str]


@pytest.fixture
def department() -> Department:
    return Department("logistics")


def failure(run: Callable[[], Any]) -> DepartmentFailed:
    with pytest.raises(DepartmentFailed) as caught:
        run()
    return caught.value


# -- queries over sql ---------------------------------------------------------------------------


def test_a_query_answers_its_record_or_nothing(department: Department, at_work: Start) -> None:
    @query(department)
    def track(ctx: Context, number: Digits) -> Shipment | None:
        return ctx.session.execute(
            text("select :n as number, 'me' as owner where :n = '77'"), {"n": number}
        ).first()  # type: ignore[return-value]  # a row with the attributes becomes the record

    runtime = at_work(department)
    assert runtime.ask("logistics.track", {"number": "77"}, within=3) == Shipment(number="77", owner="me")
    assert runtime.ask("logistics.track", {"number": "78"}, within=3) is None


def test_a_handler_knows_the_centres_time_and_has_no_key_to_ask(
    department: Department, at_work: Start, clock: VirtualClock
) -> None:
    seen: list[Any] = []

    @query(department)
    def today(ctx: Context) -> date:
        seen.append((ctx.now, ctx.key))
        return ctx.today

    clock.sleep(15.5 * 3600)  # 01:00 UTC -> half past midnight in Shanghai
    assert at_work(department).ask("logistics.today", {}, within=3) == date(2026, 11, 24)
    assert seen == [(clock.now(), "")]
    assert str(seen[0][0].tzinfo) == "Asia/Shanghai"


def test_it_runs_in_a_thread_so_that_the_hub_goes_on(
    department: Department, at_work: Start, real: Clock
) -> None:
    hub = gevent.get_hub()
    seen: list[bool] = []

    @query(department)
    def slow(ctx: Context) -> int:
        seen.append(gevent.get_hub() is hub)
        return 1

    at_work(department, on=real).ask("logistics.slow", {}, within=5)
    assert seen == [False]


@pytest.mark.parametrize("error", [ValueError("2580"), SystemExit(1), Refused("no")])
def test_one_that_raises_fails_its_step_only(
    department: Department, at_work: Start, error: BaseException
) -> None:
    @query(department)
    def bad(ctx: Context) -> int:
        raise error

    @query(department)
    def good(ctx: Context) -> int:
        return 1

    runtime = at_work(department)
    with capture_logs() as logs:
        failed = failure(lambda: runtime.ask("logistics.bad", {}, within=3))
    assert (failed.handler, failed.why) == ("logistics.bad", "raised")
    assert "2580" not in str(failed)
    assert logs[0]["handler"] == "logistics.bad"
    assert runtime.ask("logistics.good", {}, within=3) == 1


@pytest.mark.parametrize("answer", ["soon", None, object(), {"number": "77"}, Shipment])
def test_one_that_answers_nonsense_fails_its_step_only(
    department: Department, at_work: Start, answer: Any
) -> None:
    @query(department)
    def track(ctx: Context) -> Shipment:
        return answer  # type: ignore[no-any-return]

    assert failure(lambda: at_work(department).ask("logistics.track", {}, within=3)).why == "nonsense"


def test_nonsense_is_told_without_its_value(department: Department, at_work: Start) -> None:
    @query(department)
    def track(ctx: Context) -> Shipment:
        return {"number": "no-number", "owner": "secret owner"}  # type: ignore[return-value]

    with capture_logs() as logs:
        failed = failure(lambda: at_work(department).ask("logistics.track", {}, within=3))
    assert "number" in failed.detail
    assert "secret owner" not in str(failed) + str(logs)
    assert "no-number" not in str(failed) + str(logs)


def test_one_that_hangs_fails_its_step_in_time(department: Department, at_work: Start, real: Clock) -> None:
    ended = _Latch()

    @query(department)
    def stuck(ctx: Context) -> int:
        ended.wait()
        return 1

    runtime = at_work(department, on=real)
    began = time.monotonic()
    try:
        assert failure(lambda: runtime.ask("logistics.stuck", {}, within=0.1)).why == "time_up"
        assert time.monotonic() - began < 2
    finally:
        ended.open()


def test_a_department_that_hangs_does_not_take_every_thread_from_the_others(
    department: Department, at_work: Start, real: Clock
) -> None:
    ended = _Latch()
    other = Department("orders")

    @query(department)
    def stuck(ctx: Context) -> int:
        ended.wait()
        return 1

    @query(other)
    def stock(ctx: Context) -> int:
        return 7

    runtime = at_work(department, other, on=real)
    try:
        for _ in range(MOST_STUCK):
            assert failure(lambda: runtime.ask("logistics.stuck", {}, within=0.05)).why == "time_up"
        assert failure(lambda: runtime.ask("logistics.stuck", {}, within=5)).why == "busy"
        assert runtime.ask("orders.stock", {}, within=5) == 7
    finally:
        ended.open()


def test_arguments_that_do_not_fit_fail_the_step_before_anything_runs(
    department: Department, at_work: Start
) -> None:
    @query(department)
    def track(ctx: Context, number: Digits) -> int:
        raise AssertionError("it ran")

    runtime = at_work(department)
    failed = failure(lambda: runtime.ask("logistics.track", {"number": "7x7"}, within=3))
    assert failed.why == "arguments"
    assert "7x7" not in str(failed)


def test_a_name_that_no_department_has_is_not_found(department: Department, at_work: Start) -> None:
    runtime = at_work(department)
    with pytest.raises(NotFound, match=r"there is no query logistics\.track"):
        runtime.ask("logistics.track", {}, within=1)
    with pytest.raises(NotFound, match=r"there is no command logistics\.book"):
        runtime.do("logistics.book", {}, key="k", within=1)


def test_the_callers_own_time_limit_passes_through(
    department: Department, at_work: Start, real: Clock
) -> None:
    ended = _Latch()

    @query(department)
    def stuck(ctx: Context) -> int:
        ended.wait()
        return 1

    runtime = at_work(department, on=real)
    try:
        with pytest.raises(TimeUp) as caught, real.timeout(0.05) as mine:
            runtime.ask("logistics.stuck", {}, within=5)
        assert caught.value is mine
    finally:
        ended.open()


# -- over http and over the engine: on the hub --------------------------------------------------


class Registry(Protocol):
    def cover(self, serial: str) -> int | None: ...


class SqlRegistry:
    def __init__(self, session: Any) -> None:
        self.session = session

    def cover(self, serial: str) -> int | None:
        return int(self.session.execute(text("select 1")).scalar())


class HttpRegistry:
    made: list[str] = []

    def __init__(self, client: HttpClient) -> None:
        self.made.append(client.base_url)

    def cover(self, serial: str) -> int | None:
        return 2


@pytest.fixture
def over_both() -> Department:
    HttpRegistry.made.clear()
    both = Department("warranty", adapters=[Adapter(Registry, sql=SqlRegistry, http=HttpRegistry)])

    @query(both)
    def cover(ctx: Context, serial: Digits) -> int | None:
        return ctx.adapter(Registry).cover(serial)

    return both


def test_the_configuration_says_which_adapter_answers(over_both: Department, at_work: Start) -> None:
    assert at_work(over_both).ask("warranty.cover", {"serial": "1"}, within=3) == 1
    remote = at_work(over_both, systems={"warranty.Registry": "https://warranty.example"})
    assert [remote.ask("warranty.cover", {"serial": "1"}, within=3) for _ in range(2)] == [2, 2]
    assert HttpRegistry.made == ["https://warranty.example/"]  # one client for all runs


@pytest.mark.parametrize(
    ("systems", "said"),
    [
        ({"warranty.Registri": "https://x"}, "a system that no department has: warranty.Registri"),
        ({"orders.Registry": "https://x"}, "a system that no department has: orders.Registry"),
    ],
)
def test_a_configured_system_that_does_not_exist_is_refused(
    over_both: Department, at_work: Start, systems: dict[str, str], said: str
) -> None:
    with pytest.raises(PluginError, match=said):
        at_work(over_both, systems=systems)


def test_an_adapter_that_is_not_there_is_refused(at_work: Start) -> None:
    with pytest.raises(PluginError, match="has no http adapter"):
        at_work(
            Department("a", adapters=[Adapter(Registry, sql=SqlRegistry)]),
            systems={"a.Registry": "https://x"},
        )
    with pytest.raises(PluginError, match="gives it no address"):
        at_work(Department("a", adapters=[Adapter(Registry, http=HttpRegistry)]))


@pytest.mark.parametrize("swallows", [False, True])
def test_on_the_hub_a_handler_is_stopped_at_its_limit_even_if_it_swallows_it(
    department: Department, at_work: Start, clock: VirtualClock, swallows: bool
) -> None:
    @query(department, over="engine")
    def stuck(ctx: Context) -> int:
        try:
            clock.sleep(60)
        except BaseException:
            if not swallows:
                raise
            clock.sleep(1)
        return 1

    runtime = at_work(department)
    assert failure(lambda: runtime.ask("logistics.stuck", {}, within=3)).why == "time_up"
    assert clock.monotonic() == (4 if swallows else 3)


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(1)])
def test_on_the_hub_one_that_raises_fails_its_step(
    department: Department, at_work: Start, error: BaseException
) -> None:
    @query(department, over="engine")
    def bad(ctx: Context) -> int:
        raise error

    assert failure(lambda: at_work(department).ask("logistics.bad", {}, within=3)).why == "raised"


def test_a_hang_up_goes_through_a_handler_on_the_hub(
    department: Department, at_work: Start, clock: VirtualClock
) -> None:
    @query(department, over="engine")
    def waits(ctx: Context) -> int:
        clock.sleep(60)
        return 1

    runtime = at_work(department)
    step = clock.spawn(runtime.ask, "logistics.waits", {}, within=120)
    clock.sleep(1)
    step.kill()
    assert isinstance(step.value, gevent.GreenletExit)
    assert clock.monotonic() == 1


def test_agents_are_there_over_the_engine_only_and_a_session_over_sql_only(
    department: Department, at_work: Start
) -> None:
    @query(department, over="engine")
    def no_session(ctx: Context) -> int:
        return int(bool(ctx.session))

    @query(department)
    def no_agents(ctx: Context) -> int:
        return int(bool(ctx.agents))

    @query(department)
    def no_adapter(ctx: Context) -> int:
        return ctx.adapter(Registry).cover("1") or 0

    runtime = at_work(department)
    for name in ("no_session", "no_agents", "no_adapter"):
        with capture_logs() as logs:
            assert failure(lambda name=name: runtime.ask(f"logistics.{name}", {}, within=3)).why == "raised"
        assert f"logistics.{name} has no {name[3:]}" in str(logs[0]["exc_info"])


# -- commands -----------------------------------------------------------------------------------


@pytest.fixture
def desk() -> Department:
    desk = Department("desk")

    @command(desk, refusals=("wrong_pin",), over="engine")
    def login(ctx: Context, agent: Digits, pin: Digits) -> str:
        try:
            return ctx.agents.login(agent, pin).name
        except LoginRefused as error:
            raise Refused(error.reason) from error

    return desk


def test_a_command_over_the_engine_does_or_refuses_or_fails(desk: Department, at_work: Start) -> None:
    runtime = at_work(desk)
    assert runtime.do("desk.login", {"agent": "8012", "pin": "2580"}, key="k1", within=3) == Done("Li Na")
    refused = runtime.do("desk.login", {"agent": "8012", "pin": "0000"}, key="k2", within=3)
    assert isinstance(refused, Refused)
    assert refused.reason == "wrong_pin"
    assert (
        failure(lambda: runtime.do("desk.login", {"agent": "1", "pin": "1"}, key="k3", within=3)).why
        == "raised"
    )


@pytest.fixture
def booking(department: Department) -> SimpleNamespace:
    """A command that writes a row, and then does what the test wants."""
    then: dict[str, Callable[[Context], Any]] = {"do": lambda ctx: ctx.key}

    @command(department, refusals=("full",))
    def book(ctx: Context, number: Digits) -> str:
        ctx.session.execute(text("create table if not exists booking (number)"))
        ctx.session.execute(text("insert into booking values (:n)"), {"n": number})
        return then["do"](ctx)

    return SimpleNamespace(department=department, then=then)


def rows(runtime: SimpleNamespace) -> int:
    return int(
        runtime.store.read(lambda session: session.execute(text("select count(*) from booking")).scalar(), 5)
    )


def test_a_deed_is_done_once_for_its_key_and_its_result_is_heard_again(
    booking: SimpleNamespace, at_work: Start
) -> None:
    runtime = at_work(booking.department)
    again = [runtime.do("logistics.book", {"number": "7"}, key="call:book:1", within=3) for _ in range(3)]
    assert again == [Done("call:book:1")] * 3
    assert rows(runtime) == 1
    runtime.do("logistics.book", {"number": "7"}, key="call:book:2", within=3)
    assert rows(runtime) == 2


def test_a_refusal_takes_its_rows_back_and_the_key_may_be_used_again(
    booking: SimpleNamespace, at_work: Start
) -> None:
    runtime = at_work(booking.department)
    runtime.do("logistics.book", {"number": "7"}, key="k0", within=3)

    def refuse(ctx: Context) -> str:
        raise Refused("full", next=date(2026, 12, 1))

    booking.then["do"] = refuse
    refused = runtime.do("logistics.book", {"number": "8"}, key="k", within=3)
    assert isinstance(refused, Refused)
    assert refused.details == {"next": date(2026, 12, 1)}
    assert rows(runtime) == 1
    booking.then["do"] = lambda ctx: "ok"
    assert runtime.do("logistics.book", {"number": "8"}, key="k", within=3) == Done("ok")


@pytest.mark.parametrize(
    ("then", "why"),
    [
        (lambda ctx: 1 / 0, "raised"),
        (lambda ctx: object(), "nonsense"),
        (lambda ctx: (_ for _ in ()).throw(Refused("tired")), "nonsense"),
    ],
)
def test_one_that_fails_takes_its_rows_back(
    booking: SimpleNamespace, at_work: Start, then: Callable[[Context], Any], why: str
) -> None:
    runtime = at_work(booking.department)
    runtime.do("logistics.book", {"number": "7"}, key="k0", within=3)
    booking.then["do"] = then
    assert failure(lambda: runtime.do("logistics.book", {"number": "8"}, key="k", within=3)).why == why
    assert rows(runtime) == 1


def test_one_that_hangs_has_failed_at_its_limit(
    booking: SimpleNamespace, at_work: Start, real: Clock
) -> None:
    ended = _Latch()
    booking.then["do"] = lambda ctx: ended.wait()
    runtime = at_work(booking.department, on=real)
    try:
        failed = failure(lambda: runtime.do("logistics.book", {"number": "8"}, key="k", within=0.1))
        assert failed.why == "time_up"
    finally:
        ended.open()


def test_a_commit_that_nobody_knows_the_end_of_is_pending(
    booking: SimpleNamespace, at_work: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = at_work(booking.department)

    def lost(key: str, department: str, work: Callable[..., Any], timeout: float) -> Any:
        raise Pending("a commit was under way")

    monkeypatch.setattr(runtime.store, "deed", lost)
    assert isinstance(runtime.do("logistics.book", {"number": "8"}, key="k", within=3), Pending)


def test_a_command_without_a_key_is_the_engines_mistake(desk: Department, at_work: Start) -> None:
    with pytest.raises(ValueError, match="needs a key"):
        at_work(desk).do("desk.login", {}, key="", within=1)


# -- what the checker knows ---------------------------------------------------------------------


def test_the_checker_knows_names_arguments_fields_and_refusals(
    department: Department, at_work: Start
) -> None:
    @query(department)
    def track(ctx: Context, number: Digits, on: date | None = None) -> Shipment | None: ...

    @command(department, refusals=("full",))
    def book(ctx: Context, number: Digits) -> int: ...

    known = at_work(department).known()
    track_type, book_type = known.queries["logistics.track"], known.commands["logistics.book"]
    assert [(one.name, one.required) for one in track_type.arguments.values()] == [
        ("number", True),
        ("on", False),
    ]
    assert (track_type.result, track_type.optional, track_type.private) == (Shipment, True, True)
    assert track_type.fields is not None
    assert {name: field.private for name, field in track_type.fields.items()} == {
        "number": False,
        "owner": True,
    }
    assert (book_type.refusals, book_type.result, book_type.fields) == (("full",), int, None)


class _Latch:
    """A thread waits for it without a gevent hub of its own, as C code would."""

    def __init__(self) -> None:
        self._lock = gevent.monkey.get_original("_thread", "allocate_lock")()
        self._lock.acquire()

    def wait(self) -> None:
        with self._lock:
            pass

    def open(self) -> None:
        self._lock.release()
