"""``insideline run`` shows the day, ends when it is told to, and says what it was."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from click.testing import Result
from rich.console import Console
from structlog.testing import capture_logs

from engine.cli import board
from engine.cli.run import Length
from engine.clock import Clock
from engine.errors import ConfigError
from engine.hooks.builtin_day import Figures
from engine.types import AgentState
from engine.web.parts import Parts, SwitchView
from tests.web.fakes import CALL

Say = Callable[..., Result]


class OneApp:
    """The engine as the command sees it."""

    def __init__(self, parts: Parts, **said: Any) -> None:
        self.parts = parts
        self.clock = parts.clock
        self.installation = SimpleNamespace(day=parts.day)
        self.said = said
        self.log: list[str] = []
        self.drains = 0.0
        self.left = 0
        self.on_start: Callable[[], object] = lambda: None
        self.on_run: Callable[[], object] = lambda: None
        self.on_drain: Callable[[], object] = lambda: None
        self._stopping = self.clock.event()

    def take_priority(self) -> None:
        self.log.append("priority")

    def start(self) -> None:
        self.on_start()
        self.log.append("start")

    def run(self, seconds: float | None) -> None:
        self.log.append(f"run {seconds}")
        self.on_run()
        self._stopping.wait(seconds)

    def ask_to_stop(self, reason: str) -> None:
        self.log.append(reason)
        self._stopping.set()

    def drain(self) -> int:
        self.log.append("drain")
        self.on_drain()
        self.clock.sleep(self.drains)
        self.log.append("drained")
        return self.left

    def stop(self) -> None:
        self.log.append("stop")


@pytest.fixture
def app(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> Iterator[OneApp]:
    app = OneApp(parts)
    umask = os.umask(0o022)
    module = ModuleType("engine.app")

    def make(home: Path, **said: Any) -> OneApp:
        app.said = {"home": home, **said}
        return app

    module.App = make  # type: ignore[attr-defined]
    monkeypatch.setattr("engine.cli.run._set_up_log", lambda place, to_file: None)
    monkeypatch.setitem(sys.modules, "engine.app", module)
    memory = ModuleType("engine.app.memory")
    memory.give_large_blocks_back = lambda: True  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "engine.app.memory", memory)
    yield app
    os.umask(umask)


def test_without_a_terminal_what_happens_while_it_drains_is_told_too(
    say: Say, app: OneApp, parts: Parts
) -> None:
    app.drains = 0.2
    app.on_drain = lambda: parts.day.call_started(call=CALL)
    lines = say("run --for 10ms").stdout.splitlines()
    assert any(line.endswith("+8613800000001 dials 8004 [0a1b2c3d]") for line in lines)


def test_what_the_engine_writes_is_not_for_others(say: Say, app: OneApp, home: Path) -> None:
    app.on_run = (home / "written").touch
    assert say("run --for 10ms").exit_code == 0
    assert (home / "written").stat().st_mode & 0o777 == 0o640


def test_calls_that_did_not_end_in_time_are_told(say: Say, app: OneApp) -> None:
    app.left = 2
    assert say("run --for 10ms").stdout.endswith("\n2 calls did not end in time\n")


def test_it_starts_tells_what_happens_and_ends_by_itself(say: Say, app: OneApp, home: Path) -> None:
    app.on_run = lambda: app.parts.day.call_started(call=CALL)
    done = say("run --for 100ms --switch simulator --sample")
    assert done.exit_code == 0, done.stderr
    assert app.log == ["start", "priority", "run 0.1", "drain", "drained", "stop"]
    assert app.said == {"home": home, "switch": "simulator", "password_file": None, "sample": True}
    lines = done.stdout.splitlines()
    assert lines[0] == f"Insideline 0.1.0 on the simulator, in {home}"
    assert "  insideline dial 8004" in lines
    assert any(line.endswith("+8613800000001 dials 8004 [0a1b2c3d]") for line in lines)
    assert any("1 call in " in line for line in lines[-3:])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_day_in_order(say: Say, app: OneApp, number: signal.Signals) -> None:
    app.on_run = lambda: app.clock.after(0.05, os.kill, os.getpid(), number)
    done = say("run")
    assert done.exit_code == 0, done.stderr
    assert app.log == ["start", "priority", "run None", number.name, "drain", "drained", "stop"]


def test_a_second_signal_does_not_wait_for_the_calls(say: Say, app: OneApp) -> None:
    app.drains = 60
    app.on_run = lambda: [
        app.clock.after(0.05, os.kill, os.getpid(), signal.SIGINT),
        app.clock.after(0.3, os.kill, os.getpid(), signal.SIGINT),
    ]
    done = say("run")
    assert done.exit_code == 0, done.stderr
    assert app.log == ["start", "priority", "run None", "SIGINT", "drain", "SIGINT", "stop"]
    assert "2 calls not over yet" in done.stdout


def test_faults_are_printed_each_on_its_line_and_nothing_runs(say: Say, app: OneApp) -> None:
    def broken() -> None:
        raise ConfigError("flows/main.yaml:3:5: error[shape]: x\nflows/main.yaml:9:1: error[shape]: y")

    app.on_start = broken
    done = say("run")
    assert done.exit_code == 1
    assert done.stderr.splitlines()[0] == "flows/main.yaml:3:5: error[shape]: x"
    assert app.log == ["stop"]


@pytest.mark.parametrize(
    ("text", "seconds"), [("60s", 60), ("500ms", 0.5), ("10m", 600), ("2h", 7200), ("1.5s", 1.5)]
)
def test_lengths_are_read_with_their_unit(text: str, seconds: float) -> None:
    assert Length().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["60", "1x", "-5s", "", "s"])
def test_a_length_without_sense_is_refused(say: Say, app: OneApp, text: str) -> None:
    assert say(f"run --for={text}").exit_code == 2
    assert app.log == []


def test_a_second_engine_of_a_home_is_refused_before_it_touches_anything(
    engine: Parts, say: Say, app: OneApp
) -> None:
    done = say("run --for 1s")
    assert done.exit_code == 1
    assert "an engine runs in this home already" in done.stderr
    assert app.log == []


# -- the board ----------------------------------------------------------------------------------


def drawn(parts: Parts, width: int = 120, height: int = 36) -> str:
    console = Console(width=width, height=height, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    console.print(board.render(parts, height, width), height=height)
    return console.export_text()


def test_the_board_shows_calls_queues_agents_and_news(parts: Parts) -> None:
    text = drawn(parts)
    assert "Insideline 0.1.0 on the simulator: up" in text
    assert "logistics/main greet[4] menu" in text
    assert "林晓燕" in text
    assert "the engine takes calls on the simulator" in text
    assert "insideline dial 8004" in text
    assert "Ctrl-C stops" in text
    assert "1/1" in text


def test_the_board_of_an_empty_centre_is_calm(parts: Parts) -> None:
    parts.calls.live = []  # type: ignore[attr-defined]
    parts.switch = lambda: SwitchView("FreeSWITCH", False, why="connection refused")
    text = drawn(parts)
    assert "no calls" in text
    assert "NOT THERE (connection refused)" in text


def test_the_board_fits_the_terminal_however_many_calls_there_are(parts: Parts) -> None:
    parts.calls.live = [replace(CALL, id=f"{at:036}") for at in range(500)]  # type: ignore[attr-defined]
    for width, height in ((80, 24), (120, 24), (200, 60)):
        text = drawn(parts, width, height)
        assert len(text.splitlines()) <= height
        assert "older" in text
        assert "林晓燕" in text
    assert "calls (500)" in text


def test_a_small_terminal_still_shows_calls(parts: Parts) -> None:
    parts.calls.live = [replace(CALL, id=f"{at:036}") for at in range(3)]  # type: ignore[attr-defined]
    text = drawn(parts, 80, 24)
    assert text.count("main greet[4] menu") == 3
    assert "Ctrl-C stops   insideline dial 8004" in text


def test_a_full_centre_shows_what_happens_and_counts_what_has_no_room(parts: Parts) -> None:
    one, desk = parts.acd.agents()[0], parts.acd.queues()[0]
    states = [*AgentState] * 3
    agents = [replace(one, id=f"9{at:03}", state=state) for at, state in enumerate(states)]
    queues = [replace(desk, name=f"desk{at}", longest_wait=0.0, callers=0) for at in range(7)]
    queues[6] = replace(queues[6], longest_wait=65.0, callers=140, closed="hours")
    parts.acd.agents = lambda: agents  # type: ignore[method-assign]
    parts.acd.queues = lambda: queues  # type: ignore[method-assign]
    for width, height in ((80, 24), (80, 40), (120, 30), (200, 60)):
        text = drawn(parts, width, height)
        assert len(text.splitlines()) <= height
        assert "menu" in text, "the call is seen"
        assert re.search(r"desk6 +140 +1:05 +closed", text), "who waits is seen first"
        assert "offered" in text
        assert "agents, 3 offered, 3 talking, 3 hold" in text
        last = [line for line in text.splitlines() if line.strip(" │╭╮╰╯─")][-1]
        assert "takes calls" in last, "the last event is seen"
    assert "desk0" in text, "there is room for all"
    assert "3 logged out" in text
    assert "queues (3 of 7)" in drawn(parts, 80, 24)


def test_what_a_caller_calls_himself_is_no_markup(parts: Parts) -> None:
    parts.calls.live = [replace(CALL, number="[red]x[/red][/]")]  # type: ignore[attr-defined]
    assert "[red]x[/red][/]" in drawn(parts)


def test_the_board_is_redrawn_until_it_is_done(parts: Parts) -> None:
    clock = Clock()
    done = clock.event()
    clock.after(0.05, done.set)
    console = Console(width=100, height=30, file=open(os.devnull, "w"), force_terminal=True)  # noqa: SIM115
    with clock.timeout(10):
        board.watch(parts, console, done)


def test_a_board_that_cannot_be_drawn_says_so_and_is_tried_again(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    done = clock.event()
    console = Console(width=100, height=30, file=StringIO(), force_terminal=True)
    views, times = parts.calls.views, []
    outside = sys.stdout, sys.stderr

    def once_broken() -> Any:
        times.append(1)
        assert (sys.stdout, sys.stderr) == outside, (
            "a thread that writes there would wait for the board's lock"
        )
        if len(times) == 1:
            raise KeyError("hold")
        done.set()
        return views()

    parts.calls.views = once_broken  # type: ignore[method-assign]
    monkeypatch.setattr(board, "EVERY", 0.01)
    with clock.timeout(10), capture_logs() as logs:
        board.watch(parts, console, done)
    assert [one["event"] for one in logs] == ["board.not_drawn"]
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert shown.index("can't be drawn") < shown.index("queues")


def test_the_summary_says_what_the_day_was() -> None:
    figures = Figures(
        calls=12, ended=12, answered=11, queued=5, talks=4, abandoned=1, recordings=4, recorded_seconds=312
    )
    assert board.summary(figures, 3725) == [
        "12 calls in 1:02:05, 11 answered",
        "5 waited for an agent: 4 talks, 1 gave up, 0 offers missed",
        "4 recordings (5:12)",
    ]
    assert board.summary(Figures(calls=3, ended=1, answered=1), 5)[0] == "3 calls in 5 s, 1 over, 1 answered"
    assert board.summary(Figures(steps_failed=1), 5)[-1] == "1 step failed (the log says why)"
