"""Faxes to be sent, and how far they are.

A change here needs a change of ``migrations/versions`` (a test compares the two).
"""

from __future__ import annotations
