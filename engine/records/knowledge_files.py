"""Knowledge as Markdown files, one for each version of an item: a head of YAML, and a section for each language.

::

    ---
    id: '1001'
    version: '3'
    state: published
    title: 木架怎么收费？
    topic: tariff
    ---

    ## zh-CN

    木架按外包装体积每立方米150元。

    ## zh-CN spoken

    木架每立方米一百五十元。

What is written is read back as it was (``parse(render(item)) == item``). Every value of the head is a text as YAML has
it: `1001` and `'1001'` are the same id.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import yaml

from engine.errors import WrongState
from engine.records.knowledge import KINDS, STATES
from engine.types import KnowledgeView

_TEXTS: Final = ("id", "title", "kind", "state", "topic", "skill", "department", "owner")
_PEOPLE: Final = ("by", "reviewed_by", "published_by", "why", "call")
_LISTS: Final = ("must_read", "editors")
_DAYS: Final = ("valid_from", "valid_until")
_MOMENTS: Final = ("published", "created")
_KNOWN: Final = frozenset({"titles", *_TEXTS, *_PEOPLE, *_LISTS, *_DAYS, *_MOMENTS, "version", "quiz"})
_SECTION: Final = re.compile(r"## +(?P<language>[A-Za-z]{2,3}(?:-[A-Za-z0-9]+)*)(?P<spoken> spoken)? *\Z")
_SPOKEN: Final = " spoken"
_AWAY: Final = re.compile(r"[+-]?[0-9]{1,4}")


def file_name(item: KnowledgeView) -> str:
    """What the file of a version is called."""
    return f"{item.id}-v{item.version}.md"


def render(item: KnowledgeView) -> str:
    """A version as the text of a file."""
    head: dict[str, Any] = {name: getattr(item, name) for name in _TEXTS if getattr(item, name)}
    head["version"] = str(item.version)
    if item.titles:
        head["titles"] = dict(item.titles)
    head |= {name: getattr(item, name) for name in _PEOPLE if getattr(item, name)}
    head |= {name: list(getattr(item, name)) for name in _LISTS if getattr(item, name)}
    for name in (*_DAYS, *_MOMENTS):
        if (value := getattr(item, name)) is not None:
            head[name] = value.isoformat()
    if item.quiz:
        head["quiz"] = [{**one, "right": str(one["right"])} for one in item.quiz]
    sections = [(language, text) for language, text in item.answers.items()]
    sections += [(language + _SPOKEN, text) for language, text in item.spoken.items()]
    body = "".join(f"\n## {name}\n\n{_escaped(text)}\n" for name, text in sections)
    written = yaml.safe_dump(head, allow_unicode=True, sort_keys=False, width=10_000)
    return f"---\n{written}---\n{body}"


def parse(text: str, name: str = "it", today: date | None = None) -> KnowledgeView:
    """A version out of the text of a file. :class:`WrongState` with the file's name and what is wrong in it.
    With ``today`` a day, or a moment, may be written as a number of days from it (samples do: ``published: '-5'``)."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    begin, _, rest = text.partition("---\n")
    written, end, body = rest.partition("\n---\n")
    if begin.strip() or not end:
        raise WrongState(f"{name}: it does not begin with a head between two lines of ---")
    try:
        # Not one of YAML's own types: an id of digits keeps its zeros.
        head = yaml.load(written, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        raise WrongState(f"{name}: its head is no YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(head, dict):
        raise WrongState(f"{name}: its head has no values")
    if odd := sorted(str(key) for key in head.keys() - _KNOWN):
        raise WrongState(f"{name}: an item has no {odd[0]}; there are {', '.join(sorted(_KNOWN))}")
    answers, spoken = _sections(body, name)
    try:
        return _made(head, answers, spoken, today)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise WrongState(f"{name}: {error}") from None


def _made(
    head: Mapping[str, Any], answers: dict[str, str], spoken: dict[str, str], today: date | None
) -> KnowledgeView:
    values: dict[str, Any] = {"kind": KINDS[0], "state": "draft"}
    for key in (*_TEXTS, *_PEOPLE):
        if key in head:
            values[key] = _text(head[key], key)
    for key in ("id", "title"):
        if not values.get(key):
            raise ValueError(f"it has no {key}")
    if values["state"] not in STATES:
        raise ValueError(f"there is no state {values['state']}: {', '.join(STATES)}")
    for key in _LISTS:
        if key in head:
            given = head[key] if isinstance(head[key], list) else [head[key]]
            values[key] = tuple(_text(one, key) for one in given)
    for key in _DAYS:
        if head.get(key):
            values[key] = date.fromisoformat(_day(_text(head[key], key), today))
    for key in _MOMENTS:
        if head.get(key):
            moment = datetime.fromisoformat(_day(_text(head[key], key), today))
            values[key] = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    if "titles" in head:
        values["titles"] = {str(key): _text(text, "a title") for key, text in head["titles"].items()}
    if "quiz" in head:
        values["quiz"] = tuple({**one, "right": int(one["right"])} for one in head["quiz"])
    return KnowledgeView(version=int(head.get("version", 1)), answers=answers, spoken=spoken, **values)


def _day(text: str, today: date | None) -> str:
    if today is None or not _AWAY.fullmatch(text):
        return text
    return (today + timedelta(days=int(text))).isoformat()


def _text(value: Any, key: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{key} is one text")
    return value


def _sections(body: str, name: str) -> tuple[dict[str, str], dict[str, str]]:
    found: dict[str, dict[str, list[str]]] = {"answers": {}, "spoken": {}}
    lines: list[str] | None = None
    for line in body.split("\n"):
        title = _SECTION.match(line)
        if title is not None:
            sections = found["spoken" if title["spoken"] else "answers"]
            if title["language"] in sections:
                raise WrongState(f"{name}: there are two sections {line.removeprefix('## ')}")
            lines = sections[title["language"]] = []
        elif lines is not None:
            lines.append(line.removeprefix("\\") if line.startswith("\\") else line)
        elif line.strip():
            raise WrongState(f"{name}: text before the first section (## zh-CN)")
    made = [
        {language: "\n".join(lines).strip() for language, lines in sections.items()}
        for sections in found.values()
    ]
    return made[0], made[1]


def _escaped(text: str) -> str:
    """A line that would be taken for a section, or for an escaped line, begins with a backslash."""
    return "\n".join(
        "\\" + line if _SECTION.match(line) or line.startswith("\\") else line for line in text.split("\n")
    )


def read_folder(folder: Path, today: date | None = None) -> list[tuple[str, KnowledgeView]]:
    """All files ``*.md`` of a folder, by name. :class:`WrongState`, OSError."""
    found = []
    for path in sorted(folder.glob("*.md")):
        if path.name.lower() == "readme.md":
            continue
        try:
            found.append((path.name, parse(path.read_text(encoding="utf-8"), str(path), today)))
        except UnicodeDecodeError:
            raise WrongState(f"{path} is not UTF-8") from None
    return found
