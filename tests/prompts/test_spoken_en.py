from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.prompts.en import cardinal
from engine.prompts.phrases import CannotSpeak, Setting
from engine.prompts.plurals import categories, form
from engine.prompts.spoken import FORMATS, LANGUAGES, accepts, clean, speak, speak_anyhow

SETTING = Setting(timezone=ZoneInfo("Asia/Shanghai"), today=date(2026, 11, 23))


def en(value: object, format_: str = "") -> str:
    return speak(value, format_, "en", SETTING).text


@pytest.mark.parametrize(
    ("value", "format_", "said"),
    [
        (0, "count", "zero"), (2, "count", "two"), (21, "count", "twenty-one"), (360, "count", "three hundred sixty"),
        (1001, "count", "one thousand one"), (Decimal("-2.50"), "count", "minus two point five"),
        (10**12, "count", "one trillion"),
        (Decimal("360.50"), "money", "three hundred sixty yuan and fifty"),
        (Decimal("360.05"), "money", "three hundred sixty yuan and five fen"),
        (Decimal("0.50"), "money", "fifty fen"), (Decimal("1"), "money", "one yuan"), (0, "money", "zero yuan"),
        (Decimal("-36480.50"), "money", "minus thirty-six thousand four hundred eighty yuan and fifty"),
        (date(2026, 11, 22), "date", "November twenty-second"),
        (date(2027, 2, 1), "date", "February first, twenty twenty-seven"),
        (date(2005, 6, 12), "date", "June twelfth, two thousand five"),
        (date(1909, 6, 30), "date", "June thirtieth, nineteen oh nine"),
        (date(1900, 6, 3), "date", "June third, nineteen hundred"),
        (datetime(2026, 11, 22, 18, 30, tzinfo=UTC), "date", "November twenty-third"),
        (time(15, 5), "time", "three oh five p.m."), (time(0, 0), "time", "midnight"), (time(12, 0), "time", "noon"),
        (time(9, 20), "time", "nine twenty a.m."), (time(12, 30), "time", "twelve thirty p.m."),
        (time(0, 1), "time", "twelve oh one a.m."),
        ("2026-11", "month", "November"), ("2025-12", "month", "December twenty twenty-five"),
        (timedelta(hours=2, minutes=5), "duration", "two hours and five minutes"),
        (61, "duration", "one minute and one second"),
        ("8012", "digits", "eight zero one two"),
        ("8001234", "digits", "eight zero zero, one two three four"),
        ("+8613800000000", "phone", "one three eight, zero zero zero zero, zero zero zero zero"),
        ("Chengdu", "", "Chengdu"), (True, "", "yes"), (None, "", "unknown"), (["a", "b"], "", "a, b"),
    ],
)  # fmt: skip
def test_values_are_said_in_words(value: object, format_: str, said: str) -> None:
    assert en(value, format_) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "zero cases"), (1, "one case"), (2, "two cases"), (21, "twenty-one cases"), ("1", "one case"),
        (Decimal("1.0"), "one case"), (Decimal("1.50"), "one point five cases"), (Decimal(10), "ten cases"),
        (-1, "minus one case"), (None, "unknown cases"), ("some", "some cases"),
    ],
)  # fmt: skip
def test_what_is_counted_is_one_or_many(value: object, said: str) -> None:
    found = speak_anyhow(value, "count", "en", replace(SETTING, forms=("case", "cases")))
    assert (found.text, len(found.phrases)) == (said, 1)


def test_a_language_has_as_many_words_behind_a_number_as_cldr_says() -> None:
    assert [categories(one) for one in ("zh-CN", "en", "ru")] == [
        ("other",), ("one", "other"), ("one", "few", "many", "other"),
    ]  # fmt: skip
    said = [form(("час", "часа", "часов", "часа"), Decimal(one), "ru") for one in (1, 3, 5, 21)]
    assert said == ["час", "часа", "часов", "час"]
    assert speak(2, "count", "zh-CN", replace(SETTING, forms=("箱",))).text == "两箱"


@given(st.integers(0, 10**15 - 1))
def test_cardinals_read_back_are_the_number(number: int) -> None:
    assert read_cardinal(cardinal(number)) == number


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("format_", sorted(FORMATS))
@given(
    value=st.one_of(
        st.none(), st.booleans(), st.integers(), st.text(), st.decimals(), st.floats(), st.dates(), st.times(),
        st.datetimes(), st.timedeltas(), st.binary(), st.lists(st.integers()),
    )
)  # fmt: skip
def test_whatever_arrives_a_call_hears_words(language: str, format_: str, value: object) -> None:
    for each in (format_, ""):
        said = speak_anyhow(value, each, language, SETTING)
        assert all(phrase.text for phrase in said.phrases)


@pytest.mark.parametrize(
    ("format_", "value"),
    [("count", "many"), ("money", "NaN"), ("money", True), ("date", 7), ("date", "soon"), ("time", date(2026, 1, 1)),
     ("digits", "+"), ("digits", 1.5), ("duration", "long"), ("phone", None), ("month", "2026"), ("count", 10**15),
     ("no_such", 1)],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_refused_without_being_named(format_: str, value: object) -> None:
    with pytest.raises(CannotSpeak) as caught:
        speak(value, format_, "en", SETTING)
    assert str(value) not in str(caught.value) or isinstance(value, (bool, type(None), int))


def test_the_checker_can_ask_what_a_format_takes() -> None:
    assert accepts("money", Decimal)
    assert accepts("date", datetime)
    assert not accepts("money", str)
    assert not accepts("count", bool)
    assert accepts("", str)
    assert not accepts("", dict)


def test_text_from_outside_becomes_one_clean_line() -> None:
    assert clean("a\r\nb\0c\u2028d") == "a b c d"
    assert len(clean("x" * 100_000)) <= 400


ONES = {cardinal(number): number for number in range(20)} | {cardinal(ten): ten for ten in range(20, 100, 10)}
SCALES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}


def read_cardinal(text: str) -> int:
    total = part = 0
    for word in text.replace("-", " ").split():
        if word == "hundred":
            part *= 100
        elif word in SCALES:
            total, part = total + part * SCALES[word], 0
        else:
            part += ONES[word]
    return total + part
