"""The control API answers with what the parts know, and with one clear line when it can't."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from engine.errors import ConfigError
from engine.types import AgentState
from engine.web.parts import Parts
from engine.web.place import USUAL, reachable
from engine.web.server import Server
from tests.web.fakes import CALL, OTHER


def test_status_says_how_the_engine_is(client: httpx.Client, home: Path) -> None:
    said = client.get("/status").json()
    assert said["switch"] == {
        "name": "the simulator",
        "up": True,
        "core_uuid": "core-1",
        "why": "",
        "leads": True,
    }
    assert said["calls"] == 2
    assert said["queues"] == [{"name": "logistics", "waiting": 1, "ready": 1, "in": 1, "closed": ""}]
    assert said["flows"]["count"] == 1
    assert said["store"]["spooling"] is False
    assert [one["name"] for one in said["plugins"]] == ["day"]
    assert said["faults"] == []
    assert said["day"]["calls"] == 0
    assert said["began"] == "2026-11-23T01:00:00Z"
    assert said["home"] == str(home)


def test_lists_are_arrays_of_what_is_live(client: httpx.Client) -> None:
    assert [one["id"] for one in client.get("/calls").json()] == [CALL.id, OTHER.id]
    [agent] = client.get("/agents").json()
    assert (agent["id"], agent["name"], agent["state"], agent["skills"]) == (
        "8012",
        "林晓燕",
        "ready",
        {"waybill": 3},
    )
    [queue] = client.get("/queues").json()
    assert (queue["title"], queue["waiting"][0]["number"]) == ("Shipments desk", "+8613800000001")
    assert client.get("/queues?language=zh-CN").json()[0]["title"] == "货运服务台"
    [flow] = client.get("/flows").json()
    assert (flow["name"], flow["revision"], flow["languages"]) == ("logistics/main", 3, ["zh-CN", "en"])
    assert [one["kind"] for one in client.get("/news").json()] == ["engine_started"]
    assert client.get("/news?after=1").json() == []


def test_lists_come_from_the_database_with_their_filters(client: httpx.Client) -> None:
    assert [one["call"] for one in client.get("/cdrs").json()] == ["c-1"]
    assert [one["call"] for one in client.get("/cdrs?agent=8012&since=2026-11-23T00:00Z").json()] == ["c-1"]
    assert client.get("/cdrs?number=1").json() == []
    assert client.get("/cdrs?until=2026-11-23T00:00Z").json() == []
    assert [one["id"] for one in client.get("/recordings?call=c-1").json()] == ["r-1"]


def test_one_call_comes_with_its_journal_and_one_recording_with_its_file(
    client: httpx.Client, home: Path
) -> None:
    call = client.get("/cdrs/c-1").json()
    assert call["cdr"]["outcome"] == "talked"
    assert [one["kind"] for one in call["journal"]] == ["call.arrived"]
    recording = client.get("/recordings/r-1").json()
    assert recording["file"] == str(home / "var/recordings/2026/11/23/r-1.wav")
    assert recording["recording"]["seconds"] == 61.5


def test_a_call_may_be_named_by_its_first_signs_while_they_mean_one(
    client: httpx.Client, parts: Parts
) -> None:
    assert client.get(f"/calls/{CALL.id}").json()["id"] == CALL.id
    assert client.get("/calls/0a1b").json() == {"error": "2 of them begin with 0a1b"}
    parts.calls.live = [CALL]  # type: ignore[attr-defined]
    assert client.get("/calls/0a1b").json()["id"] == CALL.id
    assert client.get("/calls/0a1").status_code == 404


def test_a_call_is_hung_up_with_a_cause(client: httpx.Client, parts: Parts) -> None:
    assert client.delete(f"/calls/{OTHER.id}?cause=CALL_REJECTED").json()["id"] == OTHER.id
    assert parts.calls.hung_up == [(OTHER.id, "CALL_REJECTED")]  # type: ignore[attr-defined]


def test_an_operator_logs_agents_in_and_out(client: httpx.Client, parts: Parts) -> None:
    assert client.post("/agents/8012/pause", json={"reason": "lunch"}).json()["state"] == "paused"
    assert client.get("/agents/8012").json()["reason"] == "lunch"
    assert client.post("/agents/8012/ready").json()["state"] == "ready"
    assert client.post("/agents/8012/logout").json()["state"] == "logged_out"
    assert client.post("/agents/8012/login", json={"phone": "1003"}).json()["phone"] == "1003"
    assert parts.acd.agent("8012").state is AgentState.READY


def test_the_switch_answers_an_operators_command(client: httpx.Client) -> None:
    assert client.post("/switch", json={"command": "status"}).json() == {"answer": "UP 0 years\n2 sessions"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        ("GET", "/nowhere", None, 404, "404"),
        ("GET", "/calls/nobody", None, 404, "there is no live call nobody"),
        ("DELETE", "/calls/nobody", None, 404, "there is no live call nobody"),
        ("GET", "/agents/9999", None, 404, "there is no agent 9999"),
        ("POST", "/agents/9999/login", {}, 404, "there is no agent 9999"),
        ("POST", "/agents/8012/login", {"phone": "1002"}, 409, "phone 1002 is held by 8013"),
        ("POST", "/agents/8012/pause", {}, 400, "a pause needs a reason"),
        ("POST", "/agents/8012/dance", {}, 404, "an agent can't dance"),
        ("POST", "/agents/8012/login", {"fone": "1"}, 400, "unknown field 'fone'"),
        ("POST", "/agents/8012/login", {"phone": 1003}, 400, "the body must be a JSON object of texts"),
        ("POST", "/agents/8012/login", [], 400, "the body must be a JSON object of texts"),
        ("GET", "/queues/none", None, 404, "there is no queue none"),
        ("GET", "/cdrs/none", None, 404, "there is no call none"),
        ("GET", "/recordings/none", None, 404, "there is no recording none"),
        ("GET", "/recordings/..%2F..%2Fetc%2Fpasswd", None, 404, "404"),
        ("GET", "/cdrs?since=yesterday", None, 400, "no moment like"),
        ("GET", "/cdrs?since=2026-11-22", None, 400, "say the time zone"),
        ("GET", "/cdrs?limit=0", None, 400, "limit"),
        ("POST", "/switch", {"command": "nonsense"}, 503, "-ERR nonsense Command not found!"),
        ("POST", "/switch", {"command": "status\napi x"}, 400, "line break"),
        ("PUT", "/calls", {}, 405, "405"),
    ],
)
def test_what_can_not_be_done_is_said_in_one_line(
    client: httpx.Client, method: str, path: str, body: Any, status: int, said: str
) -> None:
    answer = client.request(method, path, json=body) if body is not None else client.request(method, path)
    assert answer.status_code == status
    [line] = answer.json().values()
    assert said in line
    assert "\n" not in line


def test_a_body_that_is_no_json_is_refused(client: httpx.Client) -> None:
    assert client.post("/switch", content=b"{").json() == {"error": "the body is no JSON"}


def test_a_failure_of_the_engine_shows_no_traceback(
    client: httpx.Client, parts: Parts, monkeypatch: Any
) -> None:
    monkeypatch.setattr(parts.calls, "views", lambda: 1 / 0)
    answer = client.get("/calls")
    assert answer.status_code == 500
    assert answer.json() == {"error": "the engine failed to answer (ZeroDivisionError); its log says why"}


# -- the socket ---------------------------------------------------------------------------------


def test_only_the_engines_own_user_may_open_the_socket(server: Server) -> None:
    assert server.path.stat().st_mode & 0o777 == 0o600
    assert server.path.is_socket()


def test_the_socket_is_taken_away_at_the_end(server: Server) -> None:
    server.stop(0.1)
    assert not server.path.exists()


def test_two_engines_do_not_run_in_one_home(server: Server, parts: Parts) -> None:
    from engine.web.app import control_app

    with pytest.raises(ConfigError, match="an engine runs in this home already"):
        Server(control_app(parts), server.path).start()


def test_a_socket_that_a_killed_engine_left_behind_is_taken_over(home: Path, parts: Parts) -> None:
    import socket

    path = reachable(home / USUAL)
    path.parent.mkdir(exist_ok=True)
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    from engine.web.app import control_app

    server = Server(control_app(parts), path)
    server.start()
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://engine") as client:
        assert client.get("/status").status_code == 200
    server.stop(0.1)


@pytest.mark.parametrize("what", ["file", "link"])
def test_what_is_in_the_way_of_the_socket_is_not_removed(home: Path, what: str) -> None:
    path = reachable(home / USUAL)
    path.parent.mkdir(exist_ok=True)
    if what == "file":
        path.write_text("mine")
    else:
        path.symlink_to("/dev/null")
    with pytest.raises(ConfigError, match="is in the way"):
        Server(lambda *_: [], path).start()
    assert path.exists()


def test_a_long_path_gets_a_short_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60) / "x.sock"
    path = reachable(deep)
    assert len(str(path)) < 100
    assert path == reachable(deep)
    assert path != reachable(deep.parent / "y.sock")


# -- a person as the caller ---------------------------------------------------------------------


def everything(client: httpx.Client, dial: str) -> list[tuple[str, str]]:
    seen: list[dict[str, Any]] = []
    for _ in range(20):
        seen += client.get(f"/dials/{dial}/events", params={"after": len(seen), "wait": 2}).json()
        if seen and seen[-1]["kind"] == "ended":
            break
    assert [one["number"] for one in seen] == list(range(1, len(seen) + 1))
    return [(one["kind"], one["text"]) for one in seen]


def test_a_person_hears_as_text_presses_keys_and_learns_the_end(client: httpx.Client, parts: Parts) -> None:
    dial = client.post("/dials", json={"number": "8004", "from": "13800000000"}).json()["id"]
    [caller] = parts.simulator.callers  # type: ignore[union-attr]
    assert (caller.number, caller.caller) == ("8004", "13800000000")
    client.post(f"/dials/{dial}/keys", json={"keys": "12#"})
    client.post(f"/dials/{dial}/keys", json={"keys": "9"})
    assert caller.keys == "12#9"
    seen = everything(client, dial)
    assert ("said", "欢迎致电粤达") in seen
    assert ("music", "music") in seen
    assert ("step", "logistics/main greet[4] menu") in seen
    assert seen[-1] == ("ended", "NORMAL_CLEARING")


def test_the_poll_waits_for_something_to_happen(client: httpx.Client, parts: Parts) -> None:
    dial = client.post("/dials", json={"number": "8000"}).json()["id"]
    [caller] = parts.simulator.callers  # type: ignore[union-attr]
    first = client.get(f"/dials/{dial}/events").json()
    parts.clock.after(0.3, caller.plays, "/prompts/welcome.wav")
    more = client.get(f"/dials/{dial}/events", params={"after": len(first)}).json()
    assert [(one["kind"], one["text"]) for one in more] == [("said", "欢迎致电粤达")]
    client.delete(f"/dials/{dial}")
    assert everything(client, dial)[-1] == ("ended", "NORMAL_CLEARING")


def test_one_sees_where_the_call_is(client: httpx.Client, parts: Parts) -> None:
    from dataclasses import replace

    from engine.types import CallState

    parts.calls.live = [replace(CALL, state=CallState.TALKING, agent="8012")]  # type: ignore[attr-defined]
    dial = client.post("/dials", json={"number": "8000"}).json()["id"]
    client.delete(f"/dials/{dial}")
    assert ("state", "you talk to 8012 林晓燕") in everything(client, dial)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"number": "8004; rm"}, "is no number"),
        ({"number": ""}, "'' is no number"),
        ({"number": "8004", "from": "x"}, "'x' is no number"),
    ],
)
def test_only_numbers_are_dialled(client: httpx.Client, body: dict[str, str], said: str) -> None:
    answer = client.post("/dials", json=body)
    assert answer.status_code == 400
    assert said in answer.json()["error"]


def test_only_keys_of_a_phone_are_pressed(client: httpx.Client) -> None:
    dial = client.post("/dials", json={"number": "8004"}).json()["id"]
    assert client.post(f"/dials/{dial}/keys", json={"keys": "1x"}).status_code == 400
    assert client.post("/dials/nobody/keys", json={"keys": "1"}).status_code == 404
    client.delete(f"/dials/{dial}")
    assert client.post(f"/dials/{dial}/keys", json={"keys": "1"}).json() == {"error": "the call is over"}


def test_who_calls_from_an_agents_extension_calls_from_that_desk(client: httpx.Client, parts: Parts) -> None:
    for number in ("1001", "13800000000"):
        client.post("/dials", json={"number": "8000", "from": number})
    desk, outside = parts.simulator.callers  # type: ignore[union-attr]
    assert (desk.caller, desk.gateway) == ("1001", "")
    assert (outside.caller, outside.gateway) == ("13800000000", "pstn")
    desk.hang_up()
    outside.hang_up()


def test_on_a_real_switch_one_takes_a_phone(client: httpx.Client, parts: Parts) -> None:
    parts.simulator = None
    answer = client.post("/dials", json={"number": "8004"})
    assert answer.status_code == 409
    assert "use a phone" in answer.json()["error"]


def test_people_at_terminals_are_limited(client: httpx.Client, parts: Parts, monkeypatch: Any) -> None:
    from engine.web import dial

    monkeypatch.setattr(dial, "MOST_DIALS", 0)
    assert "from terminals already" in client.post("/dials", json={"number": "8004"}).json()["error"]


def test_a_caller_whose_terminal_is_gone_is_hung_up(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.web.dial.PUT_DOWN", 0.5)
    dial = client.post("/dials", json={"number": "8000"}).json()["id"]
    assert everything(client, dial)[-1] == ("ended", "NORMAL_CLEARING")


def test_services_of_the_desk_phones_are_dialled(client: httpx.Client) -> None:
    assert client.post("/dials", json={"number": "*11", "from": "1001"}).status_code == 200
