"""The example of a kind of step: a small flow, and a conversation with it that the tests have.

It stands beside the step, in ``examples/<kind>.yaml`` of the folder that the step's module is in; a plugin's step has
its own there. The reference shows it, and ``engine.testing.examples`` has the conversation.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, PlainValidator

from engine.flows.step import Step
from engine.schema.faults import Fault
from engine.schema.fields import Name, Raw, Text, text_of
from engine.schema.shapes import FileShape, load_file, wrong

Said = Literal[
    "hears", "presses", "says", "hears_beep", "hears_music", "talks_to", "waits", "hangs_up", "writes", "ends"
]
SAYINGS: Final = frozenset(Said.__args__)  # type: ignore[attr-defined]


def _line(value: Any) -> tuple[str, str]:
    """``- hears: Good bye.`` or ``- ends``."""
    if isinstance(value, dict) and len(value) == 1:
        ((word, said),) = value.items()
    else:
        word, said = text_of(value, "a line of a conversation"), ""
    if word not in SAYINGS:
        raise wrong(
            "unknown-choice", f"nobody `{word}` in a conversation", f"known: {', '.join(sorted(SAYINGS))}"
        )
    return str(word), str(text_of(said, "a text"))


Line = Annotated[tuple[str, str], PlainValidator(_line)]


class Example(FileShape):
    """An example as written."""

    about: Text
    """What happens in it."""
    flow: Raw
    """The blocks of the flow ``example/main``; the first one is where it begins."""
    talk: Annotated[list[Line], Field(min_length=1)]
    """Who says and does what."""
    rule: Raw = ""
    """More of the rule of the dialplan that leads to it."""
    prompts: dict[Name, Text] = Field(default_factory=dict)
    """More prompts, in English."""
    files: dict[Text, Raw] = Field(default_factory=dict)
    """More files of the centre that it is in."""


def example_path(kind: type[Step]) -> Path:
    """Where the example of a kind of step stands, or would."""
    return Path(inspect.getfile(kind)).parent / "examples" / f"{kind.kind}.yaml"


def example_of(kind: type[Step]) -> tuple[Example | None, list[Fault]]:
    """The example of a kind of step (None when there is none, or it can't be read) and the faults of its file."""
    path = example_path(kind)
    if not path.is_file():
        return None, []
    return load_file(path, Example, name=path.name)
