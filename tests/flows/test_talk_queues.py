"""An agent asks a queue, with the caller on hold: the place, who answers, every way out, each hang-up, a restart."""

from __future__ import annotations

from typing import Any

import pytest

from engine.acd.explain import explain_call
from engine.errors import InsidelineError, QueueRefused
from engine.testing.home import Home
from tests.flows.shop import Shop
from tests.flows.test_talks import hears_music_now, order

AGENTS = """\
grammar: 1
agents:
  201: {name: Agent One, phone: 1001, languages: [en], queues: [desk], login: auto}
  202: {name: Expert, phone: 1002, languages: [en], queues: [experts], skills: {tax: 2}, login: auto}
  203: {name: Expert, phone: 1003, languages: [en], queues: [experts]}
"""
QUEUES = """\
grammar: 1
queues:
  desk: {title: {en: Desk}, offer: 20s, wrap_up: 15s, longest: 10m, length: 50}
  experts:
    title: {en: Experts}
    number: "861"
    offer: 20s
    wrap_up: 30s
    longest: 5m
    length: 2
"""
FLOW = """
greet:
  - answer
  - queue:
      name: desk
      tell: {article: "4711"}
      into: served
      full: away
      too_long: away
      no_agents: away
  - {journal: {event: note, data: {agent: "{served.agent}", by: "{served.by}"}}}
  - play: Thank you.
  - hangup
away:
  - play: Away.
  - hangup
"""
ASKING = """
ask:
  - answer
  - queue: {name: experts, full: away, too_long: away, no_agents: away}
  - hangup
away:
  - play: Away.
  - hangup
"""


@pytest.fixture
def centre(home: Home, shop: Shop) -> Any:
    home.write("conf/agents.yaml", AGENTS)
    home.write("conf/queues.yaml", QUEUES)
    home.flow("shop/experts", ASKING)
    home.number("8001", "shop/experts")
    return shop(FLOW)


def talk_of(centre: Any, caller: Any) -> Any:
    return centre.app.calls.get(caller.uuid).talk


def hears_now(centre: Any, phone: Any) -> bool:
    """The agent hears the queue's music."""
    return any(sound.path == centre.app.music and sound.ended is None for sound in phone.ring.played)


def asking(centre: Any, *, free: bool = False, waited: float = 0.0) -> tuple[Any, Any, Any]:
    """A caller of 201, who waits among the experts; 202 is there, and paused unless it is ``free``."""
    two = centre.agent("202")
    if not free:
        two.pauses("break")
    caller = centre.caller().dials("8000").hears_music()
    one = centre.agent("201").is_offered(caller)
    centre.clock.advance(waited)
    one.answers()
    caller.talks_to(one)
    assert order(centre, caller, "consult", "queue:experts") == "queued"
    return caller, one, two


def asked(centre: Any) -> tuple[Any, Any, Any]:
    """202 has taken it."""
    caller, one, two = asking(centre, free=True)
    two.is_offered(caller).answers()
    assert str(talk_of(centre, caller).mode) == "consulting"
    assert two.phone.ring.bridged_to == one.phone.ring.uuid
    return caller, one, two


def ends(centre: Any, caller: Any, *agents: Any) -> None:
    centre.clock.advance(3)
    assert not centre.calls()
    assert not centre.app.acd.queue("experts").waiting
    for agent in agents:
        assert agent.phone.state == "idle"


def test_the_caller_hears_music_and_so_does_the_agent_who_waits(centre: Any) -> None:
    caller, one, _ = asking(centre)
    assert hears_music_now(centre, caller)
    assert hears_now(centre, one.phone)
    assert one.state == "hold"
    (waiting,) = centre.app.acd.queue("experts").waiting
    assert (waiting.call, waiting.asks, waiting.position) == (caller.uuid, "201", 1)
    assert caller.view.queue == "desk"


def test_whoever_is_free_is_rung_at_once_sees_the_caller_s_data_and_who_asks(centre: Any) -> None:
    caller, one, two = asking(centre, free=True)
    two.is_offered(caller).sees(article="4711")
    assert caller.view.asked_by == "201"
    two.answers()
    assert two.phone.ring.bridged_to == one.phone.ring.uuid
    assert hears_music_now(centre, caller)
    assert (one.state, two.state) == ("hold", "talking")
    assert not hears_now(centre, one.phone)
    (row,) = centre.journal(caller, "talk.consulting")
    assert (row.data["to"], row.data["queue"]) == ("202", "experts")


def test_a_caller_on_hold_goes_before_those_who_have_none(centre: Any) -> None:
    centre.agent("202").pauses("break")
    first = centre.caller().dials("8001").hears_music()
    centre.clock.advance(60)
    caller, one, two = asking(centre)
    (ahead, behind) = centre.app.acd.queue("experts").waiting
    assert (ahead.call, behind.call) == (caller.uuid, first.uuid)
    two.ready()
    two.is_offered(caller).answers()
    assert two.phone.ring.bridged_to == one.phone.ring.uuid


def test_the_wait_counts_from_when_the_caller_came(centre: Any) -> None:
    _caller, _, _ = asking(centre, waited=12.0)
    (waiting,) = centre.app.acd.queue("experts").waiting
    waited = (centre.clock.now() - waiting.since).total_seconds()
    assert waited == pytest.approx(12, abs=2)


def test_by_keys_there_and_back_again(centre: Any) -> None:
    centre.agent("202").pauses("break")
    caller = centre.caller().dials("8000").hears_music()
    one = centre.agent("201").is_offered(caller).answers()
    caller.talks_to(one)
    one.phone.press("*5861#")
    centre.clock.advance(2)
    assert str(talk_of(centre, caller).mode) == "queued"
    assert caller.sim.keys_heard == ""
    one.phone.press("*4")
    centre.clock.advance(1)
    assert caller.sim.bridged_to == one.phone.ring.uuid
    assert not centre.app.acd.queue("experts").waiting
    assert one.state == "talking"
    assert centre.journal(caller, "queue.left")[-1].data["reason"] == "back"
    assert centre.app.acd.queue("experts").abandoned == 0


def test_the_position_is_told_again_and_again(centre: Any) -> None:
    _caller, one, _ = asking(centre)
    before = len(one.phone.ring.played)
    centre.clock.advance(85)
    said = [sound for sound in one.phone.ring.played[before:] if sound.path != centre.app.music]
    assert len(said) == 2


@pytest.mark.parametrize("how", ["command", "key"])
def test_the_caller_takes_the_place_over_with_its_turn_and_its_wait(centre: Any, how: str) -> None:
    caller, one, two = asking(centre, waited=10.0)
    centre.clock.advance(20)
    other = centre.caller().dials("8001").hears_music()
    if how == "command":
        order(centre, caller, "complete")
    else:
        one.phone.press("*2")
    centre.clock.advance(2)
    assert (one.state, one.phone.state) == ("wrap_up", "idle")
    assert hears_music_now(centre, caller)
    assert caller.view.queue == "experts"
    (mine, theirs) = centre.app.acd.queue("experts").waiting
    assert (mine.call, mine.asks, theirs.call) == (caller.uuid, "", other.uuid)
    assert (centre.clock.now() - mine.since).total_seconds() == pytest.approx(32, abs=3)
    two.ready()
    two.is_offered(caller).sees(article="4711").answers()
    caller.talks_to(two)
    centre.clock.advance(20)
    two.hangs_up()
    caller.hears("Thank you.")
    assert two.state == "wrap_up"
    assert caller.ended
    (cdr,) = [cdr for cdr in centre.cdrs() if cdr.call == caller.uuid]
    assert cdr.data["moves"] == [{"how": "blind", "from": "201", "to": "queue experts"}]
    assert (cdr.queue, cdr.agent) == ("experts", "202")
    assert cdr.data["agents"]["202"] == pytest.approx(20, abs=2)


def test_a_place_that_was_taken_over_keeps_its_turn_and_its_time_over_a_restart(centre: Any) -> None:
    centre.agent("202").pauses("break")
    other = centre.caller("+8613900000001").dials("8001").hears_music()
    centre.clock.advance(60)
    caller, *_ = asking(centre, waited=18.0)
    order(centre, caller, "complete")
    centre.clock.advance(0.1)

    def line() -> list[str]:
        return [one.call for one in centre.app.acd.queue("experts").waiting]

    def again() -> None:
        centre.engine.kill()
        centre.engine.start()
        centre.clock.advance(2)

    assert line() == [caller.uuid, other.uuid], "it was asked about, which is worth more than a minute"
    again()
    assert line() == [caller.uuid, other.uuid]
    centre.clock.advance(280)  # over: the 5 minutes of the other, and those since the caller came to the desk
    again()
    assert line() == [caller.uuid], "what it had waited at the desk does not count against its 5 minutes here"
    centre.clock.advance(20)
    assert line() == []
    caller.hears("Away.")


def test_handed_over_while_a_phone_rings_that_phone_gets_the_caller(centre: Any) -> None:
    caller, one, two = asking(centre, free=True)
    two.is_offered(caller)
    order(centre, caller, "complete")
    two.answers()
    assert caller.sim.bridged_to == two.phone.ring.uuid
    assert one.phone.state == "idle"


def test_the_caller_is_handed_over_to_who_was_asked(centre: Any) -> None:
    caller, one, two = asked(centre)
    centre.clock.advance(30)
    assert order(centre, caller, "complete") == "talking"
    assert caller.sim.bridged_to == two.phone.ring.uuid
    assert (one.state, one.phone.state, two.state) == ("wrap_up", "idle", "talking")
    assert (caller.view.agent, caller.view.queue) == ("202", "experts")
    centre.clock.advance(40)
    two.hangs_up()
    caller.hears("Thank you.")
    assert two.state == "wrap_up"
    assert caller.ended
    (cdr,) = centre.cdrs()
    assert cdr.data["agents"]["202"] == pytest.approx(40, abs=2)
    (consultation,) = cdr.data["asked"]
    assert (consultation["by"], consultation["to"], consultation["queue"]) == ("201", "202", "experts")
    assert consultation["seconds"] == pytest.approx(30, abs=2)
    ends(centre, caller, one, two)


def test_three_together_toggle_and_back_as_with_anybody_who_is_asked(centre: Any) -> None:
    caller, one, two = asked(centre)
    assert order(centre, caller, "resume") == "aside"
    assert caller.sim.bridged_to == one.phone.ring.uuid
    assert order(centre, caller, "hold") == "consulting"
    assert order(centre, caller, "conference") == "three"
    centre.clock.advance(10)
    assert order(centre, caller, "back") == "talking"
    assert caller.sim.bridged_to == one.phone.ring.uuid
    assert two.phone.state == "idle"
    # Whoever comes from a queue has the work of its queue after it, asked or joined.
    assert two.state == "wrap_up"
    one.hangs_up()
    caller.hears("Thank you.")
    ends(centre, caller, one, two)


def test_nobody_answers_and_the_next_one_is_rung(centre: Any) -> None:
    caller, one, two = asking(centre, free=True)
    centre.agent("203").ready()
    two.is_offered(caller).rejects()
    three = centre.agent("203").is_offered(caller).answers()
    assert three.phone.ring.bridged_to == one.phone.ring.uuid
    assert (two.state, two.reason) == ("paused", "declined")


def test_a_queue_that_is_closed_full_or_without_people_says_so_and_nothing_changes(centre: Any) -> None:
    two = centre.agent("202").pauses("break")
    caller = centre.caller().dials("8000").hears_music()
    one = centre.agent("201").is_offered(caller).answers()
    caller.talks_to(one)

    def refused(reason: str) -> None:
        with pytest.raises(QueueRefused) as found:
            order(centre, caller, "consult", "queue:experts")
        assert found.value.reason == reason
        assert caller.sim.bridged_to == one.phone.ring.uuid
        before = len(one.phone.ring.played)
        one.phone.press("*5861#")
        centre.clock.advance(3)
        assert caller.sim.bridged_to == one.phone.ring.uuid
        assert len(one.phone.ring.played) > before

    centre.app.acd.close_queue("experts", "fire")
    refused("closed")
    centre.app.acd.open_queue("experts")
    others = [centre.caller().dials("8001").hears_music() for _ in range(2)]
    refused("full")
    for other in others:
        other.hangs_up()
    two.logs_out()
    refused("no_agents")


def test_who_was_let_in_and_is_sent_out_again_talks_to_the_caller(centre: Any) -> None:
    caller, one, two = asking(centre)
    two.logs_out()
    centre.clock.advance(2)
    assert caller.sim.bridged_to == one.phone.ring.uuid
    assert centre.journal(caller, "talk.missed")[-1].data["why"] == "no_agents"
    two.ready()
    two.pauses("break")
    order(centre, caller, "consult", "queue:experts")
    centre.clock.advance(301)
    assert caller.sim.bridged_to == one.phone.ring.uuid
    assert centre.journal(caller, "talk.missed")[-1].data["why"] == "too_long"
    assert one.state == "talking"


def test_moved_by_a_supervisor_it_waits_on_elsewhere(centre: Any) -> None:
    caller, _one, _ = asking(centre)
    centre.agent("201")
    centre.app.acd.move(caller.uuid, "desk", "8013")
    centre.clock.advance(1)
    assert str(talk_of(centre, caller).mode) == "queued"
    (waiting,) = centre.app.acd.queue("desk").waiting
    assert waiting.asks == "201"
    assert order(centre, caller, "back") == "talking"
    assert not centre.app.acd.queue("desk").waiting


def test_what_can_t_be_done_while_waiting_is_refused(centre: Any) -> None:
    caller, _one, _ = asking(centre)
    for verb, target in (
        ("hold", ""),
        ("resume", ""),
        ("conference", ""),
        ("consult", "agent:203"),
        ("transfer", "agent:203"),
    ):
        with pytest.raises(InsidelineError):
            order(centre, caller, verb, target)
    assert str(talk_of(centre, caller).mode) == "queued"
    assert order(centre, caller, "back") == "talking"


WHERE = ("waiting", "offered", "consulting", "aside", "three")


def bring_to(centre: Any, where: str) -> tuple[Any, Any, Any]:
    if where == "waiting":
        return asking(centre)
    if where == "offered":
        caller, one, two = asking(centre, free=True)
        two.is_offered(caller)
        return caller, one, two
    caller, one, two = asked(centre)
    if where in ("aside", "three"):
        order(centre, caller, {"aside": "resume", "three": "conference"}[where])
    return caller, one, two


@pytest.mark.parametrize("where", WHERE)
def test_the_caller_hangs_up(centre: Any, where: str) -> None:
    caller, one, two = bring_to(centre, where)
    caller.hangs_up()
    centre.clock.advance(1)
    assert one.state == "wrap_up"
    assert two.state == {"waiting": "paused", "offered": "ready"}.get(where, "wrap_up")
    ends(centre, caller, one, two)
    (cdr,) = centre.cdrs()
    assert (cdr.outcome, cdr.data["ended_by"]) == ("talked", "caller")


@pytest.mark.parametrize("where", WHERE)
def test_the_first_hangs_up(centre: Any, where: str) -> None:
    caller, one, two = bring_to(centre, where)
    one.phone.hang_up()
    centre.clock.advance(2)
    assert one.state == "wrap_up"
    if where in ("waiting", "offered"):
        assert not centre.app.acd.queue("experts").waiting
        assert two.phone.state == "idle"
        assert caller.view.queue == "desk"
        one.ready()
        one.is_offered(caller).answers()
        caller.talks_to(one)
        one.hangs_up()
    else:
        assert caller.sim.bridged_to == two.phone.ring.uuid
        two.hangs_up()
    caller.hears("Thank you.")
    assert caller.ended
    ends(centre, caller, one, two)


@pytest.mark.parametrize("where", ["offered", "consulting", "aside", "three"])
def test_the_second_hangs_up(centre: Any, where: str) -> None:
    caller, one, two = bring_to(centre, where)
    two.rejects() if where == "offered" else two.phone.hang_up()
    centre.clock.advance(2)
    if where == "offered":
        assert str(talk_of(centre, caller).mode) == "queued"
        order(centre, caller, "back")
    assert caller.sim.bridged_to == one.phone.ring.uuid
    assert one.state == "talking"
    assert two.state == {"offered": "paused"}.get(where, "wrap_up")
    one.hangs_up()
    caller.hears("Thank you.")
    ends(centre, caller, one, two)


def test_the_caller_hangs_up_as_it_is_handed_over(centre: Any) -> None:
    caller, one, two = asking(centre)
    centre.app.calls.get(caller.uuid).talk.do("complete", by="test")
    caller.hangs_up()
    centre.clock.advance(1)
    ends(centre, caller, one, two)


def test_who_was_asked_hangs_up_on_the_caller_it_took(centre: Any) -> None:
    caller, _one, two = asked(centre)
    order(centre, caller, "complete")
    order(centre, caller, "hold")
    two.phone.hang_up()
    centre.clock.advance(1)
    # The front of the queue that it came from last.
    assert caller.view.queue == "experts"
    two.ready()
    two.is_offered(caller).answers()
    caller.talks_to(two)


@pytest.mark.parametrize("where", WHERE)
def test_another_engine_goes_on(centre: Any, where: str) -> None:
    caller, one, two = bring_to(centre, where)
    began = centre.clock.now()
    centre.clock.advance(10)
    bridged = caller.sim.bridged_to
    centre.engine.kill()
    centre.clock.advance(1)
    centre.engine.start()
    centre.clock.advance(2)
    mode = {"waiting": "queued", "offered": "queued"}.get(where, where)
    assert str(talk_of(centre, caller).mode) == mode
    assert caller.sim.bridged_to == bridged
    assert one.state == ("talking" if where in ("aside", "three") else "hold")
    if mode == "queued":
        (waiting,) = centre.app.acd.queue("experts").waiting
        assert (waiting.call, waiting.asks) == (caller.uuid, "201")
        assert (began - waiting.since).total_seconds() == pytest.approx(0, abs=2)
        if where == "waiting":
            two.ready()
            two.is_offered(caller)
        two.answers()
        assert two.phone.ring.bridged_to == one.phone.ring.uuid
    assert two.state == "talking"
    order(centre, caller, "complete")
    began = began if where == "three" else centre.clock.now()
    assert caller.sim.bridged_to == two.phone.ring.uuid
    centre.clock.advance(5)
    # And once more, in the plain talk that it has become.
    centre.engine.kill()
    centre.clock.advance(1)
    centre.engine.start()
    centre.clock.advance(4)
    assert caller.sim.bridged_to == two.phone.ring.uuid
    assert two.state == "talking"
    talked = (centre.clock.now() - began).total_seconds()
    two.hangs_up()
    caller.hears("Thank you.")
    assert two.state == "wrap_up"
    assert caller.ended
    ends(centre, caller, one, two)
    (cdr,) = centre.cdrs()
    # The first has talked before, between and after the two deaths; so has the second.
    assert cdr.data["agents"]["202"] == pytest.approx(talked, abs=1)
    assert set(cdr.data["agents"]) == {"201", "202"}
    assert [move["how"] for move in cdr.data["moves"]][-1] in ("attended", "left")


@pytest.mark.parametrize(
    ("where", "gone"),
    # Who waits has no second one yet.
    [
        (where, gone)
        for where in WHERE
        for gone in ("first", "second")
        if (where, gone) != ("waiting", "second")
    ],
)
def test_somebody_went_while_no_engine_was_there(centre: Any, where: str, gone: str) -> None:
    caller, one, two = bring_to(centre, where)
    centre.engine.kill()
    who, other = (one, two) if gone == "first" else (two, one)
    who.phone.hang_up() if who.phone.state != "ringing" else who.phone.reject()
    centre.clock.advance(1)
    centre.engine.start()
    centre.clock.advance(3)
    assert caller.sim.ended is None
    if gone == "first" and where in ("waiting", "offered"):
        assert hears_music_now(centre, caller)
        assert two.phone.state == "idle"
        one.ready()
        one.is_offered(caller).answers()
        caller.talks_to(one)
        one.hangs_up()
    elif where == "offered":
        assert str(talk_of(centre, caller).mode) == "queued"
        order(centre, caller, "back")
        one.hangs_up()
    else:
        assert caller.sim.bridged_to == other.phone.ring.uuid
        other.hangs_up()
    caller.hears("Thank you.")
    assert caller.ended
    ends(centre, caller, one, two)


def test_explain_tells_who_asked_and_who_took_it_over(centre: Any) -> None:
    caller, _one, two = asking(centre)
    centre.clock.advance(5)
    order(centre, caller, "complete")
    centre.clock.advance(5)
    two.ready()
    two.is_offered(caller).answers()
    caller.talks_to(two)
    rows = centre.journal(caller)
    said = [moment.text for moment in explain_call(rows, caller.uuid).moments]
    assert any("201 asks, with the caller on hold" in text for text in said)
    assert "201 has handed the caller over, which waits in its place" in said
    assert any(text.startswith("answered by 202") for text in said)
