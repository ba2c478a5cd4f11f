"""Plugins that can't be used: named with the place, and the others run."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from engine.cli.main import cli
from engine.hooks import loading
from engine.testing.home import Home

Insideline = Callable[..., Result]

_SHOP = """
    from engine.api import Department, hookimpl

    department = Department({name!r}, tables={tables!r})

    @hookimpl
    def register_department():
        return department
"""
_TABLES = """
    from sqlalchemy import Column, MetaData, String, Table

    from engine.api import Department, hookimpl

    models = MetaData()
    Table("shop_items", models, Column("code", String(8), primary_key=True){more})
    department = Department("shop", tables="shop_", models=models)

    @hookimpl
    def register_department():
        return department
"""


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    yield
    for name in ("shop", "other", "broken"):
        loading.forget(name)


@pytest.fixture
def insideline(home: Home, monkeypatch: pytest.MonkeyPatch) -> Insideline:
    monkeypatch.chdir(home.folder)

    def run(*words: str) -> Result:
        return CliRunner().invoke(cli, list(words))

    return run


def plugins(insideline: Insideline) -> dict[str, Any]:
    return {row["name"]: row for row in json.loads(insideline("plugin", "list", "--json").stdout)}


def test_one_that_raises_is_named_with_the_place_and_the_others_are_there(
    home: Home, insideline: Insideline
) -> None:
    home.plugin("shop", _SHOP.format(name="shop", tables="shop_"))
    home.plugin("broken", "from engine.api import Department\n\nDepartment(tables='x_', name=1 / 0)\n")
    found = plugins(insideline)
    assert found["shop"]["fault"] == ""
    assert found["broken"]["fault"] == "ZeroDivisionError: division by zero"
    assert found["broken"]["place"] == f"{home.folder / 'plugins' / 'broken' / 'plugin.py'}:3"
    listed = insideline("plugin", "list")
    assert listed.exit_code == 1
    assert 'plugin.py", line 3' in listed.stderr
    assert "broken is kept out: ZeroDivisionError" in insideline("doctor").output


def test_the_engine_starts_without_it_and_says_why(home: Home, insideline: Insideline) -> None:
    home.plugin("broken", "1 / 0\n")
    ran = insideline("run", "--switch", "simulator", "--for", "1s")
    assert ran.exit_code == 0, ran.output
    assert "plugin broken is kept out: ZeroDivisionError: division by zero" in ran.output
    assert "plugin.kept_out" in ran.output + ran.stderr


def test_two_departments_whose_tables_would_mix_are_refused_with_both_places(
    home: Home, insideline: Insideline
) -> None:
    home.plugin("other", _SHOP.format(name="other", tables="shop_"))
    home.plugin("shop", _SHOP.format(name="shop", tables="shop_"))
    fault = plugins(insideline)["shop"]["fault"]
    assert "the tables of shop (shop_…) would mix with those of other (shop_…)" in fault
    assert str(home.folder / "plugins" / "other") in fault
    assert str(home.folder / "plugins" / "shop") in fault


def test_a_department_whose_tables_are_older_than_its_code_asks_for_an_upgrade(
    home: Home, insideline: Insideline
) -> None:
    home.plugin("shop", _TABLES.format(more=""))
    assert insideline("db", "upgrade").exit_code == 0
    loading.forget("shop")
    home.plugin("shop", _TABLES.format(more=', Column("title", String(40))'))
    refused = insideline("run", "--switch", "simulator", "--for", "1s")
    assert refused.exit_code != 0
    assert "run `insideline db upgrade`" in refused.output + refused.stderr
    upgraded = insideline("db", "upgrade")
    assert upgraded.output.startswith("shop: ")
    assert insideline("db", "upgrade").output == "nothing to do\n"


def test_the_loaded_modules_of_these_tests_are_gone() -> None:
    assert not [name for name in sys.modules if name.startswith("insideline_plugins.broken")]


@pytest.mark.parametrize(
    ("section", "line", "message", "hint"),
    [
        ("logistics: {apolgy: 2h}", 3, "`apolgy` is not known here", 'did you mean "apology"?'),
        ("logistics: {apology: soon}", 3, "", ""),
        ("logistcs: {apology: 2h}", 3, "there is no department `logistcs`", 'did you mean "logistics"?'),
        ("logistics: {adaptors: {}}", 3, "`adaptors` is not known here", 'did you mean "adapters"?'),
        ("duty: {adaptors: {}}", 3, "duty has no settings of its own", 'did you mean "adapters"?'),
    ],
)
def test_a_wrong_setting_of_a_department_is_told_at_its_place(
    tmp_path: Path, section: str, line: int, message: str, hint: str
) -> None:
    from engine.cli.init import make_home
    from engine.cli.offline import installation_of

    make_home(tmp_path / "home")
    (tmp_path / "home" / "conf" / "engine.yaml").write_text(
        f"grammar: 1\ndepartments:\n  {section}\n", encoding="utf-8"
    )
    faults = [
        one for one in installation_of(tmp_path / "home").faults.errors if one.file == "conf/engine.yaml"
    ]
    assert [one.line for one in faults] == [line]
    assert message in faults[0].message
    assert faults[0].hint == hint or not hint
