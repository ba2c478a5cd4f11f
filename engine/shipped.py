"""Where the files of a home lie that come with the program: ``conf/ dialplans/ prompts/ freeswitch/ plugins/``.

A wheel carries them inside of the package (``[tool.hatch.build…force-include]`` in pyproject.toml puts them there);
in a checkout they are the folders at its root, and the checkout is a home itself.
"""

from __future__ import annotations

from pathlib import Path

FOLDERS = ("conf", "dialplans", "prompts", "freeswitch", "plugins")


def shipped() -> Path:
    """The folder with :data:`FOLDERS` as they were shipped."""
    here = Path(__file__).resolve().parent
    inside = here / "home"
    return inside if inside.is_dir() else here.parent
