"""Where the engine of a home listens for commands.

Kept apart from the server: the command line needs the path, and should start without the rest.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from engine.errors import ConfigError

USUAL = Path("var") / "insideline.sock"
# sun_path holds 108 bytes with its NUL on Linux, 104 on the BSDs.
_LONGEST = 100


def reachable(path: Path) -> Path:
    """``path``, or where it is too long for a socket: a name in a folder of this user's below the folder for
    temporary files. Both sides come to the same name."""
    path = path.absolute()
    if len(os.fsencode(path)) <= _LONGEST:
        return path
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"insideline-{os.getuid()}" / f"{digest}.sock"


def make_folder(path: Path) -> None:
    """Make the folder of the socket. :class:`ConfigError` when somebody else made it before us."""
    folder = path.parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise ConfigError(f"{folder} belongs to somebody else; the control socket can't be put there")
