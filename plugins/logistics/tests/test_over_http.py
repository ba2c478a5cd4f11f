"""The company's own system of orders over http, which accepts and then is silent: the caller hears that it is not
known, a ticket owes an answer, and there is one order, one ticket of the desk and one notice to the branch."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import StaticPool, create_engine
from sqlalchemy.orm import Session

from engine.clock import Clock
from engine.hooks.loading import load_folder
from engine.testing.twin import Twin

HERE = Path(__file__).parents[1]
KNOWN = "+8613922200001"


@pytest.fixture
def remote(centre_home: Path, tmp_path: Path, centre_of: Callable[[Any], Any]) -> Iterator[Any]:
    """(the centre, the remote): a copy of the installation whose orders are at the remote's."""
    plugin = load_folder(HERE)
    pickups = import_module(f"{plugin.__package__}.pickups")
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    plugin.department.models.create_all(engine)

    @contextmanager
    def opened() -> Iterator[Any]:
        with Session(engine) as session:
            yield pickups.SqlPickups(session)
            session.commit()

    twin = Twin(pickups.Pickups, opened, Clock())
    home = tmp_path / "home"
    home.mkdir()
    for part in ("dialplans", "prompts", "plugins"):
        (home / part).symlink_to(centre_home / part)
    shutil.copytree(centre_home / "conf", home / "conf")
    settings = home / "conf" / "engine.yaml"
    text = settings.read_text(encoding="utf-8")
    section = f'departments:\n  logistics:\n    adapters:\n      Pickups: {{kind: http, url: "{twin.url}"}}\n'
    assert text.count("\ndepartments:\n") == 1
    settings.write_text(text.replace("departments:\n", section, 1), encoding="utf-8")
    centre = centre_of(home)
    yield centre, twin.keep(centre.virtual)
    twin.close()
    engine.dispose()


def confirmed(centre: Any, language: str = "1") -> Any:
    """A known caller who has just ordered."""
    caller = centre.caller(number=KNOWN).dials("8004")
    caller.hears("logistics/choose_language").presses(language)
    caller.hears("recorded_notice")
    caller.hears("logistics/main_menu").presses("3")
    caller.hears("logistics/use_saved").presses("1")
    caller.hears("logistics/which_address").presses("1")
    caller.hears("logistics/address_chosen")
    caller.hears("logistics/which_goods").presses("1")
    caller.hears("logistics/enter_weight").presses("10#")
    caller.hears("logistics/enter_volume").presses("1#")
    caller.hears("logistics/branch_open")
    return caller.hears("logistics/order_it").presses("1")


def test_an_order_at_the_companys_own_system_is_told_to_the_branch(remote: Any) -> None:
    centre, twin = remote
    said = confirmed(centre).hears("logistics/ordered_text")
    assert said.values["placed.number"] == "70000001"
    said.hangs_up()
    assert [method for method, _ in twin.did] == ["place"]
    assert centre.rows("logistics.pickups") == []  # it lies there, not here
    assert centre.one("tickets", kind="pickup")["caller"] == KNOWN
    assert centre.one("notices", group="logistics_branch")["prompt"] == "logistics/pickup_notice"


@pytest.mark.parametrize("language", ["1", "2"])
def test_a_system_that_accepts_and_is_silent_is_said_to_be_and_settled_later(
    remote: Any, language: str
) -> None:
    centre, twin = remote
    twin.accepts_then_hangs(times=1)
    caller = confirmed(centre, language)
    caller.hears("logistics/order_not_known")
    caller.hears("bye")
    assert centre.one("tickets", kind="pickup_unknown")["group"] == "logistics"
    centre.clock.advance("2m")
    assert [entry.data["outcome"] for entry in centre.journal(kind="command.settled")] == ["done"]
    assert [method for method, _ in twin.did] == ["place"]
    assert len(centre.rows("tickets", kind="pickup")) == 1
    assert len(centre.rows("notices", group="logistics_branch")) == 1


def test_a_system_that_is_not_there_leads_to_the_desk_or_is_owed(remote: Any) -> None:
    centre, twin = remote
    twin.dead()
    said = confirmed(centre).hears_next()
    assert said.key in ("logistics/order_not_known", "logistics/trouble_desk")
    twin.back()
