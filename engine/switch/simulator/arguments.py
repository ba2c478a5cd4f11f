"""How the switch splits the arguments of a command or an application into words.

Apostrophes keep a word together and are dropped when they come in pairs; a backslash keeps an
apostrophe, a quote, the delimiter or itself, and makes newline, return, tab and blank of ``n r t s``.
This is also what happens to the value of ``uuid_setvar``.

Source: switch_separate_string (switch_utils.c).
"""

from __future__ import annotations

_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "s": " "}


def split(text: str, most: int, delimiter: str = " ") -> list[str]:
    """At most ``most`` words; the last one takes all the rest."""
    raw = _at_blanks(text, most) if delimiter == " " else _at(text, most, delimiter)
    return [_clean(word, "" if delimiter == " " else delimiter) for word in raw]


def _at_blanks(text: str, most: int) -> list[str]:
    words: list[str] = []
    index = 0
    while index < len(text):
        if len(words) == most - 1:
            words.append(text[index:])
            break
        start = index
        while index < len(text) and text[index] == " ":
            index += 1
        quoted = False
        while index < len(text):
            char = text[index]
            if char == "\\":
                index += 1
            elif char == "'":
                quoted = not quoted
            elif char == " " and not quoted:
                break
            index += 1
        words.append(text[start:index])
        while index < len(text) and text[index] == " ":
            index += 1
    return words


def _at(text: str, most: int, delimiter: str) -> list[str]:
    words: list[str] = []
    start, index, quoted = 0, 0, False
    while index < len(text) and len(words) < most - 1:
        char = text[index]
        if char == "\\":
            index += 1
        elif char == "'" and (quoted or "'" in text[index + 1 :]):
            quoted = not quoted
        elif char == delimiter and not quoted:
            words.append(text[start:index])
            start = index + 1
        index += 1
    if start < len(text):
        words.append(text[start:])
    return words


def _clean(word: str, delimiter: str) -> str:
    word = word.lstrip(" ")
    out: list[str] = []
    end, index, quoted = 0, 0, False
    while index < len(word):
        char = word[index]
        follower = word[index + 1 : index + 2]
        if (
            char == "\\"
            and follower
            and (follower in "'\"\\" or follower == delimiter or follower in _LETTERS)
        ):
            kept = follower in "'\"\\" or follower == delimiter
            out.append(follower if kept else _LETTERS[follower])
            end = len(out)
            index += 2
            continue
        if char == "'" and (quoted or "'" in word[index + 1 :]):
            quoted = not quoted
            if quoted:
                end = len(out)
        else:
            out.append(char)
            if char != " " or quoted:
                end = len(out)
        index += 1
    return "".join(out[:end])
