"""How a question is closed: by a published answer, as a gap in the knowledge, by a ticket for whose matter it is."""

from __future__ import annotations

from datetime import datetime, timedelta

from engine.api import Context, Digits, Record, Refused, command, query

from .contracts import Asked, QuestionBook, TopicView
from .department import department


class OpenView(Record):
    """A question that an expert talked about and has not closed."""

    id: int
    asked: datetime
    name: str
    branch: str
    topic: str  # its title


class Standard(Record):
    """A published answer, as the expert hears it read back."""

    id: Digits
    version: int
    title: str


class Opened(Record):
    """The ticket that a question became."""

    number: Digits
    due: datetime | None


@query(department, over=QuestionBook)
def mine(ctx: Context, expert: Digits, language: str) -> list[OpenView]:
    """``expert.mine``: what this expert has not closed, the latest first."""
    book = ctx.adapter(QuestionBook)
    titles = {one.code: one.title for one in book.topics(language)}
    return [
        OpenView(
            id=one.id,
            asked=one.asked,
            name=one.name or one.staff,
            branch=one.branch,
            topic=titles.get(one.topic, one.topic),
        )
        for one in book.open_of(expert, most=9)
    ]


@query(department, over=QuestionBook)
def standard(ctx: Context, number: Digits) -> Standard | None:
    """``expert.standard``: the published answer of that number."""
    found = ctx.knowledge.get(number)
    return None if found is None else Standard(id=found.id, version=found.version, title=found.title)


@command(department, refusals=("unknown_answer", "closed"), over=QuestionBook)
def close_answered(ctx: Context, question: int, expert: Digits, answer: Digits, version: int = 0) -> int:
    """``expert.close_answered``: the expert gave this answer; without a version, the one that is published. The version
    that was given."""
    return answered(ctx, question, expert, answer, version)


@command(department, refusals=("closed",), over=QuestionBook)
def close_gap(ctx: Context, question: int, expert: Digits, clip: str = "") -> str:
    """``expert.close_gap``: nobody has an answer to that yet: a draft is opened, for whoever writes the knowledge. Its
    number."""
    return gap(ctx, question, expert, clip)


@command(department, refusals=("closed",), over=QuestionBook)
def close_ticket(ctx: Context, question: int, expert: Digits) -> Opened:
    """``expert.close_ticket``: the owner of the matter has to do something, by a time."""
    return ticket(ctx, question, expert)


def answered(ctx: Context, question: int, by: str, answer: str, version: int = 0) -> int:
    """Close a question with an answer that exists, in that version or the published one."""
    _open(ctx, question)
    published = ctx.knowledge.get(answer)
    given = ctx.knowledge.get(answer, version) if version else published or ctx.knowledge.latest(answer)
    if given is None:
        raise Refused("unknown_answer", answer=answer)
    _close(
        ctx,
        question,
        "answer",
        by,
        answer=answer,
        version=given.version,
        standard_version=published.version if published is not None else 0,
    )
    return int(given.version)


def gap(ctx: Context, question: int, by: str, clip: str = "") -> str:
    """Close a question with a draft for the knowledge; ``clip`` is how the expert said it."""
    asked = _open(ctx, question)
    topic = _topic(ctx, asked)
    said = asked.clip or clip
    what = f"问题{asked.id}" + (f"（{topic.title}）" if topic is not None else "")
    text = "待补充。" + (f"录音：{said}。" if said else "")
    made = ctx.knowledge.draft(
        what,
        {"zh-CN": text},
        topic=asked.topic,
        skill=asked.topic,
        department=department.name,
        owner=by,
        call=asked.call,
    )
    _close(ctx, question, "gap", by, draft=made.id, clip=said)
    return str(made.id)


def ticket(ctx: Context, question: int, by: str) -> Opened:
    """Close a question with a ticket to whose matter its topic is."""
    asked = _open(ctx, question)
    topic = _topic(ctx, asked)
    made = ctx.tickets.open(
        "question",
        group=topic.owner if topic is not None else "experts",
        within=timedelta(hours=topic.hours if topic is not None else 8),
        calendar="office",
        escalate="expert_desk",
        data={
            "question": asked.id,
            "topic": asked.topic,
            "staff": asked.staff,
            "branch": asked.branch,
            "expert": by,
        },
        call=asked.call,
        clips=[asked.clip] if asked.clip else [],
    )
    _close(ctx, question, "ticket", by, ticket=made.number)
    return Opened(number=made.number, due=made.due)


def by_word(ctx: Context, asked: Asked, by: str, word: str) -> None:
    """What an agent's disposition (``*16``) closes. ``answer`` is the one that the caller had heard first; where there
    was none it names no answer, and the question stays open until the expert says which."""
    if asked.closed is not None:
        return
    if word == "answer" and asked.heard:
        answered(ctx, asked.id, by, asked.heard)
    elif word == "gap":
        gap(ctx, asked.id, by)
    elif word == "ticket":
        ticket(ctx, asked.id, by)


def _open(ctx: Context, question: int) -> Asked:
    found = ctx.adapter(QuestionBook).get(question)
    if found is None or found.closed is not None:
        raise Refused("closed")
    return found


def _close(ctx: Context, question: int, how: str, by: str, **facts: object) -> None:
    if not ctx.adapter(QuestionBook).close(question, how, now=ctx.now, by=by, **facts):  # type: ignore[arg-type]
        raise Refused("closed")


def _topic(ctx: Context, asked: Asked) -> TopicView | None:
    found = ctx.adapter(QuestionBook).topics("zh-CN")
    return next((one for one in found if one.code == asked.topic), None)
