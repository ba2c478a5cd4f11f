"""A plugin that can't be loaded takes nothing else with it: the engine runs, and its callers meet a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine.cli import board
from engine.hooks import loading
from engine.testing.home import Home

_BROKEN = "import not_there\n"
_WHOLE = """
    from engine.api import Context, Department, Digits, hookimpl, query

    department = Department("shop", tables="shop_")

    @query(department)
    def price(ctx: Context, code: Digits) -> int:
        return 7

    @hookimpl
    def register_department():
        return department
"""
_SHOP = """
    greet:
      - answer
      - query: {ask: shop.price, with: {code: "1"}, into: price, failed: bye}
      - shop_lookup: {into: found, failed: bye}
      - say: "It costs {price:count}, {found:shop_words}."
      - go: bye
    bye:
      - hangup
"""
_AWAY = """
    sorry:
      - answer
      - play: This can't be reached just now.
      - play: Here is the operator.
      - hangup
"""


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    yield
    loading.forget("shop")


@pytest.fixture
def house(home: Home) -> Home:
    """A home with a department whose plugin can't be imported, and one that is whole."""
    home.plugin("shop", _BROKEN)
    home.flow("shop/main", _SHOP).number("8001", "shop/main")
    home.flow("reception/department_away", _AWAY)
    home.flow("other/main", "greet:\n  - answer\n  - play: All is well.\n  - hangup\n")
    home.number("8002", "other/main")
    return home


def test_its_number_says_so_and_leads_on_and_the_others_are_as_ever(
    house: Home, centre_of: Callable[[Home], Any]
) -> None:
    centre = centre_of(house)
    caller = centre.caller().dials("8001")
    caller.hears("This can't be reached just now.")
    caller.hears("Here is the operator.")
    centre.caller().dials("8002").hears("All is well.")
    centre.clock.advance("5s")
    [event] = centre.journal(kind="flow.department_away")
    assert event.data["department"] == "shop"
    assert {row.flow for row in centre.cdrs()} == {"shop/main", "other/main"}


def test_it_is_told_in_the_journal_the_days_events_and_on_the_board(
    house: Home, centre_of: Callable[[Home], Any]
) -> None:
    centre = centre_of(house)
    row = centre.journal(kind="plugin.kept_out")[-1]
    assert row.data == {
        "plugin": "shop",
        "why": "ModuleNotFoundError: No module named 'not_there'",
        "numbers": ["8001"],
    }
    told = "ModuleNotFoundError: No module named 'not_there'; callers of 8001 are led to reception/department_away"
    assert f"plugin shop is kept out: {told}" in [one.text for one in centre.app.installation.day.news]
    from rich.console import Console

    console = Console(width=200, height=40, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(board.render(centre.app.parts, 40, 200))
    assert f"plugin shop is KEPT OUT: {told}" in console.export_text()


def test_without_a_flow_that_says_so_callers_hear_that_it_can_not_be_done(
    house: Home, centre_of: Callable[[Home], Any]
) -> None:
    (house.folder / "plugins/reception/flows/department_away.yaml").unlink()
    centre = centre_of(house)
    caller = centre.caller().dials("8001")
    caller.hears("system_trouble")
    assert caller.ended == "NORMAL_CLEARING"


def test_a_flow_of_another_department_is_led_away_where_it_needs_a_step_of_it_and_fails_where_it_asks_it(
    house: Home, centre_of: Callable[[Home], Any]
) -> None:
    house.flow(
        "other/asks",
        """
        greet:
          - answer
          - query: {ask: shop.price, with: {code: "1"}, into: price, failed: bye}
          - hangup
        bye:
          - play: We can't tell the price.
          - hangup
        """,
    )
    house.flow(
        "other/uses",
        "a:\n  - answer\n  - shop_lookup: {into: found, failed: b}\n  - hangup\nb:\n  - hangup\n",
    )
    house.flow(
        "other/runs",
        "a:\n  - answer\n  - run: {flow: shop/main}\n  - play: And back.\n  - hangup\n",
    )
    house.number("8003", "other/asks").number("8004", "other/uses").number("8005", "other/runs")
    centre = centre_of(house)
    centre.caller().dials("8003").hears("We can't tell the price.")
    centre.caller().dials("8004").hears("This can't be reached just now.")
    centre.caller().dials("8005").hears("This can't be reached just now.")


def test_what_conf_says_to_it_is_no_fault(house: Home, centre_of: Callable[[Home], Any]) -> None:
    house.write(
        "conf/engine.yaml",
        "grammar: 1\nlanguages: [en]\nrecording: {policies: {service: {share: 100%, keep: 10d}}}\n"
        "departments: {shop: {late: 2h, adapters: {Till: {kind: http, url: 'http://127.0.0.1:9'}}}}\n",
    )
    house.write(
        "conf/notify.yaml",
        'grammar: 1\ngroups: {house: {ways: [{notifier: shop.bell}, {webhook: "http://127.0.0.1:9/x"}]}}\n',
    )
    assert centre_of(house).app.ready.is_set()


def test_a_broken_flow_of_it_still_refuses_the_start(house: Home, centre_of: Callable[[Home], Any]) -> None:
    house.flow("shop/more", "a:\n  - answer\n  - play: Hello.\n  - go: nowhere\n")
    from engine.app import read_installation
    from engine.clock import VirtualClock

    found = read_installation(house.folder, VirtualClock()).faults.errors
    assert [(fault.file, fault.code) for fault in found] == [
        ("plugins/shop/flows/more.yaml", "unknown-block")
    ]


def test_once_mended_the_next_start_has_the_department_again_and_a_reload_says_so(
    home: Home, centre_of: Callable[[Home], Any]
) -> None:
    home.plugin("shop", _BROKEN)
    home.flow("shop/main", _SHOP.replace("      - shop_lookup: {into: found, failed: bye}\n", "").replace(
        ", {found:shop_words}", "")).number("8001", "shop/main")  # fmt: skip
    centre = centre_of(home)
    centre.caller().dials("8001").hears("system_trouble")
    home.plugin("shop", _WHOLE)
    done = centre.reloads()
    assert done.ok, done.faults
    assert done.later == ("plugins/shop (kept out: its code is read again at the next start)",)
    centre.caller().dials("8001").hears("system_trouble")
    again = centre_of(home)
    assert again.app.installation.host.faults == []
    again.caller().dials("8001").hears("It costs seven.")


def test_in_the_home_that_init_makes_its_callers_meet_the_operator(
    tmp_path: Any, centre_of: Callable[[Any], Any]
) -> None:
    from engine.cli.init import make_home

    make_home(tmp_path / "house")
    plugin = tmp_path / "house/plugins/logistics/plugin.py"
    plugin.write_text(_BROKEN + plugin.read_text(encoding="utf-8"), encoding="utf-8")
    centre = centre_of(tmp_path / "house")
    caller = centre.caller().dials("8004")
    caller.hears("department_away")
    caller.hears("reception/to_operator")
