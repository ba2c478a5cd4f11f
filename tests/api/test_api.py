"""engine.api is the whole public surface: small, documented, and complete for what it promises."""

from __future__ import annotations

import re
import sys
from types import ModuleType

from engine import api


def test_each_public_name_is_explained_in_the_module_itself() -> None:
    words = set(re.findall(r"\w+", api.__doc__ or ""))
    assert sorted(set(api.__all__) - words) == []


def test_nothing_else_is_public() -> None:
    names = {
        name
        for name, value in vars(api).items()
        if not name.startswith("_") and not isinstance(value, ModuleType) and name != "annotations"
    }
    lazy = {"Moment", "History"}  # imported when somebody asks for them
    assert names | lazy == set(api.__all__)


def test_importing_the_api_brings_no_database_and_no_web() -> None:
    import subprocess

    seen = subprocess.run(
        [
            sys.executable,
            "-c",
            "import engine.api, sys; print('sqlalchemy' in sys.modules, 'falcon' in sys.modules)",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert seen.stdout.split() == ["False", "False"]
