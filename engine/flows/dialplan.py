"""Which number runs which flow: ``dialplans/main.yaml``.

The first rule that fits wins; a rule that can never win is an error. A call that fits none goes the way of
``otherwise``, which must be there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from engine.flows.calendars import Calendars
from engine.flows.dialplan_file import DialplanFile, Rule, Way
from engine.flows.known import Known, is_prompt_key
from engine.flows.model import GRAMMAR, Declared, Flow
from engine.flows.numbers import Numbers
from engine.flows.patterns import Pattern, captures_in, fill_captures
from engine.flows.shadows import Calls, shadowed
from engine.schema.faults import Faults, did_you_mean
from engine.schema.salvage import Salvaged, salvage
from engine.schema.shapes import parse_document, references
from engine.schema.source import read_document

Tier = str | Callable[[], str]
"""The tier of a caller's party ("" for none), or who is asked for it when a rule wants to know."""


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


@dataclass(frozen=True, slots=True)
class Tried:
    """A rule (or a list) that was looked at before one won, and why it did not."""

    rule: str  # "dialplans/main.yaml:7"
    text: str  # "8004 from tier diamond"
    why_not: str
    number: bool = True  # the dialled number fits it; something else does not


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the dialplan says of a call, and how it came to that."""

    match: Match
    tried: tuple[Tried, ...]


class _Call:
    """One call as the dialplan looks at it; the tier is asked for at most once."""

    __slots__ = ("_tier", "at", "calendars", "caller", "to", "trunk")

    def __init__(
        self, to: str, caller: str, tier: Tier, at: datetime | None, trunk: str, calendars: Calendars | None
    ) -> None:
        self.to = to
        self.caller = caller
        self._tier = tier
        self.at = at
        self.trunk = trunk
        self.calendars = calendars

    @property
    def tier(self) -> str:
        if callable(self._tier):
            self._tier = self._tier()
        return self._tier


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
            for pattern in listed.deny or ()
        ]
        self._allow = {
            name: [_as_e164(pattern, numbers) for pattern in listed.allow]
            for name, listed in file.lists.items()
            if listed.allow is not None
        }
        self._from = [
            _as_e164(rule.from_.number, numbers) if rule.from_ and rule.from_.number else None
            for rule in file.numbers
        ]
        self._exact: dict[str, list[int]] = {}
        self._places: dict[tuple[str | int, ...], str] = {}
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

    def answers(self, to: str) -> bool:
        """Is there a rule for this number (whoever calls, and whenever)?"""
        return any(rule.to.match(to) is not None for rule in self._file.numbers)

    def says_the_same(self, other: Dialplan) -> bool:
        """Are the two written alike, but for comments?"""
        mine, theirs = self._file, other._file
        return (mine.lists, mine.numbers, mine.otherwise) == (theirs.lists, theirs.numbers, theirs.otherwise)

    @property
    def rules(self) -> list[tuple[str, Way]]:
        """All rules with their places, ``otherwise`` last."""
        ways: list[tuple[str, Way]] = [
            (self._at("numbers", index), rule) for index, rule in enumerate(self._file.numbers)
        ]
        return [*ways, (self._at("otherwise"), self._file.otherwise)]

    def match(
        self,
        *,
        to: str,
        caller: str = "",
        tier: Tier = "",
        at: datetime | None = None,
        trunk: str = "",
        calendars: Calendars | None = None,
    ) -> Match:
        """What to do with a call to ``to`` from ``caller`` (E.164, "" when withheld) of an important party's
        ``tier``, at an aware moment ``at`` in the centre's time (rules with ``during`` fit only when it is given).

        ``tier`` may be a function: it is asked only when a rule wants to know. ``calendars`` are those that hold now
        (closures among them), when not those that the dialplan was read with.
        """
        return self._decide(_Call(to, caller, tier, at, trunk, calendars or self._calendars), None)

    def explain(
        self,
        *,
        to: str,
        caller: str = "",
        tier: Tier = "",
        at: datetime | None = None,
        trunk: str = "",
        calendars: Calendars | None = None,
    ) -> Explanation:
        """The same, with every rule that was passed over and why."""
        tried: list[Tried] = []
        match = self._decide(_Call(to, caller, tier, at, trunk, calendars or self._calendars), tried)
        return Explanation(match, tuple(tried))

    def _decide(self, call: _Call, tried: list[Tried] | None) -> Match:
        if call.caller:
            for name, say, pattern in self._deny:
                if pattern.match(call.caller) is not None:
                    why = f"{call.caller} is on the list {name}"
                    return Match("deny", why, say=say, rule=self._at("lists", name))
        every = tried is not None
        candidates = (
            range(len(self._file.numbers))
            if every
            else sorted([*self._exact.get(call.to, ()), *self._patterns])
        )
        for index in candidates:
            rule = self._file.numbers[index]
            captured = rule.to.match(call.to)
            if captured is None:
                if tried is not None:
                    why_not = f"{call.to} was dialled" if rule.to.exact else f"{call.to} does not fit"
                    tried.append(Tried(self._at("numbers", index), str(rule), why_not, number=False))
                continue
            reasons = [f"{call.to} was dialled" if rule.to.exact else f"{call.to} fits {rule.to.text}"]
            why_not = self._why_not(rule, self._from[index], call, reasons)
            if why_not:
                if tried is not None:
                    tried.append(Tried(self._at("numbers", index), str(rule), why_not))
                continue
            why = " and ".join(reasons)
            if rule.only is not None and not self._on_list(rule.only, call.caller):
                who = call.caller or "a withheld number"
                say = self._file.lists[rule.only].say or ""
                why = f"{why}, but {who} is not on the list {rule.only}"
                return Match("deny", why, say=say, rule=self._at("numbers", index))
            return self._made(rule, why, self._at("numbers", index), captured)
        return self._made(self._file.otherwise, f"no rule fits {call.to}", self._at("otherwise"), ())

    def _why_not(self, rule: Rule, number: Pattern | None, call: _Call, reasons: list[str]) -> str:
        """Why a rule does not hold for a call to its number; "" when it does (and why, in ``reasons``)."""
        if rule.trunk is not None:
            if rule.trunk != call.trunk:
                return f"it came over {call.trunk}" if call.trunk else f"it did not come over {rule.trunk}"
            reasons.append(f"it came over {rule.trunk}")
        if rule.from_ is not None:
            if number is not None:
                if number.match(call.caller) is None:
                    return f"{call.caller} calls" if call.caller else "the caller's number is withheld"
                reasons.append(f"{call.caller} calls")
            if rule.from_.list_ is not None:
                if not self._on_list(rule.from_.list_, call.caller):
                    return f"{call.caller or 'a withheld number'} is not on the list {rule.from_.list_}"
                reasons.append(f"{call.caller} is on the list {rule.from_.list_}")
            if rule.from_.tier is not None:
                if rule.from_.tier != call.tier:
                    return (
                        f"the caller is {call.tier}" if call.tier else "the caller is of no tier that we know"
                    )
                reasons.append(f"the caller is {rule.from_.tier}")
        return self._not_now(rule, call, reasons)

    def _not_now(self, rule: Rule, call: _Call, reasons: list[str]) -> str:
        during = rule.during
        if during is None:
            return ""
        if call.at is None:
            return "no time is given"
        if during.calendar is None:
            if not during.holds(call.at):
                return f"it is {call.at:%a %H:%M}"
            reasons.append(f"it is {call.at:%a %H:%M}")
            return ""
        if call.calendars is None:
            return f"nothing is known of the calendar {during.calendar}"
        opening = call.calendars.at(during.calendar, call.at)
        says = f"{during.calendar} is {'open' if opening.open else 'closed'} ({opening.why})"
        if opening.open == during.closed:
            return says
        reasons.append(says)
        return ""

    def _on_list(self, name: str, caller: str) -> bool:
        return bool(caller) and any(
            pattern.match(caller) is not None for pattern in self._allow.get(name, ())
        )

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
        place = self._places.get(path)
        if place is None:
            position = self._file.at(*path)
            place = self._places[path] = f"{position.file}:{position.line}"
        return place


def _as_e164(pattern: Pattern, numbers: Numbers) -> Pattern:
    """An exact number as callers' numbers come; a pattern as it stands."""
    return Pattern(numbers.e164(pattern.text)) if pattern.exact else pattern


def load_dialplan(
    path: Path,
    *,
    numbers: Numbers,
    flows: Mapping[str, Flow] | None = None,
    declared: Mapping[str, Declared | None] | None = None,
    known: Known | None = None,
    calendars: Calendars | None = None,
    name: str | None = None,
) -> tuple[Dialplan | None, Faults]:
    """Read a dialplan. What it names is looked up in ``flows`` and ``known`` where they are given;
    ``declared`` is what flows say of themselves: those that could not be compiled, or all, which are not built then.

    Gives the dialplan, or None when there is any error, and all faults. Raises nothing for what the file holds.
    """
    document = read_document(path, name=name)
    file, found = parse_document(document, DialplanFile)
    faults = Faults(found)
    flows_there: Mapping[str, Flow | Declared | None] | None = declared or flows
    if file is None:
        if document.tree is not None and (saved := salvage(DialplanFile, document.tree)) is not None:
            saved.model._document = document
            _Check(saved.model, faults, numbers, saved).run(flows_there, known)
        return None, faults
    _Check(file, faults, numbers).run(flows_there, known)
    if faults.errors:
        return None, faults
    return Dialplan(file, numbers=numbers, calendars=calendars, flows=flows), faults


class _Check:
    """Looks at a parsed dialplan: rules that can't win, captures, and what is named."""

    def __init__(
        self,
        file: DialplanFile,
        faults: Faults,
        numbers: Numbers,
        saved: Salvaged[DialplanFile] | None = None,
    ) -> None:
        """``saved``: the file has faults, and this is what could be saved of it. Only what is named is looked up."""
        self.file = file
        self.faults = faults
        self.numbers = numbers
        self.saved = saved

    def run(self, flows: Mapping[str, Flow | Declared | None] | None, known: Known | None) -> None:
        if self.saved is not None:
            if "lists" not in self.saved.hurt:
                self.lists()
            self.named(flows, known)
            return
        if self.file.grammar != GRAMMAR:
            self.add(("grammar",), "grammar", f"this engine reads grammar {GRAMMAR}, not {self.file.grammar}")
        self.shadows()
        self.lists()
        for index, rule in enumerate(self.file.numbers):
            self.captures(("numbers", index), rule)
        self.captures(("otherwise",), self.file.otherwise)
        self.named(flows, known)

    def named(self, flows: Mapping[str, Flow | Declared | None] | None, known: Known | None) -> None:
        """Everything that the dialplan names is there."""
        if known is not None:
            self.references(known)
        if flows is not None:
            for index, rule in enumerate(self.file.numbers or ()):
                self.flows(("numbers", index), rule, flows)
            otherwise: Way | None = self.file.otherwise  # a file with faults may have none
            if otherwise is not None:
                self.flows(("otherwise",), otherwise, flows)

    def add(self, path: tuple[str | int, ...], code: str, message: str, hint: str = "", **more: Any) -> None:
        if self.saved is not None:
            if not code.startswith("unknown-"):
                return  # what could not be read may be what is missing
            path = self.saved.path(path)
        self.faults.add(self.file.fault(path, code, message, hint, **more))

    def shadows(self) -> None:
        calls = [self._calls(rule) for rule in self.file.numbers]
        for index, one in enumerate(calls):
            found = shadowed(one, calls[:index])
            if found is None:
                continue
            also = self.file.at("numbers", found[0])
            lines = [str(self.file.at("numbers", earlier).line) for earlier in found]
            who = (
                f"the one in line {lines[0]} takes"
                if len(lines) == 1
                else (f"those in lines {', '.join(lines[:-1])} and {lines[-1]} take")
            )
            message = f"this rule never wins: {who} all its calls"
            self.add(
                ("numbers", index),
                "shadowed",
                message,
                "put it before that one" if len(lines) == 1 else "put it before them",
                also=also,
            )

    def _calls(self, rule: Rule) -> Calls:
        given = rule.from_
        number = (
            _as_e164(given.number, self.numbers) if given is not None and given.number is not None else None
        )
        tier, list_ = (given.tier, given.list_) if given is not None else (None, None)
        return Calls(rule.to, number, tier, list_, rule.trunk, rule.during)

    def lists(self) -> None:
        """Lists that are named are there and of the right kind; an allow list that nobody names does nothing."""
        lists, used = self.file.lists, set()
        allowing = [name for name, listed in lists.items() if listed.allow is not None]
        for index, rule in enumerate(self.file.numbers or ()):
            named: list[tuple[tuple[str | int, ...], str | None]] = [(("numbers", index, "only"), rule.only)]
            if rule.from_ is not None:
                named.append((("numbers", index, "from", "list"), rule.from_.list_))
            for path, name in named:
                if name is None:
                    continue
                used.add(name)
                if name not in lists:
                    self.add(path, "unknown-list", f"there is no list `{name}`", did_you_mean(name, allowing))
                elif name not in allowing:
                    message = f"`{name}` is a deny list: it turns its callers away from every number"
                    self.add(path, "list", message, "name a list that says `allow`")
        for name in allowing:
            if name not in used:
                message = f"no rule names the list `{name}`: it does nothing"
                hint = f"say `only: {name}` or `from: {{list: {name}}}` in a rule"
                self.add(("lists", name), "unused-list", message, hint, key=True, severity="warning")

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
            names: Collection[str] | None
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
            if names is not None and value not in names:
                self.add(
                    found.path, f"unknown-{kind}", f"there is no {kind} `{value}`", did_you_mean(value, names)
                )
        if known.extensions is not None:
            for index, rule in enumerate(self.file.numbers or ()):
                extension = rule.extension
                if extension is not None and "{" not in extension and extension not in known.extensions:
                    hint = did_you_mean(extension, known.extensions)
                    self.add(
                        ("numbers", index, "extension"), "unknown-extension", f"nobody has {extension}", hint
                    )

    def flows(
        self, path: tuple[str | int, ...], way: Way, flows: Mapping[str, Flow | Declared | None]
    ) -> None:
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
