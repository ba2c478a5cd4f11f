"""Which number runs which flow: ``dialplans/main.yaml``.

The first rule that fits wins; a rule that can never win is an error. A call that fits none goes the way of
``otherwise``, which must be there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from engine.flows.calendars import Calendars
from engine.flows.known import Known, is_prompt_key
from engine.flows.model import GRAMMAR, Flow
from engine.flows.numbers import Numbers
from engine.flows.patterns import Pattern, PatternField, captures_in, fill_captures
from engine.schema.faults import Faults, did_you_mean
from engine.schema.fields import (
    CalendarRef,
    FlowRef,
    Ident,
    Language,
    Name,
    Positive,
    PromptRef,
    Raw,
    text_of,
    whole,
)
from engine.schema.shapes import FileShape, Shape, Short, load_file, references, wrong

_PRIORITY: tuple[PlainValidator, WithJsonSchema] = whole(-100, 100)


def _extension(value: Any) -> str:
    text = str(text_of(value, "an extension"))
    bare = text
    for number in captures_in(text):
        bare = bare.replace(f"{{{number}}}", "")
    if not text or not all(sign in "0123456789" for sign in bare):
        raise wrong("extension", f"`{text}` is not an extension", 'write "1001", or "86{1}" with a capture')
    return text


class DenyList(Shape):
    """Callers who are not let in; they hear ``say`` (or nothing) and are hung up."""

    deny: Annotated[list[PatternField], Field(min_length=1)]
    say: PromptRef | None = None


class From(Short):
    """Which callers a rule is for: a number or pattern, or all of a tier."""

    short = "number"

    number: PatternField | None = None
    tier: Name | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.number is None and self.tier is None:
            raise wrong("from", "say whose calls: `number` or `tier`")
        return self


class Way(Short):
    """Where a call goes, and how it is treated there."""

    short = "flow"

    flow: FlowRef | None = None
    extension: Annotated[str, PlainValidator(_extension), WithJsonSchema({"type": "string"})] | None = None
    params: dict[Name, Raw] = {}
    identity: Literal["at_once", "deferred"] = "at_once"
    record: Name | None = None
    priority: Annotated[int, _PRIORITY[0], _PRIORITY[1]] = 0
    language: Language | None = None
    languages: list[Language] = []
    lost_place: FlowRef | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.flow is None) == (self.extension is None):
            raise wrong("way", "say where the call goes: `flow` or `extension`, one of them")
        if self.language is not None and self.languages and self.language not in self.languages:
            raise wrong("language", f"`{self.language}` is none of the `languages`", at="language")
        return self


class Rule(Way):
    """A way for the numbers dialled that fit ``to`` (and, where they are given, ``from``, ``trunk``, ``during``)."""

    short = "to"

    to: PatternField
    from_: From | None = Field(default=None, alias="from")
    trunk: Ident | None = None
    during: CalendarRef | None = None

    def covers(self, other: Rule) -> bool:
        """Does this rule take every call that ``other`` could?"""
        mine, theirs = self.from_, other.from_
        if mine is not None:
            if theirs is None or mine.tier not in (None, theirs.tier):
                return False
            if mine.number is not None and (theirs.number is None or not mine.number.covers(theirs.number)):
                return False
        return (
            self.to.covers(other.to)
            and self.trunk in (None, other.trunk)
            and self.during in (None, other.during)
        )


class DialplanFile(FileShape):
    """``dialplans/<name>.yaml``."""

    grammar: Positive
    dialplan: Name
    lists: dict[Name, DenyList] = {}
    numbers: list[Rule]
    otherwise: Way


@dataclass(frozen=True, slots=True)
class Match:
    """What the dialplan says of a call. ``kind`` is ``flow``, ``extension`` or ``deny``.

    ``why`` says which rule and why, for the journal and for people. ``languages`` are those that the caller may
    choose from ("" and empty: those of the flow). ``record`` is the recording policy that overrules the flow's.
    """

    kind: Literal["flow", "extension", "deny"]
    why: str
    flow: str = ""
    extension: str = ""
    say: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    deferred: bool = False
    record: str = ""
    priority: int = 0
    language: str = ""
    languages: tuple[str, ...] = ()
    lost_place: str = ""
    rule: str = ""  # "dialplans/main.yaml:7"


class Dialplan:
    """A dialplan, ready to be asked. Immutable: a new file makes a new one."""

    def __init__(
        self,
        file: DialplanFile,
        *,
        numbers: Numbers,
        calendars: Calendars | None = None,
        flows: Mapping[str, Flow] | None = None,
    ) -> None:
        self.name = file.dialplan
        self._file = file
        self._calendars = calendars
        self._flows = flows or {}
        self._deny = [
            (name, listed.say or "", _as_e164(pattern, numbers))
            for name, listed in file.lists.items()
            for pattern in listed.deny
        ]
        self._from = [
            _as_e164(rule.from_.number, numbers) if rule.from_ and rule.from_.number else None
            for rule in file.numbers
        ]
        self._exact: dict[str, list[int]] = {}
        self._patterns: list[int] = []
        for index, rule in enumerate(file.numbers):
            if rule.to.exact:
                self._exact.setdefault(rule.to.text, []).append(index)
            else:
                self._patterns.append(index)

    @property
    def flows(self) -> frozenset[str]:
        """Every flow that the dialplan leads to."""
        ways: list[Way] = [*self._file.numbers, self._file.otherwise]
        return frozenset(name for way in ways for name in (way.flow, way.lost_place) if name)

    @property
    def entries(self) -> list[tuple[str, str]]:
        """The numbers and patterns with where they lead, for listings."""
        return [(rule.to.text, rule.flow or f"extension {rule.extension}") for rule in self._file.numbers]

    def match(
        self, *, to: str, caller: str = "", tier: str = "", at: datetime | None = None, trunk: str = ""
    ) -> Match:
        """What to do with a call to ``to`` from ``caller`` (E.164, "" when withheld) of an important party's
        ``tier``, at an aware moment ``at`` (rules with ``during`` fit only when it is given)."""
        if caller:
            for name, say, pattern in self._deny:
                if pattern.match(caller) is not None:
                    return Match(
                        "deny", f"{caller} is on the list {name}", say=say, rule=self._at("lists", name)
                    )
        candidates = sorted([*self._exact.get(to, ()), *self._patterns])
        for index in candidates:
            rule = self._file.numbers[index]
            captured = rule.to.match(to)
            if captured is None:
                continue
            reasons = [f"{to} fits {rule.to.text}" if not rule.to.exact else f"{to} was dialled"]
            if not self._fits(rule, self._from[index], caller, tier, trunk, at, reasons):
                continue
            return self._made(rule, " and ".join(reasons), self._at("numbers", index), captured)
        return self._made(self._file.otherwise, f"no rule fits {to}", self._at("otherwise"), ())

    def _fits(
        self,
        rule: Rule,
        number: Pattern | None,
        caller: str,
        tier: str,
        trunk: str,
        at: datetime | None,
        reasons: list[str],
    ) -> bool:
        if rule.from_ is not None:
            if rule.from_.tier is not None:
                if rule.from_.tier != tier:
                    return False
                reasons.append(f"the caller is {tier}")
            if number is not None:
                if number.match(caller) is None:
                    return False
                reasons.append(f"{caller} calls")
        if rule.trunk is not None:
            if rule.trunk != trunk:
                return False
            reasons.append(f"it came over {trunk}")
        if rule.during is not None:
            if at is None or self._calendars is None or not self._calendars.at(rule.during, at).open:
                return False
            reasons.append(f"{rule.during} is open")
        return True

    def _made(self, way: Way, why: str, where: str, captured: tuple[str, ...]) -> Match:
        flow = self._flows.get(way.flow or "")
        languages = tuple(way.languages) or (flow.languages if flow is not None else ())
        return Match(
            kind="extension" if way.extension is not None else "flow",
            why=why,
            flow=way.flow or "",
            extension=fill_captures(way.extension, captured) if way.extension is not None else "",
            params={name: fill_captures(text, captured) for name, text in way.params.items()},
            deferred=way.identity == "deferred",
            record=way.record or "",
            priority=way.priority,
            language=way.language or (languages[0] if languages else ""),
            languages=languages,
            lost_place=way.lost_place or "",
            rule=where,
        )

    def _at(self, *path: str | int) -> str:
        position = self._file.at(*path)
        return f"{position.file}:{position.line}"


def _as_e164(pattern: Pattern, numbers: Numbers) -> Pattern:
    """An exact number as callers' numbers come; a pattern as it stands."""
    return Pattern(numbers.e164(pattern.text)) if pattern.exact else pattern


def load_dialplan(
    path: Path,
    *,
    numbers: Numbers,
    flows: Mapping[str, Flow] | None = None,
    known: Known | None = None,
    calendars: Calendars | None = None,
    name: str | None = None,
) -> tuple[Dialplan | None, Faults]:
    """Read a dialplan. What it names is looked up in ``flows`` and ``known`` where they are given.

    Gives the dialplan, or None when there is any error, and all faults. Raises nothing for what the file holds.
    """
    file, found = load_file(path, DialplanFile, name=name)
    faults = Faults(found)
    if file is None:
        return None, faults
    _Check(file, faults).run(flows, known)
    if faults.errors:
        return None, faults
    return Dialplan(file, numbers=numbers, calendars=calendars, flows=flows), faults


class _Check:
    """Looks at a parsed dialplan: rules that can't win, captures, and what is named."""

    def __init__(self, file: DialplanFile, faults: Faults) -> None:
        self.file = file
        self.faults = faults

    def run(self, flows: Mapping[str, Flow] | None, known: Known | None) -> None:
        if self.file.grammar != GRAMMAR:
            self.add(("grammar",), "grammar", f"this engine reads grammar {GRAMMAR}, not {self.file.grammar}")
        self.shadows()
        for index, rule in enumerate(self.file.numbers):
            self.captures(("numbers", index), rule)
        self.captures(("otherwise",), self.file.otherwise)
        if known is not None:
            self.references(known)
        if flows is not None:
            for index, rule in enumerate(self.file.numbers):
                self.flows(("numbers", index), rule, flows)
            self.flows(("otherwise",), self.file.otherwise, flows)

    def add(self, path: tuple[str | int, ...], code: str, message: str, hint: str = "", **more: Any) -> None:
        self.faults.add(self.file.fault(path, code, message, hint, **more))

    def shadows(self) -> None:
        for index, rule in enumerate(self.file.numbers):
            for earlier in range(index):
                if self.file.numbers[earlier].covers(rule):
                    also = self.file.at("numbers", earlier)
                    message = f"this rule never wins: the one in line {also.line} takes all its calls"
                    self.add(("numbers", index), "shadowed", message, "put it before that one", also=also)
                    break

    def captures(self, path: tuple[str | int, ...], way: Way) -> None:
        count = way.to.captures if isinstance(way, Rule) else 0
        texts = {
            "extension": way.extension or "",
            **{f"params.{name}": text for name, text in way.params.items()},
        }
        for at, text in texts.items():
            for number in captures_in(text):
                if not 1 <= number <= count:
                    message = f"`{{{number}}}` captures nothing: the number has {count} runs of x"
                    self.add((*path, *at.split(".")), "capture", message)

    def references(self, known: Known) -> None:
        for found in references(self.file):
            kind, value = found.kind, found.value
            names: Collection[str]
            if kind == "prompt":
                if is_prompt_key(value) and any(
                    known.prompt(value, language, "") is None for language in known.languages
                ):
                    hint = did_you_mean(value, known.prompt_keys(""))
                    self.add(
                        found.path, "unknown-prompt", f"there is no prompt `{value}` in every language", hint
                    )
                continue
            if kind == "language":
                names = known.languages
            elif kind == "calendar":
                names = known.calendars
            else:
                continue
            if value not in names:
                self.add(
                    found.path, f"unknown-{kind}", f"there is no {kind} `{value}`", did_you_mean(value, names)
                )
        if known.extensions is not None:
            for index, rule in enumerate(self.file.numbers):
                extension = rule.extension
                if extension is not None and "{" not in extension and extension not in known.extensions:
                    hint = did_you_mean(extension, known.extensions)
                    self.add(
                        ("numbers", index, "extension"), "unknown-extension", f"nobody has {extension}", hint
                    )

    def flows(self, path: tuple[str | int, ...], way: Way, flows: Mapping[str, Flow]) -> None:
        for key, name in (("flow", way.flow), ("lost_place", way.lost_place)):
            if name is not None and name not in flows:
                self.add(
                    (*path, key), "unknown-flow", f"there is no flow `{name}`", did_you_mean(name, flows)
                )
        flow = flows.get(way.flow or "")
        if flow is None:
            return
        for given in way.params:
            if given not in flow.params:
                hint = did_you_mean(given, flow.params)
                self.add(
                    (*path, "params", given),
                    "unknown-argument",
                    f"`{flow.name}` has no parameter `{given}`",
                    hint,
                    key=True,
                )
        for wanted in flow.params:
            if wanted not in way.params:
                self.add(
                    (*path, "flow"),
                    "missing-argument",
                    f"`{flow.name}` needs `{wanted}`",
                    f"params: {{{wanted}: …}}",
                )
        offered = [("language", way.language)] if way.language else []
        for key, language in offered + [("languages", language) for language in way.languages]:
            if language not in flow.languages:
                at = (*path, key, way.languages.index(language)) if key == "languages" else (*path, key)
                self.add(at, "flow-language", f"`{flow.name}` does not speak {language}")
