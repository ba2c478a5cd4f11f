"""Talks in which the agent does more than talk: hold, ask, transfer, three together; hang-ups of each of the three."""

from __future__ import annotations

from typing import Any

import pytest

from engine.acd.evidence import about_call
from engine.errors import InsidelineError
from engine.testing.home import Home
from tests.flows.shop import Shop

AGENTS = """\
grammar: 1
agents:
  201: {name: Agent One, phone: 1001, languages: [en], queues: [desk], login: auto}
  202: {name: Agent Two, phone: 1002, languages: [en], queues: [second], login: auto}
"""
QUEUES = """\
grammar: 1
queues:
  desk: {title: {en: Desk}, offer: 20s, wrap_up: 15s, longest: 10m, length: 50}
  second: {title: {en: Second}, offer: 20s, wrap_up: 30s, longest: 10m, length: 50}
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


@pytest.fixture
def centre(home: Home, shop: Shop) -> Any:
    home.write("conf/agents.yaml", AGENTS)
    home.write("conf/queues.yaml", QUEUES)
    home.flow("shop/other", "hello:\n  - play: Another flow.\n  - hangup\n")
    return shop(FLOW)


def talking(centre: Any) -> tuple[Any, Any, Any]:
    """A caller who talks to 201, and 202 who is free."""
    caller = centre.caller().dials("8000").hears_music()
    one = centre.agent("201").is_offered(caller).answers()
    caller.talks_to(one)
    return caller, one, centre.agent("202")


def order(centre: Any, caller: Any, verb: str, target: str = "") -> str:
    mode = centre.app.calls.get(caller.uuid).talk.do(verb, target, by="test")
    centre.clock.advance(0.3)
    return str(mode)


def hears_music_now(centre: Any, caller: Any) -> bool:
    return any(sound.path == centre.app.music and sound.ended is None for sound in caller.sim.played)


def consulting(centre: Any) -> tuple[Any, Any, Any]:
    caller, one, two = talking(centre)
    order(centre, caller, "consult", "agent:202")
    assert two.phone.wait_ring(5) is not None
    assert two.state == "offered"
    two.answers()
    assert two.phone.ring.bridged_to == one.phone.ring.uuid
    return caller, one, two


def three(centre: Any) -> tuple[Any, Any, Any]:
    caller, one, two = consulting(centre)
    assert order(centre, caller, "conference") == "three"
    return caller, one, two


def nothing_left(centre: Any) -> None:
    centre.clock.advance(3)
    assert not centre.calls()
    assert not centre.simulator._switch.channels if hasattr(centre.simulator, "_switch") else True
    for agent in ("201", "202"):
        assert centre.agent(agent).phone.state == "idle"


def test_a_caller_on_hold_hears_music_and_comes_back(centre: Any) -> None:
    caller, one, _ = talking(centre)
    assert order(centre, caller, "hold") == "held"
    assert hears_music_now(centre, caller)
    assert one.state == "hold"
    centre.clock.advance(20)
    assert order(centre, caller, "resume") == "talking"
    assert caller.sim.bridged_to == one.phone.ring.uuid
    assert not hears_music_now(centre, caller)
    assert one.state == "talking"
    one.hangs_up()
    caller.hears("Thank you.")
    assert caller.ended
    held = centre.journal(caller, "talk.resumed")
    assert held[0].data["held"] == pytest.approx(20, abs=1)
    nothing_left(centre)


def test_keys_of_the_agent_s_phone_hold_and_the_caller_hears_none(centre: Any) -> None:
    caller, one, _ = talking(centre)
    one.phone.press("*1")
    centre.clock.advance(1)
    assert one.state == "hold"
    assert hears_music_now(centre, caller)
    one.phone.press("*1")
    centre.clock.advance(1)
    assert one.state == "talking"
    assert caller.sim.keys_heard == ""
    assert caller.sim.bridged_to == one.phone.ring.uuid


def together(centre: Any, caller: Any, agent: Any) -> None:
    """On to the very moment in which the switch has bridged the two."""
    for _ in range(2000):
        ring = agent.phone.ring
        if ring is not None and caller.sim.bridged_to == ring.uuid:
            return
        centre.clock.advance(0.001)
    raise AssertionError("they are not together")


MOMENTS = (
    "answered",
    "handed over",
    "left",
    "back from hold",
    "back from asking",
    "back from three",
    "thought better",
    "killed",
)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_key_in_the_first_moment_of_a_talk_is_taken(centre: Any, moment: str) -> None:
    """Whoever is connected with the caller, and by whatever move."""
    one = centre.agent("201")
    if moment in ("answered", "killed"):
        caller = centre.caller().dials("8000").hears_music()
        one.is_offered(caller).phone.answer()
    elif moment in ("handed over", "left"):
        caller, _, two = consulting(centre) if moment == "handed over" else three(centre)
        one.phone.press("*2")
        one = two
    elif moment == "thought better":
        caller, _, _ = talking(centre)
        one.phone.press("*2")
        centre.clock.advance(2)
        one.phone.press("*4")
    else:
        caller, _, _ = {"hold": talking, "asking": consulting, "three": three}[moment.split()[-1]](centre)
        if moment == "back from hold":
            order(centre, caller, "hold")
            one.phone.press("*1")
        else:
            one.phone.press("*4")
    if moment != "answered" and moment != "killed":
        centre.clock.advance(0.45)
    together(centre, caller, one)
    if moment == "killed":  # before the word of the bridge has come to anybody
        centre.engine.kill()
        centre.clock.advance(1)
        centre.engine.start()
        centre.clock.advance(2)
        assert caller.sim.bridged_to == one.phone.ring.uuid
    one.phone.press("*1")
    centre.clock.advance(1)
    assert one.state == "hold"
    assert hears_music_now(centre, caller)
    assert caller.sim.keys_heard == ""


def test_a_target_is_typed_from_the_first_moment_on(centre: Any) -> None:
    caller = centre.caller().dials("8000").hears_music()
    one = centre.agent("201").is_offered(caller)
    one.phone.answer()
    together(centre, caller, one)
    one.phone.press("*5202#")
    two = centre.agent("202")
    assert two.phone.wait_ring(5) is not None
    assert caller.sim.keys_heard == ""


def test_a_key_before_the_talk_is_none_of_the_talk(centre: Any) -> None:
    """Nobody is there yet whom it could put on hold."""
    caller = centre.caller().dials("8000").hears_music()
    one = centre.agent("201").is_offered(caller)
    one.phone.answer()
    one.phone.press("*1")
    centre.clock.advance(2)
    caller.talks_to(one)
    assert one.state == "talking"


def test_a_blind_transfer_by_phone_to_an_agent(centre: Any) -> None:
    caller, one, two = talking(centre)
    one.phone.press("*2202#")
    assert two.phone.wait_ring(10) is not None
    centre.clock.advance(1)
    assert one.state == "wrap_up"
    assert one.phone.state == "idle"
    two.answers()
    assert caller.sim.bridged_to == two.phone.ring.uuid
    assert two.state == "talking"
    centre.clock.advance(30)
    two.hangs_up()
    caller.hears("Thank you.")
    assert caller.ended
    (cdr,) = centre.cdrs()
    assert set(cdr.data["agents"]) == {"201", "202"}
    assert cdr.data["agents"]["202"] == pytest.approx(30, abs=2)
    assert cdr.data["moves"] == [{"how": "blind", "from": "201", "to": "202"}]
    assert cdr.agent == "202"
    assert two.state == "wrap_up"


def test_a_blind_transfer_to_a_queue_keeps_the_waiting_time_and_the_data(centre: Any) -> None:
    two = centre.agent("202").pauses("break")
    caller = centre.caller().dials("8000").hears_music()
    one = centre.agent("201").is_offered(caller)
    centre.clock.advance(10)
    one.answers()
    caller.talks_to(one)
    centre.clock.advance(30)
    order(centre, caller, "transfer", "queue:second")
    centre.clock.advance(5)
    assert hears_music_now(centre, caller)
    assert caller.view.queue == "second"
    (waiting,) = centre.app.acd.queue("second").waiting
    waited = (centre.clock.now() - waiting.since).total_seconds()
    assert waited == pytest.approx(15, abs=2)
    two.ready()
    two.is_offered(caller).sees(article="4711").answers()
    caller.talks_to(two)
    two.hangs_up()
    caller.hears("Thank you.")


def test_a_blind_transfer_to_a_flow(centre: Any) -> None:
    caller, one, _ = talking(centre)
    order(centre, caller, "transfer", "flow:shop/other")
    caller.hears("Another flow.")
    assert one.state == "wrap_up"


def test_nobody_answers_a_blind_transfer_and_the_caller_is_the_next_one_again(centre: Any) -> None:
    caller, one, two = talking(centre)
    order(centre, caller, "transfer", "agent:202")
    two.phone.wait_ring(5)
    two.rejects()
    centre.clock.advance(1)
    assert hears_music_now(centre, caller)
    # It has just said no: it is not rung for the same caller at once.
    assert (two.state, centre.app.acd.agent("202").reason) == ("paused", "declined")
    one.ready()
    one.is_offered(caller).answers()
    caller.talks_to(one)


@pytest.mark.parametrize("restarted", [False, True])
def test_who_hangs_up_after_a_transfer_that_nobody_took_has_talked_with_an_agent(
    centre: Any, restarted: bool
) -> None:
    """The CDR names it, and explain tells what became of the caller."""
    caller, _, two = talking(centre)
    centre.clock.advance(5)
    order(centre, caller, "transfer", "agent:202")
    two.phone.wait_ring(5)
    two.rejects()
    centre.clock.advance(1)
    if restarted:
        centre.engine.kill()
        centre.clock.advance(1)
        centre.engine.start()
        centre.clock.advance(2)
    caller.hangs_up()
    centre.clock.advance(1)
    [cdr] = centre.cdrs()
    assert (cdr.agent, list(cdr.data["agents"])) == ("201", ["201"])
    told = centre.app.store.read(lambda session: about_call(session, caller.uuid, centre.clock.now()), 5.0)
    texts = [moment.text for moment in told.moments]
    assert "201 has transferred the caller to 202 (blind)" in texts
    assert any(text.startswith("202 did not take the transfer: ") for text in texts)
    assert any(text.startswith("is back in desk as number 1") for text in texts)
    assert any(text.startswith("found waiting in desk by a new engine") for text in texts) is restarted


def test_a_target_that_is_not_there_is_refused_and_the_talk_goes_on(centre: Any) -> None:
    caller, one, two = talking(centre)
    for word in ("agent:999", "queue:nowhere", "flow:shop/nowhere", "extension:x", "+8612345", "what:ever"):
        for verb in ("transfer", "consult"):
            with pytest.raises(InsidelineError):
                order(centre, caller, verb, word)
    two.pauses("break")
    centre.app.acd.logout("202")
    with pytest.raises(InsidelineError, match="202"):
        order(centre, caller, "consult", "agent:202")
    for verb in ("resume", "complete", "conference", "back"):
        with pytest.raises(InsidelineError):
            order(centre, caller, verb)
    assert caller.sim.bridged_to == one.phone.ring.uuid


def test_an_attended_transfer_is_completed(centre: Any) -> None:
    caller, one, two = consulting(centre)
    assert hears_music_now(centre, caller)
    assert (one.state, two.state) == ("hold", "talking")
    assert order(centre, caller, "complete") == "talking"
    assert caller.sim.bridged_to == two.phone.ring.uuid
    assert one.phone.state == "idle"
    assert one.state == "wrap_up"
    assert caller.view.agent == "202"
    centre.clock.advance(40)
    two.hangs_up()
    caller.hears("Thank you.")
    assert caller.ended
    assert two.state == "wrap_up"
    (cdr,) = centre.cdrs()
    assert cdr.data["agents"]["202"] == pytest.approx(40, abs=2)
    nothing_left(centre)


def test_back_to_the_caller_and_the_second_is_free(centre: Any) -> None:
    caller, one, two = consulting(centre)
    assert order(centre, caller, "back") == "talking"
    assert caller.sim.bridged_to == one.phone.ring.uuid
    assert two.phone.state == "idle"
    assert (one.state, two.state) == ("talking", "ready")


def test_from_one_to_the_other_and_back(centre: Any) -> None:
    caller, one, two = consulting(centre)
    assert order(centre, caller, "resume") == "aside"
    assert caller.sim.bridged_to == one.phone.ring.uuid
    assert order(centre, caller, "hold") == "consulting"
    assert two.phone.ring.bridged_to == one.phone.ring.uuid
    assert hears_music_now(centre, caller)
    order(centre, caller, "complete")
    assert caller.sim.bridged_to == two.phone.ring.uuid


def test_three_together_and_the_first_leaves(centre: Any) -> None:
    caller, one, two = three(centre)
    assert (one.state, two.state) == ("talking", "talking")
    centre.clock.advance(20)
    assert order(centre, caller, "complete") == "talking"
    assert caller.sim.bridged_to == two.phone.ring.uuid
    assert one.state == "wrap_up"
    assert one.phone.state == "idle"
    two.hangs_up()
    caller.hears("Thank you.")
    assert caller.ended
    (cdr,) = centre.cdrs()
    assert cdr.data["agents"]["202"] == pytest.approx(20, abs=2)
    nothing_left(centre)


def test_three_together_and_back_to_two(centre: Any) -> None:
    caller, one, two = three(centre)
    order(centre, caller, "back")
    assert caller.sim.bridged_to == one.phone.ring.uuid
    assert two.phone.state == "idle"
    assert two.state == "wrap_up"


def test_all_of_it_by_the_agent_s_keys(centre: Any) -> None:
    caller, one, two = talking(centre)
    one.phone.press("*5202#")
    assert two.phone.wait_ring(10) is not None
    two.answers()
    one.phone.press("*3")
    centre.clock.advance(2)
    assert caller.view.state == "talking"
    assert str(centre.app.calls.get(caller.uuid).talk.mode) == "three"
    one.phone.press("*2")
    centre.clock.advance(1)
    assert caller.sim.bridged_to == two.phone.ring.uuid
    assert one.state == "wrap_up"
    # The second has the same keys now.
    centre.agent("201").ready()
    two.phone.press("*5201#")
    assert one.phone.wait_ring(10) is not None
    one.answers()
    two.phone.press("*2")
    centre.clock.advance(1)
    assert caller.sim.bridged_to == one.phone.ring.uuid
    one.hangs_up()
    caller.hears("Thank you.")
    assert caller.ended
    (cdr,) = centre.cdrs()
    assert [move["how"] for move in cdr.data["moves"]] == ["conference", "left", "attended"]


def test_who_thinks_better_of_it_while_typing_talks_to_the_caller_again(centre: Any) -> None:
    caller, one, two = talking(centre)
    one.phone.press("*520*1")
    centre.clock.advance(1.5)
    assert caller.sim.bridged_to == one.phone.ring.uuid
    assert one.state == "talking"
    assert caller.sim.keys_heard == ""
    # Its ordinary keys are there again, and a target can be typed once more, after another key, too.
    one.phone.press("7")
    centre.clock.advance(0.5)
    assert caller.sim.keys_heard == "7"
    one.phone.press("*520*2")
    centre.clock.advance(1)
    one.phone.press("202#")
    assert two.phone.wait_ring(10) is not None
    two.answers()
    assert caller.sim.bridged_to == two.phone.ring.uuid


def test_who_types_no_target_talks_to_the_caller_again(centre: Any) -> None:
    caller, one, _ = talking(centre)
    one.phone.press("*2")
    centre.clock.advance(2)
    assert hears_music_now(centre, caller)
    centre.clock.advance(8)
    assert caller.sim.bridged_to == one.phone.ring.uuid


def test_the_second_does_not_answer(centre: Any) -> None:
    caller, one, two = talking(centre)
    order(centre, caller, "consult", "agent:202")
    two.phone.wait_ring(5)
    two.rejects()
    centre.clock.advance(1)
    assert caller.sim.bridged_to == one.phone.ring.uuid
    assert one.state == "talking"
    # It has just said no, and is left alone for a moment, as by a queue.
    assert (two.state, two.reason) == ("paused", "declined")
    centre.clock.advance(60)
    assert two.state == "ready"


WHERE = ("held", "ringing", "consulting", "aside", "three")


def bring_to(centre: Any, where: str) -> tuple[Any, Any, Any]:
    if where in ("held", "ringing"):
        caller, one, two = talking(centre)
        order(centre, caller, *(("hold",) if where == "held" else ("consult", "agent:202")))
        if where == "ringing":
            two.phone.wait_ring(5)
        return caller, one, two
    caller, one, two = three(centre) if where == "three" else consulting(centre)
    if where == "aside":
        order(centre, caller, "resume")
    return caller, one, two


@pytest.mark.parametrize("where", WHERE)
def test_the_caller_hangs_up(centre: Any, where: str) -> None:
    caller, one, two = bring_to(centre, where)
    caller.hangs_up()
    centre.clock.advance(1)
    assert one.phone.state == two.phone.state == "idle"
    assert one.state == "wrap_up"
    assert two.state == {"three": "wrap_up"}.get(where, "ready")
    nothing_left(centre)
    (cdr,) = centre.cdrs()
    assert (cdr.outcome, cdr.data["ended_by"]) == ("talked", "caller")


@pytest.mark.parametrize("where", WHERE)
def test_the_first_hangs_up(centre: Any, where: str) -> None:
    caller, one, two = bring_to(centre, where)
    one.phone.hang_up()
    centre.clock.advance(2)
    assert one.state == "wrap_up"
    if where in ("held", "ringing"):
        # Nobody has answered: the front of the queue, with music.
        assert hears_music_now(centre, caller)
        assert caller.view.state == "queued"
        assert two.phone.state == "idle"
        one.ready()
        one.is_offered(caller).answers()
        caller.talks_to(one)
        one.hangs_up()
    else:
        assert caller.sim.bridged_to == two.phone.ring.uuid
        two.hangs_up()
    caller.hears("Thank you.")
    assert caller.ended
    nothing_left(centre)


@pytest.mark.parametrize("where", ["ringing", "consulting", "aside", "three"])
def test_the_second_hangs_up(centre: Any, where: str) -> None:
    caller, one, two = bring_to(centre, where)
    two.rejects() if where == "ringing" else two.phone.hang_up()
    centre.clock.advance(2)
    assert caller.sim.bridged_to == one.phone.ring.uuid
    assert one.state == "talking"
    assert two.state == {"three": "wrap_up", "ringing": "paused"}.get(where, "ready")
    one.hangs_up()
    caller.hears("Thank you.")
    assert caller.ended
    nothing_left(centre)


@pytest.mark.parametrize("where", WHERE)
def test_another_engine_goes_on(centre: Any, where: str) -> None:
    caller, one, two = bring_to(centre, where)
    bridged = caller.sim.bridged_to
    centre.engine.kill()
    centre.clock.advance(1)
    centre.engine.start()
    centre.clock.advance(2)
    talk = centre.app.calls.get(caller.uuid).talk
    assert str(talk.mode) == where
    assert caller.sim.bridged_to == bridged
    assert caller.sim.ended is None
    if where == "held":
        assert one.state == "hold"
        order(centre, caller, "resume")
    elif where == "ringing":
        two.answers()
        order(centre, caller, "back")
    else:
        order(centre, caller, "complete")
        assert caller.sim.bridged_to == two.phone.ring.uuid
        two.hangs_up()
        caller.hears("Thank you.")
        assert caller.ended
        nothing_left(centre)
        return
    assert caller.sim.bridged_to == one.phone.ring.uuid
    one.hangs_up()
    caller.hears("Thank you.")
    assert caller.ended
    nothing_left(centre)


@pytest.mark.parametrize(
    ("where", "gone"),
    # On hold there is no second one.
    [(where, gone) for where in WHERE for gone in ("first", "second") if (where, gone) != ("held", "second")],
)
def test_somebody_went_while_no_engine_was_there(centre: Any, where: str, gone: str) -> None:
    caller, one, two = bring_to(centre, where)
    centre.engine.kill()
    who, other = (one, two) if gone == "first" else (two, one)
    who.phone.hang_up()
    centre.clock.advance(1)
    centre.engine.start()
    centre.clock.advance(3)
    assert caller.sim.ended is None
    if gone == "first" and where in ("held", "ringing"):
        assert hears_music_now(centre, caller)
        one.ready()
        one.is_offered(caller).answers()
        caller.talks_to(one)
        one.hangs_up()
    else:
        assert caller.sim.bridged_to == other.phone.ring.uuid
        other.hangs_up()
    caller.hears("Thank you.")
    assert caller.ended
    nothing_left(centre)


def test_keys_of_a_target_whose_engine_died_give_the_phone_its_ordinary_keys_back(centre: Any) -> None:
    caller, one, _ = talking(centre)
    one.phone.press("*52")
    centre.clock.advance(1.5)
    assert hears_music_now(centre, caller)
    centre.engine.kill()
    centre.clock.advance(2)
    centre.engine.start()
    centre.clock.advance(3)
    one.phone.press("0")  # nobody waits for it any more
    centre.clock.advance(0.5)
    one.phone.press("*1")
    centre.clock.advance(1)
    assert caller.sim.bridged_to == one.phone.ring.uuid
    assert one.state == "talking"
    assert caller.sim.keys_heard == ""
