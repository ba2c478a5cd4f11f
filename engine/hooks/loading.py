"""Reading a plugin's code: from a folder without installing it, and within the rules of ``engine.api``.

A folder ``plugins/logistics`` becomes the package ``insideline_plugins.logistics``, so that its modules reach
one another as ``from .models import Shipment`` whether it lies in a folder or was installed.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import sys
import traceback
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from engine.errors import PluginError

PACKAGE = "insideline_plugins"
_ALLOWED = "engine.api"
# Tests of a department use engine.testing, and are never loaded by the engine.
_NOT_SCANNED = frozenset({"tests", "test", "__pycache__"})
# What may be an import that is to be refused, or no Python: only such a file is taken apart, since to do that with all
# files of four departments takes a third of a second at each start.
_SUSPECT = re.compile(
    rb"\b(?:from|import)\b[^\n]*(?:\bengine\b(?!\.api\b)|\b" + PACKAGE.encode() + rb"\b|\\\r?\n)"
    rb"|\bfrom[ \t]*\.[ \t]*\.|\x00"
)


def load_folder(folder: Path) -> ModuleType:
    """Import ``folder/plugin.py``. What it raises is passed on; a folder that loaded once is not run again."""
    name = f"{PACKAGE}.{folder.name}"
    _root()
    known = sys.modules.get(name)
    plugin = sys.modules.get(f"{name}.plugin")
    if known is not None and plugin is not None and list(known.__path__) == [str(folder)]:
        return plugin
    forget(folder.name)
    package = _package(name, folder)
    sys.modules[name] = package
    try:
        if package.__spec__ is not None and package.__spec__.loader is not None:
            package.__spec__.loader.exec_module(package)
        return importlib.import_module(f"{name}.plugin")
    except BaseException:
        forget(folder.name)
        raise


def loaded(name: str) -> ModuleType | None:
    """The ``plugin.py`` of that name that was loaded last."""
    return sys.modules.get(f"{PACKAGE}.{name}.plugin")


def forget(name: str) -> None:
    """Drop a plugin's modules, so that the next load runs its code anew."""
    full = f"{PACKAGE}.{name}"
    for module in [one for one in sys.modules if one == full or one.startswith(full + ".")]:
        del sys.modules[module]


def _root() -> None:
    if PACKAGE not in sys.modules:
        root = ModuleType(PACKAGE, "Plugins that were loaded from folders.")
        root.__path__ = []
        sys.modules[PACKAGE] = root


def _package(name: str, folder: Path) -> ModuleType:
    init = folder / "__init__.py"
    spec: ModuleSpec | None
    if init.is_file():
        spec = importlib.util.spec_from_file_location(name, init, submodule_search_locations=[str(folder)])
    else:
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(folder)]
    if spec is None:  # only for a suffix that is no module
        raise PluginError(f"{init} can't be imported")
    return importlib.util.module_from_spec(spec)


def scan(path: Path, package: str) -> None:
    """Refuse imports that a plugin may not make, each by file and line, before any of its code runs. (A file that is no
    Python raises its SyntaxError when it is imported, if it does not look like such an import.)

    ``path`` is a folder or one file; ``package`` is the name its modules will have. Raises :class:`PluginError`
    with one line for each fault.
    """
    files = [path] if path.is_file() else sorted(_sources(path))
    faults = [
        fault for file in files for fault in _faults(file, path if path.is_dir() else path.parent, package)
    ]
    if faults:
        raise PluginError("\n".join(faults))


def stamp(folder: Path) -> str:
    """Which code lies in a plugin's folder: another one once any of it was changed, added or removed."""
    rows = []
    for file in sorted(_sources(folder)):
        try:
            found = file.stat()
        except OSError:  # removed meanwhile
            continue
        rows.append(f"{file.relative_to(folder)} {found.st_size} {found.st_mtime_ns}")
    return "\n".join(rows)


def _sources(folder: Path) -> Iterator[Path]:
    for file in folder.rglob("*.py"):
        parts = file.relative_to(folder).parts
        if not _NOT_SCANNED.intersection(parts[:-1]) and file.name != "conftest.py":
            yield file


def _faults(file: Path, folder: Path, package: str) -> Iterator[str]:
    source = file.read_bytes()
    if not _SUSPECT.search(source):
        return
    try:
        tree = ast.parse(source, filename=str(file))
    except SyntaxError as error:
        yield f"{file}:{error.lineno or 1}: {error.msg}"
        return
    except ValueError as error:  # a NUL byte
        yield f"{file}:1: {error}"
        return
    inside = len(file.relative_to(folder).parts)  # how many dots stay within the plugin
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                yield from _refuse(file, node.lineno, one.name, package)
        elif isinstance(node, ast.ImportFrom):
            if node.level > inside:
                yield f"{file}:{node.lineno}: a relative import that leaves the plugin"
            elif node.level == 0 and node.module == "engine":
                for one in node.names:
                    yield from _refuse(file, node.lineno, f"engine.{one.name}", package)
            elif node.level == 0 and node.module:
                yield from _refuse(file, node.lineno, node.module, package)


def _refuse(file: Path, line: int, module: str, package: str) -> Iterator[str]:
    top = module.split(".", 1)[0]
    if top == "engine" and module != _ALLOWED:
        yield f"{file}:{line}: a plugin imports engine.api and third-party libraries only, not {module}"
    elif top == PACKAGE and module != package and not module.startswith(package + "."):
        yield f"{file}:{line}: departments never import one another ({module})"


def told_syntax(error: SyntaxError) -> str:
    """A file that is no Python, by its line: a traceback would only say who imported it."""
    return f"{error.filename}:{error.lineno or 1}: {error.msg}"


def told_traceback(error: BaseException, folder: Path) -> str:
    """The traceback from the plugin's own first line on: the machinery above it helps nobody."""
    frames = traceback.extract_tb(error.__traceback__)
    first = next((at for at, frame in enumerate(frames) if frame.filename.startswith(str(folder))), None)
    kept = frames if first is None else frames[first:]
    lines = ["Traceback (most recent call last):\n", *traceback.format_list(kept)]
    return "".join([*lines, *traceback.format_exception_only(error)]).rstrip()
