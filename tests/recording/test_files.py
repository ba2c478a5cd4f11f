"""Paths of recordings are made by the engine alone; whatever else is asked for is not found (attack table)."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ConfigError, NotFound
from engine.recording.files import Files

DAY = date(2026, 11, 23)
CALL = "5f0c7a52-6f1e-4a3e-9c3b-0c1f6b0f7a11"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "recordings")


def put(files: Files, path: str, data: bytes = b"sound") -> Path:
    file = files.folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return file


def test_a_recording_lies_under_its_day_and_bears_its_calls_name(files: Files) -> None:
    first = files.new(CALL, DAY)
    assert (first.id, first.part, first.path) == (f"{CALL}-1", 1, f"2026/11/23/{CALL}-1.wav")
    assert first.file == str(files.folder / first.path)
    put(files, first.path)
    second = files.new(CALL, DAY)
    assert (second.id, second.part) == (f"{CALL}-2", 2)
    assert files.id_of(first.file) == first.id
    assert files.call_of(second.id) == (CALL, 2)
    with files.open(first.path) as opened:
        assert opened.read() == b"sound"
    assert files.locate(first.path) == files.folder / first.path


BAD_CALLS = ["", "../x", "a/b", "a\x00b", "a b", "a.wav", "-a", "a\n", "x" * 65, "${system touch}", "中"]


@pytest.mark.parametrize("call", BAD_CALLS)
def test_a_call_can_not_lend_its_recording_a_name_of_its_own(files: Files, call: str) -> None:
    with pytest.raises(NotFound):
        files.new(call, DAY)


BAD_IDS = [
    "../../etc/passwd",
    f"../{CALL}-1",
    f"/{CALL}-1",
    f"{CALL}-1\x00",
    f"{CALL}-1.wav",
    f"{CALL}-0",
    f"{CALL}-01",
    CALL + "-",
    "",
    "-1",
    "a" * 200 + "-1",
    f"{CALL}-1\n",
    "2026/11/23/x-1",
]


@pytest.mark.parametrize("id", BAD_IDS)
def test_what_is_no_id_is_not_found(files: Files, id: str) -> None:
    put(files, f"2026/11/23/{CALL}-1.wav")
    with pytest.raises(NotFound):
        files.call_of(id)
    with pytest.raises(NotFound):
        files.near(id, datetime(2026, 11, 23, tzinfo=UTC))


BAD_PATHS = [
    "../outside.wav",
    "2026/11/23/../../../outside.wav",
    "2026/11/23/../23/x-1.wav",
    "/etc/passwd",
    "2026/11/23//etc/passwd",
    "2026/11/23/x-1.wav\x00.txt",
    "2026/11/23/x-1.wav\n",
    "2026/11/23/.hidden.wav",
    "2026/11/23/x-1.mp3",
    "2026/11/23",
    "",
    "C:\\x.wav",
]


@pytest.mark.parametrize("path", BAD_PATHS)
def test_what_is_no_path_of_ours_is_neither_opened_nor_deleted(
    files: Files, path: str, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.wav"
    outside.write_bytes(b"not yours")
    put(files, "2026/11/23/x-1.wav")
    with pytest.raises(NotFound):
        files.open(path)
    with pytest.raises(NotFound):
        files.locate(path)
    with pytest.raises(NotFound):
        files.delete(path)
    assert outside.exists()


@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_no_text_whatever_opens_anything_outside(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    files = Files(tmp_path_factory.getbasetemp() / "none")
    for path in (text, f"2026/11/23/{text}", f"2026/11/23/{text}.wav"):
        with pytest.raises(NotFound):
            files.open(path)
    assert files.id_of(text) is None


@pytest.mark.parametrize("where", ["file", "day", "year"])
def test_links_are_not_followed_wherever_they_stand(files: Files, tmp_path: Path, where: str) -> None:
    secret = tmp_path / "elsewhere"
    (secret / "11" / "23").mkdir(parents=True)
    (secret / "11" / "23" / "x-1.wav").write_bytes(b"not yours")
    files.folder.mkdir()
    if where == "year":
        (files.folder / "2026").symlink_to(secret)
    elif where == "day":
        (files.folder / "2026" / "11").mkdir(parents=True)
        (files.folder / "2026" / "11" / "23").symlink_to(secret / "11" / "23")
    else:
        (files.folder / "2026" / "11" / "23").mkdir(parents=True)
        (files.folder / "2026/11/23/x-1.wav").symlink_to(secret / "11" / "23" / "x-1.wav")
    with pytest.raises(NotFound):
        files.open("2026/11/23/x-1.wav")
    assert files.delete("2026/11/23/x-1.wav") == -1
    assert (secret / "11" / "23" / "x-1.wav").exists()
    if where != "file":
        assert list(files.before(date(2030, 1, 1))) == []


def test_a_pipe_or_a_folder_is_no_recording_and_blocks_nobody(files: Files) -> None:
    (files.folder / "2026/11/23").mkdir(parents=True)
    os.mkfifo(files.folder / "2026/11/23/x-1.wav")
    (files.folder / "2026/11/23/x-2.wav").mkdir()
    for path in ("2026/11/23/x-1.wav", "2026/11/23/x-2.wav", "2026/11/23/x-3.wav"):
        with pytest.raises(NotFound):
            files.open(path)


def test_the_switchs_other_files_are_not_taken_for_recordings(files: Files, tmp_path: Path) -> None:
    assert files.id_of(str(files.folder / "2026/11/23/x-1.wav")) == "x-1"
    assert files.id_of(str(tmp_path / "2026/11/23/x-1.wav")) is None
    assert files.id_of(str(files.folder / "2026/11/23/../x-1.wav")) is None
    assert files.id_of("") is None


def test_deleting_takes_the_folders_along_that_it_leaves_empty(files: Files) -> None:
    put(files, "2026/11/22/x-1.wav", b"12345")
    put(files, "2026/11/23/x-1.wav")
    put(files, "2026/11/23/x-2.wav")
    assert files.delete("2026/11/22/x-1.wav") == 5
    assert files.delete("2026/11/22/x-1.wav") == -1
    assert not (files.folder / "2026/11/22").exists()
    files.delete("2026/11/23/x-1.wav")
    assert (files.folder / "2026/11/23").exists()
    files.delete("2026/11/23/x-2.wav")
    assert not (files.folder / "2026").exists()
    assert files.folder.exists()


def test_files_before_a_day_come_the_oldest_first(files: Files) -> None:
    for path in ("2026/11/22/b-1.wav", "2025/12/31/a-1.wav", "2026/11/23/c-1.wav", "2026/11/22/note.txt"):
        put(files, path)
    assert list(files.before(DAY)) == ["2025/12/31/a-1.wav", "2026/11/22/b-1.wav"]
    assert list(Files(files.folder / "none").before(DAY)) == []


@pytest.mark.parametrize("name", ["with blank", "quo'te", "dollar$", "semi;colon", "br{ace", "new\nline"])
def test_a_folder_that_can_not_be_named_to_the_switch_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError):
        Files(tmp_path / name)
