"""Driving a parked call from one inbound socket."""

from __future__ import annotations

import uuid as uuids

from engine.esl import commands as c
from engine.esl.commands import Command
from tests.contract.rig import Rig

SHORT = "tone_stream://%(200,0,440)"
LONG = "tone_stream://%(30000,0,440)"


def test_a_call_arrives_marked_and_parked_and_not_answered(switch: Rig) -> None:
    switch.dial("8004", caller="+8613800000000")
    parked = switch.heard.wait("CHANNEL_PARK")
    assert parked.var("il_call") == "true"
    assert parked.var("il_origin") == "trunk"
    assert parked.var("il_gateway") == "pstn"
    assert parked.var("il_dnis") == "8004"
    assert parked.var("playback_terminators") == "none"
    assert parked.var("hangup_after_bridge") == "false"
    assert parked.var("park_after_bridge") == "true"
    assert parked.get("Caller-Caller-ID-Number") == "+8613800000000"
    assert parked.get("Caller-Destination-Number") == "8004"
    assert parked.get("Answer-State") == "ringing"
    assert parked.get("Channel-State") in ("CS_EXECUTE", "CS_PARK")
    assert parked.get("Call-Direction") == "inbound"
    assert not switch.heard.find("CHANNEL_ANSWER")


def test_answering_gives_one_answer_event_and_the_id_comes_back_as_application_uuid(switch: Rig) -> None:
    switch.dial()
    uuid = switch.heard.wait("CHANNEL_PARK").uuid
    execution = switch.execute(uuid, "answer")
    over = switch.heard.done(execution)
    assert over.get("Application") == "answer"
    assert over.uuid == uuid
    assert over.get("Answer-State") == "answered"
    assert len(switch.heard.find("CHANNEL_ANSWER", uuid)) == 1
    assert over.var("il_call") == "true"  # it carries all variables


def test_an_answer_by_command_is_there_at_once_and_what_is_sent_behind_it_is_played(switch: Rig) -> None:
    """An application would wait for the next frame of a channel that has no sound yet."""
    switch.dial()
    uuid = switch.heard.wait("CHANNEL_PARK").uuid
    switch.api(c.answer(uuid))
    assert switch.dump(uuid)["Answer-State"] == "answered"
    over = switch.heard.done(switch.execute(uuid, "playback", SHORT, lock=True))
    assert over.get("Application-Response") == "FILE PLAYED"
    assert len(switch.heard.find("CHANNEL_ANSWER", uuid)) == 1


def test_a_filter_keeps_out_what_its_forerunner_let_through(switch: Rig) -> None:
    connection, heard = switch.connect(without=[("Application", "set")])
    _, uuid = switch.arrive()
    connection.post(c.set_(uuid, "il_x", "1"), c.execute(uuid, *c.PROBE, event_uuid="probe-1", lock=True))
    over = heard.done("probe-1")
    assert over.var("il_x") == "1"
    assert not heard.find("CHANNEL_EXECUTE_COMPLETE", uuid, where=lambda e: e.get("Application") == "set")


def test_headers_need_no_blank_and_a_word_needs_no_body(switch: Rig) -> None:
    """Each byte of a command's lines costs the switch a system call or two."""
    _, uuid = switch.arrive()
    wire = c.execute(uuid, "set", "il_x=short", event_uuid="e-1", lock=True).wire()
    assert b": " not in wire
    assert b"content-length" not in wire
    switch.connection.post(c.execute(uuid, "set", "il_x=short", event_uuid="e-1", lock=True))
    assert switch.heard.done("e-1").var("il_x") == "short"


def test_an_execute_that_asks_for_no_id_gets_one_by_the_switch(switch: Rig) -> None:
    _, uuid = switch.arrive()
    since = switch.heard.mark
    switch.connection.post(c.set_(uuid, "il_x", "1"))
    over = switch.heard.wait("CHANNEL_EXECUTE_COMPLETE", uuid, since=since)
    assert uuids.UUID(over.get("Application-UUID") or "")
    assert over.get("Application-Data") == "il_x=1"


def test_a_newline_in_the_body_stays_data(switch: Rig) -> None:
    """It travels as a body of counted bytes. Our own builder refuses it; the switch would keep it."""
    _, uuid = switch.arrive()
    argument = "il_note=one\ncall-command: hangup"
    head = f"sendmsg {uuid}\ncall-command: execute\nexecute-app-name: set"

    class Raw(Command):
        def __post_init__(self) -> None:
            return

        def wire(self) -> bytes:
            data = argument.encode()
            return f"{head}\ncontent-type: text/plain\ncontent-length: {len(data)}\n\n".encode() + data

    since = switch.heard.mark
    assert switch.connection.request(Raw("set", "sendmsg")).ok
    over = switch.heard.wait("CHANNEL_EXECUTE_COMPLETE", uuid, since=since)
    assert over.var("il_note") == "one\ncall-command: hangup"
    assert switch.exists(uuid)


def test_executes_nest_the_later_one_runs_first_and_the_outer_one_goes_on(switch: Rig) -> None:
    _, uuid = switch.arrive()
    since = switch.heard.mark
    outer, inner = str(uuids.uuid4()), str(uuids.uuid4())
    switch.connection.post(
        c.execute(uuid, "playback", "tone_stream://%(600,0,440)", event_uuid=outer),
        c.execute(uuid, "playback", SHORT, event_uuid=inner),
    )
    last = switch.heard.done(outer)
    overs = [
        e.get("Application-UUID") for e in switch.heard.find("CHANNEL_EXECUTE_COMPLETE", uuid, since=since)
    ]
    assert overs == [inner, outer]
    assert last.get("Application-Response") == "FILE PLAYED"


def test_with_the_lock_they_run_one_after_the_other(switch: Rig) -> None:
    _, uuid = switch.arrive()
    ids = [str(uuids.uuid4()) for _ in range(3)]
    began = switch.clock.monotonic()
    switch.connection.post(*(c.playback(uuid, SHORT, event_uuid=one) for one in ids))
    switch.heard.done(ids[-1])
    order = [e.get("Application-UUID") for e in switch.heard.find("CHANNEL_EXECUTE_COMPLETE", uuid)]
    assert [one for one in order if one in ids] == ids
    assert switch.clock.monotonic() - began > 0.5


def test_nothing_gets_in_under_a_lock_but_uuid_break_ends_it(switch: Rig) -> None:
    _, uuid = switch.arrive()
    long = switch.execute(uuid, "playback", LONG, lock=True)
    switch.heard.wait("PLAYBACK_START", uuid)
    inside = switch.execute(uuid, "set", "il_inside=1")
    switch.clock.sleep(0.3)
    assert switch.variable(uuid, "il_inside") is None
    switch.api(c.uuid_break(uuid))
    over = switch.heard.done(long)
    assert over.get("Application-Response") == "FILE PLAYED"  # as if it had played to its end
    stop = switch.heard.wait("PLAYBACK_STOP", uuid)
    assert stop.get("Playback-Status") == "break"
    switch.heard.done(inside)
    assert switch.variable(uuid, "il_inside") == "1"


def test_a_playback_that_plays_to_its_end_says_done(switch: Rig) -> None:
    _, uuid = switch.arrive()
    over = switch.run(uuid, "playback", SHORT)
    assert over.get("Application-Response") == "FILE PLAYED"
    start, stop = switch.heard.wait("PLAYBACK_START", uuid), switch.heard.wait("PLAYBACK_STOP", uuid)
    assert start.get("Playback-File-Path") == SHORT
    assert stop.get("Playback-Status") == "done"


def test_a_file_that_is_not_there_is_said_and_the_call_goes_on(switch: Rig) -> None:
    _, uuid = switch.arrive()
    over = switch.run(uuid, "playback", "/nowhere/at-all.wav")
    assert over.get("Application-Response") == "FILE NOT FOUND"
    assert switch.run(uuid, "set", "il_x=1").var("il_x") == "1"


def test_announcements_nest_in_unlocked_music_and_a_break_ends_both(switch: Rig) -> None:
    _, uuid = switch.arrive()
    music = switch.execute(uuid, "playback", LONG)
    switch.heard.wait("PLAYBACK_START", uuid)
    say = switch.execute(uuid, "playback", SHORT)
    switch.heard.done(say)
    assert not switch.heard.find(
        "CHANNEL_EXECUTE_COMPLETE", where=lambda e: e.get("Application-UUID") == music
    )
    since = switch.heard.mark
    nested = switch.execute(uuid, "playback", LONG)
    switch.heard.wait("PLAYBACK_START", uuid, since=since)
    switch.api(c.uuid_break(uuid))
    switch.heard.done(nested)
    switch.heard.done(music)


def test_an_unknown_application_is_accepted_and_hangs_the_call_up(switch: Rig) -> None:
    person, uuid = switch.arrive()

    class Raw(Command):
        pass

    reply = switch.connection.request(
        Raw("x", f"sendmsg {uuid}", (("call-command", "execute"), ("execute-app-name", "no_such_app")), "x")
    )
    assert reply.ok
    gone = switch.heard.wait("CHANNEL_HANGUP_COMPLETE", uuid)
    assert gone.get("Hangup-Cause") == "DESTINATION_OUT_OF_ORDER"
    switch.until(lambda: person.gone)


def test_a_message_to_nobody_is_refused(switch: Rig) -> None:
    reply = switch.connection.request(c.unset(str(uuids.uuid4()), "il_x"))
    assert not reply.ok
    assert reply.text.startswith("-ERR invalid session id")
    assert "ERROR" in switch.refused(c.answer(str(uuids.uuid4())))


def test_the_star_does_not_end_a_prompt_once_the_terminators_are_none(switch: Rig) -> None:
    person, uuid = switch.arrive()
    play = switch.execute(uuid, "playback", "tone_stream://%(900,0,440)", lock=True)
    switch.heard.wait("PLAYBACK_START", uuid)
    person.press("*")
    switch.heard.wait("DTMF", uuid)
    switch.heard.done(play)
    assert switch.heard.wait("PLAYBACK_STOP", uuid).get("Playback-Status") == "done"


def test_the_star_would_end_a_prompt_without_that(switch: Rig) -> None:
    person, uuid = switch.arrive()
    switch.run(uuid, "unset", "playback_terminators")
    play = switch.execute(uuid, "playback", LONG, lock=True)
    switch.heard.wait("PLAYBACK_START", uuid)
    person.press("*")
    over = switch.heard.done(play)
    assert over.var("playback_terminator_used") == "*"


def test_many_instant_commands_sent_together_run_in_order_and_fast(switch: Rig) -> None:
    _, uuid = switch.arrive()
    began = switch.clock.monotonic()
    switch.connection.post(*(c.set_(uuid, "il_n", str(n)) for n in range(100)))
    last = switch.execute(uuid, "set", "il_last=1")
    assert switch.heard.done(last).var("il_n") == "99"
    assert switch.clock.monotonic() - began < 2.0


def test_park_again_after_an_application_fires_no_second_park_event(switch: Rig) -> None:
    _, uuid = switch.arrive()
    switch.run(uuid, "playback", SHORT)
    assert len(switch.heard.find("CHANNEL_PARK", uuid)) == 1


def test_uuid_transfer_unparks_and_walks_into_the_dialplan(switch: Rig) -> None:
    _, uuid = switch.arrive()
    since = switch.heard.mark
    switch.api(c.uuid_transfer(uuid, "8004", "XML", "trunk"))
    switch.heard.wait("CHANNEL_PARK", uuid, since=since)
    assert switch.variable(uuid, "il_call") == "true"


def test_the_caller_hanging_up_ends_in_hangup_complete_with_the_cause(switch: Rig) -> None:
    person, uuid = switch.arrive()
    person.hang_up()
    gone = switch.heard.wait("CHANNEL_HANGUP_COMPLETE", uuid)
    assert gone.get("Hangup-Cause") == "NORMAL_CLEARING"
    assert gone.var("il_call") == "true"
    assert switch.heard.order("CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE", uuid=uuid) == [
        "CHANNEL_HANGUP",
        "CHANNEL_HANGUP_COMPLETE",
    ]


def test_a_caller_who_gives_up_before_the_answer_has_cancelled(switch: Rig) -> None:
    person, uuid = switch.arrive(answered=False)
    person.hang_up()
    gone = switch.heard.wait("CHANNEL_HANGUP_COMPLETE", uuid)
    assert gone.get("Hangup-Cause") == "ORIGINATOR_CANCEL"


def test_hanging_up_in_the_middle_of_a_prompt_ends_it_between_the_two_hangup_events(switch: Rig) -> None:
    person, uuid = switch.arrive()
    play = switch.execute(uuid, "playback", LONG, lock=True)
    switch.heard.wait("PLAYBACK_START", uuid)
    since = switch.heard.mark
    person.hang_up()
    switch.heard.wait("CHANNEL_HANGUP_COMPLETE", uuid)
    assert switch.heard.done(play).get("Application-Response") == "PLAYBACK ERROR"
    came = [
        (event.name, event.get("Application") or "")
        for event in switch.heard.events[since:]
        if event.uuid == uuid
        and event.name.startswith(("CHANNEL", "PLAYBACK"))
        and event.name != "CHANNEL_DESTROY"
    ]
    assert came == [
        ("CHANNEL_HANGUP", ""),
        ("PLAYBACK_STOP", ""),
        ("CHANNEL_EXECUTE_COMPLETE", "playback"),
        ("CHANNEL_UNPARK", ""),
        ("CHANNEL_EXECUTE_COMPLETE", "park"),
        ("CHANNEL_HANGUP_COMPLETE", ""),
    ]
    stop = switch.heard.find("PLAYBACK_STOP", uuid)[-1]
    assert stop.get("Playback-Status") == "done"  # as if it had played to its end


def test_uuid_kill_ends_a_call_with_the_cause_that_it_names(switch: Rig) -> None:
    person, uuid = switch.arrive()
    switch.api(c.uuid_kill(uuid, "NORMAL_TEMPORARY_FAILURE"))
    assert (
        switch.heard.wait("CHANNEL_HANGUP_COMPLETE", uuid).get("Hangup-Cause") == "NORMAL_TEMPORARY_FAILURE"
    )
    switch.until(lambda: person.gone)
    assert "No such channel" in switch.refused(c.uuid_kill(uuid))
