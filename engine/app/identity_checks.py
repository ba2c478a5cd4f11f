"""What of conf/engine.yaml would write down who calls, where the dialplan says that nobody is to know."""

from __future__ import annotations

from typing import Final

from engine.flows.dialplan import Dialplan
from engine.schema.faults import Fault

_QUIET: Final = "warning"


def identity_faults(dialplan: Dialplan, switch_log: str) -> list[Fault]:
    """A fault at each rule that defers who calls, while the switch's own log holds every caller's number: from
    ``notice`` on it has a line for each new channel, which is named after it."""
    if switch_log == _QUIET:
        return []
    file = dialplan._file
    paths: list[tuple[str | int, ...]] = [("numbers", at) for at in range(len(file.numbers))]
    ways = [*file.numbers, file.otherwise]
    return [
        file.fault(
            (*path, "identity"),
            "identity-logged",
            f"the switch logs at `{switch_log}` (conf/engine.yaml), and writes down who calls",
            f"write `switch: {{log: {_QUIET}}}` there, or leave `log` out",
        )
        for path, way in zip([*paths, ("otherwise",)], ways, strict=True)
        if way.identity == "deferred"
    ]
