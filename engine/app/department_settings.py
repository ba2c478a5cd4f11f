"""What conf/engine.yaml says to each department, held against the department's own model.

::

    departments:
      logistics:
        late: 24h              # of the department's own Settings
        adapters: …            # where its company systems are
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from engine.config import Settings
from engine.hooks.host import Host
from engine.schema.faults import Fault, did_you_mean
from engine.schema.shapes import keys_of, parse_shape
from engine.schema.source import Broken, Document, read_document

_ADAPTERS = "adapters"
_SECTION = "departments"


def read_department_settings(
    path: Path, settings: Settings, host: Host, *, away: Collection[str], name: str
) -> tuple[dict[str, Any], list[Fault]]:
    """The settings by department, for those that declare some, and every mistake at its place. A department that
    says nothing has its model's defaults; what is said to those that are ``away`` is looked at when they are there."""
    departments = host.departments
    document = read_document(path, name=name)
    faults: list[Fault] = []
    found: dict[str, Any] = {}
    for said in settings.departments:
        if said not in departments and said not in away:
            hint = did_you_mean(said, departments)
            message = f"there is no department `{said}`"
            faults.append(document.fault((_SECTION, said), "unknown-department", message, hint, key=True))
    for one, department in departments.items():
        tree = document.value((_SECTION, one)) if document.tree is not None else None
        own = _own(tree)
        if department.settings is None:
            faults += [_unwanted(document, one, key) for key in own]
            continue
        made, more = parse_shape(document, department.settings, (_SECTION, one), own)
        for fault in more:
            if fault.code == "unknown-key":
                # `adapters` may stand there too, and is not the model's.
                key = fault.message.split("`")[1]
                hint = did_you_mean(key, [*keys_of(department.settings), _ADAPTERS])
                fault = document.fault((_SECTION, one, key), fault.code, fault.message, hint, key=True)
            faults.append(fault)
        if made is not None:
            found[one] = made
    return found, faults


def _own(tree: Any) -> dict[str, Any]:
    if not isinstance(tree, Mapping) or isinstance(tree, Broken):
        return {}
    return {key: value for key, value in tree.items() if key != _ADAPTERS}


def _unwanted(document: Document, department: str, key: str) -> Fault:
    return document.fault(
        (_SECTION, department, key),
        "unknown-key",
        f"`{key}` is not known here: {department} has no settings of its own",
        did_you_mean(key, [_ADAPTERS]),
        key=True,
    )
