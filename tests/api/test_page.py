"""docs/api.md says of every public name what it is."""

from __future__ import annotations

import inspect

from engine import api
from tests.api.pages import ALIASES, PAGE, page


def test_the_page_is_what_the_docstrings_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m tests.api.pages"


def test_nothing_public_is_undocumented() -> None:
    bare = [name for name in api.__all__ if name not in ALIASES and not inspect.getdoc(getattr(api, name))]
    assert bare == []


def test_every_alias_is_still_public() -> None:
    assert set(ALIASES) <= set(api.__all__)
