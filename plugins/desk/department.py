"""The department that the agents' own line belongs to."""

from __future__ import annotations

from engine.api import Department

department = Department("desk", title="The agents' own line")
