"""Who looks after a box is told of each message in it, once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.records.notify_file import load_notify
from engine.testing.home import Home
from tests.records.conftest import desk_home

FLOW = """
take:
  - answer
  - voicemail: {box: reception, prompt: leave_message, limit: 60s}
  - play: bye
  - hangup
"""
NOTIFY = """grammar: 1
groups: {{leads: {{ways: [{{phone: "1002"}}]}}}}
boxes: {{{boxes}}}
"""


@pytest.fixture
def mailbox(home: Home, centre_of: Any) -> Any:
    """A centre whose number 8000 takes a message; 8003 does, too, and does not know who calls."""

    def make(boxes: str = "reception: leads") -> Any:
        desk_home(home, FLOW)
        home.write("conf/notify.yaml", NOTIFY.format(boxes=boxes))
        texts = (home.folder / "prompts/en.yaml").read_text()
        home.write(
            "prompts/en.yaml",
            texts + "message_left: A message of {seconds:duration} in box {box} at {left:time}.\n"
            "message_left_by: A message of {seconds:duration} in box {box} by {number:phone} at {left:time}.\n",
        )
        return centre_of(home.number("8003", "help/main", "identity: deferred"))

    return make


def leaves(centre: Any, dialled: str = "8000") -> Any:
    caller = centre.caller("+8613811112222").dials(dialled)
    caller.hears("leave_message").says("6s").hears_beep()
    caller.hears("bye")
    return caller


def rung(centre: Any) -> str:
    """What is said on the phone of those who are told."""
    phone = centre.simulator.phone("1002")
    ring = phone.wait_ring(60.0)
    assert ring is not None
    phone.answer()
    said = centre.describe(ring.next_playback(30.0).path)
    phone.hang_up()
    return str(said.text)


def test_a_message_is_told_with_its_box_its_time_and_who_left_it(mailbox: Any) -> None:
    centre = mailbox()
    leaves(centre)
    said = rung(centre)
    assert "in box reception by" in said
    assert "seconds" in said
    centre.clock.advance("20m")
    row = centre.one("notices")
    assert (row["prompt"], row["key"]) == ("message_left_by", "message:" + centre.one("messages")["id"])


def test_who_left_it_is_not_told_where_nobody_may_know(mailbox: Any) -> None:
    centre = mailbox()
    leaves(centre, "8003")
    said = rung(centre)
    assert "in box reception at" in said
    centre.nowhere("13811112222")


def test_a_box_that_nobody_looks_after_is_told_to_nobody_or_to_those_of_all_boxes(mailbox: Any) -> None:
    centre = mailbox('other: leads, "*": leads')
    leaves(centre)
    assert "in box reception by" in rung(centre)


def test_a_message_is_told_once_over_a_restart_and_also_when_the_engine_died_before_it_told(
    mailbox: Any,
) -> None:
    centre = mailbox()
    centre.app.sounds.messages.on_left = None  # it dies before it comes to that
    leaves(centre)
    assert not centre.rows("notices")
    for _ in range(2):
        centre.engine.kill()
        centre.engine.start()
        centre.clock.advance("5s")
    assert len(centre.rows("notices")) == 1


def test_a_group_that_there_is_not_is_told_at_its_place(tmp_path: Path) -> None:
    (tmp_path / "notify.yaml").write_text(NOTIFY.format(boxes="reception: laeds"))
    _, faults = load_notify(tmp_path / "notify.yaml", notifiers=frozenset(), languages=("en",))
    assert [(fault.line, fault.column, fault.code) for fault in faults] == [(3, 20, "unknown-group")]
    assert "leads" in faults.pretty()
