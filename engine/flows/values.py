"""Values in flows: ``"{waybill}"`` keeps its type, ``"order {id:digits}"`` is text, ``"= total + 1"`` is reckoned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema

from engine.flows.expressions import Expression, ExpressionError, Use, compile_expression
from engine.flows.scope import lookup
from engine.schema.fields import text_of
from engine.schema.shapes import Ref, wrong
from engine.schema.templates import Template, TemplateError, parse_template

#: How a value becomes text: (value, format) -> text. Flows use the caller's language; data uses :func:`plain`.
Say = Callable[[Any, str], str]


def plain(value: Any, format: str) -> str:
    """A value as plain text, for data that nobody hears."""
    return "" if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Value:
    """A value as written in a flow; equal when its text is. ``get`` gives what it means now, ``uses`` are the
    names that it reads."""

    text: str
    expression: Expression | None = field(compare=False, repr=False, default=None)
    template: Template | None = field(compare=False, repr=False, default=None)
    uses: tuple[Use, ...] = field(compare=False, repr=False, default=())

    def get(self, scope: Mapping[str, Any], say: Say = plain) -> Any:
        """The value over ``scope``. Raises UnknownName or ExpressionError. A literal is its text."""
        if self.expression is not None:
            return self.expression.evaluate(scope)
        if self.template is None:
            return self.text
        if (sole := self.template.sole) is not None:
            return lookup(scope, sole.name.split("."))
        return fill(self.template, scope, say)

    def __str__(self) -> str:
        return self.text


def fill(template: Template, scope: Mapping[str, Any], say: Say = plain) -> str:
    """The text with its slots filled by ``say(value, format)``. Raises UnknownName."""
    parts = []
    for part in template.parts:
        if isinstance(part, str):
            parts.append(part)
        else:
            parts.append(say(lookup(scope, part.name.split(".")), part.format))
    return "".join(parts)


@lru_cache(maxsize=16384)
def parse_value(text: str) -> Value:
    """Parse a value; raises ExpressionError or TemplateError."""
    if text.startswith("="):
        expression = compile_expression(text[1:])
        moved = tuple(use._replace(offset=use.offset + 1) for use in expression.uses)
        return Value(text, expression=expression, uses=moved)
    if "{" in text or "}" in text:
        template = parse_template(text)
        if template.slots:
            if counted := next((slot for slot in template.slots if slot.forms), None):
                raise TemplateError(
                    "words by number (`|`) belong to the prompts of a language", counted.offset
                )
            uses = tuple(Use(tuple(slot.name.split(".")), slot.offset) for slot in template.slots)
            return Value(text, template=template, uses=uses)
        return Value("".join(part for part in template.parts if isinstance(part, str)))
    return Value(text)


def _value(value: Any) -> Value:
    if isinstance(value, Value):
        return value
    text = str(text_of(value, "a value"))
    try:
        return parse_value(text)
    except ExpressionError as error:
        raise wrong("expression", error.message, error.hint, offset=error.offset + 1) from None
    except TemplateError as error:
        raise wrong("template", str(error), offset=error.offset) from None


#: A value: text, text with ``{slots}``, or ``= expression``. Parsed.
Val = Annotated[
    Value,
    PlainValidator(_value),
    WithJsonSchema({"type": ["string", "number", "boolean"], "examples": ["{waybill}", "= total + 1"]}),
    Ref("value"),
]
