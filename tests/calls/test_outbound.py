from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from engine.calls.outbound import Outbound, OutboundRules
from engine.clock import VirtualClock
from engine.errors import DialRefused
from engine.flows.numbers import Numbers
from engine.schema.shapes import load_file
from engine.switch.settings import TrunksFile
from engine.types import JournalEntry


@dataclass(frozen=True)
class Trunk:
    name: str
    show_caller: bool = True


TRUNKS = (Trunk("pstn"), Trunk("branch", show_caller=False))


@pytest.fixture
def rows() -> list[JournalEntry]:
    return []


def guard(clock: VirtualClock, rows: list[JournalEntry], **rules: object) -> Outbound:
    return Outbound(
        OutboundRules.model_validate({"allow": ["+861", "+8620"], **rules}),
        TRUNKS,
        clock=clock,
        journal=rows.append,
        read=Numbers("CN").e164,
        is_ours={"8004"}.__contains__,
    )


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


def refusal(outbound: Outbound, number: str, **more: str) -> str:
    with pytest.raises(DialRefused) as refused:
        outbound.dial(number, purpose="transfer", **more)
    assert number not in str(refused.value)
    return refused.value.why


def test_a_listed_number_gets_a_typed_dial_string(clock: VirtualClock, rows: list[JournalEntry]) -> None:
    allowed = guard(clock, rows).dial("138 0013 8000", purpose="transfer", call="c", caller="+8613900000000")
    assert allowed.dial.string() == "sofia/gateway/pstn/+8613800138000"
    assert (allowed.number, allowed.trunk, allowed.caller) == ("+8613800138000", "pstn", "+8613900000000")
    assert [(row.kind, row.call, dict(row.data)) for row in rows] == [
        ("outbound.dialled", "c", {"purpose": "transfer", "number": "+8613800138000", "trunk": "pstn"})
    ]


def test_without_allow_nobody_is_rung(clock: VirtualClock, rows: list[JournalEntry]) -> None:
    outbound = Outbound(OutboundRules(), TRUNKS, clock=clock, journal=rows.append)
    assert refusal(outbound, "+8613800138000") == "unlisted"
    assert rows[0].kind == "outbound.refused"
    assert rows[0].data["why"] == "unlisted"


def test_deny_is_stronger_than_a_longer_allow(clock: VirtualClock, rows: list[JournalEntry]) -> None:
    outbound = guard(clock, rows, allow=["+861380013"], deny=["+86138"])
    assert refusal(outbound, "13800138000") == "denied"


@pytest.mark.parametrize("number", ["+12025550123", "95588", "110", "+8610 62530000"])
def test_an_unlisted_number_is_refused(clock: VirtualClock, rows: list[JournalEntry], number: str) -> None:
    outbound = guard(clock, rows, allow=["+8620"])
    assert refusal(outbound, number) == "unlisted"


@pytest.mark.parametrize("number", ["", "anonymous", "|", "1", "${hostname}", "+86138\r\n"])
def test_what_is_no_number_is_refused(clock: VirtualClock, rows: list[JournalEntry], number: str) -> None:
    with pytest.raises(DialRefused):
        guard(clock, rows).dial(number, purpose="transfer")


def test_dial_string_syntax_never_gets_through(clock: VirtualClock, rows: list[JournalEntry]) -> None:
    for evil in (
        "13800138000|sofia/gateway/pstn/900",
        "13800138000,1380",
        "{x=y}13800138000",
        "138<0013>8000",
    ):
        try:
            dial = guard(clock, rows).dial(evil, purpose="transfer").dial.string()
        except DialRefused:
            continue
        assert set(dial.removeprefix("sofia/gateway/pstn/")) <= set("+0123456789")


def test_a_call_to_ourselves_is_refused(clock: VirtualClock, rows: list[JournalEntry]) -> None:
    outbound = guard(clock, rows, ours=["+8620888866"], allow=["+86", "8"])
    assert refusal(outbound, "020-88886612") == "loop"
    assert refusal(outbound, "8004") == "loop"
    assert refusal(outbound, "+862022223333", dialled="02022223333") == "loop"


def test_a_burst_is_capped_and_the_cap_ends(clock: VirtualClock, rows: list[JournalEntry]) -> None:
    outbound = guard(clock, rows, per_hour=2)
    outbound.dial("13800138000", purpose="transfer")
    outbound.dial("13800138001", purpose="transfer")
    assert refusal(outbound, "13800138002") == "too_many"
    clock.advance(3601)
    assert outbound.check("13800138002") == ""


def test_one_number_is_not_rung_again_and_again(clock: VirtualClock, rows: list[JournalEntry]) -> None:
    outbound = guard(clock, rows, per_number=1)
    outbound.dial("13800138000", purpose="transfer")
    assert refusal(outbound, "+86 13800138000") == "too_often"
    outbound.dial("13800138001", purpose="transfer")


def test_what_an_earlier_engine_dialled_counts(clock: VirtualClock, rows: list[JournalEntry]) -> None:
    first = guard(clock, rows)
    first.dial("13800138000", purpose="transfer")
    clock.advance(600)
    second = guard(clock, rows, per_number=1)
    second.restore(rows, clock.now())
    assert refusal(second, "13800138000") == "too_often"
    clock.advance(timedelta(minutes=51).total_seconds())
    assert second.check("13800138000") == ""


def test_a_private_number_is_not_written_down(clock: VirtualClock, rows: list[JournalEntry]) -> None:
    guard(clock, rows).dial("13800138000", purpose="callback", private=True)
    assert "138" not in str(rows)


def test_a_trunk_that_hides_callers_shows_ours(clock: VirtualClock, rows: list[JournalEntry]) -> None:
    outbound = guard(clock, rows, caller="+862088886666")
    branch = outbound.dial("13800138000", purpose="transfer", trunk="branch", caller="+8613900000000")
    assert (branch.trunk, branch.caller) == ("branch", "+862088886666")
    assert refusal(outbound, "13800138000", trunk="nowhere") == "no_trunk"


def test_faults_of_the_rules_have_their_place(tmp_path: Path) -> None:
    file = tmp_path / "trunks.yaml"
    file.write_text("grammar: 1\ntrunks: []\noutbound:\n  trunk: pstn\n  allow: ['86 x']\n")
    _, faults = load_file(file, TrunksFile)
    assert [fault.line for fault in faults] == [5]
    file.write_text("grammar: 1\ntrunks: []\noutbound:\n  trunk: pstn\n  allow: [+8620, 955]\n")
    _, faults = load_file(file, TrunksFile)
    assert ["there is no trunk pstn" in fault.message for fault in faults] == [True]
