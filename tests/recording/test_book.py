"""The book of recordings: what is recorded, masked, how long it really is, and when it is gone."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.clock import VirtualClock
from engine.config import Recording
from engine.errors import NotFound
from engine.recording.book import Book
from engine.recording.policy import Policies
from engine.store import Store, queries
from engine.types import RecordingView

CALL = "5f0c7a52-6f1e-4a3e-9c3b-0c1f6b0f7a11"
NINE = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


@pytest.fixture
def told(book: Book) -> list[RecordingView]:
    views: list[RecordingView] = []
    book.on_finished = views.append
    return views


def test_a_recording_is_kept_with_its_real_length_which_is_not_that_of_the_clock(
    book: Book, clock: VirtualClock, told: list[RecordingView], tone, silence, write_wav, store: Store
) -> None:
    started = book.start(CALL, "service")
    assert started.file.endswith(f"/recordings/2026/11/23/{CALL}-1.wav")
    assert book.file(started.id) == started.file
    clock.advance(10)
    write_wav(started.file, tone(8.88), silence(8.88))
    book.finished("leg", started.file)
    assert told == []  # the dispatcher does not wait
    clock.sleep(0.1)
    (view,) = told
    assert (view.seconds, view.ended, view.policy) == (8.88, NINE + timedelta(seconds=10), "service")
    store.flush()
    assert book.show(started.id) == view
    assert book.path(started.id) == Path(started.file)
    sound = book.measure(started.id)
    assert sound.channels[0].heard > 8
    assert sound.channels[1].heard == 0


def test_the_day_of_the_folder_is_the_day_where_the_centre_is(
    book: Book, clock: VirtualClock, store: Store, tmp_path: Path, settings: Recording
) -> None:
    clock.advance(16 * 3600)  # 17:00 UTC is 01:00 of the next day in Shanghai
    assert book.start(CALL, "service").path.startswith("2026/11/24/")
    london = Book(store, clock, tmp_path / "recordings", settings, timezone="Europe/London")
    assert london.start(CALL, "service").path.startswith("2026/11/23/")
    london.close()


def test_masks_are_stretches_and_twice_is_once(
    book: Book, clock: VirtualClock, told: list[RecordingView], store: Store
) -> None:
    id = book.start(CALL, "service").id
    book.unmask(id)
    book.mask(id)
    book.mask(id)
    assert book.masked(id)
    clock.advance(5)
    book.unmask(id)
    book.unmask(id)
    assert not book.masked(id)
    book.mask(id, "private")
    clock.advance(1)
    book.finished("leg", book.file(id))
    clock.sleep(0.1)
    assert told[0].masked == 2
    store.flush()
    row = store.read(lambda s: queries.recording(s, id), 2)
    assert row is not None
    assert [(ended - began, why) for began, ended, why in row.masks if ended] == [
        (timedelta(seconds=5), "secret"),
        (timedelta(seconds=1), "private"),
    ]


def test_the_last_agent_that_was_talked_to_is_kept(
    book: Book, told: list[RecordingView], clock: VirtualClock
) -> None:
    id = book.start(CALL, "service").id
    book.talked(id, "8012")
    book.talked(id, "8013")
    book.talked("", "8013")  # a call that is not recorded
    book.finished("leg", book.file(id))
    clock.sleep(0.1)
    assert told[0].agent == "8013"


def test_a_restarted_engine_goes_on_with_a_recording_that_runs(
    book: Book, clock: VirtualClock, store: Store, tmp_path: Path, settings: Recording, tone, write_wav
) -> None:
    id = book.start(CALL, "service").id
    book.mask(id)
    book.talked(id, "8012")
    file = book.file(id)
    store.flush()
    write_wav(file, tone(2), tone(2))
    again = Book(store, clock, tmp_path / "recordings", settings)
    views: list[RecordingView] = []
    again.on_finished = views.append
    assert again.file(id) == file
    assert again.masked(id)
    clock.advance(3)
    again.unmask(id)
    again.finished("leg", file)
    again.finished("leg", file)  # the switch may say it twice
    clock.sleep(0.1)
    (view,) = views
    assert (view.agent, view.policy, view.masked, view.seconds, view.began) == (
        "8012",
        "service",
        1,
        2.0,
        NINE,
    )
    again.close()


def test_a_recording_whose_row_is_still_in_the_spool_is_found_by_its_file(
    book: Book,
    clock: VirtualClock,
    store: Store,
    tmp_path: Path,
    settings: Recording,
    tone,
    write_wav,
) -> None:
    other = sqlite3.connect(tmp_path / "il.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    started = book.start(CALL, "service", agent="8012")
    write_wav(started.file, tone(1), tone(1))
    again = Book(store, clock, tmp_path / "recordings", settings)
    again.mask(started.id)
    again.unmask(started.id)
    again.finished("leg", started.file)
    clock.sleep(0.1)
    other.execute("COMMIT")
    other.close()
    assert store.caught_up(60)
    view = again.show(started.id)
    assert (view.policy, view.agent, view.seconds, view.masked, view.began) == (
        "service",
        "8012",
        1.0,
        1,
        NINE,
    )
    again.close()


def test_after_a_restart_recordings_of_calls_that_are_over_are_closed(
    book: Book, clock: VirtualClock, store: Store, tmp_path: Path, settings: Recording, tone, write_wav
) -> None:
    over = book.start("11111111-over", "service")
    lives = book.start("22222222-lives", "service")
    write_wav(over.file, tone(4), tone(4))
    store.flush()
    clock.sleep(600)
    again = Book(store, clock, tmp_path / "recordings", settings)
    assert again.close_lost({lives.call}) == 1
    store.flush()
    view = again.show(over.id)
    assert (view.seconds, view.ended) == (
        4.0,
        view.began + timedelta(seconds=4),
    )  # not when that was found out
    assert again.show(lives.id).ended is None
    again.close()


@pytest.mark.parametrize("id", ["nobody-1", "../../etc/passwd", "x", "", "a\x00-1"])
def test_what_there_is_not_is_not_found(book: Book, id: str) -> None:
    for ask in (book.show, book.path, book.measure, book.file, book.mask):
        with pytest.raises(NotFound):
            ask(id)


def test_files_that_are_not_recordings_of_ours_are_let_be(
    book: Book, told: list[RecordingView], clock: VirtualClock
) -> None:
    book.finished("leg", "/tmp/voicemail.wav")
    book.finished("leg", "")
    book.finished("leg", f"{book.files.folder}/2026/11/23/nobody-1.wav")
    clock.sleep(0.1)
    assert told == []


def test_a_recording_whose_file_never_came_has_no_length(
    book: Book, told: list[RecordingView], clock: VirtualClock
) -> None:
    started = book.start(CALL, "service")
    book.finished("leg", started.file)
    clock.sleep(0.1)
    assert told[0].seconds == 0
    with pytest.raises(NotFound):
        book.path(started.id)


# -- how long they are kept -----------------------------------------------------------------------------


def test_a_sweep_deletes_files_whose_time_is_over_and_keeps_their_rows(
    book: Book, clock: VirtualClock, store: Store, tone, write_wav
) -> None:
    def record(call: str, policy: str) -> str:
        started = book.start(call, policy)
        write_wav(started.file, tone(0.1), tone(0.1))
        book.finished("leg", started.file)
        clock.sleep(0.1)
        return started.id

    old = record("old-service", "service")
    short = record("old-training", "training")
    gone = record("file-gone", "training")
    Path(book.file(gone)).unlink()
    stray = book.files.folder / "2026" / "11" / "23" / "stray-1.wav"
    stray.write_bytes(b"RIFF")
    clock.advance(40 * 86400)
    young = record("young", "training")
    running = book.start("runs-since-long", "training")
    swept = book.sweep()
    assert (swept.deleted, swept.missing, swept.strays) == (1, 1, 0)
    assert swept.bytes > 1000
    with pytest.raises(NotFound):
        book.path(short)
    assert book.path(old).exists()
    assert book.path(young).exists()
    assert stray.exists()
    assert book.sweep().deleted == 0
    clock.advance(150 * 86400)
    swept = book.sweep()
    assert (swept.deleted, swept.strays) == (2, 1)
    assert not stray.exists()
    store.flush()
    row = store.read(lambda s: queries.recording(s, old), 2)
    assert row is not None
    assert row.deleted is not None
    assert store.read(queries.recordings, 2)[0].id == running.id
    assert len(store.read(lambda s: queries.recordings(s, deleted=True), 2)) == 5


def test_recordings_of_a_policy_that_is_gone_are_kept_as_the_longest(settings: Recording) -> None:
    policies = Policies(settings)
    assert policies.keep("training") == timedelta(days=30)
    assert policies.keep("of the past") == timedelta(days=180)


# -- which calls ----------------------------------------------------------------------------------------


def test_policies_say_which_share_is_recorded_and_a_seed_makes_it_the_same_again(settings: Recording) -> None:
    policies = Policies(settings, seed=7)
    drawn = [policies.records("training") for _ in range(1000)]
    assert 150 < sum(drawn) < 250
    again = Policies(settings, seed=7)
    assert [again.records("training") for _ in range(1000)] == drawn
    assert all(policies.records("service") for _ in range(50))
    assert policies.records()
    assert not any(policies.records("never") for _ in range(50))


def test_the_dialplan_is_stronger_than_the_flow_and_what_nobody_declared_is_not_recorded(
    settings: Recording,
) -> None:
    policies = Policies(settings)
    assert not policies.records("service", dialplan="never")
    assert policies.records("never", dialplan="service")
    assert not policies.records("misspelt")
    assert policies.names == {"never", "service", "training"}


def test_nothing_of_recording_blocks_the_dispatcher(book: Book, clock: VirtualClock) -> None:
    """``finished`` is called where no switch may be waited for."""
    from gevent import get_hub

    started = book.start(CALL, "service")
    seen: list[str] = []
    finished: Callable[[], None] = lambda: (book.finished("leg", started.file), seen.append("back"))  # noqa: E731
    get_hub().loop.run_callback(finished)
    clock.sleep(0.2)
    assert seen == ["back"]
