"""The engine may die before and behind each deed of the line, whatever it does for a caller: it is done once, and heard
of."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.faults.dying import Scene, dies_around_each_deed, hearing

from .test_complaints import KEYS
from .test_pickups import KNOWN
from .test_quotes import measured
from .test_verdicts import BRANCH, logged_in


class Scenes:
    """What callers do whose engine dies, by the command."""

    def __init__(self, centre: Any, line: Any, seed: Any) -> None:
        self._centre, self._line, self._seed = centre, line, seed

    def count(self, table: str, **where: Any) -> int:
        return len(self._centre.rows(table, **where))

    def keep_quote(self, at: int) -> Any:
        """A stranger hears a price."""
        number = f"+86139333{at:05}"
        caller = measured(self._line, number=number)

        def kept() -> bool:
            leads = self.count("logistics.followups", customer=number)
            return self.count("logistics.quotes", customer=number) == leads == 1

        return (
            caller,
            "0#",
            hearing("logistics/quote_intro", "logistics/quote_line", "logistics/quote_total"),
            kept,
        )

    def keep_known(self, at: int) -> Any:
        """A customer whom we know hears a price: the n-th is the n-th quote of one lead."""
        caller = measured(self._line, number=KNOWN)

        def kept() -> bool:
            leads = self._centre.rows("logistics.followups", customer=KNOWN, kind="lead", done=None)
            return (self.count("logistics.quotes", customer=KNOWN), len(leads)) == (at, 1)

        return caller, "0#", hearing("logistics/quote_intro"), kept

    def order(self, at: int) -> Any:
        """A price, and the order that comes of it: its branch is told, its lead is won."""
        caller = measured(self._line, number=KNOWN).presses("0#")
        caller.hears("logistics/quote_intro")
        caller.hears("logistics/quote_line")
        caller.hears("logistics/quote_total")
        caller.hears("logistics/quote_next").presses("1")
        caller.hears("logistics/use_saved").presses("1")
        caller.hears("logistics/which_address")
        caller.hears("logistics/address_entry")
        caller.hears("logistics/address_entry").presses("1")
        caller.hears("logistics/address_chosen")
        caller.hears("logistics/which_goods").presses("1")
        caller.hears("logistics/branch_open")

        def kept() -> bool:
            orders = {row.number for row in self._centre.rows("logistics.pickups", customer=KNOWN)}
            won = {
                row.note for row in self._centre.rows("logistics.followups", customer=KNOWN, outcome="won")
            }
            tickets = {
                json.loads(row["data"])["order"] for row in self._centre.rows("tickets", kind="pickup")
            }
            told = self.count("notices", prompt="logistics/pickup_notice")
            return (
                len(orders) == told == at
                and orders == tickets
                and won == {f"pick-up {one}" for one in orders}
            )

        caller.hears("logistics/order_it")
        return caller, "1", hearing("logistics/ordered_text"), kept

    def promise(self, at: int) -> Any:
        """Nobody knows about a last mile: an answer is owed."""
        waybill = self._lost(at)
        caller = self._line.chose("1")
        caller.hears("logistics/enter_waybill")

        def kept() -> bool:
            owed = self.count("logistics.inquiries", number=waybill, asked=1)
            return owed == 1 and self.count("tickets", kind="last_mile") == at

        return caller, f"{waybill}#", hearing("logistics/promise_text"), kept

    def ask_again(self, at: int) -> Any:
        """The n-th who asks about the same."""
        waybill = "44018015"
        if at == 1:
            self._line.tracked(waybill).hears("logistics/last_mile_text")
            self._centre.clock.advance(20)
        caller = self._line.chose("1")
        caller.hears("logistics/enter_waybill")

        def kept() -> bool:
            asked = self._centre.one("logistics.inquiries", number=waybill).asked
            return (asked, self.count("notices", prompt="logistics/asked_again_notice")) == (at + 1, at)

        return caller, f"{waybill}#", hearing("logistics/still_owed_text", "logistics/last_mile_text"), kept

    def tell_window(self, at: int) -> Any:
        """A window is told, to be compared with the truth."""
        caller = self._line.chose("1")
        caller.hears("logistics/enter_waybill")
        kept = lambda: self.count("logistics.forecasts", number="44018004") == at  # noqa: E731
        return caller, "44018004#", hearing("logistics/departed_text", "logistics/window_text"), kept

    def complain(self, at: int) -> Any:
        """Something came late."""
        number = f"+86139333{at:05}"
        caller = self._line.chose("4", number=number)
        caller.hears("logistics/which_complaint").presses(KEYS["late"])
        caller.hears("logistics/has_waybill").presses("2")
        caller.says("5s")
        caller.hears("logistics/dictate_complaint").hears_beep()
        caller.hears("clip_review")

        def kept() -> bool:
            rows = self._centre.rows("logistics.complaints", caller=number)
            return len(rows) == 1 and self.count("tickets", kind="complaint_late") == at

        return caller, "3", hearing("logistics/complaint_text"), kept

    def appeal(self, at: int) -> Any:
        """A branch does not agree with a verdict."""
        ticket = self._seed.ticket("complaint_damage", data={"kind": "damage"}).number
        now = self._centre.virtual.now()
        self._seed.verdict(
            ticket=ticket, rule="LIAB-02", version=3, liable=BRANCH, points=5, note="", state="signed", given=now,
            given_by="8054", signed=now, signed_by="8055", appeal_until=now + timedelta(days=3),
        )  # fmt: skip
        caller = logged_in(self._centre)
        caller.hears("logistics/branch_hello_one")
        caller.hears("logistics/branch_menu").presses("1")
        caller.hears("logistics/verdict_text")
        caller.hears("logistics/appeal_it").presses("1")
        caller.says("5s")
        caller.hears("logistics/dictate_appeal").hears_beep()
        caller.hears("clip_review")

        def kept() -> bool:
            verdict = self._centre.one("logistics.verdicts", ticket=ticket)
            tickets = [row["number"] for row in self._centre.rows("tickets", kind="appeal")]
            return verdict.state == "appealed" and verdict.appeal_ticket in tickets and len(tickets) == at

        return caller, "3", hearing("logistics/appealed_text"), kept

    def _lost(self, at: int) -> str:
        """A shipment that another carrier has."""
        waybill, now = f"4409{at:04}", self._centre.virtual.now()
        self._seed.waybill(
            number=waybill, origin="广州", destination="大理", due=now + timedelta(days=2), handed_to="落地配"
        )
        self._seed.event(number=waybill, at=now - timedelta(days=1), what="arrived", city="大理")
        return waybill


COMMANDS = [name for name in vars(Scenes) if not name.startswith("_") and name != "count"]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_engine_may_die_around_each_deed_and_it_is_done_once(
    centre: Any, line: Any, seed: Any, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    scene: Scene = getattr(Scenes(centre, line, seed), command)
    dies_around_each_deed(centre, monkeypatch, scene)
