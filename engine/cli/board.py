"""The live board of ``insideline run``: calls and the step each is in, queues, agents, what happened last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, tzinfo
from typing import NamedTuple

import structlog
from rich import box
from rich.console import Console, RenderableType
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from engine.cli.home import zone
from engine.cli.show import as_typed, length, many, short
from engine.clock import Event
from engine.hooks.builtin_day import Figures
from engine.types import AgentState, AgentView, CallState, CallView, QueueView
from engine.web.parts import Parts

log = structlog.get_logger(__name__)

EVERY = 0.5  # seconds between two looks
_NEWS = 10  # lines
_HIGH = 30  # lines from which the board need not be sparing
_WIDE = 110  # columns from which queues and agents stand side by side
_FRAME = 3  # lines of a part that are its frame and its head

_CALL_COLOURS = {
    CallState.RINGING: "yellow",
    CallState.FLOW: "cyan",
    CallState.QUEUED: "magenta",
    CallState.TALKING: "green",
    CallState.ENDED: "dim",
}
_AGENT_COLOURS = {
    AgentState.READY: "green",
    AgentState.OFFERED: "yellow",
    AgentState.TALKING: "cyan",
    AgentState.HOLD: "cyan",
    AgentState.WRAP_UP: "blue",
    AgentState.PAUSED: "magenta",
    AgentState.LOGGED_OUT: "dim",
    AgentState.UNREACHABLE: "red",
}
# In which order agents are seen where there is no room for all.
_SEEN = (
    AgentState.OFFERED,
    AgentState.TALKING,
    AgentState.HOLD,
    AgentState.WRAP_UP,
    AgentState.UNREACHABLE,
    AgentState.PAUSED,
    AgentState.READY,
    AgentState.LOGGED_OUT,
)


def render(parts: Parts, height: int = 40, width: int = 120) -> RenderableType:
    """The board at this moment, for a terminal of so many lines and columns."""
    now = parts.clock.now()
    calls, queues, agents = parts.calls.views(), parts.acd.queues(), parts.acd.agents()
    faults = parts.host.faults
    hints = [*map(as_typed, parts.how_to_call), "Ctrl-C stops"]
    if height < _HIGH:
        hints = [f"{hints[-1]}   {hints[0]}"] if len(hints) > 1 else hints
    top = len(hints) + 1 + len(faults)
    beside = width >= _WIDE
    rows = _rows(height - top, len(calls), len(queues), len(agents), beside)
    asked = f"queues ({rows.queues} of {len(queues)})" if rows.queues < len(queues) else "queues"
    below = Layout(size=rows.people + _FRAME)
    if beside:
        below.split_row(
            Layout(_panel(asked, _queues(queues, rows.queues))),
            Layout(_panel(_counted(agents), _agents(agents, now, rows.agents))),
        )
    else:
        below.split_column(
            Layout(_panel(asked, _queues(queues, rows.queues)), size=rows.queues + _FRAME),
            Layout(_panel(_counted(agents), _agents(agents, now, rows.agents))),
        )
    whole = Layout()
    whole.split_column(
        Layout(_head(parts, now, hints), size=top),
        Layout(_panel(f"calls ({len(calls)})", _calls(calls, now, rows.calls, beside))),
        below,
        Layout(_panel("last events", _news(parts, rows.news)), size=rows.news + 2),
    )
    return whole


class _Rows(NamedTuple):
    """Lines of each part, without frames and heads."""

    calls: int
    queues: int
    agents: int
    news: int
    people: int  # of queues and agents together, all but one frame


def _rows(height: int, calls: int, queues: int, agents: int, beside: bool) -> _Rows:
    """How ``height`` lines are shared: what happens now comes before what happened last, and nobody goes empty."""
    queues, agents = max(queues, 1), max(agents, 1)
    if beside:
        news = max(3, min(_NEWS, height // (4 if height >= _HIGH else 8)))
        people = min(max(queues, agents), max(2, height // 4))
        return _Rows(max(2, height - news - 2 - people - 2 * _FRAME), people, people, news, people)
    news = max(2, min(_NEWS, height // 7))
    room = max(6, height - news - 2 - 3 * _FRAME)
    for_calls = min(max(calls, 2), room // 3)
    for_queues = min(queues, max(2, (room - for_calls) // 2))
    for_agents = min(agents, max(2, room - for_calls - for_queues))
    for_calls = room - for_queues - for_agents
    return _Rows(for_calls, for_queues, for_agents, news, for_queues + for_agents + _FRAME)


def watch(parts: Parts, console: Console, done: Event) -> None:
    """Show the board until ``done``; it takes the whole terminal and gives it back."""
    # Without Live's redirection: it draws what any thread writes to stderr, under the console's lock, and a thread that
    # ends in the middle of that (a writer of the store that is given up) would keep the lock, and the board still.
    with Live(
        console=console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
    ) as live:
        while True:
            live.update(_drawn(parts, console), refresh=True)
            if done.wait(EVERY):
                return


def _drawn(parts: Parts, console: Console) -> RenderableType:
    """The board; a word in its place when it can't be drawn, which ends neither the next look nor a call."""
    try:
        return render(parts, console.size.height, console.size.width)
    except Exception:
        log.exception("board.not_drawn")
        return Text(
            "The board can't be drawn; var/insideline.log says why. Calls go on. Ctrl-C stops.", "red"
        )


def tell(parts: Parts, say: Callable[[str], object], done: Event) -> None:
    """Say each event as a line, until ``done``: for where there is no terminal."""
    told = 0
    while True:
        finished = done.wait(EVERY)
        lines, there = [], zone()
        for one in parts.day.since(told):
            told = one.number
            call = f" [{short(one.call)}]" if one.call else ""
            lines.append(f"{_clock(one.at, there)} {one.text}{call}")
        if lines:
            say("\n".join(lines))  # at once: a line that is written costs more than one that is made
        if finished:
            return


def summary(figures: Figures, seconds: float) -> list[str]:
    """What the day was, in a few lines."""
    over = f"{figures.ended} over, " if figures.ended < figures.calls else ""
    lines = [
        f"{many(figures.calls, 'call')} in {length(seconds)}, {over}{figures.answered} answered",
        f"{figures.queued} waited for an agent: {many(figures.talks, 'talk')}, {figures.abandoned} gave up, "
        f"{many(figures.offers_missed, 'offer')} missed",
        f"{many(figures.recordings, 'recording')} ({length(figures.recorded_seconds)})",
    ]
    if figures.steps_failed:
        lines.append(f"{many(figures.steps_failed, 'step')} failed (the log says why)")
    return lines


# -- the parts of the board ---------------------------------------------------------------------


def _head(parts: Parts, now: datetime, hints: Iterable[str]) -> RenderableType:
    switch = parts.switch()
    up = "up" if switch.up else f"NOT THERE ({switch.why})"
    figures = parts.day.figures
    head = Text.assemble(
        (f"Insideline {parts.version}", "bold"),
        f" on {switch.name}: ",
        (up, "green" if switch.up else "bold red"),
        f"   {_clock(now, zone())}   {many(figures.calls, 'call')} in {length((now - parts.began).total_seconds())}",
        no_wrap=True,
        overflow="ellipsis",
    )
    for fault in parts.host.faults:
        head.append(
            f"\nplugin {fault.plugin} is KEPT OUT: {fault.short}{parts.led_away(fault.plugin)}", "bold red"
        )
    for hint in hints:
        head.append(f"\n{hint}", "dim")
    return head


def _panel(title: str, inside: RenderableType) -> Panel:
    return Panel(inside, title=title, title_align="left", box=box.ROUNDED, border_style="dim", padding=(0, 1))


def _table(*columns: tuple[str, int]) -> Table:
    """A table of (title, least width); the column of width 0 takes what is left."""
    table = Table(box=None, expand=True, pad_edge=False, header_style="dim")
    for title, width in columns:
        table.add_column(
            title, no_wrap=True, overflow="ellipsis", min_width=width or None, ratio=None if width else 1
        )
    return table


def _calls(calls: list[CallView], now: datetime, most: int, wide: bool) -> RenderableType:
    if not calls:
        return Text("no calls", "dim")
    table = _table(("from", 14), ("to", 5), ("state", 7), ("flow and step", 0), ("with", 9), ("for", 7))
    shown = calls if len(calls) <= most else calls[-(most - 1) :]
    for call in shown:
        table.add_row(
            Text(call.number or "withheld"),
            Text(call.dialled),
            Text(call.state.value, _CALL_COLOURS[call.state]),
            Text(f"{call.flow if wide else call.flow.rpartition('/')[2]} {call.step}".strip()),
            Text(call.agent or call.queue),
            Text(length((now - call.began).total_seconds()) if call.began else ""),
        )
    if len(shown) < len(calls):
        table.add_row(Text(f"… and {len(calls) - len(shown)} older", "dim"))
    return table


def _queues(queues: list[QueueView], most: int) -> RenderableType:
    if not queues:
        return Text("no queues", "dim")
    table = _table(
        ("queue", 0), ("waiting", 7), ("longest", 7), ("ready", 6), ("busy", 4), ("taken", 5), ("left", 4)
    )
    shown = queues
    if len(queues) > most:  # those in which somebody waits are seen first
        shown = sorted(queues, key=lambda queue: -queue.longest_wait)[:most]
    for queue in shown:
        waiting = queue.callers
        table.add_row(
            Text(queue.name, "red" if queue.closed else ""),
            Text(str(waiting), "bold magenta" if waiting else ""),
            Text(length(queue.longest_wait) if waiting else ""),
            Text("closed", "red")
            if queue.closed
            else Text(f"{queue.agents_ready}/{queue.agents_in}", "" if queue.agents_ready else "yellow"),
            Text(str(queue.agents_busy)),
            Text(str(queue.answered)),
            Text(str(queue.abandoned)),
        )
    return table


def _agents(agents: list[AgentView], now: datetime, most: int) -> RenderableType:
    if not agents:
        return Text("no agents", "dim")
    table = _table(("agent", 5), ("name", 0), ("phone", 5), ("state", 10), ("for", 7), ("taken", 5))
    shown = sorted(agents, key=lambda agent: agent.state is AgentState.LOGGED_OUT)
    if len(agents) > most:  # who is on a call or away comes first
        shown = sorted(agents, key=lambda agent: _SEEN.index(agent.state))[:most]
    for agent in shown:
        said = _said(agent.state) + (f" ({agent.reason})" if agent.reason else "")
        table.add_row(
            Text(agent.id),
            Text(agent.name),
            Text(agent.phone, "" if agent.reachable else "red"),
            Text(said, _AGENT_COLOURS[agent.state]),
            Text(length((now - agent.since).total_seconds())),
            Text(str(agent.calls_taken)),
        )
    return table


def _counted(agents: list[AgentView]) -> str:
    """How many agents are in which state."""
    counts = Counter(agent.state for agent in agents)
    return ", ".join(["agents", *(f"{counts[state]} {_said(state)}" for state in _SEEN if state in counts)])


def _said(state: AgentState) -> str:
    return state.value.replace("_", " ")


def _news(parts: Parts, most: int) -> RenderableType:
    lines, there = Text(no_wrap=True, overflow="ellipsis"), zone()
    for one in list(parts.day.news)[-most:]:
        lines.append(f"{_clock(one.at, there)}  ", "dim")
        lines.append(f"{one.text}\n", "red" if one.kind == "step_failed" else "")
    return lines


def _clock(when: datetime, there: tzinfo | None) -> str:
    return when.astimezone(there).strftime("%H:%M:%S")
