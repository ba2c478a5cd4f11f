"""The home of ``tests/flows/admin``: read as an installation is, so that its flows can be checked and varied."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from engine.clock import VirtualClock
from engine.flows.calendars import load_calendars
from engine.flows.checker import check
from engine.flows.known import Known
from engine.flows.loader import Draft, find_flows, parse_flow
from engine.flows.model import FlowSet
from engine.flows.steps import STEPS
from engine.hooks.host import Host
from engine.hooks.known import known_of
from engine.prompts.catalogue import load_catalogue
from engine.prompts.spoken import FORMATS
from engine.schema.faults import Faults

REPO = Path(__file__).parents[2]
ADMIN = Path(__file__).parent / "admin"


@dataclass(frozen=True)
class Administered:
    """What the flows may refer to, and their texts by name."""

    known: Known
    texts: dict[str, str]
    faults: Faults

    def check(self, **changed: str) -> tuple[FlowSet | None, Faults]:
        """All flows, with the texts of some of them (``power_main``) in place of their own."""
        drafts: list[Draft] = []
        for name, text in self.texts.items():
            text = changed.get(name.replace("/", "_"), text)
            drafts.append(parse_flow(text, name, STEPS, file=f"{name}.yaml"))
        checked = check(drafts, self.known)
        return checked.flows, checked.faults


@cache
def administered() -> Administered:
    """Read once: no test changes it."""
    host = Host(VirtualClock())
    host.load(ADMIN / "plugins", installed=False)
    try:
        assert not host.faults, host.faults
        declared = known_of(host.departments.values())
    finally:
        host.stop()
    folders = {path.name: path for path in sorted((ADMIN / "plugins").iterdir()) if path.is_dir()}
    catalogue, faults = load_catalogue(REPO / "prompts", folders)
    known = Known(
        prompts=catalogue.known(),
        texts=catalogue.words(),
        queues={"power", "office"},
        queries=declared.queries,
        commands=declared.commands,
        formats=FORMATS,
    )
    calendars, more = load_calendars(ADMIN / "conf" / "calendars.yaml", today=date(2026, 6, 1), known=known)
    faults.extend(more)
    assert calendars is not None, faults.pretty()
    known = Known(
        **{**{name: getattr(known, name) for name in known.__slots__}, "calendars": calendars.names}
    )
    texts = {source.name: source.path.read_text(encoding="utf-8") for source in find_flows(ADMIN / "plugins")}
    return Administered(known, texts, faults)
