"""Each command says what it found, or in one line why it can't; programs get JSON."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from structlog.testing import capture_logs

from engine.errors import SwitchError
from engine.store.rows import Cdr
from engine.types import AgentState, JournalEntry
from engine.web.parts import Parts, SwitchView
from tests.web.fakes import AT, CALL, OTHER, recordings_table

Say = Callable[..., Result]
LISTS = ("call list", "cdr list", "agent list", "queue list", "recording list")


def failed(done: Result) -> str:
    """The one line on stderr of a command that failed."""
    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr.startswith("insideline: ")
    assert done.stderr.count("\n") == 1
    return done.stderr.removeprefix("insideline: ").strip()


@pytest.mark.parametrize("line", LISTS)
def test_every_list_gives_programs_an_array_and_people_a_table(
    engine: Parts, say: Say, told: Callable[[str], Any], line: str
) -> None:
    rows = told(line)
    assert isinstance(rows, list)
    assert rows
    done = say(line)
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) >= len(rows) + 1


def test_lists_show_what_people_look_for(engine: Parts, say: Say) -> None:
    assert "logistics/main greet[4] menu" in say("call list").stdout
    agents = say("agent list").stdout
    assert "林晓燕" in agents
    assert "waybill 3" in agents
    assert "1:15" in say("queue list").stdout
    assert "talked" in say("cdr list").stdout
    assert "1:02" in say("recording list").stdout


def test_an_empty_list_says_so(engine: Parts, say: Say, told: Callable[[str], Any]) -> None:
    engine.calls.live = []  # type: ignore[attr-defined]
    assert say("call list").stdout == "no calls\n"
    assert told("call list") == []


def test_filters_reach_the_database(engine: Parts, told: Callable[[str], Any]) -> None:
    assert len(told("cdr list --agent 8012 --since 2026-11-22 --until 2026-11-24")) == 1
    assert told("cdr list --agent 8013") == []
    assert told("cdr list --until 2026-11-22") == []
    assert len(told("recording list --call c-1")) == 1


@pytest.mark.parametrize("when", ["yesterday", "2026-13-01", "x2h", "99999999999999d"])
def test_a_time_that_is_none_is_refused(engine: Parts, say: Say, when: str) -> None:
    done = say(f"cdr list --since {when}")
    assert done.exit_code == 2
    assert "--since" in done.stderr


def test_a_call_is_shown_live_or_over_and_hung_up(engine: Parts, say: Say) -> None:
    assert "greet[4] menu" in say(f"call show {CALL.id}").stdout
    over = say("call show c-1").stdout
    assert "outcome   talked" in over
    assert "call.arrived" in over
    assert failed(say("call show nobody")) == "there is no call nobody"
    done = say(f"call hangup {OTHER.id} --cause CALL_REJECTED")
    assert done.stdout == f"hung up {OTHER.id[:8]} ({OTHER.number} -> 8004)\n"
    assert engine.calls.hung_up == [(OTHER.id, "CALL_REJECTED")]  # type: ignore[attr-defined]


def test_the_journal_of_a_call_is_read_without_quotes_and_braces(engine: Parts, say: Say) -> None:
    facts = {"needs": {"skill:waybill": 1}, "languages": ["zh-CN", "en"], "why": ""}
    engine.store.journal(JournalEntry(AT, "queue.entered", "c-1", queue="logistics", data=facts))  # type: ignore[attr-defined]
    engine.store.flush()  # type: ignore[attr-defined]
    said = say("call show c-1").stdout
    assert "queue.entered        queue=logistics  needs=skill:waybill:1  languages=zh-CN,en\n" in said


def test_what_lists_show_of_an_id_names_a_call_and_a_recording(engine: Parts, say: Say) -> None:
    store: Any = engine.store
    for call in ("0a1b2c3d-1", "0a1b2c3d-2", "ffff2c3d-0000"):
        store.cdr(Cdr(call, AT, AT, AT))
        store.save(
            recordings_table(),
            f"{call}-1",
            {"call": call, "part": 1, "path": "x.wav", "began": AT, "ended": AT},
        )
    store.flush()
    assert "ffff2c3d-0000" in say("call show ffff2c3d").stdout
    assert failed(say("call show fff")) == "there is no call fff"
    assert failed(say("call show 0a1b")) == "2 of them begin with 0a1b"  # live ones, too
    assert "ffff2c3d-1" in say("recording list").stdout
    assert failed(say("recording play ffff2c3d-1")).startswith(
        "the file of recording ffff2c3d-1 is not there"
    )
    assert failed(say("recording play ffff2c3d")).startswith("the file of recording ffff2c3d is not there")
    assert failed(say("recording play ffff2c3d-2")) == "there is no recording ffff2c3d-2"
    assert failed(say("recording play 0a1b2c3d")) == "more than one recording begins with 0a1b2c3d"


def test_an_operators_command_that_the_switch_refuses_is_told_in_its_words(engine: Parts, say: Say) -> None:
    def refuse(line: str) -> str:
        raise SwitchError(f"raw: -ERR {line} Command not found!")

    engine.command = refuse
    assert failed(say("fs nonsense")) == "-ERR nonsense Command not found!"


def test_agents_are_steered(engine: Parts, say: Say) -> None:
    assert say("agent pause 8012 lunch").stdout == "8012 林晓燕: paused (lunch)\n"
    assert say("agent ready 8012").stdout.startswith("8012 林晓燕: ready")
    assert say("agent logout 8012").stdout.startswith("8012 林晓燕: logged out")
    assert failed(say("agent ready 8012")) == "8012 is not logged in"
    assert say("agent login 8012 --phone 1003").exit_code == 0
    assert engine.acd.agent("8012").phone == "1003"
    assert engine.acd.agent("8012").state is AgentState.READY
    assert failed(say("agent login 9999")) == "there is no agent 9999"
    assert failed(say("agent login 8012 --phone 1002")) == "phone 1002 is held by 8013"


def test_the_work_after_a_call_ends_by_command_and_a_disposition_is_checked(engine: Parts, say: Say) -> None:
    assert say("agent wrap-up 8012").stdout == "8012 林晓燕: ready\n"
    assert say("agent disposition 8012 1").stdout == "8012 林晓燕: ready\n"
    assert failed(say("agent disposition 8012 sold")) == "there is no disposition 'sold': solved"


def test_an_agent_is_shown(engine: Parts, say: Say, told: Callable[[str], Any]) -> None:
    assert "waybill 3" in say("agent show 8012").stdout
    assert told("agent show 8012")["id"] == "8012"
    assert told("agent pause 8012 meal")["reason"] == "meal"


def test_what_waits_for_the_end_of_a_talk_is_said_to_wait(engine: Parts, say: Say) -> None:
    talking = replace(engine.acd.agent("8012"), state=AgentState.TALKING)
    engine.acd.pause = lambda agent_id, reason: talking  # type: ignore[method-assign]
    said = say("agent pause 8012 meal").stdout
    assert said == "8012 林晓燕: talking; that takes effect when this call is over\n"
    rings = replace(talking, state=AgentState.OFFERED)
    engine.acd.pause = lambda agent_id, reason: rings  # type: ignore[method-assign]
    said = say("agent pause 8012 meal").stdout
    assert said == "8012 林晓燕: offered; that takes effect when its phone has stopped ringing\n"


def test_a_queue_is_shown_with_who_waits(engine: Parts, say: Say, told: Callable[[str], Any]) -> None:
    assert OTHER.number in say("queue show logistics").stdout
    assert told("queue show logistics")["name"] == "logistics"
    assert failed(say("queue show none")) == "there is no queue none"


def test_a_queue_is_shown_with_what_it_promises_and_does(engine: Parts, say: Say) -> None:
    view = replace(
        engine.acd.queue("logistics"),
        closed="hours", target=0.8, within=20.0, in_time=0.75, handling=95.0, left=3, overflowed=2,
    )  # fmt: skip
    view = replace(view, callers=140, agents_away=2)
    engine.acd.queue = lambda name, language="en": view  # type: ignore[method-assign]
    said = say("queue show logistics").stdout
    assert "closed: hours" in said
    assert "and 139 more" in said
    assert "logistics (closed)" in say("queue list").stdout
    assert ": 140 waiting, 1 of 1 agents ready; closed: hours" in say("status").stdout
    assert "service level: 80% answered within 20s; so far 75%" in said
    assert "a call keeps an agent busy for 1:35" in said
    assert "without an agent: 3 left, 2 overflowed" in said


def test_a_queue_is_shown_with_what_its_agents_do(engine: Parts, say: Say) -> None:
    said = say("queue show logistics").stdout
    assert re.search(r"8012 +林晓燕 +ready", said), said
    listed = say("agent list --queue logistics").stdout
    assert "林晓燕" in listed
    assert failed(say("agent list --queue none")) == "there is no queue none"
    out = replace(engine.acd.agent("8012"), state=AgentState.LOGGED_OUT)
    engine.acd.agents = lambda: [out]  # type: ignore[method-assign]
    said = say("queue show logistics").stdout
    assert "nobody is logged in\nlogged out: 8012 林晓燕\n" in said


def test_the_switch_answers(engine: Parts, say: Say) -> None:
    assert say("fs status").stdout == "UP 0 years\n2 sessions\n"
    assert failed(say("fs show -x")) == "-ERR show -x Command not found!"


def test_status_says_how_the_engine_is(
    engine: Parts, say: Say, told: Callable[[str], Any], home: Path
) -> None:
    said = say("status").stdout
    assert "switch    the simulator: up\n" in said
    assert "queue     logistics: 1 waiting, 1 of 1 agents ready\n" in said
    assert told("status")["home"] == str(home)


def test_status_says_that_the_switch_is_not_there(engine: Parts, say: Say) -> None:
    engine.switch = lambda: SwitchView("FreeSWITCH on 127.0.0.1:8021", False, why="connection refused")
    said = say("status")
    assert said.exit_code == 0
    assert "not there (connection refused); the engine keeps trying" in said.stdout


@pytest.mark.parametrize(
    "line",
    [
        "status",
        "call list",
        "agent list",
        "agent ready 8012",
        "queue list",
        "fs status",
        "dial 8004",
    ],
)
def test_without_an_engine_one_line_says_how_to_start_one(say: Say, home: Path, line: str) -> None:
    assert failed(say(line)) == f"no engine runs in {home} (`insideline run` starts one)"


def test_the_lists_of_the_past_need_no_engine(parts: Parts, told: Callable[[str], Any]) -> None:
    assert [row["call"] for row in told("cdr list --agent 8012")] == ["c-1"]
    assert [row["id"] for row in told("recording list")] == ["r-1"]
    assert told("call show c-1")["journal"][0]["kind"] == "call.arrived"


def test_without_a_database_they_say_so(say: Say) -> None:
    assert "there is no database" in failed(say("cdr list"))


def test_outside_of_a_home_a_command_says_so(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "is no home of a centre" in failed(say("agent list"))


def test_a_home_is_found_from_within_or_said(
    engine: Parts, say: Say, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home / "conf")
    assert say("agent list").exit_code == 0
    monkeypatch.chdir(tmp_path)
    assert say(f"agent list --home {home}").exit_code == 0
    monkeypatch.setenv("INSIDELINE_HOME", str(home))
    assert say("agent list").exit_code == 0
    assert say("agent list --home /nowhere").exit_code == 2


def test_the_socket_of_the_settings_is_asked(parts: Parts, say: Say, home: Path) -> None:
    from engine.web.app import control_app
    from engine.web.server import Server

    (home / "conf" / "engine.yaml").write_text(
        "grammar: 1\ncontrol:\n  socket: var/other.sock\n", encoding="utf-8"
    )
    server = Server(control_app(parts), home / "var" / "other.sock")
    server.start()
    assert say("agent list").exit_code == 0
    server.stop(0.1)


def test_an_engine_that_fails_to_answer_is_told_in_one_line(
    engine: Parts, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine.calls, "views", lambda: 1 / 0)
    with capture_logs() as logs:  # the engine's log, which is not the command's: here they share a process
        done = say("call list")
    assert "the engine failed to answer" in failed(done)
    assert [log["event"] for log in logs] == ["web.failed"]


def test_an_unexpected_error_is_one_line_unless_asked_for(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.cli import client

    monkeypatch.setattr(client, "socket_of", lambda home: 1 / 0)
    assert "ZeroDivisionError: division by zero" in failed(say("call list"))
    assert isinstance(say("--traceback call list").exception, ZeroDivisionError)


# -- recordings ---------------------------------------------------------------------------------


def test_a_recording_whose_file_is_gone_is_told(engine: Parts, say: Say, home: Path) -> None:
    said = failed(say("recording play r-1"))
    assert said == f"the file of recording r-1 is not there: {home}/var/recordings/2026/11/23/r-1.wav"
    assert failed(say("recording play none")) == "there is no recording none"


@pytest.fixture
def wav(home: Path) -> Path:
    file = home / "var/recordings/2026/11/23/r-1.wav"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"RIFF")
    return file


def test_without_a_sound_device_it_is_told_where_the_file_is(
    engine: Parts, say: Say, wav: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.cli import sound

    monkeypatch.setattr(sound, "has_sound", lambda: False)
    assert say("recording play r-1").stdout == f"no sound device here; the recording (1:02) is {wav}\n"


@pytest.mark.parametrize(("player", "code"), [("true", 0), ("false", 1)])
def test_with_one_it_is_played_also_without_an_engine(
    parts: Parts, say: Say, wav: Path, monkeypatch: pytest.MonkeyPatch, player: str, code: int
) -> None:

    monkeypatch.setattr("engine.cli.sound.player", lambda: (player,))
    done = say("recording play r-1")
    assert done.exit_code == code
    assert str(wav) in done.stdout
    assert ("could not play" in done.stderr) == bool(code)


# -- being the caller ---------------------------------------------------------------------------


def test_one_hears_as_text_and_presses_lines_from_a_pipe(engine: Parts, say: Say) -> None:
    done = say("dial 8004 --from 13800000000 --steps", input="9\n")
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "calling 8004 from 13800000000"
    assert any("欢迎致电粤达" in line for line in lines)
    assert any("~ music ~" in line for line in lines)
    assert any(". logistics/main greet[4] menu" in line for line in lines)
    assert any("> 9" in line for line in lines)
    assert "-- the call is over (NORMAL_CLEARING) after" in lines[-1]
    [caller] = engine.simulator.callers  # type: ignore[union-attr]
    assert caller.keys == "9"


def test_what_is_no_number_is_not_dialled(engine: Parts, say: Say) -> None:
    assert failed(say("dial x")) == "'x' is no number"


def test_on_a_real_switch_one_takes_a_phone(engine: Parts, say: Say) -> None:
    engine.simulator = None
    assert "use a phone" in failed(say("dial 8004"))


# -- the program --------------------------------------------------------------------------------


def test_help_lists_all_commands_without_importing_them() -> None:
    code = (
        "import sys; from engine.cli.main import cli\n"
        "from click.testing import CliRunner; print(CliRunner().invoke(cli, ['--help']).output)\n"
        "print([name for name in ('sqlalchemy', 'pydantic', 'httpx', 'rich', 'falcon') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    for word in (
        "run",
        "dial",
        "doctor",
        "status",
        "call",
        "cdr",
        "agent",
        "queue",
        "recording",
        "flow",
        "prompts",
    ):
        assert f"\n  {word} " in done.stdout
    assert done.stdout.rstrip().endswith("[]")


def test_the_program_patches_gevent_before_anything_else() -> None:
    code = "import engine.__main__, socket, gevent.socket; print(socket.socket is gevent.socket.socket)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "True"


def test_an_unknown_command_is_a_matter_of_usage(say: Say) -> None:
    done = say("cal list")
    assert done.exit_code == 2
    assert "No such command" in done.stderr
