"""Composing YAML into nodes, by libyaml where PyYAML has it; no scalar is given a type."""

from __future__ import annotations

from typing import Any

from yaml.composer import Composer
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

try:
    from yaml.cyaml import CParser  # type: ignore[attr-defined]
except ImportError:  # PyYAML without libyaml: slower, the same result
    CParser = None  # type: ignore[assignment, misc]


class _NoTypes:
    """A resolver that resolves nothing: all scalars are text."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        return "text"

    def descend_resolver(self, current_node: Any, current_index: Any) -> None:
        pass

    def ascend_resolver(self) -> None:
        pass


class _PythonComposer(_NoTypes, Reader, Scanner, Parser, Composer):
    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)


if CParser is not None:

    class _CComposer(_NoTypes, CParser):
        def __init__(self, text: str) -> None:
            CParser.__init__(self, text)

    FastComposer: Any = _CComposer
else:
    FastComposer = _PythonComposer
