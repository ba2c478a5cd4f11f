"""What benchmarks report into, the table that people read, and the file that programs read."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. ``ratio`` is what the goal speaks of, as the goal reads; None where there is no peer."""

    name: str
    ours: float | None
    peer: float | None
    peer_name: str
    unit: str
    ratio: float | None
    goal: str
    holds: bool | None  # None: not measured here, or no goal
    why: str = ""  # why it was not measured
    benchmark: str = ""
    at: str = ""


class Report:
    """Collects figures. A benchmark calls :meth:`compare`, :meth:`limit` or :meth:`left_out` for each."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: list[Row] = []
        self._benchmark = ""
        self._console = Console() if sys.stdout.isatty() else Console(width=140)

    def begin(self, benchmark: str) -> None:
        """The next figures are of this benchmark."""
        self._benchmark = benchmark
        self._console.print(f"running {benchmark} …", style="dim")

    def compare(
        self,
        name: str,
        ours: float,
        peer: float,
        peer_name: str,
        unit: str,
        *,
        at_least: float | None = None,
        at_most: float | None = None,
    ) -> None:
        """Ours against a peer, less being better. ``at_least=7``: the peer needs at least 7 times ours
        (ratio peer/ours). ``at_most=1.25``: ours needs at most 1.25 times the peer's (ratio ours/peer)."""
        if at_most is not None:
            ratio, goal = ours / peer, f"<= {at_most:g} x"
            holds: bool | None = ratio <= at_most
        else:
            ratio = peer / ours
            goal = "" if at_least is None else f">= {at_least:g} x"
            holds = None if at_least is None else ratio >= at_least
        self._add(Row(name, ours, peer, peer_name, unit, ratio, goal, holds))

    def limit(
        self,
        name: str,
        ours: float,
        unit: str,
        *,
        at_most: float | None = None,
        at_least: float | None = None,
    ) -> None:
        """A figure of ours with a bound of its own and no peer; without a bound it is only told."""
        if at_most is not None:
            goal, holds = f"<= {at_most:g} {unit}", ours <= at_most
        elif at_least is not None:
            goal, holds = f">= {at_least:g} {unit}", ours >= at_least
        else:
            goal, holds = "", None
        self._add(Row(name, ours, None, "", unit, None, goal, holds))

    def left_out(self, name: str, why: str) -> None:
        """Say plainly that this can't be measured on this machine, and what is missing."""
        self._add(Row(name, None, None, "", "", None, "", None, why))

    def broke(self, why: str) -> None:
        """The benchmark itself failed."""
        self._add(Row(self._benchmark, None, None, "", "", None, "", False, why))

    @property
    def good(self) -> bool:
        """Whether no goal was missed and nothing broke."""
        return all(row.holds is not False for row in self._rows)

    def show(self) -> None:
        """Print the table."""
        table = Table(title="Insideline benchmarks")
        for column in ("benchmark", "what"):
            table.add_column(column)
        for column in ("ours", "peer"):
            table.add_column(column, justify="right")
        table.add_column("against")
        table.add_column("ratio", justify="right")
        table.add_column("goal")
        table.add_column("")
        for row in self._rows:
            ours, peer = (_figure(value, row.unit) for value in (row.ours, row.peer))
            ratio = "" if row.ratio is None else f"{row.ratio:.2f} x"
            table.add_row(row.benchmark, row.name, ours, peer, row.peer_name, ratio, row.goal, _verdict(row))
        self._console.print(table)

    def write(self) -> None:
        """Write the file; figures of benchmarks that did not run this time stay as they were."""
        ran = {row.benchmark for row in self._rows}
        kept = [row for row in self._read() if row.get("benchmark") not in ran]
        rows = kept + [asdict(row) for row in self._rows]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    def _read(self) -> list[dict[str, object]]:
        try:
            rows = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # the first run, or a file cut short: it is written anew
            return []
        return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []

    def _add(self, row: Row) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        values = {**asdict(row), "benchmark": self._benchmark, "at": now}
        self._rows.append(Row(**values))


def _figure(value: float | None, unit: str) -> str:
    return (
        ""
        if value is None
        else f"{value:,.3g} {unit}".strip()
        if value < 1000
        else f"{value:,.0f} {unit}".strip()
    )


def _verdict(row: Row) -> Text:
    if row.why:
        return (
            Text(f"broke: {row.why}", "bold red")
            if row.holds is False
            else Text(f"left out: {row.why}", "yellow")
        )
    if row.holds is None:
        return Text("")
    return Text("holds", "green") if row.holds else Text("MISSED", "bold red")
