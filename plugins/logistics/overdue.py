"""Shipments past their promised day: what the desk is told each working morning, and what becomes of it."""

from __future__ import annotations

from datetime import timedelta

from engine.api import Context, NoticeView

from .adapters import WaybillSystem


def tell_desk(ctx: Context, hours: int) -> None:
    """Tell the desk how many shipments are late, and the one that is the longest; nothing when none is."""
    late = ctx.adapter(WaybillSystem).overdue(now=ctx.now, hours=hours)
    if late:
        # Over http this may be run again after a failure: the key keeps the desk from being told twice.
        ctx.notify(
            "logistics_desk",
            "logistics/overdue_notice",
            key=ctx.key,
            window=timedelta(days=1),
            count=len(late),
            number=late[0].number,
            hours=late[0].late_hours,
        )


def task_of(ctx: Context, notice: NoticeView, to: str) -> None:
    """A notice becomes a ticket that the desk works off within four hours; ``to`` is its owner, if it says one."""
    ctx.tickets.open(
        "notice",
        owner=to,
        data={"notice": notice.id, "text": notice.text, "level": notice.level},
    )
