"""Every command, whatever is put into it, stays one command that says what it was meant to say."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import UnsafeText
from engine.esl import commands, text
from engine.esl.commands import (
    APPLICATIONS,
    Command,
    Digits,
    GatewayDial,
    LoopbackDial,
    Originate,
    PhoneDial,
)
from engine.esl.wire import CommandDecoder, Request

A = "aaaaaaaa-0000-4000-8000-000000000001"
B = "bbbbbbbb-0000-4000-8000-000000000002"
PHONE = PhoneDial("1001")

# One good call of every public function: a new function without a line here fails below.
GOOD: dict[str, dict[str, Any]] = {
    "answer": {"uuid": A},
    "auth": {"password": "s3cret"},
    "bind_digit_action": {"uuid": A, "digits": "*2", "subclass": "il::key", "fields": {"il_key": "xfer"}},
    "bind_digit_realm": {"uuid": A, "digits": "*2", "to": "transfer", "realm": "talk"},
    "clear_digit_action": {"uuid": A, "realm": "talk"},
    "digit_action_set_realm": {"uuid": A, "realm": "talk"},
    "conference": {"name": "talk1", "action": "kick", "member": "all"},
    "create_uuid": {},
    "eavesdrop": {"supervisor": A, "dial": PHONE, "target": B, "caller_id_name": "Li Na"},
    "event_json": {"names": ("CHANNEL_PARK", "il::key")},
    "execute": {"uuid": A, "app": "playback", "arg": "/p/a.wav", "event_uuid": "e-1", "lock": True},
    "exit_": {},
    "expand_probe": {},
    "fsctl": {"action": "shutdown now"},
    "global_getvar": {"name": "core_uuid"},
    "global_setvar": {"name": "il_led", "value": "true"},
    "hash_delete": {"realm": "il", "key": "k"},
    "hash_delete_ifmatch": {"realm": "il", "key": "k", "value": "v"},
    "hash_insert": {"realm": "il", "key": "k", "value": "v"},
    "hash_insert_ifempty": {"realm": "il", "key": "k", "value": "v"},
    "hash_select": {"realm": "il", "key": "k"},
    "load_module": {"name": "mod_spandsp"},
    "module_exists": {"name": "mod_sofia"},
    "noevents": {},
    "only": {"header": "Event-Name", "value": "DTMF"},
    "originate": {"call": Originate(A, PHONE, {"il_owner": B}, 20, "Li Na", "8012")},
    "play_and_get_digits": {"uuid": A, "digits": Digits(1, 4), "event_uuid": "e-1"},
    "playback": {"uuid": A, "media": "/p/a b.wav", "event_uuid": "e-1"},
    "raw_api": {"line": "sofia status"},
    "record_session": {"uuid": A, "path": "/r/a.wav", "event_uuid": "e-1"},
    "reloadxml": {},
    "rescue": {"limit": 20},
    "sched_api": {"seconds": 5, "group": "il_guard", "command": commands.status(), "repeat": True},
    "sched_del": {"what": A},
    "sched_hangup": {"seconds": 5, "uuid": A, "cause": "ALLOTTED_TIMEOUT"},
    "sched_transfer": {
        "seconds": 8,
        "uuid": A,
        "destination": "fallback",
        "dialplan": "XML",
        "context": "fallback",
    },
    "set_": {"uuid": A, "name": "il_done", "value": "e-1", "event_uuid": "e-2"},
    "show_bridged_calls": {},
    "show_channels": {},
    "show_registrations": {},
    "sofia_profile": {"name": "internal", "action": "rescan"},
    "sofia_registrations": {"profile": "internal"},
    "sofia_status": {"kind": "gateway", "name": "pstn"},
    "status": {},
    "stop_record_session": {"uuid": A, "path": "/r/a.wav"},
    "unset": {"uuid": A, "name": "il_digits"},
    "uuid_break": {"uuid": A, "all": True},
    "uuid_bridge": {"uuid": A, "other": B},
    "uuid_buglist": {"uuid": A},
    "uuid_dump": {"uuid": A},
    "uuid_exists": {"uuid": A},
    "uuid_flush_dtmf": {"uuid": A},
    "uuid_getvar": {"uuid": A, "name": "il_state"},
    "uuid_kill": {"uuid": A, "cause": "USER_BUSY"},
    "uuid_park": {"uuid": A},
    "uuid_record": {"uuid": A, "action": "mask", "path": "/r/a.wav"},
    "uuid_recv_dtmf": {"uuid": A, "digits": "2"},
    "uuid_send_dtmf": {"uuid": A, "digits": "12#"},
    "uuid_setvar": {"uuid": A, "name": "il_state", "value": "eyJ4IjoxfQ"},
    "uuid_transfer": {
        "uuid": A,
        "destination": "8001",
        "dialplan": "XML",
        "context": "default",
        "leg": "bleg",
    },
    "uuid_transfer_to_park": {"uuid": A},
    "uuid_transfer_to_conference": {"uuid": A, "name": "talk1", "profile": "default", "flags": ["mute"]},
    "version": {},
}


def public() -> dict[str, Callable[..., Any]]:
    return {
        name: thing
        for name, thing in vars(commands).items()
        if inspect.isfunction(thing)
        and thing.__module__.startswith("engine.esl.")
        and not name.startswith("_")
        and inspect.signature(thing).return_annotation == "Command"
    }


FUNCTIONS = public()


def call(name: str, arguments: dict[str, Any]) -> Command:
    arguments = dict(arguments)
    positional = arguments.pop("names", ())
    command = FUNCTIONS[name](*positional, **arguments)
    assert isinstance(command, Command)
    return command


def on_the_wire(command: Command) -> Request:
    """What the switch reads; fails when that is not exactly one command."""
    decoder = CommandDecoder()
    decoder.feed(command.wire())
    request = decoder.next()
    assert request is not None
    assert decoder.next() is None
    assert decoder.held == 0
    return request


def test_every_function_is_tried_here() -> None:
    assert set(FUNCTIONS) == set(GOOD)


@pytest.mark.parametrize("name", GOOD)
def test_every_command_is_one_command_on_the_wire(name: str) -> None:
    request = on_the_wire(call(name, GOOD[name]))
    assert request.line.split(" ")[0] in ("api", "sendmsg", "auth", "event", "exit", "filter", "noevents")


# Each place where text goes in: function, argument, and how to put the text there.
def places() -> list[tuple[str, str, Callable[[str], dict[str, Any]]]]:
    found: list[tuple[str, str, Callable[[str], dict[str, Any]]]] = []
    for name, good in GOOD.items():
        for argument, value in good.items():

            def put(bad: str, good: dict[str, Any] = good, argument: str = argument) -> dict[str, Any]:
                value = good[argument]
                if isinstance(value, str):
                    return {**good, argument: bad}
                if isinstance(value, tuple):
                    return {**good, argument: (*value, bad)}
                if isinstance(value, list):
                    return {**good, argument: [*value, bad]}
                return {**good, argument: {"il_key": bad}}

            if isinstance(value, str | tuple | list | dict):
                found.append((name, argument, put))
            if isinstance(value, dict):
                found.append(
                    (name, f"{argument} (name)", lambda bad, g=good, a=argument: {**g, a: {bad: "x"}})
                )
    for dial in ("extension", "domain", "profile"):
        found.append(("originate", f"phone {dial}", lambda bad, d=dial: _dialled(_phone(**{d: bad}))))
    for dial in ("gateway", "number"):
        found.append(("originate", f"trunk {dial}", lambda bad, d=dial: _dialled(_trunk(**{d: bad}))))
    for dial in ("number", "context", "dialplan"):
        found.append(("originate", f"loop {dial}", lambda bad, d=dial: _dialled(_loop(**{d: bad}))))
    for key in ("uuid", "caller_id_name", "caller_id_number", "app"):
        found.append(("originate", key, lambda bad, k=key: _originated(**{k: bad})))
    for app in ("eavesdrop", "conference", "playback", "park"):
        found.append(("originate", f"{app} arg", lambda bad, a=app: _originated(app=a, arg=bad)))
    found.append(("originate", "variable", lambda bad: _originated(variables={"il_x": bad})))
    found.append(("originate", "variable name", lambda bad: _originated(variables={bad: "x"})))
    for key in ("variable", "terminators", "prompt", "wrong", "pattern"):
        found.append(
            ("play_and_get_digits", key, lambda bad, k=key: {"uuid": A, "digits": Digits(1, 4, **{k: bad})})
        )
    return found


def _phone(**more: str) -> PhoneDial:
    return PhoneDial(**{"extension": "1001", **more})


def _trunk(**more: str) -> GatewayDial:
    return GatewayDial(**{"gateway": "pstn", "number": "13800000000", **more})


def _loop(**more: str) -> LoopbackDial:
    return LoopbackDial(**{"number": "2000", **more})


def _dialled(dial: commands.Dial) -> dict[str, Any]:
    return {"call": Originate(A, dial)}


def _originated(**more: Any) -> dict[str, Any]:
    return {"call": Originate(**{"uuid": A, "dial": PHONE, **more})}


PLACES = places()
NAMED = [pytest.param(*place, id=f"{place[0]} {place[1]}") for place in PLACES]


@pytest.mark.parametrize(("name", "argument", "put"), NAMED)
@pytest.mark.parametrize(
    "bad",
    ["a\nb", "a\rb", "a\0b", "a\n\napi uuid_kill x", "x\r\n\r\nexit", "\n", "a\x1bb", "\ud800"],
    ids=repr,
)
def test_cr_lf_nul_and_other_controls_are_refused_in_every_place(
    name: str, argument: str, put: Callable[[str], dict[str, Any]], bad: str
) -> None:
    if argument == "caller_id_name":  # a stranger's words: cleaned, never refused
        assert "\n" not in call(name, put(bad)).line
        return
    with pytest.raises(UnsafeText):
        call(name, put(bad))


_HOSTILE = st.one_of(
    st.text(max_size=30),
    st.lists(
        st.sampled_from(
            [
                "\n",
                "\r",
                "\0",
                "\n\n",
                "${",
                "}",
                "{",
                "|",
                ",",
                "'",
                "\\",
                " ",
                "::",
                ":_:",
                "^^",
                "%[",
                "a",
                "1",
            ]
        ),
        max_size=8,
    ).map("".join),
)


@given(st.sampled_from(PLACES), _HOSTILE)
@settings(max_examples=1500)
def test_whatever_is_put_anywhere_never_makes_a_second_command(
    place: tuple[str, str, Callable[[str], dict[str, Any]]], bad: str
) -> None:
    name, _, put = place
    try:
        command = call(name, put(bad))
    except UnsafeText:
        return
    request = on_the_wire(command)
    assert request.line == command.line
    good = on_the_wire(call(name, GOOD[name]))
    assert set(request.headers) <= {*good.headers, "content-type", "content-length", "execute-app-arg"}
    assert (request.body.decode() or request.headers.get("execute-app-arg", "")) == command.body
    if name not in ("raw_api", "expand_probe", "auth"):
        assert "${" not in command.line + command.body


@pytest.mark.parametrize("value", ["${x}", "$${x}", "a ${system(id)} b", "$\\{x}", "$\\\\{x}"])
def test_what_the_switch_would_expand_is_refused_as_a_value_and_as_an_argument(value: str) -> None:
    for make in (
        lambda: commands.safe_value(value),
        lambda: commands.uuid_setvar(A, "il_x", value),
        lambda: commands.set_(A, "il_x", value),
        lambda: commands.execute(A, "set", f"il_x={value}"),
        lambda: commands.playback(A, value),
        lambda: commands.originate(Originate(A, PHONE, {"il_x": value})),
    ):
        with pytest.raises(UnsafeText):
            make()


@pytest.mark.parametrize("value", ["ARRAY::a|:b", " x", "x "])
def test_values_that_the_switch_would_change_are_refused(value: str) -> None:
    with pytest.raises(UnsafeText):
        commands.uuid_setvar(A, "il_x", value)


@pytest.mark.parametrize("argument", ["%[a=b]c", "%^[a=b]c"])
def test_a_list_of_scope_variables_is_refused_in_an_argument(argument: str) -> None:
    with pytest.raises(UnsafeText):
        commands.execute(A, "playback", argument)


@pytest.mark.parametrize(
    "app", ["system", "lua", "bgsystem", "socket", "eval", "bridge", "playbakc", "", "set\n"]
)
def test_unknown_and_dangerous_applications_are_refused(app: str) -> None:
    with pytest.raises(UnsafeText):
        commands.execute(A, app)
    assert not {"system", "lua", "bgsystem", "socket", "eval", "bridge", "javascript"} & APPLICATIONS


@pytest.mark.parametrize(
    "bad", ["", "x", A[:-1], A + "a", A.replace("-", ""), A + " all", f"{{{A}}}", "٣" * 36]
)
def test_what_is_no_uuid_is_refused(bad: str) -> None:
    for make in (commands.uuid_kill, commands.uuid_dump, commands.answer):
        with pytest.raises(UnsafeText):
            make(bad)


@pytest.mark.parametrize(
    "number",
    [
        "",
        "1|2",
        "1,2",
        "{a=b}1",
        "[a=b]1",
        "<1>",
        "1^2",
        "1:2",
        "1:_:2",
        "1'",
        '1"',
        "1 2",
        "1/2",
        "1@x",
        "abc",
        "1%2",
    ],
)
def test_dial_string_syntax_is_refused_in_a_number(number: str) -> None:
    for dial in (GatewayDial("pstn", number), LoopbackDial(number)):
        with pytest.raises(UnsafeText):
            commands.originate(Originate(A, dial))


def test_the_text_of_an_execute_is_what_the_switch_wants() -> None:
    command = commands.execute(A, "set", "il_name=广州", event_uuid="e-1", lock=True)
    assert (
        command.wire()
        == (
            f"sendmsg {A}\ncall-command:execute\nexecute-app-name:set\nevent-uuid:e-1\n"
            "event-lock:1\ncontent-type:text/plain\ncontent-length:14\n\nil_name=广州"
        ).encode()
    )
    assert commands.execute(A, "set", "il_x=1").wire() == (
        f"sendmsg {A}\ncall-command:execute\nexecute-app-name:set\nexecute-app-arg:il_x=1\n\n".encode()
    )


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (commands.event_json("DTMF", "il::key", "HEARTBEAT"), "event json DTMF HEARTBEAT CUSTOM il::key"),
        (commands.only("Event-Name", "DTMF"), "filter Event-Name DTMF"),
        (commands.only("Application", "-set"), "filter Application -set"),
        (commands.uuid_setvar(A, "il_x", "it's \\n"), f"api uuid_setvar {A} il_x it\\'s \\\\n"),
        (commands.uuid_setvar(A, "il_x", ""), f"api uuid_setvar {A} il_x"),
        (commands.uuid_break(A), f"api uuid_break {A}"),
        (commands.uuid_transfer(A, "8001"), f"api uuid_transfer {A} 8001 XML default"),
        (commands.uuid_transfer(A, "8001", leg="both"), f"api uuid_transfer {A} -both 8001 XML default"),
        (commands.uuid_transfer_to_park(A), f"api uuid_transfer {A} park inline"),
        (
            commands.uuid_transfer_to_conference(A, "t1"),
            f"api uuid_transfer {A} conference:t1@default,park inline",
        ),
        (commands.uuid_record(A, "start", "/r/a b.wav"), f"api uuid_record {A} start /r/a\\sb.wav"),
        (commands.hash_delete_ifmatch("il", "lease:x", "3"), "api hash delete_ifmatch/il/lease:x/3"),
        (
            commands.sched_api(9, "il_g", commands.hash_delete("il", "k"), thread=True),
            "api sched_api +9 il_g hash delete/il/k&",
        ),
        (commands.sched_del(7), "api sched_del 7"),
        (commands.sched_del(A), f"api sched_del {A}"),
        (commands.status().background(A), "bgapi status"),
        (
            commands.originate(Originate(A, PhoneDial("1001"), {"il_owner": B, "il_none": ""}, timeout=20)),
            f"api originate {{origination_uuid={A},originate_timeout=20,il_owner={B}}}"
            "sofia/internal/1001%local &park()",
        ),
        (
            commands.eavesdrop(A, GatewayDial("pstn", "+8613800000000"), B),
            f"api originate {{origination_uuid={A},originate_timeout=30}}"
            f"sofia/gateway/pstn/+8613800000000 &eavesdrop({B})",
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Command) else "",
)
def test_lines_read_as_the_switch_takes_them(command: Command, line: str) -> None:
    assert command.line == line


def unquote_as_the_switch(piece: str, delimiter: str) -> str:
    """cleanup_separated_string of switch_utils.c, for one piece."""
    out, at, quoted = "", 0, False
    while at < len(piece):
        char, after = piece[at], piece[at + 1 : at + 2]
        plain = {"n": "\n", "r": "\r", "t": "\t", "s": " "}
        if char == "\\" and after and (after in "'\"\\" or after == delimiter or after in plain):
            out += plain.get(after, after)
            at += 2
            continue
        if char == "'" and (quoted or "'" in piece[at + 1 :]):
            quoted = not quoted
        else:
            out += char
        at += 1
    return out


def split_as_the_switch(line: str, delimiter: str, most: int) -> list[str]:
    """switch_separate_string of switch_utils.c."""
    pieces, begin, at, quoted = [], 0, 0, False
    while at < len(line) and len(pieces) < most - 1:
        char = line[at]
        if char == "\\":
            at += 1
        elif char == "'" and (quoted or "'" in line[at + 1 :]):
            quoted = not quoted
        elif char == delimiter and not quoted:
            pieces.append(line[begin:at])
            begin = at + 1
        at += 1
    pieces.append(line[begin:])
    return [unquote_as_the_switch(piece, "" if delimiter == " " else delimiter) for piece in pieces]


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30))
@settings(max_examples=500)
def test_a_variable_of_a_dial_string_arrives_whole_through_the_three_splits_of_the_switch(value: str) -> None:
    try:
        line = Originate(A, PHONE, {"il_x": value, "il_after": "y"}).line()
    except UnsafeText:
        return
    leg, app = split_as_the_switch(line, " ", 10)
    assert app == "&park()"
    assert leg.count("{") == leg.count("}") == 1
    pairs = split_as_the_switch(leg[1 : leg.index("}")], ",", 1024)
    variables = dict(tuple(split_as_the_switch(pair, "=", 2)) for pair in pairs)
    assert variables["il_x"] == value
    assert variables["il_after"] == "y"
    assert set(variables) == {"origination_uuid", "originate_timeout", "il_x", "il_after"}


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30))
def test_a_value_set_by_uuid_setvar_arrives_whole(value: str) -> None:
    try:
        command = commands.uuid_setvar(A, "il_x", value)
    except UnsafeText:
        return
    assert split_as_the_switch(command.line.removeprefix("api uuid_setvar "), " ", 3) == [A, "il_x", value]


@given(st.text(max_size=80))
def test_a_strangers_name_is_made_fit_to_be_shown_and_never_refused(name: str) -> None:
    shown = text.display_text(name)
    assert len(shown) <= 60
    line = commands.originate(Originate(A, PHONE, caller_id_name=name)).line
    assert ("origination_caller_id_name=" in line) == bool(shown)
    assert text.display_text("O'Brien, {x=y}\n广州  恒润") == "O Brien x y 广州 恒润"


def test_digits_are_asked_for_with_the_switchs_quirks() -> None:
    ask = Digits(1, 4, first=5, between=0.3, prompt="/p/a b.wav", terminators="")
    assert ask.argument() == "1 4 1 5000 none /p/a\\sb.wav silence_stream://1 il_digits ^[0-9*#]+$ 300"
    for bad in (
        {"minimum": 5, "maximum": 4},
        {"minimum": -1, "maximum": 4},
        {"minimum": 1, "maximum": 200},
        {"minimum": 1, "maximum": 4, "tries": 0},
        {"minimum": 1, "maximum": 4, "pattern": "\\d+"},
        {"minimum": 1, "maximum": 4, "variable": "a b"},
    ):
        with pytest.raises(UnsafeText):
            Digits(**bad).argument()


@pytest.mark.parametrize(
    "bad", ["", "a.wav", "/a/../b.wav", "/a/{x}b.wav", "/a|b", "/a'b", "/a,b", "${x}", "/a "]
)
def test_a_recording_goes_only_to_a_plain_absolute_path(bad: str) -> None:
    for make in (
        lambda: commands.record_session(A, bad),
        lambda: commands.uuid_record(A, "start", bad),
        lambda: commands.stop_record_session(A, bad),
    ):
        with pytest.raises(UnsafeText):
            make()


def test_clips_are_joined_and_nothing_is_hidden_among_them() -> None:
    assert commands.clips(["/p/a.wav"]) == "/p/a.wav"
    assert commands.clips(["/p/a.wav", "/p/b.wav"]) == "file_string:///p/a.wav!/p/b.wav"
    for bad in ([], ["/p/a!b.wav", "/p/c.wav"], ["{x=y}/p/a.wav"]):
        with pytest.raises(UnsafeText):
            commands.clips(bad)


def test_a_command_that_names_the_event_socket_module_is_refused_but_for_operators() -> None:
    with pytest.raises(UnsafeText):
        commands.uuid_setvar(A, "il_x", "unload mod_event_socket")
    assert commands.raw_api("reload mod_event_socket").line == "api reload mod_event_socket"


def test_a_scheduler_group_of_digits_alone_is_refused() -> None:
    with pytest.raises(UnsafeText):
        commands.sched_api(5, "123", commands.status())
    with pytest.raises(UnsafeText):
        commands.sched_del("123")


def test_only_api_commands_run_in_the_background_or_on_schedule() -> None:
    for wrong in (commands.unset(A, "il_x"), commands.exit_(), commands.auth("x")):
        with pytest.raises(UnsafeText):
            wrong.background(B)
        with pytest.raises(UnsafeText):
            commands.sched_api(5, "il_g", wrong)


def test_a_password_shows_in_no_log() -> None:
    command = commands.auth("s3cret")
    assert "s3cret" not in f"{command} {command!r} {command.name}"
    assert b"s3cret" in command.wire()


def test_the_probe_tells_a_switch_that_expands_from_one_that_does_not() -> None:
    assert commands.expands(f"il-{A}-il\n")
    assert not commands.expands("il-<API execute Permission Denied>-il")
    assert not commands.expands("il-${create_uuid()}-il")
    assert not commands.expands("")
