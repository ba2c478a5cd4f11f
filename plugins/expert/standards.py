"""The standard answers on the way of a question: heard first, and told later to whoever asked what had none."""

from __future__ import annotations

from engine.api import Context, KnowledgeView, Record, command, query

from .contracts import Asked, QuestionBook
from .department import department


class News(Record):
    """A question that had no answer when it was asked, and has one now."""

    question: int
    title: str
    text: str


@command(department, over=QuestionBook)
def heard(ctx: Context, call: str, answer: str, version: int) -> int:
    """``expert.heard``: the caller has heard this answer, and it did not solve the question."""
    return ctx.adapter(QuestionBook).note(call, now=ctx.now, heard=answer, heard_version=version)


@command(department, over=QuestionBook)
def solved(ctx: Context, call: str, answer: str, version: int) -> int:
    """``expert.solved``: the caller has heard this answer, and it solved the question: it is closed."""
    book = ctx.adapter(QuestionBook)
    facts = {"heard": answer, "heard_version": version}
    id = book.note(call, now=ctx.now, **facts)
    given = {"answer": answer, "version": version, "standard_version": version}
    book.close(id, "heard", now=ctx.now, by="caller", **given)
    return id


@query(department, over=QuestionBook)
def news(ctx: Context, staff: str, language: str) -> list[News]:
    """``expert.news``: what this person asked in vain, and has been answered since; three at most."""
    return [
        News(question=one.id, title=answer.title, text=answer.said(language))
        for one, answer in _answered(ctx, staff)
    ]


@command(department, over=QuestionBook)
def told(ctx: Context, staff: str) -> int:
    """``expert.told``: the person has heard what ``expert.news`` says. How many there were."""
    ids = [one.id for one, _ in _answered(ctx, staff)]
    return ctx.adapter(QuestionBook).told(ids, now=ctx.now)


def _answered(ctx: Context, staff: str) -> list[tuple[Asked, KnowledgeView]]:
    found = []
    for one in ctx.adapter(QuestionBook).gaps_of(staff):
        answer = ctx.knowledge.get(one.draft)
        if answer is not None:
            found.append((one, answer))
    return found[:3]
