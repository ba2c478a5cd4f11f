"""``queue``: waits for an agent of a queue and talks; the next step follows when the talk is over."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, PlainValidator, WithJsonSchema

from engine.flows.queueing import wait_for_agent
from engine.flows.step import Into, Options, Step, Types, Values
from engine.flows.types import DURATION, REAL, TEXT, WHOLE, Type, choice, record
from engine.flows.values import Val
from engine.schema.fields import Duration, PromptRef, QueueRef, SkillRef, Target, whole
from engine.schema.shapes import Shape
from engine.types import TalkEnd

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run


_LEVEL: tuple[PlainValidator, WithJsonSchema] = whole(0, 9)
_PRIORITY: tuple[PlainValidator, WithJsonSchema] = whole(-100, 100)


_TALK = record("talk", agent=TEXT, seconds=REAL, by=choice(*(str(end) for end in TalkEnd)))


_HOW = {
    "full": "queue {name} is full",
    "too_long": "wait too long in queue {name}",
    "no_agents": "nobody is at queue {name}",
    "closed": "queue {name} is closed",
    "done": "talk to an agent",
}


class Waiting(Shape):
    """What a waiting caller hears and may press: ``say`` is given ``every`` so long (with the values
    ``position`` and ``wait``), ``keys`` leave the queue."""

    every: Duration = 40.0
    """How often it is said."""
    say: PromptRef | None = None
    """What is said; it knows `position` and `wait`."""
    keys: Options = Field(default_factory=dict)
    """Keys that leave the queue, and where each leads."""
    music: PromptRef | None = None
    """What is heard in between."""


class Queue(Step):
    """Music is heard while waiting. The caller's place in the queue is kept when the engine is started again."""

    kind = "queue"
    waits = True
    lends = frozenset({"position", "wait"})
    lenient = frozenset({"tell"})
    recorded_prompts = frozenset({("waiting", "say")})
    wants = MappingProxyType({"agent": TEXT, "away_from": TEXT, "skill": TEXT})

    name: QueueRef
    """A queue of conf/queues.yaml."""
    skills: dict[SkillRef, Annotated[int, _LEVEL[0], _LEVEL[1]]] = Field(default_factory=dict)
    """Levels that an agent must have."""
    skill: Val | None = None
    """One more skill that an agent must have, at level 1, named by a value: `"{topic.skill}"`. Empty: none."""
    priority: Annotated[int, _PRIORITY[0], _PRIORITY[1]] = 0
    """More is served before less; -100 to 100."""
    agent: Val | None = None
    """An agent who is tried first."""
    away_from: Val | None = None
    """A site whose agents must not have this call, whatever is relaxed: whom it is about."""
    tell: Values = Field(default_factory=dict)
    """What the agent's desk shows. A value that is not known is left out."""
    waiting: Waiting = Waiting()
    """What a waiting caller hears and may press."""
    longest: Duration | None = None
    """How long the caller waits at most; the queue's own limit when left out."""
    into: Into | None = None
    """Gets who talked, a record: `agent`, `seconds` and `by` (who ended it)."""
    full: Target
    """Where it leads when nobody more may wait."""
    too_long: Target
    """Where it leads after `longest`."""
    no_agents: Target
    """Where it leads when nobody is logged in."""
    closed: Target | None = None
    """Where it leads when the queue is closed; `no_agents` when left out."""
    failed: Target | None = None
    """Where it leads when something goes wrong; `no_agents` when left out."""
    done: Target | None = None
    """Where the end of the talk leads; the next step when left out."""

    def asked(self, scope: Mapping[str, Any]) -> dict[str, int]:
        """The skills that an agent must have, and their levels."""
        named = str(self.skill.get(scope) or "") if self.skill is not None else ""
        return {named: 1, **self.skills} if named else dict(self.skills)

    def falls_through(self) -> bool:
        return self.done is None

    def bears(self, way: str) -> bool:
        return way == "done"

    def born_type(self, name: str, types: Types) -> Type:
        return _TALK

    def lent_types(self, types: Types) -> Mapping[str, Type]:
        return {"position": WHOLE, "wait": DURATION}

    def how(self, way: str) -> str:
        if way.startswith("waiting.keys."):
            return f"press {way[-1]} while waiting"
        return _HOW.get(way, "queue {name} fails").format(name=self.name)

    def through(self) -> str:
        return "talk to an agent"

    def run(self, run: Run) -> Move:
        return wait_for_agent(run, self)
