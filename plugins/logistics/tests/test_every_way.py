"""Branches who take every way of their line: each key, wrong keys, silence, hanging up, all that may go wrong behind
it; every other call is in English."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from engine.testing.explorer import Explorer

from .test_verdicts import BRANCH, PIN

LANGUAGES = {"logistics/branches:greet.1": ("options.1", "options.2", "silence")}


def test_every_way_of_the_branches_line(centre: Any, seed: Any) -> None:
    def signed() -> None:
        """There always are two verdicts to appeal of."""
        now = centre.virtual.now()
        for _ in range(2 - len(centre.rows("logistics.verdicts", state="signed"))):
            seed.verdict(
                ticket=f"9{len(centre.rows('logistics.verdicts')):08}", rule="LIAB-02", version=3, liable=BRANCH,
                points=5, note="", state="signed", given=now, given_by="8054", signed=now, signed_by="8055",
                appeal_until=now + timedelta(days=3),
            )  # fmt: skip

    explorer = Explorer(
        centre,
        typed={"logistics/branches.identify": (f"{BRANCH} {PIN}",)},
        answers={"logistics.verdicts": {"none": lambda _: []}},
        always=LANGUAGES,
    )
    explorer.explores("8005", number="+8613800000077", prepare=signed)
    assert explorer.missed("logistics/branches") == []
