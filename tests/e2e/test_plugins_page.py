"""On a real FreeSWITCH: the warranty desk of docs/plugins.md, put together from the page alone, answers and books."""

from __future__ import annotations

import re
import sqlite3

import pytest

from tests.docs.examples import ROOT, examples
from tests.e2e.house import House
from tests.e2e.test_hours import at

pytestmark = pytest.mark.switch

FILES = {
    one.path.removeprefix("plugins/warranty/"): one.text
    for one in (*examples("python"), *examples("yml"))
    if one.page == "docs/plugins.md" and one.path
}


def test_a_department_written_from_the_page_answers_and_books_a_repair(house: House) -> None:
    house.add_department("warranty", "8077", FILES)
    plan = house.home / "dialplans" / "main.yaml"
    text = plan.read_text(encoding="utf-8")
    page = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    line = re.search(r'^  - \{to: "8077".*$', page, re.M)  # as the page says it
    assert line is not None
    plan.write_text(re.sub(r'^  - \{to: "8077".*$', line[0], text, flags=re.M), encoding="utf-8")
    house.start("--switch", "freeswitch")
    with sqlite3.connect(house.home / "var" / "insideline.db") as database:
        database.execute("insert into warranty_sold (serial, until) values ('7001', '2099-05-01')")
    caller = house.outside().dial("8077").wait_answered(10)
    at(house, "ask[2] collect", caller, "7001#")
    at(house, "ask[5] confirm", caller, "1")
    house.wait_step("book[2] say", 30)
    caller.wait_over(30)
    house.wait_for(lambda: not house.calls(), "the call did not end", 30)
    (cdr,) = house.cli("cdr", "list")
    assert (cdr["flow"], cdr["outcome"]) == ("warranty/main", "served")
    with sqlite3.connect(house.home / "var" / "insideline.db") as database:
        assert database.execute("select serial from warranty_repairs").fetchall() == [("7001",)]
