"""How the process keeps its memory: what large buffers took goes back to the system.

A look at a thousand channels is some megabytes for a moment: what the socket gave, the text, its rows. glibc's malloc
takes such blocks from the system one by one and gives them back, but by default it learns from each that is freed to
keep the next one of that size in its heap, where a single small thing behind it holds all of it: 6 KiB of the 22 for
each of a thousand parked calls were such holes (docs/benchmarks.md). A fixed limit is not learned away.
"""

from __future__ import annotations

import ctypes
from typing import Final

import structlog

log = structlog.get_logger(__name__)

LARGE: Final = 256 * 1024  # bytes from which a block is the system's own, and is given back when it is freed
# <malloc.h>
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3


def give_large_blocks_back() -> bool:
    """Fix glibc's two limits. False where malloc is another one (musl, macOS), which has none to fix."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        log.debug("memory.not_glibc")
        return False
    return all(mallopt(limit, LARGE) == 1 for limit in (_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD))
