"""The texts that flows say in their own words, not by a prompt's key: to be rendered before a call asks for them."""

from __future__ import annotations

from collections.abc import Iterator

from engine.flows.model import FlowSet
from engine.flows.step import Step
from engine.schema.fields import is_prompt_key
from engine.schema.shapes import references


def literal_texts(flows: FlowSet) -> Iterator[tuple[str, str]]:
    """Language and text, once for each language of the flow that says it. Flows are built one by one as it goes on."""
    seen: set[tuple[str, str]] = set()
    for flow in flows.flows.values():
        for steps in (*(block.steps for block in flow.blocks.values()), flow.on_hangup):
            for text in _said(steps):
                for language in flow.languages:
                    if (language, text) not in seen:
                        seen.add((language, text))
                        yield language, text


def spoken_literally(text: str) -> str:
    """``text`` as a prompt that is said word by word: no placeholder is seen in it, and no key of the catalogue."""
    whole = text.replace("{", "{{").replace("}", "}}")
    return whole + "." if is_prompt_key(whole) else whole


def _said(steps: tuple[Step, ...]) -> Iterator[str]:
    for step in steps:
        if type(step).writes_prompts:
            continue
        for reference in references(step):
            if reference.kind == "prompt" and not is_prompt_key(reference.value):
                yield reference.value


__all__ = ["literal_texts", "spoken_literally"]
