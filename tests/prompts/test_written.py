from __future__ import annotations

from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from engine.prompts.written import written


@pytest.mark.parametrize(
    ("value", "format", "language", "text"),
    [
        ("44018011", "digits", "zh-CN", "44018011"),
        (Decimal("360"), "money", "zh-CN", "¥360.00"),
        (Decimal("360"), "money", "en", "CN¥360.00"),
        (date(2026, 10, 1), "date", "zh-CN", "2026年10月1日"),
        (date(2026, 10, 1), "date", "en", "Oct 1, 2026"),
        (None, "digits", "en", ""),
        ("a lot", "money", "en", "a lot"),
    ],
)
def test_a_value_is_written_and_not_spoken(value: object, format: str, language: str, text: str) -> None:
    assert written(value, format, language, ZoneInfo("Asia/Shanghai")) == text


def test_what_is_counted_is_written_as_one_or_many() -> None:
    zone, forms = ZoneInfo("Asia/Shanghai"), ("case", "cases")
    said = [written(one, "count", "en", zone, forms=forms) for one in (1, "2", None)]
    assert said == ["1 case", "2 cases", "cases"]
    assert written(3, "count", "zh-CN", zone, forms=("箱",)) == "3箱"
