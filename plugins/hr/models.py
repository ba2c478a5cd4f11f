"""The department's own tables: who works where, pay, benefits and leave (the sample behind the contracts), and what the
line took in: requests, and feedback on branches."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Integer, Numeric, String, Text, false
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator, TypeEngine

from engine.api import Moment


class Money(TypeDecorator[Decimal]):
    """Yuan with two decimals: an exact number where the database has one, whole fen in SQLite."""

    impl = Numeric(12, 2)
    cache_ok = True

    def load_dialect_impl(self, dialect: Any) -> TypeEngine[Any]:
        return dialect.type_descriptor(BigInteger() if dialect.name == "sqlite" else Numeric(12, 2))

    def process_bind_param(self, value: Decimal | None, dialect: Any) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return int((Decimal(value) * 100).to_integral_exact())

    def process_result_value(self, value: Any, dialect: Any) -> Decimal | None:
        if value is None:
            return None
        return Decimal(value) / 100 if dialect.name == "sqlite" else Decimal(value)


class Base(DeclarativeBase):
    pass


class BranchRow(Base):
    """A branch, or head office."""

    __tablename__ = "hr_branches"

    code: Mapped[str] = mapped_column(String(8), primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    region: Mapped[str] = mapped_column(String(20))
    site: Mapped[str] = mapped_column(String(40))  # as conf/agents.yaml calls it
    partner: Mapped[str] = mapped_column(String(16), default="")  # the agent of HR who looks after its people


class PersonRow(Base):
    """An employee."""

    __tablename__ = "hr_people"

    number: Mapped[str] = mapped_column(String(8), primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    branch: Mapped[str] = mapped_column(ForeignKey("hr_branches.code"))
    home: Mapped[str] = mapped_column(String(40), default="")  # the city that the family lives in
    posted: Mapped[date | None]  # since when it works away from there


class SlipLineRow(Base):
    """One line of one month's pay."""

    __tablename__ = "hr_slip_lines"

    employee: Mapped[str] = mapped_column(String(8), primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)  # its first day
    kind: Mapped[str] = mapped_column(
        String(16), primary_key=True
    )  # one of slips.EARNINGS or slips.DEDUCTIONS
    amount: Mapped[Decimal] = mapped_column(Money)


class BenefitRow(Base):
    """What an employee may claim until a day."""

    __tablename__ = "hr_benefits"

    employee: Mapped[str] = mapped_column(String(8), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)  # one of adapters.BENEFITS
    until: Mapped[date] = mapped_column(primary_key=True)
    granted: Mapped[Decimal] = mapped_column(Money)
    used: Mapped[Decimal] = mapped_column(Money)


class LeaveRow(Base):
    """Leave of a kind: half days count as 0.5, kept as half days."""

    __tablename__ = "hr_leave"

    employee: Mapped[str] = mapped_column(String(8), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)  # one of adapters.LEAVES
    until: Mapped[date] = mapped_column(primary_key=True)
    half_days: Mapped[int] = mapped_column(Integer)  # granted
    taken: Mapped[int] = mapped_column(Integer)  # half days, too


class RequestRow(Base):
    """A request of an employee, or for one by the family: which ticket it is, so that its state can be asked for."""

    __tablename__ = "hr_requests"

    ticket: Mapped[str] = mapped_column(String(16), primary_key=True)
    employee: Mapped[str] = mapped_column(String(8), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    opened: Mapped[datetime] = mapped_column(Moment)
    due: Mapped[datetime | None] = mapped_column(Moment)
    solved: Mapped[datetime | None] = mapped_column(Moment)
    owner: Mapped[str] = mapped_column(String(16), default="")
    number: Mapped[str] = mapped_column(String(24), default="")  # whom to call about a hardship


class FeedbackRow(Base):
    """Feedback on a branch. Of an anonymous one nothing here, and nothing that it leads to, says who gave it."""

    __tablename__ = "hr_feedback"

    ticket: Mapped[str] = mapped_column(String(16), primary_key=True)
    code: Mapped[str] = mapped_column(String(10), unique=True)  # whoever has it may follow it up
    branch: Mapped[str] = mapped_column(String(8), index=True)
    branch_name: Mapped[str] = mapped_column(String(40))
    topic: Mapped[str] = mapped_column(String(16))
    employee: Mapped[str] = mapped_column(String(8), default="")  # who gave it by name; "" nobody knows
    received: Mapped[datetime] = mapped_column(Moment, index=True)
    due: Mapped[datetime | None] = mapped_column(Moment)
    replied: Mapped[datetime | None] = mapped_column(Moment)  # None: an answer is owed
    late: Mapped[bool] = mapped_column(default=False, server_default=false())  # one came after its time
    reply: Mapped[str] = mapped_column(Text, default="")
    reply_clip: Mapped[str] = mapped_column(String(80), default="")
    outcome: Mapped[str] = mapped_column(String(16), default="")  # one of cases.OUTCOMES
    settled: Mapped[datetime | None] = mapped_column(Moment)  # the caller agreed
    reopened: Mapped[int] = mapped_column(Integer, default=0)

    def answered(self, at: datetime) -> None:
        """What is owed was answered."""
        if self.replied is None:
            self.replied = at
            self.late = bool(self.late) or (self.due is not None and at > self.due)

    def owed_again(self, due: datetime | None, reopened: int) -> None:
        """Whoever gave it is not content."""
        self.replied = self.settled = None
        self.outcome = ""  # what came of it is open again
        self.due, self.reopened = due, reopened


class FeedbackClipRow(Base):
    """What was spoken of a feedback, in order: the first clip, and what was added."""

    __tablename__ = "hr_feedback_clips"

    ticket: Mapped[str] = mapped_column(ForeignKey("hr_feedback.ticket"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    clip: Mapped[str] = mapped_column(String(80))
