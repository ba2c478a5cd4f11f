"""A home out of what is shipped: from the checkout, and from the wheel in an empty virtual environment."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from engine.clock import Clock

Say = Callable[..., Result]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def made(say: Say, tmp_path: Path) -> Path:
    folder = tmp_path / "centre"
    done = say(f"init {folder}")
    assert done.exit_code == 0, done.stderr
    assert f"cd {folder}" in done.stdout
    assert "insideline run" in done.stdout
    return folder


def test_a_new_home_is_whole_and_passes_the_check(made: Path, say: Say) -> None:
    for name in (
        "conf/engine.yaml",
        "dialplans/main.yaml",
        "prompts/en.yaml",
        "freeswitch/freeswitch.xml",
        "plugins/reception/flows/main.yaml",
    ):
        assert (made / name).read_bytes() == (ROOT / name).read_bytes()
    assert not list(made.rglob("__pycache__"))
    assert (made / ".gitignore").read_text().splitlines()[1] == "var/"
    done = say(f"--home {made} flow check")
    assert done.exit_code == 0, done.stdout + done.stderr


def test_a_folder_that_is_not_empty_is_left_alone_until_it_is_forced(say: Say, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    done = say(f"init {tmp_path}")
    assert done.exit_code == 1
    assert "is not empty" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]
    assert say(f"init --force {tmp_path}").exit_code == 0
    assert (tmp_path / "letter.txt").read_text() == "dear"


def test_what_people_changed_or_removed_stays_and_the_rest_is_brought_up_to_date(
    made: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.cli import init

    ours = made / "conf/queues.yaml"
    ours.write_text("grammar: 1\nqueues: {}\n")
    (made / "conf/simulator.yaml").unlink()
    files = dict(init.shipped_files())
    files["prompts/en.yaml"] += b"new_words: New words.\n"
    files["conf/queues.yaml"] += b"# new\n"
    monkeypatch.setattr(init, "shipped_files", lambda: iter(files.items()))
    different = say(f"init --diff {made}").stdout
    assert "+new_words: New words." in different
    assert "conf/simulator.yaml: removed by you" in different
    assert "-queues: {}" in different
    done = say(f"init --force {made}")
    assert "1 file brought up to date, 1 file left as you changed them" in done.stdout
    assert "yours: conf/queues.yaml" in done.stdout
    assert ours.read_text() == "grammar: 1\nqueues: {}\n"
    assert not (made / "conf/simulator.yaml").exists()
    assert (made / "prompts/en.yaml").read_bytes() == files["prompts/en.yaml"]
    again = say(f"init --force {made}").stdout
    assert "brought up to date" not in again
    assert "yours: conf/queues.yaml" in again


def test_a_home_that_is_said_first_wins_over_the_environment(
    made: Path, say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSIDELINE_HOME", str(tmp_path))
    assert str(made) in say(f"--home {made} status").stderr
    assert str(tmp_path) in say("status").stderr


def test_outside_of_a_home_init_is_proposed(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "insideline init" in say("status").stderr


# -- the wheel ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built and installed in a virtual environment of its own; what it needs is lent by ours."""
    pytest.importorskip("hatchling", reason="hatchling builds the wheel")
    place = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--no-cache-dir"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(place), str(ROOT)]
    subprocess.run([*pip, *build], check=True, capture_output=True, timeout=120)
    [wheel] = place.glob("insideline-*.whl")
    venv.create(place / "venv", with_pip=False)
    python = place / "venv" / "bin" / "python"
    site = Path(sysconfig.get_path("purelib", vars={"base": str(place / "venv")}))
    install = ["install", "--no-deps", "--no-index", "--target", str(site), str(wheel)]
    subprocess.run([*pip, *install], check=True, capture_output=True, timeout=120)
    # Behind the wheel on the path, and without the editable install's own line: our packages, not our engine.
    (site / "zz-lent.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    where = subprocess.run(
        [python, "-c", "import engine; print(engine.__file__)"],
        check=True,
        capture_output=True,
        text=True,
        cwd=place,
    )
    assert where.stdout.startswith(str(site))
    return place / "venv" / "bin" / "python"


@pytest.fixture
def start(installed: Path, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Give a command of the installed program, in a folder far from this repository."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("INSIDELINE")}
    environment["INSIDELINE_FREESWITCH"] = ""
    begun: list[subprocess.Popen[str]] = []

    def start(*words: str, cwd: Path = tmp_path) -> subprocess.Popen[str]:
        command = [installed, "-m", "engine", *words]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        begun.append(subprocess.Popen(command, cwd=cwd, env=environment, text=True, **pipes))  # type: ignore[call-overload]
        return begun[-1]

    yield start
    for process in begun:
        if process.poll() is None:
            process.kill()
            process.wait()


def said_by(process: subprocess.Popen[str], code: int = 0) -> str:
    said = process.communicate(timeout=60)[0]
    assert process.returncode == code, said
    return said


SCRIPT = """\
hears logistics/choose_language
press 2
hears This call is recorded
hang up
"""


def test_the_wheel_alone_gives_a_home_that_runs_and_answers(
    start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    home, clock = tmp_path / "h", Clock()
    said_by(start("init", "h"))
    assert "WRONG" not in said_by(start("doctor", cwd=home))
    engine = start("run", "--sample", "--switch", "simulator", "--for", "60s", "--no-board", cwd=home)
    with clock.timeout(40):
        while not (home / "var" / "insideline.sock").exists():
            assert engine.poll() is None, engine.communicate()[0]
            clock.sleep(0.05)
    (tmp_path / "keys.txt").write_text(SCRIPT)
    said_by(start("--home", str(home), "dial", "8004", "--script", "keys.txt"))
    engine.terminate()
    engine.terminate()
    assert "on the simulator" in said_by(engine)
