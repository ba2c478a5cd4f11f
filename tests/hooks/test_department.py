"""A department's declarations are read once, and a mistake in one names its place before any call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import NoneType
from typing import Any, Literal, Protocol

import pytest
from pydantic import BaseModel
from sqlalchemy import Column, MetaData, String, Table

from engine.api import Adapter, Context, Department, Digits, Private, Record, command, query
from engine.errors import PluginError
from engine.hooks.department import BadArguments
from engine.hooks.kinds import FieldType, bare, holds_private, record_fields
from engine.log import Secret


class Cover(Record):
    serial: Digits
    until: date
    owner_phone: Private[str]
    note: str | None = None
    pay: Private[Decimal] | None = None


class Nested(Record):
    cover: Cover


class State(StrEnum):
    NEW = "new"


class Registry(Protocol):
    def cover(self, serial: str) -> Cover | None: ...

    def book(self, serial: str, slot: date, *, key: str) -> int: ...


class Sql:
    def __init__(self, session: Any) -> None: ...

    def cover(self, serial: str) -> Cover | None:
        return None

    def book(self, serial: str, slot: date, *, key: str) -> int:
        return 1


@pytest.fixture
def department() -> Department:
    return Department("warranty", tables="warranty_")


def test_a_query_says_its_arguments_and_whether_it_may_find_nothing(department: Department) -> None:
    @query(department)
    def cover(ctx: Context, serial: Digits, on: date | None = None) -> Cover | None: ...

    found = department.queries["warranty.cover"]
    assert [(one.name, bare(one.type), one.required) for one in found.arguments.values()] == [
        ("serial", str, True),
        ("on", date, False),
    ]
    assert (found.result, found.optional, found.department) == (Cover, True, "warranty")
    assert cover.__name__ == "cover"  # the function itself stays what it was, for the department's own tests


def test_a_command_says_what_it_may_refuse(department: Department) -> None:
    @command(department, refusals=("unknown", "expired"))
    def book(ctx: Context, serial: Digits, slot: date) -> int: ...

    @command(department)
    def forget(ctx: Context, serial: Digits) -> None: ...

    assert department.commands["warranty.book"].refusals == ("unknown", "expired")
    assert department.commands["warranty.forget"].result is NoneType


def test_the_fields_of_a_record_are_known_with_their_types_and_marks() -> None:
    assert record_fields(Cover | None) == {
        "serial": FieldType(Digits, False, False),
        "until": FieldType(date, False, False),
        "owner_phone": FieldType(str, False, True),
        "note": FieldType(str, True, False),
        "pay": FieldType(Decimal, True, True),
    }
    assert record_fields(str) is None


@pytest.mark.parametrize(
    "kind", [Private[str], Private[str] | None, Cover, list[Cover], Nested, tuple[Nested, ...]]
)
def test_what_is_private_is_found_at_any_depth(kind: Any) -> None:
    assert holds_private(kind)


def test_a_record_never_shows_what_is_private() -> None:
    cover = Cover(serial="0012", until=date(2027, 1, 1), owner_phone="+8613800000001")
    assert repr(cover) == "Cover(serial='0012', until=datetime.date(2027, 1, 1), note=None)"
    with pytest.raises(ValueError, match="validation error"):
        cover.serial = "1"  # type: ignore[misc]


# -- coercion -----------------------------------------------------------------------------------


@pytest.fixture
def everything(department: Department) -> Any:
    @query(department)
    def find(
        ctx: Context,
        number: Digits,
        on: date,
        amount: Decimal,
        count: int,
        kind: Literal["new", "used"],
        cover: Cover | None = None,
        schema: str = "none",
    ) -> int: ...

    return department.queries["warranty.find"]


GOOD = {"number": "0012", "on": "2026-11-23", "amount": "12.30", "count": "7", "kind": "new"}


def test_values_as_a_flow_has_them_become_what_the_handler_asks_for(everything: Any) -> None:
    assert everything.coerce(GOOD) == {
        "number": "0012",
        "on": date(2026, 11, 23),
        "amount": Decimal("12.30"),
        "count": 7,
        "kind": "new",
        "cover": None,
        "schema": "none",
    }
    assert everything.coerce({**GOOD, "number": 12})["number"] == "12"
    assert everything.coerce({**GOOD, "number": Secret("2580")})["number"] == "2580"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"number": "12a"}, r"'number': string should match pattern"),
        ({"number": "١٢"}, r"'number'"),
        ({"number": "12\n"}, r"'number'"),
        ({"on": "tomorrow"}, r"'on'"),
        ({"count": "many"}, r"'count'"),
        ({"kind": "old"}, r"'kind': input should be 'new' or 'used'"),
        ({"nobody": 1}, r"there is no argument 'nobody'"),
        ({"number": None}, r"'number'"),
    ],
)
def test_a_value_that_does_not_fit_is_named_but_not_shown(
    everything: Any, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadArguments, match=said) as caught:
        everything.coerce({**GOOD, **change})
    for value in change.values():
        assert str(value) not in str(caught.value).replace("no argument", "") or value in (None, 1)


def test_what_is_missing_is_named(everything: Any) -> None:
    with pytest.raises(BadArguments, match="'number' is missing; 'on' is missing"):
        everything.coerce({"amount": "1", "count": 1, "kind": "new"})


def test_an_object_with_the_attributes_becomes_the_record(department: Department) -> None:
    class Row:
        serial, until, owner_phone, note, pay, more = "0012", date(2027, 1, 1), "1", None, None, "unread"

    @query(department)
    def cover(ctx: Context) -> Cover: ...

    found = department.queries["warranty.cover"]
    record = found.check(Row())
    assert record == Cover(serial="0012", until=date(2027, 1, 1), owner_phone="1")
    assert found.revive(found.plain(record)) == record


# -- mistakes -----------------------------------------------------------------------------------


class Pydantic(BaseModel):
    x: int


def no_context(serial: str) -> int: ...
def nothing() -> int: ...
def no_type(ctx: Context, serial) -> int: ...  # type: ignore[no-untyped-def]
def no_result(ctx: Context): ...  # type: ignore[no-untyped-def]
def many(ctx: Context, *serials: str) -> int: ...
def wild(ctx: Context, **serials: str) -> int: ...
def dict_arg(ctx: Context, x: dict[str, int]) -> int: ...
def dict_result(ctx: Context) -> dict[str, int]: ...
def any_result(ctx: Context) -> Any: ...
def bare_list(ctx: Context) -> list: ...  # type: ignore[type-arg]
def union(ctx: Context, x: int | str) -> int: ...
def model(ctx: Context) -> Pydantic: ...
def pair(ctx: Context) -> tuple[int, str]: ...
def foreign(ctx: Context, x: Department) -> int: ...
def unknown(ctx: Context, x: Missing) -> int: ...  # type: ignore[name-defined]  # noqa: F821
def no_answer(ctx: Context) -> None: ...
def number(ctx: Context) -> Literal[1]: ...
async def later(ctx: Context) -> int: ...
def each(ctx: Context) -> int:
    yield 1  # type: ignore[misc]


def Capital(ctx: Context) -> int: ...


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (no_context, "the first argument of warranty.no_context must be `ctx: Context`"),
        (nothing, "the first argument of warranty.nothing must be"),
        (no_type, "argument 'serial' of warranty.no_type has no type"),
        (no_result, "warranty.no_result does not say what it returns"),
        (many, "must name each argument"),
        (wild, "must name each argument"),
        (
            dict_arg,
            "argument 'x' of warranty.dict_arg: the checker can't know a dict's keys; make it a Record",
        ),
        (dict_result, "the result of warranty.dict_result: the checker can't know"),
        (any_result, "is no type of the flow language"),
        (bare_list, "say what the list holds"),
        (union, "a value has one type"),
        (model, "Pydantic must be a Record"),
        (pair, "a tuple of fixed length has no names"),
        (foreign, "Department is no type of the flow language"),
        (unknown, "the type 'Missing' is not known at run time"),
        (no_answer, "answers nothing"),
        (number, "Literal[1] is no text"),
        (later, "must be a plain function"),
        (each, "must be a plain function"),
        (Capital, "a handler's name is lower-case"),
    ],
)
def test_a_signature_that_a_flow_could_not_use_is_refused_with_its_line(
    department: Department, function: Callable[..., Any], said: str
) -> None:
    with pytest.raises(PluginError) as caught:
        query(department)(function)
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"{__file__}:{function.__code__.co_firstlineno}: ")
    assert not department.queries


def test_a_record_may_be_private_and_an_enum_of_text_is_a_type(department: Department) -> None:
    @query(department)
    def state(ctx: Context, state: State) -> list[Private[Decimal]]: ...

    assert "warranty.state" in department.queries


def test_a_command_may_not_return_what_is_private(department: Department) -> None:
    def pay(ctx: Context) -> Cover: ...

    with pytest.raises(PluginError, match="returns something private"):
        command(department)(pay)


def test_refusals_are_a_list_of_names(department: Department) -> None:
    def book(ctx: Context) -> int: ...

    with pytest.raises(PluginError, match=r"as in refusals=\('expired',\)"):
        command(department, refusals="expired")(book)
    with pytest.raises(PluginError, match="lower-case name, not 'Too Late'"):
        command(department, refusals=["Too Late"])(book)


def test_two_handlers_of_one_name_are_refused(department: Department) -> None:
    def cover(ctx: Context) -> int: ...

    query(department)(cover)
    with pytest.raises(PluginError, match=r"two handlers warranty\.cover"):
        command(department)(cover)


@pytest.mark.parametrize("name", ["", "Warranty", "war-ranty", "1st", "日"])
def test_a_department_has_a_name_that_flows_can_say(name: str) -> None:
    with pytest.raises(PluginError, match="lower-case"):
        Department(name)


def test_its_tables_begin_with_its_prefix() -> None:
    models = MetaData()
    Table("hr_slip", models, Column("id", String, primary_key=True))
    assert Department("hr", tables="hr_", models=models).models is models
    with pytest.raises(PluginError, match="table 'hr_slip' does not begin with 'pay_'"):
        Department("pay", tables="pay_", models=models)
    with pytest.raises(PluginError, match="say tables='hr_'"):
        Department("hr", models=models)
    with pytest.raises(PluginError, match="ends with _"):
        Department("hr", tables="hr")


def test_an_adapter_has_every_method_of_its_contract() -> None:
    class Half:
        def __init__(self, session: Any) -> None: ...

        def cover(self, serial: str) -> Cover | None: ...

    with pytest.raises(PluginError, match="the sql adapter Half lacks book of Registry"):
        Adapter(Registry, sql=Half)
    with pytest.raises(PluginError, match="neither sql nor http"):
        Adapter(Registry)


class Other(Protocol):
    def all(self) -> int: ...


def test_with_several_systems_a_handler_says_over_which_it_runs() -> None:
    both = Department(
        "two", adapters=[Adapter(Registry, sql=Sql), Adapter(Other, sql=lambda session: Sql(session))]
    )

    def cover(ctx: Context) -> int: ...

    with pytest.raises(
        PluginError, match=r"must say which system it runs over, as over=… \(Registry, Other\)"
    ):
        query(both)(cover)
    query(both, over=Registry)(cover)
    with pytest.raises(PluginError, match="has no adapter for"):
        query(Department("none"), over=Registry)(cover)
