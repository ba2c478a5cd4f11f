"""The desk's last two weeks, for ``insideline data seed``: orders of each day with a peak on Mondays, what dealers
asked of their supervisors and how fast those were, the day of the typhoon, whose orders in 华南 left late."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from .kinds import Who, told
from .models import Act, Article, Case, DealerRow, DraftLine, DraftRow, Line, Order, Price
from .pricing import NOTHING, rounded

if TYPE_CHECKING:
    from engine.api import History

ORDERS: Final = 9.0  # on an ordinary day
CASES: Final = 1.2
CALLED_AGAIN: Final = "44030002"  # asked four times for one and the same return


WAITS: Final = "53010003"  # whose order is beyond the credit, and whose supervisor has not decided yet


class Hand(NamedTuple):
    """How a region's supervisor works: the minutes to a first response, and from there to the end."""

    agent: str
    group: str
    response: int
    settled: int


HANDS: Final = {
    "华南": Hand("8021", "orders_huanan", 25, 180),
    "华东": Hand("8022", "orders_huadong", 40, 240),
    "西南": Hand("8023", "orders_xinan", 190, 900),
}


def history(session: Session, history: History) -> None:
    """Write it. Everything that was ordered is paid, so that the sample's accounts stay what they are."""
    dealers = [row for row in session.scalars(select(DealerRow).order_by(DealerRow.code)) if row.active]
    articles = list(session.scalars(select(Article).where(Article.stock > 0).order_by(Article.code)))
    prices = {(row.article, row.tier): row.price for row in session.scalars(select(Price))}
    for day in history.days:
        for number, _ in enumerate(history.times(day, ORDERS)):
            _order(session, history, day, number, history.random.choice(dealers), articles, prices)
        for at in history.times(day, CASES):
            _case(session, history, history.random.choice(dealers), at)
    _waits(session, history, next(one for one in dealers if one.code == WAITS))
    again = next(one for one in dealers if one.code == CALLED_AGAIN)
    for day in history.days[-5:-1]:
        _case(session, history, again, history.at(day, "10:10"), kind="return", talked=240.0)
    session.flush()


def _order(
    session: Session,
    history: History,
    day: date,
    number: int,
    dealer: DealerRow,
    articles: list[Article],
    prices: dict[tuple[str, str], Decimal],
) -> None:
    lines = []
    for article in history.random.sample(articles, history.random.randint(1, 3)):
        price = prices.get((article.code, dealer.tier)) or prices[article.code, "ordinary"]
        cases = history.random.randint(2, 40) * 5
        lines.append(Line(article=article.code, cases=cases, price=price, amount=rounded(price * cases)))
    goods = sum((one.amount for one in lines), NOTHING)
    stormy = day == history.typhoon and dealer.region == "华南"
    shipped = day + timedelta(days=4 if stormy else history.random.randint(1, 2))
    order = Order(
        key=f"history-{day}-{number}",
        dealer=dealer.code,
        placed=day,
        goods=goods,
        total=goods,
        paid=goods,
        paid_on=day,
        due=day + timedelta(days=dealer.terms),
        ship_by=day + timedelta(days=2),
        shipped_on=shipped,
        state="shipped",
        cause="weather" if stormy else "",
        lines=lines,
    )
    session.add(order)
    session.flush()
    order.number = f"{day:%y%m}{order.id:06d}"


def _waits(session: Session, history: History, dealer: DealerRow) -> None:
    """An order that is beyond the credit was begun yesterday evening; the region's supervisor has not decided yet."""
    at, hand = history.at(history.days[-1], "17:20"), HANDS[dealer.region]
    line = DraftLine(
        article="10010002", name="清泉矿泉水一点五升", english="Spring Water one and a half litres", cases=90
    )
    draft = DraftRow(dealer=dealer.code, held_by=dealer.code, opened=at, changed=at, lines=[line])
    session.add(draft)
    session.flush()
    values = {"draft": draft.id, "reason": "credit", "amount": Decimal("2860.00")}
    _opened(session, history, dealer, at, "exception", hand, values)


def _case(
    session: Session, history: History, dealer: DealerRow, at: datetime, kind: str = "", talked: float = 0.0
) -> None:
    """What a dealer asked for by phone, its ticket, and how the region's supervisor dealt with both; ``talked``: for so
    many seconds with him, too."""
    random, hand = history.random, HANDS[dealer.region]
    kind = kind or random.choices(("exception", "return", "diversion"), (5, 4, 2))[0]
    responded = at + timedelta(minutes=hand.response * random.uniform(0.5, 2))
    settled = responded + timedelta(minutes=hand.settled * random.uniform(0.5, 2))
    verdict = random.choices(("approved", "refused"), (3, 1))[0] if kind == "exception" else "settled"
    values: dict[str, Any] = {}
    if kind == "exception":
        values = {"draft": 0, "reason": "credit", "amount": Decimal(random.randint(2, 90) * 100)}
    elif kind == "return":
        order = session.scalars(select(Order).where(Order.dealer == dealer.code).order_by(Order.id)).first()
        about = order.number if order is not None else "2611000001"
        values = {"reason": "damaged", "article": "10010001", "cases": random.randint(1, 30), "about": about}
    else:
        values = {"article": "10010001", "about": f"{at:%Y%m%d}01"}
    case = _opened(session, history, dealer, at, kind, hand, values, talked)
    history.desk(responded, hand.agent).assign(case.ticket, hand.agent)
    history.desk(settled, hand.agent).solve(case.ticket, f"{verdict} by {hand.agent}")
    case.state, case.by, case.responded, case.settled = verdict, hand.agent, responded, settled
    session.flush()
    for when, what in ((responded, "heard"), (settled, verdict)):
        session.add(
            Act(
                at=when, who=hand.agent, what=what, about=f"case {case.id}", region=dealer.region, how="phone"
            )
        )


def _opened(
    session: Session,
    history: History,
    dealer: DealerRow,
    at: datetime,
    kind: str,
    hand: Hand,
    values: dict[str, Any],
    talked: float = 0.0,
) -> Case:
    """A case as it was opened by phone: its call, its ticket for the region's group, its row."""
    party = history.party(dealer.code, "dealer")
    phone = party.numbers[0] if party is not None and party.numbers else ""
    talk: dict[str, Any] = {"served": 120.0}
    if talked:
        talk |= {"queue": "orders", "agent": hand.agent, "waited": 25.0, "talked": talked, "wrap": 30.0}
    call = history.call(at, number=phone, party=party, dialled="8001", flow="orders/main", **talk)
    who = Who(dealer.code, dealer.name, dealer.region, phone, call)
    ticket = history.desk(at).open(
        kind, group=hand.group, escalate=hand.group, caller=phone, call=call, data=told(kind, who, values)
    )
    case = Case(
        kind=kind,
        dealer=dealer.code,
        name=dealer.name,
        region=dealer.region,
        phone=phone,
        ticket=ticket.number,
        opened=at,
        **values,
    )
    session.add(case)
    session.flush()
    return case
