"""The department's part of the sample company's past (``insideline data seed``): requests of two weeks, families in
need on the day of the typhoon, and feedback on branches with what came of it.

The stories that the reports show: a branch about whose overtime many people speak, most of them without a name; an
answer that came too late, and was not the last word; feedback that nobody has answered in its time; a family that
called twice.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from .cases import CODE_LENGTH, Outcome, RequestKind, Topic
from .kinds import FEEDBACK
from .models import BranchRow, FeedbackRow, RequestRow

if TYPE_CHECKING:
    from engine.api import History, TicketView

LINE: Final = "8003"
EMPLOYEES: Final = ("30011", "30012", "30013", "30014", "30015", "30016", "30017")
OVERWORKED: Final = "7302"  # the branch about whose overtime many speak
NOT_CONTENT: Final = "7101"  # the one about which a late answer was not the last word
FORGOTTEN: Final = "7102"  # feedback on it is past its time
FAMILY: Final = "+8613977300011"  # who called twice

#: day of the past, clock, branch, topic, who gave it ("": nobody knows), working days until the answer (None: not yet),
#: what came of it, the answer.
GIVEN: Final[tuple[tuple[int, str, str, Topic, str, int | None, Outcome | None, str], ...]] = (
    (0, "09:20", OVERWORKED, "hours", "", 3, "justified", "加班时长已经核实，本月起补发加班费。"),
    (1, "12:15", OVERWORKED, "hours", "", 2, "justified", "加班时长已经核实，本月起补发加班费。"),
    (1, "18:40", "7201", "pay", "30013", 2, "unfounded", "工资按时发放，附上银行回单。"),
    (1, "21:10", NOT_CONTENT, "conduct", "", 7, "unclear", "双方说法不一，已提醒网点负责人。"),
    (2, "19:05", OVERWORKED, "hours", "30011", 3, "justified", "排班表已经调整，每周至少休一天。"),
    (3, "10:30", FORGOTTEN, "safety", "", None, None, ""),
    (4, "20:25", OVERWORKED, "pay", "", 4, "partly", "少发的两天已经补上，其余与考勤一致。"),
    (5, "11:45", "7301", "safety", "30016", 1, "justified", "消防通道已经清理，并拍照存档。"),
    (7, "12:50", OVERWORKED, "conduct", "", 3, "partly", "已与网点负责人谈话。"),
    (8, "18:20", NOT_CONTENT, "hours", "30012", 2, "unfounded", "考勤记录与工资条一致。"),
    (9, "19:40", OVERWORKED, "hours", "", None, None, ""),
    (11, "12:30", "7202", "other", "", 1, "unclear", "没有足够的线索，欢迎补充。"),
    (13, "18:10", NOT_CONTENT, "conduct", "", None, None, ""),
)  # fmt: skip


def write(session: Session, history: History) -> None:
    """Two weeks of the department (of a shorter past, those stories that find a day in it)."""
    past = _Past(session, history)
    past.requests()
    past.feedback()
    if history.typhoon is not None:
        past.families(history.typhoon)
    session.flush()


class _Past:
    def __init__(self, session: Session, history: History) -> None:
        self._session, self._history = session, history
        self._branches = {one.code: one for one in session.scalars(select(BranchRow))}

    def _later(self, at: datetime, days: int, clock: str) -> datetime | None:
        """So many working days after a moment; None when that is still to come."""
        later = [day for day in self._history.calendar.workdays if self._history.at(day, "00:00") > at]
        return self._history.at(later[days - 1], clock) if len(later) >= days else None

    # -- requests -------------------------------------------------------------------------------------

    def requests(self) -> None:
        """Some a day, most of them done in their time."""
        history = self._history
        kinds: tuple[RequestKind, ...] = ("employment", "income", "correction", "claim")
        for day in history.days:
            for at in history.times(day, 3):
                kind = history.random.choices(kinds, (4, 3, 2, 3))[0]
                self._request(at, kind, history.random.choice(EMPLOYEES))

    def _request(self, at: datetime, kind: RequestKind, employee: str) -> None:
        history = self._history
        party = history.party(employee, "employee")
        call = history.call(at, party=party, dialled=LINE, flow="hr/main", served=95)
        said: dict[str, str] = {"employee": employee}
        if kind == "correction":
            month = history.today.replace(day=1) - timedelta(days=1)
            said["month"] = f"{month:%Y-%m}"
        if kind == "claim":
            said |= {
                "detail": history.random.choice(["medical", "travel", "study"]),
                "amount": f"{history.random.randrange(80, 900)}.00",
            }
        ticket = history.desk(at, "hr.ask").open(
            kind, data=said, call=call, party=party.id if party is not None else 0
        )
        row = self._keep(ticket, employee)
        late = history.random.random() < 0.12
        done = self._later(
            at, 4 if late else 1, f"{history.random.randrange(14, 17)}:{history.random.randrange(10, 59)}"
        )
        if done is not None:
            row.owner = history.random.choice(["8041", "8043", "8045"])
            self._answer(ticket, at, done, row.owner, "已经办好，请到人事窗口领取。")
            row.solved = done

    def _keep(self, ticket: TicketView, employee: str, owner: str = "", number: str = "") -> RequestRow:
        row = RequestRow(
            ticket=ticket.number, employee=employee, kind=ticket.kind, opened=ticket.opened, due=ticket.due,
            owner=owner, number=number,
        )  # fmt: skip
        self._session.add(row)
        return row

    def _answer(self, ticket: TicketView, at: datetime, done: datetime, by: str, text: str) -> None:
        if ticket.owner != by:
            self._history.desk(at + (done - at) / 3, by).assign(ticket.number, by)
        self._history.desk(done, by).answer(ticket.number, text)

    # -- feedback -------------------------------------------------------------------------------------

    def feedback(self) -> None:
        """Of one that nobody knows who gave, no number stands anywhere, and no call leads to it."""
        history = self._history
        for number, clock, branch, topic, employee, days, outcome, text in GIVEN:
            if number >= len(history.days):
                continue
            at = history.at(history.days[number], clock)
            party = history.party(employee, "employee") if employee else None
            call = history.call(at, party=party, dialled=LINE, flow="hr/main", served=140)
            self._feedback(
                at, self._branches[branch], topic, employee, call if employee else "", days, outcome, text
            )

    def _feedback(
        self, at: datetime, branch: BranchRow, topic: Topic, employee: str, call: str, days: int | None,
        outcome: Outcome | None, text: str,
    ) -> None:  # fmt: skip
        history = self._history
        data = {"branch": branch.code, "branch_name": branch.name, "topic": topic, "employee": employee}
        ticket = history.desk(at, "hr.give_feedback").open(
            "feedback",
            data={name: value for name, value in data.items() if value},
            call=call,
            away_from=branch.site,
        )
        row = FeedbackRow(
            ticket=ticket.number, code=f"{history.random.randrange(10**CODE_LENGTH):0{CODE_LENGTH}d}",
            branch=branch.code, branch_name=branch.name, topic=topic, employee=employee, received=at, due=ticket.due,
            reopened=0,
        )  # fmt: skip
        self._session.add(row)
        done = self._later(at, days, "16:20") if days is not None else None
        if done is None or outcome is None:
            return
        self._answer(ticket, at, done, "8043", text)
        row.answered(done)
        row.reply, row.outcome = text, outcome
        if branch.code == NOT_CONTENT and row.late:
            self._said_more(row, done + timedelta(hours=3))
        elif history.random.random() < 0.6 and (agreed := self._later(done, 1, "12:40")) is not None:
            history.desk(agreed, "hr.settle").close(ticket.number, "whoever gave it agrees")
            row.settled = agreed

    def _said_more(self, row: FeedbackRow, at: datetime) -> None:
        again = self._history.desk(at, "hr.say_more").reopen(
            row.ticket, "more was said by whoever gave it", within=FEEDBACK, calendar="office"
        )
        row.owed_again(again.due, again.reopens)

    # -- families -------------------------------------------------------------------------------------

    def families(self, day: date) -> None:
        """Families of people who are posted away, on the day of the typhoon and behind it: one called twice and waited
        too long, one still waits."""
        self._hardship(day, "10:15", "30015", "child", "+8613977300015", "8043", "14:30")
        self._hardship(day, "11:05", "30016", "other", "+8613977300016", "8042", "15:40")
        self._hardship(day, "13:50", "30011", "illness", FAMILY, "8042", None, again="16:10")
        self._hardship(self._history.days[-1], "17:20", "30016", "money", "+8613977300016", "8042", "")

    def _hardship(
        self, day: date, clock: str, employee: str, need: str, number: str, owner: str, done: str | None,
        again: str = "",
    ) -> None:  # fmt: skip
        """``done``: when the family was called on that day; None: two working days later; "": not yet."""
        history = self._history
        at = history.at(day, clock)
        call = history.call(at, number=number, dialled=LINE, flow="hr/main", served=120)
        ticket = history.desk(at, "hr.ask_for_help").open(
            "hardship",
            owner=owner,
            data={"employee": employee, "need": need, "number": number},
            caller=number,
            call=call,
        )
        row = self._keep(ticket, employee, owner, number)
        if again:
            later = history.at(day, again)
            call = history.call(later, number=number, dialled=LINE, flow="hr/main", served=70)
            history.desk(later, "hr.ask_for_help").note(ticket.number, "the family called again")
            history.desk(later, "hr.ask_for_help").link(ticket.number, "call", call)
        called = self._later(at, 2, "09:30") if done is None else history.at(day, done) if done else None
        if called is not None:
            history.desk(called, owner).solve(ticket.number, "the family was called")
            row.solved = called


__all__ = ["write"]
