"""Parties that come with a department's sample, and what handlers may do with parties."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.errors import ConfigError, LoginRefused, WrongState
from engine.flows.numbers import Numbers
from engine.records import party_desk
from engine.records.party_sample import sample_file
from engine.records.pins import hash_pin
from engine.testing.home import Home

PIN_2580 = "$argon2id$v=19$m=65536,t=3,p=4$oR+dc++6qEGSebrD4YPCaw$5yvQZz5mKw7bYGVx6LRdGcpTJFSnZ0eSHNMLCSiIPiI"

HEAD = "kind,code,name,tier,region,numbers,pin_hash\n# Everybody's PIN is 2580.\n"
PLUGIN = """
from engine.api import Context, Department, PartyView, Record, command, hookimpl, query, LoginRefused

department = Department("shop", tables="shop_")


class Found(Record):
    names: list[str]


@query(department)
def of_region(ctx: Context, region: str) -> Found:
    return Found(names=[one.name for one in ctx.parties.search(kind="dealer", region=region)])


@command(department)
def enroll(ctx: Context, number: str) -> str:
    party = ctx.parties.add({"kind": "customer", "name": "New", "code": "c1"}, [number], "1357")
    party = ctx.parties.change(party, tier="gold", notes="said hello")
    return ctx.parties.add_number(party, "13802880099").name


@query(department, over="engine")
def whose(ctx: Context, code: str, pin: str) -> str:
    try:
        return ctx.parties.verify(code, pin, "dealer", origin="13802880077").name
    except LoginRefused as refused:
        return refused.reason


@query(department)
def whose_here(ctx: Context, code: str, pin: str) -> str:
    return ctx.parties.verify(code, pin).name


@hookimpl
def register_department() -> Department:
    return department
"""


def shop(home: Home, csv: str) -> Home:
    return home.plugin("shop", PLUGIN).write("plugins/shop/sample/parties.csv", csv)


@pytest.fixture(scope="module")
def hashed() -> str:
    return hash_pin("2580")


@pytest.fixture
def centre(home: Home, centre_of: Any, hashed: str) -> Any:
    rows = (
        f'dealer,44010001,Hengrun,diamond,south,13802880001 1001,"{hashed}"\ndealer,44010002,Other,,east,,\n'
    )
    return centre_of(shop(home, HEAD + rows))


def test_the_parties_of_a_sample_are_there_with_their_numbers_and_pins(centre: Any) -> None:
    found = centre.app.parties.by_number("+8613802880001")
    assert (found.kind, found.code, found.tier, found.numbers) == (
        "dealer", "44010001", "diamond", ("+8613802880001", "1001"),
    )  # fmt: skip
    centre.app.parties.check_pin(found, "2580", code="44010001")


def test_a_handler_finds_adds_changes_and_verifies_parties(centre: Any) -> None:
    departments = centre.app.departments
    assert departments.ask("shop.of_region", {"region": "south"}, within=3.0).names == ["Hengrun"]
    departments.do("shop.enroll", {"number": "13802880098"}, key="k1", within=5.0)
    made = centre.app.parties.by_number("13802880099")
    assert (made.name, made.tier, made.notes) == ("New", "gold", "said hello")
    centre.app.parties.check_pin(made, "1357", code="c1")
    assert departments.ask("shop.whose", {"code": "44010001", "pin": "2580"}, within=5.0) == "Hengrun"


def test_wrong_pins_of_handlers_lock_as_those_of_calls_do(centre: Any) -> None:
    ask = centre.app.departments.ask
    said = [ask("shop.whose", {"code": "44010001", "pin": "0000"}, within=5.0) for _ in range(6)]
    assert said == ["wrong_pin"] * 4 + ["locked"] * 2
    party = centre.app.parties.by_code("44010001", "dealer")
    with pytest.raises(LoginRefused, match="locked"):
        centre.app.parties.check_pin(party, "2580", code="44010001")


def test_in_a_worker_thread_no_pin_is_compared(centre: Any) -> None:
    from engine.errors import DepartmentFailed

    with pytest.raises(DepartmentFailed):
        centre.app.departments.ask("shop.whose_here", {"code": "44010001", "pin": "2580"}, within=5.0)
    assert 'say over=\\"engine\\"' in centre.logged.getvalue()


def test_what_is_there_already_stays(home: Home, centre_of: Any) -> None:
    first = "dealer,44010001,Hengrun,gold,south,13802880001,\n"
    shop(home, HEAD + first)
    home.plugin("stall", PLUGIN.replace('"shop"', '"stall"').replace("shop_", "stall_"))
    home.write(
        "plugins/stall/sample/parties.csv",
        HEAD + "dealer,44010001,Renamed,,,13802880005,\nbranch,B1,Branch,,,13802880001 13802880002,\n",
    )
    centre = centre_of(home)
    assert centre.app.parties.by_code("44010001", "dealer").name == "Hengrun"
    assert centre.app.parties.by_code("B1", "branch").numbers == ("+8613802880002",)
    assert "sample.number_taken" in centre.logged.getvalue()


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("dealer,,Nobody,,,,\n", "row 1: a party of a sample needs a code"),
        ("dealer,1,,,,,\n", "row 1: a party needs a name"),
        ("dealer,1,A,,,not-a-number,\n", "row 1: `not-a-number` is no number"),
        ("dealer,1,A,,,,2580\n", "row 1: pin_hash is no argon2 hash"),
    ],
)
def test_a_row_that_can_not_be_used_is_named(home: Home, centre_of: Any, row: str, why: str) -> None:
    with pytest.raises(ConfigError, match=r"shop/sample/parties\.csv") as raised:
        centre_of(shop(home, HEAD + row))
    assert why in str(raised.value)


def test_a_sample_says_no_pins(home: Home, centre_of: Any) -> None:
    with pytest.raises(ConfigError, match="a sample has pin_hash, no pin"):
        centre_of(shop(home, "kind,code,name,pin\ndealer,1,A,2580\n"))


def test_no_change_of_a_party_leaves_it_without_a_name(centre: Any) -> None:
    party = centre.app.parties.by_code("44010001", "dealer")
    with pytest.raises(WrongState, match="needs a name"):
        centre.app.parties.change(party, name=" ")
    with pytest.raises(WrongState, match="code can't be changed"):
        centre.app.parties.change(party, code="2")
    with pytest.raises(WrongState, match="is the number of dealer 44010001"):
        centre.app.parties.add_number(centre.app.parties.by_code("44010002"), "13802880001")


def test_the_samples_of_the_house_give_no_number_and_no_code_twice(centre_home: Path) -> None:
    numbers: dict[str, str] = {}
    codes: dict[tuple[str, str], str] = {}
    e164 = Numbers("CN").e164
    for folder in sorted((centre_home / "plugins").iterdir()):
        path = sample_file(folder)
        if path is None:
            continue
        for row in party_desk.read_csv(path.read_text(encoding="utf-8")):
            whose = f"{folder.name}: {row.values['kind']} {row.values['code']}"
            key = (row.values["kind"], row.values["code"])
            assert codes.setdefault(key, whose) == whose
            for number in row.numbers:
                other = numbers.setdefault(e164(number), whose)
                assert other == whose, f"{number} is {other}'s and {whose}'s"


def test_a_table_may_hold_hashes_and_lines_that_begin_with_a_hash_sign() -> None:
    rows = party_desk.read_csv(f'kind,name,pin_hash\n# a remark, with a comma\ndealer,A,"{PIN_2580}"\n')
    assert [(row.values["name"], row.hashed) for row in rows] == [("A", PIN_2580)]
