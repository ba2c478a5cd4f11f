"""JSON Schemas of every file that people write, with the names that an installation has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from engine.acd.config import AgentsFile, QueuesFile
from engine.app.installation import EngineFile, Installation, steps_of
from engine.flows.calendars import CalendarsFile
from engine.flows.dialplan_file import DialplanFile
from engine.flows.editor import flow_schema
from engine.flows.loader import find_flows
from engine.flows.steps import STEPS
from engine.hooks.known import known_of
from engine.records.notify_file import NotifyFile
from engine.schema.editor import DRAFT, Choices, Json, Names, file_schema
from engine.switch.settings import TrunksFile
from engine.switch.simulator.script_file import ScriptFile

#: What a prompt may be that is no key: a text with anything in it that no key has.
_LITERAL: Final = "[^a-z0-9_/]"


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file: its word, what it is, and which files of a home are such."""

    word: str
    about: str
    files: tuple[str, ...]
    make: Callable[[Installation | None, Names], Json]

    def schema(self, made: Installation | None) -> Json:
        """Its JSON Schema; with the names of an installation where there is one."""
        return self.make(made, names_of(made) if made is not None else {})


def _of(shape: type[BaseModel], title: str) -> Callable[[Installation | None, Names], Json]:
    return lambda _, names: file_schema(shape, f"Insideline: {title}", names)


def _flow(made: Installation | None, names: Names) -> Json:
    return flow_schema(steps_of(made.host) if made is not None else STEPS, names)


def _prompts(made: Installation | None, names: Names) -> Json:
    text = {"type": ["string", "number", "boolean"], "minLength": 1}
    return {
        "$schema": DRAFT,
        "title": "Insideline: prompts",
        "description": "What callers hear in one language: a key, and its text, with {values:format}.",
        "type": "object",
        "patternProperties": {"^[a-z0-9_]+$": text},
        "additionalProperties": False,
    }


KINDS: Final[Mapping[str, FileKind]] = {
    kind.word: kind
    for kind in (
        FileKind("flow", "what happens to a call", ("plugins/*/flows/*.yaml",), _flow),
        FileKind(
            "dialplan", "which number runs which flow", ("dialplans/*.yaml",), _of(DialplanFile, "a dialplan")
        ),
        FileKind(
            "prompts", "what callers hear", ("prompts/*.yaml", "plugins/*/prompts/*.yaml"), _prompts
        ),
        FileKind("calendars", "opening hours", ("conf/calendars.yaml",), _of(CalendarsFile, "calendars")),
        FileKind("queues", "where callers wait", ("conf/queues.yaml",), _of(QueuesFile, "queues")),
        FileKind("agents", "who answers them", ("conf/agents.yaml",), _of(AgentsFile, "agents")),
        FileKind("trunks", "the lines to the outside", ("conf/trunks.yaml",), _of(TrunksFile, "trunks")),
        FileKind("notify", "who is told of what", ("conf/notify.yaml",), _of(NotifyFile, "notices")),
        FileKind("engine", "the installation", ("conf/engine.yaml",), _of(EngineFile, "the engine")),
        FileKind(
            "simulator", "who phones in on the simulator", ("conf/simulator.yaml",),
            _of(ScriptFile, "a script of the simulator"),
        ),
    )
}  # fmt: skip


def file_name(kind: FileKind) -> str:
    """What the file of a schema is called."""
    return f"{kind.word}.schema.json"


def names_of(made: Installation) -> Names:
    """The names that an installation has, by what refers to them. Of what could not be read there are none: then
    any name will do there."""
    declared = known_of(made.host.departments.values())
    prompts = _prompt_names(made)
    acd, calendars = made.acd, made.calendars
    found: dict[str, Iterable[str] | Mapping[str, str] | None] = {
        "query": {name: _doc(one) for name, one in declared.queries.items()},
        "command": {name: _doc(one) for name, one in declared.commands.items()},
        "queue": {name: queue.name_in("") for name, queue in acd.queues.items()} if acd else None,
        "skill": acd.skills if acd else None,
        "calendar": calendars.names if calendars is not None else None,
        "flow": _flow_names(made),
        "group": made.notify.groups,
        "policy": made.settings.recording.policies,
        "language": prompts and made.catalogue.languages,
    }
    made_of = {
        kind: Choices(names if isinstance(names, Mapping) and kind in _TOLD else dict.fromkeys(names, ""))
        for kind, names in found.items()
        if names
    }
    if prompts:
        made_of["prompt"] = Choices(prompts, _LITERAL)
    return made_of


_TOLD: Final = frozenset({"query", "command", "queue", "flow"})


def _doc(declared: Any) -> str:
    return str(getattr(declared, "about", "") or "")


def _flow_names(made: Installation) -> Mapping[str, str]:
    if made.flows is not None:
        return {flow.name: flow.title for flow in made.flows.flows.values()}
    folders = {name: folder / "flows" for name, folder in made.host.folders.items()}
    return {source.name: "" for source in find_flows(made.home / "plugins", folders)}


def _prompt_names(made: Installation) -> dict[str, str]:
    """The keys that some flow may write, each with its text in the first language: those of a department with and
    without its name."""
    found: dict[str, str] = {}
    for language in reversed(made.catalogue.languages):
        for key, text in made.catalogue.texts[language].items():
            found[key] = text.template.text
    for key in list(found):
        department, slash, rest = key.partition("/")
        if slash and department:
            found.setdefault(rest, "")
    return found


def write_schemas(folder: Path, made: Installation | None, home: Path) -> list[Path]:
    """Write every schema into ``folder``, and ``settings.json`` with what an editor wants to know: which schema
    is for which files, both as seen from the home."""
    import json

    folder.mkdir(parents=True, exist_ok=True)
    written, places = [], {}
    for kind in KINDS.values():
        path = folder / file_name(kind)
        path.write_text(json.dumps(kind.schema(made), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        written.append(path)
        absolute = path.absolute()
        inside = absolute.is_relative_to(home)
        place = f"./{absolute.relative_to(home).as_posix()}" if inside else absolute.as_uri()
        places[place] = list(kind.files)
    settings = folder / "settings.json"
    settings.write_text(json.dumps({"yaml.schemas": places}, indent=2) + "\n", encoding="utf-8")
    return [*written, settings]
