"""What the experts' line is to the engine: its tables, its systems, its settings."""

from __future__ import annotations

from engine.api import Adapter, Department, Digits, Duration, Record, Settings, TicketKind

from .contracts import QuestionBook, StaffDirectory
from .models import Base
from .past import write
from .questions import SqlQuestions
from .seed import FACTORIES, fill
from .staff import HttpStaff, SqlStaff

_DAY = 24 * 3600.0


class Rules(Settings):
    """``departments: {expert: …}`` in conf/engine.yaml."""

    queue: str = "expert"  # where first-line staff wait
    again: Duration = 7 * _DAY  # who asks about the same topic within this was not helped at first contact
    overdue: Duration = 1 * _DAY  # a question that an expert has not closed by then is told in the morning


class QuestionFields(Record):
    """What a ticket says of its question."""

    question: int
    topic: str
    staff: str = ""
    branch: str = ""
    expert: Digits


department = Department(
    "expert",
    title="Experts behind the first line",
    tables="expert_",
    models=Base.metadata,
    # The book comes first: hooks, reports and commands run where it is, wherever the company keeps its people.
    adapters=[Adapter(QuestionBook, sql=SqlQuestions), Adapter(StaffDirectory, sql=SqlStaff, http=HttpStaff)],
    sample=fill,
    history=write,
    settings=Rules,
    factories=FACTORIES,
    tickets=[
        TicketKind(
            "question",
            fields=QuestionFields,
            title={"zh-CN": "一线咨询", "en": "question of the first line"},
            calendar="office",
            escalate="expert_desk",
        )
    ],
)
