from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.prompts.phrases import Setting
from engine.prompts.spoken import speak
from engine.prompts.zh import numeral

SETTING = Setting(timezone=ZoneInfo("Asia/Shanghai"), today=date(2026, 11, 23))


def zh(value: object, format_: str = "", before: str = "") -> str:
    setting = Setting(SETTING.timezone, SETTING.today, before)
    return speak(value, format_, "zh-CN", setting).text


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "零"), (1, "一"), (2, "两"), (10, "十"), (12, "十二"), (20, "二十"), (22, "二十二"),
        (101, "一百零一"), (102, "一百零二"), (110, "一百一十"), (112, "一百一十二"), (200, "两百"),
        (222, "两百二十二"), (1001, "一千零一"), (1010, "一千零一十"), (2000, "两千"), (2020, "两千零二十"),
        (10000, "一万"), (10001, "一万零一"), (20000, "两万"), (20002, "两万零二"), (100500, "十万零五百"),
        (120000, "十二万"), (200000, "二十万"), (10010000, "一千零一万"), (100000001, "一亿零一"),
        (120000000, "一亿两千万"), (200000000, "两亿"), (100005000, "一亿零五千"),
        (10**12, "一万亿"), (2 * 10**12, "两万亿"), (10**13, "十万亿"),
    ],
)  # fmt: skip
def test_numbers_are_counted_as_people_count(number: int, said: str) -> None:
    assert zh(number, "count") == said


def test_two_is_liang_for_things_and_er_for_ranks() -> None:
    assert zh(2, "count", before="您前面还有") == "两"
    assert zh(2, "count", before="您排在第") == "二"
    assert zh(200, "count", before="第") == "二百"


@given(st.integers(0, 10**12), st.booleans())
def test_a_numeral_read_back_is_the_number(number: int, counting: bool) -> None:
    assert read_numeral(numeral(number, counting=counting)) == number


@given(st.integers(0, 10**12))
def test_a_numeral_never_doubles_a_zero_and_never_ends_in_one(number: int) -> None:
    said = numeral(number)
    assert "零零" not in said
    assert said == "零" or not said.endswith("零")


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ("360.50", "三百六十元五角"), ("360.05", "三百六十元零五分"), ("360.55", "三百六十元五角五分"),
        ("2", "两元"), ("2.20", "两元两角"), ("12.00", "十二元"), ("0.50", "五角"), ("0.05", "五分"),
        ("0", "零元"), ("-5.10", "负五元一角"), ("36480.50", "三万六千四百八十元五角"), ("200000", "二十万元"),
        ("1.85", "一元八角五分"), ("0.005", "一分"), ("0.004", "零元"),
    ],
)  # fmt: skip
def test_money_is_said_in_yuan_jiao_and_fen(amount: str, said: str) -> None:
    assert zh(Decimal(amount), "money") == said


@given(st.decimals(Decimal(0), Decimal(10**12), places=2))
def test_money_read_back_is_the_amount(amount: Decimal) -> None:
    assert read_money(zh(amount, "money")) == amount


@pytest.mark.parametrize(
    ("value", "format_", "said"),
    [
        (date(2026, 11, 22), "date", "十一月二十二日"),
        (date(2027, 2, 2), "date", "二零二七年二月二日"),
        ("2026-10-01", "date", "十月一日"),
        (datetime(2026, 11, 22, 18, 30, tzinfo=UTC), "date", "十一月二十三日"),
        (datetime(2026, 11, 22, 18, 30, tzinfo=UTC), "time", "凌晨两点半"),
        (time(3, 5), "time", "凌晨三点零五分"), (time(8, 0), "time", "早上八点"),
        (time(10, 2), "time", "上午十点零二分"), (time(12, 22), "time", "中午十二点二十二分"),
        (time(14, 0), "time", "下午两点"), (time(20, 15), "time", "晚上八点十五分"), (time(0, 0), "time", "凌晨零点"),
        ("17:30", "time", "下午五点半"),
        (date(2026, 2, 1), "month", "二月"), ("2025-12", "month", "二零二五年十二月"),
        (timedelta(minutes=2), "duration", "两分钟"), (timedelta(hours=2, minutes=5), "duration", "两小时五分钟"),
        (timedelta(days=2, minutes=5), "duration", "两天"), (90, "duration", "一分钟三十秒"), (0, "duration", "零秒"),
        (599.7, "duration", "十分钟"), (3599, "duration", "一小时"), (12, "duration", "十二秒"),
    ],
)  # fmt: skip
def test_dates_times_and_durations(value: object, format_: str, said: str) -> None:
    assert zh(value, format_) == said


@pytest.mark.parametrize(
    ("value", "format_", "said"),
    [
        ("80001234567", "digits", "八零零 零幺二三 四五六七"), ("8012", "digits", "八零幺二"), ("1", "digits", "一"),
        (3105, "digits", "三幺零五"), ("HN-2026", "digits", "HN二 零二六"),
        ("+8613800000000", "phone", "幺三八 零零零零 零零零零"),
        ("1001", "phone", "幺零零幺"), ("+12025550123", "phone", "幺 二零二 五五五 零幺二三"),
    ],
)  # fmt: skip
def test_rows_of_digits_are_said_sign_by_sign(value: object, format_: str, said: str) -> None:
    assert zh(value, format_) == said


def test_each_digit_is_a_phrase_of_its_own_with_a_breath_after_a_group() -> None:
    phrases = speak("80001234", "digits", "zh-CN").phrases
    assert [phrase.text for phrase in phrases] == list("八零零零幺二三四")
    assert phrases[3].pause > phrases[2].pause
    assert phrases[7].pause == phrases[3].pause


@given(st.text(alphabet="0123456789", min_size=1, max_size=24))
def test_no_digit_is_lost(row: str) -> None:
    said = (
        zh(row, "digits").replace(" ", "").translate(str.maketrans("零幺一二三四五六七八九", "01123456789"))
    )
    assert said == row


def test_values_without_a_format_are_said_by_their_type() -> None:
    assert zh("广州") == "广州"
    assert zh(2) == "两"
    assert zh(Decimal("2.50")) == "二点五"
    assert zh(Decimal("-1.05")) == "负一点零五"
    assert zh(True) == "是"
    assert zh(None) == "未知"
    assert zh(["破损", "少货"]) == "破损、少货"
    assert zh(datetime(2026, 11, 22, 4, 0, tzinfo=UTC)) == "十一月二十二日中午十二点"


# -- an independent reader of Chinese numerals, written from the other side ------------------------

FIGURES = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"两": 2}
SCALES = {"十": 10, "百": 100, "千": 1000}


def read_numeral(text: str) -> int:
    for sign, scale in (("亿", 10**8), ("万", 10**4)):
        if sign in text:
            above, _, below = text.rpartition(sign)
            return read_numeral(above) * scale + (read_numeral(below) if below else 0)
    total, figure = 0, 0
    for sign in text:
        if sign in SCALES:
            total += (figure or 1) * SCALES[sign]
            figure = 0
        else:
            figure = FIGURES[sign]
    return total + figure


def read_money(text: str) -> Decimal:
    total = Decimal(0)
    for sign, scale in (("元", Decimal(1)), ("角", Decimal("0.1")), ("分", Decimal("0.01"))):
        if sign in text:
            above, _, text = text.partition(sign)
            total += read_numeral(above) * scale
    return total
