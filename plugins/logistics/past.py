"""The department's part of the sample company's past (``insideline data seed``): what was quoted, ordered and followed
up, a day of a typhoon with late shipments, a caller who asked again and again, and a branch that won its appeal."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from .customers import SqlCustomers, Who
from .models import (
    Complaint,
    Event,
    FollowUpRow,
    Forecast,
    Inquiry,
    LiabilityRule,
    Score,
    Verdict,
    Waybill,
)
from .pickups import Ordered, SqlPickups, Wanted, notice_key
from .prices import quote
from .tariffs import SqlTariffs

if TYPE_CHECKING:
    from engine.api import History

#: Who asks for prices: number, name, tier.
CUSTOMERS: Final = (
    Who(number="+8613922200001", name="周敏", tier="diamond"),
    Who(number="+8613922200002", name="广州美佳家具厂", tier="gold"),
    Who(number="+8613922200003", name="Linden Trading", tier="ordinary"),
)
WAYS: Final = (("广州", "成都"), ("广州", "南京"), ("广州", "武汉"), ("广州", "上海"))
REPEATER: Final = "+8613800138009"
LOST: Final = "44016999"  # the waybill about which one caller asked three times
WON: Final = "020002"  # the branch that won its appeal
CONVICTED: Final = "028001"  # one that did not appeal


def write(session: Session, history: History) -> None:
    """Two weeks of the department."""
    _quotes(session, history)
    _certificates(history)
    if history.typhoon is not None:
        _typhoon(session, history, history.typhoon)
    _asked_again(session, history)
    _verdicts(session, history)
    session.flush()


def _quotes(session: Session, history: History) -> None:
    """Some prices a day; a third became orders, the other leads were called, most of them on their day."""
    tariffs, customers, pickups = SqlTariffs(session), SqlCustomers(session), SqlPickups(session)
    for day in history.days:
        for at in history.times(day, 4):
            origin, destination = history.random.choice(WAYS)
            tariff = tariffs.tariff(origin, destination, on=day)
            if tariff is None:
                continue
            stranger = Who(number=f"+86138001{history.random.randrange(10**5):05}", name="", tier="ordinary")
            who = history.random.choice([*CUSTOMERS, stranger, stranger])
            weight = Decimal(history.random.randrange(20, 900))
            volume = Decimal(history.random.randrange(1, 40)).scaleb(-1)
            extras = history.random.sample(["pickup", "delivery", "crate"], history.random.randrange(3))
            made = quote(tariff, weight=weight, volume=volume, extras=extras)  # type: ignore[arg-type]
            call_on = day + timedelta(days=1)
            kept = customers.keep_quote(made, who, now=at, call_on=call_on, key="")
            if history.random.random() < 0.35:
                wanted = Wanted(
                    customer=who.number, contact=who.name, phone=who.number, area="020", district="天河",
                    address="体育东路100号", goods="general", weight=weight, volume=volume, branch="020001", quote=kept,
                )  # fmt: skip
                order = pickups.place(wanted, now=at + timedelta(minutes=4), key="")
                customers.ordered(kept, order.number, now=at + timedelta(minutes=4), key="")
                done = at + timedelta(minutes=history.random.randrange(6, 14))
                pickups.complete(order.number, "", "", "", "8012", now=done, key="")
                _told(history, order, done)
    _followed(session, history)


def _told(history: History, order: Ordered, done: datetime) -> None:
    """The branch was rung, and pressed 1; the desk had a ticket meanwhile."""
    heard = order.made + timedelta(minutes=history.random.randrange(1, 8))
    history.notice(
        order.made, "logistics_branch", "logistics/pickup_notice", key=notice_key(order.number),
        text=f"有新的上门取货：{order.district}，{order.weight}公斤", by="phone 1057", ended=heard, number=order.number,
        branch=order.branch,
    )  # fmt: skip
    said = {"order": order.number, "branch": order.branch, "district": order.district, "to_write_down": False}
    ticket = history.desk(order.made).open("pickup", data=said, caller=order.customer)
    history.desk(done, "8012").solve(ticket.number, "8012")


def _followed(session: Session, history: History) -> None:
    """The leads whose day has come were called, one of eight a day late."""
    rhythm = {"diamond": 7, "gold": 30}
    leads = session.scalars(
        select(FollowUpRow)
        .where(FollowUpRow.done.is_(None), FollowUpRow.due < history.today)
        .order_by(FollowUpRow.id)
    ).all()
    for lead in leads:
        late = history.random.random() < 0.125
        day = min(lead.due + timedelta(days=int(late)), history.days[-1])
        lead.done = history.at(day, "15:30")
        lead.outcome = history.random.choice(["satisfied", "lost", "unreachable", "thinking"])
        lead.by = history.random.choice(["8012", "8013"])
        if lead.outcome in ("satisfied", "lost"):
            session.add(
                FollowUpRow(
                    customer=lead.customer, name=lead.name, tier=lead.tier, kind="care", quote=None,
                    due=day + timedelta(days=rhythm.get(lead.tier, 90)), outcome="", note="", by="",
                )
            )  # fmt: skip


def _certificates(history: History) -> None:
    certified = history.certification(history.at(history.days[0], "08:10"))
    for agent in ("8051", "8053", "8054", "8055"):
        certified.record(agent, "LIAB-02", 3, 1, 1)
    certified.record("8054", "LIAB-01", 2, 1, 1)


def _typhoon(session: Session, history: History, day: date) -> None:
    """Everything that was to come on the day of the typhoon came two days late, or is held still; who asked before had
    been told a window that did not hold."""
    for number in range(18):
        waybill = f"44016{number:03}"
        collected = history.at(day - timedelta(days=3), f"{9 + number % 8:02}:15")
        due = history.at(day, "18:00")
        events = [
            Event(at=collected, what="collected", city="广州"),
            Event(at=collected + timedelta(hours=9), what="departed", city="广州"),
            Event(at=history.at(day, "09:30"), what="held", city="南宁"),
        ]
        if number % 6:
            came = history.at(day + timedelta(days=2), f"{9 + number % 8:02}:40")
            events.append(Event(at=came, what="delivered", city="昆明"))
        session.add(
            Waybill(number=waybill, origin="广州", destination="昆明", due=due, handed_to="", events=events)
        )
        if number < 8:
            told = history.at(day - timedelta(days=1), "10:00")
            session.add(
                Forecast(
                    number=waybill,
                    told=told,
                    earliest=history.at(day, "08:00"),
                    latest=due,
                    basis="promise",
                    shipments=0,
                )
            )
    for number in range(5):
        at = history.at(day + timedelta(days=1), f"{10 + number}:20")
        caller = f"+86138002{number:05}"
        call = history.call(
            at, queue="exceptions", agent="8051", number=caller, waited=25, talked=140, wrap=30
        )
        ticket = _complaint(session, history, "late", at, f"44016{number:03}", caller, call)
        _answered(history, ticket, at + timedelta(hours=2), "8051", "台风停运，已恢复发车")
        session.add(_verdict(ticket, "LIAB-01", 2, "undecided", 0, at + timedelta(hours=3), "settled"))


def _complaint(
    session: Session, history: History, kind: str, at: datetime, waybill: str, caller: str, call: str = ""
) -> str:
    ticket = history.desk(at).open(
        f"complaint_{kind}", data={"waybill": waybill, "kind": kind}, caller=caller, call=call
    )
    session.add(Complaint(ticket=ticket.number, kind=kind, waybill=waybill, caller=caller, opened=at))
    return ticket.number


def _answered(history: History, ticket: str, at: datetime, by: str, text: str) -> None:
    desk = history.desk(at, by)
    desk.assign(ticket, by)
    desk.answer(ticket, text)


def _asked_again(session: Session, history: History) -> None:
    """One caller asked three times about a last mile before anybody called back, a day late."""
    day = history.days[-5]
    first = history.at(day, "09:40")
    arrived = history.at(day - timedelta(days=1), "11:00")
    session.add(
        Waybill(
            number=LOST, origin="广州", destination="大理", due=history.at(day - timedelta(days=1), "18:00"),
            handed_to="落地配", events=[Event(at=arrived, what="arrived", city="大理")],
        )
    )  # fmt: skip
    calls = [
        history.call(first + timedelta(hours=hours), number=REPEATER, dialled="8004") for hours in (0, 4, 24)
    ]
    ticket = history.desk(first).open(
        "last_mile", data={"waybill": LOST, "callback": REPEATER}, caller=REPEATER, call=calls[0]
    )
    for count, call in enumerate(calls[1:], 2):
        at = first + timedelta(hours=4 if count == 2 else 24)
        history.desk(at).note(ticket.number, f"called again by {REPEATER}, the {count}. time")
        history.desk(at).link(ticket.number, "call", call)
    answered = first + timedelta(hours=26)
    _answered(history, ticket.number, answered, "8013", "落地配今天下午送到")
    session.add(
        Inquiry(
            number=LOST, caller=REPEATER, ticket=ticket.number, opened=first, asked=3,
            escalated=first + timedelta(hours=4), answered=answered, answered_by="8013", answer="落地配今天下午送到",
        )
    )  # fmt: skip


def _verdict(
    ticket: str, rule: str, version: int, liable: str, points: int, at: datetime, state: str, **more: object
) -> Verdict:
    return Verdict(
        ticket=ticket, rule=rule, version=version, liable=liable, points=points, note="", state=state, given=at,
        given_by="8054", signed=at + timedelta(hours=1), signed_by="8055",
        **{"appeal_ticket": "", "reason": "", "decided_by": "", **more},
    )  # fmt: skip


def _verdicts(session: Session, history: History) -> None:
    """Two branches were found liable for damaged goods: one appealed and won, one let it be."""
    points = session.get_one(LiabilityRule, ("LIAB-02", 3)).points
    days = history.days
    for branch, waybill, caller in (
        (WON, "44016900", "+8613800138101"),
        (CONVICTED, "44016901", "+8613800138102"),
    ):
        opened = history.at(days[2], "10:10")
        ticket = _complaint(session, history, "damage", opened, waybill, caller)
        given = history.at(days[3], "11:00")
        until = given + timedelta(hours=1, days=3)
        _answered(history, ticket, given, "8051", "责任已经判定")
        if branch == CONVICTED:
            moved = until + timedelta(minutes=30)
            session.add(_verdict(ticket, "LIAB-02", 3, branch, points, given, "settled", appeal_until=until))
            session.add(Score(branch=branch, at=moved, points=-points, ticket=ticket, why="LIAB-02 v3"))
            continue
        at = history.at(days[4], "09:05")
        call = history.call(at, number="+862036550002", dialled="8005", flow="logistics/branches", served=95)
        appeal = history.desk(at).open(
            "appeal", call=call, data={"complaint": ticket, "branch": branch, "rule": "LIAB-02 v3"}
        )
        decided = history.at(days[5], "15:20")
        _answered(history, appeal.number, decided, "8053", "overturned")
        session.add(
            _verdict(
                ticket, "LIAB-02", 3, branch, points, given, "overturned", appeal_until=until, appealed=at,
                appeal_ticket=appeal.number, reason="外包装签收时已经破损", decided=decided, decided_by="8053",
            )
        )  # fmt: skip
