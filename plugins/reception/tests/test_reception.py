from __future__ import annotations

from typing import Any


def test_an_unknown_number_is_apologised_for_in_both_languages(centre: Any) -> None:
    caller = centre.caller(number="+8613800000000").dials("8999")
    first = caller.hears("unknown_number")
    second = caller.hears("unknown_number")
    assert (first.language, second.language) == ("zh-CN", "en")
    assert caller.ended == "NORMAL_CLEARING"
