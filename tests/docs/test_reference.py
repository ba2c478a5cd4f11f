"""The reference of the steps is what ``insideline flow reference --write`` writes, and tells all of them."""

from __future__ import annotations

import re

import pytest

from engine.flows.reference import reference
from engine.flows.steps import STEPS
from tests.docs.examples import ROOT

FOLDER = ROOT / "docs" / "reference" / "steps"
PAGES = reference(STEPS)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_reference_is_up_to_date(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name], "run `make reference`"


def test_there_is_no_page_of_a_step_that_is_gone() -> None:
    assert {path.name for path in FOLDER.glob("*.md")} == set(PAGES)


@pytest.mark.parametrize("word", STEPS)
def test_a_page_says_what_each_key_means(word: str) -> None:
    page = PAGES[f"{word}.md"]
    rows = re.findall(r"^\| `(\S+)` \|(.*)\|$", page, re.M)
    assert [key for key, rest in rows if not rest.rsplit("|", 1)[-1].strip()] == []
    assert "## Example" in page
