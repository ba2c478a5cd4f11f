"""The experts' own tables: topics, first-line staff, each question from its first second to its closing."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from engine.api import Moment


class Base(DeclarativeBase):
    pass


class Topic(Base):
    """What questions are about. Its code is also the skill that an expert must have, and the knowledge's topic."""

    __tablename__ = "expert_topics"

    code: Mapped[str] = mapped_column(String(32), primary_key=True)
    place: Mapped[int]  # in the order of the menu
    zh: Mapped[str] = mapped_column(String(60))
    en: Mapped[str] = mapped_column(String(60))
    owner: Mapped[str] = mapped_column(String(32))  # the group that gets a ticket about it
    hours: Mapped[int]  # open hours in which such a ticket is to be solved


class StaffMember(Base):
    """Somebody on the first line. A company that keeps its people elsewhere leaves this empty (``StaffDirectory``)."""

    __tablename__ = "expert_staff"

    number: Mapped[str] = mapped_column(String(12), primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    branch: Mapped[str] = mapped_column(String(40))
    region: Mapped[str] = mapped_column(String(20))
    left: Mapped[bool] = mapped_column(default=False)  # works here no more


class Question(Base):
    """One question of one call. Times are when things happened first; "" and None: not yet, or never."""

    __tablename__ = "expert_questions"
    __table_args__ = (UniqueConstraint("call", "nth", name="uq_expert_questions_call_nth"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    call: Mapped[str] = mapped_column(String(64))
    called_back: Mapped[str] = mapped_column(
        String(64), default="", index=True
    )  # the call in which we called back
    nth: Mapped[int] = mapped_column(default=1)  # the call's first question, its second …
    asked: Mapped[datetime] = mapped_column(Moment, index=True)
    caller: Mapped[str] = mapped_column(String(32), default="")  # the number
    language: Mapped[str] = mapped_column(String(12), default="")

    # Who asks about what
    staff: Mapped[str] = mapped_column(String(12), default="", index=True)
    name: Mapped[str] = mapped_column(String(40), default="")
    branch: Mapped[str] = mapped_column(String(40), default="")
    region: Mapped[str] = mapped_column(String(20), default="")
    topic: Mapped[str] = mapped_column(String(32), default="")
    holding: Mapped[bool] = mapped_column(default=False)  # a customer is on hold meanwhile

    # The standard answer that was heard, before an expert was asked
    heard: Mapped[str] = mapped_column(String(32), default="")
    heard_version: Mapped[int] = mapped_column(default=0)

    # The way to an expert
    queued: Mapped[datetime | None] = mapped_column(Moment)
    answered: Mapped[datetime | None] = mapped_column(Moment)
    expert: Mapped[str] = mapped_column(String(12), default="", index=True)  # who answered first
    last_expert: Mapped[str] = mapped_column(String(12), default="")  # who talked last, after transfers
    talked: Mapped[int] = mapped_column(default=0)  # seconds
    ended: Mapped[datetime | None] = mapped_column(Moment)  # the caller is gone, or asks the next one
    clip: Mapped[str] = mapped_column(String(64), default="")  # the question as it was dictated

    # Its closing
    closed: Mapped[datetime | None] = mapped_column(Moment, index=True)
    closed_by: Mapped[str] = mapped_column(String(40), default="")
    disposition: Mapped[str] = mapped_column(String(12), default="")  # contracts.Disposition
    answer: Mapped[str] = mapped_column(String(32), default="")
    version: Mapped[int] = mapped_column(default=0)
    standard_version: Mapped[int] = mapped_column(default=0)  # of that answer, published then; 0: none was
    draft: Mapped[str] = mapped_column(String(32), default="")
    ticket: Mapped[str] = mapped_column(String(12), default="")
    note: Mapped[str] = mapped_column(String(400), default="")
    told: Mapped[datetime | None] = mapped_column(
        Moment
    )  # who asked has heard what became of a gap or ticket

    # The caller's marks, 1 to 5
    solution: Mapped[int | None]
    attitude: Mapped[int | None]
    effort: Mapped[int | None]


class Missed(Base):
    """An expert's phone rang for a question and was not answered."""

    __tablename__ = "expert_missed"

    id: Mapped[int] = mapped_column(primary_key=True)
    question: Mapped[int] = mapped_column(ForeignKey("expert_questions.id"), index=True)
    at: Mapped[datetime] = mapped_column(Moment)
    expert: Mapped[str] = mapped_column(String(12), index=True)
    why: Mapped[str] = mapped_column(String(20))
