"""The book of recordings, by what an operator finds afterwards."""

from __future__ import annotations

import os
import wave
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.clock import VirtualClock
from engine.config import Recording, RecordingPolicy
from engine.errors import NotFound
from engine.recording.book import Book
from engine.recording.files import find_file, is_recording_id, recording_id, relative_path
from engine.recording.sound import measure, seconds_of
from engine.store import queries
from engine.store.store import Store
from engine.types import RecordingView

CALL = "3e603068-1111-4222-8333-444455556666"
AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


def write_wav(path: Path, seconds: float, *, left: int = 0, right: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(8000)
        frame = left.to_bytes(2, "little", signed=True) + right.to_bytes(2, "little", signed=True)
        out.writeframes(frame * round(seconds * 8000))


@pytest.fixture
def clock() -> Iterator[VirtualClock]:
    clock = VirtualClock(AT)
    yield clock
    clock.close()


@pytest.fixture
def store(tmp_path: Path, clock: VirtualClock) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/il.db", clock, tmp_path)
    store.open()
    yield store
    store.close()


@pytest.fixture
def book(tmp_path: Path, clock: VirtualClock, store: Store) -> Book:
    policies = {
        "service": RecordingPolicy(),
        "brief": RecordingPolicy(keep=86400.0),
        "never": RecordingPolicy(share=0.0),
    }
    return Book(store, clock, tmp_path / "recordings", Recording(policies=policies))


def row(store: Store, id: str):
    store.flush()
    return store.read(lambda session: queries.recording(session, id), timeout=5)


def test_a_recording_is_listed_with_the_length_of_its_file_and_not_of_the_clock(
    book: Book, store: Store, clock: VirtualClock
) -> None:
    told: list[RecordingView] = []
    book.on_finished = told.append
    started = book.start(CALL, "service")
    write_wav(Path(started.file), 8.88)
    clock.sleep(9.912)
    book.talked(started.id, "8012")
    book.finished(CALL, started.file)
    clock.sleep(0.1)
    found = row(store, started.id)
    assert (found.seconds, found.agent, found.policy) == (8.88, "8012", "service")
    assert found.ended is not None
    assert [view.seconds for view in told] == [8.88]
    assert book.path_of(started.id) == Path(started.file)


def test_what_was_masked_is_kept_also_when_nobody_unmasked_it(
    book: Book, store: Store, clock: VirtualClock
) -> None:
    started = book.start(CALL, "service")
    write_wav(Path(started.file), 1)
    book.mask(started.id)
    clock.sleep(2)
    book.unmask(started.id)
    book.mask(started.id, "pay")
    clock.sleep(1)
    book.call_ended(CALL)  # and RECORD_STOP never came
    clock.sleep(0.1)
    masks = row(store, started.id).masks
    assert [why for _, _, why in masks] == ["secret", "pay"]
    assert all(ended is not None for _, ended, _ in masks)


def test_an_engine_after_a_crash_takes_the_recording_up(
    book: Book, store: Store, clock: VirtualClock, tmp_path: Path
) -> None:
    started = book.start(CALL, "service")
    write_wav(Path(started.file), 2)
    store.flush()
    later = Book(store, clock, tmp_path / "recordings", Recording())
    later.resume(started.id)
    assert later.file(started.id) == started.file
    later.finished(CALL, started.file)
    clock.sleep(0.1)
    assert row(store, started.id).seconds == 2


def test_a_file_that_the_switch_never_wrote_is_said_to_be_empty(
    book: Book, store: Store, clock: VirtualClock
) -> None:
    started = book.start(CALL, "service")
    book.finished(CALL, started.file)
    clock.sleep(0.1)
    assert row(store, started.id).seconds == 0
    with pytest.raises(NotFound):
        book.path_of(started.id)


def test_never_records_nothing_and_an_unknown_policy_neither(book: Book) -> None:
    assert not book.records("never")
    assert not book.records("nonsense")
    assert book.records("service")


def test_the_sweep_deletes_what_its_policy_no_longer_keeps(
    book: Book, store: Store, clock: VirtualClock
) -> None:
    old = book.start(CALL, "brief")
    kept = book.start(CALL, "service")
    for started in (old, kept):
        write_wav(Path(started.file), 1)
    book.call_ended(CALL)
    clock.sleep(2 * 86400)
    assert book.sweep() == 1
    assert not Path(old.file).exists()
    assert Path(kept.file).exists()
    assert row(store, old.id).deleted is not None


@pytest.mark.parametrize(
    "id",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "",
        "x",
        CALL,
        f"{CALL}-1\0",
        f"{CALL}-1/../x",
        f"{CALL}-1\n",
        "..",
        f"{CALL}-١",
    ],
)
def test_what_is_no_id_is_not_found(book: Book, id: str) -> None:
    with pytest.raises(NotFound):
        book.path_of(id)


def test_a_link_in_the_folder_leads_nowhere(tmp_path: Path) -> None:
    secret = tmp_path / "secret.wav"
    write_wav(secret, 1)
    relative = relative_path(recording_id(CALL, 1), AT)
    place = tmp_path / "recordings" / relative
    place.parent.mkdir(parents=True)
    os.symlink(secret, place)
    with pytest.raises(NotFound):
        find_file(tmp_path / "recordings", relative)


@given(st.text())
def test_no_text_but_an_id_is_an_id(text: str) -> None:
    if is_recording_id(text):
        call, _, part = text.rpartition("-")
        assert recording_id(call, int(part)).endswith(f"-{int(part)}")
        assert "/" not in text
        assert "." not in text


def test_both_sides_of_a_recording_are_measured(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    write_wav(path, 0.5, left=3277, right=0)
    sound = measure(path)
    assert sound.seconds == seconds_of(path) == 0.5
    assert sound.levels[0] == pytest.approx(0.1, abs=0.001)
    assert sound.levels[1] == 0


def test_a_file_that_is_no_wav_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"RIFFnonsense")
    with pytest.raises(ValueError, match="no WAV"):
        measure(path)
