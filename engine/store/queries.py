"""What people and reports ask the store. Each function takes the session of ``Store.read``.

    rows = store.read(lambda s: queries.cdrs(s, since=midnight, agent="8012"), timeout=2.0)

Lists come newest first and are cut at ``limit``; ``since`` is included, ``until`` is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Select, case, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from engine.store import tables
from engine.store.rows import AgentRow, Cdr, Day, DayQueue, RecordingRow
from engine.types import JournalEntry

LIMIT = 100
BEGINS: Final = {"call.arrived": "in", "call.back": "out", "call.asked": "asked"}
"""The rows of the journal with which calls begin, and what their CDRs call the ``direction``."""


def cdrs(
    session: Session,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    number: str = "",
    dialled: str = "",
    agent: str = "",
    queue: str = "",
    limit: int = LIMIT,
) -> list[Cdr]:
    """Calls by their arrival."""
    cdr = tables.cdr
    query = _between(select(cdr), cdr.c.arrived, since, until)
    for column, value in (
        (cdr.c.number, number),
        (cdr.c.dialled, dialled),
        (cdr.c.agent, agent),
        (cdr.c.queue, queue),
    ):
        if value:
            query = query.where(column == value)
    query = query.order_by(cdr.c.arrived.desc(), cdr.c.call).limit(limit)
    return [_cdr(row) for row in session.execute(query)]


def last_agent(session: Session, numbers: Iterable[str], since: datetime) -> str:
    """Who talked last to a caller with one of these numbers; "" when nobody did."""
    cdr = tables.cdr
    found: str | None = session.execute(
        select(cdr.c.agent)
        .where(cdr.c.number.in_(list(numbers)), cdr.c.agent != "", cdr.c.arrived >= since)
        .order_by(cdr.c.arrived.desc())
        .limit(1)
    ).scalar_one_or_none()
    return found or ""


def cdr(session: Session, call: str) -> Cdr | None:
    """The CDR of one call."""
    row = session.execute(select(tables.cdr).where(tables.cdr.c.call == call)).one_or_none()
    return None if row is None else _cdr(row)


def cdrs_beginning(session: Session, beginning: str, limit: int = 2) -> list[Cdr]:
    """The CDRs of calls whose id begins so, for people who were shown no more of it."""
    call = tables.cdr.c.call
    query = select(tables.cdr).where(call.startswith(beginning, autoescape=True)).order_by(call).limit(limit)
    return [_cdr(row) for row in session.execute(query)]


def journal(
    session: Session,
    *,
    call: str = "",
    agent: str = "",
    kind: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = LIMIT,
) -> list[JournalEntry]:
    """What happened, the *oldest* first; of more than ``limit`` entries the youngest ones.

    ``kind`` is a whole kind ("queue.entered") or a family with its dot ("queue.").
    """
    table = tables.journal
    query = _between(select(table), table.c.at, since, until)
    if call:
        query = query.where(table.c.call == call)
    if agent:
        query = query.where(table.c.agent == agent)
    if kind.endswith("."):
        query = query.where(table.c.kind.startswith(kind, autoescape=True))
    elif kind:
        query = query.where(table.c.kind == kind)
    order = (table.c.id,) if call else (table.c.at, table.c.id)
    query = query.order_by(*(column.desc() for column in order)).limit(limit)
    rows = session.execute(query).all()
    return [_entry(row) for row in reversed(rows)]


def calls_beginning(session: Session, beginning: str, limit: int = 2) -> list[str]:
    """Calls that the journal knows whose id begins so; also those that live, which have no CDR yet."""
    call = tables.journal.c.call
    query = select(call).where(call.startswith(beginning, autoescape=True), call != "").distinct()
    return list(session.execute(query.order_by(call).limit(limit)).scalars())


def happened(
    session: Session, since: datetime, until: datetime, families: Iterable[str], limit: int
) -> list[JournalEntry]:
    """What happened from ``since`` to ``until``, both included, of these families of kinds ("queue."), the oldest
    first; the first ``limit`` rows."""
    table = tables.journal
    query = select(table).where(
        table.c.at >= since,
        table.c.at <= until,
        or_(*(table.c.kind.startswith(family, autoescape=True) for family in families)),
    )
    return [_entry(row) for row in session.execute(query.order_by(table.c.at, table.c.id).limit(limit))]


def last_of_agents(session: Session, kind: str, before: datetime) -> list[JournalEntry]:
    """For each agent the last row of that kind before a moment."""
    table = tables.journal
    last = select(func.max(table.c.id)).where(table.c.kind == kind, table.c.at < before, table.c.agent != "")
    query = select(table).where(table.c.id.in_(last.group_by(table.c.agent)))
    return [_entry(row) for row in session.execute(query.order_by(table.c.id))]


def waited_at(session: Session, moment: datetime, reach: datetime) -> list[JournalEntry]:
    """The rows, up to that moment, of those who waited in a queue then, having come since ``reach``; oldest first."""
    came, gone, table = tables.journal, tables.journal.alias(), tables.journal.alias()
    out = (
        select(gone.c.id)
        .where(
            gone.c.call == came.c.call,
            gone.c.kind.in_(("queue.answered", "queue.left", "call.ended")),
            gone.c.at < moment,
            gone.c.id > came.c.id,
        )
        .exists()
    )
    calls = select(came.c.call).where(
        came.c.kind.in_(("queue.entered", "queue.resumed", "queue.moved")),
        came.c.at >= reach,
        came.c.at < moment,
        ~out,
    )
    query = select(table).where(
        table.c.call.in_(calls),
        table.c.at >= reach,
        table.c.at < moment,
        or_(table.c.kind.startswith("queue."), table.c.kind.startswith("offer.")),
    )
    return [_entry(row) for row in session.execute(query.order_by(table.c.at, table.c.id))]


def calls_without_cdr(session: Session, since: datetime) -> list[str]:
    """Calls that began since then and have no CDR: they live, or ended while no engine was there."""
    entry, cdr = tables.journal, tables.cdr
    known = select(cdr.c.call).where(cdr.c.call == entry.c.call).exists()
    query = select(entry.c.call).where(entry.c.kind.in_(BEGINS), entry.c.at >= since, ~known)
    return list(session.execute(query.order_by(entry.c.id)).scalars())


def recordings(
    session: Session,
    *,
    call: str = "",
    agent: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    deleted: bool = False,
    limit: int = LIMIT,
) -> list[RecordingRow]:
    """Recordings by their beginning; those whose file is deleted only when asked for."""
    table = tables.recordings
    query = _between(select(table), table.c.began, since, until)
    if call:
        query = query.where(table.c.call == call)
    if agent:
        query = query.where(table.c.agent == agent)
    if not deleted:
        query = query.where(table.c.deleted.is_(None))
    query = query.order_by(table.c.began.desc(), table.c.part.desc()).limit(limit)
    return [_recording(row) for row in session.execute(query)]


def recording(session: Session, id: str) -> RecordingRow | None:
    """One recording by its id."""
    row = session.execute(select(tables.recordings).where(tables.recordings.c.id == id)).one_or_none()
    return None if row is None else _recording(row)


def recordings_beginning(
    session: Session, beginning: str, part: int = 0, limit: int = 2
) -> list[RecordingRow]:
    """The recordings whose id begins so; ``part`` 0 is any."""
    table = tables.recordings
    query = select(table).where(table.c.id.startswith(beginning, autoescape=True)).order_by(table.c.id)
    if part:
        query = query.where(table.c.part == part)
    return [_recording(row) for row in session.execute(query.limit(limit))]


def recordings_open(session: Session) -> list[RecordingRow]:
    """Recordings that nobody closed yet."""
    table = tables.recordings
    query = select(table).where(table.c.ended.is_(None), table.c.deleted.is_(None)).order_by(table.c.began)
    return [_recording(row) for row in session.execute(query)]


def recordings_kept(
    session: Session, policy: str, before: datetime, limit: int = LIMIT
) -> list[RecordingRow]:
    """Complete recordings of a policy begun before a moment whose file was not deleted yet, the oldest first."""
    table = tables.recordings
    query = select(table).where(
        table.c.policy == policy,
        table.c.began < before,
        table.c.deleted.is_(None),
        table.c.ended.is_not(None),
    )
    return [_recording(row) for row in session.execute(query.order_by(table.c.began).limit(limit))]


def recording_policies(session: Session) -> frozenset[str]:
    """Every policy that a recording was made by."""
    return frozenset(session.execute(select(tables.recordings.c.policy).distinct()).scalars())


def agents(session: Session) -> list[AgentRow]:
    """The last known state of every agent."""
    table = tables.agent_states
    return [
        AgentRow(row.agent, row.state, row.since, row.reason, row.phone, row.call, row.data or {})
        for row in session.execute(select(table).order_by(table.c.agent))
    ]


def past_calls(session: Session, numbers: Sequence[str], *, limit: int = 5) -> list[Cdr]:
    """The last calls from any of these numbers, and to them, the newest first; not those by which an agent heard a
    flow in their stead."""
    asked = func.coalesce(tables.cdr.c.data["direction"].as_string(), "in") == "asked"
    query = (
        select(tables.cdr)
        .where(tables.cdr.c.number.in_(list(numbers)), ~asked)
        .order_by(tables.cdr.c.arrived.desc())
        .limit(limit)
    )
    return [_cdr(row) for row in session.execute(query)]


def call_state(session: Session, call: str) -> dict[str, Any] | None:
    """The large variables of a call."""
    table = tables.call_state
    data: dict[str, Any] | None = session.execute(select(table.c.data).where(table.c.call == call)).scalar()
    return data


def stale_call_states(session: Session, live: Iterable[str]) -> list[str]:
    """Calls that left variables behind and are not among ``live``."""
    kept = set(live)
    return [call for call in session.execute(select(tables.call_state.c.call)).scalars() if call not in kept]


def flow_set(session: Session, hash: str) -> bytes | None:
    """A compiled flow set."""
    table = tables.flow_sets
    data: bytes | None = session.execute(select(table.c.data).where(table.c.hash == hash)).scalar()
    return data


def day(session: Session, since: datetime, until: datetime) -> Day:
    """What the time between was, by the calls that arrived in it."""
    cdr = tables.cdr
    within = (cdr.c.arrived >= since, cdr.c.arrived < until)
    abandoned = case((cdr.c.outcome == "abandoned", 1), else_=0)
    talked = case((cdr.c.talked > 0, 1), else_=0)
    total = session.execute(
        select(
            func.count(),
            func.count(cdr.c.answered),
            func.coalesce(func.sum(talked), 0),
            func.coalesce(func.sum(abandoned), 0),
            func.coalesce(func.sum(cdr.c.seconds), 0.0),
            func.coalesce(func.sum(cdr.c.talked), 0.0),
        ).where(*within)
    ).one()
    by_queue = session.execute(
        select(
            cdr.c.queue,
            func.count(),
            func.sum(talked),
            func.sum(abandoned),
            func.avg(cdr.c.waited),
            func.max(cdr.c.waited),
        )
        .where(*within, cdr.c.queue != "")
        .group_by(cdr.c.queue)
        .order_by(cdr.c.queue)
    )
    recorded = tables.recordings
    return Day(
        since=since,
        until=until,
        calls=int(total[0]),
        answered=int(total[1]),
        talked=int(total[2]),
        abandoned=int(total[3]),
        seconds=float(total[4]),
        talk_seconds=float(total[5]),
        recordings=session.execute(
            select(func.count()).where(recorded.c.began >= since, recorded.c.began < until)
        ).scalar_one(),
        outcomes=_tally(session, cdr.c.outcome, within),
        flows=_tally(session, cdr.c.flow, within),
        agents=_tally(session, cdr.c.agent, (*within, cdr.c.agent != "")),
        queues=tuple(
            DayQueue(row[0], row[1], int(row[2]), int(row[3]), float(row[4]), float(row[5]))
            for row in by_queue
        ),
        busiest=_busiest(session, since, until),
    )


def _busiest(session: Session, since: datetime, until: datetime) -> int:
    """The most calls at one time: arrivals and ends in their order, counted up and down by the database."""
    cdr = tables.cdr
    within = (cdr.c.arrived >= since, cdr.c.arrived < until)
    marks = union_all(
        select(cdr.c.arrived.label("at"), literal(1).label("step")).where(*within),
        select(cdr.c.ended, literal(-1)).where(*within),
    ).subquery()
    live = select(func.sum(marks.c.step).over(order_by=(marks.c.at, marks.c.step)).label("live")).subquery()
    return int(session.execute(select(func.max(live.c.live))).scalar() or 0)


def _tally(session: Session, column: Any, where: tuple[Any, ...]) -> dict[str, int]:
    count = func.count()
    query = select(column, count).where(*where).group_by(column).order_by(count.desc(), column)
    return {row[0]: int(row[1]) for row in session.execute(query)}


def _between(query: Select[Any], column: Any, since: datetime | None, until: datetime | None) -> Select[Any]:
    if since is not None:
        query = query.where(column >= since)
    if until is not None:
        query = query.where(column < until)
    return query


def _entry(row: Row[Any]) -> JournalEntry:
    return JournalEntry(
        at=row.at, kind=row.kind, call=row.call, agent=row.agent, queue=row.queue, data=row.data or {}
    )


def _cdr(row: Row[Any]) -> Cdr:
    values = dict(row._mapping)
    values["data"] = values["data"] or {}
    return Cdr(**values)


def _recording(row: Row[Any]) -> RecordingRow:
    values = dict(row._mapping)
    values["masks"] = tuple(
        (datetime.fromisoformat(began), datetime.fromisoformat(ended) if ended else None, why)
        for began, ended, why in values["masks"] or ()
    )
    return RecordingRow(**values)
