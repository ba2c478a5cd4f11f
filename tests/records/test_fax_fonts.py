"""What a fax is written with on a machine that has no font for it."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("PIL")

from engine.errors import FaxError
from engine.records import fax_pages
from engine.records.fax_pages import OWN_FONT, find_font, missing, write_pages


@pytest.fixture(autouse=True)
def _no_fonts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(fax_pages, "FONTS", (str(tmp_path / "none.ttf"),))


def test_without_a_font_latin_letters_are_written_with_what_pillow_brings(tmp_path: Path) -> None:
    assert find_font(None) == OWN_FONT
    assert missing("Order 4711, 3 pieces.", OWN_FONT) == ""
    write_pages("Order 4711, 3 pieces.", OWN_FONT, tmp_path / "page.tif")
    assert (tmp_path / "page.tif").stat().st_size > 100


def test_without_a_font_chinese_is_refused_and_what_to_install_is_told(tmp_path: Path) -> None:
    assert missing("运单 1", OWN_FONT) == "单运"
    with pytest.raises(FaxError, match="Pillow's own font has no 单运: install fonts-wqy-microhei"):
        write_pages("运单 1", OWN_FONT, tmp_path / "page.tif")


def test_a_font_that_was_named_and_is_not_there_is_never_replaced(tmp_path: Path) -> None:
    with pytest.raises(FaxError, match="is not there"):
        find_font(tmp_path / "mine.ttf")
