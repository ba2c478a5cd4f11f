"""The host loads what it can, names what it can't with its place, and lets nobody in under another's name."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.errors import PluginError
from engine.hooks.host import Host

WARRANTY = """
    from engine.api import Context, Department, hookimpl, query
    from .models import Cover

    department = Department("warranty", tables="warranty_")

    @query(department)
    def cover(ctx: Context, serial: str) -> Cover | None:
        return Cover(serial=serial)

    @hookimpl
    def register_department() -> Department:
        return department
"""
MODELS = """
    from engine.api import Record

    class Cover(Record):
        serial: str
"""
MINIMAL = """
    from engine.api import Department, hookimpl

    department = Department({name!r}, tables={tables!r})

    @hookimpl
    def register_department() -> Department:
        return department
"""


def minimal(name: str, tables: str = "") -> str:
    return textwrap.dedent(MINIMAL).format(name=name, tables=tables)


def only_fault(host: Host) -> str:
    assert len(host.faults) == 1, host.faults
    return host.faults[0].message


def test_a_folder_with_plugin_py_brings_its_department_and_its_own_modules(
    host: Host, write: Callable[..., Path]
) -> None:
    plugins = write("warranty", plugin=WARRANTY, models=MODELS)
    host.load(plugins, installed=False)
    assert host.faults == []
    assert list(host.departments["warranty"].queries) == ["warranty.cover"]
    assert host.folders == {"warranty": plugins / "warranty"}
    assert [(one.name, one.origin) for one in host.plugins] == [("warranty", "folder")]


def test_a_folder_without_plugin_py_is_a_department_of_yaml_alone(host: Host, tmp_path: Path) -> None:
    (tmp_path / "plugins/reception/flows").mkdir(parents=True)
    (tmp_path / "plugins/__pycache__").mkdir()
    (tmp_path / "plugins/notes").mkdir()
    host.load(tmp_path / "plugins", installed=False)
    assert list(host.departments) == ["reception"]
    assert host.folders == {"reception": tmp_path / "plugins/reception"}


def test_no_plugins_folder_is_no_fault(host: Host, tmp_path: Path) -> None:
    host.load(tmp_path / "nowhere", installed=False)
    assert host.plugins == host.faults == []


def test_a_plugin_that_raises_at_import_is_named_with_its_traceback_and_the_others_run(
    host: Host, write: Callable[..., Path]
) -> None:
    write("broken", plugin="from .deeper import x\n", deeper="\n\nx = 1 / 0\n")
    plugins = write("warranty", plugin=WARRANTY, models=MODELS)
    host.load(plugins, installed=False)
    assert list(host.departments) == ["warranty"]
    [fault] = host.faults
    assert fault.plugin == "broken"
    assert fault.message == "ZeroDivisionError: division by zero"
    lines = fault.traceback.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert f'"{plugins}/broken/plugin.py", line 1' in lines[1]
    assert f'{plugins}/broken/deeper.py", line 3' in fault.traceback
    assert lines[-1] == fault.message


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import sys\nsys.exit(3)\n", "SystemExit: 3"),
        ("import nowhere_at_all\n", "ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("from engine.api import Nothing\n", "cannot import name 'Nothing'"),
        ("def (:\n", "plugin.py:1: invalid syntax"),
        ("x = '\x00'\n", "plugin.py:1: source code string cannot contain null bytes"),
    ],
)
def test_whatever_its_code_does_at_import_the_engine_stays(
    host: Host, write: Callable[..., Path], code: str, said: str
) -> None:
    host.load(write("broken", plugin=code), installed=False)
    assert said in only_fault(host)
    assert not any(name.startswith("insideline_plugins.broken") for name in sys.modules)


def test_a_mended_plugin_loads_in_the_next_host(host: Host, clock, write: Callable[..., Path]) -> None:
    host.load(write("warranty", plugin="1 / 0\n"), installed=False)
    assert host.departments == {}
    plugins = write("warranty", plugin="# mended\n" + textwrap.dedent(WARRANTY), models=MODELS)
    again = Host(clock)
    again.load(plugins, installed=False)
    assert again.faults == []
    assert list(again.departments) == ["warranty"]


def test_two_hosts_share_the_code_and_nothing_else(host: Host, clock, write: Callable[..., Path]) -> None:
    plugins = write("warranty", plugin=WARRANTY, models=MODELS)
    other = Host(clock)
    host.load(plugins, installed=False)
    other.load(plugins, installed=False)
    assert other.faults == []
    assert host.plugins is not other.plugins
    assert host.departments["warranty"].queries.keys() == other.departments["warranty"].queries.keys()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("from engine.store import Store", "plugin.py:2: a plugin imports engine.api and"),
        ("import engine.esl.commands", "not engine.esl.commands"),
        ("from engine import errors", "not engine.errors"),
        ("import engine", "not engine"),
        ("from engine.api_private import x", "not engine.api_private"),
        ("from insideline_plugins.orders import models", "departments never import one another"),
        ("from ..orders import models", "plugin.py:2: a relative import that leaves the plugin"),
        ("def later():\n    from engine.calls import registry", "plugin.py:3: a plugin imports engine.api"),
        ("x = 1; import json, engine.store", "plugin.py:2: a plugin imports engine.api and"),
        ("if True: from engine import (\n    api,\n    store)", "not engine.store"),
        ("from \\\n    engine.store import Store", "not engine.store"),
        ("import json, \\\n    engine.store", "not engine.store"),
        ("from . . import orders", "plugin.py:2: a relative import that leaves the plugin"),
    ],
)
def test_an_import_that_the_rules_forbid_is_refused_by_its_line_before_anything_runs(
    host: Host, write: Callable[..., Path], line: str, said: str
) -> None:
    host.load(
        write("warranty", plugin=f"# a department\n{line}\nraise RuntimeError('it ran')\n"), installed=False
    )
    assert said in only_fault(host)


def test_every_module_of_a_plugin_is_read_but_not_its_tests(host: Host, write: Callable[..., Path]) -> None:
    plugins = write(
        "warranty",
        plugin=WARRANTY,
        models=MODELS,
        far__deep="import engine.store\n",
        tests__test_it="from engine.testing import plugin\n",
        conftest="import engine.clock\n",
    )
    host.load(plugins, installed=False)
    assert only_fault(host).startswith(f"{plugins}/warranty/far/deep.py:1: ")


def test_engine_api_may_be_imported_in_each_spelling(host: Host, write: Callable[..., Path]) -> None:
    code = "import engine.api\nfrom engine import api\nfrom insideline_plugins.warranty.models import Cover\n"
    host.load(write("warranty", plugin=code + textwrap.dedent(WARRANTY), models=MODELS), installed=False)
    assert host.faults == []


def test_a_misspelt_hook_is_an_error_with_its_line_and_the_nearest_name(
    host: Host, write: Callable[..., Path]
) -> None:
    code = "from engine.api import hookimpl\n\n@hookimpl\ndef call_endet(call):\n    pass\n"
    host.load(write("warranty", plugin=code), installed=False)
    assert only_fault(host).endswith("plugin.py:3: there is no hook call_endet; did you mean call_ended?")
    assert host.plugins == []


def test_an_argument_that_a_hook_has_not_is_an_error(host: Host, write: Callable[..., Path]) -> None:
    code = "from engine.api import hookimpl\n\n@hookimpl\ndef call_ended(call, reason):\n    pass\n"
    host.load(write("warranty", plugin=code), installed=False)
    assert "'reason'" in only_fault(host)


def test_register_department_must_return_one(host: Host, write: Callable[..., Path]) -> None:
    code = "from engine.api import hookimpl\n\n@hookimpl\ndef register_department():\n    return 'warranty'\n"
    host.load(write("warranty", plugin=code), installed=False)
    assert "must return a Department" in only_fault(host)
    assert host.plugins == []


def test_a_plugin_without_a_department_may_bring_hooks_alone(host: Host, write: Callable[..., Path]) -> None:
    code = "from engine.api import hookimpl\n\n@hookimpl\ndef call_ended(call):\n    pass\n"
    host.load(write("listener", plugin=code), installed=False)
    assert host.faults == []
    assert host.departments == {}
    assert [one.name for one in host.plugins] == ["listener"]


def test_a_department_is_called_as_its_folder(host: Host, write: Callable[..., Path]) -> None:
    host.load(write("guarantee", plugin=minimal("warranty")), installed=False)
    assert only_fault(host) == "guarantee: its department is called 'warranty', its folder 'guarantee'"


def test_a_folder_that_no_flow_could_name_is_refused(host: Host, write: Callable[..., Path]) -> None:
    host.load(write("my-desk", plugin=minimal("my_desk")), installed=False)
    assert "my-desk" in only_fault(host)


@pytest.mark.parametrize(("first", "second"), [("hr_", "hr_"), ("hr_", "hr_pay_"), ("hr_pay_", "hr_")])
def test_two_departments_whose_tables_would_mix_are_refused(
    host: Host, write: Callable[..., Path], first: str, second: str
) -> None:
    write("a", plugin=minimal("a", first))
    host.load(write("b", plugin=minimal("b", second)), installed=False)
    fault = only_fault(host)
    assert fault.startswith(f"the tables of b ({second}…) would mix with those of a ({first}…): ")
    assert [Path(place).name for place in fault.rpartition(": ")[2].split(" and ")] == ["b", "a"]
    assert list(host.departments) == ["a"]


def test_two_departments_of_one_name_are_refused_and_the_first_is_kept(
    host: Host, write: Callable[..., Path], installed: Callable[..., None]
) -> None:
    plugins = write("warranty", plugin=WARRANTY, models=MODELS)
    installed("other", "warranty_too", minimal("warranty"))
    host.load(plugins)
    assert "there are two departments warranty" in only_fault(host)
    assert host.folders == {"warranty": plugins / "warranty"}


# -- installed packages ------------------------------------------------------------------------


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put a package with an entry point where installed ones are found, as pip leaves it."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))

    def install(entry: str, package: str, code: str, target: str | None = None, alone: bool = False) -> None:
        if alone:
            (site / f"{package}.py").write_text(code, encoding="utf-8")
        else:
            (site / package / "flows").mkdir(parents=True)
            (site / package / "__init__.py").write_text("", encoding="utf-8")
            (site / package / "plugin.py").write_text(code, encoding="utf-8")
        info = site / f"{package}-2.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {package}\nVersion: 2.1\n", encoding="utf-8"
        )
        value = target or (package if alone else f"{package}.plugin")
        (info / "entry_points.txt").write_text(f"[insideline.plugins]\n{entry} = {value}\n", encoding="utf-8")

    return install


def test_an_installed_package_works_as_a_folder_does(
    host: Host, installed: Callable[..., None], tmp_path: Path
) -> None:
    installed("repairs", "acme_repairs", minimal("repairs"))
    host.load(None)
    assert host.faults == []
    assert host.folders == {"repairs": tmp_path / "site/acme_repairs"}
    assert [(one.origin, one.version) for one in host.plugins] == [("package", "2.1")]


def test_an_installed_package_is_held_to_the_same_imports(host: Host, installed: Callable[..., None]) -> None:
    installed("repairs", "acme_bad", "from engine.store import Store\n")
    host.load(None)
    assert "a plugin imports engine.api and third-party libraries only" in only_fault(host)


def test_a_module_that_is_installed_alone_does_not_answer_for_its_neighbours(
    host: Host, installed: Callable[..., None], tmp_path: Path
) -> None:
    (tmp_path / "site" / "neighbour.py").write_text("import engine.store\n", encoding="utf-8")
    installed("alone", "acme_alone", minimal("alone"), alone=True)
    host.load(None)
    assert host.faults == []
    assert "alone" in host.departments
    assert host.folders == {}


def test_an_entry_point_to_nothing_is_a_fault(host: Host, installed: Callable[..., None]) -> None:
    installed("lost", "acme_lost", minimal("lost"), target="acme_nowhere.plugin")
    host.load(None)
    assert "acme_nowhere" in only_fault(host)


def test_a_mistake_in_a_built_in_plugin_raises(host: Host) -> None:
    class Wrong:
        from engine.api import hookimpl

        @hookimpl
        def call_begins(self) -> None: ...

    with pytest.raises(PluginError, match="there is no hook call_begins"):
        host.add(Wrong(), "wrong")


def test_one_name_belongs_to_one_plugin(host: Host) -> None:
    host.add(object(), "same")
    with pytest.raises(PluginError, match="two plugins same"):
        host.add(object(), "same")
