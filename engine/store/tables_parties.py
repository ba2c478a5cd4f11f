"""Who calls: parties, their numbers and secrets.

A change here needs a change of ``migrations/versions`` (a test compares the two).
"""

from __future__ import annotations
