"""What a prompt is to a flow: whether there is one in every language that the flow speaks, and what values it names.

Many flows speak the same prompts, so each is looked at once for a department and its languages.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

from engine.flows.away import department_of
from engine.flows.known import Known, is_prompt_key
from engine.prompts.plurals import wrong
from engine.schema.faults import did_you_mean
from engine.schema.templates import TemplateError, parse_template


class Placeholder(NamedTuple):
    """A value that a prompt speaks: its dotted name, split, and the format ("" for none)."""

    path: tuple[str, ...]
    format: str


class Words(NamedTuple):
    """A prompt as a flow means it. ``fault`` is code, message and hint, or None."""

    fault: tuple[str, str, str] | None
    placeholders: tuple[Placeholder, ...]


class Spoken:
    """The prompts as flows of several departments mean them."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._found: dict[tuple[str, tuple[str, ...]], dict[str, Words]] = {}

    def of(self, department: str, languages: tuple[str, ...]) -> SpokenHere:
        """Those of a flow of ``department`` that speaks ``languages``."""
        found = self._found.setdefault((department, languages), {})
        return SpokenHere(self._known, department, languages, found)


class SpokenHere:
    """The prompts as the flows of one department with the same languages mean them."""

    __slots__ = ("_department", "_found", "_known", "_languages")

    def __init__(
        self, known: Known, department: str, languages: tuple[str, ...], found: dict[str, Words]
    ) -> None:
        self._known = known
        self._department = department
        self._languages = languages
        self._found = found

    def __getitem__(self, prompt: str) -> Words:
        found = self._found.get(prompt)
        if found is None:
            found = self._found[prompt] = self._look(prompt)
        return found

    def _look(self, prompt: str) -> Words:
        if not is_prompt_key(prompt):
            return self._literal(prompt)
        away = self._known.away
        if self._department in away or (away and department_of(prompt, away)):
            return Words(None, ())  # what its plugin says of the prompt's values is not known
        spoken: dict[Placeholder, None] = {}
        missing = []
        for language in self._languages:
            values = self._known.prompt(prompt, language, self._department)
            if values is None:
                if language in self._known.languages:
                    missing.append(language)
                continue
            spoken.update(
                (Placeholder(tuple(name.split(".")), format_), None) for name, format_ in values.items()
            )
        return Words(self._missing(prompt, missing), tuple(spoken))

    def _missing(self, prompt: str, missing: list[str]) -> tuple[str, str, str] | None:
        if not missing:
            return None
        if len(missing) < len(self._languages):
            hint = f"add `{prompt}: …` to prompts/{missing[0]}.yaml of the department"
            return "prompt-language", f"the prompt `{prompt}` is missing in {', '.join(missing)}", hint
        keys = self._known.prompt_keys(self._department)
        hint = did_you_mean(prompt, keys, "add it to the prompts of each language")
        return "unknown-prompt", f"there is no prompt `{prompt}`", hint

    def _literal(self, text: str) -> Words:
        fault = None
        try:
            slots = parse_template(text).slots
        except TemplateError as error:
            return Words(("template", str(error), ""), ())
        for slot, language in product(slots, self._languages):
            if (told := wrong(slot.format, slot.forms, language)) is not None:
                return Words(("plural", *told), ())
        if len(self._languages) > 1:
            message = f"a text stands here, but the flow speaks {', '.join(self._languages)}"
            fault = "literal-text", message, "put it into the prompts of each language and write its key"
        return Words(fault, tuple(Placeholder(tuple(slot.name.split(".")), slot.format) for slot in slots))
