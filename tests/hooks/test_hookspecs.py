"""A hook exists only with a test, a real plugin that uses it, and its signature in the documentation."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.api import CliCommand, Context, Format, Prompt, Report, Step, Target
from engine.clock import VirtualClock
from engine.errors import PluginError
from engine.hooks import hookspecs
from engine.hooks.builtin_day import Day
from engine.hooks.host import Host
from engine.hooks.notifiers import Notifier
from engine.types import (
    AgentState,
    AgentView,
    BlockedView,
    CallView,
    KnowledgeView,
    PartyView,
    RecordingView,
    SettledView,
    TicketChange,
    TicketView,
)

ROOT = Path(__file__).parents[2]
HOOKS = {
    name: function
    for group in (hookspecs.Declare, hookspecs.Answer, hookspecs.Add, hookspecs.Told)
    for name, function in vars(group).items()
    if inspect.isfunction(function)
}


def signature(name: str) -> str:
    seen = inspect.signature(HOOKS[name])
    parameters = [one for one in seen.parameters.values() if one.name != "self"]
    return f"{name}{seen.replace(parameters=parameters)}".replace("'", "")


def documented() -> list[str]:
    text = (ROOT / "docs" / "hooks.md").read_text(encoding="utf-8")
    return re.findall(r"^#+ `(.+)`$", text, re.M)


def implementations(path: Path) -> Iterator[str]:
    """The names of the functions below ``path`` that are marked with @hookimpl, but for those of the board."""
    for file in path.rglob("*.py"):
        if "tests" in file.parts or file.name == "builtin_day.py":  # which implements all that are told
            continue
        text = file.read_text(encoding="utf-8")
        if "hookimpl" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and any(
                isinstance(one, ast.Name) and one.id == "hookimpl" for one in node.decorator_list
            ):
                yield node.name


def test_the_documentation_has_each_hook_with_its_signature_and_no_other() -> None:
    assert documented() == [signature(name) for name in HOOKS]


def test_each_hook_says_in_its_docstring_what_it_is_for() -> None:
    assert [name for name, function in HOOKS.items() if not inspect.getdoc(function)] == []


@pytest.mark.parametrize("name", [name for name in HOOKS if name != "register_department"])
def test_each_hook_has_a_test_of_its_own(name: str) -> None:
    assert f"test_{name}" in {one.rsplit("__", 1)[0] for one in globals() if one.startswith("test_")}


@pytest.fixture(scope="module")
def implemented() -> set[str]:
    """The hooks that real plugins implement."""
    return {*implementations(ROOT / "engine"), *implementations(ROOT / "plugins")}


@pytest.mark.parametrize("name", HOOKS)
def test_each_hook_has_a_real_plugin_that_uses_it(name: str, implemented: set[str]) -> None:
    assert name in implemented


# -- what the built-in plugin makes of each (register_department: tests/hooks/test_host.py) ------


@pytest.fixture
def day(host: Host, clock: VirtualClock) -> Day:
    day = Day(clock)
    host.add(day, "day")
    return day


def last(host: Host, day: Day) -> str:
    assert host.settle(1)
    assert not host.tallies["day"].failed
    return day.news[-1].text


def test_engine_started__is_news(host: Host, day: Day) -> None:
    host.tell.engine_started(switch="the simulator")
    assert last(host, day) == "the engine takes calls on the simulator"


def test_engine_stopping__is_news(host: Host, day: Day) -> None:
    host.tell.engine_stopping(why="SIGTERM")
    assert last(host, day) == "the engine takes no more calls: SIGTERM"


def test_call_started__counts_a_call(host: Host, day: Day, call: CallView) -> None:
    host.tell.call_started(call=call)
    assert last(host, day) == "+8613800000001 dials 8004"
    assert day.figures.calls == 1


def test_call_ended__counts_the_answered(host: Host, day: Day, call: CallView) -> None:
    host.tell.call_ended(call=call, cause="NORMAL_CLEARING")
    assert last(host, day) == "+8613800000001 is gone (NORMAL_CLEARING)"
    assert day.figures.answered == 1


def test_call_ended__of_a_call_that_was_never_answered_counts_none(host: Host, day: Day) -> None:
    from engine.types import CallState

    silent = CallView("c2", "", "8004", CallState.ENDED)
    host.tell.call_ended(call=silent, cause="USER_BUSY")
    assert last(host, day) == "a caller is gone (USER_BUSY)"
    assert day.figures.answered == 0


def test_call_queued__is_counted(host: Host, day: Day, call: CallView) -> None:
    host.tell.call_queued(call=call, queue="logistics", position=2, asker=None)
    assert last(host, day) == "+8613800000001 waits for logistics, position 2"
    assert day.figures.queued == 1


def test_call_abandoned__is_counted(host: Host, day: Day, call: CallView) -> None:
    host.tell.call_abandoned(call=call, queue="logistics", waited=12.4)
    assert last(host, day) == "+8613800000001 left logistics after 12 s"
    assert day.figures.abandoned == 1


def test_offer_missed__is_counted(host: Host, day: Day, call: CallView, agent: AgentView) -> None:
    host.tell.offer_missed(call=call, agent=agent, why="no_answer")
    assert last(host, day) == "8012 did not take +8613800000001 (no_answer)"
    assert day.figures.offers_missed == 1


def test_agent_state_changed__counts_talks(host: Host, day: Day, agent: AgentView) -> None:
    host.tell.agent_state_changed(agent=agent, before=AgentState.OFFERED)
    assert last(host, day) == "8012 Li Na: talking"
    assert day.figures.talks == 1


def test_wrapup_finished__is_counted(host: Host, day: Day, agent: AgentView) -> None:
    host.tell.wrapup_finished(agent=agent, call="c1", seconds=8.6, disposition="solved")
    assert last(host, day) == "8012 wrapped up in 9 s as solved"
    assert day.figures.wrap_ups == 1


def test_recording_finished__adds_up_the_seconds(host: Host, day: Day) -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    host.tell.recording_finished(recording=RecordingView("r1", "c1", "a.wav", at, at, 61.5))
    assert last(host, day) == "recorded 62 s"
    assert (day.figures.recordings, day.figures.recorded_seconds) == (1, 61.5)


def test_step_failed__names_flow_and_step(host: Host, day: Day, call: CallView) -> None:
    host.tell.step_failed(call=call, step="track[1] query", why="time_up")
    assert last(host, day) == "+8613800000001: logistics/main track[1] query failed: time_up"
    assert day.figures.steps_failed == 1


@pytest.mark.parametrize(
    ("settled", "said"),
    [
        (SettledView("orders.place", "k", "c1", "done"), "orders.place is done after all"),
        (SettledView("orders.place", "k", "c1", "refused", "credit"), "was refused after all: credit"),
        (
            SettledView("orders.place", "k", "c1", "stuck", error="it answered 500"),
            "must look: it answered 500",
        ),
    ],
)
def test_command_settled__says_what_became_of_it(
    host: Host, day: Day, settled: SettledView, said: str
) -> None:
    host.tell.command_settled(settled=settled)
    assert last(host, day).endswith(said)
    assert day.news[-1].call == "c1"


def test_engine_blocked__names_the_plugin(host: Host, day: Day) -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    host.tell.engine_blocked(blocked=BlockedView("warranty", "plugin.py:7 cover", 5.04, at))
    assert last(host, day) == "plugin warranty held everything up for 5.0 s at plugin.py:7 cover"
    host.tell.engine_blocked(blocked=BlockedView("", "wire.py:7 next", 1.0, at))
    assert last(host, day).startswith("the engine itself held everything up")


def test_ticket_changed__is_news(host: Host, day: Day) -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    ticket = TicketView("123456782", "complaint", "orders", "exceptions", "", "open", at, at)
    host.tell.ticket_changed(ticket=ticket, change=TicketChange("123456782", at, "opened", "", "", "open"))
    assert last(host, day) == "ticket 123456782 complaint (exceptions): opened"


def test_answer_published__is_news(host: Host, day: Day) -> None:
    first = KnowledgeView("1001", 1, "published", "answer", "What does a crate cost?")
    host.tell.answer_published(answer=first, before=None)
    assert last(host, day) == "1001 v1 is published (new)"
    host.tell.answer_published(answer=replace(first, version=2), before=first)
    assert last(host, day) == "1001 v2 is published (in place of v1)"


def test_register_notifiers__gives_the_host_ways_to_tell_people(host: Host) -> None:
    class Brings:
        @hookspecs.hookimpl
        def register_notifiers(self) -> list[Notifier]:
            return [Notifier("pager.beep", lambda ctx, notice, to: None)]

    host.add(Brings(), "pager")
    assert list(host.notifiers) == ["pager.beep"]


def test_register_notifiers__refuses_a_name_that_is_not_the_plugins(host: Host) -> None:
    class Brings:
        @hookspecs.hookimpl
        def register_notifiers(self) -> list[Notifier]:
            return [Notifier("beep", lambda ctx, notice, to: None)]

    with pytest.raises(PluginError, match=r"is called pager\.something"):
        host.add(Brings(), "pager")


class Bringing:
    """A plugin called `pager` that brings what a hook is asked for."""

    def __init__(self, hook: str, *brought: Any) -> None:
        setattr(self, hook, hookspecs.hookimpl(lambda: list(brought)))


def says(ctx: Context, since: date, city: str = "") -> list[tuple[str]]:
    return [(city,)]


class Beep(Step):
    kind = "pager_beep"
    prompt: Prompt
    failed: Target | None = None


def test_register_steps__gives_flows_a_kind_of_step(host: Host) -> None:
    host.add(Bringing("register_steps", Beep), "pager")
    assert host.steps == {"pager_beep": Beep}


def test_register_formats__gives_prompts_a_way_to_say_a_value(host: Host) -> None:
    made = Format("pager_beeps", (int,), {"en": lambda count: "beep " * count})
    host.add(Bringing("register_formats", made), "pager")
    assert host.formats == {"pager_beeps": made}


def test_register_reports__have_the_arguments_of_their_function_as_options(host: Host) -> None:
    made = Report("pager.beeps", "Beeps", ("city",), says)
    host.add(Bringing("register_reports", made), "pager")
    assert [(one.name, one.required) for one in host.reports["pager.beeps"].parameters] == [
        ("since", True),
        ("city", False),
    ]


def test_register_commands__are_known_by_plugin_and_name(host: Host) -> None:
    made = CliCommand("beep", says)
    host.add(Bringing("register_commands", made), "pager")
    assert host.commands == {"pager": {"beep": made}}


@pytest.mark.parametrize(
    ("hook", "brought", "message"),
    [
        ("register_steps", Format("pager_beeps", (int,), {"en": str}), "must return StepKinds"),
        ("register_formats", Format("beeps", (int,), {"en": str}), "is called pager_something"),
        ("register_reports", Report("beeps", "Beeps", ("city",), says), r"is called pager\.something"),
        ("register_commands", "beep", "must return CliCommands"),
    ],
)
def test_what_is_not_the_plugins_own_is_refused(host: Host, hook: str, brought: Any, message: str) -> None:
    with pytest.raises(PluginError, match=message):
        host.add(Bringing(hook, brought), "pager")


def test_a_plugin_named_as_a_command_of_the_engine_can_have_no_commands(host: Host) -> None:
    with pytest.raises(PluginError, match="`insideline queue` means something already"):
        host.add(Bringing("register_commands", CliCommand("beep", says)), "queue")


def test_the_words_that_are_reserved_are_those_of_the_command_line() -> None:
    from engine.cli.main import _COMMANDS
    from engine.hooks.brought import RESERVED

    assert set(_COMMANDS) <= RESERVED


def test_the_news_are_bounded(host: Host, clock: VirtualClock) -> None:
    day = Day(clock, remember=3)
    for at in range(5):
        day.engine_started(switch=str(at))
    assert [one.text[-1] for one in day.news] == ["2", "3", "4"]
    assert [one.number for one in day.since(0)] == [3, 4, 5]
    assert [one.number for one in day.since(4)] == [5]
    assert day.since(5) == day.since(99) == []


# -- what is asked -------------------------------------------------------------------------------


def asking(**more: Any) -> CallView:
    from engine.types import CallState

    return CallView("c1", "+8613800000001", "8004", CallState.FLOW, **more)


def a_party(**more: str) -> PartyView:
    return PartyView(7, "customer", "C7", "Lin Trading", **more)


def test_identify_party__knows_the_phones_of_the_house(centre: Any) -> None:
    answers = centre.app.lead.services.answers
    found = answers.first("identify_party", PartyView, call=asking(), by="number", value="1002")
    assert (found.kind, found.code, found.id) == ("employee", "1002", 0)
    assert (
        answers.first("identify_party", PartyView, call=asking(), by="number", value="+8613800000001") is None
    )
    assert answers.first("identify_party", PartyView, call=asking(), by="code", value="1002") is None


def test_recording_allowed__not_on_the_agents_own_line(centre: Any) -> None:
    answers = centre.app.lead.services.answers
    desk = asking(flow="desk/login")
    assert answers.first("recording_allowed", bool, call=desk, policy="service") is False
    assert (
        answers.first("recording_allowed", bool, call=asking(flow="logistics/main"), policy="service") is None
    )


def test_queue_priority__of_a_diamond_customer(centre: Any) -> None:
    answers = centre.app.lead.services.answers
    for tier, more in (("diamond", 30), ("gold", 10), ("ordinary", None)):
        call = asking(party=a_party(tier=tier))
        assert answers.first("queue_priority", int, call=call, queue="logistics") == more
    assert answers.first("queue_priority", int, call=asking(), queue="logistics") is None


def test_rank_agents__gives_a_diamond_customer_whoever_knows_waybills_best(centre: Any) -> None:
    answers = centre.app.lead.services.answers
    agents = tuple(centre.app.acd.agents())
    diamond = asking(party=a_party(tier="diamond"))
    ranked = answers.first("rank_agents", list, call=diamond, queue="logistics", agents=agents)
    skills = {agent.id: agent.skills.get("waybill", 0) for agent in agents}
    assert [skills[one] for one in ranked] == sorted(skills.values(), reverse=True)
    assert answers.first("rank_agents", list, call=asking(), queue="logistics", agents=agents) is None


def test_rank_agents__decides_who_is_offered_the_call(home: Any, centre_of: Any) -> None:
    home.flow(
        "shop/main",
        """
        greet:
          - answer
          - queue: {name: desk, full: bye, too_long: bye, no_agents: bye}
          - go: bye
        bye:
          - hangup
        """,
    ).number("8000", "shop/main")
    home.plugin(
        "shop",
        """
        from engine.api import hookimpl

        @hookimpl
        def rank_agents(queue, agents):
            return ["nobody", *sorted((one.id for one in agents), reverse=True)]
        """,
    )
    centre = centre_of(home)
    centre.clock.advance("1s")
    caller = centre.caller().dials("8000")
    centre.agent("202").is_offered(caller)  # 201 has been idle for as long, and comes first by itself


def test_screen_pop__shows_what_is_on_its_way_to_the_callers_site(centre: Any) -> None:
    answers = centre.app.lead.services.answers
    rows = centre.rows("logistics_waybills")
    popped = {
        row["destination"]: answers.all("screen_pop", call=asking(party=a_party(site=row["destination"])))
        for row in rows
    }
    shown = [line for one in popped.values() for line in one.get("shipments", [])]
    assert shown
    assert all(line.split()[1] != "delivered" for line in shown)
    assert answers.all("screen_pop", call=asking()) == {}


def test_one_that_raises_or_hangs_or_answers_nonsense_is_passed_over(host: Host, clock: VirtualClock) -> None:
    from engine.hooks.answers import Answers
    from engine.hooks.hookspecs import hookimpl

    class Says:
        def __init__(self, what: Any) -> None:
            self.what = what

        @hookimpl
        def recording_allowed(self, policy: str) -> Any:
            return self.what()

    def broken() -> Any:
        raise RuntimeError("broken")

    for name, what in (
        ("sound", lambda: True),
        ("nonsense", lambda: "yes"),
        ("hangs", lambda: clock.sleep(60)),
        ("broken", broken),
        ("exits", lambda: exit(3)),
    ):
        host.add(Says(what), name)
    answers = Answers(host, clock, None, within=1.0)  # type: ignore[arg-type]
    assert answers.first("recording_allowed", bool, call=asking(), policy="service") is True
    assert answers.tallies["hangs"].late == 1
    assert [answers.tallies[one].failed for one in ("nonsense", "broken", "exits", "sound")] == [1, 1, 1, 0]
