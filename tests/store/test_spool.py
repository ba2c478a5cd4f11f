"""Rows on disk: every one comes back, once, in order, whatever was torn, full or left by the dead."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import StoreError
from engine.store import all_tables, tables
from engine.store.columns import Encoded, clean_text, decode, encode
from engine.store.spool import Spool, SpoolFull
from engine.store.statements import ADD, DROP, PUT, Row, cleaned, from_line, tables_of, to_line

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
TABLES = tables_of(all_tables.metadata)


def row(number: int, kind: str = "x") -> Row:
    return Row(ADD, tables.journal, {"id": number, "at": NOON, "kind": kind})


def make(folder: Path, run: int = 1, **options: Any) -> Spool:
    spool = Spool(folder / "spool", run, TABLES, **{"reserve_bytes": 0, **options})
    spool.open()
    return spool


def drain(spool: Spool) -> list[int]:
    found = []
    spool.rotate()
    while (segment := spool.oldest()) is not None:
        for rows in spool.read(segment, 3):
            assert len(rows) <= 3
            found += [item.values["id"] for item in rows]
        spool.replayed(segment)
    return found


def test_rows_come_back_in_the_order_of_their_writing_over_many_segments(tmp_path: Path) -> None:
    spool = make(tmp_path, segment_bytes=300)
    for start in range(0, 100, 10):
        spool.append([row(number) for number in range(start, start + 10)])
    assert len(list((tmp_path / "spool" / "00000001").glob("*.jsonl"))) > 5
    assert not spool.empty
    assert drain(spool) == list(range(100))
    assert spool.empty
    assert spool.bytes == 0
    spool.close()
    assert list((tmp_path / "spool").iterdir()) == []


def test_what_is_appended_while_an_older_segment_is_replayed_comes_after_it(tmp_path: Path) -> None:
    spool = make(tmp_path)
    spool.append([row(1)])
    spool.rotate()
    segment = spool.oldest()
    assert segment is not None
    spool.append([row(2)])
    assert [item.values["id"] for rows in spool.read(segment, 9) for item in rows] == [1]
    spool.replayed(segment)
    assert drain(spool) == [2]


def test_a_line_that_was_being_written_when_the_machine_died_is_passed_over(tmp_path: Path) -> None:
    spool = make(tmp_path)
    spool.append([row(1), row(2)])
    spool.close()
    (segment,) = (tmp_path / "spool" / "00000001").glob("*.jsonl")
    with segment.open("ab") as file:
        file.write(to_line(row(3))[:-9])
    after = make(tmp_path, run=2)
    after.append([row(4)])
    assert drain(after) == [1, 2, 4]


def test_a_line_that_is_no_row_is_set_aside_and_the_others_come(tmp_path: Path) -> None:
    spool = make(tmp_path)
    spool.append([row(1)])
    spool.close()
    (segment,) = (tmp_path / "spool" / "00000001").glob("*.jsonl")
    with segment.open("ab") as file:
        file.write(b"\x00\x00\xff\n")
        file.write(b'{"verb": "add", "table": "of_a_plugin_that_is_gone", "values": {}}\n')
        file.write(b'{"verb": "add", "table": "journal", "values": {"no_such": 1}}\n')
        file.write(b"[]\n")
        file.write(to_line(row(2)))
    assert drain(make(tmp_path, run=2)) == [1, 2]
    assert len((tmp_path / "spool" / "refused.jsonl").read_text().splitlines()) == 4


def test_what_dead_engines_left_comes_first_the_oldest_run_before_the_younger(tmp_path: Path) -> None:
    for run in (3, 1, 2):
        spool = make(tmp_path / str(run), run=run)
        spool.append([row(run * 10), row(run * 10 + 1)])
        spool.close()
        target = tmp_path / "spool" / f"{run:08d}"
        target.parent.mkdir(exist_ok=True)
        (tmp_path / str(run) / "spool" / f"{run:08d}").rename(target)
    mine = make(tmp_path, run=4)
    mine.append([row(40)])
    assert drain(mine) == [10, 11, 20, 21, 30, 31, 40]
    mine.close()
    assert list((tmp_path / "spool").iterdir()) == []


def test_the_spool_of_an_engine_that_lives_is_left_alone_until_it_dies(tmp_path: Path) -> None:
    living = make(tmp_path, run=1)
    living.append([row(1)])
    other = make(tmp_path, run=2)
    assert drain(other) == []
    with pytest.raises(StoreError, match="another engine"):
        make(tmp_path, run=1)
    living.close()
    assert other.take_over() == 1
    assert drain(other) == [1]


def disk_full(monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    """os.write finds ``room`` bytes, then a full disk."""
    write = os.write
    left = [room]

    def short(file: int, data: Any) -> int:
        if left[0] <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done = write(file, bytes(data)[: left[0]])
        left[0] -= done
        return done

    monkeypatch.setattr(os, "write", short)


def test_half_a_block_on_a_full_disk_is_taken_back_and_may_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = make(tmp_path)
    spool.append([row(1)])
    with monkeypatch.context() as patched:
        disk_full(patched, 30)
        with pytest.raises(OSError, match="No space"):
            spool.append([row(2), row(3)])
        disk_full(patched, 0)
        with pytest.raises(OSError, match="No space"):
            spool.append([row(2), row(3)])
    spool.append([row(2), row(3)])
    assert drain(spool) == [1, 2, 3]


def test_on_a_full_disk_the_reserve_is_given_up_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = make(tmp_path, reserve_bytes=1 << 16)
    reserve = tmp_path / "spool" / "00000001" / "reserve"
    assert reserve.stat().st_size == 1 << 16
    write = os.write

    def write_when_there_is_room(file: int, data: Any) -> int:
        if reserve.exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(file, data)

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", write_when_there_is_room)
        spool.append([row(1)])
    assert not reserve.exists()
    assert drain(spool) == [1]
    assert reserve.exists()  # made again once nothing is spooled
    spool.append([row(2)])
    spool.close()
    assert not reserve.exists()
    assert make(tmp_path, run=2).take_over() == 0  # it came with opening


def test_a_failed_fsync_is_not_forgotten_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = make(tmp_path)
    spool.append([row(1)])

    def broken(_file: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", broken)
        with pytest.raises(OSError, match="Input/output"):
            spool.append([row(2)])
    spool.append([row(2)])
    assert len(list((tmp_path / "spool" / "00000001").glob("*.jsonl"))) == 2
    assert drain(spool) == [1, 2]


def test_it_grows_to_its_largest_size_and_no_further(tmp_path: Path) -> None:
    spool = make(tmp_path, largest=500)
    rows = [row(number) for number in range(100)]
    with pytest.raises(SpoolFull):
        spool.append(rows)
    spool.append(rows[:4])
    with pytest.raises(SpoolFull):
        spool.append(rows[4:])
    assert spool.bytes <= 500
    assert drain(spool)


def test_the_files_are_for_the_engine_alone(tmp_path: Path) -> None:
    spool = make(tmp_path)
    spool.append([row(1)])
    spool.refuse([(row(2), "why")])
    for path in (tmp_path / "spool").rglob("*"):
        if path.is_file():
            assert path.stat().st_mode & 0o077 == 0, path


moments = st.integers(0, 3 * 10**15).map(lambda n: NOON + timedelta(microseconds=n))
texts = st.text(st.characters(exclude_categories=()))  # also what is no text: halves of surrogate pairs


@given(texts, moments, st.dictionaries(texts, st.one_of(texts, st.integers(), st.none())), st.binary())
def test_a_row_survives_its_line_whatever_it_holds(
    text: str, at: datetime, data: dict[str, Any], raw: bytes
) -> None:
    rows = [
        Row(ADD, tables.journal, {"id": 1, "at": at, "kind": text, "data": encode(data)}),
        Row(PUT, tables.flow_sets, {"hash": text, "data": raw, "at": at + timedelta(seconds=1)}),
        Row(DROP, tables.call_state, {"call": text}),
    ]
    for item in rows:
        line = to_line(item)
        assert line.count(b"\n") == 1
        back = from_line(line, TABLES)
        assert back in (item, cleaned(item))
        if isinstance(back.values.get("data"), str):
            assert type(back.values["data"]) is Encoded
            clean = decode(cleaned(back).values["data"])
            assert clean.keys() == {clean_text(key) for key in data}
            assert not any("\x00" in str(value) for value in clean.values())
