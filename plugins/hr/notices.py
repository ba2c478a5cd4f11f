"""What head office and the desk are told, and the ticket that becomes of it."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from engine.api import Context, NoticeView

from .cases import Cases


def tell_of_feedback(ctx: Context, group: str) -> None:
    """Tell how much feedback is past its time, and on which branch there is most of it; nothing when none is."""
    late = [
        row
        for row in ctx.adapter(Cases).feedback()
        if row.replied is None and row.due is not None and row.due < ctx.now
    ]
    if late:
        (branch, _), *_ = Counter(row.branch_name for row in late).most_common(1)
        ctx.notify(
            group, "hr/feedback_notice", key=ctx.key, window=timedelta(days=1), count=len(late), branch=branch
        )


def task_of(ctx: Context, notice: NoticeView, to: str) -> None:
    """A notice becomes a ticket that is worked off within a working day; ``to`` is its owner, if it says one."""
    ctx.tickets.open(
        "notice",
        group=notice.group,
        owner=to,
        data={"notice": notice.id, "text": notice.text, "level": notice.level},
    )
