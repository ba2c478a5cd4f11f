"""Speaking to a beep: ``dictate`` and ``voicemail``, and hearing what was left; ``rate``."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.flows.shop import Shop

REVIEW = "clip_review"


def dictating(shop: Shop, more: str = "") -> Any:
    return shop(
        f"""
        greet:
          - answer
          - record: service
          - dictate: {{into: name, prompt: Your name please., give_up: nothing{more}}}
          - journal: {{event: got, data: {{clip: "{{name.id}}", seconds: "{{name.seconds}}"}}}}
          - play: Thank you.
          - hangup
        nothing:
          - play: Nothing heard.
          - hangup
        """
    )


def clip_files(centre: Any) -> list[Path]:
    return sorted((centre.installation.folders.recordings / "clips").rglob("*.wav"))


def test_what_was_said_is_kept_and_handed_on(shop: Shop) -> None:
    centre = dictating(shop)
    caller = centre.caller().dials("8000")
    caller.hears("Your name please.").says("2s").hears_beep()
    caller.hears(REVIEW).presses("3")
    caller.hears("Thank you.")
    row = centre.one("clips")
    assert (row["call"], row["kind"], row["flow"], row["step"]) == (
        caller.uuid,
        "dictation",
        "shop/main",
        "greet.2",
    )
    assert 5.5 < row["seconds"] < 6.5  # two of speech, four of the silence that ended it
    (entry,) = centre.journal(caller, "flow.got")
    assert entry.data["clip"] == row["id"]
    (file,) = clip_files(centre)
    assert str(file).endswith(row["path"])
    assert file.stat().st_size == row["size"]


def test_a_key_ends_it_and_is_not_taken_for_an_answer(shop: Shop) -> None:
    centre = dictating(shop)
    caller = centre.caller().dials("8000")
    caller.hears("Your name please.").says("20s").hears_beep()
    centre.clock.advance("3s")
    caller.presses("#")
    caller.hears(REVIEW).presses("3")
    caller.hears("Thank you.")
    assert 2.5 < centre.one("clips")["seconds"] < 3.2


def test_the_keys_of_the_prompt_only_cut_it_short(shop: Shop) -> None:
    caller = dictating(shop).caller().dials("8000")
    caller.hears("Your name please.").presses("#").hears_beep()
    caller.hears(REVIEW)


def test_no_key_ends_anything_after_the_clip(shop: Shop) -> None:
    centre = dictating(shop)
    caller = centre.caller().dials("8000")
    caller.hears("Your name please.").hears_beep()
    caller.hears(REVIEW)
    assert caller.sim.channel.get("playback_terminators") == "none"


def test_it_is_heard_again_said_again_and_accepted(shop: Shop) -> None:
    centre = dictating(shop)
    caller = centre.caller().dials("8000")
    caller.hears("Your name please.").says("2s").hears_beep()
    caller.hears(REVIEW).presses("1")
    caller.hears_clip().hears(REVIEW).presses("2")
    caller.hears("Your name please.").says("5s").hears_beep()
    caller.hears(REVIEW).presses("3")
    caller.hears("Thank you.")
    assert centre.one("clips")["seconds"] > 8.5
    assert len(clip_files(centre)) == 1


def test_who_presses_nothing_has_accepted(shop: Shop) -> None:
    centre = dictating(shop)
    caller = centre.caller().dials("8000")
    caller.hears("Your name please.").hears_beep()
    for _ in range(2):
        caller.hears(REVIEW).stays_silent()
        caller.hears("silent")
    caller.hears(REVIEW).stays_silent()
    caller.hears("Thank you.")
    assert centre.one("clips")


def test_a_silent_caller_is_asked_again_and_given_up(shop: Shop) -> None:
    centre = dictating(shop, ", attempts: 2")
    caller = centre.caller().dials("8000")
    caller.hears("Your name please.").says(0).hears_beep()
    caller.hears("silent")
    caller.hears("Your name please.").hears_beep()
    caller.hears("Nothing heard.")
    assert not centre.rows("clips")
    assert clip_files(centre) == []


def test_what_was_dictated_and_not_accepted_is_deleted_when_the_caller_hangs_up(shop: Shop) -> None:
    centre = dictating(shop)
    caller = centre.caller().dials("8000")
    caller.hears("Your name please.").hears_beep()
    centre.clock.advance("2s")
    caller.hangs_up()
    centre.clock.advance("5s")
    caller = centre.caller().dials("8000")
    caller.hears("Your name please.").hears_beep()
    caller.hears(REVIEW).hangs_up()
    centre.clock.advance("5s")
    assert not centre.rows("clips")
    assert clip_files(centre) == []


def test_it_is_not_offered_where_the_flow_says_so(shop: Shop) -> None:
    caller = dictating(shop, ", offer: no").caller().dials("8000")
    caller.hears("Your name please.").hears_beep()
    caller.hears("Thank you.")


@pytest.mark.parametrize(
    "moment", ["while speaking", "when it is over meanwhile", "in the review", "while hearing it"]
)
def test_the_engines_death_costs_no_word(shop: Shop, moment: str) -> None:
    centre = dictating(shop)
    caller = centre.caller().dials("8000")
    caller.hears("Your name please.").says("4s").hears_beep()
    if moment == "while speaking":
        centre.clock.advance("2s")
        centre.engine.kill()
        centre.engine.start()
    elif moment == "when it is over meanwhile":
        centre.clock.advance("2s")
        centre.engine.kill()
        centre.clock.advance("15s")
        centre.engine.start()
    elif moment == "in the review":
        caller.hears(REVIEW)
        centre.engine.kill()
        centre.engine.start()
    else:
        caller.hears(REVIEW).presses("1")
        caller.hears_clip()
        centre.engine.kill()
        centre.engine.start()
    if moment != "in the review":
        caller.hears(REVIEW)
    caller.presses("3")
    caller.hears("Thank you.")
    assert centre.one("clips")["seconds"] > 7.5
    assert len([sound for sound in caller.sim.played if sound.path.startswith("tone_stream")]) == 1


# -- voicemail --------------------------------------------------------------------------------------


def mailbox(shop: Shop, more: str = "", rule: str = "") -> Any:
    return shop(
        f"""
        greet:
          - answer
          - choose:
              - {{when: caller.name == "Desk", go: listen}}
          - voicemail: {{box: desk{more}}}
          - play: Thank you.
          - hangup
        listen:
          - messages: {{box: desk, by: "201", none: nothing}}
          - play: Goodbye.
          - hangup
        nothing:
          - play: No messages.
          - hangup
        """
    )


def leaves(centre: Any, number: str = "+8613800000000", length: str = "3s") -> Any:
    caller = centre.caller(number=number).dials("8000")
    caller.hears("leave_message").says(length).hears_beep()
    caller.hears("Thank you.")
    return caller


def test_a_message_is_in_its_box(shop: Shop) -> None:
    centre = mailbox(shop)
    told: list[Any] = []
    centre.app.sounds.messages.on_left = told.append
    caller = leaves(centre)
    row = centre.one("messages")
    assert (row["box"], row["state"], row["number"], row["call"]) == (
        "desk",
        "new",
        "+8613800000000",
        caller.uuid,
    )
    assert row["seconds"] == centre.one("clips", kind="message")["seconds"] > 6
    (entry,) = centre.journal(caller, "message.left")
    assert (entry.data["box"], entry.data["message"]) == ("desk", row["id"])
    assert [one.id for one in told] == [row["id"]]


def test_who_hangs_up_after_speaking_has_left_a_message(shop: Shop) -> None:
    centre = mailbox(shop)
    caller = centre.caller().dials("8000")
    caller.hears("leave_message").says("10s").hears_beep()
    centre.clock.advance("5s")
    caller.hangs_up()
    centre.clock.advance("5s")
    row = centre.one("messages")
    assert row["state"] == "new"
    assert 4.0 < row["seconds"] < 5.5
    assert len(centre.journal(caller, "message.left")) == 1


def test_who_says_nothing_leaves_nothing(shop: Shop) -> None:
    centre = mailbox(shop)
    caller = centre.caller().dials("8000")
    caller.hears("leave_message").says(0).hears_beep()
    caller.hears("silent")
    caller.hears("leave_message").hears_beep()
    caller.hears("Thank you.")
    assert not centre.rows("messages")
    assert clip_files(centre) == []


def test_a_message_of_somebody_who_hung_up_while_no_engine_was_there_is_found(shop: Shop) -> None:
    centre = mailbox(shop)
    caller = centre.caller().dials("8000")
    caller.hears("leave_message").says("10s").hears_beep()
    centre.clock.advance("5s")
    centre.app.store.flush()
    centre.engine.kill()
    caller.hangs_up()
    centre.clock.advance("3s")
    centre.engine.start()
    centre.clock.advance("3s")
    row = centre.one("messages")
    assert (row["state"], row["number"]) == ("new", "+8613800000000")
    assert row["seconds"] > 4


def test_a_deferred_caller_stands_nowhere(home: Any, centre_of: Any) -> None:
    home.flow("shop/main", "greet:\n  - answer\n  - voicemail: desk\n  - hangup\n")
    home.number("8000", "shop/main", "identity: deferred")
    centre = centre_of(home)
    caller = centre.caller(number="+8613912345678").dials("8000")
    caller.hears("leave_message").hears_beep()
    assert caller.ended
    assert centre.one("messages")["number"] == ""
    assert centre.app.store.flush()
    assert not any("13912345678" in str(row) for row in centre.rows("messages") + centre.rows("journal"))


def listens(centre: Any) -> Any:
    return centre.caller(number="1001", name="Desk", origin="internal").dials("8000")


def test_messages_are_heard_deleted_and_kept_by_phone(shop: Shop) -> None:
    centre = mailbox(shop)
    for _ in range(3):
        leaves(centre)
    first, second, third = (row["id"] for row in sorted(centre.rows("messages"), key=lambda row: row["left"]))
    desk = listens(centre)
    desk.hears("messages_count", new=3, old=0)
    desk.hears("messages_entry", number=1)
    desk.hears_clip(first).hears("messages_keys").presses("1")
    desk.hears_clip(first).hears("messages_keys").presses("3")
    desk.hears("messages_deleted")
    desk.hears("messages_entry", number=2)
    desk.hears_clip(second).presses("4")
    desk.hears("messages_entry", number=3)
    desk.hears_clip(third).hears("messages_keys").presses("*")
    desk.hears("Goodbye.")
    states = {row["id"]: row["state"] for row in centre.rows("messages")}
    assert states == {first: "deleted", second: "kept", third: "kept"}
    assert centre.one("messages", id=second)["heard_by"] == "201"
    assert centre.one("messages", id=first)["number"] == ""
    assert centre.one("clips", id=first)["deleted"]
    assert not any(first in file.name for file in clip_files(centre))
    listens(centre).hears("messages_count", new=0, old=2)


def test_an_empty_box_says_so(shop: Shop) -> None:
    listens(mailbox(shop)).hears("No messages.")


def test_clips_and_messages_are_deleted_when_their_time_is_over(home: Any, centre_of: Any) -> None:
    flow = (
        "greet:\n  - answer\n  - dictate: {into: x, prompt: Say it., offer: no, give_up: end}\n  - go: end\n"
    )
    home.flow("shop/main", flow + "end:\n  - voicemail: desk\n  - hangup\n").number("8000", "shop/main")
    centre = centre_of(home)
    # Days of a centre take seconds, also on a virtual clock.
    centre.app.sounds.clips.keep_for = centre.app.sounds.messages.keep_for = timedelta(minutes=10)
    caller = centre.caller().dials("8000")
    caller.hears("Say it.").hears_beep()
    caller.hears("leave_message").hears_beep()
    assert caller.ended
    centre.app.sounds.sweep()
    assert len(clip_files(centre)) == 2
    centre.clock.advance("11m")
    centre.app.sounds.sweep()
    assert clip_files(centre) == []
    assert all(row["deleted"] for row in centre.rows("clips"))
    assert (centre.one("messages")["state"], centre.one("messages")["number"]) == ("deleted", "")


# -- rate -------------------------------------------------------------------------------------------


def survey(shop: Shop, more: str = "") -> Any:
    return shop(
        f"""
        greet:
          - answer
          - rate: {{question: service, prompt: How was it?, into: mark{more}}}
          - choose:
              - {{when: mark is known and mark <= 2, go: why}}
          - play: Thank you.
          - hangup
        why:
          - rate: {{question: reason, prompt: What was wrong?, scale: 0-9}}
          - play: We are sorry.
          - hangup
        """
    )


def test_a_mark_is_kept_with_what_it_is_about(shop: Shop) -> None:
    centre = survey(shop)
    caller = centre.caller().dials("8000")
    caller.hears("How was it?").presses("5")
    caller.hears("Thank you.")
    row = centre.one("ratings")
    assert (row["question"], row["score"], row["most"]) == ("service", 5, 5)
    assert (row["call"], row["flow"], row["department"]) == (caller.uuid, "shop/main", "shop")


def test_a_survey_branches_by_the_mark(shop: Shop) -> None:
    centre = survey(shop)
    caller = centre.caller().dials("8000")
    caller.hears("How was it?").presses("1")
    caller.hears("What was wrong?").presses("0")
    caller.hears("We are sorry.")
    assert {row["question"]: row["score"] for row in centre.rows("ratings")} == {"service": 1, "reason": 0}


def test_a_mark_beyond_the_scale_is_asked_for_again_and_silence_goes_on(shop: Shop) -> None:
    centre = survey(shop)
    caller = centre.caller().dials("8000")
    caller.hears("How was it?").presses("6")
    caller.hears("wrong")
    caller.hears("How was it?").stays_silent()
    caller.hears("Thank you.")
    assert not centre.rows("ratings")


def test_an_answer_that_the_engine_died_on_is_one(shop: Shop) -> None:
    centre = survey(shop)
    caller = centre.caller().dials("8000")
    caller.hears("How was it?")
    centre.clock.advance("2s")
    centre.engine.kill()
    caller.presses("4")
    centre.engine.start()
    caller.hears("Thank you.")
    assert centre.one("ratings")["score"] == 4


# -- play: {clip: …} -------------------------------------------------------------------------------

PLAYED = """
greet:
  - answer
  - menu: {prompt: "To speak, press 1. To hear, press 2.", options: {1: speak, 2: type}, give_up: end}
speak:
  - dictate: {into: said, prompt: Please speak., offer: no, give_up: end}
  - journal: {event: said, data: {clip: "{said.id}"}}
  - play: {clip: "{said.id}", gone: none_there}
  - play: That was it.
  - hangup
type:
  - collect: {into: clip, as: digits, prompt: Which?, give_up: end}
  - play: {clip: "{clip}", gone: none_there}
  - go: end
none_there:
  - play: It is gone.
  - hangup
end:
  - play: Goodbye.
  - hangup
"""


def test_a_clip_is_played_and_a_key_that_ends_it_counts(shop: Shop) -> None:
    centre = shop(PLAYED)
    caller = centre.caller().dials("8000")
    caller.hears("To speak, press 1. To hear, press 2.").presses("1")
    caller.hears("Please speak.").says("2s").hears_beep()
    caller.hears_clip(centre.one("clips")["id"] if centre.rows("clips") else "")
    caller.hears("That was it.")
    assert caller.ended == "NORMAL_CLEARING"


def test_a_clip_that_is_not_there_leads_the_way_gone(shop: Shop) -> None:
    centre = shop(PLAYED)
    caller = centre.caller().dials("8000")
    caller.hears("To speak, press 1. To hear, press 2.").presses("2")
    caller.hears("Which?").presses("4711#")
    caller.hears("It is gone.")


def test_the_file_of_a_deleted_clip_is_gone_too(shop: Shop) -> None:
    centre = shop(
        PLAYED.replace(
            '  - play: {clip: "{said.id}", gone: none_there}\n', "  - play: One moment.\n", 1
        ).replace("  - play: That was it.\n", '  - play: {clip: "{said.id}", gone: none_there}\n', 1)
    )
    caller = centre.caller().dials("8000")
    caller.hears("To speak, press 1. To hear, press 2.").presses("1")
    caller.hears("Please speak.").says("2s").hears_beep()
    caller.hears("One moment.")
    centre.app.sounds.clips.delete(centre.one("clips")["id"])
    caller.hears("It is gone.")


def test_an_engine_that_dies_while_a_clip_plays_lets_it_play_on(shop: Shop) -> None:
    centre = shop(PLAYED)
    caller = centre.caller().dials("8000")
    caller.hears("To speak, press 1. To hear, press 2.").presses("1")
    caller.hears("Please speak.").says("4s").hears_beep()
    caller.hears_clip()
    centre.engine.kill()
    centre.engine.start()
    caller.hears("That was it.")
