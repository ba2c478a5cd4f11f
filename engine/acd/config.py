"""What queues.yaml and agents.yaml may hold.

Both are shapes of ``engine.schema``: every duration carries its unit, every mistake is found at its place.
:func:`load` reads the two and looks up what one says of the other.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    PlainValidator,
    StringConstraints,
    Tag,
    WithJsonSchema,
    field_validator,
)

from engine.acd.rules import (
    Ageing,
    AtClosing,
    Overflow,
    Priority,
    Relax,
    Sticky,
    Wanted,
    circle,
    flaws_of_relaxing,
)
from engine.acd.strategies import AVAILABLE
from engine.errors import ConfigError
from engine.records.notify_file import Number
from engine.records.pins import looks_like_a_hash
from engine.schema.faults import Fault, Faults, did_you_mean
from engine.schema.fields import (
    CalendarRef,
    Dialled,
    Duration,
    Ident,
    InTalk,
    Language,
    Name,
    PromptRef,
    QueueRef,
    Share,
    SkillRef,
    Text,
    text_of,
    whole,
)
from engine.schema.shapes import FileShape, Shape, load_entries, references, wrong

_LEVEL = whole(1, 9)
Level = Annotated[int, _LEVEL[0], _LEVEL[1]]
_TIER = whole(1, 99)
Tier = Annotated[int, _TIER[0], _TIER[1]]
TrunkName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,30}$")]
_LENGTH = whole(0, 100_000)
Places = Annotated[int, _LENGTH[0], _LENGTH[1]]
_TRIES = whole(1, 99)
Tries = Annotated[int, _TRIES[0], _TRIES[1]]
Grammar = Literal["1"]


def _strategy(value: Any) -> str:
    text = text_of(value, "a strategy")
    if text in AVAILABLE:
        return text
    raise wrong("unknown-choice", f"`{text}` is no strategy", did_you_mean(text, AVAILABLE))


Strategy = Annotated[str, PlainValidator(_strategy), WithJsonSchema({"enum": sorted(AVAILABLE)})]


class ServiceLevel(Shape):
    """The promise of a queue: which share of the calls is answered within how long."""

    within: Duration
    share: Share


class QueueConfig(Shape):
    """One queue of queues.yaml. A flow's queue step may override ``longest`` and ``length`` for its callers."""

    title: dict[Language, Text] = Field(min_length=1)
    strategy: Strategy = "longest_idle"
    music: Text = "default"
    offer: Duration = 20.0  # how long an agent's phone rings
    wrap_up: Duration = 0.0  # how long an agent has for the work after a call
    longest: Duration = 600.0  # how long a caller waits at most
    length: Places = 100  # how many may wait; 0: only if an agent is free
    skills: dict[SkillRef, Level] = Field(default_factory=dict)  # what every agent of it must have
    language: Literal["any", "caller"] = "any"  # caller: only agents who speak the caller's language
    service_level: ServiceLevel | None = None
    calendar: CalendarRef | None = None  # when it is open
    at_closing: AtClosing = AtClosing(do="stay")  # those who wait when the calendar closes
    ageing: Ageing | None = None  # how a wait counts against priority; None: as the file says for all
    relax: list[Relax] = Field(default_factory=list)
    site: Name | Literal["caller"] | None = (
        None  # only agents of this site, or of the caller's, until relaxed
    )
    sticky: Sticky | None = None
    overflow: Overflow | None = None
    consultations: Priority = 200  # of an agent who waits to ask somebody, with a caller on hold
    number: InTalk | None = None  # what agents dial for it during a talk
    whisper: PromptRef | None = None  # what the agent hears before the talk: {queue} and {waited}
    announce_agent: PromptRef | None = None  # what the caller hears then: {agent}
    dispositions: dict[Dialled, Name] = Field(
        default_factory=dict
    )  # what came of a call, by the phone's keys

    @field_validator("offer")
    @classmethod
    def _rings(cls, value: float) -> float:
        if not 3 <= value <= 180:
            raise wrong("duration", "a phone rings between 3s and 3m")
        return value

    def name_in(self, language: str) -> str:
        """The queue's title in a language, or in the first one that it has."""
        return self.title.get(language) or next(iter(self.title.values()))


class QueuesFile(FileShape):
    """conf/queues.yaml."""

    grammar: Grammar
    tiers: dict[Text, Priority] = Field(default_factory=dict)  # what a caller's tier is worth
    ageing: Ageing = Ageing()
    queues: dict[Name, QueueConfig]


Role = Literal["agent", "expert", "supervisor", "quality", "knowledge_editor"]


def _agent_only() -> list[Role]:
    return ["agent"]


def _tiers(value: Any) -> Any:
    """``[logistics, desk]`` is short for ``{logistics: 1, desk: 1}``."""
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return dict.fromkeys(value, 1)
    return value


class Away(Shape):
    """A phone that is rung over a trunk: a mobile, an extension of another site. It needs no registration."""

    number: Number
    trunk: TrunkName
    accept: bool = True  # who answers must press 1, so that no mailbox ever gets a caller


def _kind_of_phone(value: Any) -> str:
    return "away" if isinstance(value, dict | Away) else "extension"


Phone = Annotated[
    Annotated[Dialled, Tag("extension")] | Annotated[Away, Tag("away")], Discriminator(_kind_of_phone)
]


class AgentConfig(Shape):
    """One agent of agents.yaml. The key of its entry is the number that it logs in with."""

    name: Text
    phone: Phone  # where it sits unless it logs in elsewhere
    site: Name | None = None
    pin: Text | None = Field(default=None, repr=False)  # an argon2 hash
    queues: Annotated[
        dict[QueueRef, Tier],
        BeforeValidator(_tiers, json_schema_input_type=dict[QueueRef, Tier] | list[QueueRef]),
    ] = Field(default_factory=dict)
    skills: dict[SkillRef, Level] = Field(default_factory=dict)
    languages: list[Language] = Field(default_factory=list)
    roles: list[Role] = Field(default_factory=_agent_only)
    login: Literal["by_hand", "auto"] = "by_hand"  # auto: logged in when the engine starts
    sip_password: Text | None = Field(default=None, repr=False)

    @property
    def number(self) -> str:
        """The extension or the number of its own phone."""
        return self.phone.number if isinstance(self.phone, Away) else self.phone

    @property
    def away(self) -> Away | None:
        """Its own phone, when that is reached over a trunk."""
        return self.phone if isinstance(self.phone, Away) else None

    @field_validator("pin")
    @classmethod
    def _hashed(cls, value: str | None) -> str | None:
        if value is not None and not looks_like_a_hash(value):
            raise wrong("plain-pin", "this is not an argon2 hash", "PINs never stand in a file as typed")
        return value


class AgentRules(Shape):
    """What holds for all agents."""

    misses: Tries = 2  # so many calls not answered in a row pause an agent
    busy_again: Duration = 5.0  # how long an agent whose phone was busy is left alone
    declined_again: Duration = 10.0  # the same after it pressed "decline"
    failed_again: Duration = 10.0  # the same after the switch could not ring it
    unreachable_again: Duration = 30.0  # when a phone that is registered but did not answer is tried again
    wrong_pins: Tries = 5
    locked: Duration = 900.0
    pauses: list[Name] = Field(default_factory=list)  # the reasons of a pause; none: any words are one
    tell: Name | None = (
        None  # a group of notify.yaml: told of pauses after missed calls and of what was mended
    )
    look_every: Duration = 5.0  # between two looks whether what is believed of agents and callers is true


class AgentsFile(FileShape):
    """conf/agents.yaml."""

    grammar: Grammar
    rules: AgentRules = Field(default_factory=AgentRules)
    agents: dict[Ident, AgentConfig]


@dataclass(slots=True)
class AcdConfig:
    """Queues and agents as the ACD takes them. All parts of it share one, which a reload changes in place."""

    queues: dict[str, QueueConfig]
    agents: dict[str, AgentConfig]
    rules: AgentRules = field(default_factory=AgentRules)
    tiers: dict[str, int] = field(default_factory=dict)  # of callers: what each is worth in priority
    ageing: Ageing = field(default_factory=Ageing)
    file: QueuesFile | None = field(default=None, compare=False)  # where the queues stand, for faults
    agents_file: AgentsFile | None = field(default=None, compare=False)  # the same for the agents
    whole: bool = True  # False: queues or agents with faults of their own are left out; never to be run

    def become(self, other: AcdConfig) -> None:
        """Say what ``other`` says, whoever holds this."""
        for name in ("queues", "agents", "tiers"):
            mine = getattr(self, name)
            wanted = dict(getattr(other, name))
            mine.clear()
            mine.update(wanted)
        self.rules, self.ageing = other.rules, other.ageing
        self.file, self.agents_file = other.file, other.agents_file

    def ageing_of(self, queue: str) -> Ageing:
        """How a wait counts against priority in a queue."""
        return self.queues[queue].ageing or self.ageing

    @property
    def skills(self) -> frozenset[str]:
        """Every skill that an agent has: what a flow may ask for."""
        return frozenset(skill for agent in self.agents.values() for skill in agent.skills)


def load(queues: Path, agents: Path, *, base: Path | None = None) -> tuple[AcdConfig | None, list[Fault]]:
    """Read the two files. Queues and agents with faults of their own are left out; the configuration is None when more
    is wrong with the shape of a file. Raises nothing for contents: one that comes with an error is there to be looked
    at further (what it names elsewhere), and not to be run.

    ``base`` shortens the names that faults show.
    """

    def shown(path: Path) -> str:
        return str(path.relative_to(base)) if base is not None and path.is_relative_to(base) else str(path)

    queue_file, faults, bad_queues = load_entries(queues, QueuesFile, "queues", name=shown(queues))
    if queue_file is not None:
        faults += _relaxations(queue_file)
    agent_file, more, bad_agents = load_entries(agents, AgentsFile, "agents", name=shown(agents))
    faults = faults + more
    if agent_file is not None:
        faults += _phones_held_twice(agent_file)
    if queue_file is None or agent_file is None:
        return None, faults
    there = {*queue_file.queues, *bad_queues}  # what is faulty is there all the same
    faults += _unknown_queues(agent_file, there)
    faults += _overflows(queue_file, there)
    faults += _numbers(queue_file, agent_file)
    if not bad_agents:  # else it is not known what the others can, and where they are
        faults += _unknown_skills(queue_file, agent_file)
        faults += _unknown_sites(queue_file, agent_file)
        faults += _served_by_nobody(queue_file, agent_file)
    config = AcdConfig(
        queue_file.queues,
        agent_file.agents,
        agent_file.rules,
        queue_file.tiers,
        queue_file.ageing,
        queue_file,
        agent_file,
        whole=not (bad_queues or bad_agents),
    )
    return config, faults


def load_or_raise(queues: Path, agents: Path) -> AcdConfig:
    """The same for those who want it whole: raises :class:`ConfigError` that carries every fault."""
    config, faults = load(queues, agents)
    Faults(faults).raise_errors()
    if config is None:
        raise ConfigError(f"{queues} and {agents} can't be used")
    return config


def _unknown_queues(agents: AgentsFile, queues: Collection[str]) -> list[Fault]:
    return [
        agents.fault(
            _place(agents, ref.path, ref.value),
            "unknown-queue",
            f"there is no queue `{ref.value}`",
            did_you_mean(ref.value, queues),
        )
        for ref in references(agents)
        if ref.kind == "queue" and ref.value not in queues
    ]


def _numbers(queues: QueuesFile, agents: AgentsFile) -> list[Fault]:
    """Numbers of queues that are somebody else's already."""
    faults, taken = [], {agent: f"agent {agent}" for agent in agents.agents}
    for agent_id, agent in agents.agents.items():
        taken.setdefault(agent.number, f"the phone of agent {agent_id}")
    for name, queue in queues.queues.items():
        if queue.number is None:
            continue
        if queue.number in taken:
            message = f"{queue.number} is {taken[queue.number]} already"
            hint = "give the queue a number of its own"
            faults.append(queues.fault(("queues", name, "number"), "number-taken", message, hint))
        taken.setdefault(queue.number, f"queue {name}")
    return faults


def _place(agents: AgentsFile, path: tuple[str | int, ...], queue: str) -> tuple[str | int, ...]:
    """Where a queue of an agent is written: it may stand in a list, where the model has a mapping."""
    listed = agents.document.value(path[:-1])
    return (*path[:-1], listed.index(queue)) if isinstance(listed, list) else path


def _unknown_skills(queues: QueuesFile, agents: AgentsFile) -> list[Fault]:
    known = {skill for agent in agents.agents.values() for skill in agent.skills}
    return [
        queues.fault(
            ref.path,
            "unknown-skill",
            f"no agent has the skill `{ref.value}`",
            did_you_mean(ref.value, known),
            key=True,
        )
        for ref in references(queues)
        if ref.kind == "skill" and ref.value not in known
    ]


def _relaxations(queues: QueuesFile) -> list[Fault]:
    """Steps of relaxing that never come, or change nothing."""
    return [
        queues.fault(("queues", name, *flaw.path), flaw.code, flaw.message, flaw.hint, severity=flaw.severity)
        for name, queue in queues.queues.items()
        for flaw in flaws_of_relaxing(
            queue.relax,
            longest=queue.longest,
            sites=queue.site is not None,
            language=queue.language == "caller",
        )
    ]


def _unknown_sites(queues: QueuesFile, agents: AgentsFile) -> list[Fault]:
    known = {agent.site for agent in agents.agents.values() if agent.site is not None}
    faults = []
    for name, queue in queues.queues.items():
        used: list[tuple[tuple[str | int, ...], str]] = []
        if queue.site not in (None, "caller"):
            used.append((("queues", name, "site"), str(queue.site)))
        for at, step in enumerate(queue.relax):
            path = ("queues", name, "relax", at, "site")
            listed = isinstance(queues.document.value(path), list)
            used += [((*path, nth) if listed else path, site) for nth, site in enumerate(step.site or ())]
        faults += [
            queues.fault(path, "unknown-site", f"no agent is at site `{site}`", did_you_mean(site, known))
            for path, site in used
            if site not in known
        ]
    return faults


def _served_by_nobody(queues: QueuesFile, agents: AgentsFile) -> list[Fault]:
    """Queues whose agents all lack something that is still needed when all relaxing is over."""
    faults = []
    for name, queue in queues.queues.items():
        people = [agent for agent in agents.agents.values() if name in agent.queues]
        at_last = Wanted(queue.skills).at_last(queue.relax)
        if not people or any(
            all(agent.skills.get(skill, 0) >= level for skill, level in at_last.skills.items())
            for agent in people
        ):
            continue
        wanted = ", ".join(f"{skill} {level}" for skill, level in at_last.skills.items())
        faults.append(
            queues.fault(
                ("queues", name, "skills"),
                "served-by-nobody",
                f"no agent of queue `{name}` has {wanted}, which is needed to the end",
                "ask for less, or let a last step of `relax` say `skills: any`",
                severity="warning",
            )
        )
    return faults


def _overflows(queues: QueuesFile, there: Collection[str]) -> list[Fault]:
    """Overflows into queues that are not there, and those that come back to where they began."""
    goals = {
        name: queue.overflow.to.name
        for name, queue in queues.queues.items()
        if queue.overflow is not None and queue.overflow.to.kind == "queue"
    }
    faults, told = [], set[str]()
    for name, goal in goals.items():
        path = ("queues", name, "overflow", "to")
        if goal not in there:
            message = f"there is no queue `{goal}`"
            faults.append(queues.fault(path, "unknown-queue", message, did_you_mean(goal, there)))
        elif name not in told and (way := circle(goals, name)):
            told.update(way)
            message = f"callers overflow in a circle: {' -> '.join([*way, name])}"
            faults.append(queues.fault(path, "overflow-circle", message, "let one of them lead elsewhere"))
    for name, queue in queues.queues.items():
        after = queue.overflow.after if queue.overflow is not None else None
        if after is not None and after >= queue.longest:
            faults.append(
                queues.fault(
                    ("queues", name, "overflow", "after"),
                    "overflow-too-late",
                    f"nobody waits so long: the queue's `longest` is {queue.longest:g}s",
                    "only a flow that sets `longest` itself gets here",
                    severity="warning",
                )
            )
    return faults


def _phones_held_twice(agents: AgentsFile) -> list[Fault]:
    """Agents who are logged in at the start can't share a phone."""
    faults, holders = [], dict[str, str]()
    for name, agent in agents.agents.items():
        if agent.login != "auto":
            continue
        if (first := holders.setdefault(agent.number, name)) != name:
            path = ("agents", name, "phone")
            faults.append(
                agents.fault(
                    path,
                    "phone-taken",
                    f"phone {agent.number} is {first}'s, who is logged in at the start too",
                    also=agents.at("agents", first, "phone"),
                )
            )
    return faults
