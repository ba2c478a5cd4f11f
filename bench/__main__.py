"""``python -m bench [names…]``: run the named benchmarks (default: all), print a table, write var/bench.json.

A benchmark is a module of this package with ``def run(report)``; see :class:`bench.table.Report`. The exit
status is 1 when a goal was missed or a benchmark broke, 2 for an unknown name.
"""

from gevent import monkey

monkey.patch_all()

import importlib  # noqa: E402 - gevent patches before anything else is imported
import pkgutil  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402

import structlog  # noqa: E402

import bench  # noqa: E402
from bench.table import Report  # noqa: E402

Run = Callable[[Report], None]


def found() -> dict[str, Run | str]:
    """Benchmarks by name; a text instead of a function says why that one can't be loaded."""
    benchmarks: dict[str, Run | str] = {}
    for module in pkgutil.iter_modules(bench.__path__):
        if module.name.startswith("_") or module.name in (
            "table",
            "feeder",
            "home",
            "sipp",
            "peer_sql",
            "module_sql",
        ):
            continue
        try:
            run = getattr(importlib.import_module(f"bench.{module.name}"), "run", None)
        except ImportError as error:
            benchmarks[module.name] = str(error)
            continue
        if callable(run):
            benchmarks[module.name] = run
    return benchmarks


def main(names: list[str]) -> int:
    benchmarks = found()
    if unknown := [name for name in names if name not in benchmarks]:
        print(
            f"no such benchmark: {', '.join(unknown)} (there are: {', '.join(benchmarks)})", file=sys.stderr
        )
        return 2
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    report = Report(Path("var") / "bench.json")
    for name in names or benchmarks:
        report.begin(name)
        run = benchmarks[name]
        if isinstance(run, str):
            report.broke(run)
            continue
        try:
            run(report)
        except Exception as error:  # noqa: BLE001 - the others are run all the same, and this one is shown
            report.broke(f"{type(error).__name__}: {error}")
    report.show()
    report.write()
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
