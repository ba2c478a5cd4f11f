"""Which keys the words of a menu offer: ``For English, press 2``, ``人工服务请按0``, ``重听请按星号键``."""

from __future__ import annotations

import re
from functools import lru_cache

_DIGITS_ZH = {"零": "0", "〇": "0", "一": "1", "二": "2", "两": "2", "三": "3", "四": "4", "五": "5", "六": "6",
              "七": "7", "八": "8", "九": "9"}  # fmt: skip
_DIGITS_EN = {"zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
              "eight": "8", "nine": "9"}  # fmt: skip
_SIGNS = {"星号": "*", "星": "*", "米字": "*", "井号": "#", "井": "#", "star": "*", "asterisk": "*", "hash": "#",
          "pound": "#", "*": "*", "＊": "*", "#": "#", "＃": "#"}  # fmt: skip

_KEY_ZH = r"[0-9０-９零〇一二两三四五六七八九](?![0-9０-９])|星号?|米字|井号?|[*＊#＃]"
_ZH = re.compile(rf"[按拨]下?\s*[“\"「『‘']?\s*((?:{_KEY_ZH})(?:\s*[、,，或至到和]\s*(?:{_KEY_ZH}))*)")
_KEY_EN = r"[0-9](?![0-9])|zero|one|two|three|four|five|six|seven|eight|nine|star|asterisk|hash|pound|[*#]"
_EN = re.compile(
    rf"\b(?:press(?:ing)?|dial|key)\s+(?:the\s+)?(?:key\s+)?[\"“']?((?:{_KEY_EN})\b(?:[\"”']?\s*(?:,|or|and|to)\s+(?:press\s+)?[\"“']?(?:{_KEY_EN})\b)*|[*#])",
    re.IGNORECASE,
)
_WAYS = ((_ZH, re.compile(_KEY_ZH)), (_EN, re.compile(_KEY_EN, re.IGNORECASE)))
_RANGE = re.compile(r"至|到|\bto\b")


@lru_cache(maxsize=4096)
def offered(text: str, language: str) -> frozenset[str] | None:
    """The keys that a text offers, as characters. None when it speaks of none, or in a language that is not known
    here: then nothing can be said about it. A greeting in one language may offer the other one in that one's words
    (``中文服务请按1。For English, press 2.``), so both are looked for."""
    if not language.startswith(("zh", "en")):
        return None
    keys: set[str] = set()
    for match, one in [(found, word) for said, word in _WAYS for found in said.finditer(text)]:
        named = [key for word in one.findall(match.group(1)) if (key := _key(word))]
        if len(named) == 2 and _RANGE.search(match.group(1)) and all(key.isdigit() for key in named):
            named = [str(key) for key in range(int(named[0]), int(named[1]) + 1)]
        keys.update(named)
    return frozenset(keys) or None


def _key(word: str) -> str:
    word = word.lower()
    if word.isdigit() and len(word) == 1:
        return str(int(word))
    return _SIGNS.get(word) or _DIGITS_ZH.get(word) or _DIGITS_EN.get(word, "")


def shown(key: str) -> str:
    """A key as it is written in flows."""
    return {"*": "star", "#": "hash"}.get(key, key)
