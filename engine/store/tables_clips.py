"""What callers left as sound: messages and dictated clips.

A change here needs a change of ``migrations/versions`` (a test compares the two).
"""

from __future__ import annotations
