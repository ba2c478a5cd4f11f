"""What the flow of a question asks and writes down, from the first second to the end of the call."""

from __future__ import annotations

from datetime import timedelta

from engine.api import Context, Digits, Record, command, query

from .contracts import QuestionBook, Staff, StaffDirectory, TopicView
from .department import department


class Count(Record):
    """How often somebody asked about a topic lately, this time among them."""

    times: int


@query(department, over=StaffDirectory)
def person(ctx: Context, number: Digits) -> Staff | None:
    """``expert.person``: who has this staff number."""
    return ctx.adapter(StaffDirectory).person(number)


@query(department, over=QuestionBook)
def topics(ctx: Context, language: str) -> list[TopicView]:
    """``expert.topics``: what may be asked about, in the order of the menu."""
    return ctx.adapter(QuestionBook).topics(language)


@command(department, over=QuestionBook)
def begin(ctx: Context, call: str, number: str, language: str) -> int:
    """``expert.begin``: a question, from its first second on."""
    return ctx.adapter(QuestionBook).begin(call, now=ctx.now, caller=number, language=language)


@command(department, over=QuestionBook)
def asked_by(
    ctx: Context,
    call: str,
    number: str,
    name: str = "",
    branch: str = "",
    region: str = "",
    language: str = "",
) -> int:
    """``expert.asked_by``: whose question it is. ``name`` is "" when the directory could not be asked."""
    facts = {"staff": number, "name": name, "branch": branch, "region": region, "language": language}
    return ctx.adapter(QuestionBook).note(call, now=ctx.now, **facts)


@command(department, over=QuestionBook)
def about(ctx: Context, call: str, topic: str) -> Count:
    """``expert.about``: the topic. What the same person asked about it in earlier calls and nobody closed is closed as
    asked again: there is one open question about one matter."""
    book = ctx.adapter(QuestionBook)
    id = book.note(call, now=ctx.now, topic=topic)
    mine = book.get(id)
    lately = ctx.now - timedelta(seconds=ctx.settings.again)
    before = book.earlier(mine.staff, topic, since=lately, but=id) if mine is not None else []
    for one in before:
        if one.closed is None and one.ended is not None and one.call != call and not one.expert:
            book.close(one.id, "again", now=ctx.now, by="engine", note=f"asked again as {id}")
    return Count(times=len(before) + 1)


@command(department, over=QuestionBook)
def waits(ctx: Context, call: str, holding: bool) -> int:
    """``expert.waits``: the standard answer was none, or did not help: an expert is needed now."""
    return ctx.adapter(QuestionBook).note(call, now=ctx.now, queued=ctx.now, holding=holding)


@command(department, over=QuestionBook)
def dictated(ctx: Context, call: str, clip: str) -> int:
    """``expert.dictated``: the question in the caller's own words, for an expert who calls back."""
    return ctx.adapter(QuestionBook).note(call, now=ctx.now, clip=clip)


@command(department, over=QuestionBook)
def ended(ctx: Context, call: str, agents: list[str], talked: float) -> int:
    """``expert.ended``: the talk, or the call, is over; done twice is as done once. The question's id, 0 for none."""
    found = ctx.adapter(QuestionBook).ended(call, now=ctx.now, agents=agents, talked=round(talked))
    return found or 0


@command(department, over=QuestionBook)
def call_back(ctx: Context, call: str, again: str) -> int:
    """``expert.call_back``: the caller of ``call`` is on the line again, in the call ``again``."""
    return ctx.adapter(QuestionBook).call_back(call, again)


@command(department, over=QuestionBook)
def no_more(ctx: Context, call: str) -> int:
    """``expert.no_more``: who is called back about the question of ``call`` needs it no more: it is closed. Its id, 0
    for none."""
    book = ctx.adapter(QuestionBook)
    found = book.current(call)
    if found is None:
        return 0
    book.close(found.id, "none", now=ctx.now, by="caller", note="needed no more when called back")
    return found.id


@command(department, over=QuestionBook)
def marked(ctx: Context, call: str, question: str, mark: int) -> int:
    """``expert.marked``: one answer of the survey, ``solution``, ``attitude`` or ``effort``: 1 to 5."""
    if question not in ("solution", "attitude", "effort") or not 1 <= mark <= 5:
        raise ValueError(f"{question} {mark} is no mark")
    return ctx.adapter(QuestionBook).note(call, now=ctx.now, **{question: mark})
