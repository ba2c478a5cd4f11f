"""Where a step leads: what its handler answers. None means the next step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Go:
    """Go on at a block of this flow, or at another flow for good (``department/flow``, begun with ``params``).
    ``way`` is the way out that is taken, as written (``give_up``, ``options.1``), where the step says."""

    target: str
    params: Mapping[str, Any] = field(default_factory=dict)
    way: str = ""


@dataclass(frozen=True, slots=True)
class Enter:
    """Run a sub-flow with these parameters; its outcome leads on by the step's own ways."""

    flow: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Leave:
    """Return from a sub-flow with an outcome and values."""

    outcome: str
    values: Mapping[str, Any] = field(default_factory=dict)


class End:
    """The call's flow is over."""


END: Final = End()
Move = Go | Enter | Leave | End | None
