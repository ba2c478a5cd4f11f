"""What goes in comes out: journal, CDR, states, flow sets, and the lists that people ask for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

import pytest
from pydantic import BaseModel

from engine.clock import VirtualClock
from engine.errors import StoreError
from engine.log import Secret
from engine.store import Store, queries, tables
from engine.store.rows import AgentRow, Cdr
from engine.types import JournalEntry

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def entry(kind: str, seconds: float = 0, **more: object) -> JournalEntry:
    return JournalEntry(at=NOON + timedelta(seconds=seconds), kind=kind, **more)  # type: ignore[arg-type]


def test_the_journal_of_a_call_reads_as_it_happened(store: Store) -> None:
    for number, kind in enumerate(["call.arrived", "queue.entered", "call.ended"]):
        store.journal(entry(kind, number, call="c1", queue="logistics" if number else "", data={"n": number}))
    store.journal(entry("call.arrived", 1, call="c2"))
    store.journal(entry("agent.state", 2, agent="8012"))
    assert store.flush()
    found = store.read(lambda s: queries.journal(s, call="c1"), 2)
    assert [(item.kind, item.queue, item.data) for item in found] == [
        ("call.arrived", "", {"n": 0}),
        ("queue.entered", "logistics", {"n": 1}),
        ("call.ended", "logistics", {"n": 2}),
    ]
    assert found[0].at == NOON
    assert [item.kind for item in store.read(lambda s: queries.journal(s, agent="8012"), 2)] == [
        "agent.state"
    ]
    assert len(store.read(lambda s: queries.journal(s, kind="call."), 2)) == 3
    newest = store.read(lambda s: queries.journal(s, limit=2), 2)
    assert [item.at for item in newest] == [NOON + timedelta(seconds=2)] * 2


def test_what_changes_after_the_call_does_not_change_the_row(store: Store) -> None:
    data = {"lines": [1]}
    store.journal(entry("order", call="c", data=data))
    data["lines"].append(2)
    store.flush()
    assert store.read(lambda s: queries.journal(s, call="c"), 2)[0].data == {"lines": [1]}


def test_values_of_python_become_plain_ones_and_a_secret_shows_nothing(store: Store, tmp_path: Path) -> None:
    class Tier(StrEnum):
        GOLD = "gold"

    class Dealer(BaseModel):
        code: str

    class Odd:
        def __str__(self) -> str:
            return "odd"

    data = {
        "price": Decimal("36.40"),
        "at": NOON,
        "within": timedelta(minutes=2),
        "tier": Tier.GOLD,
        "dealer": Dealer(code="44010001"),
        "set": {2, 1},
        "pin": Secret("2580"),
        "odd": Odd(),
        7: (1, 2),
        "raw": b"\x00\xff",
    }
    store.journal(entry("all", call="c", data=data))
    store.flush()
    assert store.read(lambda s: queries.journal(s, call="c"), 2)[0].data == {
        "price": "36.40",
        "at": "2026-11-23T04:00:00Z",
        "within": 120.0,
        "tier": "gold",
        "dealer": {"code": "44010001"},
        "set": [1, 2],
        "pin": "***",
        "odd": "odd",
        "7": [1, 2],
        "raw": "AP8=",
    }
    store.close()
    assert not any(b"2580" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_a_call_has_one_cdr_however_often_it_is_written(store: Store) -> None:
    first = Cdr(
        call="c1", arrived=NOON, ended=NOON + timedelta(seconds=9), outcome="lost", number="+8613802880001"
    )
    store.cdr(first)
    store.cdr(
        {"call": "c1", "arrived": NOON, "ended": NOON + timedelta(seconds=60), "outcome": "talked", "odd": 1}
    )
    store.flush()
    (only,) = store.read(queries.cdrs, 2)
    assert (only.outcome, only.ended, only.data) == ("talked", NOON + timedelta(seconds=60), {"odd": 1})
    assert only.number == "+8613802880001"  # what the second did not say stays
    assert store.read(lambda s: queries.cdr(s, "c1"), 2) == only
    assert store.read(lambda s: queries.cdr(s, "c2"), 2) is None


def test_calls_are_found_by_time_number_agent_and_queue_newest_first(store: Store) -> None:
    for n in range(6):
        arrived = NOON + timedelta(minutes=n)
        store.cdr(
            Cdr(
                call=f"c{n}",
                arrived=arrived,
                ended=arrived + timedelta(seconds=30),
                number="+8613802880001" if n % 2 else "",
                dialled="8004",
                agent="8012" if n > 3 else "",
                queue="logistics" if n > 1 else "",
            )
        )
    store.flush()

    def calls(**what: object) -> list[str]:
        return [cdr.call for cdr in store.read(lambda s: queries.cdrs(s, **what), 2)]  # type: ignore[arg-type]

    assert calls() == ["c5", "c4", "c3", "c2", "c1", "c0"]
    assert calls(limit=2) == ["c5", "c4"]
    assert calls(number="+8613802880001") == ["c5", "c3", "c1"]
    assert calls(agent="8012") == ["c5", "c4"]
    assert calls(queue="logistics", until=NOON + timedelta(minutes=4)) == ["c3", "c2"]
    assert calls(since=NOON + timedelta(minutes=4)) == ["c5", "c4"]
    assert calls(dialled="8003") == []


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "what",
    [
        {"number": "+8613802880001"},
        {"agent": "8012", "since": NOON},
        {"queue": "q"},
        {"dialled": "8004"},
        {"since": NOON, "until": NOON},
    ],
)
def test_every_list_of_calls_comes_from_an_index(store: Store, what: dict[str, object]) -> None:
    def plan(session) -> str:  # type: ignore[no-untyped-def]
        seen = []
        from sqlalchemy import event

        def note(conn, cursor, statement, parameters, context, many) -> None:  # type: ignore[no-untyped-def]
            seen.append((statement, parameters))

        connection = session.connection()
        event.listen(connection, "before_cursor_execute", note)
        queries.cdrs(session, **what)  # type: ignore[arg-type]
        event.remove(connection, "before_cursor_execute", note)
        statement, parameters = seen[-1]
        return str(connection.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, parameters).all())

    assert "USING INDEX ix_cdr_" in store.read(plan, 2)


def test_the_day_is_counted_from_its_calls(store: Store) -> None:
    def call(n: int, at: int, seconds: int, **more: object) -> None:
        arrived = NOON + timedelta(seconds=at)
        store.cdr(
            Cdr(
                call=f"c{n}",
                arrived=arrived,
                answered=arrived,
                ended=arrived + timedelta(seconds=seconds),
                seconds=seconds,
                flow="logistics/main",
                **more,  # type: ignore[arg-type]
            )
        )

    call(1, 0, 60, outcome="talked", queue="logistics", agent="8012", waited=10.0, talked=40.0)
    call(2, 10, 60, outcome="abandoned", queue="logistics", waited=50.0)
    call(3, 70, 5, outcome="contained")
    call(4, 100_000, 5, outcome="contained")
    store.save(
        tables.recordings,
        "c1-1",
        {"call": "c1", "path": "2026/11/23/c1-1.wav", "began": NOON + timedelta(seconds=1)},
    )
    store.flush()
    day = store.read(lambda s: queries.day(s, NOON, NOON + timedelta(days=1)), 2)
    assert (day.calls, day.answered, day.talked, day.abandoned, day.recordings) == (3, 3, 1, 1, 1)
    assert (day.seconds, day.talk_seconds, day.busiest) == (125.0, 40.0, 2)
    assert day.outcomes == {"abandoned": 1, "contained": 1, "talked": 1}
    assert day.agents == {"8012": 1}
    assert day.flows == {"logistics/main": 3}
    (queue,) = day.queues
    assert (queue.queue, queue.calls, queue.answered, queue.abandoned, queue.waited, queue.longest) == (
        "logistics",
        2,
        1,
        1,
        30.0,
        50.0,
    )


def test_an_empty_day_is_a_day(store: Store) -> None:
    day = store.read(lambda s: queries.day(s, NOON, NOON + timedelta(days=1)), 2)
    assert (day.calls, day.queues, day.outcomes, day.busiest) == (0, (), {}, 0)


def test_large_variables_of_a_call_outlive_the_engine_and_end_with_the_call(
    make_store: Callable[..., Store],
) -> None:
    store = make_store()
    store.save_call_state("c1", {"lines": [{"article": "10010001", "quantity": 10}], "note": "${system}"})
    assert store.load_call_state("c1") == {
        "lines": [{"article": "10010001", "quantity": 10}],
        "note": "${system}",
    }
    store.save_call_state("c1", {"lines": []})
    store.close()
    again = make_store()
    assert again.load_call_state("c1") == {"lines": []}
    assert again.read(lambda s: queries.stale_call_states(s, ["c2"]), 2) == ["c1"]
    again.drop_call_state("c1")
    assert again.load_call_state("c1") is None


def test_a_flow_set_is_found_by_its_hash_and_put_once(store: Store) -> None:
    store.put_flow_set("abc", b"\x00compiled\xff")
    store.put_flow_set("abc", b"ignored: the hash says that it is the same")
    assert store.get_flow_set("abc") == b"\x00compiled\xff"
    assert store.get_flow_set("abd") is None


def test_agents_are_as_they_were(make_store: Callable[..., Store]) -> None:
    store = make_store()
    store.save_agent(AgentRow("8012", "ready", NOON, phone="1001"))
    store.save_agent(AgentRow("8013", "paused", NOON, reason="lunch", data={"calls": 3}))
    store.save_agent(AgentRow("8012", "talking", NOON + timedelta(seconds=5), phone="1001", call="c1"))
    store.close()
    assert make_store().load_agents() == [
        AgentRow("8012", "talking", NOON + timedelta(seconds=5), phone="1001", call="c1"),
        AgentRow("8013", "paused", NOON, reason="lunch", data={"calls": 3}),
    ]


def test_ids_of_the_journal_grow_from_run_to_run_and_stay_exact_in_json(
    make_store: Callable[..., Store],
) -> None:
    from sqlalchemy import select

    ids: list[int] = []
    for _ in range(3):
        store = make_store()
        store.journal(entry("x"))
        store.journal(entry("y"))
        store.close()
    ids = make_store().read(
        lambda s: list(s.execute(select(tables.journal.c.id).order_by("id")).scalars()), 2
    )
    assert len(set(ids)) == 6
    assert ids == sorted(ids)
    assert max(ids) < 2**53


def test_a_run_that_ended_well_says_so_and_one_that_did_not_does_not(
    make_store: Callable[..., Store], clock: VirtualClock
) -> None:
    from sqlalchemy import select

    first = make_store(node="gz-1")
    clock.advance(10)
    first.close()
    make_store(node="gz-1")
    rows = make_store().read(lambda s: s.execute(select(tables.runs).order_by("id")).all(), 2)
    assert [(row.node, row.ended is not None) for row in rows] == [
        ("gz-1", True),
        ("gz-1", False),
        ("", False),
    ]


def test_a_closed_store_says_so(make_store: Callable[..., Store]) -> None:
    store = make_store()
    assert store.close()
    with pytest.raises(StoreError, match="not open"):
        store.journal(entry("x"))
    with pytest.raises(StoreError, match="not open"):
        store.read(queries.cdrs, 1)
    with pytest.raises(StoreError, match="not open"):
        store.work(queries.cdrs, 1)


def test_a_reading_store_reads_beside_the_engine_and_writes_nothing(make_store: Callable[..., Store]) -> None:
    engine = make_store()
    engine.cdr(Cdr(call="c1", arrived=NOON, ended=NOON))
    engine.flush()
    look = make_store(readonly=True)
    assert [cdr.call for cdr in look.read(queries.cdrs, 2)] == ["c1"]
    with pytest.raises(StoreError, match="not open for writing"):
        look.journal(entry("x"))
    assert engine.run == 1


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://u:geheim@h/d", "what is this"])
def test_a_database_that_can_not_serve_is_refused_in_one_line(
    url: str, clock: VirtualClock, tmp_path: Path
) -> None:
    with pytest.raises(StoreError) as refused:
        Store(url, clock, tmp_path)
    assert "\n" not in str(refused.value)
    assert "geheim" not in str(refused.value)


def test_a_moment_without_a_zone_is_set_aside_and_does_no_harm_to_the_others(
    store: Store, tmp_path: Path
) -> None:
    store.journal(entry("good", 1, call="c"))
    store.journal(JournalEntry(at=datetime(2026, 11, 23), kind="naive", call="c"))  # noqa: DTZ001
    store.journal(entry("good", 2, call="c"))
    assert store.flush()
    assert [item.kind for item in store.read(lambda s: queries.journal(s, call="c"), 2)] == ["good", "good"]
    assert store.health().refused == 1
    assert "time zone" in (tmp_path / "spool" / "refused.jsonl").read_text()
