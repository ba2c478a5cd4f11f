"""The shipments line on a real FreeSWITCH: a price and an order by keys and a dictated address, a notice that the
branch acknowledges by key; a complaint, its verdict, and the branch's appeal."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from tests.e2e.house import House
from tests.e2e.keyed import Keyed, acknowledged

pytestmark = pytest.mark.switch


def passed(house: House, agent: str, rule: str, version: int) -> None:
    """The agent passed a version of a rule, as a course elsewhere says."""
    with closing(sqlite3.connect(house.home / "var" / "insideline.db", timeout=20)) as database, database:
        database.execute(
            'INSERT INTO certifications (agent, id, version, passed, score, "of", tries) VALUES (?, ?, ?, ?, 1, 1, 1)',
            (agent, rule, version, "2026-11-01 00:00:00.000000"),
        )


def test_a_price_an_order_with_a_dictated_address_and_its_branch(house: House) -> None:
    house.start("--switch", "freeswitch")
    # By day the nearest branch is that of the district; in the evening it is the one that never closes.
    branches = {"020001": house.desk("1057"), "020003": house.desk("1058")}
    line = Keyed(house, house.outside("13800138000"), "8004")
    line.at("greet[2] menu", "1").at("main[1] menu", "2")
    line.at("from[1] collect", "020#").at("to[1] collect", "028#")
    line.at("measures[1] collect", "120#").at("measures[2] collect", "0*8#").at("extras[1] collect", "124#")
    line.reaches("read[2] say")  # line by line; star ends the reading, the total follows
    house.clock.sleep(1.0)
    line.call.press("*")
    line.at("read[4] menu", "1")
    line.at("new_place[1] collect", "020#").at("new_place[3] pick", "1")
    line.dictates("new_place[5] dictate").dictates("new_place[6] dictate")
    line.at("new_place[9] confirm", "1").at("goods[1] menu", "4").at("nearest[5] confirm", "1")
    [order] = house.wait_for(lambda: house.cli("report", "logistics.pickups"), "nothing was ordered")
    branch = branches[order["branch"]]
    found = acknowledged(house, branch, "logistics/pickup_notice")
    assert found["by"] == f"phone {branch.user}"
    line.ends()

    [order] = house.cli("report", "logistics.pickups")
    assert (order["notice"], order["acknowledged_by"]) == ("acknowledged", f"phone {branch.user}")
    [quote] = house.cli("report", "logistics.quotes")
    # pick-up 50, freight by volume 312, delivery 80, crate 120
    assert (quote["orders"], float(quote["total"])) == (1, 562.0)
    ticket = next(one for one in house.get("/tickets") if one["kind"] == "pickup")
    clips = [
        ref for kind, ref in house.get(f"/tickets/{ticket['number']}")["ticket"]["links"] if kind == "clip"
    ]
    assert len(clips) == 2
    done = house.command(
        "logistics",
        "complete",
        ticket["number"],
        "--contact",
        "李雷",
        "--address",
        "体育西路1号",
        "--by",
        "8012",
    )
    assert "is complete" in done


def test_a_complaint_its_verdict_and_the_appeal_of_the_branch(house: House) -> None:
    house.start("--switch", "freeswitch")
    branch = house.desk("1057")
    line = Keyed(house, house.outside("13800138000"), "8004")
    line.at("greet[2] menu", "1").at("main[1] menu", "4")
    line.at("kind[1] menu", "3").at("waybill[1] confirm", "2").dictates("statement[1] dictate")
    line.at("offer[1] confirm", "2")
    line.ends()
    ticket = next(one["number"] for one in house.get("/tickets") if one["kind"] == "complaint_damage")

    passed(house, "8054", "LIAB-02", 3)
    house.command("logistics", "verdict", ticket, "LIAB-02", "020001", "8054")
    house.command("logistics", "sign", ticket, "8055")
    acknowledged(house, branch, "logistics/verdict_notice")

    line = Keyed(house, house.outside("13800138001"), "8005")
    line.at("greet[2] menu", "1").at("who[2] identify", "020001#")
    line.secret("who[2] identify", "5101#").at("main[1] menu", "1").at("verdicts[5] confirm", "1")
    line.dictates("appeal[1] dictate").at("main_once[1] confirm", "2")
    line.ends()
    [verdict] = house.cli("report", "logistics.verdicts")
    assert (verdict["state"], verdict["rule"]) == ("appealed", "LIAB-02 v3")
    house.command("logistics", "decide", ticket, "overturned", "8051")
    [score] = house.cli("logistics", "score")
    assert (score["branch"], score["score"], score["appeals"], score["won"]) == ("020001", 100, 1, 1)
    assert "5101" not in house.output()
