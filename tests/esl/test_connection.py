"""The connection while it is up, on the virtual clock: logging in, commands and replies, jobs, events."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from engine.clock import VirtualClock
from engine.errors import CommandRefused, CommandTimeout, HungUp, NotConnected, SwitchError, UnsafeText
from engine.esl import commands, wire
from engine.esl.connection import EVENTS, Connection, Event
from engine.esl.wire import Request

CALL = "aaaaaaaa-0000-4000-8000-000000000001"
OTHER = "bbbbbbbb-0000-4000-8000-000000000002"


def event(name: str, **headers: str) -> bytes:
    return wire.encode_event_json({"Event-Name": name, **headers})


def until(clock: VirtualClock, true: Callable[[], object], limit: float = 30) -> None:
    """Let virtual time pass until something is true."""
    end = clock.monotonic() + limit
    while not true():
        assert clock.monotonic() < end, "it never came true"
        clock.sleep(0.05)


# -- coming up --------------------------------------------------------------------------------------------


def test_it_logs_in_asks_who_it_is_and_subscribes_before_it_is_up(
    line: Connection, switch: Any, seen: Any
) -> None:
    assert switch.lines()[:3] == [
        "auth right",
        "api global_getvar core_uuid",
        "event json " + " ".join(n for n in EVENTS if "::" not in n) + " CUSTOM "
        "il::key sofia::register sofia::unregister sofia::expire sofia::gateway_state",
    ]
    assert seen.ups == [(0.0, switch.core, False)]
    assert (line.up, line.connected, line.core_uuid, line.error) == (True, True, switch.core, "")


def test_after_it_is_up_the_channels_are_read_at_0_and_at_1_second(
    line: Connection, switch: Any, seen: Any, clock: VirtualClock
) -> None:
    clock.sleep(0.5)
    switch.rows = [{"uuid": CALL}, {"uuid": OTHER}]
    clock.sleep(1)
    assert seen.snapshots == [(0.0, 1, 0), (1.0, 2, 2)]


def test_bytes_that_come_one_by_one_are_enough(make: Any, switch: Any, seen: Any) -> None:
    def drip() -> Any:
        pipe = switch.pipe()
        receive = pipe.recv
        pipe.recv = lambda size: receive(1)
        return pipe

    connection = make(connect=drip)
    connection.start()
    assert connection.wait_up(5)
    assert connection.api(commands.status()) == "+OK"


def test_no_event_is_delivered_before_on_up_returned_and_none_is_lost(
    make: Any, switch: Any, seen: Any, clock: VirtualClock
) -> None:
    order: list[str] = []

    def on_up(core: str, restarted: bool) -> None:
        switch.push(event("CHANNEL_PARK", n="1"), event("CHANNEL_PARK", n="2"))
        clock.sleep(3)
        order.append("up")

    connection = make(on_up=on_up, on_event=lambda e: order.append(e.get("n")))
    connection.start()
    connection.wait_up(10)
    switch.push(event("CHANNEL_PARK", n="3"))
    clock.sleep(0.1)
    assert order == ["up", "1", "2", "3"]


def test_on_up_may_ask_the_switch(make: Any) -> None:
    answers: list[str] = []
    connection = make(on_up=lambda core, restarted: answers.append(connection.api(commands.version())))
    connection.start()
    assert connection.wait_up(5)
    assert answers == ["+OK"]


def test_without_gevent_patched_sockets_it_refuses_to_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.esl.connection.monkey.is_module_patched", lambda name: False)
    with pytest.raises(RuntimeError, match="patched"):
        Connection("127.0.0.1", 8021, "x")


# -- commands and their replies ------------------------------------------------------------------------------


def test_many_greenlets_at_once_each_get_their_own_reply(line: Connection, clock: VirtualClock) -> None:
    def ask(n: int) -> bool:
        return all(line.api(commands.raw_api(f"echo {n}-{k}")) == f"{n}-{k}" for k in range(10))

    greenlets = [clock.spawn(ask, n) for n in range(50)]
    for greenlet in greenlets:
        greenlet.join()
    assert all(greenlet.value for greenlet in greenlets)


def test_a_refusal_is_a_reply_for_request_and_an_error_for_api(line: Connection, switch: Any) -> None:
    switch.script["api uuid_kill"] = wire.encode_api("-ERR No such channel!\n")
    reply = line.request(commands.uuid_kill(CALL))
    assert (reply.ok, reply.text) == (False, "-ERR No such channel!")
    with pytest.raises(CommandRefused, match="uuid_kill: -ERR No such channel!") as caught:
        line.api(commands.uuid_kill(CALL))
    assert caught.value.reply == "-ERR No such channel!"


def test_what_the_switch_calls_no_reply_is_an_empty_answer(line: Connection, switch: Any) -> None:
    switch.script["api hash select"] = wire.encode_api("")
    assert line.api(commands.hash_select("il", "none")) == ""


def test_a_reply_that_is_not_utf8_is_a_reply(line: Connection, switch: Any) -> None:
    switch.script["api version"] = wire.encode([("Content-Type", wire.API_RESPONSE)], b"J\xfcrgen")
    assert line.api(commands.version()) == "J\ufffdrgen"


def test_a_command_without_a_reply_is_given_up_and_the_connection_made_anew(
    line: Connection, switch: Any, seen: Any, clock: VirtualClock
) -> None:
    clock.sleep(2)
    switch.mute = True
    outcomes: list[tuple[str, float]] = []

    def ask(command: commands.Command) -> None:
        try:
            line.api(command)
        except SwitchError as error:
            outcomes.append((type(error).__name__, clock.monotonic()))

    began = clock.monotonic()
    first = clock.spawn(ask, commands.version())
    clock.sleep(1)
    second = clock.spawn(ask, commands.status())
    first.join()
    second.join()
    assert outcomes == [("CommandTimeout", began + 5.2), ("NotConnected", began + 5.2)]
    assert seen.downs == [(began + 5.2, "no reply to version within 5 s")]
    switch.mute = False
    assert line.wait_up(5)
    assert line.api(commands.version()) == "+OK"


def test_a_reply_that_was_there_while_we_were_held_up_still_counts(
    line: Connection, switch: Any, clock: VirtualClock
) -> None:
    def late(_: Request) -> bytes:
        clock.sleep(5.1)
        return wire.encode_api("late")

    switch.script["api version"] = late
    assert line.api(commands.version()) == "late"
    assert line.reconnects == 0


def test_a_command_with_more_time_is_not_cut_short_by_one_behind_it(
    line: Connection, switch: Any, clock: VirtualClock
) -> None:
    def slowly(_: Request) -> bytes:
        clock.sleep(20)
        return wire.encode_api("slow")

    switch.script["api version"] = slowly
    slow = clock.spawn(line.api, commands.version(), 30)
    clock.sleep(0.1)
    quick = clock.spawn(line.api, commands.status())
    slow.join()
    quick.join()
    assert (slow.value, quick.value, line.reconnects) == ("slow", "+OK", 0)


def test_a_reply_that_nobody_asked_for_means_out_of_step(
    line: Connection, switch: Any, seen: Any, clock: VirtualClock
) -> None:
    switch.push(wire.encode_reply("+OK"))
    until(clock, lambda: len(seen.ups) == 2)
    assert "nothing that was asked" in seen.downs[0][1]


def test_who_gives_up_waiting_leaves_the_others_in_step(
    line: Connection, switch: Any, clock: VirtualClock
) -> None:
    def slowly(_: Request) -> bytes:
        clock.sleep(2)
        return wire.encode_api("late")

    switch.script["api version"] = slowly
    impatient = clock.spawn(line.api, commands.version())
    clock.sleep(1)
    impatient.kill()
    assert line.api(commands.raw_api("echo mine")) == "mine"


def test_while_it_is_down_nothing_can_be_sent(make: Any, switch: Any) -> None:
    switch.refusing = True
    connection = make()
    connection.start()
    assert connection.wait_up(1) is False
    for send in (connection.request, connection.api, connection.post, connection.bgapi):
        with pytest.raises(NotConnected, match="Connection refused"):
            send(commands.status())


def test_a_post_is_one_write_and_reports_only_what_went_wrong(
    line: Connection, switch: Any, clock: VirtualClock
) -> None:
    switch.script["api uuid_kill"] = wire.encode_api("-ERR No such channel!\n")
    wrong: list[tuple[str, str]] = []
    clock.sleep(2)
    before = len(switch.near.writes)
    line.post(
        commands.answer(CALL),
        commands.uuid_kill(CALL),
        commands.set_(CALL, "il_x", "1"),
        on_error=lambda command, text: wrong.append((command.name, text)),
    )
    clock.sleep(0.1)
    assert len(switch.near.writes) == before + 1
    assert wrong == [("uuid_kill", "-ERR No such channel!")]
    assert [request.body for request in switch.commands[-3:]] == [b"", b"", b""]
    assert switch.commands[-1].headers["execute-app-arg"] == "il_x=1"


def test_a_post_that_is_lost_with_the_connection_is_reported(
    line: Connection, switch: Any, clock: VirtualClock
) -> None:
    switch.mute = True
    wrong: list[str] = []
    line.post(commands.answer(CALL), on_error=lambda command, text: wrong.append(text))
    clock.sleep(0.1)
    switch.client.close()
    clock.sleep(0.1)
    assert wrong == ["uuid_answer: the switch closed the connection"]


def test_posts_from_within_the_reader_are_sent(make: Any, switch: Any, clock: VirtualClock) -> None:
    connection = make(on_event=lambda e: connection.post(commands.answer(e.uuid)))
    connection.start()
    connection.wait_up(5)
    switch.push(*[event("CHANNEL_PARK", **{"Unique-ID": CALL})] * 300)
    clock.sleep(0.1)
    assert len(switch.lines("api uuid_answer")) == 300


# -- background jobs -----------------------------------------------------------------------------------------


def job_done(job: str, body: str) -> bytes:
    return wire.encode_event_json({"Event-Name": "BACKGROUND_JOB", "Job-UUID": job}, body)


def test_a_background_job_gives_its_result_to_who_waits_and_to_who_asked_to_be_told(
    line: Connection, switch: Any, clock: VirtualClock
) -> None:
    told: list[str] = []
    job = line.bgapi(commands.status(), told.append)
    with pytest.raises(CommandTimeout):
        job.wait(1)
    assert switch.last("bgapi").headers["job-uuid"] == job.uuid
    switch.push(job_done(OTHER, "not mine\n"), job_done(job.uuid, "+OK done\n"))
    assert job.wait(1) == "+OK done"
    assert told == ["+OK done"]


def test_a_result_that_overtakes_its_reply_is_not_lost(line: Connection, switch: Any) -> None:
    def answer(request: Request) -> bytes:
        job = request.headers["job-uuid"]
        return job_done(job, "+OK quick\n") + wire.encode_reply(f"+OK Job-UUID: {job}")

    switch.script["bgapi"] = answer
    assert line.bgapi(commands.status()).wait(1) == "+OK quick"


def test_a_job_that_fails_or_is_refused_raises(line: Connection, switch: Any) -> None:
    def answer(request: Request) -> bytes:
        return wire.encode_reply("+OK") + job_done(request.headers["job-uuid"], "-ERR USER_BUSY\n")

    switch.script["bgapi"] = answer
    with pytest.raises(CommandRefused, match="USER_BUSY"):
        line.bgapi(commands.status()).wait(1)
    switch.script["bgapi"] = wire.encode_reply("-ERR permission denied")
    with pytest.raises(CommandRefused, match="permission denied"):
        line.bgapi(commands.status()).wait(1)


def test_jobs_that_are_lost_with_the_connection_say_so(
    line: Connection, switch: Any, clock: VirtualClock
) -> None:
    told: list[str] = []
    job = line.bgapi(commands.status(), told.append)
    clock.sleep(0.1)
    switch.client.close()
    with pytest.raises(NotConnected, match="closed the connection"):
        job.wait(1)
    assert told == ["-ERR the switch closed the connection"]


# -- waiting for an execution --------------------------------------------------------------------------------


def test_an_execution_is_over_with_its_own_event_or_with_its_channel(
    line: Connection, switch: Any, clock: VirtualClock
) -> None:
    def complete(uuid: str) -> bytes:
        return event("CHANNEL_EXECUTE_COMPLETE", **{"Unique-ID": CALL, "Application-UUID": uuid})

    switch.script["sendmsg"] = lambda request: (
        wire.encode_reply("+OK") + complete("another") + complete(request.headers["event-uuid"])
    )
    done = line.execute(CALL, "playback", "/p/a.wav", timeout=5)
    assert done.get("Application-UUID") == switch.last("sendmsg").headers["event-uuid"]
    hangup = event("CHANNEL_HANGUP", **{"Unique-ID": CALL, "Hangup-Cause": "USER_BUSY"})
    switch.script["sendmsg"] = lambda request: wire.encode_reply("+OK") + hangup
    with pytest.raises(HungUp, match="USER_BUSY"):
        line.execute(CALL, "playback", "/p/a.wav", timeout=5)
    switch.script["sendmsg"] = wire.encode_reply("+OK")
    with pytest.raises(CommandTimeout):
        line.execute(CALL, "playback", "/p/a.wav", timeout=5)
    switch.script["sendmsg"] = wire.encode_reply("-ERR invalid session id")
    with pytest.raises(CommandRefused):
        line.execute(CALL, "playback", "/p/a.wav", timeout=5)
    switch.script["sendmsg"] = lambda request: switch.client.close()
    with pytest.raises(NotConnected):
        line.execute(CALL, "playback", "/p/a.wav", timeout=5)


# -- events --------------------------------------------------------------------------------------------------


def test_events_arrive_in_order_and_read_as_text(
    line: Connection, switch: Any, seen: Any, clock: VirtualClock
) -> None:
    array = {"Event-Name": "CHANNEL_ANSWER", "Unique-ID": CALL, "variable_x": ["a", "b"], "variable_y": "1"}
    switch.push(wire.encode_event_json(array), *[event("DTMF", n=str(n)) for n in range(500)])
    clock.sleep(0.1)
    first = seen.events[0]
    assert (first.name, first.uuid, first.var("x"), first.var("y")) == (
        "CHANNEL_ANSWER",
        CALL,
        "ARRAY::a|:b",
        "1",
    )
    assert (first.get("none"), first.get("none", "d"), first.var("none"), first.body) == (None, "d", None, "")
    assert [e.get("n") for e in seen.events[1:]] == [str(n) for n in range(500)]


def test_plain_events_read_like_json_ones(
    line: Connection, switch: Any, seen: Any, clock: VirtualClock
) -> None:
    headers = {
        "Event-Name": "DTMF",
        "Caller-Caller-ID-Name": "x\nUnique-ID: victim",
        "variable_x": ["a", "b"],
    }
    switch.push(wire.encode_event_plain(headers), wire.encode_event_json(headers))
    clock.sleep(0.1)
    plain, json = seen.events
    for name in headers:
        assert plain.get(name) == json.get(name)
    assert plain.uuid == json.uuid == ""


def test_an_event_that_cant_be_read_is_left_out_and_counted(
    line: Connection, switch: Any, seen: Any, clock: VirtualClock
) -> None:
    broken = [(b"Content-Length: 2\nContent-Type: text/event-json\n\n" + body) for body in (b"[]", b"{,")]
    switch.push(*broken, b"Foo: bar\n\n", event("DTMF"))
    clock.sleep(0.1)
    assert seen.names == ["DTMF"]
    assert (line.malformed, line.reconnects) == (2, 0)


def test_a_handler_that_raises_stops_nothing(make: Any, switch: Any, seen: Any, clock: VirtualClock) -> None:
    def bad(*_: object) -> None:
        seen.events.append(Event({"Event-Name": "seen"}))
        raise ValueError("a handler's own fault")

    connection = make(on_event=bad, on_up=bad, on_snapshot=bad, on_down=bad)
    connection.register_handle("DTMF", bad)
    connection.start()
    assert connection.wait_up(5)
    clock.sleep(2)
    switch.push(event("DTMF"), event("DTMF"))
    clock.sleep(0.1)
    assert len(seen.events) == 1 + 2 + 2 * 2
    switch.client.close()
    clock.sleep(1)
    assert connection.up


def test_the_reader_lets_others_run_however_much_there_is_to_read(
    make: Any, switch: Any, clock: VirtualClock
) -> None:
    turns: list[int] = []
    count = [0]

    def on_event(_: Event) -> None:
        count[0] += 1

    connection = make(on_event=on_event)
    connection.start()
    connection.wait_up(5)

    def tick() -> None:
        while count[0] < 5000:
            turns.append(count[0])
            clock.sleep(0)

    ticker = clock.spawn(tick)
    switch.push(event("DTMF") * 5000)
    ticker.join()
    gaps = [b - a for a, b in pairwise(turns)]
    assert max(gaps) <= 200


def test_a_handler_that_blocks_keeps_nobody_from_reading(
    line: Connection, switch: Any, seen: Any, clock: VirtualClock
) -> None:
    line.register_handle("DTMF", lambda e: clock.sleep(3600))
    switch.push(*[event("DTMF")] * 50)
    clock.sleep(0.1)
    assert len(seen.events) == 50
    assert line.api(commands.status()) == "+OK"
    line.event_handlers.clear()


def test_text_sent_by_hand_is_one_command(line: Connection, switch: Any) -> None:
    assert line.send("api echo a").data == "a"
    for bad in (
        "api echo a\n\napi echo b",
        "api echo a\nJob-UUID: x",
        f"sendmsg {CALL}\ncall-command: execute\ncall-command: hangup",
        f"sendmsg {CALL}\nevil: x",
        f"sendmsg {CALL}\nexecute-app-arg: a\r\n\r\nexit",
        "bgapi status\nJob-UUID: x\n\nexit",
    ):
        with pytest.raises(UnsafeText):
            line.send(bad)
    assert switch.lines("exit") == []
