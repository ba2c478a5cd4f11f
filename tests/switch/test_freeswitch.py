"""The FreeSWITCH child: found, started, outliving its engine, found again, stopped."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from engine.clock import Clock
from engine.errors import ConfigError, NotConnected, SwitchError
from engine.esl import commands
from engine.switch.files import RunFolder, quiet_music
from engine.switch.freeswitch import FreeSwitch, find_freeswitch
from engine.switch.settings import Phone
from tests.sip.sound import loudness, read_wav
from tests.switch.real import PHONES, RealSwitch, settings, start_real_switch

clock = Clock()


def program(path: Path, script: str) -> Path:
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(0o755)
    return path


# -- finding it -----------------------------------------------------------------------------------


def test_the_variable_goes_before_the_path(tmp_path: Path) -> None:
    named = program(tmp_path / "mine", "exit 0\n")
    (tmp_path / "bin").mkdir()
    on_path = program(tmp_path / "bin" / "freeswitch", "exit 0\n")
    assert find_freeswitch({"INSIDELINE_FREESWITCH": str(named), "PATH": str(tmp_path / "bin")}) == named
    assert find_freeswitch({"PATH": str(tmp_path / "bin")}) == on_path


def test_a_variable_that_names_no_program_is_an_error_and_an_empty_one_means_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        find_freeswitch({"INSIDELINE_FREESWITCH": str(tmp_path / "nowhere"), "PATH": ""})
    with pytest.raises(ConfigError):
        find_freeswitch({"INSIDELINE_FREESWITCH": str(tmp_path), "PATH": ""})
    assert find_freeswitch({"INSIDELINE_FREESWITCH": "", "PATH": "/usr/bin"}) is None


# -- a switch that does not come up -----------------------------------------------------------------


def test_one_that_ends_at_once_is_reported_with_its_last_words(tmp_path: Path) -> None:
    binary = program(tmp_path / "freeswitch", "echo 'no such library'\nexit 3\n")
    switch = FreeSwitch(settings(), tmp_path / "run", clock=clock, binary=binary)
    with pytest.raises(SwitchError, match=r"ended while it was starting: .*no such library"):
        switch.start()
    assert not switch.alive


def test_one_that_never_answers_is_given_up_and_ended(tmp_path: Path) -> None:
    binary = program(tmp_path / "freeswitch", "exec sleep 600\n")
    switch = FreeSwitch(settings(start_within=0.3), tmp_path / "run", clock=clock, binary=binary)
    with pytest.raises(SwitchError, match=r"not ready within 0.3 s: no event socket"):
        switch.start()
    assert not switch.alive


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        binary = program(tmp_path / "freeswitch", "exit 0\n")
        switch = FreeSwitch(settings(phones={"port": port}), tmp_path / "run", clock=clock, binary=binary)
        with pytest.raises(SwitchError, match=rf"can't listen on 127.0.0.1:{port} for phones"):
            switch.start()


def test_one_that_ignores_the_signal_is_killed(tmp_path: Path) -> None:
    binary = program(tmp_path / "freeswitch", "trap '' TERM\nwhile :; do sleep 0.05; done\n")
    switch = FreeSwitch(
        settings(start_within=0.2, stop_within=0.2), tmp_path / "run", clock=clock, binary=binary
    )
    with pytest.raises(SwitchError):
        switch.start()
    assert not switch.alive


def test_two_engines_do_not_start_a_switch_on_one_folder_at_the_same_moment(tmp_path: Path) -> None:
    binary = program(tmp_path / "freeswitch", "exec sleep 600\n")
    first = FreeSwitch(settings(start_within=0.5), tmp_path / "run", clock=clock, binary=binary)
    starting = clock.spawn(first.start)
    clock.sleep(0.1)
    second = FreeSwitch(settings(), tmp_path / "run", clock=clock, binary=binary)
    with pytest.raises(SwitchError, match="another engine is just starting"):
        second.start()
    with pytest.raises(SwitchError):
        starting.get()


def test_what_a_later_engine_needs_is_on_disk_before_the_switch_runs(tmp_path: Path) -> None:
    """So a kill at any moment leaves a switch that can be found again."""
    run = tmp_path / "run"
    binary = program(tmp_path / "freeswitch", "cat socket.password switch.json conf/freeswitch.xml > seen\n")
    with pytest.raises(SwitchError):
        FreeSwitch(chosen := settings(), run, clock=clock, binary=binary).start()
    seen = (run / "seen").read_text()
    assert (RunFolder(run).password() or "nothing") in seen
    assert f'"event_socket": {chosen.event_socket}' in seen
    assert "</document>" in seen


# -- the run folder ---------------------------------------------------------------------------------


def test_passwords_that_were_made_up_stay_the_same_and_are_private(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.make()
    own = Phone.model_validate({"extension": "1002", "sip_password": "chosen-by-us"})
    first = folder.phone_passwords([Phone(extension="1001"), own])
    again = folder.phone_passwords([own, Phone(extension="1001"), Phone(extension="1003")])
    assert first["1001"] == again["1001"]
    assert len(first["1001"]) >= 12
    assert again["1002"] == "chosen-by-us"
    file = folder.path / "phones.json"
    assert file.stat().st_mode & 0o077 == 0
    assert "chosen-by-us" not in file.read_text()


def test_two_phones_with_one_extension_are_refused(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    with pytest.raises(ConfigError, match="1001"):
        folder.phone_passwords([Phone(extension="1001"), Phone(extension="1001")])


def test_a_pid_that_now_belongs_to_another_program_is_no_switch(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.make()
    (folder.path / "run" / "freeswitch.pid").write_text(str(os.getpid()))
    assert folder.process() is None


def test_the_music_is_soft_and_loops_without_a_click(tmp_path: Path) -> None:
    quiet_music(tmp_path / "music.wav", seconds=4)
    (samples,) = read_wav(tmp_path / "music.wav")
    assert len(samples) == 4 * 8000
    assert 200 < loudness(samples) < 4000
    assert abs(samples[0]) < 50
    assert abs(samples[-1]) < 50


# -- a real one ---------------------------------------------------------------------------------------

ENGINE = """
import sys
from gevent import monkey; monkey.patch_all()
from pathlib import Path
from engine.clock import Clock
from engine.switch.freeswitch import FreeSwitch
from engine.switch.settings import SwitchSettings
clock = Clock()
switch = FreeSwitch(SwitchSettings.model_validate_json(sys.argv[2]), Path(sys.argv[1]), clock=clock)
switch.start()
print("UP", switch.pid, switch.port, switch.password, flush=True)
clock.sleep(600)
"""


@pytest.fixture
def own_switch(tmp_path: Path) -> Iterator[RealSwitch]:
    switch = start_real_switch(tmp_path / "run", clock)
    yield switch
    switch.freeswitch.stop(within=0.0)


@pytest.mark.switch
def test_it_comes_up_ready_in_its_own_session_with_private_files(real_switch: RealSwitch) -> None:
    freeswitch = real_switch.freeswitch
    status, profiles, modules = freeswitch.ask(
        commands.status(), commands.sofia_status(), commands.module_exists("mod_hash")
    )
    assert "is ready" in status
    assert profiles.count("RUNNING") == 2
    assert modules.strip() == "true"
    assert freeswitch.pid is not None
    assert os.getsid(freeswitch.pid) != os.getsid(0)  # a Ctrl-C at our terminal is not its business
    open_files = [f for f in freeswitch.folder.path.rglob("*") if f.stat().st_mode & 0o077]
    assert open_files == []
    assert freeswitch.password not in psutil.Process(freeswitch.pid).cmdline()


@pytest.mark.switch
def test_a_wrong_password_is_refused(real_switch: RealSwitch) -> None:
    freeswitch = real_switch.freeswitch
    right, freeswitch.password = freeswitch.password, "ClueCon"
    try:
        with pytest.raises(NotConnected, match="refused the password"):
            freeswitch.ask(commands.status())
    finally:
        freeswitch.password = right


@pytest.mark.switch
def test_an_engine_killed_leaves_its_switch_and_the_next_one_attaches_to_it(tmp_path: Path) -> None:
    chosen = settings()
    engine = subprocess.Popen(
        [sys.executable, "-c", ENGINE, str(tmp_path / "run"), chosen.model_dump_json()],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert engine.stdout is not None
    with clock.timeout(30):
        _, pid, port, password = next(line for line in engine.stdout if line.startswith("UP ")).split()
    engine.kill()
    engine.wait()
    assert psutil.pid_exists(int(pid))

    reborn = FreeSwitch(chosen, tmp_path / "run", clock=clock, phones=PHONES)
    try:
        reborn.start()
        assert reborn.adopted
        assert (reborn.pid, reborn.port, reborn.password) == (int(pid), int(port), password)
        assert "is ready" in reborn.ask(commands.status())[0]
        # It knows the phones that this engine brought along.
        found = reborn.ask(commands.raw_api("user_exists id 1001 local"))[0]
        assert found.strip() == "true"
    finally:
        reborn.stop(within=0.0)
    assert RunFolder(tmp_path / "run").process() is None


@pytest.mark.switch
def test_releasing_leaves_it_running_and_stopping_after_that_ends_it(own_switch: RealSwitch) -> None:
    first = own_switch.freeswitch
    pid = first.pid
    first.release()
    assert pid is not None
    assert psutil.pid_exists(pid)
    second = FreeSwitch(first.settings, first.folder.path, clock=clock, phones=PHONES)
    second.start()
    assert second.adopted
    assert second.pid == pid
    second.stop()
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.switch
def test_its_death_is_noticed_once_with_the_cause(tmp_path: Path) -> None:
    reasons = clock.queue()
    freeswitch = FreeSwitch(settings(), tmp_path / "run", clock=clock, on_death=reasons.put)
    freeswitch.start()
    first = freeswitch.password
    assert freeswitch.pid is not None
    os.kill(freeswitch.pid, signal.SIGKILL)
    assert reasons.get(5) == "the switch was killed by SIGKILL"
    assert not freeswitch.alive
    assert len(reasons) == 0
    freeswitch.start()  # and it can be started again, where the engine's connection finds it
    assert freeswitch.alive
    assert freeswitch.password == first
    freeswitch.stop(within=0.0)
    clock.sleep(0.3)
    assert len(reasons) == 0


@pytest.mark.switch
def test_new_phones_may_register_without_a_restart(own_switch: RealSwitch) -> None:
    freeswitch = own_switch.freeswitch
    freeswitch.change_phones([*PHONES, Phone(extension="1999")])
    phone = own_switch.telephone("1999")
    assert phone.register() == 200
    phone.close()
