"""docs/api.md, made of the docstrings: ``python -m tests.api.pages`` writes it, tests/api holds it against them."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

from engine import api

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
#: Types that are made of others, and so have no docstring.
ALIASES = {
    "Attempts": "In a step or in settings: how often something is tried, 1 to 99.",
    "Digits": "Text of the digits 0-9, so that leading zeros stay: a waybill, a dealer code, a PIN.",
    "Duration": "In a step or in settings: a length of time, `500ms 5s 10m 2h 1d`; in Python seconds, a float.",
    "Flag": "In a step or in settings: `true` or `false`.",
    "Into": "In a step: the name that gets a value (`call.bear`). The checker then knows that it is born there.",
    "Moment": "The column type of an aware moment in UTC, the same on SQLite and PostgreSQL. A naive one is refused.",
    "Private": "`Private[T]`: may be spoken to the caller; never stored, told to others, logged or recorded.",
    "Prompt": "In a step: a prompt, as `play:` takes it. The checker looks it up in every language of the flow.",
    "Target": "In a step: a way out, to a block or a flow. A way is taken by returning it from `act`.",
    "Value": 'In a step: a value as flows write it, `"{waybill}"`; `call.value(self.field)` is what it means now.',
    "hookimpl": "Marks an implementation of a hook ([hooks.md](hooks.md)).",
}
_HEAD = """\
# engine.api

Everything that a plugin may import. It is made of the docstrings by `python -m tests.api.pages`; a test keeps it so.
Times are aware datetimes; lengths of time are seconds where nothing else is said. [plugins.md](plugins.md) leads
through it.
"""


def page() -> str:
    """The whole page."""
    return "\n".join(
        [_HEAD, *(_entry(name, getattr(api, name)) for name in sorted(api.__all__, key=str.lower))]
    )


def _entry(name: str, what: Any) -> str:
    if name in ALIASES:
        return f"## `{name}`\n\n{ALIASES[name]}\n"
    lines = [f"## `{name}`", "", _shown(inspect.getdoc(what)), ""]
    if inspect.isclass(what):
        for member, function in vars(what).items():
            if member.startswith("_") or member in ("run", "model_config"):
                continue
            plain = function.fget if isinstance(function, property) else function
            if inspect.isfunction(plain) and inspect.getdoc(plain):
                shown = member if isinstance(function, property) else f"{member}{_signature(plain)}"
                lines += [f"- `{shown}`: {' '.join(_shown(inspect.getdoc(plain)).split())}"]
        fields = getattr(what, "__dataclass_fields__", {})
        lines += [f"- `{field.name}: {field.type}`" for field in fields.values() if field.init]
    else:
        lines.insert(1, f"\n`{name}{_signature(what)}`")
    return "\n".join(lines).rstrip() + "\n"


def _signature(function: Any) -> str:
    found = inspect.signature(function)
    kept = [one for one in found.parameters.values() if one.name != "self"]
    written = str(found.replace(parameters=kept)).replace("''", '""')  # an empty default keeps its quotes
    return re.sub(r"'([^']+)'", r"\1", written)


def _shown(text: str | None) -> str:
    """A docstring as Markdown."""
    said = (text or "").replace("``", "`")
    for role in (":class:", ":meth:", ":mod:", ":data:", ":attr:"):
        said = said.replace(role, "")
    head, mark, code = said.partition("::\n")
    return f"{head.rstrip()}\n\n```text\n{inspect.cleandoc(code)}\n```" if mark else said


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
