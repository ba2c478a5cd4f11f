"""The engine may die before and behind each deed of the line, whatever it does for a caller: it is done once, and heard
of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.faults.dying import Scene, dies_around_each_deed, hearing

from .conftest import NUMBER
from .test_families import in_need


class Scenes:
    """What callers do whose engine dies, by the command."""

    def __init__(self, centre: Any, line: Any) -> None:
        self._centre, self._line = centre, line
        self._codes: list[str] = []

    def _requested(self, kind: str, at: int) -> Callable[[], bool]:
        def kept() -> bool:
            rows = self._centre.rows("hr.requests", kind=kind)
            tickets = self._centre.rows("tickets", kind=kind)
            return {row.ticket for row in rows} == {row["number"] for row in tickets} and len(rows) == at

        return kept

    def _requests(self, key: str) -> Any:
        caller = self._line.employee("30011").presses("4")
        return caller.hears("hr/requests_menu").presses(key)

    def employment(self, at: int) -> Any:
        caller = self._requests("1").hears("hr/which_certificate")
        return caller, "1", hearing("hr/request_taken"), self._requested("employment", at)

    def income(self, at: int) -> Any:
        caller = self._requests("1").hears("hr/which_certificate")
        return caller, "2", hearing("hr/request_taken"), self._requested("income", at)

    def correction(self, at: int) -> Any:
        caller = self._requests("2")
        caller.hears("hr/correction_month").presses("202610")
        caller.hears("hr/say_what_is_wrong").says("3s").hears_beep()
        caller.hears("clip_review")
        return caller, "3", hearing("hr/request_taken"), self._requested("correction", at)

    def claim(self, at: int) -> Any:
        caller = self._requests("3")
        caller.hears("hr/which_benefit")
        for _ in range(3):
            caller.hears("hr/benefit_entry")
        caller.presses("2")
        caller.hears("hr/enter_amount").presses("100#")
        caller.hears("read_back_money")
        return caller, "1", hearing("hr/send_receipts", "hr/request_taken"), self._requested("claim", at)

    def give(self, at: int) -> Any:
        """Nobody knows who gives it, and the code that is heard is the one that leads to it."""
        caller = self._line.nobody()
        self._line.picks_branch(caller, "2")
        caller.hears("hr/which_topic").presses("1")
        caller.hears("hr/say_what_happened").says("3s").hears_beep()
        caller.hears("clip_review")
        codes: list[str] = []

        def hears(caller: Any) -> None:
            hearing("hr/filed")(caller)
            codes.append(str(caller.hears("hr/your_code").values["filed.code"]))

        def kept() -> bool:
            rows = self._centre.rows("hr.feedback")
            self._centre.nowhere(NUMBER)
            clips = len(self._centre.rows("hr.feedback_clips"))
            return codes[0] in {row.code for row in rows} and len(rows) == clips == at

        return caller, "3", hears, kept

    def more(self, at: int) -> Any:
        """The n-th time that more is said."""
        caller = self._answered(at)
        caller.hears("hr/answered_menu" if at == 1 else "hr/unanswered_menu").presses("2")
        caller.hears("hr/say_more").says("3s").hears_beep()
        caller.hears("clip_review")

        def kept() -> bool:
            row = self._centre.one("hr.feedback")
            return (len(self._centre.rows("hr.feedback_clips")), row.reopened) == (at + 1, 1)

        return caller, "3", hearing("hr/more_kept"), kept

    def agree(self, at: int) -> Any:
        """Each agrees with an answer of its own."""
        caller = self._answered(1).hears("hr/answered_menu")
        kept = lambda: len(self._centre.rows("tickets", state="closed")) == at  # noqa: E731
        return caller, "3", hearing("hr/settled"), kept

    def help(self, at: int) -> Any:
        """A family in need: one request, one owner, its desk told once."""
        number = f"+86139333{at:05}"
        caller = in_need(self._line, number=number).presses("30011#")
        caller.hears("hr/which_need").presses("1")
        caller.hears("hr/say_the_need").says("3s").hears_beep()
        caller.hears("clip_review").presses("3")
        caller.hears("hr/call_this_number")

        def kept() -> bool:
            rows = self._centre.rows("hr.requests", number=number)
            told = self._centre.rows("notices", prompt="hr/hardship_notice")
            return len(rows) == 1 and len(told) == len(self._centre.rows("tickets", kind="hardship")) == at

        return caller, "1", hearing("hr/help_taken"), kept

    def take(self, at: int) -> Any:
        """Somebody of the desk hears a feedback by phone, and has it from then on."""
        number, staff = self._feedback(), self._staff()
        staff.hears("hr/enter_ticket")
        kept = lambda: self._centre.one("tickets", number=number)["owner"] == "8043"  # noqa: E731
        return staff, f"{number}#", hearing("hr/case_begins"), kept

    def reply(self, at: int) -> Any:
        """Somebody of the desk answers one in its own voice."""
        number, staff = self._feedback(), self._staff()
        staff.hears("hr/enter_ticket").presses(f"{number}#")
        staff.hears("hr/case_begins")
        staff.hears_clip().hears("hr/staff_menu").presses("2")
        staff.hears("hr/say_the_reply").says("3s").hears_beep()
        staff.hears("clip_review").presses("3")
        staff.hears("hr/which_outcome")

        def kept() -> bool:
            row = self._centre.one("hr.feedback", ticket=number)
            ticket = self._centre.one("tickets", number=number)
            return (row.outcome, bool(row.reply_clip), ticket["state"]) == ("partly", True, "solved")

        return staff, "2", hearing("hr/reply_kept", "hr/enter_ticket"), kept

    def _staff(self) -> Any:
        staff = self._centre.caller(number="1043", origin="internal").dials("*19")
        staff.hears("hr/enter_agent").presses("8043#")
        return staff.hears("hr/enter_agent_pin").presses("4843#")

    def _feedback(self) -> str:
        """The ticket of a new feedback."""
        caller = self._line.nobody()
        code = self._line.files(caller)
        caller.hangs_up()
        self._codes.append(code)
        return str(self._centre.one("hr.feedback", code=code).ticket)

    def _answered(self, at: int) -> Any:
        """Somebody who asks what became of a feedback that was answered; the first one's, or a new one."""
        if at == 1:
            number = self._feedback()
            self._centre.app.records.work(
                lambda session: self._centre.app.records.desk(session, by="8043").answer(number, "It was so.")
            )
            self._centre.clock.advance(2)
        caller = self._line.main().presses("3")
        caller.hears("hr/enter_code").presses(f"{self._codes[-1]}#")
        caller.hears("hr/follow_up_begins")
        caller.hears("hr/reply_is" if at == 1 else "hr/feedback_waits")
        return caller


COMMANDS = [name for name in vars(Scenes) if not name.startswith("_")]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_engine_may_die_around_each_deed_and_it_is_done_once(
    centre: Any, line: Any, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    scene: Scene = getattr(Scenes(centre, line), command)
    dies_around_each_deed(centre, monkeypatch, scene)
