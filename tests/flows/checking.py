"""What the tests of the checker share: a sample department on disk, and what its flows may refer to."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Literal

from engine.flows.checker import compile_flows
from engine.flows.known import CommandType, Known, QueryType
from engine.flows.model import FlowSet
from engine.hooks.department import Argument
from engine.hooks.kinds import Digits, FieldType
from engine.prompts.spoken import FORMATS
from engine.schema.faults import Faults

SAMPLE = Path(__file__).parent / "sample"
MAIN = SAMPLE / "orders" / "flows" / "main.yaml"

_COMMON = ["recorded_notice", "silent", "wrong_key", "closed", "bye", "try_again"]
_ORDERS = ["enter_dealer", "enter_pin", "main_menu", "no_order"]
_TEXTS: dict[str, dict[str, str]] = {
    **{key: {} for key in _COMMON},
    **{f"orders/{key}": {} for key in _ORDERS},
    "orders/shipped_text": {"order.number": "digits", "order.at": "date"},
    "orders/note_text": {"note": ""},
    "orders/asked_text": {"asked": "count"},
    "orders/placed_text": {"placed": "digits"},
    "position": {"position": "count"},
}
_ORDER = {
    "number": FieldType(Digits, False, False),
    "state": FieldType(Literal["open", "shipped"], False, False),
    "lines": FieldType(int, False, False),
    "note": FieldType(str, True, False),
    "at": FieldType(date, False, False),
}


def _arguments(*names: str) -> dict[str, Argument]:
    return {name.rstrip("?"): Argument(name.rstrip("?"), str, not name.endswith("?")) for name in names}


KNOWN = Known(
    prompts={"zh-CN": _TEXTS, "en": {**_TEXTS, "only_english": {}}},
    queues={"orders"},
    queries={
        "orders.state": QueryType(_arguments("dealer", "since?"), None, True, False, _ORDER),
        "orders.check": QueryType(
            _arguments("dealer", "pin"), None, True, False, {"name": FieldType(str, False, False)}
        ),
    },
    commands={
        "orders.place": CommandType(_arguments("dealer", "count"), int, False, ("credit", "stock"), None)
    },
    calendars={"office"},
    formats=FORMATS,
    skills={"credit"},
    policies={"service", "never"},
)


def department(tmp_path: Path, **files: str) -> Path:
    """A copy of the sample with flows of it replaced or added: stem -> text."""
    plugins = tmp_path / "plugins"
    shutil.copytree(SAMPLE, plugins, dirs_exist_ok=True)
    for stem, text in files.items():
        (plugins / "orders" / "flows" / f"{stem}.yaml").write_text(text, encoding="utf-8")
    return plugins


def check(plugins: Path) -> tuple[FlowSet | None, Faults]:
    """Check and compile what is in a plugins folder."""
    return compile_flows(plugins, KNOWN, base=plugins.parent)


def marked(text: str, mark: str = "»") -> tuple[str, int, int]:
    """A text without its mark, and the line and column where it stood."""
    before = text[: text.index(mark)]
    return text.replace(mark, ""), before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
