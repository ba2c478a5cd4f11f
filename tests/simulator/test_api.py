"""The ``api`` commands. Answers were taken from FreeSWITCH 1.11, text for text."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.clock import VirtualClock
from engine.switch.simulator import SimCaller, Simulator


@pytest.fixture
def caller(sim: Simulator, client: Any) -> SimCaller:
    caller = sim.call("8004")
    client.execute(caller.uuid, "answer", event_uuid="answer")
    client.complete("answer")
    client.api(f"sched_del {caller.uuid}")
    return caller


HASH = "-ERR Usage: hash insert|insert_ifempty|select|delete|delete_ifmatch/realm/key[/value]\n"


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("bogus 1 2", "-ERR bogus Command not found!\n"),
        (" status", "-ERR  Command not found!\n"),
        ("show channels", "\n0 total.\n"),
        ("show channels as json", '{"row_count": 0}\n'),
        ("show calls as json", '{"row_count": 0}\n'),
        ("show bridged_calls", "\n0 total.\n"),
        ("show channels count", "\n0 total.\n"),
        ("uuid_exists foo", "false"),
        ("uuid_exists", "false"),
        ("uuid_dump foo", "-ERR No such channel!\n"),
        ("uuid_dump", "-USAGE: <uuid> [format]\n"),
        ("uuid_kill foo", "-ERR No such channel!\n"),
        ("uuid_getvar foo x", "-ERR No such channel!\n"),
        ("uuid_setvar foo x 1", "-ERR No such channel!\n"),
        (
            "uuid_setvar_multi foo a=b",
            "-ERR No such channel!\n-USAGE: <uuid> <var>=<value>;<var>=<value>...\n",
        ),
        ("uuid_break foo", "-ERR No such channel!\n"),
        ("uuid_bridge foo bar", "-ERR Invalid uuid\n"),
        ("uuid_park foo", "-ERR No such channel!\n"),
        ("uuid_transfer foo 1", "-ERR No such channel!\n"),
        ("uuid_record foo start /x", "-ERR Cannot locate session!\n"),
        ("uuid_buglist foo", "-ERR no reply\n"),
        ("uuid_recv_dtmf foo 1", "-ERR Cannot locate session!\n"),
        ("uuid_flush_dtmf foo", "-ERR No such session\n"),
        ("uuid_answer foo", "-ERROR\n"),
        ("uuid_phone_event foo talk", "-ERR Operation failed\n"),
        ("sched_del foo", "+OK Deleted: 0\n"),
        ("sched_transfer +5 foo a XML b", "-ERR No such channel!\n"),
        ("sched_hangup +5 foo", "-ERR No such channel!\n"),
        ("sched_api", "-ERR Invalid syntax. USAGE: [+@]<time> <group_name> <command_string>[&]\n"),
        ("hash", HASH),
        ("hash foo/bar", HASH),
        ("hash insert/a/b", HASH),
        ("hash insert/a/b/", HASH),
        ("hash select/r/none", "-ERR no reply\n"),
        ("hash delete/r/none", "-ERR Not found\n"),
        ("global_setvar zz=1", "+OK"),
        ("global_getvar nope", "-ERR no reply\n"),
        ("expand a ${zz} b", "INVALID COMMAND!\n-ERR Cannot execute command\n"),
        ("expand echo a${create_uuid()}b", "a<API execute Permission Denied>b"),
        ("eval ${create_uuid()}", "<API execute Permission Denied>"),
        ("module_exists mod_lua", "true"),
        ("module_exists mod_foo", "false"),
        ("module_exists", "-ERR no reply\n"),
        ("reloadxml", "+OK [Success]\n"),
        ("fsctl api_expansion", "+OK api_expansion is off \n"),
        ("sofia status profile nope", "Invalid Profile!\n"),
        ("sofia status gateway nope", "Invalid Gateway!\n"),
        ("sofia profile internal rescan", "Reload XML [Success]\n+OK scan complete\n"),
        ("log info hello", "+OK\n"),
        ("lua nope.lua", "-ERR Cannot execute script\n"),
        ("md5 a", "0cc175b9c0f1b6a831c399e269772661"),
        ("md5", "!err!"),
        ("echo hi", "hi"),
        ("echo", "-ERR no reply\n"),
        ("msleep 10", "+OK"),
        ("conference list", "+OK No active conferences.\n"),
        ("conference x kick all", "-ERR Conference x not found\n"),
        ("conference xml_list", '<?xml version="1.0"?>\n<conferences></conferences>\n'),
        ("hupall", "+OK hangup all channels with cause MANAGER_REQUEST\n"),
        ("version short", "1.11.2-dev\n"),
    ],
)
def test_answers_are_those_of_the_switch(client: Any, command: str, answer: str) -> None:
    assert client.api(command) == answer


@pytest.mark.parametrize(
    "command",
    [
        "uuid_displace x start y",
        "uuid_hold x",
        "show modules as json",
        "sofia global siptrace on",
        "reload mod_x",
    ],
)
def test_what_is_not_simulated_is_never_ok(client: Any, command: str) -> None:
    answer = client.api(command)
    assert answer.startswith(("-ERR", "-USAGE"))


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (r"a\nb", "a\nb"),
        (r"a\tb", "a\tb"),
        (r"a\"b", 'a"b'),
        (r"a\\b", r"a\b"),
        (r"\s\r", " \r"),
        (r"a\db", r"a\db"),
        ("a'b'c", "abc"),
        ("it's", "it's"),
        ("'q q'", "q q"),
        ('"dq"', '"dq"'),
        ("trail   ", "trail"),
        ("  lead", "lead"),
        ("a  b", "a  b"),
        ("ARRAY::a|:b", "ARRAY::a|:b"),
        ("a;b=c", "a;b=c"),
        ("x=y", "x=y"),
        ("${caller_id_number}", "${caller_id_number}"),
        ("ünï 你好", "ünï 你好"),
    ],
)
def test_uuid_setvar_unescapes_what_it_is_given(
    client: Any, caller: SimCaller, typed: str, kept: str
) -> None:
    assert client.api(f"uuid_setvar {caller.uuid} vv {typed}") == "+OK\n"
    assert client.api(f"uuid_getvar {caller.uuid} vv") == kept


def test_an_array_is_a_list_in_the_dump(client: Any, caller: SimCaller) -> None:
    client.api(f"uuid_setvar {caller.uuid} vv ARRAY::a|:b")
    assert client.dump(caller.uuid)["variable_vv"] == ["a", "b"]


def test_setvar_without_a_value_unsets(client: Any, caller: SimCaller) -> None:
    client.api(f"uuid_setvar {caller.uuid} vv 1")
    client.api(f"uuid_setvar {caller.uuid} vv")
    assert client.api(f"uuid_getvar {caller.uuid} vv") == "_undef_"


def test_uuid_setvar_multi_splits_at_semicolons_outside_of_apostrophes(
    client: Any, caller: SimCaller
) -> None:
    assert client.api(f"uuid_setvar_multi {caller.uuid} a=1;b=2 3;c='x;y';d") == "+OK\n"
    got = [client.api(f"uuid_getvar {caller.uuid} {name}") for name in "abcd"]
    assert got == ["1", "2 3", "x;y", "_undef_"]


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("a=b c", "b c"),
        ("a= lead", " lead"),
        ("a='q'", "'q'"),
        ("a=${caller_id_number:0:3}", "+86"),
        ("a=${caller_id_number:-2}", "00"),
        ("a=$${nothing}", "_undef_"),
        ("a=", "_undef_"),
        ("a", "_undef_"),
        (r"a=x\dy", r"x\dy"),
        (r"a=x\\y", r"x\y"),
        ("a=1\n2", "1\n2"),
    ],
)
def test_the_set_application_keeps_what_it_is_given(
    client: Any, caller: SimCaller, argument: str, value: str
) -> None:
    client.execute(caller.uuid, "set", argument, event_uuid="E")
    client.complete("E")
    assert client.api(f"uuid_getvar {caller.uuid} a") == value


def test_several_variables_at_once(client: Any, caller: SimCaller) -> None:
    client.execute(caller.uuid, "multiset", "a=1 b=2")
    client.execute(caller.uuid, "multiset", "^^:c=3 3:d=4")
    client.execute(caller.uuid, "export", "e=5")
    client.execute(caller.uuid, "unset", "a", event_uuid="E")
    done = client.complete("E")
    assert [done.get(f"variable_{name}") for name in "abcde"] == [None, "2", "3 3", "4", "5"]
    assert done["variable_export_vars"] == "e"


def test_show_channels_lags_for_new_calls_and_for_gone_ones(
    sim: Simulator, client: Any, clock: VirtualClock
) -> None:
    def listed() -> set[str]:
        return {row["uuid"] for row in json.loads(client.api("show channels as json")).get("rows", [])}

    caller = sim.call("8004")
    assert listed() == set()
    assert client.api(f"uuid_exists {caller.uuid}") == "true"
    clock.sleep(0.26)
    assert listed() == {caller.uuid}
    caller.hang_up()
    clock.sleep(0.1)
    assert client.api(f"uuid_exists {caller.uuid}") == "false"
    assert listed() == {caller.uuid}
    clock.sleep(0.3)
    assert listed() == set()


def test_show_lists_its_columns_in_the_order_of_the_switch(
    sim: Simulator, client: Any, clock: VirtualClock
) -> None:
    sim.call("8004")
    clock.sleep(1)
    (row,) = json.loads(client.api("show channels as json"))["rows"]
    assert list(row)[:14] == [
        "uuid",
        "direction",
        "created",
        "created_epoch",
        "name",
        "state",
        "cid_name",
        "cid_num",
        "ip_addr",
        "dest",
        "application",
        "application_data",
        "dialplan",
        "context",
    ]
    assert (row["dest"], row["application"], row["callstate"]) == ("8004", "park", "RINGING")
    lines = client.api("show channels").splitlines()
    assert lines[0].startswith("uuid,direction,created,created_epoch,name,state")
    assert lines[-1] == "1 total."
    assert client.api("show channels count") == "\n1 total.\n"


def test_the_dump_is_an_event_in_either_format(client: Any, caller: SimCaller) -> None:
    dump = client.dump(caller.uuid)
    assert (dump["Event-Name"], dump["Unique-ID"], dump["variable_il_call"]) == (
        "CHANNEL_DATA",
        caller.uuid,
        "true",
    )
    plain = client.api(f"uuid_dump {caller.uuid}")
    assert f"\nUnique-ID: {caller.uuid}\n" in plain
    assert "\nvariable_sip_from_user: %2B8613800000000\n" in plain


def test_api_expansion_can_be_switched_on_and_then_commands_run(client: Any, caller: SimCaller) -> None:
    assert client.api("fsctl api_expansion on") == "+OK api_expansion is on \n"
    assert client.api("expand echo il-${hostname()}-il") == "il-simulator-il"
    client.execute(caller.uuid, "set", "a=${md5(a)}", event_uuid="E")
    assert client.complete("E")["variable_a"] == "0cc175b9c0f1b6a831c399e269772661"


def test_a_leg_can_be_transferred_through_its_partner(
    sim: Simulator, client: Any, caller: SimCaller, clock: VirtualClock
) -> None:
    phone = sim.phone("1001").auto(answer_after=0.5)
    client.command(
        "bgapi originate {origination_uuid=L,park_after_bridge=true}sofia/internal/1001%local &park()"
    )
    client.event("CHANNEL_PARK", "L")
    client.api(f"uuid_bridge {caller.uuid} L")
    client.event("CHANNEL_BRIDGE")
    start = len(client.events)
    assert client.api(f"uuid_transfer {caller.uuid} -bleg park inline") == "+OK\n"
    client.event("CHANNEL_PARK", "L", start=start)
    client.event("CHANNEL_PARK", caller.uuid, start=start)
    assert phone.state == "answered"
