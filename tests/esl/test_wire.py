"""The decoder: every kind of frame, cut anywhere, within limits, and never a step too far."""

from __future__ import annotations

import time
from itertools import pairwise

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.esl import wire
from engine.esl.wire import CommandDecoder, Decoder, Frame, Limits, WireError

FRAMES = {
    "auth/request": (b"Content-Type: auth/request\n\n", Frame({"Content-Type": "auth/request"})),
    "command/reply": (
        b"Content-Type: command/reply\nReply-Text: +OK accepted\n\n",
        Frame({"Content-Type": "command/reply", "Reply-Text": "+OK accepted"}),
    ),
    "bgapi reply": (
        b"Content-Type: command/reply\nReply-Text: +OK Job-UUID: 7f4d\nJob-UUID: 7f4d\n\n",
        Frame({"Content-Type": "command/reply", "Reply-Text": "+OK Job-UUID: 7f4d", "Job-UUID": "7f4d"}),
    ),
    "api/response": (
        b"Content-Type: api/response\nContent-Length: 8\n\n+OK\n\n\n!\n",
        Frame({"Content-Type": "api/response", "Content-Length": "8"}, b"+OK\n\n\n!\n"),
    ),
    "json event": (
        b'Content-Length: 24\nContent-Type: text/event-json\n\n{"Event-Name":"CUSTOM"}\n',
        Frame({"Content-Length": "24", "Content-Type": "text/event-json"}, b'{"Event-Name":"CUSTOM"}\n'),
    ),
    "json event, headers the other way round": (
        b"Content-Type: text/event-json\nContent-Length: 2\n\n{}",
        Frame({"Content-Type": "text/event-json", "Content-Length": "2"}, b"{}"),
    ),
    "plain event": (
        b"Content-Length: 20\nContent-Type: text/event-plain\n\nEvent-Name: CUSTOM\n\n",
        Frame({"Content-Length": "20", "Content-Type": "text/event-plain"}, b"Event-Name: CUSTOM\n\n"),
    ),
    "disconnect notice": (
        b"Content-Type: text/disconnect-notice\nContent-Length: 5\n\nbye.\n",
        Frame({"Content-Type": "text/disconnect-notice", "Content-Length": "5"}, b"bye.\n"),
    ),
    "rude rejection": (
        b"Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n",
        Frame({"Content-Type": "text/rude-rejection", "Content-Length": "24"}, b"Access Denied, go away.\n"),
    ),
    "log line": (
        b"Content-Type: log/data\nContent-Length: 3\nUser-Data: \n\nhi\n",
        Frame({"Content-Type": "log/data", "Content-Length": "3", "User-Data": ""}, b"hi\n"),
    ),
    "no Content-Type": (b"Foo: bar\n\n", Frame({"Foo": "bar"})),
    "lower case": (
        b"content-type: api/response\ncontent-length: 1\n\nx",
        Frame({"Content-Type": "api/response", "Content-Length": "1"}, b"x"),
    ),
    "empty body": (
        b"Content-Type: api/response\nContent-Length: 0\n\n",
        Frame({"Content-Type": "api/response", "Content-Length": "0"}),
    ),
    "a reply of two lines": (
        b"Content-Type: command/reply\nReply-Text: -ERR no\nsuch thing\n\n",
        Frame({"Content-Type": "command/reply", "Reply-Text": "-ERR no\nsuch thing"}),
    ),
}
STREAM = b"".join(data for data, _ in FRAMES.values())
EXPECTED = [frame for _, frame in FRAMES.values()]


def frames_of(decoder: Decoder) -> list[Frame]:
    frames = []
    while (frame := decoder.next()) is not None:
        frames.append(frame)
    return frames


def feed_for_ever(decoder: Decoder, piece: bytes) -> int:
    for _ in range(5000):
        decoder.feed(piece)
        if decoder.next() is not None:
            return 1
    return 2


def decode(*pieces: bytes, limits: Limits | None = None) -> list[Frame]:
    decoder = Decoder(limits)
    frames = []
    for piece in pieces:
        decoder.feed(piece)
        frames += frames_of(decoder)
    return frames


@pytest.mark.parametrize("name", FRAMES)
def test_each_kind_of_frame_is_read_whole(name: str) -> None:
    data, frame = FRAMES[name]
    assert decode(data) == [frame]
    assert decode(data)[0].type == frame.headers.get("Content-Type", "")


@pytest.mark.parametrize("name", FRAMES)
def test_each_kind_of_frame_is_read_byte_by_byte_and_not_one_byte_early(name: str) -> None:
    data, frame = FRAMES[name]
    decoder = Decoder()
    for at in range(len(data) - 1):
        decoder.feed(data[at : at + 1])
        assert decoder.next() is None, f"a frame after {at + 1} of {len(data)} bytes"
    decoder.feed(data[-1:])
    assert decoder.next() == frame
    assert decoder.next() is None
    assert decoder.held == 0
    decoder.eof()


def test_all_kinds_one_after_the_other_keep_their_order() -> None:
    assert decode(STREAM) == EXPECTED


@given(st.lists(st.integers(0, len(STREAM)), max_size=30))
def test_any_way_of_cutting_gives_the_same_frames(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[a:b] for a, b in pairwise(edges)]
    assert decode(*pieces) == EXPECTED


_PIECES = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.sampled_from(
            [
                b"\n",
                b"\n\n",
                b"Content-Length: ",
                b"5",
                b"-1",
                b"99999999999999999999",
                b"Content-Type: text/event-json\n",
                b"Content-Length: 3\nContent-Type: text/event-json\n\n",
                b"{}",
                b": ",
                b"\xff\xfe",
            ]
        ),
    ),
    max_size=30,
)


@given(_PIECES)
@example([b"Content-Length: 3\nContent-Type: text/event-json\n\n", b"{}"])
@settings(max_examples=400)
def test_garbage_gives_frames_or_a_wire_error_and_never_spins(pieces: list[bytes]) -> None:
    decoder = Decoder(Limits(head=200, body=1000))
    fed = taken = 0
    try:
        for piece in pieces:
            decoder.feed(piece)
            fed += len(piece)
            for _ in range(len(piece) + 2):  # each frame takes at least one byte
                frame = decoder.next()
                if frame is None:
                    break
                taken += 1
            else:
                pytest.fail("more frames than bytes")
            assert decoder.held <= fed
        assert taken <= fed
        decoder.eof()
    except WireError:
        decoder.feed(b"Content-Type: auth/request\n\n")
        with pytest.raises(WireError):  # once out of step, always out of step
            decoder.next()


@given(_PIECES)
def test_garbage_cut_differently_gives_the_same_frames(pieces: list[bytes]) -> None:
    def run(pieces: list[bytes]) -> tuple[list[Frame], bool]:
        decoder, frames = Decoder(Limits(head=200, body=1000)), []
        try:
            for piece in pieces:
                decoder.feed(piece)
                while (frame := decoder.next()) is not None:
                    frames.append(frame)
        except WireError:
            return frames, True
        return frames, False

    whole = b"".join(pieces)
    assert run(pieces) == run([whole]) == run([whole[i : i + 1] for i in range(len(whole))])


@pytest.mark.parametrize(
    "length",
    ["-1", "+5", "0x10", "1e3", "five", "", "5 5", "٣", "1_000", "99999999999", "33554433", "5,5"],
)
@pytest.mark.parametrize("kind", ["text/event-json", "api/response"])
def test_a_length_that_is_none_or_too_large_is_an_error_at_once(length: str, kind: str) -> None:
    decoder = Decoder()
    decoder.feed(f"Content-Length: {length}\nContent-Type: {kind}\n\n".encode())
    with pytest.raises(WireError):
        decoder.next()
    decoder.feed(b"x" * 100)
    with pytest.raises(WireError):
        decoder.next()


def test_two_lengths_that_differ_are_an_error_and_two_that_agree_are_not() -> None:
    with pytest.raises(WireError):
        decode(b"Content-Type: api/response\nContent-Length: 1\nContent-Length: 2\n\nab")
    (frame,) = decode(b"Content-Type: api/response\nContent-Length: 1\nContent-Length: 1\n\na")
    assert frame.body == b"a"


def test_of_two_headers_of_one_name_the_first_counts() -> None:
    (frame,) = decode(b"Content-Type: command/reply\nReply-Text: +OK\nReply-Text: -ERR\n\n")
    assert frame.headers["Reply-Text"] == "+OK"


def test_a_head_without_end_is_an_error_at_the_limit_however_it_is_cut() -> None:
    for size in (1, 7, 5000):
        decoder = Decoder(Limits(head=4000))
        taken = 0
        with pytest.raises(WireError):
            taken = feed_for_ever(decoder, b"a" * size)
        assert taken == 0
    assert decode(b"a: " + b"b" * 3000 + b"\n\n", limits=Limits(head=4000)) == [Frame({"a": "b" * 3000})]


def test_a_body_at_the_limit_is_read_and_one_above_is_refused() -> None:
    head = b"Content-Length: %d\nContent-Type: text/event-json\n\n"
    assert len(decode(head % 100 + b"x" * 100, limits=Limits(body=100))) == 1
    with pytest.raises(WireError):
        decode(head % 101 + b"x" * 101, limits=Limits(body=100))


def test_a_large_body_in_small_pieces_costs_linear_time() -> None:
    def seconds(size: int) -> float:
        decoder, began = Decoder(), time.process_time()
        decoder.feed(b"Content-Type: api/response\nContent-Length: %d\n\n" % size)
        for _ in range(size // 100):
            decoder.feed(b"x" * 100)
            decoder.next()
        assert decoder.next() is None
        assert decoder.held == 0
        return time.process_time() - began

    seconds(100_000)
    assert seconds(4_000_000) < 40 * max(seconds(200_000), 0.002)


def test_an_end_within_a_frame_is_an_error_and_between_frames_is_not() -> None:
    decoder = Decoder()
    decoder.feed(b"Content-Type: api/response\nContent-Length: 10\n\nhalf")
    assert decoder.next() is None
    with pytest.raises(WireError, match="within a frame"):
        decoder.eof()
    decoder = Decoder()
    decoder.feed(STREAM + b"\n\n")
    assert frames_of(decoder) == EXPECTED
    decoder.eof()


def test_bytes_that_are_not_utf8_become_replacement_characters() -> None:
    (frame,) = decode(b"Content-Type: command/reply\nReply-Text: +OK \xff\xfe\n\n")
    assert frame.headers["Reply-Text"] == "+OK \ufffd\ufffd"
    (frame,) = decode(b"Content-Type: api/response\nContent-Length: 2\n\n\xc3(")
    assert frame.text == "\ufffd("
    headers = wire.parse_json(b'{"Event-Name":"DTMF","Caller-Caller-ID-Name":"J\xfcrgen"}')
    assert headers == {"Event-Name": "DTMF", "Caller-Caller-ID-Name": "J\ufffdrgen"}
    "".join(headers.values()).encode()  # can be sent on and stored


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\r", "\x1c"])
def test_only_a_line_feed_ends_a_line(separator: str) -> None:
    head = f"Content-Type: command/reply\nReply-Text: a{separator}Job-UUID: b\n\n"
    (frame,) = decode(head.encode())
    assert frame.headers == {"Content-Type": "command/reply", "Reply-Text": f"a{separator}Job-UUID: b"}


@pytest.mark.parametrize("hidden", ["%0A", "%0D%0A", "%E2%80%A8", "%C2%85", "%0a"])
def test_an_encoded_line_end_in_a_plain_event_stays_in_its_value(hidden: str) -> None:
    body = f"Unique-ID: real\nCaller-Caller-ID-Name: x{hidden}Unique-ID%3A%20victim\n\n".encode()
    headers = wire.parse_plain(body)
    assert headers["Unique-ID"] == "real"
    assert headers["Caller-Caller-ID-Name"].endswith("Unique-ID: victim")
    assert set(headers) == {"Unique-ID", "Caller-Caller-ID-Name"}


def test_a_plain_event_keeps_its_own_body_apart() -> None:
    body = "+OK Unique-ID: victim\nEvent-Name: HEARTBEAT\n\n完\n"
    headers = {"Event-Name": "BACKGROUND_JOB", "Job-UUID": "7f4d", "Empty": ""}
    (frame,) = decode(wire.encode_event_plain(headers, body))
    length = str(len(body.encode()))
    assert wire.parse_plain(frame.body) == {**headers, "Content-Length": length, "_body": body}


@pytest.mark.parametrize("length", ["-1", "9999", "x", ""])
def test_a_nested_length_that_does_not_fit_is_an_error_of_that_event(length: str) -> None:
    with pytest.raises(WireError):
        wire.parse_plain(f"Event-Name: X\nContent-Length: {length}\n\nabc".encode())


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b'{"a":', b"\xff\xfe", b"null"])
def test_an_event_that_is_no_json_object_is_an_error_of_that_event(body: bytes) -> None:
    with pytest.raises(WireError):
        wire.parse_json(body)


_HEADERS = st.dictionaries(
    st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,20}", fullmatch=True).filter(
        lambda name: name not in ("Content-Length", "_body")
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30).filter(
        lambda text: text != "_undef_" and text == text.strip(" \r")
    ),
    min_size=1,
    max_size=8,
)


@given(_HEADERS, st.one_of(st.none(), st.text(max_size=30)))
def test_what_is_encoded_as_json_or_plain_reads_the_same_again(
    headers: dict[str, str], body: str | None
) -> None:
    for encode, parse in (
        (wire.encode_event_json, wire.parse_json),
        (wire.encode_event_plain, wire.parse_plain),
    ):
        try:
            data = encode(headers, body)
        except (UnicodeEncodeError, orjson.JSONEncodeError):
            return  # a lone surrogate can't be encoded by anybody
        (frame,) = decode(data)
        read = parse(frame.body)
        assert {name: read[name] for name in headers} == headers
        assert read.get("_body") == body


def test_replies_and_answers_are_encoded_as_the_switch_writes_them() -> None:
    assert wire.encode_reply("+OK") == b"Content-Type: command/reply\nReply-Text: +OK\n\n"
    empty = b"Content-Type: api/response\nContent-Length: 14\n\n-ERR no reply\n"
    assert wire.encode_api("") == empty


@given(st.lists(st.integers(0, 400), max_size=12))
def test_commands_are_read_as_the_switch_reads_them_however_they_are_cut(cuts: list[int]) -> None:
    data = (
        "auth secret\n\n"
        "\n\nsendmsg abc\ncall-command: execute\nexecute-app-name: set\ncontent-type: text/plain\n"
        "content-length: 9\n\nil=广州bgapi status\nJob-UUID: 7\n\n"
    ).encode()
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    decoder, requests = CommandDecoder(), []
    for a, b in pairwise(edges):
        decoder.feed(data[a:b])
        while (request := decoder.next()) is not None:
            requests.append(request)
    assert [request.line for request in requests] == ["auth secret", "sendmsg abc", "bgapi status"]
    assert requests[1].body == "il=广州".encode()
    assert requests[2].headers == {"job-uuid": "7"}
