"""What the experts' line asks of systems behind it: its own book of questions, and the company's staff directory."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Protocol

from engine.api import Digits, Record

#: How a question is closed: by the caller (the standard answer that was heard solved it), by the expert (a published
#: answer, a gap in the knowledge, a ticket), by the engine (asked again in a later call; no question came of the call,
#: or the caller, when called back, needed it no more).
Disposition = Literal["", "heard", "answer", "gap", "ticket", "again", "none"]


class Staff(Record):
    """Somebody on the first line."""

    number: Digits
    name: str
    branch: str
    region: str


class TopicView(Record):
    """Something that questions are about. ``code`` is also the skill that an expert must have."""

    code: str
    title: str  # in the language that was asked for
    owner: str  # the group that gets a ticket about it
    hours: int  # open hours in which such a ticket is to be solved


class Asked(Record):
    """A question as it stands."""

    id: int
    call: str
    asked: datetime
    staff: str
    name: str
    branch: str
    topic: str
    holding: bool
    heard: str  # the standard answer that the caller heard first; "" none
    heard_version: int
    expert: str
    last_expert: str
    ended: datetime | None
    clip: str
    closed: datetime | None
    disposition: Disposition
    draft: str  # what a gap opened


class StaffDirectory(Protocol):
    """The company's people."""

    def person(self, number: str) -> Staff | None:
        """Who has this staff number; None for nobody, or for somebody who works here no more."""


class QuestionBook(Protocol):
    """The questions of the first line. It is the department's own, and stays in the centre's database."""

    def topics(self, language: str) -> list[TopicView]:
        """All topics, in the order of the menu."""

    def begin(self, call: str, *, now: datetime, caller: str, language: str) -> int:
        """A new question of this call; the one before it has ended. Its id."""

    def current(self, call: str) -> Asked | None:
        """The question that this call is about now: its last one."""

    def get(self, id: int) -> Asked | None:
        """The question of that id."""

    def note(self, call: str, *, now: datetime, **facts: object) -> int:
        """Write facts to the call's question, which is begun when there is none. Its id."""

    def ended(self, call: str, *, now: datetime, agents: list[str], talked: int) -> int | None:
        """The call, or its question, is over: who talked (in order) and for how many seconds in the whole call. A call
        of which no question came is closed as ``none``. None when the call has no question."""

    def close(self, id: int, disposition: Disposition, *, now: datetime, by: str, **facts: object) -> bool:
        """Close a question; False when it is closed already, which then stays as it was."""

    def call_back(self, call: str, again: str) -> int:
        """The question of ``call`` goes on in ``again``, the call in which its caller is called back. Its id, or 0."""

    def talked_with(self, call: str, expert: str) -> Asked | None:
        """An expert has talked about the call's question: the first one stays the first. The question."""

    def missed(self, call: str, expert: str, why: str, *, now: datetime) -> None:
        """An expert did not answer the ring for this call. A call without a question has none to miss."""

    def open_of(self, expert: str, *, most: int) -> list[Asked]:
        """What this expert talked about and has not closed, the latest first."""

    def earlier(self, staff: str, topic: str, *, since: datetime, but: int) -> list[Asked]:
        """What somebody asked about a topic since then (``but`` for one question), the latest first."""

    def gaps_of(self, staff: str) -> list[Asked]:
        """This person's gaps of which the person has not heard what became; the oldest first."""

    def told(self, ids: list[int], *, now: datetime) -> int:
        """Whoever asked these has heard what became of them. How many there were."""

    def filled(self, draft: str, version: int) -> int:
        """What was a gap has an answer now, published in this version. How many questions had opened it."""

    def unclosed(self, *, before: datetime) -> tuple[int, datetime | None]:
        """How many questions asked before then nobody has closed, and when the oldest was asked."""
