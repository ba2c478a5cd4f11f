"""Text with values in it: ``"{shipment.number:digits} left {shipment.city}"``.

The one grammar for texts of prompt catalogues and for texts in flows. A slot is a dotted name of lower-case
letters, digits and ``_``, and may name a format after a colon, and behind that, each after a ``|``, the words that
follow the value by how many it is: ``{cases:count|case|cases}``. ``{{`` and ``}}`` stand for the braces themselves.
What a format means is decided above (``engine.prompts.spoken``); here it is only a word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_SLOT = re.compile(
    r"(?P<name>[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*)(?::(?P<format>[a-z][a-z0-9_]*)(?P<forms>(?:\|[^|]*)*))?"
)
_BRACE = re.compile(r"[{}]")


class TemplateError(ValueError):
    """A text whose braces make no sense. ``offset`` is where in the text, in characters from 0."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Slot:
    """A value's place in a text."""

    name: str  # dotted: "shipment.number"
    format: str  # "digits"; "" when none was named
    offset: int  # of its opening brace in the text
    forms: tuple[str, ...] = ()  # what follows the value: ("case", "cases")

    @property
    def root(self) -> str:
        """The name before the first dot: what must have been born for the slot to be filled."""
        return self.name.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed text: its pieces in order, literal strings (never empty) and slots."""

    text: str
    parts: tuple[str | Slot, ...]
    slots: tuple[Slot, ...] = field(init=False, compare=False, repr=False)
    sole: Slot | None = field(init=False, compare=False, repr=False)
    """The slot, when the text is nothing but one slot without a format: then the value keeps its type."""

    def __post_init__(self) -> None:
        slots = tuple(part for part in self.parts if isinstance(part, Slot))
        object.__setattr__(self, "slots", slots)
        sole = slots[0] if slots and len(self.parts) == 1 and not slots[0].format else None
        object.__setattr__(self, "sole", sole)


def parse_template(text: str) -> Template:
    """Split ``text`` into literals and slots; :class:`TemplateError` says what is wrong and where."""
    parts: list[str | Slot] = []
    literal: list[str] = []
    position = 0
    while (found := _BRACE.search(text, position)) is not None:
        at = found.start()
        literal.append(text[position:at])
        if text.startswith(("{{", "}}"), at):
            literal.append(text[at])
            position = at + 2
            continue
        if text[at] == "}":
            raise TemplateError("'}' closes nothing (write '}}' for the brace itself)", at)
        end = text.find("}", at)
        if end < 0:
            raise TemplateError("'{' is never closed (write '{{' for the brace itself)", at)
        inside = text[at + 1 : end]
        slot = _SLOT.fullmatch(inside)
        if slot is None:
            raise TemplateError(
                f"'{{{inside}}}' is no value: write {{name}}, {{name.field}} or {{name:format}}", at
            )
        if joined := "".join(literal):
            parts.append(joined)
        literal.clear()
        forms = tuple(" ".join(form.split()) for form in (slot["forms"] or "").split("|")[1:])
        if not all(forms):
            raise TemplateError(f"'{{{inside}}}' has an empty word between its '|'", at)
        parts.append(Slot(slot["name"], slot["format"] or "", at, forms))
        position = end + 1
    literal.append(text[position:])
    if joined := "".join(literal):
        parts.append(joined)
    return Template(text, tuple(parts))
