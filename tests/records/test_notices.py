"""Telling people: by mail, webhook, telephone and a plugin, one way after the other, until somebody sees to it."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from email import message_from_bytes, policy
from typing import Any

import pytest
from gevent.pywsgi import WSGIServer
from gevent.server import StreamServer

ALERT = """
tell:
  - answer
  - set: {area: "0201"}
  - alert: {to: leads, text: fault, values: {area: "{area}"}, level: critical, key: "{area}", window: 1h}
  - play: owed
  - hangup
"""


class Post:
    """A mail server that keeps what it gets; ``refuses`` answers every message with 451."""

    def __init__(self) -> None:
        self.letters: list[Any] = []
        self.refuses = 0
        self.server = StreamServer(("127.0.0.1", 0), self._talk)
        self.server.start()

    @property
    def port(self) -> int:
        return int(self.server.server_port)

    def _talk(self, socket: Any, _address: Any) -> None:
        lines = socket.makefile("rb")

        def say(text: str) -> None:
            socket.sendall(text.encode() + b"\r\n")

        say("220 here")
        while line := lines.readline():
            word = line[:4].upper()
            if word == b"DATA":
                say("354 go on")
                body = b""
                while (more := lines.readline()) != b".\r\n":
                    body += more
                if self.refuses:
                    self.refuses -= 1
                    say("451 later")
                else:
                    self.letters.append(message_from_bytes(body, policy=policy.default))
                    say("250 kept")
            elif word == b"QUIT":
                say("221 bye")
                return
            else:
                say("250 ok")


class Hook:
    """A web server that keeps what is posted to it; ``answers`` are the next statuses."""

    def __init__(self) -> None:
        self.posts: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[str] = []
        self.server = WSGIServer(("127.0.0.1", 0), self._serve, log=None)
        self.server.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/hook"

    def _serve(self, environ: Any, start: Any) -> list[bytes]:
        headers = {
            key[5:].lower().replace("_", "-"): value for key, value in environ.items() if key[:5] == "HTTP_"
        }
        self.posts.append((headers, environ["wsgi.input"].read()))
        start(self.answers.pop(0) if self.answers else "204 No Content", [])
        return []


@pytest.fixture
def post() -> Iterator[Post]:
    made = Post()
    yield made
    made.server.stop()


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    yield made
    made.server.stop()


def alerted(centre: Any) -> Any:
    """Somebody called, and an alert came of it."""
    caller = centre.caller().dials("8000")
    caller.hears("owed")
    caller.hangs_up()
    return caller


def until(centre: Any, state: str, within: float = 600.0) -> Any:
    """The only notice, once it is in that state."""
    end = centre.virtual.monotonic() + within
    while centre.virtual.monotonic() < end:
        if (row := centre.one("notices"))["state"] == state:
            return row
        centre.virtual.sleep(0.5)
    raise AssertionError(f"it is {row}")


def test_a_mail_is_sent_again_after_a_refusal_and_says_what_it_is_about(desk: Any, post: Post) -> None:
    post.refuses = 1
    centre = desk(
        ALERT,
        f"mail: {{host: 127.0.0.1, port: {post.port}, sender: centre@example.com}}\n"
        "groups: {leads: {ways: [{mail: [li.na@example.com, lead@example.com]}]}}",
    )
    alerted(centre)
    until(centre, "told")
    [letter] = post.letters
    assert letter["To"] == "li.na@example.com, lead@example.com"
    assert "critical: A fault in area" in letter["Subject"]
    assert "A fault in area" in letter.get_content()
    kinds = [entry.kind for entry in centre.journal() if entry.kind.startswith(("alert", "notice"))]
    assert kinds == ["alert.kept", "notice.tried", "notice.tried", "notice.told"]


def test_a_webhook_is_signed_and_a_refusal_for_good_leads_to_the_next_way(desk: Any, hook: Hook) -> None:
    hook.answers = ["503 Busy", "204 No Content"]
    centre = desk(ALERT, f'groups: {{leads: {{ways: [{{webhook: "{hook.url}", secret: apple}}]}}}}')
    alerted(centre)
    row = until(centre, "told")
    assert len(hook.posts) == 2
    headers, body = hook.posts[1]
    proof = hmac.new(b"apple", headers["x-insideline-timestamp"].encode() + b"." + body, hashlib.sha256)
    assert headers["x-insideline-signature"] == f"sha256={proof.hexdigest()}"
    assert headers["idempotency-key"] == row["id"] == json.loads(body)["id"]
    assert json.loads(body)["values"] == {"area": "0201"}


def test_the_same_key_is_told_once_in_its_window(desk: Any, hook: Hook) -> None:
    centre = desk(ALERT, f'groups: {{leads: {{ways: [{{webhook: "{hook.url}"}}]}}}}')
    alerted(centre)
    alerted(centre)
    until(centre, "told")
    assert len(centre.journal(kind="alert.repeated")) == 1
    centre.clock.advance("61m")
    alerted(centre)
    assert len(centre.rows("notices")) == 2


def test_a_lead_hears_it_on_the_phone_and_presses_the_key(desk: Any) -> None:
    centre = desk(ALERT, 'groups: {leads: {acknowledge: 5m, ways: [{phone: "1002"}]}}')
    alerted(centre)
    phone = centre.simulator.phone("1002")
    ring = phone.wait_ring(60.0)
    phone.answer()
    assert said(centre, ring) == "fault"
    assert said(centre, ring) == "press_to_acknowledge"
    centre.virtual.sleep(1.0)
    phone.press("1")
    assert said(centre, ring) == "notice_acknowledged"
    assert until(centre, "acknowledged")["by"] == "phone 1002"
    centre.clock.advance("10m")
    assert phone.wait_ring(1.0) is None


def test_without_the_key_the_phone_rings_again_and_then_the_next_way_is_gone(desk: Any, hook: Hook) -> None:
    centre = desk(
        ALERT,
        f'groups: {{leads: {{acknowledge: 5m, ways: [{{phone: "1002", tries: 2, rings: 10s, every: 1m}}, '
        f'{{webhook: "{hook.url}"}}]}}}}',
    )
    alerted(centre)
    phone = centre.simulator.phone("1002")
    for _ in range(2):
        assert phone.wait_ring(120.0) is not None
        centre.virtual.sleep(12.0)
    row = until(centre, "failed", 900.0)
    assert len(hook.posts) == 1  # it got through, and nobody acknowledged within five minutes
    assert row["error"] == "nobody acknowledged"


def test_what_waits_is_told_by_the_next_engine(desk: Any, hook: Hook) -> None:
    hook.answers = ["503 Busy"]
    centre = desk(ALERT, f'groups: {{leads: {{ways: [{{webhook: "{hook.url}"}}]}}}}')
    alerted(centre)
    until(centre, "waiting")
    centre.engine.kill()
    centre.engine.start()
    until(centre, "told")
    assert len(hook.posts) == 2


def test_a_mistake_in_the_file_is_told_with_its_place(desk: Any) -> None:
    from engine.errors import ConfigError

    with pytest.raises(ConfigError) as told:
        desk(ALERT, "groups:\n  leads: {ways: [{mail: [li.na@example.com]}]}\n  other: {wais: []}")
    text = str(told.value)
    assert "conf/notify.yaml:4:" in text
    assert "ways" in text
    with pytest.raises(ConfigError, match=r"there is no group `leads`"):
        desk(ALERT, "groups: {leds: {ways: [{phone: 1002}]}}")


def said(centre: Any, line: Any) -> str:
    """The next words on the line."""
    while True:
        heard = centre.describe(line.next_playback(30.0).path)
        if heard is not None:
            return str(heard.key or heard.text)


def test_the_number_that_rings_may_stand_in_the_notice(desk: Any) -> None:
    alert = ALERT.replace('values: {area: "{area}"}', 'values: {area: "{area}", where: "1002"}')
    centre = desk(alert, 'groups: {leads: {ways: [{phone: "{where}"}]}}')
    alerted(centre)
    phone = centre.simulator.phone("1002")
    ring = phone.wait_ring(60.0)
    phone.answer()
    assert said(centre, ring) == "fault"
    assert said(centre, ring) == "press_to_acknowledge"
    centre.virtual.sleep(1.0)
    phone.press("1")
    assert until(centre, "acknowledged")["by"] == "phone 1002"
    found = centre.app.records.notices_for(None).find(centre.one("notices")["key"])
    assert (found.state, found.by, found.values["where"]) == ("acknowledged", "phone 1002", "1002")
    assert found.ended is not None
    assert centre.app.records.notices_for(None).find("something else") is None


def test_a_notice_that_says_no_number_goes_the_next_way(desk: Any, hook: Hook) -> None:
    alert = ALERT.replace('values: {area: "{area}"}', 'values: {area: "{area}", where: "*99,sofia/x"}')
    ways = f'[{{phone: "{{where}}"}}, {{phone: "{{nothing}}"}}, {{webhook: "{hook.url}"}}]'
    centre = desk(alert, f"groups: {{leads: {{ways: {ways}}}}}")
    alerted(centre)
    until(centre, "told")
    assert len(hook.posts) == 1
    tried = [(entry.data["way"], entry.data["through"]) for entry in centre.journal(kind="notice.tried")]
    assert tried == [("phone", False), ("phone", False), ("webhook", True)]
