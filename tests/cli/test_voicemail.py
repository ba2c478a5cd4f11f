"""``insideline voicemail`` and ``rating`` on a home without a running engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from engine.app.clips import Sounds, make_sounds
from engine.clock import Clock
from engine.config import Recording
from engine.store.store import Store
from engine.switch.simulator.recording import header

Say = Callable[..., Result]
CALL = "00000000-0000-4000-8000-000000000001"


@pytest.fixture
def kept(home: Path) -> Any:
    """A home in whose database there is a message and three answers; the id of the message."""
    clock = Clock()
    (home / "var").mkdir(exist_ok=True)
    store = Store(f"sqlite:///{home}/var/insideline.db", clock, home / "var")
    store.open()
    sounds: Sounds = make_sounds(
        store, clock, home / "var" / "recordings", Recording(), timezone="Asia/Shanghai"
    )
    new = sounds.clips.new(CALL)
    sounds.messages.begin(new.id, "8012", CALL, number="+8613800000000")
    Path(new.file).write_bytes(header(1, 16000) + b"\x00\x20" * 16000)
    said = sounds.clips.said(new.id)
    assert said is not None
    sounds.messages.keep(said, CALL)
    for number, (agent, score) in enumerate((("8012", 5), ("8012", 2), ("8013", 4))):
        sounds.ratings.add(f"k{number}", "service", score, 5, call=CALL, agent=agent, queue="logistics")
    store.flush()
    sounds.clips.close()
    store.close()
    return new.id


def test_messages_are_listed(kept: str, say: Say) -> None:
    (row,) = json.loads(say("voicemail list --json").stdout)
    assert (row["id"], row["box"], row["state"], row["seconds"]) == (kept, "8012", "new", 2.0)
    assert json.loads(say("voicemail list --box 8013 --json").stdout) == []
    assert "no messages" in say("voicemail list --box 8013").stdout
    assert "+8613800000000" in say("voicemail list").stdout


def test_a_message_is_played_or_its_file_is_named(kept: str, say: Say, monkeypatch: Any) -> None:
    monkeypatch.setattr("engine.cli.sound.player", lambda: None)
    shown = say(f"voicemail play {kept}").stdout
    assert f"{kept}.wav" in shown
    unknown = say("voicemail play 99999999")
    assert unknown.exit_code == 1
    assert "there is no message 99999999" in unknown.stderr


def test_deleting_needs_the_engine(kept: str, say: Say) -> None:
    done = say(f"voicemail delete {kept}")
    assert done.exit_code != 0
    assert "insideline run" in done.stderr or "engine" in done.stderr


def test_answers_are_listed_and_averaged(kept: str, say: Say) -> None:
    assert [row["score"] for row in json.loads(say("rating list --agent 8013 --json").stdout)] == [4]
    rows = json.loads(say("rating list --by agent --json").stdout)
    assert [(row["name"], row["count"], row["mean"], row["lowest"], row["highest"]) for row in rows] == [
        ("8012", 2, 3.5, 2, 5),
        ("8013", 1, 4.0, 4, 4),
    ]
