"""The sums of a slip: 应发 - 扣款 = 实发, whatever its lines are and whoever sent it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import NullPool, create_engine
from sqlalchemy.orm import Session

from engine.hooks.loading import load_folder

HR: Any = load_folder(Path(__file__).parents[1])
slip_of, Slip, KINDS, EARNINGS = (
    getattr(HR.Slip, name, None) or getattr(__import__("sys").modules[HR.Slip.__module__], name)
    for name in ("slip_of", "Slip", "KINDS", "EARNINGS")
)
MONTH = date(2026, 10, 1)
AMOUNTS = st.dictionaries(
    st.sampled_from(KINDS), st.decimals(-100_000, 100_000, places=2, allow_nan=False), max_size=len(KINDS)
)

calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@calm
@given(AMOUNTS)
def test_gross_less_deductions_is_net_to_the_fen(amounts: dict[str, Decimal]) -> None:
    slip = slip_of("30011", MONTH, amounts.items())
    earned = sum((line.amount for line in slip.lines if line.kind in EARNINGS), Decimal(0))
    lost = sum((line.amount for line in slip.lines if line.kind not in EARNINGS), Decimal(0))
    assert slip.gross == earned
    assert slip.deductions == lost
    assert slip.gross - slip.deductions == slip.net
    assert {line.kind: line.amount for line in slip.lines} == {k: v for k, v in amounts.items() if v}
    assert [line.kind for line in slip.lines] == [kind for kind in KINDS if amounts.get(kind)]


@calm
@given(AMOUNTS, st.sampled_from(["gross", "deductions", "net"]), st.integers(1, 10_000))
def test_a_slip_whose_sums_do_not_agree_is_refused_without_a_word_of_an_amount(
    amounts: dict[str, Decimal], which: str, fen: int
) -> None:
    plain = slip_of("30011", MONTH, amounts.items()).model_dump()
    plain[which] += Decimal(fen) / 100
    with pytest.raises(ValidationError) as refused:
        Slip.model_validate(plain)
    told = refused.value.errors(include_input=False, include_url=False, include_context=False)[0]["msg"]
    assert not any(character.isdigit() for character in told)


def test_a_line_that_stands_twice_is_refused() -> None:
    plain = slip_of("30011", MONTH, [("base", Decimal("10.00"))]).model_dump()
    plain["lines"] *= 2
    plain["gross"] = plain["net"] = Decimal("20.00")
    with pytest.raises(ValidationError):
        Slip.model_validate(plain)


def test_no_amount_is_in_the_words_of_a_slip() -> None:
    assert "8123" not in repr(slip_of("30011", MONTH, [("base", Decimal("8123.45"))]))


@pytest.fixture
def session(database_url: str) -> Any:
    database = create_engine(database_url, poolclass=NullPool)
    HR.department.models.create_all(database)
    with Session(database) as session:
        yield session
    database.dispose()


def read(session: Session, folder: Path, *rows: str) -> int:
    seed: ModuleType = __import__("sys").modules[HR.department.sample.__module__]
    path = folder / "slips.csv"
    path.write_text("employee,month," + ",".join(KINDS) + ",net\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return int(seed.read_slips(session, path, date(2026, 11, 23)))


def test_slips_are_taken_in_and_replaced_and_fen_stay_fen(session: Session, tmp_path: Path) -> None:
    payroll = next(one.sql for one in HR.department.adapters if one.name == "Payroll")(session)
    assert read(session, tmp_path, "30011,-1,8000.10,0,0,0,0,0,0,0,0,0.01,8000.09") == 1
    session.flush()
    assert payroll.slip("30011", MONTH).net == Decimal("8000.09")
    assert read(session, tmp_path, "30011,2026-10,100.33,0,0,0,0,0,0,0,0,,100.33") == 1
    session.flush()
    session.expire_all()
    slip = payroll.slip("30011", MONTH)
    assert [(line.kind, line.amount) for line in slip.lines] == [("base", Decimal("100.33"))]


@pytest.mark.parametrize(
    "row",
    [
        "30011,-1,8000.10,0,0,0,0,0,0,0,0,0.01,8000.10",  # the net is another
        "30011,-1,8000.101,0,0,0,0,0,0,0,0,0,8000.101",  # three decimals
        "30011,-1,much,0,0,0,0,0,0,0,0,0,1",
        "a man,-1,1.00,0,0,0,0,0,0,0,0,0,1.00",
        "30011,sometime,1.00,0,0,0,0,0,0,0,0,0,1.00",
    ],
)
def test_a_file_with_a_slip_that_is_wrong_is_refused_by_its_number(
    session: Session, tmp_path: Path, row: str
) -> None:
    with pytest.raises(ValueError, match="slip 1") as refused:
        read(session, tmp_path, row)
    assert "8000" not in str(refused.value)
