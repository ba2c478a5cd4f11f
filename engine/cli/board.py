"""The live board of ``insideline run``: calls and the step each is in, queues, agents, what happened last."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from rich import box
from rich.console import Console, RenderableType
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from engine.cli.show import as_typed, length, many, short
from engine.clock import Event
from engine.hooks.builtin_day import Figures
from engine.types import AgentState, AgentView, CallState, CallView, QueueView
from engine.web.parts import Parts

EVERY = 0.5  # seconds between two looks
_NEWS = 10  # lines
_HIGH = 30  # lines from which the board need not be sparing
_WIDE = 110  # columns from which queues and agents stand side by side

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
    AgentState.WRAP_UP: "blue",
    AgentState.PAUSED: "magenta",
    AgentState.LOGGED_OUT: "dim",
    AgentState.UNREACHABLE: "red",
}


def render(parts: Parts, height: int = 40, width: int = 120) -> RenderableType:
    """The board at this moment, for a terminal of so many lines and columns."""
    now = parts.clock.now()
    calls, queues, agents = parts.calls.views(), parts.acd.queues(), parts.acd.agents()
    faults = parts.host.faults
    hints = [*map(as_typed, parts.how_to_call), "Ctrl-C stops"]
    if height < _HIGH:
        hints = [f"{hints[-1]}   {hints[0]}"] if len(hints) > 1 else hints
    top = len(hints) + 1 + len(faults)
    news = max(3, min(_NEWS, height // (4 if height >= _HIGH else 8)))
    people = min(max(len(queues), len(agents), 1) + 1, max(3, height // 4))
    beside = width >= _WIDE
    asked, manned = (people, people) if beside else (min(people, len(queues) + 1), people)
    below = Layout(size=people + 2 if beside else asked + manned + 4)
    (below.split_row if beside else below.split_column)(
        Layout(_panel("queues", _queues(queues[: asked - 1])), size=None if beside else asked + 2),
        Layout(_panel("agents", _agents(agents, now, manned - 1))),
    )
    room = max(3, height - top - (below.size or 0) - news - 4)
    whole = Layout()
    whole.split_column(
        Layout(_head(parts, now, hints), size=top),
        Layout(_panel(f"calls ({len(calls)})", _calls(calls, now, room - 1, beside))),
        below,
        Layout(_panel("last events", _news(parts, news)), size=news + 2),
    )
    return whole


def watch(parts: Parts, console: Console, done: Event) -> None:
    """Show the board until ``done``; it takes the whole terminal and gives it back."""
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            live.update(render(parts, console.size.height, console.size.width), refresh=True)
            if done.wait(EVERY):
                return


def tell(parts: Parts, say: Callable[[str], object], done: Event) -> None:
    """Say each event as a line, until ``done``: for where there is no terminal."""
    told = 0
    while True:
        finished = done.wait(EVERY)
        for one in parts.day.since(told):
            told = one.number
            call = f" [{short(one.call)}]" if one.call else ""
            say(f"{_clock(one.at)} {one.text}{call}")
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
        f"   {_clock(now)}   {many(figures.calls, 'call')} in {length((now - parts.began).total_seconds())}",
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


def _queues(queues: list[QueueView]) -> RenderableType:
    if not queues:
        return Text("no queues", "dim")
    table = _table(
        ("queue", 0), ("waiting", 7), ("longest", 7), ("ready", 5), ("busy", 4), ("taken", 5), ("left", 4)
    )
    for queue in queues:
        waiting = queue.callers
        table.add_row(
            Text(f"{queue.name} (closed)", "red") if queue.closed else Text(queue.name),
            Text(str(waiting), "bold magenta" if waiting else ""),
            Text(length(queue.longest_wait) if waiting else ""),
            Text(f"{queue.agents_ready}/{queue.agents_in}", "" if queue.agents_ready else "yellow"),
            Text(str(queue.agents_busy)),
            Text(str(queue.answered)),
            Text(str(queue.abandoned)),
        )
    return table


def _agents(agents: list[AgentView], now: datetime, most: int) -> RenderableType:
    if not agents:
        return Text("no agents", "dim")
    table = _table(("agent", 5), ("name", 0), ("phone", 5), ("state", 10), ("for", 7), ("taken", 5))
    # Who is there comes first: with many agents the logged-out ones fall off the end.
    order = sorted(agents, key=lambda agent: agent.state is AgentState.LOGGED_OUT)
    for agent in order[:most]:
        said = agent.state.value.replace("_", " ") + (f" ({agent.reason})" if agent.reason else "")
        table.add_row(
            Text(agent.id),
            Text(agent.name),
            Text(agent.phone, "" if agent.reachable else "red"),
            Text(said, _AGENT_COLOURS[agent.state]),
            Text(length((now - agent.since).total_seconds())),
            Text(str(agent.calls_taken)),
        )
    return table


def _news(parts: Parts, most: int) -> RenderableType:
    lines = Text(no_wrap=True, overflow="ellipsis")
    for one in list(parts.day.news)[-most:]:
        lines.append(f"{_clock(one.at)}  ", "dim")
        lines.append(f"{one.text}\n", "red" if one.kind == "step_failed" else "")
    return lines


def _clock(when: datetime) -> str:
    return when.astimezone().strftime("%H:%M:%S")
