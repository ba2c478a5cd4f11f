"""What is owed to whom: tickets, callbacks, tallies, notices.

A change here needs a change of ``migrations/versions`` (a test compares the two).
"""

from __future__ import annotations
