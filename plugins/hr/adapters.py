"""What the department asks the company's systems, each as a contract with two answers: the department's own tables, and
the company's service over http (``POST`` of the method's name with its arguments; null for what there is not)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal, Protocol, get_args

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.api import Digits, HttpClient, Private, Record

from .models import BenefitRow, BranchRow, LeaveRow, PersonRow, SlipLineRow
from .slips import Slip, slip_of

#: 补充医疗 体检 探亲路费 学费补助 节日慰问
BenefitKind = Literal["medical", "checkup", "travel", "study", "festival"]
BENEFITS: tuple[str, ...] = get_args(BenefitKind)
#: 年假 病假 探亲假 调休 育儿假
LeaveKind = Literal["annual", "sick", "home", "compensatory", "childcare"]
LEAVES: tuple[str, ...] = get_args(LeaveKind)


class Benefit(Record):
    """What may be claimed yet."""

    kind: BenefitKind
    granted: Private[Decimal]
    left: Private[Decimal]  # of it
    until: date


class LeaveLeft(Record):
    """Days of leave that are left, halves too."""

    kind: LeaveKind
    days: Private[Decimal]
    until: date


class Branch(Record):
    """A branch, or head office. ``site`` is what conf/agents.yaml calls it, ``partner`` the agent of HR who looks after
    its people ("" for none)."""

    code: Digits
    name: str
    region: str
    site: str
    partner: str


class Person(Record):
    """An employee, without anything about pay."""

    number: Digits
    name: str
    branch: Digits
    home: str  # where the family lives
    posted: date | None  # since when it works away from there


class Payroll(Protocol):
    """The company's pay."""

    def months(self, employee: str, *, most: int) -> list[date]:
        """The months (their first days) that there is a slip of, the latest first."""

    def slip(self, employee: str, month: date) -> Slip | None:
        """The slip of a month, ``month`` being its first day."""


class Benefits(Protocol):
    """What the company grants beside pay."""

    def benefits(self, employee: str, *, on: date) -> list[Benefit]:
        """What may still be claimed on that day, also what is used up; in the order of ``BENEFITS``."""


class Leave(Protocol):
    """Leave and absences."""

    def leave(self, employee: str, *, on: date) -> list[LeaveLeft]:
        """What is left on that day, also when it is nothing; in the order of ``LEAVES``."""


class Staff(Protocol):
    """Who works where."""

    def person(self, number: str) -> Person | None:
        """The employee of that number."""

    def branch(self, code: str) -> Branch | None:
        """The branch of that code."""

    def branches(self) -> list[Branch]:
        """All branches and head office, by their codes."""


# -- the department's own tables ---------------------------------------------------------------------


class SqlPayroll:
    """Pay from the department's own tables."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def months(self, employee: str, *, most: int) -> list[date]:
        query = select(SlipLineRow.month).where(SlipLineRow.employee == employee).distinct()
        return list(self._session.scalars(query.order_by(SlipLineRow.month.desc()).limit(most)))

    def slip(self, employee: str, month: date) -> Slip | None:
        query = select(SlipLineRow).where(SlipLineRow.employee == employee, SlipLineRow.month == month)
        rows = self._session.scalars(query).all()
        return slip_of(employee, month, [(row.kind, row.amount) for row in rows]) if rows else None


class SqlBenefits:
    """Benefits from the department's own tables."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def benefits(self, employee: str, *, on: date) -> list[Benefit]:
        query = select(BenefitRow).where(BenefitRow.employee == employee, BenefitRow.until >= on)
        rows = sorted(self._session.scalars(query), key=lambda row: (BENEFITS.index(row.kind), row.until))
        return [
            Benefit.model_validate(
                {"kind": row.kind, "granted": row.granted, "left": row.granted - row.used, "until": row.until}
            )
            for row in rows
        ]


class SqlLeave:
    """Leave from the department's own tables."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def leave(self, employee: str, *, on: date) -> list[LeaveLeft]:
        query = select(LeaveRow).where(LeaveRow.employee == employee, LeaveRow.until >= on)
        rows = sorted(self._session.scalars(query), key=lambda row: (LEAVES.index(row.kind), row.until))
        return [
            LeaveLeft.model_validate(
                {"kind": row.kind, "days": Decimal(row.half_days - row.taken) / 2, "until": row.until}
            )
            for row in rows
        ]


class SqlStaff:
    """People and branches from the department's own tables."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def person(self, number: str) -> Person | None:
        row = self._session.get(PersonRow, number)
        return None if row is None else Person.model_validate(row)

    def branch(self, code: str) -> Branch | None:
        row = self._session.get(BranchRow, code)
        return None if row is None else Branch.model_validate(row)

    def branches(self) -> list[Branch]:
        query = select(BranchRow).order_by(BranchRow.code)
        return [Branch.model_validate(row) for row in self._session.scalars(query)]


# -- over http -----------------------------------------------------------------------------------------


class HttpPayroll:
    """Pay from the company's own system. What is asked for stands in the body, never in an address."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def months(self, employee: str, *, most: int) -> list[date]:
        found: list[date] = self._client.ask("months", {"employee": employee, "most": most}, list[date])
        return found

    def slip(self, employee: str, month: date) -> Slip | None:
        found: Slip | None = self._client.ask("slip", {"employee": employee, "month": month}, Slip | None)
        return found


class HttpBenefits:
    """Benefits from the company's own system."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def benefits(self, employee: str, *, on: date) -> list[Benefit]:
        found: list[Benefit] = self._client.ask("benefits", {"employee": employee, "on": on}, list[Benefit])
        return found


class HttpLeave:
    """Leave from the company's own system."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def leave(self, employee: str, *, on: date) -> list[LeaveLeft]:
        found: list[LeaveLeft] = self._client.ask("leave", {"employee": employee, "on": on}, list[LeaveLeft])
        return found


class HttpStaff:
    """People and branches from the company's own system."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def person(self, number: str) -> Person | None:
        found: Person | None = self._client.ask("person", {"number": number}, Person | None)
        return found

    def branch(self, code: str) -> Branch | None:
        found: Branch | None = self._client.ask("branch", {"code": code}, Branch | None)
        return found

    def branches(self) -> list[Branch]:
        found: list[Branch] = self._client.ask("branches", {}, list[Branch])
        return found
