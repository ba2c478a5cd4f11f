"""The log beside the board grows to a size and no further, and a full disk ends no call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.cli.logfile import LogFile


def test_a_large_log_is_begun_anew_and_the_oldest_goes(tmp_path: Path) -> None:
    path = tmp_path / "var" / "x.log"
    log = LogFile(path, large=20, kept=2)
    for number in range(8):
        log.write(f"line {number} ...\n")  # 11 bytes: one in each file
    log.close()
    assert path.read_text() == "line 7 ...\n"
    assert (path.parent / "x.log.1").read_text() == "line 6 ...\n"
    assert (path.parent / "x.log.2").read_text() == "line 5 ...\n"
    assert len(list(path.parent.iterdir())) == 3


def test_it_goes_on_where_the_last_engine_stopped(tmp_path: Path) -> None:
    for text in ("one\n", "two\n", "three, which is too much\n"):
        log = LogFile(tmp_path / "x.log", large=20)
        log.write(text)
        log.close()
    assert (tmp_path / "x.log.1").read_text() == "one\ntwo\n"
    assert (tmp_path / "x.log").read_text() == "three, which is too much\n"


def test_what_the_disk_did_not_take_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = LogFile(tmp_path / "x.log")
    real = log._file

    class Full:
        def write(self, data: Any) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(log, "_file", Full())
    log.write("a\n")
    log.write("b\n")
    monkeypatch.setattr(log, "_file", real)
    log.write("c\n")
    log.write("d\n")
    log.close()
    assert (tmp_path / "x.log").read_text() == "2 lines could not be written here\nc\nd\n"


def test_the_engines_log_is_written_there(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "from gevent import monkey; monkey.patch_all()\n"
        "import logging, structlog\n"
        "from engine.cli.logfile import LogFile\n"
        "from engine.log import set_up\n"
        f"set_up('info', 'auto', LogFile(__import__('pathlib').Path({str(tmp_path / 'x.log')!r})))\n"
        "structlog.get_logger('x').info('a.thing', name='林晓燕')\n"
        "logging.getLogger('y').warning('another')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    first, second = (tmp_path / "x.log").read_text(encoding="utf-8").splitlines()
    assert '"name": "林晓燕"' in first
    assert "another" in second
