"""Changed files, taken by a running engine: all of what may change, or nothing.

Flows, prompts, the dialplan, the calendars, the queues and the agents are read and checked as at the start. When there
is any fault, what was there serves on and every fault is told. When there is none, each part is swapped by one
reference: new calls begin with the new ones, calls that run keep the flow set that they began with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from engine.acd.reconfigure import Changed, difference
from engine.app.installation import Installation, read_installation
from engine.app.kept_out import led_away
from engine.errors import WrongState
from engine.prompts import Catalogue
from engine.types import JournalEntry

if TYPE_CHECKING:
    from engine.app.app import App

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What came of it. ``faults`` are as ``insideline flow check --json`` gives them, each with its ``pretty`` form;
    with ``ok`` they are warnings only. ``flows`` is the hash of the flow set that new calls begin with."""

    ok: bool
    faults: tuple[Mapping[str, Any], ...]
    changed: tuple[str, ...]  # "flow reception/main", "the dialplan", "3 prompts" …
    later: tuple[str, ...]  # what waits for the next start
    flows: str


class Reloader:
    """Reloads one engine's files; one reload at a time."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._at_work = False

    def __call__(self, by: str = "") -> Reloaded:
        """Read, check and swap. ``by`` says who wanted it, for the journal. Blocks this greenlet, not the hub.

        Raises WrongState while the engine starts or another one is under way, and StoreError when the new flow set
        can't be kept: then nothing is swapped either.
        """
        if not hasattr(self._app, "lead"):
            raise WrongState("the engine has not started yet")
        if self._at_work:
            raise WrongState("another reload is under way")
        self._at_work = True
        try:
            return self._reload(by)
        finally:
            self._at_work = False

    def _reload(self, by: str) -> Reloaded:
        app = self._app
        running = app.installation
        new = app.clock.blocking(
            app.pool, lambda: read_installation(running.home, app.clock, running=running)
        )
        faults = tuple({**fault.to_json(), "pretty": fault.pretty()} for fault in new.faults)
        later = _later(running, new)
        if new.faults.errors:
            for fault in new.faults.errors:
                log.error("reload.fault", fault=str(fault))
            log.error("reload.refused", faults=len(new.faults.errors), by=by)
            self._journal("engine.reload_refused", by=by, faults=len(new.faults.errors))
            return Reloaded(False, faults, (), later, app.lead.flows.hash)
        assert new.flows is not None
        assert new.dialplan is not None
        assert new.calendars is not None
        assert new.acd is not None
        app.store.put_flow_set(new.flows.hash, new.flows.to_bytes())
        changed = _changed(running, new)
        # Calls that run may still speak what the new catalogue does not have any more.
        app.prompts.reload(_over(new.catalogue, app.prompts.catalogue))
        app.closing.rewritten(new.calendars)
        take_agents(app, new)
        app.lead.publish(new.flows, new.dialplan)
        running.flows, running.dialplan, running.calendars = new.flows, new.dialplan, new.calendars
        running.catalogue, running.faults, running.away = new.catalogue, new.faults, new.away
        app.closing.refresh()
        app.to_warm.set()
        log.info("reloaded", by=by, changed=list(changed), later=list(later), flows=new.flows.hash)
        self._journal("engine.reloaded", by=by, changed=changed, flows=new.flows.hash)
        return Reloaded(True, faults, changed, later, new.flows.hash)

    def _journal(self, kind: str, **data: object) -> None:
        self._app.store.journal(JournalEntry(at=self._app.clock.now(), kind=kind, data=data))


def _changed(old: Installation, new: Installation) -> tuple[str, ...]:
    found = []
    before = {flow.name: flow.hash for flow in old.flows.flows.values()} if old.flows is not None else {}
    now = {flow.name: flow.hash for flow in new.flows.flows.values()} if new.flows is not None else {}
    for name in sorted(before.keys() | now.keys()):
        if name not in before:
            found.append(f"flow {name} (new)")
        elif name not in now:
            found.append(f"flow {name} (gone)")
        elif before[name] != now[name]:
            found.append(f"flow {name}")
    if old.dialplan is not None and new.dialplan is not None and not new.dialplan.says_the_same(old.dialplan):
        found.append("the dialplan")
    if (
        old.calendars is not None
        and new.calendars is not None
        and not new.calendars.say_the_same(old.calendars)
    ):
        found.append("the calendars")
    if old.acd is not None and new.acd is not None:
        found += agents_and_queues(difference(old.acd, new.acd))
        if old.acd.rules != new.acd.rules:
            found.append("the agents' rules")
        if (old.acd.tiers, old.acd.ageing) != (new.acd.tiers, new.acd.ageing):
            found.append("the queues' priorities")
    prompts = len(_texts(old.catalogue) ^ _texts(new.catalogue))
    if prompts:
        found.append("prompts")
    return tuple(found)


def agents_and_queues(changed: Changed) -> list[str]:
    """What is new, gone and other, as people read it."""
    words = (
        ("queue", changed.new_queues, changed.gone_queues, changed.other_queues),
        ("agent", changed.new_agents, changed.gone_agents, changed.other_agents),
    )
    found = []
    for what, new, gone, other in words:
        found += [f"{what} {name} (new)" for name in new]
        found += [f"{what} {name} (gone)" for name in gone]
        found += [f"{what} {name}" for name in other]
    return found


def take_agents(app: App, new: Installation) -> None:
    """Give the running ACD other queues and agents, and the switch other phones."""
    running = app.installation
    assert new.acd is not None
    if new.acd == running.acd:
        return
    phones = new.phones
    if phones != running.phones:
        if app.freeswitch is not None:
            app.freeswitch.change_phones(phones)
        if app.simulator is not None:
            for phone in phones:
                app.simulator.phone(phone.extension)
    app.acd.reconfigure(new.acd)  # the installation's own is the same object
    app.records.settled("knowledge")  # agents may have other skills now: certificates are looked at again


def _texts(catalogue: Catalogue) -> set[tuple[str, str, str, str]]:
    return {
        (language, key, text.template.text, str(text.recorded))
        for language, texts in catalogue.texts.items()
        for key, text in texts.items()
    }


def _later(old: Installation, new: Installation) -> tuple[str, ...]:
    pairs = (
        ("conf/engine.yaml", old.settings, new.settings),
        ("conf/trunks.yaml", (old.trunks, old.outbound), (new.trunks, new.outbound)),
        ("conf/notify.yaml", old.notify.model_dump(), new.notify.model_dump()),
    )  # fmt: skip
    changed = [name for name, before, now in pairs if now is not None and before != now]
    kept_out = [
        f"plugins/{name} (kept out: its code is read again at the next start)" for name in old.host.away
    ]
    other_code = [f"plugins/{one.name} (changed code)" for one in old.host.plugins if one.changed]
    fresh = [f"plugins/{name} (new{led_away(new, name)})" for name in new.away if name not in old.host.away]
    return (*changed, *kept_out, *other_code, *fresh)


def _over(new: Catalogue, old: Catalogue) -> Catalogue:
    """The new texts, and those of the old ones that they don't replace."""
    languages = (*new.texts, *(one for one in old.texts if one not in new.texts))
    return Catalogue({one: {**old.texts.get(one, {}), **new.texts.get(one, {})} for one in languages})
