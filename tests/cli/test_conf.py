"""``insideline conf check``: everything in conf/, with places and suggestions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import Result

Say = Callable[..., Result]
ROOT = Path(__file__).parents[2]


def change(centre: Path, file: str, before: str, after: str) -> None:
    path = centre / "conf" / file
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


def test_sound_files_pass(centre: Path, say: Say) -> None:
    done = say("conf check")
    assert done.exit_code == 0, done.stderr
    assert "no fault" in done.stdout


@pytest.mark.parametrize(
    ("file", "before", "after", "words"),
    [
        ("queues.yaml", "longest_idle ", "longest_idol ", 'did you mean "longest_idle"?'),
        ("queues.yaml", "calendar: desk", "calendar: desks", 'did you mean "desk"?'),
        ("queues.yaml", "skills: {orders: 1}", "skills: {weybill: 1}", 'did you mean "waybill"?'),
        ("queues.yaml", "music: default", "overflow: {after: 5m, to: flow:common/survei}", '"common/survey"'),
        ("queues.yaml", "music: default", "overflow: {after: 5m, to: queue:logistic}", '"logistics"'),
        (
            "queues.yaml",
            "music: default",
            "relax: [{after: 9s, skills: any}, {after: 9s, site: any}]",
            "relax-",
        ),
        ("agents.yaml", "queues: [logistics]", "queues: [logistic]", 'did you mean "logistics"?'),
    ],
)
def test_a_fault_is_shown_with_its_place_and_what_was_meant(
    centre: Path, say: Say, file: str, before: str, after: str, words: str
) -> None:
    change(centre, file, before, after)
    done = say("conf check")
    assert done.exit_code == 1
    assert f"conf/{file}:" in done.stderr
    assert words in done.stderr
    faults = [one for one in json.loads(say("conf check --json").stdout) if one["severity"] == "error"]
    assert all((one["file"], one["line"] > 0) == (f"conf/{file}", True) for one in faults)
    assert faults


def test_all_that_can_be_named_is_named_in_one_run(centre: Path, say: Say) -> None:
    """An agent, a queue and a group that are written wrong hide nothing of what others name, and are there."""
    change(centre, "agents.yaml", "phone: 1021", "phoen: 1021")
    change(centre, "agents.yaml", "queues: [logistics]", "queues: [logistic]")
    change(centre, "queues.yaml", "calendar: desk", "calendra: desk")
    change(centre, "queues.yaml", "calendar: desk", "calendar: dekc")
    change(centre, "notify.yaml", "rings: 30s", "ringz: 30s")
    change(centre, "notify.yaml", "notifier: hr.task", "notifier: hr.taks")
    faults = [one for one in json.loads(say("conf check --json").stdout) if one["severity"] == "error"]
    assert sorted((one["file"].removeprefix("conf/"), one["code"]) for one in faults) == [
        ("agents.yaml", "unknown-key"),
        ("agents.yaml", "unknown-queue"),
        ("notify.yaml", "unknown-key"),
        ("notify.yaml", "unknown-notifier"),
        ("queues.yaml", "unknown-calendar"),
        ("queues.yaml", "unknown-key"),
    ]
    assert "outside conf/" not in say("conf check").stderr, "and no flow is said to name what is there"


def test_an_overflow_to_a_box_needs_the_common_flows(centre: Path, say: Say) -> None:
    change(centre, "queues.yaml", "music: default", "overflow: {after: 5m, to: voicemail:logistics}")
    assert say("conf check").exit_code == 0
    (centre / "plugins" / "common" / "flows" / "leave_message.yaml").unlink()
    done = say("conf check")
    assert done.exit_code == 1
    assert "an overflow to a voicemail runs the flow `common/leave_message`" in done.stderr


def test_faults_elsewhere_are_counted_and_no_fault_of_conf(centre: Path, say: Say) -> None:
    flow = centre / "plugins" / "reception" / "flows" / "main.yaml"
    flow.write_text(flow.read_text(encoding="utf-8").replace("start: ", "start: no", 1), encoding="utf-8")
    done = say("conf check")
    assert done.exit_code == 0
    assert "outside conf/ (`insideline flow check` shows them)" in done.stderr


def test_a_skill_that_brings_no_calls_for_want_of_a_certificate_is_a_warning(centre: Path, say: Say) -> None:
    """Before there is a database nobody can have passed anything, and nothing is said of it."""
    assert "skill-withheld" not in say("conf check").stderr
    agents = yaml.safe_load((centre / "conf" / "agents.yaml").read_text(encoding="utf-8"))["agents"]
    agent = next(name for name, one in agents.items() if "waybill" in one.get("skills", {}))
    (centre / "rules").mkdir()
    head = "id: '9901'\nversion: '1'\nkind: rule\nstate: published\ntitle: Two seals\n"
    head += "must_read: [waybill]\npublished: '2026-01-05T00:00:00+00:00'\n"
    (centre / "rules" / "9901.md").write_text(
        f"---\n{head}---\n\n## en\n\nA waybill has two seals.\n", encoding="utf-8"
    )
    assert say("data seed --history 0d").exit_code == 0
    taken = say(f"knowledge import {centre / 'rules'}")
    assert taken.exit_code == 0, taken.stderr
    done = say("conf check")
    told = f"`{agent}` gets no calls for the skill `waybill`: not certified on 9901 v1"
    assert (done.exit_code, told in done.stderr, "warning" in done.stdout) == (0, True, True), done.stderr
    assert say(f"certification read {agent} 9901").exit_code == 0
    assert say(f"certification pass {agent} 9901").exit_code == 0
    assert told not in say("conf check").stderr
