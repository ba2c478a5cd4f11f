"""Pages for the fax machine: a text drawn as black on white, 204 x 196 dots per inch, and kept as TIFF.

The width is the 1,728 dots that every fax machine has; a page is A4. The TIFF is packed by the ITU's T.6 (Group 4),
which the switch repacks for the line as the far end can take it. Drawing is Pillow's (MIT-CMU licence), which
brings FreeType and libtiff along.

The font is the one that the installation names, else the first of those that Linux distributions package and whose
licences let anybody use them. Chinese needs one of these; a text with a character that the font lacks is refused, for
a page of empty boxes helps nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine.errors import FaxError

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

WIDTH: Final = 1728
HEIGHT: Final = 2292  # A4 at 196 lines per inch
DPI: Final = (204.0, 196.0)
MARGIN: Final = (120, 150)  # dots left and right, top and bottom; the switch prints its line at the very top
SIZE: Final = 38  # dots: some 14 points
LEADING: Final = 56
MOST_PAGES: Final = 20

#: Debian's packages: fonts-noto-cjk (OFL), fonts-wqy-microhei (Apache 2.0 or GPL with the font exception),
#: fonts-wqy-zenhei (GPL with the font exception), fonts-dejavu-core (no Chinese). fonts-droid-fallback has no Latin.
FONTS: Final = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
)
OWN_FONT: Final = Path("Pillow's own font")
"""What is written with where none of those is installed; it has Latin letters only."""
HINT: Final = (
    "install fonts-wqy-microhei (or fonts-noto-cjk), or name a font file in conf/engine.yaml: fax: {font: …}"
)
_WORD = re.compile(r"[⺀-鿿豈-﫿＀-￯　-ヿ]|[^\s⺀-鿿豈-﫿＀-￯　-ヿ]+|[^\S\n]+")
_NOT_FIRST = "，。、；：？！）》」』”’,.;:?!)%"


def find_font(named: Path | None) -> Path:
    """The font's file, or ``OWN_FONT``; :class:`FaxError` when the one that was ``named`` is not there."""
    if named is not None:
        if not named.is_file():
            raise FaxError(f"the font {named} is not there")
        return named
    for path in FONTS:
        if Path(path).is_file():
            return Path(path)
    return OWN_FONT


@lru_cache(maxsize=4)
def _font(path: str) -> FreeTypeFont:
    try:
        from PIL import ImageFont
    except ImportError as error:
        raise FaxError("faxes need Pillow: pip install pillow") from error
    try:
        if path == str(OWN_FONT):
            own = ImageFont.load_default(SIZE)
            if not isinstance(own, ImageFont.FreeTypeFont):  # a Pillow that was built without FreeType
                raise FaxError(f"there is no font to write a fax with: {HINT}")
            return own
        return ImageFont.truetype(path, SIZE)
    except OSError as error:
        raise FaxError(f"the font {path} can't be read: {error}") from None


def missing(text: str, font: Path) -> str:
    """The characters of ``text`` that the font has no sign for."""
    face = _font(str(font))
    # The sign that stands for all that a font lacks; no font has U+10FFFF.
    nothing = bytes(face.getmask("\U0010ffff"))
    return "".join(
        sorted({char for char in text if not char.isspace() and bytes(face.getmask(char)) == nothing})
    )


def pages(text: str, font: Path) -> list[list[str]]:
    """The text as lines by the page, broken where it has to be; :class:`FaxError` for one that can't be written."""
    if not text.strip():
        raise FaxError("the document is empty")
    if lacks := missing(text, font):
        raise FaxError(f"the font {font.name} has no {lacks[:8]}: {HINT}")
    lines = [
        line for paragraph in text.rstrip().splitlines() for line in _broken(paragraph, _font(str(font)))
    ]
    least = (HEIGHT - 2 * MARGIN[1]) // LEADING
    found = [lines[at : at + least] for at in range(0, len(lines), least)]
    if len(found) > MOST_PAGES:
        raise FaxError(f"the document has {len(found)} pages, {MOST_PAGES} is the most")
    return found


def _broken(paragraph: str, face: Any) -> Iterator[str]:
    room, line = WIDTH - 2 * MARGIN[0], ""
    for piece in _WORD.findall(paragraph):
        while face.getlength(piece) > room:  # a word that no line has room for
            at = max(1, int(len(piece) * room / face.getlength(piece)) - 1)
            if line:
                yield line
                line = ""
            yield piece[:at]
            piece = piece[at:]
        if line and piece not in _NOT_FIRST and face.getlength(line + piece) > room:
            yield line.rstrip()
            line = piece.lstrip()
        else:
            line += piece
    yield line


def write_pages(text: str, font: Path, file: Path) -> int:
    """Draw ``text`` into the TIFF ``file`` (its folder is made); how many pages it has. May raise FaxError, OSError."""
    drawn = []
    face = _font(str(font))
    from PIL import Image, ImageDraw

    for page in pages(text, font):
        image = Image.new("1", (WIDTH, HEIGHT), 1)
        draw = ImageDraw.Draw(image)
        draw.fontmode = "1"
        for at, line in enumerate(page):
            draw.text((MARGIN[0], MARGIN[1] + at * LEADING), line, font=face, fill=0)
        drawn.append(image)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    drawn[0].save(part, format="TIFF", compression="group4", dpi=DPI, save_all=True, append_images=drawn[1:])
    part.replace(file)
    return len(drawn)
