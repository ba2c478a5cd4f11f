"""What the documentation shows is true: its YAML passes the checker, its links lead somewhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.app import Installation, read_installation
from engine.cli.show import many
from engine.clock import Clock
from tests.docs.examples import PIECE, ROOT, Example, around, examples, install, pages, write

YAML = examples("yaml")
FILES = [one for one in YAML if one.path]
PIECES = [one for one in YAML if not one.path]
_LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)(?:#[^)]*)?\)")


def faults_of(home: Path) -> list[str]:
    made: Installation = read_installation(home, Clock())
    return [str(fault) for fault in made.faults.errors] + [fault.message for fault in made.host.faults]


@pytest.fixture(scope="module")
def home_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The home of a page: the shipped centre and the files that the page shows. Made once."""
    made: dict[str, Path] = {}

    def home_of(page: str) -> Path:
        if page not in made:
            made[page] = tmp_path_factory.mktemp("docs") / "home"
            install(made[page], [one for one in FILES if one.page == page])
        return made[page]

    return home_of


def test_there_is_something_to_check() -> None:
    assert len(FILES) >= 6
    assert len(PIECES) >= 10


@pytest.mark.parametrize("page", sorted({one.page for one in FILES}))
def test_the_files_of_a_page_make_a_sound_centre(home_of: Callable[[str], Path], page: str) -> None:
    assert faults_of(home_of(page)) == []


@pytest.fixture(scope="module")
def tried(home_of: Callable[[str], Path]) -> Callable[[Example], list[list[str]]]:
    """What the checker says of a piece in a block that goes on behind it, and in one that it ends. All pieces of a page
    are read at once."""
    said: dict[str, dict[str, list[str]]] = {}

    def read(page: str) -> dict[str, list[str]]:
        home, texts = home_of(page), {}
        for piece in PIECES:
            if piece.page == page:
                for ended in (False, True):
                    name = f"piece_{piece.line}_{'ended' if ended else 'open'}"
                    texts[PIECE.format(name=name)] = around(piece.text, name, ended=ended)
        for path, text in texts.items():
            write(home, path, text)
        try:
            faults = faults_of(home)
        finally:
            for path in texts:
                (home / path).unlink()
        return {path: [fault for fault in faults if path in fault] for path in texts}

    def tried(piece: Example) -> list[list[str]]:
        if piece.page not in said:
            said[piece.page] = read(piece.page)
        mine = PIECE.format(name=f"piece_{piece.line}_")
        return [faults for path, faults in said[piece.page].items() if path.startswith(mine[: -len(".yaml")])]

    return tried


@pytest.mark.parametrize("piece", PIECES, ids=lambda one: one.name)
def test_a_piece_of_a_flow_passes_the_checker(
    tried: Callable[[Example], list[list[str]]], piece: Example
) -> None:
    found = tried(piece)
    assert len(found) == 2
    assert [] in found, found


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_that_are_there(page: Path) -> None:
    gone = [
        link for link in _LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()
    ]
    assert gone == []


def test_every_step_that_there_is_has_an_example() -> None:
    from engine.flows.steps import STEPS

    shown = "\n".join(one.text for one in YAML if one.page == "docs/flows.md")
    missing = [word for word in STEPS if not re.search(rf"^\s*(- )?{word}\b", shown, re.M)]
    assert missing == []


def test_the_mistake_that_the_guide_shows_is_told_like_that(home_of: Callable[[str], Path]) -> None:
    [shown] = [
        one.text for one in examples("console") if "error[" in one.text and one.page == "docs/flows.md"
    ]
    home = home_of("docs/flows.md")
    flow = home / "plugins/facilities/flows/main.yaml"
    text = flow.read_text(encoding="utf-8")
    flow.write_text(text.replace("1: building", "1: buildng"), encoding="utf-8")
    try:
        faults = read_installation(home, Clock()).faults.errors
    finally:
        flow.write_text(text, encoding="utf-8")
    told = "\n".join(fault.pretty() for fault in faults)
    assert told in shown
    assert many(len(faults), "fault") in shown
