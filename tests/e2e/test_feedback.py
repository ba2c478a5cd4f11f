"""Feedback by nobody on a real FreeSWITCH: the caller's number is nowhere from the first ring on; the desk hears it by
phone and answers in its own voice; whoever has the code hears the answer. And a family that is called back."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from tests.e2e.house import House, beside_the_shipped
from tests.e2e.keyed import VOICE, Keyed
from tests.e2e.test_employees import found
from tests.sip.phone import Telephone

pytestmark = pytest.mark.switch

NUMBER, NAME = "13902887711", "Zhou Nobody"
REPLY = 850  # Hz: what the desk says


def code_of(house: House) -> str:
    """The code that was told to whoever gave the feedback."""
    with closing(sqlite3.connect(house.home / "var" / "insideline.db", timeout=20)) as database:
        return str(database.execute("SELECT code FROM hr_feedback").fetchone()[0])


def test_nobody_knows_who_gave_it_and_the_answer_is_heard_by_the_code(house: House) -> None:
    house.start("--switch", "freeswitch")
    caller = Keyed(house, house.outside(NUMBER), "8003", name=NAME)
    caller.reaches("greet[2] menu")
    assert found(house, NUMBER) == found(house, NAME) == []  # from the first ring on
    caller.at("greet[2] menu", "1").at("main[1] menu", "2").at("how[1] menu", "1")
    caller.at("which[2] pick", "2").at("which[3] menu", "1").dictates("words[1] dictate")
    caller.reaches("code[2] menu")
    headers = json.loads(house.switch(f"uuid_dump {caller.id} json"))
    assert sorted(name for name, value in headers.items() if NUMBER in str(value) or NAME in str(value)) == []
    assert (caller.view()["number"], caller.view()["name"]) == ("", "")
    caller.at("code[2] menu", "*").ends()
    assert house.cli("recording", "list") == []
    [cdr] = house.wait_for(lambda: house.cli("cdr", "list"), "no CDR")
    assert cdr["number"] == ""
    ticket = next(one for one in house.get("/tickets") if one["kind"] == "feedback")
    assert (ticket["caller"], ticket["call"], ticket["away_from"]) == ("", "", "guangzhou_baiyun")

    # The desk hears it by phone, and answers.
    staff = Keyed(house, house.desk("1043"), "*19")
    staff.at("who[2] collect", "8043#").secret("who[3] collect", "4843#").at(
        "which[1] collect", f"{ticket['number']}#"
    )
    staff.reaches("hear[2] play").call.wait_hears(VOICE, 30)
    staff.at("after[1] menu", "2").dictates("answer[1] dictate", hz=REPLY).at("answer[2] menu", "1")
    staff.reaches("which[1] collect").hangs_up()
    [row] = house.cli("report", "hr.feedback")
    assert (row["branch"], row["anonymous"], row["justified"], row["in time"]) == ("7101", 1, 1, 1)

    # Whoever has the code hears that voice, and agrees.
    again = Keyed(house, house.outside(NUMBER), "8003", name=NAME)
    again.at("greet[2] menu", "1").at("main[1] menu", "3").at("code[2] collect", f"{code_of(house)}#")
    again.call.wait_hears(REPLY, 60)
    again.at("answered[1] menu", "3").ends()
    house.wait_for(lambda: house.cli("report", "hr.feedback")[0]["settled"] == 1, "it is not settled")
    assert house.stop() == 0
    assert found(house, NUMBER) == found(house, NAME) == []


@pytest.fixture
def carrier(house: House) -> Telephone:
    """The other end of the trunk, over which families may be rung."""
    return house.carrier("+861")


def test_a_family_is_called_back_by_its_owner(house: House, carrier: Telephone) -> None:
    # Nobody is at work but the owner and one other, who must not be rung for it.
    beside_the_shipped(house.home / "conf" / "agents.yaml", "agents", "grammar: 1\nagents: {}\n")
    house.start("--switch", "freeswitch")
    caller = Keyed(house, house.outside("13902887766"), "8003")
    caller.at("greet[2] menu", "1").at("main[1] menu", "4").at("menu[1] menu", "2")
    caller.at("begin[3] collect", "30011#").at("owner[2] menu", "1").dictates("words[1] dictate")
    caller.at("own_number[2] confirm", "1")
    caller.ends(120)
    ticket = next(one for one in house.get("/tickets") if one["kind"] == "hardship")
    assert (ticket["owner"], ticket["caller"]) == ("8042", "+8613902887766")
    assert [one["state"] for one in house.get("/callbacks")] == ["owed"]
    house.desk("1043")
    owner = house.desk("1042")
    for agent in ("8043", "8042"):
        house.command("agent", "login", agent)
        house.command("agent", "ready", agent)
    out = carrier.wait_ring(60)
    assert "+8613902887766" in out.invite.uri
    out.answer()
    house.wait_step("greet[2] menu", 60)
    call = house.calls()[0]
    assert (call["number"], call["flow"]) == ("+8613902887766", "hr/callback_hr")
    house.wait_for(
        lambda: "play_and_get_digits" in house.switch(f"uuid_getvar {call['id']} current_application"),
        "no question",
    )
    house.clock.sleep(0.4)
    out.press("1")
    at_desk = owner.wait_ring(60)
    house.clock.sleep(0.5)
    at_desk.answer()
    house.wait_state("talking")
    out.say_tone(440, 1.5)
    at_desk.wait_hears(440, 20)
    at_desk.hang_up()
    house.wait_for(lambda: not house.calls(), "the call did not end")
    house.wait_for(
        lambda: [one for one in house.cli("callback", "list", "--all") if one["state"] == "done"], "not done"
    )
    back = next(row for row in house.cli("cdr", "list") if row["data"]["direction"] == "out")
    assert (back["outcome"], back["agent"]) == ("talked", "8042")
    journal = house.cli("call", "show", back["call"])["journal"]
    assert {row["agent"] for row in journal if row["agent"]} == {"8042"}  # and nobody else was rung for it
