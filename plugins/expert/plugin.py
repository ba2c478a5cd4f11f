"""Experts behind the first line: the same answer to the same question, fast, and a record that the expert did it."""

from __future__ import annotations

from datetime import timedelta

from engine.api import (
    AgentView,
    CallView,
    CliCommand,
    Context,
    Department,
    KnowledgeView,
    Report,
    hookimpl,
    schedule,
)

from . import asking, closing, standards  # noqa: F401 - their handlers are declared by being imported
from .closing import by_word
from .contracts import QuestionBook
from .department import department
from .office import COMMANDS, REPORTS


@hookimpl
def offer_missed(ctx: Context, call: CallView, agent: AgentView, why: str) -> None:
    """A call that an expert did not take counts, too."""
    ctx.adapter(QuestionBook).missed(call.id, agent.id, why, now=ctx.now)


@hookimpl
def call_queued(ctx: Context, call: CallView, queue: str, asker: AgentView | None) -> None:
    """A call that came to the experts otherwise than over their line (an agent asks with a customer on hold, or
    transferred the caller) is a question, too."""
    book = ctx.adapter(QuestionBook)
    if queue != ctx.settings.queue or book.current(call.id) is not None:
        return
    book.begin(call.id, now=ctx.now, caller=call.number, language=call.language)
    who = {"staff": asker.id, "name": asker.name, "branch": asker.site} if asker is not None else {}
    book.note(call.id, now=ctx.now, queued=ctx.now, holding=bool(who), **who)


@hookimpl
def wrapup_finished(ctx: Context, agent: AgentView, call: str, seconds: float, disposition: str) -> None:
    """What an expert said came of the call (``*16``) closes its question; without a word it stays open."""
    question = ctx.adapter(QuestionBook).talked_with(call, agent.id)
    if question is not None and disposition:
        by_word(ctx, question, agent.id, disposition)


@hookimpl
def answer_published(ctx: Context, answer: KnowledgeView) -> None:
    """What was a gap has an answer: whoever asked it hears it with the next call (``expert.news``)."""
    ctx.adapter(QuestionBook).filled(answer.id, answer.version)


@hookimpl
def screen_pop(ctx: Context, call: CallView) -> dict[str, object] | None:
    """``before``: what the same person asked about the topic in the last two weeks, and what came of it."""
    book = ctx.adapter(QuestionBook)
    question = book.current(call.id)
    if call.queue != ctx.settings.queue or question is None:
        return None
    found = book.earlier(question.staff, question.topic, since=ctx.now - timedelta(days=14), but=question.id)
    shown: dict[str, object] = {"question": question.id}
    if question.heard:
        shown["heard"] = f"{question.heard} v{question.heard_version}"
    if found:
        shown["before"] = [
            f"{one.asked:%m-%d %H:%M} {one.disposition or 'open'} {one.last_expert}" for one in found[:5]
        ]
    return shown


@schedule(department, at="08:30", calendar="office", over=QuestionBook)
def tell_open(ctx: Context) -> None:
    """Each working morning: how many questions an expert talked about and has not closed, and since when."""
    count, oldest = ctx.adapter(QuestionBook).unclosed(
        before=ctx.now - timedelta(seconds=ctx.settings.overdue)
    )
    if count and oldest is not None:
        ctx.notify(
            "expert_desk",
            "expert/open_notice",
            key=f"open {ctx.today}",
            window=timedelta(hours=20),
            count=count,
            days=(ctx.now - oldest).days,
        )


@hookimpl
def register_reports() -> list[Report]:
    return REPORTS


@hookimpl
def register_commands() -> list[CliCommand]:
    return COMMANDS


@hookimpl
def register_department() -> Department:
    return department
