"""Decisions are numbered once, and the index names them all."""

from __future__ import annotations

import re

from tests.docs.examples import ROOT

FOLDER = ROOT / "docs" / "decisions"
PAGES = sorted(page for page in FOLDER.glob("*.md") if page.name != "README.md")


def test_no_number_is_given_twice_and_the_title_bears_it() -> None:
    numbers = [int(page.name[:4]) for page in PAGES]
    assert len(set(numbers)) == len(numbers)
    titles = [page.read_text(encoding="utf-8").partition("\n")[0] for page in PAGES]
    assert [re.match(r"# (\d+)\. ", title)[1] for title in titles] == [str(number) for number in numbers]  # type: ignore[index]


def test_the_index_names_every_decision() -> None:
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES if f"({page.name})" not in index] == []
