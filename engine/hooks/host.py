"""The host of the plugins: what is built in, what lies in ``plugins/``, what is installed.

There is no global plugin manager; each centre has a host of its own. A plugin that can't be used is kept
out, named with its reason in ``host.faults``, and the others run.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pluggy
import structlog
from rapidfuzz import process

from engine.clock import Clock
from engine.errors import PluginError
from engine.hooks import hookspecs, loading
from engine.hooks.brought import RESERVED, CliCommand, Format, Report, StepKind
from engine.hooks.department import Department
from engine.hooks.isolation import Tally, Teller
from engine.hooks.notifiers import Notifier
from engine.hooks.proven import Proven

log = structlog.get_logger(__name__)

GROUP = "insideline.plugins"
# A folder with one of these and no plugin.py is a department of YAML alone.
_YAML_ONLY = ("flows", "prompts")


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin that was loaded."""

    name: str
    origin: str  # "built-in", "folder" or "package"
    folder: Path | None  # where its flows/ and prompts/ are
    department: Department | None  # None: hooks only
    version: str = ""
    stamp: str = ""  # of the code that was read, see loading.stamp

    @property
    def changed(self) -> bool:
        """Has its code been changed since it was read?"""
        return self.folder is not None and loading.stamp(self.folder) != self.stamp


@dataclass(frozen=True, slots=True)
class Fault:
    """A plugin that was kept out."""

    plugin: str
    message: str  # one line for each thing that is wrong
    traceback: str = ""  # from the plugin's own first line on, when its code raised
    folder: Path | None = None  # where its flows/ are, when that is known

    @property
    def short(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0]


@dataclass(frozen=True, slots=True)
class Implementation:
    """One plugin's implementation of a hook."""

    plugin: str
    department: str  # "" for a plugin without one
    function: Callable[..., Any]
    arguments: tuple[str, ...]


class Host:
    """The plugins of one centre."""

    def __init__(
        self, clock: Clock, *, deadline: float = 5.0, most: int = 100, proven: Path | None = None
    ) -> None:
        """``deadline`` (seconds) and ``most`` limit the notifications, see :class:`Teller`. ``proven`` is the file that
        remembers whose code was found good, see :class:`Proven`."""
        self._proven = Proven(proven)
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        for specs in (hookspecs.Declare, hookspecs.Answer, hookspecs.Add, hookspecs.Told):
            self._manager.add_hookspecs(specs)
        self._teller = Teller(clock, self._manager, deadline=deadline, most=most)
        self.notifiers: dict[str, Notifier] = {}  # by name, of all plugins
        self.steps: dict[str, type[StepKind]] = {}  # likewise
        self.formats: dict[str, Format] = {}
        self.reports: dict[str, Report] = {}
        self.commands: dict[str, dict[str, CliCommand]] = {}  # by plugin and name
        self._known = sorted(name for name in vars(self._manager.hook) if not name.startswith("_"))
        self.plugins: list[Plugin] = []
        self.faults: list[Fault] = []

    @property
    def tell(self) -> hookspecs.Told:
        """Tells all plugins what happened: ``host.tell.call_ended(call=view, cause="…")``; never waits or raises."""
        return cast(hookspecs.Told, self._teller)

    def give_context(self, run: Callable[[str, str, Callable[[Any], object], float], object]) -> None:
        """Let told hooks have their ``ctx``: ``run(department, where, function(ctx), seconds)``."""

        def in_context(plugin: str, where: str, function: Callable[[Any], object], within: float) -> object:
            whose = (one.department.name for one in self.plugins if one.name == plugin and one.department)
            return run(next(whose, ""), where, function, within)

        self._teller.in_context = in_context

    @property
    def tallies(self) -> dict[str, Tally]:
        """By plugin: how often it was told something, failed, was late, was not told."""
        return dict(self._teller.tallies)

    @property
    def departments(self) -> dict[str, Department]:
        """All departments by name, those of YAML alone among them."""
        return {one.department.name: one.department for one in self.plugins if one.department is not None}

    @property
    def away(self) -> dict[str, Path | None]:
        """The departments that were kept out, by name, with the folder that holds their ``flows/`` where that is known.
        (Of two of one name the first is there, so that one is not away.)"""
        there = self.departments
        return {one.plugin: one.folder for one in self.faults if one.plugin not in there}

    @property
    def folders(self) -> dict[str, Path]:
        """By department: the folder that holds its ``flows/`` and ``prompts/``."""
        return {
            one.department.name: one.folder
            for one in self.plugins
            if one.department is not None and one.folder is not None
        }

    def implementations(self, hook: str) -> list[Implementation]:
        """Who implements a hook, in the order in which they are asked: built-in ones last."""
        departments = {one.name: one.department.name for one in self.plugins if one.department is not None}
        return [
            Implementation(
                impl.plugin_name,
                departments.get(impl.plugin_name, ""),
                impl.function,
                tuple(impl.argnames),
            )
            for impl in reversed(getattr(self._manager.hook, hook).get_hookimpls())
        ]

    # -- loading --------------------------------------------------------------------------------

    def add(self, plugin: object, name: str, *, instant: bool = False) -> None:
        """Register a built-in plugin. It is the engine's own, so a mistake in it raises. ``instant``: it takes note and
        never waits, so that it is told on the spot."""
        self._admit(plugin, name, "built-in", None)
        if instant:
            self._teller.instant.add(name)

    def load(self, folder: Path | None = None, *, installed: bool = True) -> None:
        """Load every plugin of a ``plugins/`` folder, by name, then the installed ones (group
        ``insideline.plugins``). Raises nothing for a plugin that can't be used: see ``faults``.
        """
        if folder is not None and folder.is_dir():
            for path in sorted(folder.iterdir()):
                if path.is_dir() and not path.name.startswith((".", "_")):
                    self._load_folder(path.resolve())
        if installed:
            self._load_installed(importlib.metadata.entry_points(group=GROUP))
        self._proven.keep()

    def take_over(self, other: Host) -> bool:
        """Have the plugins that another host has loaded, without reading anything; the built-in ones are each host's
        own. False, and nothing is taken, when code was dropped since: one of that name was loaded from elsewhere."""
        loaded = [one for one in other.plugins if one.origin != "built-in"]
        code = [(one, other._manager.get_plugin(one.name)) for one in loaded]
        code = [(one, module) for one, module in code if module is not None]  # not those of YAML alone
        if any(one.origin == "folder" and loading.loaded(one.name) is not module for one, module in code):
            return False
        for one, module in code:
            self._manager.register(module, one.name)
        self.plugins += loaded
        self.faults += other.faults
        self.notifiers |= other.notifiers
        self.steps |= other.steps
        self.formats |= other.formats
        self.reports |= other.reports
        self.commands |= other.commands
        self._teller.forget_targets()
        return True

    def _load_folder(self, path: Path) -> None:
        name = path.name
        has_code = (path / "plugin.py").is_file()
        if not has_code and not any((path / one).is_dir() for one in _YAML_ONLY):
            return
        try:
            department = None if has_code else Department(name)
            if has_code:
                if not name.isidentifier() or not name.islower():
                    raise PluginError(f"{path}: a plugin's folder is lower-case letters, digits and _")
                code = loading.stamp(path)
                if not self._proven.holds(name, code):
                    loading.scan(path, f"{loading.PACKAGE}.{name}")
                module = loading.load_folder(path)
                self._admit(module, name, "folder", path, named=name, code=code)
            else:
                self._keep(Plugin(name, "folder", path, department))
        except PluginError as error:
            # A decorator that refuses says file and line itself; the traceback would only hide it.
            self._refuse(name, str(error), folder=path)
        except SyntaxError as error:
            self._refuse(name, loading.told_syntax(error), folder=path)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - logged, and kept in faults
            self._refuse_raised(name, error, path)

    def _load_installed(self, points: Iterable[importlib.metadata.EntryPoint]) -> None:
        for point in sorted(points, key=lambda one: one.name):
            folder = _folder_of(point)
            try:
                folder = self._scan_installed(point)
                plugin = point.load()
                version = point.dist.version if point.dist else ""
                self._admit(plugin, point.name, "package", folder, version=version)
            except PluginError as error:
                self._refuse(point.name, str(error), folder=folder)
            except SyntaxError as error:
                self._refuse(point.name, loading.told_syntax(error), folder=folder)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - logged, and kept in faults
                self._refuse_raised(point.name, error, folder)

    def _scan_installed(self, point: importlib.metadata.EntryPoint) -> Path | None:
        spec = importlib.util.find_spec(point.module)
        if spec is None or spec.origin is None:
            raise PluginError(
                f"package {point.dist.name if point.dist else '?'} has no module {point.module}"
            )
        file = Path(spec.origin).resolve()
        in_package = bool(spec.submodule_search_locations) or "." in point.module
        # A module that lies alone in site-packages must not make us read its neighbours.
        package = point.module if spec.submodule_search_locations else point.module.rpartition(".")[0]
        loading.scan(file.parent if in_package else file, package or point.module)
        return file.parent if in_package else None

    # -- admitting ------------------------------------------------------------------------------

    def _admit(
        self,
        plugin: Any,
        name: str,
        origin: str,
        folder: Path | None,
        *,
        named: str | None = None,
        version: str = "",
        code: str = "",
    ) -> None:
        if any(one.name == name for one in self.plugins):
            raise PluginError(f"there are two plugins {name}")
        self._check_names(plugin)
        try:
            self._manager.register(plugin, name)
        except pluggy.PluginValidationError as error:
            raise PluginError(_one_line(error)) from None
        try:
            self._manager.check_pending()
            department = self._ask_department(plugin, name)
            if department is not None and named is not None and department.name != named:
                raise PluginError(
                    f"{name}: its department is called {department.name!r}, its folder {named!r}"
                )
            notifiers = self._ask_brought(plugin, name, "register_notifiers", Notifier, ".")
            steps = self._ask_brought(plugin, name, "register_steps", StepKind, "_")
            formats = self._ask_brought(plugin, name, "register_formats", Format, "_")
            reports = self._ask_brought(plugin, name, "register_reports", Report, ".")
            commands = self._ask_brought(plugin, name, "register_commands", CliCommand, "")
            if commands and name in RESERVED:
                raise PluginError(f"{name} can't have commands: `insideline {name}` means something already")
            if folder is not None:
                code = code or loading.stamp(folder)
            if department is not None and not self._proven.holds(name, code):
                department.prove()
            self._proven.add(name, code)
            self._keep(Plugin(name, origin, folder, department, version, code))
            self.notifiers.update(notifiers)
            self.steps.update(steps)
            self.formats.update(formats)
            self.reports.update(reports)
            if commands:
                self.commands[name] = commands
        except BaseException:
            self._manager.unregister(name=name)
            raise
        finally:
            self._teller.forget_targets()

    def _check_names(self, plugin: Any) -> None:
        # check_pending() finds these too, but names neither place nor remedy.
        for attribute in dir(plugin):
            options = self._manager.parse_hookimpl_opts(plugin, attribute)
            if options is None:
                continue
            hook = options.get("specname") or attribute
            if hook not in self._known:
                near = process.extractOne(hook, self._known, score_cutoff=60)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise PluginError(f"{_place(getattr(plugin, attribute))}: there is no hook {hook}{hint}")

    def _ask_department(self, plugin: Any, name: str) -> Department | None:
        hook = self._manager.hook.register_department
        mine = [impl for impl in hook.get_hookimpls() if impl.plugin is plugin]
        if not mine:
            return None
        made = mine[0].function()
        if not isinstance(made, Department):
            raise PluginError(
                f"{_place(mine[0].function)}: register_department of {name} must return a Department"
            )
        return made

    def _ask_brought(self, plugin: Any, name: str, hook: str, wanted: type, joint: str) -> dict[str, Any]:
        """What a plugin brings by a ``register_…`` hook, by name: each is ``wanted`` (for steps: a subclass of it), and
        named after the plugin and the ``joint``, once."""
        found: dict[str, Any] = {}
        for impl in getattr(self._manager.hook, hook).get_hookimpls():
            if impl.plugin is not plugin:
                continue
            given = impl.function()
            if isinstance(given, str) or not isinstance(given, Iterable):
                raise PluginError(f"{_place(impl.function)}: {hook} of {name} must return a list")
            for made in given:
                one = self._named(made, wanted)
                if one is None:
                    raise PluginError(
                        f"{_place(impl.function)}: {hook} of {name} must return {wanted.__name__}s, not {made!r}"
                    )
                if one in found or (
                    joint and not (one.startswith(name + joint) and len(one) > len(name) + 1)
                ):
                    raise PluginError(
                        f"{_place(impl.function)}: what {hook} of {name} returns is called {name}{joint}something"
                        f", once each, not {one!r}"
                    )
                found[one] = made
        return found

    @staticmethod
    def _named(made: object, wanted: type) -> str | None:
        """What it is called, or None when it is not what is wanted."""
        if wanted is StepKind:
            fits = inspect.isclass(made) and issubclass(made, StepKind)
            return getattr(made, "kind", "") if fits else None
        return str(getattr(made, "name", "")) if isinstance(made, wanted) else None

    def _keep(self, plugin: Plugin) -> None:
        if plugin.department is not None:
            for other in self.plugins:
                if other.department is not None:
                    _tell_apart(plugin, plugin.department, other, other.department)
        self.plugins.append(plugin)
        log.debug("plugin.loaded", plugin=plugin.name, origin=plugin.origin)

    def _refuse(self, name: str, message: str, traceback: str = "", folder: Path | None = None) -> None:
        self.faults.append(Fault(name, message, traceback, folder))
        log.error("plugin.refused", plugin=name, why=message, traceback=traceback or None)

    def _refuse_raised(self, name: str, error: BaseException, folder: Path | None) -> None:
        said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        self._refuse(name, said, loading.told_traceback(error, folder or Path("/")), folder)

    # -- the end --------------------------------------------------------------------------------

    def settle(self, timeout: float) -> bool:
        """Wait until all that was told is through; False when ``timeout`` seconds passed first."""
        return self._teller.settle(timeout)

    def stop(self) -> None:
        """End every notification that still runs."""
        self._teller.stop()


def _tell_apart(plugin: Plugin, new: Department, other: Plugin, old: Department) -> None:
    if old.name == new.name:
        homes = f"in {_home(other)} and in {_home(plugin)}"
        raise PluginError(f"there are two departments {new.name}: {homes}; the first is kept")
    if new.tables and old.tables and (new.tables.startswith(old.tables) or old.tables.startswith(new.tables)):
        raise PluginError(
            f"the tables of {new.name} ({new.tables}…) would mix with those of {old.name} ({old.tables}…): "
            f"{_home(plugin)} and {_home(other)}"
        )


def _folder_of(point: importlib.metadata.EntryPoint) -> Path | None:
    """Where an installed plugin lies, without running any of its code."""
    if point.dist is None:
        return None
    folder = Path(str(point.dist.locate_file(point.module.replace(".", "/"))))
    found = folder if folder.is_dir() else folder.parent
    return found.resolve() if (found / "flows").is_dir() else None


def _home(plugin: Plugin) -> str:
    return str(plugin.folder) if plugin.folder else plugin.origin


def _place(function: Any) -> str:
    function = inspect.unwrap(function)
    code = getattr(function, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else repr(function)


def _one_line(error: pluggy.PluginValidationError) -> str:
    plugin = error.plugin
    where = getattr(plugin, "__file__", None) if isinstance(plugin, ModuleType) else None
    text = " ".join(str(error).split())
    return f"{where}: {text}" if where else text
