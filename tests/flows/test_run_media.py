"""Steps that are heard: answer, play, say, music, silence, set_language, and how a call ends."""

from __future__ import annotations

import pytest

from tests.flows.shop import Shop

BYE = "\n  - play: Goodbye.\n  - hangup\n"


def test_a_caller_is_answered_and_hears_a_prompt(shop: Shop) -> None:
    centre = shop(f"greet:\n  - answer\n  - play: Good morning.{BYE}")
    caller = centre.caller().dials("8000")
    assert caller.sim.state == "ringing"
    caller.hears("Good morning.")
    assert caller.sim.state == "answered"
    caller.hears("Goodbye.")
    assert caller.ended == "NORMAL_CLEARING"
    (cdr,) = centre.cdrs()
    assert (cdr.outcome, cdr.flow, cdr.last_step) == ("served", "shop/main", "greet[4] hangup")
    assert (cdr.origin, cdr.number, cdr.dialled) == ("pstn", "+8613800000000", "8000")
    assert cdr.data["ended_by"] == "flow"
    assert cdr.seconds > 1.0
    assert cdr.ordinary


def test_without_an_answer_the_caller_hears_ringing_and_a_prompt_before_it(shop: Shop) -> None:
    centre = shop("greet:\n  - play: Early.\n  - hangup: USER_BUSY\n")
    caller = centre.caller().dials("8000")
    caller.hears("Early.")
    assert caller.ended == "USER_BUSY"
    (cdr,) = centre.cdrs()
    assert (cdr.outcome, cdr.answered, cdr.seconds) == ("unanswered", None, 0.0)


@pytest.mark.parametrize("cause", ["NORMAL_CLEARING", "CALL_REJECTED", "NORMAL_TEMPORARY_FAILURE"])
def test_a_flow_hangs_up_with_the_cause_that_it_names(shop: Shop, cause: str) -> None:
    centre = shop(f"greet:\n  - hangup: {cause}\n")
    assert centre.caller().dials("8000").ended == cause
    assert [cdr.cause for cdr in centre.cdrs()] == [cause]


def test_a_flow_that_stops_hangs_up_as_well(shop: Shop) -> None:
    centre = shop("greet:\n  - answer\n  - stop\n")
    assert centre.caller().dials("8000").ended == "NORMAL_CLEARING"


def test_a_prompt_is_said_as_often_as_wanted_with_a_pause_between(shop: Shop) -> None:
    centre = shop(f"greet:\n  - answer\n  - {{say: All right., repeat: 3, pause: 2s}}{BYE}")
    caller = centre.caller().dials("8000")
    for _ in range(3):
        caller.hears("All right.")
    caller.hears("Goodbye.")
    first, second, third, _ = [sound.path for sound in caller.sim.played]
    assert second == third == f"file_string://silence_stream://2000!{first}"


def test_a_key_ends_all_repetitions_and_counts_for_the_next_question(shop: Shop) -> None:
    centre = shop(
        """
        greet:
          - answer
          - {say: "A long tale that nobody wants to hear to its very end, not even once.", repeat: 5}
          - menu: {prompt: Press one or two., options: {1: one, 2: two}, give_up: two}
        one:
          - play: One.
          - hangup
        two:
          - play: Two.
          - hangup
        """
    )
    caller = centre.caller().dials("8000")
    caller.hears("A long tale that nobody wants to hear to its very end, not even once.").presses("1")
    caller.hears("One.")


def test_a_legal_notice_is_heard_to_its_end_whatever_is_pressed(shop: Shop) -> None:
    centre = shop(
        f"greet:\n  - answer\n  - {{play: You can not skip this notice at all., interrupt: false}}{BYE}"
    )
    caller = centre.caller().dials("8000")
    caller.hears("You can not skip this notice at all.").presses("123#")
    caller.hears("Goodbye.")
    notice = caller.sim.played[0]
    assert notice.ended - notice.at > 2.0


def test_an_amount_is_spoken_in_the_callers_language(shop: Shop) -> None:
    centre = shop(
        """
        greet:
          - answer
          - set: {price: "= 12.5"}
          - say: {prompt: amount, values: {value: "{price}"}}
          - hangup
        """
    )
    assert centre.caller().dials("8000").hears("amount").text == "It costs twelve yuan and fifty."


def test_music_plays_for_a_while_and_no_key_ends_it(shop: Shop) -> None:
    centre = shop(f"greet:\n  - answer\n  - music: {{for: 20s}}{BYE}")
    caller = centre.caller().dials("8000")
    caller.hears_music().presses("5")
    caller.hears("Goodbye.")
    music, bye = caller.sim.played
    assert bye.at - music.at == pytest.approx(20.0, abs=0.5)
    assert music.ended <= bye.at


def test_silence_lasts_as_long_as_it_says(shop: Shop) -> None:
    centre = shop(f"greet:\n  - answer\n  - silence: 4s{BYE}")
    caller = centre.caller().dials("8000")
    caller.hears("Goodbye.")
    silence, bye = caller.sim.played
    assert bye.at - silence.at == pytest.approx(4.0, abs=0.2)


def test_a_queue_answers_where_the_flow_did_not_even_for_a_phone_that_is_quicker(shop: Shop) -> None:
    centre = shop(
        """
        greet:
          - queue: {name: desk, full: end, too_long: end, no_agents: end}
          - go: end
        end:
          - hangup
        """
    )
    caller = centre.caller().dials("8000")
    centre.agent("201").is_offered(caller).answers()
    caller.talks_to(centre.agent("201"))


def test_a_flow_that_cannot_go_on_apologises_and_is_written_down(shop: Shop) -> None:
    centre = shop(
        """
        greet:
          - answer
          - query: {ask: shop.find, with: {number: "1"}, into: article, failed: end, not_found: end}
          - set: {left: "= article.left / (article.left - 3)"}
          - go: end
        end:
          - hangup
        """
    )
    caller = centre.caller().dials("8000")
    caller.hears("system_trouble")
    assert caller.ended == "NORMAL_CLEARING"
    (cdr,) = centre.cdrs()
    assert cdr.outcome == "failed"
    assert "zero" in cdr.data["fault"]
    assert [entry.data["step"] for entry in centre.journal(caller, "flow.failed")] == ["greet[3] set"]


def test_a_loop_that_no_person_keeps_alive_is_ended_with_an_apology(shop: Shop) -> None:
    centre = shop(
        """
        greet:
          - answer
          - set: {n: "1"}
          - go: again
        again:
          - choose:
              - {when: n == "1", go: again}
              - {otherwise: end}
        end:
          - hangup
        """
    )
    caller = centre.caller().dials("8000")
    caller.hears("system_trouble")
    assert caller.ended
    (cdr,) = centre.cdrs()
    assert "steps in one call" in cdr.data["fault"]


NOTICE = """
greet:
  - answer
  - play: {prompt: This call is recorded., interrupt: false}
  - menu: {prompt: Press one., options: {1: bye}, give_up: bye}
bye:
  - play: Goodbye.
  - hangup
"""


def test_a_notice_before_a_question_goes_out_with_it_and_no_silence_comes_between(shop: Shop) -> None:
    centre = shop(NOTICE)
    caller = centre.caller().dials("8000")
    caller.hears("This call is recorded.")
    assert (
        centre.calls()[0].step == "greet[3] menu"
    )  # the engine is ahead; the switch holds the question back
    caller.hears("Press one.").presses("1")
    caller.hears("Goodbye.")
    notice, question, _ = caller.sim.played
    assert question.at == notice.ended


def test_an_engine_killed_in_such_a_notice_finds_its_question_under_way(shop: Shop) -> None:
    centre = shop(NOTICE)
    caller = centre.caller().dials("8000")
    caller.hears("This call is recorded.")
    centre.engine.kill()
    centre.engine.start()
    caller.hears("Press one.").presses("1")
    caller.hears("Goodbye.")
    assert caller.ended == "NORMAL_CLEARING"
    assert len(caller.sim.played) == 3
    assert centre.cdrs()[0].outcome == "served"
