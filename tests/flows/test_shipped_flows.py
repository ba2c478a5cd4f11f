"""The flows, the dialplan and the calendars that come with Insideline fit together."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from engine.clock import VirtualClock
from engine.flows.calendars import load_calendars
from engine.flows.checker import compile_flows
from engine.flows.dialplan import load_dialplan
from engine.flows.known import Known
from engine.flows.numbers import Numbers
from engine.hooks.host import Host
from engine.hooks.known import known_of
from engine.prompts.catalogue import load_catalogue
from engine.prompts.spoken import FORMATS
from engine.schema.source import read_document

REPO = Path(__file__).parents[2]


def test_everything_that_is_shipped_passes_the_checker() -> None:
    host = Host(VirtualClock())
    host.load(REPO / "plugins", installed=False)
    try:
        departments = known_of(host.departments.values())
    finally:
        host.stop()
    folders = {path.name: path for path in (REPO / "plugins").iterdir() if path.is_dir()}
    catalogue, faults = load_catalogue(REPO / "prompts", folders)
    queues = read_document(REPO / "conf" / "queues.yaml").value(("queues",))
    known = Known(
        prompts=catalogue.known(),
        queues=queues,
        queries=departments.queries,
        commands=departments.commands,
        calendars={"office", "desk", "always"},
        formats=FORMATS,
    )
    calendars, found = load_calendars(REPO / "conf" / "calendars.yaml", today=date(2026, 6, 1), known=known)
    faults.extend(found)
    flows, found = compile_flows(REPO / "plugins", known, base=REPO)
    faults.extend(found)
    dialplan, found = load_dialplan(
        REPO / "dialplans" / "main.yaml",
        numbers=Numbers("CN"),
        flows=flows.flows if flows is not None else None,
        known=known,
        calendars=calendars,
    )
    faults.extend(found)
    assert faults.errors == [], faults.pretty()
    assert flows is not None
    assert dialplan is not None
    assert dialplan.flows <= set(flows.flows)
