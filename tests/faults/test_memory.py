"""What a large answer of the switch took goes back to the system, also when small things came meanwhile."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

# Large blocks that something small stays behind, as calls come in while a snapshot is read.
HOLES = """
import sys
import psutil
from engine.app.memory import give_large_blocks_back

if sys.argv[1] == "given back":
    assert give_large_blocks_back()
bytearray(20_000_000)  # malloc learns: blocks up to this size stay in its heap
filled = [bytearray(b"x") * 3_000 for _ in range(5_000)]  # what the imports left free: more where they are compiled
before = psutil.Process().memory_full_info().uss
large, small = [], []
for _ in range(100):
    large.append(bytearray(b"x") * 500_000)  # written: memory that is only asked for is not held
    small.append(bytearray(b"x") * 3_000)
del large
print((psutil.Process().memory_full_info().uss - before) // 2**20)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the limits are glibc's")
def test_large_blocks_leave_no_holes() -> None:
    def held(how: str) -> int:
        done = subprocess.run([sys.executable, "-c", HOLES, how], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    assert held("as ever") >= 20  # MiB, of 48
    assert held("given back") <= 2
