"""YAML as an editor reads it: the core schema of YAML 1.2, where `no` is a text and `1` a number; keys are texts."""

from __future__ import annotations

import re
from typing import Any

import yaml

_RESOLVERS = {
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "null": (r"null|Null|NULL|~|", ["n", "N", "~", ""]),
    "int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    "float": (r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+0123456789."),
}


class _Core(yaml.SafeLoader):
    """PyYAML's loader with the scalars of YAML 1.2."""

    yaml_implicit_resolvers = {}

    def number(self, node: yaml.ScalarNode) -> float:
        return float(node.value) if not node.value.isdigit() else int(node.value)


for _name, (_pattern, _first) in _RESOLVERS.items():
    _Core.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(f"^(?:{_pattern})$"), list(_first))
_Core.add_constructor("tag:yaml.org,2002:int", _Core.number)
_Core.add_constructor("tag:yaml.org,2002:float", _Core.number)


def read(text: str) -> Any:
    """The tree of a text. Raises ``yaml.YAMLError``."""
    return _texts_as_keys(yaml.load(text, _Core))


def _texts_as_keys(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {str(key): _texts_as_keys(item) for key, item in tree.items()}
    if isinstance(tree, list):
        return [_texts_as_keys(item) for item in tree]
    return tree
