"""What a text is found by: its words, and each pair of neighbouring Chinese characters.

Most Chinese words have two characters, and nothing parts them: pairs find them without a dictionary. (The trigrams of
SQLite's FTS5 and of PostgreSQL's pg_trgm find no word of two.) The same terms lie in a plain table of either database.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import Final

_HAN: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_RUN: Final = re.compile(rf"[{_HAN}]+|[^\W_{_HAN}]+")
_PLURAL: Final = re.compile(r"(?<=[a-z]{3})s\Z")
LONGEST: Final = 64


def terms(text: str) -> Counter[str]:
    """The terms of a text with how often each stands in it."""
    found: Counter[str] = Counter()
    for run in _RUN.findall(unicodedata.normalize("NFKC", text).casefold()):
        if run[0] >= "\u3400":
            found.update([run] if len(run) == 1 else [run[at : at + 2] for at in range(len(run) - 1)])
        else:
            found[_PLURAL.sub("", run)[:LONGEST]] += 1
    return found
