"""Changed files are taken by the running engine, all or nothing; calls that run go on as they began."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import WrongState
from engine.hooks import loading
from engine.testing.home import Home

BLOCKS = """
greet:
  - answer
  - menu: {prompt: Press one., options: {1: next}, give_up: next}
next:
  - play: %s
  - hangup
"""


@pytest.fixture
def house(home: Home, centre_of: Any) -> Any:
    home.prompts(gone="A text that will go.")
    home.flow("shop/main", BLOCKS % "gone").number("8000", "shop/main")
    return home, centre_of(home)


def test_new_calls_meet_the_new_flow_and_calls_that_run_keep_theirs(house: Any) -> None:
    home, centre = house
    old = centre.caller().dials("8000")
    old.hears("Press one.")
    home.prompts(fresh="A new text.").flow("shop/main", BLOCKS % "fresh")
    done = centre.reloads()
    assert (done.ok, done.changed, done.later) == (True, ("flow shop/main", "prompts"), ())
    new = centre.caller().dials("8000")
    new.hears("Press one.").presses("1")
    new.hears("fresh")
    old.presses("1")
    old.hears("gone")
    assert new.ended == "NORMAL_CLEARING"
    assert old.ended == "NORMAL_CLEARING"
    hashes = [row.flow_hash for row in centre.cdrs()]
    assert done.flows in hashes
    assert len(set(hashes)) == 2


def test_what_callers_may_hear_is_rendered_again_after_a_reload(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, centre = house
    rendered: list[set[tuple[str, str]]] = []
    monkeypatch.setattr(
        centre.app.prompts, "warm", lambda languages, literals, gently: rendered.append(set(literals))
    )
    centre.app.clock.spawn(centre.app.keep_warm)
    centre.clock.advance(1)
    assert ("en", "Press one.") in rendered[0]
    assert not any(text == "gone" for _, text in rendered[0])  # a key: its text is in the catalogue
    home.flow("shop/main", BLOCKS.replace("Press one.", "Press the one.") % "gone")
    assert centre.reloads().ok
    centre.clock.advance(1)
    assert ("en", "Press the one.") in rendered[1]
    assert len(rendered) == 2


def test_a_broken_file_changes_nothing_and_every_fault_is_told(house: Any) -> None:
    home, centre = house
    before = centre.app.lead.flows
    home.flow("shop/main", BLOCKS % "no_such_prompt").flow(
        "shop/other", "a:\n  - play: Hello.\n  - go: nowhere\n"
    )
    home.prompts(gone="Another text.")
    done = centre.reloads()
    assert not done.ok
    assert {fault["code"] for fault in done.faults} >= {"unknown-prompt", "unknown-block"}
    assert all(fault["pretty"].startswith(f"{fault['file']}:{fault['line']}:") for fault in done.faults)
    assert centre.app.lead.flows is before
    caller = centre.caller().dials("8000")
    caller.hears("Press one.").presses("1")
    assert caller.hears("gone").text == "A text that will go."
    assert [row.data["faults"] for row in centre.journal(kind="engine.reload_refused")] == [len(done.faults)]


def test_numbers_and_calendars_and_a_new_department_are_taken(house: Any) -> None:
    home, centre = house
    centre.caller().dials("8005").hears("There is no such number.")
    home.write(
        "conf/calendars.yaml",
        'grammar: 1\ncalendars:\n  always: {timezone: Asia/Shanghai, week: {mon-sun: "00:00-01:00"}}\n',
    )
    home.write("plugins/fresh/prompts/en.yaml", "hello: Hello from a new department.\n")
    home.flow(
        "fresh/main",
        "a:\n  - answer\n  - open_hours: {calendar: always, closed: b}\n  - hangup\nb:\n  - play: hello\n  - hangup\n",
    )
    home.number("8005", "fresh/main")
    done = centre.reloads()
    assert done.ok, done.faults
    assert done.changed == ("flow fresh/main (new)", "the dialplan", "the calendars", "prompts")
    centre.caller().dials("8005").hears("fresh/hello")


def test_closures_stay_when_the_calendars_are_read_again(house: Any) -> None:
    _, centre = house
    centre.closes("always")
    assert centre.reloads().changed == ()
    assert not centre.app.closing.state("always").open


def test_queues_and_agents_are_taken_and_flows_may_use_them_at_once(house: Any) -> None:
    home, centre = house
    home.write("conf/queues.yaml", "grammar: 1\nqueues:\n  other: {title: {en: Other}}\n")
    home.write(
        "conf/agents.yaml",
        "grammar: 1\nagents:\n  207: {name: Agent Seven, phone: 1007, queues: [other], login: auto}\n",
    )
    home.flow(
        "shop/late",
        "a:\n  - answer\n  - queue: {name: other, full: b, too_long: b, no_agents: b}\n  - go: b\nb:\n  - hangup\n",
    )
    home.number("8006", "shop/late")
    done = centre.reloads()
    assert done.ok, done.faults
    assert {"queue other (new)", "queue desk (gone)", "agent 207 (new)"} <= set(done.changed)
    assert done.later == ()
    assert [queue.name for queue in centre.app.acd.queues()] == ["other"]
    caller = centre.caller().dials("8006")
    centre.agent("207").is_offered(caller).answers()
    caller.talks_to(centre.agent("207"))


def test_a_queue_that_nobody_knows_any_more_is_refused_while_a_flow_needs_it(house: Any) -> None:
    home, centre = house
    home.flow(
        "shop/late",
        "a:\n  - answer\n  - queue: {name: desk, full: b, too_long: b, no_agents: b}\n  - go: b\nb:\n  - hangup\n",
    )
    home.number("8006", "shop/late")
    assert centre.reloads().ok
    home.write("conf/queues.yaml", "grammar: 1\nqueues:\n  other: {title: {en: Other}}\n")
    home.write(
        "conf/agents.yaml", "grammar: 1\nagents:\n  201: {name: Agent One, phone: 1001, queues: [other]}\n"
    )
    done = centre.reloads()
    assert not done.ok
    assert [queue.name for queue in centre.app.acd.queues()] == ["desk"]


def test_what_needs_a_new_start_is_told_and_left_alone(house: Any) -> None:
    home, centre = house
    home.write("conf/trunks.yaml", "grammar: 1\ntrunks: [{name: other, host: 192.0.2.7}]\n")
    done = centre.reloads()
    assert done.ok, done.faults
    assert done.later == ("conf/trunks.yaml",)


def test_a_plugin_with_code_that_came_after_the_start_waits_for_the_next_and_keeps_nothing_else_back(
    house: Any,
) -> None:
    home, centre = house
    home.write("plugins/fresh/plugin.py", "# read at the next start\n")
    home.flow(
        "fresh/main",
        "a:\n  - answer\n  - query: {ask: fresh.thing, into: x, failed: b}\n  - say: text_of_its_own\n  - hangup\n"
        "b:\n  - fresh_step: {into: y}\n  - hangup\n",
    )
    home.number("8005", "fresh/main").flow("shop/main", BLOCKS % "Something else.")
    engine = home.folder / "conf" / "engine.yaml"
    home.write("conf/engine.yaml", engine.read_text(encoding="utf-8") + "departments: {fresh: {days: 3}}\n")
    done = centre.reloads()
    assert done.ok, done.faults
    assert {"flow fresh/main (new)", "flow shop/main", "the dialplan"} <= set(done.changed)
    told = "plugins/fresh (new; callers of 8005 are told that it can't be done)"
    assert done.later == ("conf/engine.yaml", told)
    caller = centre.caller().dials("8005")
    caller.hears("system_trouble")
    assert caller.ended == "NORMAL_CLEARING"


def test_changed_code_of_a_plugin_is_named_as_what_waits_for_the_next_start(
    home: Home, centre_of: Any
) -> None:
    home.plugin(
        "fresh",
        "from engine.api import Department, hookimpl\n\n\n@hookimpl\ndef register_department() -> Department:\n"
        "    return Department('fresh')\n",
    )
    centre = centre_of(home)
    assert centre.reloads().later == ()
    home.write("plugins/fresh/models.py", "# more of it\n")
    assert centre.reloads().later == ("plugins/fresh (changed code)",)
    loading.forget("fresh")


def test_a_call_is_taken_up_in_its_old_flow_after_a_reload_and_a_crash(house: Any) -> None:
    home, centre = house
    caller = centre.caller().dials("8000")
    caller.hears("Press one.")
    home.flow("shop/main", BLOCKS % "Something else.")
    assert centre.reloads().ok
    centre.engine.kill()
    centre.engine.start()
    caller.hears("silent")  # the switch asked on meanwhile, and nothing was pressed
    caller.hears("Press one.").presses("1")
    caller.hears("gone")


def test_two_reloads_at_once_are_refused(house: Any) -> None:
    _, centre = house
    first = centre.virtual.spawn(centre.reloads)
    centre.virtual.sleep(0)
    if not first.ready():
        with pytest.raises(WrongState):
            centre.reloads()
    first.join()
    assert first.value.ok
    assert centre.reloads().ok
