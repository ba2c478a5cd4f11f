"""Being the caller by script, writing a transcript, and what the screen shows of the time."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from engine.cli.dial_screen import Screen
from engine.cli.dial_script import read_script
from engine.cli.failing import Failed
from engine.web.parts import Parts

Say = Callable[..., Result]
AT = "2026-11-23T01:00:00+00:00"


def script(home: Path, text: str) -> Path:
    file = home / "keys.txt"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_script_is_the_caller_and_the_call_goes_as_it_says(engine: Parts, say: Say, home: Path) -> None:
    script(
        home,
        "dial 8004 from 13800000000  # the number may stand here\nhears welcome\nhears music\npress 9\nended\n",
    )
    done = say("dial --script keys.txt")
    assert done.exit_code == 0, done.output
    [caller] = engine.simulator.callers  # type: ignore[union-attr]
    assert (caller.caller, caller.keys) == ("13800000000", "9")


@pytest.mark.parametrize("heard", ["welcome", "欢迎"])
def test_a_prompt_is_known_by_its_key_or_by_its_words(
    engine: Parts, say: Say, home: Path, heard: str
) -> None:
    script(home, f"hears {heard}\nsilence 0.1s\nhang up\n")
    assert say("dial 8004 --script keys.txt").exit_code == 0
    assert engine.simulator.callers[0].ended == "NORMAL_CLEARING"  # type: ignore[union-attr]


def test_where_the_call_goes_another_way_both_are_shown_and_the_exit_is_1(
    engine: Parts, say: Say, home: Path
) -> None:
    script(home, "press 1\nhears goodbye\n")
    done = say("dial 8004 --script keys.txt")
    assert done.exit_code == 1
    assert "keys.txt:2 differs\n  press 1\n- hears goodbye\n+ hears welcome  # 欢迎致电粤达\n" in done.stderr
    assert engine.simulator.callers[0].ended  # type: ignore[union-attr]


def test_a_script_that_can_not_be_read_is_told_line_by_line(say: Say, home: Path) -> None:
    script(home, "hears\n\n# fine\npress x\nsilence long\n")
    done = say("dial 8004 --script keys.txt")
    assert done.exit_code == 1
    assert [line.split(": ")[0].rpartition(":")[2] for line in done.stderr.splitlines()] == ["1", "4", "5"]
    with pytest.raises(Failed, match="first line"):
        read_script(script(home, "press 1\ndial 8004\n"))
    with pytest.raises(Failed, match="No such file"):
        read_script(home / "none.txt")
    assert say("dial").exit_code == 2


def test_what_is_recorded_can_be_replayed(engine: Parts, say: Say, home: Path) -> None:
    assert say("dial 8004 --record keys.txt", input="9\n").exit_code == 0
    assert (home / "keys.txt").stat().st_mode & 0o777 == 0o600  # a PIN may stand in it
    written = (home / "keys.txt").read_text(encoding="utf-8").splitlines()
    assert written[:2] == ["dial 8004", "hears welcome  # 欢迎致电粤达"]
    assert written[-2:] == ["press 9", "ended NORMAL_CLEARING"]
    assert say("dial --script keys.txt").exit_code == 0


def test_from_a_pipe_an_empty_line_lets_a_prompt_pass(engine: Parts, say: Say, home: Path) -> None:
    assert say("dial 8005 --record keys.txt", input="\n9\n").exit_code == 0
    lines = [
        line.partition("  #")[0] for line in (home / "keys.txt").read_text(encoding="utf-8").splitlines()
    ]
    assert lines.count("hears welcome") == 2
    assert lines[-2:] == ["press 9", "ended NORMAL_CLEARING"]


def test_without_a_sound_device_it_says_so_and_goes_on(
    engine: Parts, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.cli.dial.player", lambda: None)
    done = say("dial 8004 --sound", input="9\n")
    assert done.exit_code == 0
    assert "no sound device here" in done.stdout


def test_with_one_the_files_of_each_prompt_are_played(
    engine: Parts, say: Say, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = home / "play"
    program.write_text(f'#!/bin/sh\necho "$1" >> {home}/played\n')
    program.chmod(0o755)
    monkeypatch.setattr("engine.cli.dial.player", lambda: (str(program),))
    script(home, "hears welcome\nsilence 0.5s\nhang up\n")
    assert say("dial 8004 --sound --script keys.txt").exit_code == 0
    assert (home / "played").read_text() == "/prompts/welcome.wav\n"


# -- the screen ---------------------------------------------------------------------------------------------


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    screen = Screen(steps=False)
    screen._clock = Clock()  # type: ignore[assignment]
    return screen


def event(kind: str, text: str = "", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "text": text, "at": AT, **more}


def test_silence_is_counted_down_and_stays_as_one_line(
    screen: Screen, capsys: pytest.CaptureFixture[str]
) -> None:
    screen.show(event("silence", seconds=5.0))
    screen._clock.now += 2  # type: ignore[attr-defined]
    screen.tick()
    screen._clock.now += 3  # type: ignore[attr-defined]
    screen.show(event("said", "We did not get a key.", language="en"))
    shown = capsys.readouterr().out
    assert "… 5 s for a key" in shown
    assert "… 3 s for a key" in shown
    assert shown.splitlines()[-2].endswith("… 5 s of silence")


def test_a_key_ends_the_countdown_and_leaves_nothing_of_it(
    screen: Screen, capsys: pytest.CaptureFixture[str]
) -> None:
    screen.show(event("silence", seconds=5.0))
    screen.pressed("1")
    screen.show(event("said", "Thank you."))
    shown = capsys.readouterr().out
    assert "\r\x1b[K          > 1\n" in shown.replace("\x1b[32m", "").replace("\x1b[1m", "").replace(
        "\x1b[0m", ""
    )
    assert "silence" not in shown


def test_where_the_call_is_is_told_when_asked(screen: Screen, capsys: pytest.CaptureFixture[str]) -> None:
    screen.show(event("step", "reception/main greet[1] menu"))
    assert capsys.readouterr().out == ""
    screen.tell_steps()
    assert "reception/main greet[1] menu" in capsys.readouterr().out
    screen.show(event("step", "reception/main end[1] hangup"))
    assert "end[1] hangup" in capsys.readouterr().out
