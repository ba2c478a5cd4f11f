from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.schema.templates import Slot, TemplateError, parse_template


def test_a_text_is_split_into_literals_and_slots() -> None:
    template = parse_template("{shipment.number:digits} left {shipment.city} today")
    assert template.parts == (
        Slot("shipment.number", "digits", 0),
        " left ",
        Slot("shipment.city", "", 30),
        " today",
    )
    assert [slot.root for slot in template.slots] == ["shipment", "shipment"]


def test_doubled_braces_are_braces() -> None:
    assert parse_template("a {{b}} c").parts == ("a {b} c",)


def test_only_a_lone_slot_without_a_format_keeps_its_type() -> None:
    lone = parse_template("{shipment}").sole
    assert lone is not None
    assert lone.name == "shipment"
    assert parse_template("{shipment:digits}").sole is None
    assert parse_template("{shipment} ").sole is None


@pytest.mark.parametrize(
    ("text", "offset"),
    [("a {b", 2), ("a } b", 2), ("{}", 0), ("{A}", 0), ("{a.}", 0), ("{a b}", 0), ("{a:}", 0), ("{_a}", 0)],
)
def test_braces_that_make_no_sense_are_faults_with_their_place(text: str, offset: int) -> None:
    with pytest.raises(TemplateError) as caught:
        parse_template(text)
    assert caught.value.offset == offset


@given(st.text(alphabet="ab{}:. \n测", max_size=30))
def test_any_text_is_either_parsed_or_refused(text: str) -> None:
    try:
        template = parse_template(text)
    except TemplateError as error:
        assert 0 <= error.offset < len(text)
    else:
        assert all(part for part in template.parts)


@given(st.text(max_size=40))
def test_text_with_its_braces_doubled_comes_back_whole(text: str) -> None:
    template = parse_template(text.replace("{", "{{").replace("}", "}}"))
    assert "".join(str(part) for part in template.parts) == text
    assert not template.slots
