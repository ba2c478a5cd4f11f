"""What the source says of the fields of a shape: for editors and for the reference.

A field is told of by the string below it, by the ``#:`` lines above it, or by the comment behind it. It is read
from the source when somebody asks, so that loading a shape costs nothing.
"""

from __future__ import annotations

import ast
import inspect
import re
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

_BEHIND = re.compile(r"#(?!:)\s*(?P<text>[^#\"']*)$")
_NO_WORDS = re.compile(r"(?:type: ?ignore|noqa|fmt:|pragma:)")


def field_docs(shape: type[BaseModel]) -> dict[str, str]:
    """Field -> what it is, also of fields that a shape has from the one that it is made of. Fields that nothing is
    said of are left out; a shape whose source is not there has none."""
    found: dict[str, str] = {}
    for kind in reversed(shape.__mro__):
        if isinstance(kind, type) and issubclass(kind, BaseModel) and kind is not BaseModel:
            found.update(_own(kind))
    said = {name: field.description for name, field in shape.model_fields.items() if field.description}
    return {name: text for name, text in {**found, **said}.items() if name in shape.model_fields}


def shape_doc(shape: type[Any]) -> str:
    """The shape's own docstring ("" when it has none of its own), its paragraphs each in one line."""
    return prose(shape.__dict__.get("__doc__") or "")


def module_doc(shape: type[Any]) -> str:
    """The docstring of the module that the shape stands in."""
    module = inspect.getmodule(shape)
    return prose((module.__doc__ or "") if module is not None else "")


def prose(text: str) -> str:
    """A docstring as text for people: one line for each paragraph, ``code`` as `code`."""
    paragraphs = re.split(r"\n\s*\n", inspect.cleandoc(text))
    return "\n\n".join(" ".join(part.split()) for part in paragraphs).replace("``", "`").strip()


def _own(kind: type[Any]) -> dict[str, str]:
    try:
        path = inspect.getsourcefile(kind)
    except TypeError:  # made in a session, or built in
        return {}
    if path is None or not Path(path).is_file():
        return {}
    return _classes(path).get(kind.__qualname__, {})


@cache
def _classes(path: str) -> MappingProxyType[str, dict[str, str]]:
    source = Path(path).read_text(encoding="utf-8")
    lines = source.split("\n")
    found: dict[str, dict[str, str]] = {}

    def visit(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                found[f"{prefix}{child.name}"] = _fields(child, lines)
                visit(child, f"{prefix}{child.name}.")

    visit(ast.parse(source), "")
    return MappingProxyType(found)


def _fields(node: ast.ClassDef, lines: list[str]) -> dict[str, str]:
    found = {}
    for item, following in zip(node.body, [*node.body[1:], None], strict=True):
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            text = _below(following) or _above(item, lines) or _behind(item, lines)
            if text:
                found[item.target.id] = prose(text)
    return found


def _below(following: ast.stmt | None) -> str:
    if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
        value = following.value.value
        return value if isinstance(value, str) else ""
    return ""


def _above(item: ast.AnnAssign, lines: list[str]) -> str:
    told: list[str] = []
    at = item.lineno - 2
    while at >= 0 and lines[at].strip().startswith("#:"):
        told.insert(0, lines[at].strip().removeprefix("#:"))
        at -= 1
    return " ".join(told)


def _behind(item: ast.AnnAssign, lines: list[str]) -> str:
    found = _BEHIND.search(lines[(item.end_lineno or item.lineno) - 1])
    if found is None or _NO_WORDS.match(found["text"]):
        return ""
    return found["text"]
