"""What the desk itself keeps: drafts, tasks, cases, and the supervisors' part."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Literal

from engine.api import Context, Digits, LoginRefused, Private, Record, Refused, command, query

from .cases import Cases, CaseView, Grant, Waiting
from .department import department
from .desk import Desk, Draft, TaskList
from .kinds import Who


class RegionView(Record):
    """A region of a dealer, and who supervises it: "" where nobody does."""

    region: str
    supervisor: str
    agent: str


class Signed(Record):
    """Who signed in, and the regions of theirs: one, or those of others, too, for whom they stand in."""

    agent: str
    regions: list[RegionView]


# -- the dealer's draft and tasks ------------------------------------------------------------------------


@query(department, over=Desk)
def draft(ctx: Context, dealer: Digits, language: str) -> Draft:
    """``orders.draft``: what the dealer has begun; its state is "none" when that is nothing."""
    return ctx.adapter(Desk).draft(dealer, language=language)


@command(department, refusals=("submitted",), over=Desk)
def add(
    ctx: Context, dealer: Digits, article: Digits, name: str, english: str, cases: int, language: str
) -> Draft:
    """``orders.add``: cases of an article more in the draft."""
    return ctx.adapter(Desk).add(
        dealer, article, name=name, english=english, cases=cases, at=ctx.now, language=language
    )


@command(department, refusals=("submitted",), over=Desk)
def remove(ctx: Context, dealer: Digits, article: Digits, language: str) -> Draft:
    """``orders.remove``: an article less in the draft."""
    return ctx.adapter(Desk).remove(dealer, article, at=ctx.now, language=language)


@command(department, refusals=("submitted",), over=Desk)
def drop(ctx: Context, dealer: Digits) -> None:
    """``orders.drop``: the draft is forgotten."""
    ctx.adapter(Desk).drop(dealer, at=ctx.now)


@command(department, refusals=("gone",), over=Desk)
def submit(ctx: Context, draft: int, total: Decimal) -> str:
    """``orders.submit``: the dealer has confirmed it at that total; the key of this attempt to place it."""
    return ctx.adapter(Desk).submit(draft, total, at=ctx.now)


@command(department, over=Desk)
def reopen(ctx: Context, draft: int) -> None:
    """``orders.reopen``: it was refused, and may be changed."""
    ctx.adapter(Desk).reopen(draft, at=ctx.now)


@command(department, over=Desk)
def settle(ctx: Context, draft: int, number: Digits) -> None:
    """``orders.settle``: it has become that order."""
    ctx.adapter(Desk).settle(draft, number, at=ctx.now)


@command(department, over=Desk)
def heard(ctx: Context, draft: int) -> None:
    """``orders.heard``: the dealer has heard the number that a draft got behind his back."""
    ctx.adapter(Desk).heard(draft)


@query(department, over=Desk)
def tasks(ctx: Context, dealer: Digits, language: str) -> TaskList:
    """``orders.tasks``: what head office asks of the dealer."""
    return ctx.adapter(Desk).tasks(dealer, today=ctx.today, language=language)


@command(department, over=Desk)
def acknowledge(ctx: Context, task: int, dealer: Digits, phone: str) -> bool:
    """``orders.acknowledge``: the dealer has taken note."""
    return ctx.adapter(Desk).acknowledge(task, dealer, at=ctx.now, how=phone)


# -- what goes to the region's supervisor ----------------------------------------------------------------


@query(department, over=Desk)
def region(ctx: Context, name: str) -> RegionView:
    """``orders.region``: who supervises a region."""
    found = ctx.settings.regions.get(name)
    return RegionView(
        region=name,
        supervisor=found.supervisor if found is not None else "",
        agent=found.agent if found is not None else "",
    )


@query(department, over=Desk)
def grant(ctx: Context, draft: int) -> Grant:
    """``orders.grant``: what was granted for a draft."""
    return Cases(ctx).grant(draft)


@command(department, over=Desk)
def ask_exception(
    ctx: Context,
    dealer: Digits,
    name: str,
    region: str,
    phone: str,
    call: str,
    draft: int,
    reason: Literal["credit", "arrears"],
    amount: Decimal,
) -> CaseView:
    """``orders.ask_exception``: the region's supervisor is asked to let an order pass."""
    who = Who(dealer, name, region, phone, call)
    found = Cases(ctx).open("exception", who, draft=draft, reason=reason, amount=amount)
    _tell(ctx, found, "orders/exception_notice")
    return found


@command(department, over=Desk)
def return_goods(
    ctx: Context,
    dealer: Digits,
    name: str,
    region: str,
    phone: str,
    call: str,
    order: str,
    article: Digits,
    cases: int,
    reason: Literal["damaged", "expiring", "wrong", "unsold"],
    clip: str = "",
) -> CaseView:
    """``orders.return_goods``: a return is asked for."""
    who = Who(dealer, name, region, phone, call)
    return Cases(ctx).open("return", who, reason=reason, article=article, cases=cases, about=order, clip=clip)


@command(department, over=Desk)
def report_diversion(
    ctx: Context,
    dealer: Digits,
    name: str,
    region: str,
    phone: str,
    call: str,
    article: Digits,
    batch: str,
    clip: str = "",
) -> CaseView:
    """``orders.report_diversion``: goods of another region are sold in the dealer's."""
    who = Who(dealer, name, region, phone, call)
    found = Cases(ctx).open("diversion", who, article=article, about=batch, clip=clip)
    _tell(ctx, found, "orders/diversion_notice")
    return found


def _tell(ctx: Context, case: CaseView, prompt: str) -> None:
    held = ctx.settings.regions.get(case.region)
    if held is not None:
        ctx.notify(
            held.group,
            prompt,
            key=f"case-{case.id}",
            window=timedelta(days=1),
            dealer=case.name,
            amount=str(case.amount),
            article=case.article,
        )


# -- the supervisor, on the phone -------------------------------------------------------------------------


@command(department, refusals=("wrong_pin", "locked", "not_allowed"), over="engine")
def sign_in(ctx: Context, agent: Digits, pin: Private[Digits], phone: str) -> Signed:
    """``orders.sign_in``: which regions that supervisor has, by the PIN. An agent who does not exist is refused as a
    wrong PIN is, and wrong ones lock."""
    try:
        view = ctx.agents.verify(agent, pin, phone, role="supervisor")
    except LoginRefused as error:
        raise Refused(error.reason) from None
    mine = [
        RegionView(region=name, supervisor=one.supervisor, agent=view.id)
        for name, one in ctx.settings.regions.items()
        if one.agent == view.id
    ]
    if not mine:
        raise Refused("not_allowed")
    return Signed(agent=view.id, regions=mine)


@query(department, over=Desk)
def waiting(ctx: Context, region: str) -> Waiting:
    """``orders.waiting``: how many cases wait."""
    return Cases(ctx).counts(region)


@query(department, over=Desk)
def cases(ctx: Context, region: str, kind: Literal["exception", "return", "diversion"]) -> list[CaseView]:
    """``orders.cases``: the open ones of a kind, the oldest first."""
    return Cases(ctx).waiting(region, kind)


@command(department, over=Desk)
def hear(ctx: Context, case: int, agent: Digits, region: str) -> None:
    """``orders.hear``: the supervisor deals with it."""
    Cases(ctx).hear(case)
    ctx.adapter(Desk).act(agent, "heard", at=ctx.now, how="phone", about=f"case {case}", region=region)


@command(department, refusals=("decided", "not_yours"), over=Desk)
def decide(
    ctx: Context, case: int, verdict: Literal["approved", "refused", "settled"], agent: Digits
) -> CaseView:
    """``orders.decide``: an exception is approved or refused, a return or report settled; once, and by the region's
    supervisor."""
    return decided(ctx, case, verdict, agent, "phone")


def decided(
    ctx: Context, case: int, verdict: Literal["approved", "refused", "settled"], who: str, how: str
) -> CaseView:
    """A verdict, with the act of whoever gave it."""
    found = Cases(ctx).decide(case, verdict, who)
    ctx.adapter(Desk).act(
        who, verdict, at=ctx.now, how=how, about=f"case {case}", region=found.region, note=found.name
    )
    return found
