"""Everything that an installation's folder holds, read, checked and compiled; nothing runs yet.

One pass over all files gives all faults at once, each with its place. The engine starts only on an
installation without errors; ``insideline flow check`` and ``doctor`` read the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from engine.acd import config as acd_config
from engine.acd.config import AcdConfig
from engine.app.agent_checks import agent_faults
from engine.app.department_settings import read_department_settings
from engine.app.identity_checks import identity_faults
from engine.app.queue_checks import queue_faults
from engine.calls.keys import KeyPlan
from engine.calls.outbound import OutboundRules
from engine.clock import Clock
from engine.config import Folders, Settings
from engine.errors import ConfigError
from engine.flows.almanac import Almanac
from engine.flows.cache import compile_cached
from engine.flows.calendars import Calendars, load_calendars
from engine.flows.dialplan import Dialplan, load_dialplan
from engine.flows.known import Known
from engine.flows.loader import find_flows
from engine.flows.model import FlowSet
from engine.flows.numbers import Numbers
from engine.flows.step import Step
from engine.flows.steps import STEPS
from engine.hooks.builtin_day import Day
from engine.hooks.builtin_watch import Watch
from engine.hooks.host import Host
from engine.hooks.known import known_of
from engine.hooks.notifiers import Notifier
from engine.prompts import FORMATS, Catalogue, load_catalogue
from engine.records.notify_file import NotifyFile, load_notify
from engine.schema.faults import Fault, Faults, did_you_mean
from engine.schema.shapes import load_file
from engine.schema.source import read_document
from engine.switch.settings import Phone, SwitchSettings, Trunk, TrunksFile
from engine.switch.simulator.script_file import ScriptFile


class EngineFile(Settings):
    """conf/engine.yaml with the section that belongs to the switch."""

    switch: SwitchSettings = SwitchSettings()
    keys: KeyPlan = KeyPlan()  # what agents press during a talk


@dataclass(slots=True)
class Installation:
    """An installation as its files say. What could not be read is None, and why stands in ``faults``."""

    home: Path
    settings: EngineFile
    folders: Folders
    host: Host
    day: Day
    watch: Watch
    faults: Faults = field(default_factory=Faults)
    catalogue: Catalogue = field(default_factory=Catalogue)
    acd: AcdConfig | None = None
    calendars: Calendars | None = None
    dialplan: Dialplan | None = None
    flows: FlowSet | None = None
    trunks: tuple[Trunk, ...] = ()
    outbound: OutboundRules = field(default_factory=OutboundRules)  # who may be rung through them
    script: ScriptFile | None = None  # who phones in on the simulator
    notify: NotifyFile = field(default_factory=lambda: NotifyFile(grammar="1"))  # who is told of what
    department_settings: dict[str, Any] = field(default_factory=dict)  # as the departments' own models
    notifiers: dict[str, Notifier] = field(default_factory=dict)  # of plugins, by name
    # Departments that it does without, with the folder of each where that is known: their code can't be loaded, or
    # came while the engine ran, and waits for the next start.
    away: dict[str, Path | None] = field(default_factory=dict)

    @property
    def phones(self) -> list[Phone]:
        """The phones that may register: one for each extension that an agent sits at."""
        if self.acd is None:
            return []
        found: dict[str, Phone] = {}
        for agent in self.acd.agents.values():
            if agent.away is not None:
                continue
            found.setdefault(
                agent.number, Phone(extension=agent.number, name=agent.name, sip_password=agent.sip_password)
            )
        return list(found.values())

    def require_sound(self) -> None:
        """:class:`ConfigError` with every error on a line of its own, when there is one. A plugin that was kept out is
        none: the others run, and callers of its department are told (``engine.flows.away``)."""
        if wrong := [str(fault) for fault in self.faults.errors]:
            raise ConfigError("\n".join(wrong))


def read_installation(home: Path, clock: Clock, *, running: Installation | None = None) -> Installation:
    """Read the installation in ``home``. Raises nothing for what its files hold.

    ``running`` is the one that an engine works on: its plugins are kept (their code is not read again), and flows
    are checked against its policies and groups, for those stay until the engine is started again.
    """
    faults = Faults()
    home = home.expanduser().absolute()
    conf = home / "conf"
    settings, more = load_file(conf / "engine.yaml", EngineFile, name="conf/engine.yaml")
    faults.extend(more)
    settings = settings or EngineFile()
    if running is None:
        host, day, watch = Host(clock, proven=home / "var" / "cache" / "plugins"), Day(clock), Watch(clock)
        host.add(day, "day", instant=True)
        host.add(watch, "watch", instant=True)
        host.load(home / "plugins")
    else:
        host, day, watch = running.host, running.day, running.watch
    folders, away = dict(host.folders), dict(host.away)
    if running is not None:
        folders |= yaml_departments(home / "plugins")
        away |= new_code(home / "plugins", host)
    made = Installation(
        home=home,
        settings=settings,
        folders=settings.folders(home),
        host=host,
        day=day,
        watch=watch,
        faults=faults,
        away=away,
    )
    made.department_settings, more_faults = read_department_settings(
        conf / "engine.yaml", settings, host, away=away, name="conf/engine.yaml"
    )
    faults.extend(more_faults)
    made.catalogue, prompt_faults = load_catalogue(home / "prompts", folders, formats=formats_of(host))
    faults.extend(_within(home, fault) for fault in prompt_faults)
    made.acd, acd_faults = acd_config.load(conf / "queues.yaml", conf / "agents.yaml", base=home)
    faults.extend(acd_faults)
    trunks, trunk_faults = load_file(conf / "trunks.yaml", TrunksFile, name="conf/trunks.yaml")
    faults.extend(trunk_faults)
    if trunks is not None:
        made.trunks, made.outbound = trunks.trunks, trunks.outbound
    made.notifiers = host.notifiers
    made.notify, notify_faults = load_notify(
        conf / "notify.yaml",
        notifiers=frozenset(made.notifiers),
        languages=settings.languages,
        away=frozenset(away),
    )
    faults.extend(notify_faults)
    if (conf / "simulator.yaml").exists():
        made.script, script_faults = load_file(
            conf / "simulator.yaml", ScriptFile, name="conf/simulator.yaml"
        )
        faults.extend(script_faults)
    known = _known(made if running is None else running)
    if running is not None and made.acd is not None and made.acd.whole:
        known = replace(known, queues=list(made.acd.queues), skills=made.acd.skills)
    known = replace(known, prompts=made.catalogue.known(), texts=made.catalogue.words(), away=frozenset(away))
    today = clock.now().astimezone(settings.zone).date()
    made.calendars, calendar_faults = load_calendars(
        conf / "calendars.yaml",
        today=today,
        known=known,
        name="conf/calendars.yaml",
        almanac=Almanac(home / "var" / "cache" / "holidays"),
    )
    faults.extend(calendar_faults)
    calendars = (
        made.calendars.names if made.calendars is not None else names_in(conf / "calendars.yaml", "calendars")
    )
    known = replace(known, calendars=calendars)
    faults.extend(_unknown_silence(made.notify, calendars))
    flow_folders = {name: folder / "flows" for name, folder in folders.items()}
    flow_folders |= {name: folder / "flows" for name, folder in away.items() if folder is not None}
    sources = find_flows(home / "plugins", flow_folders, base=home)
    checked = compile_cached(sources, known, steps_of(host), home / "var" / "cache" / "flows")
    made.flows = checked.flows
    faults.extend(checked.faults)
    made.dialplan, plan_faults = load_dialplan(
        home / "dialplans" / "main.yaml",
        numbers=Numbers(settings.region),
        flows=made.flows.flows if made.flows is not None else None,
        declared=checked.declared,
        known=known,
        calendars=made.calendars,
        name="dialplans/main.yaml",
    )
    faults.extend(plan_faults)
    if made.dialplan is not None:
        faults.extend(identity_faults(made.dialplan, settings.switch.log))
    if made.acd is not None:
        flows = made.flows.flows if made.flows is not None else None
        texts = {one: made.catalogue.known().get(one, {}) for one in settings.languages}
        groups = (made if running is None else running).notify.groups
        lines = None if trunks is None else [trunk.name for trunk in trunks.trunks]
        faults.extend(agent_faults(made.acd, trunks=lines, groups=groups, prompts=texts))
        faults.extend(queue_faults(made.acd, calendars=known.calendars or None, flows=flows))
    return made


def yaml_departments(plugins: Path) -> dict[str, Path]:
    """The departments of YAML alone that lie in a folder now."""
    if not plugins.is_dir():
        return {}
    return {
        path.name: path.resolve()
        for path in sorted(plugins.iterdir())
        if not path.name.startswith((".", "_"))
        and not (path / "plugin.py").exists()
        and any((path / one).is_dir() for one in ("flows", "prompts"))
    }


def new_code(plugins: Path, host: Host) -> dict[str, Path | None]:
    """The departments with code that came into a folder after ``host`` read it: code is read at a start only."""
    known = {folder for folder in (*host.folders.values(), *host.away.values()) if folder is not None}
    known |= {one.folder for one in host.plugins if one.folder is not None}
    found = [path.parent.resolve() for path in sorted(plugins.glob("[!._]*/plugin.py"))]
    return {path.name: path for path in found if path not in {one.resolve() for one in known}}


def steps_of(host: Host) -> Mapping[str, type[Step]]:
    """The kinds of steps that flows of this centre may have: the built-in ones, and those of plugins."""
    return {**STEPS, **cast("dict[str, type[Step]]", host.steps)}


def formats_of(host: Host) -> Mapping[str, tuple[type, ...]]:
    """The formats of values, each with what it accepts: the built-in ones, and those of plugins."""
    return {**FORMATS, **{name: one.accepts for name, one in host.formats.items()}}


def _within(home: Path, fault: Fault) -> Fault:
    """A fault with its file named as the others are: from the home on."""
    also = fault.also
    if also is not None:
        also = also.__class__(also.file.removeprefix(f"{home}/"), also.line, also.column)
    return replace(fault, file=fault.file.removeprefix(f"{home}/"), also=also)


def _unknown_silence(notify: NotifyFile, calendars: Iterable[str] | None) -> list[Fault]:
    """The calendar in whose hours calls should come in, when there is none of that name."""
    silence = notify.operators.silence if notify.operators is not None else None
    if silence is None or calendars is None or silence.calendar in calendars:
        return []
    said = f"there is no calendar `{silence.calendar}`"
    hint = did_you_mean(silence.calendar, calendars)
    return [notify.fault(("operators", "silence", "calendar"), "unknown-calendar", said, hint)]


def names_in(file: Path, key: str) -> list[str] | None:
    """The names that a file has below a key, though it has faults; None when even that can't be read."""
    found = read_document(file).value((key,))
    return list(found) if isinstance(found, dict) else None


def _known(made: Installation) -> Known:
    conf = made.home / "conf"
    whole = made.acd if made.acd is not None and made.acd.whole else None
    declared = known_of(made.host.departments.values())
    return Known(
        prompts=made.catalogue.known(),
        queues=list(whole.queues) if whole is not None else names_in(conf / "queues.yaml", "queues"),
        groups=list(made.notify.groups),
        queries=declared.queries,
        commands=declared.commands,
        tickets=declared.tickets,
        formats=formats_of(made.host),
        skills=whole.skills if whole is not None else None,
        policies=list(made.settings.recording.policies),
        away=frozenset(made.away),
    )


def shown(faults: Iterable[Fault]) -> str:
    """Faults as people read them, one below the other."""
    return "\n".join(str(fault) for fault in faults)
