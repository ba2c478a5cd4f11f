"""What flows may refer to: told to the checker by whoever loads them, so that it can be checked without an engine."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from engine.hooks.known import CommandType, QueryType
from engine.hooks.ticket_kinds import TicketKind
from engine.schema.fields import is_prompt_key

__all__ = ["READ_ONLY", "CommandType", "Known", "QueryType", "is_prompt_key"]

#: The names that every flow may read and none may set.
READ_ONLY = frozenset(
    {"call", "caller", "party", "agent", "queue", "step", "flow", "now", "failure", "refusal"}
)


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that flows, dialplans and calendars may name.

    ``prompts``: language -> full key (``logistics/enter_waybill``, common ones without a department) ->
    placeholder -> format, as ``Prompts.known()`` gives it. ``queries`` and ``commands`` come from
    ``Departments.known()``. ``None`` (for what could not be read): any name will do.
    """

    prompts: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    queues: Collection[str] | None = ()
    queries: Mapping[str, QueryType] = field(default_factory=dict)
    commands: Mapping[str, CommandType] = field(default_factory=dict)
    calendars: Collection[str] | None = ()
    formats: Collection[str] = ()
    skills: Collection[str] | None = None
    policies: Collection[str] | None = None
    sounds: Collection[str] | None = None
    extensions: Collection[str] | None = None
    groups: Collection[str] | None = None  # of conf/notify.yaml
    #: Departments whose plugin was kept out: nothing is known of what they bring, so nothing of it is a fault.
    away: Collection[str] = ()
    tickets: Mapping[str, Mapping[str, TicketKind]] = field(default_factory=dict)  # kinds, by department
    #: Language -> full key -> the words of a prompt, to hold a menu's keys against them.
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def languages(self) -> Collection[str]:
        """The languages that there are prompts in."""
        return self.prompts.keys()

    def prompt(self, key: str, language: str, department: str) -> Mapping[str, str] | None:
        """The placeholders of a prompt as a flow of ``department`` means it (its own before a common one);
        None when there is no such prompt in that language."""
        texts = self.prompts.get(language)
        if texts is None:
            return None
        if "/" in key:
            return texts.get(key.removeprefix("common/"))
        found = texts.get(f"{department}/{key}")
        return found if found is not None else texts.get(key)

    def text(self, key: str, language: str, department: str) -> str | None:
        """The words of a prompt as a flow of ``department`` means it; None when they are not known."""
        if not is_prompt_key(key):
            return key
        texts = self.texts.get(language)
        if texts is None:
            return None
        if "/" in key:
            return texts.get(key.removeprefix("common/"))
        found = texts.get(f"{department}/{key}")
        return found if found is not None else texts.get(key)

    def prompt_keys(self, department: str) -> list[str]:
        """The keys that a flow of ``department`` may write, for suggestions."""
        mine = f"{department}/"
        return sorted({key.removeprefix(mine) for texts in self.prompts.values() for key in texts})
