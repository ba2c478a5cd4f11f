"""Variables on a channel: what comes back as it was sent, and what does not."""

from __future__ import annotations

import base64
import json

import pytest

from engine.esl import commands as c
from engine.esl.commands import Command
from tests.contract.rig import Rig


def raw_setvar(uuid: str, value: str) -> Command:
    """As somebody might send it who does not know what the switch does with it."""
    return c.raw_api(f"uuid_setvar {uuid} il_x {value}")


def test_uuid_setvar_changes_what_it_is_given(switch: Rig) -> None:
    _, uuid = switch.arrive()
    for sent, kept in (
        (r"a\nb", "a\nb"),
        (r"a\tb", "a\tb"),
        (r"a\"b", 'a"b'),
        (r"a\\b", r"a\b"),
        ("'a b'", "a b"),
        ("x  ", "x"),
        ("a;b=1", "a;b=1"),
        ("a b  c", "a b  c"),
    ):
        switch.api(raw_setvar(uuid, sent))
        assert (sent, switch.variable(uuid, "il_x")) == (sent, kept)


def test_an_array_is_made_of_what_looks_like_one(switch: Rig) -> None:
    _, uuid = switch.arrive()
    switch.api(raw_setvar(uuid, "ARRAY::a|:b"))
    over = switch.run(uuid, "set", "il_y=1")
    assert over.headers["variable_il_x"] == ["a", "b"]


def test_uuid_setvar_multi_splits_at_semicolons(switch: Rig) -> None:
    _, uuid = switch.arrive()
    switch.api(c.raw_api(f"uuid_setvar_multi {uuid} il_x=a;il_y=b"))
    assert (switch.variable(uuid, "il_x"), switch.variable(uuid, "il_y")) == ("a", "b")


def test_whatever_the_state_holds_comes_back_whole_in_base64(switch: Rig) -> None:
    _, uuid = switch.arrive()
    for value in (
        '它\'s "x" \\ back',
        "${system(touch /tmp/x)}",
        "a\\nb",
        "100%",
        "x;y=z,{a}[b]<c>|^:",
        "plain",
    ):
        state = base64.urlsafe_b64encode(json.dumps({"v": value}).encode()).decode()
        switch.connection.post(c.set_(uuid, "il_state", state))
        assert switch.run(uuid, "set", "il_y=1").var("il_state") == state
        switch.api(c.uuid_setvar(uuid, "il_state", state + "x"))
        assert switch.variable(uuid, "il_state") == state + "x"
        assert switch.dump(uuid)["variable_il_state"] == state + "x"


def test_uuid_setvar_by_the_builder_keeps_the_value(switch: Rig) -> None:
    _, uuid = switch.arrive()
    for value in ("it's", "'a b'", r"back\slash", "a,b;c", "größer 它", "100%"):
        switch.api(c.uuid_setvar(uuid, "il_x", value))
        assert switch.variable(uuid, "il_x") == value


def test_an_expression_in_a_variable_s_value_is_not_run(switch: Rig) -> None:
    _, uuid = switch.arrive()
    switch.api(raw_setvar(uuid, "${create_uuid()}"))
    over = switch.run(uuid, "set", "il_y=1")
    assert over.var("il_x") == "${create_uuid()}"


def test_an_empty_value_unsets(switch: Rig) -> None:
    _, uuid = switch.arrive()
    switch.api(c.uuid_setvar(uuid, "il_x", "1"))
    switch.api(c.uuid_setvar(uuid, "il_x", ""))
    assert switch.variable(uuid, "il_x") is None
    assert "variable_il_x" not in switch.dump(uuid)


def test_a_state_of_the_permitted_size_is_in_every_event_that_matters(switch: Rig) -> None:
    person, uuid = switch.arrive()
    state = "s" * 512
    switch.api(c.uuid_setvar(uuid, "il_state", state))
    since = switch.heard.mark
    switch.run(uuid, "playback", "tone_stream://%(100,0,440)")
    person.hang_up()
    switch.heard.wait("CHANNEL_HANGUP_COMPLETE", uuid)
    told = {e.name for e in switch.heard.events[since:] if e.var("il_state") == state}
    assert told >= {
        "CHANNEL_EXECUTE", "CHANNEL_EXECUTE_COMPLETE", "PLAYBACK_START", "PLAYBACK_STOP", "CHANNEL_HANGUP",
        "CHANNEL_HANGUP_COMPLETE",
    }  # fmt: skip


def test_uuid_dump_says_what_adoption_reads(switch: Rig) -> None:
    _, uuid = switch.arrive("8004", caller="+8613800000000")
    dump = switch.dump(uuid)
    assert dump["Unique-ID"] == uuid
    assert dump["Answer-State"] == "answered"
    assert dump["Channel-State"] == "CS_EXECUTE"  # the first park is an application of the dialplan
    assert dump["Caller-Destination-Number"] == "8004"
    assert dump["Caller-Caller-ID-Number"] == "+8613800000000"
    assert dump["variable_il_call"] == "true"


def test_what_is_gone_can_t_be_dumped(switch: Rig) -> None:
    person, uuid = switch.arrive()
    person.hang_up()
    switch.heard.wait("CHANNEL_DESTROY", uuid)
    assert "No such channel" in switch.refused(c.uuid_dump(uuid))
    assert not switch.exists(uuid)
    assert "No such channel" in switch.refused(c.uuid_getvar(uuid, "il_x"))
    assert "No such channel" in switch.refused(c.uuid_setvar(uuid, "il_x", "1"))
    assert "No such channel" in switch.refused(c.uuid_break(uuid))


def test_an_expression_in_an_argument_that_calls_a_command_is_denied(switch: Rig) -> None:
    _, uuid = switch.arrive()

    class Raw(Command):
        pass

    switch.connection.request(
        Raw(
            "set",
            f"sendmsg {uuid}",
            (("call-command", "execute"), ("execute-app-name", "set")),
            "il_x=<${create_uuid()}>",
        )
    )
    over = switch.run(uuid, "set", "il_y=1")
    assert "Denied" in (over.var("il_x") or "")


def test_an_expression_that_names_a_variable_is_replaced(switch: Rig) -> None:
    _, uuid = switch.arrive()
    switch.api(c.uuid_setvar(uuid, "il_a", "one"))

    class Raw(Command):
        pass

    switch.connection.request(
        Raw(
            "set",
            f"sendmsg {uuid}",
            (("call-command", "execute"), ("execute-app-name", "set")),
            "il_x=<${il_a}>",
        )
    )
    assert switch.run(uuid, "set", "il_y=1").var("il_x") == "<one>"


@pytest.mark.parametrize("moment", ["ringing", "answered", "parked"])
@pytest.mark.parametrize("blank", ["", " "])
def test_what_the_originate_set_can_be_unset_at_any_moment(switch: Rig, moment: str, blank: str) -> None:
    """With nothing behind the name or a blank: it is gone at once, and does not come back with the answer."""
    phone = switch.phone("1001")
    leg, job = switch.originate("1001", il_x="1", il_z="2")
    unset = c.Command("uuid_setvar", f"api uuid_setvar {leg} il_x{blank}")
    ring = phone.wait_ring()
    if moment == "ringing":
        switch.api(unset)
        assert switch.variable(leg, "il_x") is None
    ring.answer()
    if moment == "answered":
        switch.heard.wait("CHANNEL_ANSWER", leg)
        switch.api(unset)
        assert switch.variable(leg, "il_x") is None
    job.wait(5.0)
    parked = switch.heard.wait("CHANNEL_PARK", leg)
    if moment == "ringing":
        assert parked.var("il_x") is None
    elif moment == "parked":
        switch.api(unset)
    over = switch.run(leg, "playback", "tone_stream://%(100,0,440)")
    assert (over.var("il_x"), over.var("il_z")) == (None, "2")
    assert switch.variable(leg, "il_x") is None
    assert "variable_il_x" not in switch.dump(leg)
    # Nor by a talk, after which the channel parks once more.
    _, caller = switch.arrive()
    switch.bridge(caller, leg)
    assert switch.variable(leg, "il_x") is None
    switch.api(c.uuid_transfer_to_park(caller))
    switch.until(lambda: not switch.bridged())
    assert "variable_il_x" not in switch.dump(leg)


def test_a_new_name_of_a_channel_is_not_yet_that_of_its_profile(switch: Rig) -> None:
    """Who calls stands in both: ``set_name`` alone leaves it in every event."""
    _, uuid = switch.arrive()
    named = switch.run(uuid, "set_name", "caller/x").headers
    assert (named["Channel-Name"], named["variable_channel_name"]) == ("caller/x", "caller/x")
    assert named["Caller-Channel-Name"] != "caller/x"
    wiped = switch.run(uuid, "set_profile_var", "chan_name=caller/x").headers
    assert wiped["Caller-Channel-Name"] == "caller/x"
