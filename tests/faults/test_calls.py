"""Stopping, races at the bridge, a database that is away, too many calls at once, broken files, hostile callers."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from engine.errors import ConfigError
from engine.store.writer import Database
from engine.testing.home import Home
from tests.faults.test_events import TALK, at_rest
from tests.flows.shop import Shop, shop_home

SHORT = "greet:\n  - answer\n  - play: Good morning.\n  - hangup\n"
MENU = """
greet:
  - answer
  - menu: {prompt: Press one., options: {1: end}, give_up: end, first: 150s}
end:
  - play: Goodbye.
  - hangup
"""


# -- row 5: stopping -------------------------------------------------------------------------------------


def test_an_engine_that_stops_takes_no_new_calls_and_lets_the_others_end(shop: Shop) -> None:
    centre = shop(MENU)
    caller = centre.caller().dials("8000")
    caller.hears("Press one.")
    draining = centre.virtual.spawn(centre.app.drain, 30.0)
    centre.clock.advance(1)
    late = centre.caller().dials("8000")
    centre.clock.advance(1)
    assert late.sim.fell_back
    assert [entry.call for entry in centre.journal(kind="call.refused")] == [late.uuid]
    caller.presses("1")
    caller.hears("Goodbye.")
    assert caller.ended == "NORMAL_CLEARING"
    draining.join()
    assert draining.value == 0


def test_what_is_left_at_the_deadline_is_handed_over_with_a_cdr_and_a_talk_goes_on(shop: Shop) -> None:
    centre = shop(TALK)
    talker = centre.caller().dials("8000")
    agent = centre.agent("201").is_offered(talker).answers()
    talker.talks_to(agent)
    centre.agent("202").pauses("meal")
    waiter = centre.caller().dials("8000").hears_music()
    assert centre.app.drain(5.0) == 2
    centre.app.stop()
    centre.clock.advance(1)
    assert waiter.sim.fell_back
    assert talker.sim.state == "talking"
    centre.engine.start()
    assert talker.view.state == "talking"
    assert waiter.uuid in {cdr.call for cdr in centre.cdrs()}


# -- row 12: the database ---------------------------------------------------------------------------------


def test_calls_go_on_without_a_database_and_everything_is_written_once_afterwards(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    centre = shop(MENU)
    first = centre.caller().dials("8000")
    first.hears("Press one.")
    write = Database.write

    def down(self: Database, *args: Any) -> Any:
        raise OperationalError("insert", {}, Exception("the disk is gone"))

    monkeypatch.setattr(Database, "write", down)
    second = centre.caller().dials("8000")
    second.hears("Press one.").presses("1")
    second.hears("Goodbye.")
    assert second.ended == "NORMAL_CLEARING"
    centre.clock.advance(60)
    assert centre.app.store.health().spooling
    monkeypatch.setattr(Database, "write", write)
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


# -- row 15: broken files -----------------------------------------------------------------------------------


def test_broken_files_are_refused_with_every_fault_at_its_place(home: Home, centre_of: Any) -> None:
    shop_home(home, "greet:\n  - answer\n  - paly: Good morning.\n  - go: nowhere\n")
    home.number("8001", "shop/main", "recrod: never")
    home.write("conf/queues.yaml", "grammar: 1\nqueues:\n  desk: {title: {en: Desk}, lenght: 3}\n")
    with pytest.raises(ConfigError) as refused:
        centre_of(home)
    text = str(refused.value)
    for place in ("shop/flows/main.yaml:11:", "shop/flows/main.yaml:12:", "dialplans/main.yaml:5:"):
        assert place in text
    assert "conf/queues.yaml:3:" in text


# -- row 17: races ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [0.0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.15, 0.3])
def test_a_caller_who_hangs_up_in_the_moment_of_the_bridge_leaves_nobody_in_limbo(
    shop: Shop, after: float
) -> None:
    centre = shop(TALK)
    caller = centre.caller().dials("8000")
    agent = centre.agent("201").is_offered(caller)
    agent.phone.answer()
    centre.clock.advance(after)
    caller.sim.hang_up()
    centre.clock.advance(2)
    assert agent.phone.state == "idle"
    assert centre.simulator.switch.channels == {}
    at_rest(centre)
    assert len(centre.cdrs()) == 1


@pytest.mark.parametrize("after", [0.0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.15, 0.3])
def test_an_agent_who_hangs_up_in_the_moment_of_the_bridge_leaves_the_caller_waiting_or_served(
    shop: Shop, after: float
) -> None:
    centre = shop(TALK)
    caller = centre.caller().dials("8000")
    agent = centre.agent("201").is_offered(caller)
    agent.phone.answer()
    centre.clock.advance(after)
    agent.phone.hang_up()
    centre.clock.advance(1)
    if caller.sim.ended is None and caller.view.state == "queued":
        centre.agent("202").is_offered(caller).answers()
        caller.talks_to(centre.agent("202"))
        centre.agent("202").hangs_up()
    caller.hears("Thank you.")
    assert caller.ended
    at_rest(centre)


def test_two_callers_never_get_one_agent(shop: Shop) -> None:
    centre = shop(TALK)
    centre.agent("202").logs_out()
    first = centre.caller().dials("8000")
    agent = centre.agent("201").is_offered(first)
    second = centre.caller().dials("8000")
    second.hears_music()
    agent.answers()
    first.talks_to(agent)
    centre.clock.advance(60)
    assert second.view.state == "queued"
    assert len(agent.phone.rings) == 1


def test_an_agent_whose_phone_vanished_is_marked_and_the_next_one_gets_the_call(shop: Shop) -> None:
    centre = shop(TALK)
    centre.simulator.phone("1001").vanish()
    caller = centre.caller().dials("8000")
    centre.agent("202").is_offered(caller).answers()
    caller.talks_to(centre.agent("202"))
    assert centre.agent("201").state in ("unreachable", "ready", "paused")
    assert centre.agent("201").view.call == ""


# -- row 19: all at once ------------------------------------------------------------------------------------------


def test_fifteen_hundred_calls_at_once_are_led_or_refused_and_none_is_without_a_row(
    home: Home, centre_of: Any
) -> None:
    shop_home(home, SHORT).write("conf/engine.yaml", "grammar: 1\nlanguages: [en]\nlimits: {calls: 1000}\n")
    centre = centre_of(home)
    callers = [centre.simulator.call("8000") for _ in range(1500)]
    for caller in callers:
        assert caller.wait_ended(60) is not None
    centre.clock.advance(5)
    led = {row["call"] for row in centre.rows("cdr")}
    refused = {row["call"] for row in centre.rows("journal", kind="call.refused")}
    assert led | refused == {caller.uuid for caller in callers}
    assert not led & refused
    assert len(led) == 1000
    assert {caller.ended for caller in callers if caller.uuid in led} == {"NORMAL_CLEARING"}
    assert all(caller.fell_back for caller in callers if caller.uuid in refused)
    at_rest(centre)


# -- attacks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("+8613800000000", "x%0AUnique-ID%3A victim"),
        ("+8613800000000", "x\nUnique-ID: victim"),
        ("+8613800000000", "${system(touch /tmp/canary)}"),
        ("+8613800000000", "'; drop table cdr; --"),
        ("1001}[leg_timeout=1]<x>,|^:", 'O\'Neil, "Bob" <x>'),
        ("${hash(insert/il/lease/me)}", "{absolute_codec_string=evil}"),
        ("anonymous", ""),
    ],
)
def test_hostile_callers_are_served_as_anybody_and_their_text_stays_text(
    shop: Shop, number: str, name: str
) -> None:
    centre = shop(TALK)
    lease = centre.simulator.switch.hashes.values["il", "lease"]
    caller = centre.caller(number, name=name).dials("8000")
    agent = centre.agent("201").is_offered(caller)
    shown_name, shown_number = agent.phone.ring.caller_id
    agent.answers()
    caller.talks_to(agent)
    assert not set(shown_number) & set("{}[]<>,|^:$")
    assert not set(shown_name) & set("\r\n\0")
    agent.hangs_up()
    caller.hears("Thank you.")
    assert caller.ended == "NORMAL_CLEARING"
    assert len(centre.cdrs()) == 1
    assert len(centre.simulator.phone("1001").rings) == 1
    assert centre.simulator.switch.hashes.values["il", "lease"] == lease


def test_who_calls_stands_nowhere_while_the_dialplan_defers_it(home: Home, centre_of: Any) -> None:
    shop_home(home, TALK).number("8001", "shop/main", "identity: deferred, record: never")
    centre = centre_of(home)
    caller = centre.caller("+8613912345678", name="Wang Secret").dials("8001")
    agent = centre.agent("201").is_offered(caller)
    assert agent.phone.ring.caller_id == ("Anonymous", "0000000000")
    centre.engine.kill()
    centre.engine.start()
    agent.rejects()
    agent = centre.agent("202").is_offered(caller)
    assert agent.phone.ring.caller_id == ("Anonymous", "0000000000")
    agent.answers()
    caller.talks_to(agent)
    agent.hangs_up()
    caller.hears("Thank you.")
    assert caller.ended
    centre.clock.advance(1)
    for secret in ("13912345678", "Wang Secret"):
        for place, content in centre._everything():
            if not place.startswith("variable"):
                assert secret not in content, place
