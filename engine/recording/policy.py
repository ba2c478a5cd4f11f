"""Which calls are recorded.

A flow names a policy (``record: service``); conf/engine.yaml says what each means. A dialplan's
``record: never`` is stronger than any flow. The share of a policy is drawn from a seeded row of numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from random import Random

import structlog

from engine.config import Recording, RecordingPolicy

log = structlog.get_logger(__name__)

NEVER = "never"


class Policies:
    """The policies of the installation."""

    def __init__(self, settings: Recording, *, seed: int = 0) -> None:
        self.default = settings.policy
        self._policies: Mapping[str, RecordingPolicy] = settings.policies
        self._draw = Random(seed)

    @property
    def names(self) -> frozenset[str]:
        """What a flow may say after ``record:``."""
        return frozenset(self._policies)

    def records(self, policy: str = "", *, dialplan: str = "") -> bool:
        """Whether a call is to be recorded now: draws, so ask once for a call.

        ``policy`` is the flow's ("": the default one), ``dialplan`` what the number's rule says ("": nothing).
        A policy that nobody declared records nothing: what should not have been kept can't be taken back.
        """
        if dialplan == NEVER:
            return False
        name = dialplan or policy or self.default
        known = self._policies.get(name)
        if known is None:
            log.error("recording.unknown_policy", policy=name)
            return False
        return known.share >= 1 or self._draw.random() < known.share

    def keep(self, policy: str) -> timedelta:
        """How long a recording made by ``policy`` is kept; one of a policy that is gone: as the longest of all."""
        known = self._policies.get(policy)
        return timedelta(seconds=known.keep) if known is not None else self.longest

    @property
    def longest(self) -> timedelta:
        """The longest time that any policy keeps a recording."""
        return timedelta(seconds=max(policy.keep for policy in self._policies.values()))
