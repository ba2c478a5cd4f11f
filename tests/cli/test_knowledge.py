"""``insideline knowledge`` and ``certification`` without a running engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click import Choice, Context, Group
from click.testing import CliRunner, Result

from engine.cli.main import cli
from engine.records import callbacks, knowledge, notices, tickets
from engine.testing.home import Home

AGENTS = """\
grammar: 1
agents:
  201: {name: Agent One, phone: 1001, languages: [en], queues: [desk], skills: {claims: 1}}
  202: {name: Agent Two, phone: 1002, languages: [en], queues: [desk], roles: [agent, knowledge_editor]}
"""
RULE = """---
id: LIAB-02
title: Who pays?
kind: rule
must_read: [claims]
quiz:
- ask: Who proves it?
  choices: [the sender, the carrier]
  right: '1'
---

## en

The sender proves it.
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "house").write("conf/agents.yaml", AGENTS)


def run(home: Home, *words: str, fails: bool = False) -> str:
    done: Result = CliRunner().invoke(cli, [*words, "--home", str(home.folder)])
    assert (done.exit_code != 0) == fails, done.output
    return done.output


def test_an_item_goes_its_way_at_a_terminal_and_is_passed(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "rule.md"
    file.write_text(RULE, encoding="utf-8")
    assert "LIAB-02 v1 is draft" in run(home, "knowledge", "edit", str(file), "--as", "201")
    assert "is no knowledge editor" in run(home, "knowledge", "review", "LIAB-02", "--as", "201", fails=True)
    run(home, "knowledge", "review", "LIAB-02", "--as", "202")
    assert "LIAB-02 v1 is published" in run(home, "knowledge", "publish", "LIAB-02", "--as", "202")
    assert "The sender proves it." in run(home, "knowledge", "show", "LIAB-02")
    found = json.loads(run(home, "knowledge", "search", "who pays", "--json"))
    assert [one["id"] for one in found] == ["LIAB-02"]
    [lack] = json.loads(run(home, "certification", "missing", "--json"))
    assert (lack["agent"], lack["id"], lack["skills"]) == ("201", "LIAB-02", ["claims"])
    assert "has not read" in run(home, "certification", "quiz", "201", "LIAB-02", "1", fails=True)
    assert "1 the sender" in run(home, "certification", "read", "201", "LIAB-02")
    for answers, why in (
        (("1", "2"), "the quiz has 1 question, and not 2"),
        (("3",), "has the choices 1 to 2"),
    ):
        assert why in run(home, "certification", "quiz", "201", "LIAB-02", *answers, fails=True)
    assert "0 of 1 are right: not passed" in run(
        home, "certification", "quiz", "201", "LIAB-02", "2", fails=True
    )
    assert "1 of 1 are right: passed" in run(home, "certification", "quiz", "201", "LIAB-02", "1")
    assert json.loads(run(home, "certification", "missing", "--json")) == []
    assert "there is no agent 209" in run(home, "certification", "pass", "209", "LIAB-02", fails=True)
    out = tmp_path / "out"
    assert "1 file in" in run(home, "knowledge", "export", str(out))
    other = Home(tmp_path / "other")
    assert "1 of 1 versions taken in" in run(other, "knowledge", "import", str(out))
    assert "The sender proves it." in run(other, "knowledge", "show", "LIAB-02")
    file.write_text("no head", encoding="utf-8")
    assert "rule.md: it does not begin with a head" in run(home, "knowledge", "edit", str(file), fails=True)


def test_lists_are_asked_for_states_that_there_are(home: Home) -> None:
    known = {
        "knowledge": knowledge.STATES,
        "ticket": tickets.STATES,
        "callback": callbacks.STATES,
        "notice": notices.STATES,
    }
    for command, states in known.items():
        group = cli.get_command(Context(cli), command)
        assert isinstance(group, Group)
        [state] = [one for one in group.commands["list"].params if one.name == "state"]
        assert isinstance(state.type, Choice)
        assert tuple(state.type.choices) == states
    assert "is not one of" in run(home, "knowledge", "list", "--state", "foo", fails=True)


@pytest.mark.parametrize(
    "line",
    [
        "take 1",
        "assign 1 8053",
        "answer 1 yes",
        "return 1 no",
        "note 1 so",
        "solve 1",
        "close 1",
        "reopen 1 no",
    ],
)
def test_whoever_works_on_a_ticket_at_a_shared_terminal_says_who_it_is(
    home: Home, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    told: list[tuple[str, str]] = []

    def post(self: object, path: str, **body: str) -> dict[str, str]:
        told.append((path, body["by"]))
        return {"number": "1", "state": "open", "owner": body.get("owner", "")}

    monkeypatch.setattr("engine.cli.tickets.Engine.post", post)
    monkeypatch.setattr("engine.cli.tickets.getpass.getuser", lambda: "root")
    for who in (["--as", "8052"], []):
        done = CliRunner().invoke(cli, ["ticket", *line.split(), *who, "--home", str(home.folder)])
        assert done.exit_code == 0, done.output
    deed = line.split()[0]
    assert told == [(f"/tickets/1/{deed}", "8052"), (f"/tickets/1/{deed}", "root")]
