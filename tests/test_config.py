"""conf/engine.yaml: every key may be left out, every mistake is found at its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.config import Settings
from engine.schema.shapes import load_file

SHIPPED = Path(__file__).parents[1] / "conf" / "engine.yaml"


def read(tmp_path: Path, text: str):
    file = tmp_path / "engine.yaml"
    file.write_text(text, encoding="utf-8")
    return load_file(file, Settings)


def test_the_shipped_file_is_right_and_its_comments_name_the_defaults(tmp_path: Path) -> None:
    settings, faults = load_file(SHIPPED, Settings)
    assert faults == []
    assert settings is not None
    # What stands commented in the file is what holds: uncommenting it all changes nothing.
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    prose = {number for number, line in enumerate(lines) if line.startswith("# ") and line[2:3].isupper()}
    told = []
    keys = tuple(f"{name}:" for name in Settings.model_fields)
    open_section = False
    for number, line in enumerate(lines):
        body = line.removeprefix("# ")
        is_key = body.startswith(keys)
        example = line.startswith("#") and body.startswith(("switch:", "departments:"))  # no defaults
        if number in prose or example:
            open_section = False
        elif line.startswith("# ") and (is_key or (open_section and body.startswith("  "))):
            told.append(body)
            open_section = True
        elif line.startswith("  # "):
            told.append("  " + line.removeprefix("  # "))
        elif not line.startswith("#"):
            told.append(line)
            open_section = False
    assert sum(line.strip().startswith(("steps:", "url:", "socket:")) for line in told) == 3
    uncommented, faults = read(tmp_path, "\n".join(told) + "\n")
    assert [str(fault) for fault in faults] == []
    assert uncommented is not None
    assert_same_where_known(settings.model_dump(), uncommented.model_dump())


def assert_same_where_known(wanted: Any, found: Any) -> None:
    """The same, but that the file may show an example of what has no default."""
    if isinstance(wanted, dict):
        assert wanted.keys() == found.keys()
        for key, value in wanted.items():
            assert_same_where_known(value, found[key])
    elif wanted is not None:
        assert found == wanted


def test_an_empty_installation_has_sane_settings() -> None:
    settings = Settings()
    assert settings.languages == ("zh-CN", "en")
    assert settings.recording.policies.keys() == {"never", "service"}
    assert settings.zone.key == "Asia/Shanghai"


@pytest.mark.parametrize(
    ("text", "line", "code"),
    [
        ("grammar: 1\nsite: {id: Main}\n", 2, "name"),
        ("langages: [en]\n", 1, "unknown-key"),
        ("languages: [en, en]\n", 1, "language"),
        ("timezone: Asia/Shangai\n", 1, "timezone"),
        ("recording: {policy: trainig}\n", 1, "policy"),
        ("recording:\n  policies: {never: {share: 10%}}\n", 2, "policy"),
        ("recording:\n  policies:\n    a: {keep: 2h}\n", 3, "duration"),
        ("recording:\n  policies:\n    a: {share: 120%}\n", 3, "share"),
        ("limits: {calls: 0}\n", 1, "number"),
        ("limits: {drain: 20}\n", 1, "duration"),
        ("prompts: {cache_size: big}\n", 1, "size"),
        ("log: {level: loud}\n", 1, "unknown-choice"),
        ("database: {url: 'mysql://x/y'}\n", 1, "database"),
    ],
)
def test_each_mistake_is_found_at_its_place(tmp_path: Path, text: str, line: int, code: str) -> None:
    settings, faults = read(tmp_path, text)
    assert settings is None
    assert [(fault.line, fault.code) for fault in faults] == [(line, code)]


def test_places_are_absolute_and_under_the_home_folder_unless_they_say_otherwise(tmp_path: Path) -> None:
    settings = Settings.model_validate({"recording": {"folder": "/data/rec"}})
    folders = settings.folders(tmp_path)
    assert folders.recordings == Path("/data/rec")
    assert folders.control_socket == tmp_path / "var" / "insideline.sock"
    assert folders.database_url == f"sqlite:///{tmp_path}/var/insideline.db"
    elsewhere = Settings.model_validate({"database": {"url": "postgresql://il@db/il"}})
    assert elsewhere.folders(tmp_path).database_url == "postgresql://il@db/il"
