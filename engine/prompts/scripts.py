"""Which voice says which part of a mixed text.

``中文服务请按1。For English, press 2.`` is one prompt for two voices, and an English sentence may carry a Chinese
name. A Chinese text gives runs of two Latin words or more to the English voice (a single one, like VIP or a
plate's letters, belongs to the Chinese sentence); an English text gives every run of Chinese characters to the
Chinese one.
"""

from __future__ import annotations

import re
from typing import Final

_HAN: Final = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
# A run of Han characters with the marks and figures that stand among them and right after them.
_CHINESE: Final = re.compile(rf"[{_HAN}](?:[{_HAN}0-9，、。：；！？“”（）]|\s(?=[{_HAN}]))*")
_WORD: Final = r"[A-Za-z0-9][A-Za-z0-9'’]*"
_ENGLISH: Final = re.compile(rf"(?=[A-Za-z]){_WORD}(?:[,.:;]?\s+{_WORD})+[.!?]?")


def by_voice(text: str, language: str) -> list[tuple[str, str]]:
    """``text`` cut into (language, words), in order; one pair for a text in one script."""
    zh = language.startswith("zh")
    found = _ENGLISH if zh else _CHINESE
    other = "en" if zh else "zh-CN"
    cut: list[tuple[str, str]] = []
    end = 0
    for run in found.finditer(text):
        cut.append((language, text[end : run.start()]))
        cut.append((other, run.group()))
        end = run.end()
    cut.append((language, text[end:]))
    return [(voice, words) for voice, words in cut if any(sign.isalnum() for sign in words)]
