"""Who is liable: a verdict by a rule and its version, a second signature, the branch's appeal, and its score.

    given -> signed -> settled            nobody appealed in time (or nobody's score is at stake)
                    -> appealed -> settled       the appeal was turned down
                                -> overturned    the branch was right: its score does not move

Who gives a verdict must have passed that version of the rule; who signs it is somebody else, and who decides an appeal
is neither of them. "undecided" is a verdict, too.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.api import (
    CliCommand,
    Context,
    Digits,
    NotFound,
    Record,
    Refused,
    Report,
    command,
    query,
    schedule,
)

from .branches import Branches
from .department import Books, department
from .models import Complaint, LiabilityRule, Score, Verdict

STATES: Final = ("given", "signed", "appealed", "settled", "overturned")
#: Who may be liable beside a branch; undecided: nobody can tell.
OTHERS: Final = ("company", "carrier", "customer", "undecided")
FULL: Final = 100
"""A branch's score with nothing against it."""


def _books(ctx: Context) -> Session:
    return ctx.adapter(Books).open()


def _rule(ctx: Context, code: str) -> LiabilityRule:
    """The version of a rule that holds today."""
    found = _books(ctx).scalars(
        select(LiabilityRule)
        .where(LiabilityRule.code == code, LiabilityRule.since <= ctx.today)
        .order_by(LiabilityRule.version.desc())
    )
    row = found.first()
    if row is None:
        raise Refused("rule", code=code, say=f"there is no rule {code} that holds today")
    return row


def _certified(ctx: Context, by: str, rule: LiabilityRule) -> bool:
    """Whether somebody passed exactly this version of a rule; nobody has one that has no words."""
    try:
        return ctx.certification.passed(by, rule.code, rule.version)
    except NotFound:
        return False


def _verdict(ctx: Context, ticket: str, *states: str) -> Verdict:
    found = _books(ctx).get(Verdict, ticket)
    if found is None:
        raise Refused("unknown", ticket=ticket, say=f"there is no verdict on {ticket}")
    if found.state not in states:
        raise Refused(
            "state", ticket=ticket, state=found.state, say=f"the verdict on {ticket} is {found.state}"
        )
    return found


def _somebody(by: str, *others: str) -> None:
    """``by`` is somebody, and none of the others."""
    if not by.strip():
        raise Refused("who", say="say who it is")
    if by in others:
        raise Refused("same_person", by=by, say=f"it takes somebody else than {by}")


# -- by command ---------------------------------------------------------------------------------------------


def give(ctx: Context, ticket: Digits, rule: str, liable: str, by: str, note: str = "") -> str:
    """BY finds LIABLE (a branch's code, company, carrier, customer, undecided) liable for the complaint TICKET by RULE,
    in the version that holds today."""
    _somebody(by)
    books = _books(ctx)
    if books.get(Complaint, ticket) is None:
        raise Refused("unknown", ticket=ticket, say=f"there is no complaint {ticket}")
    known = books.get(Verdict, ticket)
    if known is not None and known.state != "given":
        raise Refused(
            "state", ticket=ticket, state=known.state, say=f"the verdict on {ticket} is {known.state}"
        )
    row = _rule(ctx, rule)
    branch = liable not in OTHERS
    if branch and ctx.adapter(Branches).branch(liable) is None:
        raise Refused("branch", code=liable, say=f"{liable} is no branch, and none of {', '.join(OTHERS)}")
    if liable != "undecided" and not _certified(ctx, by, row):
        say = f"{by} has not passed {row.code} v{row.version}"
        raise Refused("not_certified", by=by, rule=row.code, version=row.version, say=say)
    books.merge(
        Verdict(
            ticket=ticket, rule=row.code, version=row.version, liable=liable, points=row.points if branch else 0,
            note=note, state="given", given=ctx.now, given_by=by, signed_by="", appeal_ticket="", reason="",
            decided_by="",
        )
    )  # fmt: skip
    ctx.tickets.note(ticket, f"{by}: {liable} is liable by {row.code} v{row.version}")
    return f"{liable} by {row.code} v{row.version}, to be signed by somebody else"


def sign(ctx: Context, ticket: Digits, by: str) -> str:
    """BY, who did not give it, signs the verdict about the complaint TICKET. The branch hears it and may appeal."""
    verdict = _verdict(ctx, ticket, "given")
    _somebody(by, verdict.given_by)
    verdict.signed, verdict.signed_by = ctx.now, by
    ctx.tickets.note(ticket, f"{by} signed the verdict")
    if not verdict.points:
        verdict.state = "settled"
        return f"{verdict.liable}: settled"
    branch = ctx.adapter(Branches).branch(verdict.liable)
    verdict.state = "signed"
    verdict.appeal_until = ctx.now + timedelta(seconds=ctx.settings.appeal)
    ctx.notify(
        "logistics_branch",
        "logistics/verdict_notice",
        key=f"logistics.verdict:{ticket}",
        window=timedelta(days=1),
        number=ticket,
        points=verdict.points,
        until=verdict.appeal_until,
        branch=verdict.liable,
        branch_phone=branch.phone if branch is not None else "",
    )
    return (
        f"{verdict.liable} may appeal until {verdict.appeal_until.astimezone(ctx.now.tzinfo):%Y-%m-%d %H:%M}"
    )


def decide(ctx: Context, ticket: Digits, outcome: str, by: str, note: str = "") -> str:
    """BY, who neither gave nor signed it, decides the appeal about the complaint TICKET: upheld (the verdict stands) or
    overturned."""
    verdict = _verdict(ctx, ticket, "appealed")
    _somebody(by, verdict.given_by, verdict.signed_by)
    if outcome not in ("upheld", "overturned"):
        raise Refused("outcome", one_of="upheld, overturned", say="an appeal is upheld or overturned")
    verdict.decided, verdict.decided_by = ctx.now, by
    if outcome == "upheld":
        _settle(ctx, verdict)
    else:
        verdict.state = "overturned"
    ctx.tickets.solve(verdict.appeal_ticket, f"{by}: {outcome} {note}".strip())
    ctx.tickets.note(ticket, f"{by}: the verdict is {outcome}")
    return f"the verdict about {ticket} is {outcome}"


def _settle(ctx: Context, verdict: Verdict) -> None:
    """The score of the branch moves, once."""
    verdict.state = "settled"
    _books(ctx).add(
        Score(
            branch=verdict.liable, at=ctx.now, points=-verdict.points, ticket=verdict.ticket,
            why=f"{verdict.rule} v{verdict.version}",
        )
    )  # fmt: skip


@schedule(department, every="1h", over=Books)
def settle_verdicts(ctx: Context) -> None:
    """Verdicts of which nobody appealed in time move the score of their branch."""
    rows = _books(ctx).scalars(
        select(Verdict).where(Verdict.state == "signed", Verdict.appeal_until <= ctx.now)
    )
    for verdict in rows.all():
        _settle(ctx, verdict)


# -- by phone -----------------------------------------------------------------------------------------------


class Against(Record):
    """A verdict as its branch hears it."""

    ticket: Digits
    rule: str
    version: int
    title: str
    title_en: str
    points: int
    until: datetime  # when an appeal may be made


class Appealed(Record):
    """An appeal."""

    ticket: Digits
    due: datetime


class Standing(Record):
    """How a branch stands."""

    score: int
    moves: int  # how often it moved
    open: int  # verdicts of which it may appeal now


@query(department, over=Books)
def verdicts(ctx: Context, branch: Digits) -> list[Against] | None:
    """``logistics.verdicts``: of which verdicts a branch may appeal now, the one with the least time left first."""
    rows = _books(ctx).execute(
        select(Verdict, LiabilityRule)
        .join(
            LiabilityRule, (LiabilityRule.code == Verdict.rule) & (LiabilityRule.version == Verdict.version)
        )
        .where(Verdict.liable == branch, Verdict.state == "signed", Verdict.appeal_until > ctx.now)
        .order_by(Verdict.appeal_until)
    )
    found = [
        Against(
            ticket=verdict.ticket, rule=verdict.rule, version=verdict.version, title=rule.title,
            title_en=rule.title_en, points=verdict.points, until=verdict.appeal_until.astimezone(ctx.now.tzinfo),
        )
        for verdict, rule in rows
    ]  # fmt: skip
    return found or None


@query(department, over=Books)
def standing(ctx: Context, branch: Digits) -> Standing:
    """``logistics.standing``: a branch's score."""
    books = _books(ctx)
    points, moves = books.execute(
        select(func.coalesce(func.sum(Score.points), 0), func.count()).where(Score.branch == branch)
    ).one()
    waiting = select(func.count()).where(
        Verdict.liable == branch, Verdict.state == "signed", Verdict.appeal_until > ctx.now
    )
    return Standing(score=FULL + int(points), moves=int(moves), open=int(books.execute(waiting).scalar_one()))


@command(department, over=Books, refusals=("too_late", "not_yours"))
def appeal(ctx: Context, ticket: Digits, branch: Digits, call: str, clip: str) -> Appealed:
    """``logistics.appeal``: a branch appeals of a verdict about the complaint ``ticket``, with its reason as a clip.
    Its score does not move before the appeal is decided."""
    return _appeal(ctx, ticket, branch, reason=clip, call=call, clips=[clip])


def appeal_by_hand(ctx: Context, ticket: Digits, branch: str, reason: str) -> str:
    """BRANCH appeals of the verdict about the complaint TICKET, for a REASON that it wrote."""
    found = _appeal(ctx, ticket, branch, reason=reason, call="", clips=[])
    return f"the appeal is ticket {found.ticket}"


def _appeal(ctx: Context, ticket: str, branch: str, *, reason: str, call: str, clips: list[str]) -> Appealed:
    verdict = _books(ctx).get(Verdict, ticket)
    if verdict is None or verdict.liable != branch:
        raise Refused("not_yours", say="there is no verdict against this branch")
    if verdict.state != "signed" or verdict.appeal_until is None or verdict.appeal_until <= ctx.now:
        raise Refused("too_late", say="it is too late to appeal")
    opened = ctx.tickets.open(
        "appeal",
        within=timedelta(seconds=ctx.settings.complaints),
        calendar=ctx.settings.hours,
        data={"complaint": ticket, "branch": branch, "rule": f"{verdict.rule} v{verdict.version}"},
        call=call,
        clips=clips,
    )
    ctx.tickets.note(ticket, f"{branch} appeals: ticket {opened.number}")
    verdict.state, verdict.appealed, verdict.appeal_ticket, verdict.reason = (
        "appealed",
        ctx.now,
        opened.number,
        reason,
    )
    due = opened.due.astimezone(ctx.now.tzinfo) if opened.due is not None else ctx.now
    return Appealed(ticket=opened.number, due=due)


# -- reports ------------------------------------------------------------------------------------------------


def scores(ctx: Context, branch: str = "") -> list[tuple[Any, ...]]:
    """Branches with verdicts: the score, how often it moved, appeals, and those that were won; the lowest first."""
    books = _books(ctx)
    moved: dict[str, int] = {}
    for code, points in books.execute(select(Score.branch, func.sum(Score.points)).group_by(Score.branch)):
        moved[code] = int(points)
    about: dict[str, list[Verdict]] = {}
    for verdict in books.scalars(select(Verdict).where(Verdict.liable.not_in(OTHERS))):
        about.setdefault(verdict.liable, []).append(verdict)
    rows = []
    for code in sorted({*moved, *about}, key=lambda one: (moved.get(one, 0), one)):
        if branch not in ("", code):
            continue
        mine = about.get(code, [])
        found = ctx.adapter(Branches).branch(code)
        rows.append(
            (
                code,
                found.name if found is not None else "",
                FULL + moved.get(code, 0),
                len(mine),
                sum(one.state in ("given", "signed", "appealed") for one in mine),
                sum(one.appealed is not None for one in mine),
                sum(one.state == "overturned" for one in mine),
            )
        )
    return rows


def given(ctx: Context, days: int = 30) -> list[tuple[Any, ...]]:
    """Verdicts: by which version of which rule, who gave, signed and decided, and how they stand; the newest first."""
    rows = _books(ctx).scalars(
        select(Verdict).where(Verdict.given > ctx.now - timedelta(days=days)).order_by(Verdict.given.desc())
    )
    return [
        (
            one.ticket, one.liable, f"{one.rule} v{one.version}", one.points, one.state, one.given_by, one.signed_by,
            one.appealed, one.decided_by,
        )
        for one in rows
    ]  # fmt: skip


def show_scores(ctx: Context, branch: str = "") -> list[dict[str, Any]]:
    """The scores of the branches, the lowest first."""
    return [dict(zip(COLUMNS, row, strict=True)) for row in scores(ctx, branch)]


COLUMNS = ("branch", "name", "score", "verdicts", "open", "appeals", "won")
COMMANDS = [
    CliCommand("verdict", give, "Who is liable for a complaint: TICKET RULE LIABLE BY.", over="all"),
    CliCommand("sign", sign, "A second person signs a verdict: TICKET BY.", over="all"),
    CliCommand("appeal", appeal_by_hand, "A branch appeals of a verdict: TICKET BRANCH REASON.", over=Books),
    CliCommand("decide", decide, "An appeal is decided: TICKET upheld|overturned BY.", over=Books),
    CliCommand("score", show_scores, "The scores of the branches, the lowest first.", over="all"),
]
REPORTS = [
    Report(
        "logistics.scores",
        "Branches: score, verdicts, appeals and those that were won",
        COLUMNS,
        scores,
        over="all",
    ),
    Report(
        "logistics.verdicts",
        "Verdicts by rule and version, and what became of them",
        ("ticket", "liable", "rule", "points", "state", "given_by", "signed_by", "appealed", "decided_by"),
        given,
        over=Books,
    ),
]
