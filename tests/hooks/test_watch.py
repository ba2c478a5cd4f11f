"""The built-in plugin `watch`: what operators are told of the centre itself, and what they are not bothered with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine.app.installation import read_installation
from engine.clock import VirtualClock
from engine.hooks.builtin_watch import Thresholds, Watch
from engine.hooks.host import Host
from engine.testing.home import Home
from engine.types import AgentState, AgentView, BlockedView, CallView, RecordingView
from tests.records.conftest import desk_home

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
LIMITS = Thresholds(silence=1800.0)
OPERATORS = 'grammar: 1\noperators: {operators}\ngroups: {{noc: {{ways: [{{phone: "1002"}}]}}}}\n'


@pytest.fixture
def watched(host: Host, clock: VirtualClock, tmp_path: Path) -> SimpleNamespace:
    """A watch at work. ``told``: the prompts; ``values``: those of the last one; ``live``, ``listens``: settable."""
    made = SimpleNamespace(
        told=[], values={}, live=0, listens=True, mark=tmp_path / "running", tell=host.tell
    )

    def tell(
        prompt: str, values: Mapping[str, Any], *, level: str, key: str = "", window: float = 0.0
    ) -> None:
        made.told.append(prompt)
        made.values = values

    def begin(told: Callable[..., None] | None = tell) -> None:
        watch.begin(made.mark, told, LIMITS, live=lambda: made.live, listens=lambda: made.listens)
        host.tell.engine_started(switch="the simulator")

    watch = Watch(clock)
    host.add(watch, "watch", instant=True)
    made.watch, made.begin = watch, begin
    begin()
    yield made
    watch.end()
    assert not host.tallies["watch"].failed


def test_engine_started__after_a_death_is_told_and_after_a_stop_is_not(watched: Any, clock: Any) -> None:
    assert watched.told == []
    watched.watch.end()  # as a death leaves it: the mark stays
    watched.begin()
    assert watched.told == ["engine_back"]
    watched.tell.engine_stopping(why="SIGTERM")
    watched.begin()
    watched.watch.stopped()  # a start that failed later on was no death either
    watched.begin()
    assert watched.told == ["engine_back"]


def test_engine_stopping__is_told_when_callers_are_on_the_line(watched: Any) -> None:
    watched.tell.engine_stopping(why="SIGTERM")
    assert watched.told == []
    watched.live = 7
    watched.tell.engine_stopping(why="SIGTERM")
    assert (watched.told, watched.values["calls"]) == (["engine_stopped"], 7)


def test_engine_blocked__is_told_when_it_was_for_long(watched: Any) -> None:
    watched.tell.engine_blocked(blocked=BlockedView("warranty", "plugin.py:7 cover", 2.9, AT))
    assert watched.told == []
    watched.tell.engine_blocked(blocked=BlockedView("warranty", "plugin.py:7 cover", 3.0, AT))
    assert (watched.told, watched.values["plugin"]) == (["engine_blocked"], "warranty")


def test_step_failed__of_one_department_again_and_again_is_told_once_in_a_spell(
    watched: Any, clock: Any, call: CallView
) -> None:
    def fails(times: int, every: float, one: CallView = call) -> None:
        for _ in range(times):
            watched.tell.step_failed(call=one, step="track[1] query", why="time_up")
            clock.advance(every)

    watched.listens = False
    fails(4, 1)
    fails(4, 1, replace(call, flow="orders/main"))  # another department
    clock.advance(601)
    fails(9, 200)  # never five in ten minutes
    assert watched.told == []
    clock.advance(601)
    fails(20, 10)
    assert (watched.told, watched.values["department"]) == (["steps_failing"], "logistics")
    clock.advance(601)
    fails(5, 10)
    assert watched.told == ["steps_failing", "steps_failing"]


def test_call_ended__by_faults_of_the_line_again_and_again_is_told(watched: Any, call: CallView) -> None:
    for _ in range(9):
        watched.tell.call_ended(call=call, cause="NORMAL_CLEARING")
    for _ in range(4):
        watched.tell.call_ended(call=call, cause="MEDIA_TIMEOUT")
    assert watched.told == []
    watched.tell.call_ended(call=call, cause="NETWORK_OUT_OF_ORDER")
    assert (watched.told, watched.values["cause"]) == (["calls_failing"], "NETWORK_OUT_OF_ORDER")


def test_agent_state_changed__phones_that_stay_away_are_told_of_together(
    watched: Any, clock: Any, agent: AgentView
) -> None:
    watched.listens = False
    gone = replace(agent, state=AgentState.UNREACHABLE)
    others = [replace(gone, id=str(8013 + at), name="") for at in range(7)]
    watched.tell.agent_state_changed(agent=gone, before=AgentState.READY)
    clock.advance(30)
    for one in others:
        watched.tell.agent_state_changed(agent=one, before=AgentState.READY)
    clock.advance(30)
    watched.tell.agent_state_changed(
        agent=replace(others[0], state=AgentState.READY), before=gone.state
    )  # is back
    clock.advance(61)
    assert (watched.told, watched.values) == (["phones_unreachable"], {"count": 1, "agents": "8012 Li Na"})
    clock.advance(30)
    assert watched.values["count"] == 6
    assert watched.values["agents"].endswith("8018  …")
    clock.advance(3600)
    assert len(watched.told) == 2


def test_call_started__ends_a_silence_that_was_told_once(watched: Any, clock: Any, call: CallView) -> None:
    clock.advance(1200)
    watched.tell.call_started(call=call)
    clock.advance(1799)
    assert watched.told == []
    clock.advance(7200)
    assert watched.told == ["no_calls"]
    watched.tell.call_started(call=call)
    clock.advance(2400)
    assert watched.told == ["no_calls", "no_calls"]


def test_a_silence_outside_of_the_hours_counts_for_nothing(watched: Any, clock: Any) -> None:
    watched.listens = False
    clock.advance(50_000)
    watched.listens = True
    clock.advance(1700)
    assert watched.told == []
    clock.advance(600)
    assert watched.told == ["no_calls"]


def test_recording_finished__without_the_sound_of_the_call_is_told(watched: Any) -> None:
    lasted = timedelta(seconds=40)
    for seconds in (38.9, 11.0):
        watched.tell.recording_finished(
            recording=RecordingView("r1", "c1", "a.wav", AT, AT + lasted, seconds)
        )
    short = RecordingView("r1", "c1", "a.wav", AT, AT + timedelta(seconds=2), 0.0)
    watched.tell.recording_finished(recording=short)
    assert watched.told == []
    watched.tell.recording_finished(recording=RecordingView("r2", "c1", "a.wav", AT, AT + lasted, 0.0))
    assert (watched.told, watched.values["recording"]) == (["recording_empty"], "r2")


def test_without_operators_nothing_is_said(
    watched: Any, clock: Any, call: CallView, agent: AgentView
) -> None:
    watched.watch.end()
    watched.begin(None)
    for _ in range(9):
        watched.tell.step_failed(call=call, step="track[1] query", why="time_up")
        watched.tell.call_ended(call=call, cause="MEDIA_TIMEOUT")
    watched.tell.agent_state_changed(
        agent=replace(agent, state=AgentState.UNREACHABLE), before=AgentState.READY
    )
    clock.advance(7200)
    assert watched.told == []


# -- in a centre ----------------------------------------------------------------------------------------------


FLOW = """
greet:
  - answer
  - queue: {name: desk, full: end, too_long: end, no_agents: end}
  - go: end
end:
  - hangup
"""


def test_the_operators_of_a_centre_hear_on_their_phone_what_went_wrong(home: Home, centre_of: Any) -> None:
    desk_home(home, FLOW)
    prompts = Path(__file__).parents[2] / "prompts" / "en.yaml"
    home.write("prompts/en.yaml", prompts.read_text(encoding="utf-8"))
    silence = "silence: {calendar: always, longest: 20m}"
    home.write("conf/notify.yaml", OPERATORS.format(operators=f"{{group: noc, {silence}}}"))
    centre = centre_of(home)
    phone = centre.simulator.phone("1002")

    def heard() -> str:
        ring = phone.wait_ring(1500.0)
        assert ring is not None
        phone.answer()
        said = centre.describe(ring.next_playback(30.0).path)
        ring.next_playback(30.0)
        ring.press("1")
        ring.wait_ended(30.0)
        return str(said.text)

    assert centre.rows("notices") == []
    centre.engine.kill()
    centre.engine.start()
    assert heard().startswith("The call centre's engine had died, and is at work again since")

    assert heard() == "No call has come in for twenty minutes. Please check the lines."

    centre.agent("202").logs_out()
    centre.simulator.phone("1001").unregister()
    assert heard() == "Phones of agents who are logged in can't be reached, one in all: 201 Agent One."

    caller = centre.caller().dials("8000")
    centre.clock.advance(2)
    assert len(centre.calls()) == 1
    centre.app.ask_to_stop("SIGTERM")
    centre.app.drain(0.5)
    centre.clock.advance(2)
    del caller
    told = [row["prompt"] for row in sorted(centre.rows("notices"), key=lambda row: row["created"])]
    assert told == ["engine_back", "no_calls", "phones_unreachable", "engine_stopped"]


@pytest.mark.parametrize(
    ("operators", "message"),
    [
        ("{group: nok}", 'there is no group `nok` did you mean "noc"?'),
        ("{group: noc, silence: {calendar: offices, longest: 30m}}", "there is no calendar `offices`"),
        ("{group: noc, silence: {calendar: office, longest: 5s}}", "a silence is told of after 1m to 24h"),
        ("{group: noc, failures: 1}", "failures"),
    ],
)
def test_what_can_t_be_is_a_fault_of_the_file(
    home: Home, clock: VirtualClock, operators: str, message: str
) -> None:
    desk_home(home, FLOW).write("conf/notify.yaml", OPERATORS.format(operators=operators))
    faults = [one for one in read_installation(home.folder, clock).faults if one.file == "conf/notify.yaml"]
    assert len(faults) == 1
    assert faults[0].line == 2
    assert message in f"{faults[0].message} {faults[0].hint} {faults[0].pretty()}"
