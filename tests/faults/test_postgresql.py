"""A centre on PostgreSQL: a conversation from end to end, and (row 12) a server killed in the midst of calls."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.testing.centre import Centre
from engine.testing.home import Home
from engine.testing.postgresql import PostgreSQL

pytestmark = pytest.mark.postgresql

MENU = """
greet:
  - answer
  - menu: {prompt: Press one., options: {1: end}, give_up: end, first: 150s}
end:
  - play: Goodbye.
  - hangup
"""


def test_a_waybill_is_tracked_and_the_call_accounted_for(
    centre_of: Callable[..., Centre], centre_home: Path, postgresql_url: str
) -> None:
    centre = centre_of(centre_home, database=postgresql_url)
    caller = centre.caller("+8613800000000").dials("8004")
    caller.hears("logistics/choose_language").presses("2")
    caller.hears("recorded_notice")
    caller.hears("logistics/main_menu").presses("1")
    caller.hears("logistics/enter_waybill").presses("44018004#")
    caller.hears("logistics/departed_text")
    caller.hangs_up()
    [cdr] = centre.cdrs()
    assert cdr.call == caller.uuid
    assert centre.one("logistics.waybills", number="44018004")
    assert [entry.kind for entry in centre.journal(caller)][-1] == "call.ended"
    centre.engine.kill()
    centre.engine.start()  # its agents, deeds and flow sets are there
    assert centre.cdrs() == [cdr]


def test_calls_go_on_while_the_server_is_away_and_everything_is_written_once_afterwards(
    home: Home, centre_of: Callable[..., Centre], postgresql: PostgreSQL, postgresql_url: str
) -> None:
    if not postgresql.ours:
        pytest.skip("the server is not ours to kill")
    centre = centre_of(home.flow("shop/main", MENU).number("8000", "shop/main"), database=postgresql_url)
    first = centre.caller().dials("8000")
    first.hears("Press one.")
    postgresql.kill()
    try:
        second = centre.caller().dials("8000")
        second.hears("Press one.").presses("1")
        second.hears("Goodbye.")
        assert second.ended == "NORMAL_CLEARING"
        centre.clock.advance(60)
        assert centre.app.store.health().spooling
    finally:
        postgresql.start_again()
    first.presses("1")
    assert first.ended == "NORMAL_CLEARING"
    centre.clock.advance(60)
    assert not centre.app.store.health().spooling
    assert sorted(cdr.call for cdr in centre.cdrs()) == sorted([first.uuid, second.uuid])
    for caller in (first, second):
        kinds = [entry.kind for entry in centre.journal(caller)]
        assert kinds[0] == "call.arrived"
        assert kinds[-1] == "call.ended"
        assert kinds.count("call.ended") == 1
