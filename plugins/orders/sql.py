"""The sales system and the policies on the desk's own tables, or on a company's database with the same columns."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from engine.api import Digits, Refused

from .contracts import Account, Dealer, Figures, Overdue, Placed, Policy, Priced, Quote, Unshipped
from .models import Article, DealerRow, Line, Order, PolicyRow, Price
from .pricing import NOTHING, Sums, line

SHIPPED = ("shipped", "received", "cancelled")
TO_SHIP = 2  # days in which an order leaves the warehouse


class SqlOrders:
    """Dealers, prices and orders."""

    def __init__(self, session: Session) -> None:
        self._session = session

    # -- reading --------------------------------------------------------------------------------------

    def dealer(self, code: str) -> Dealer | None:
        row = self._session.get(DealerRow, code)
        return None if row is None else Dealer.model_validate(_taken(row, Dealer))

    def account(self, code: str, *, today: date) -> Account | None:
        row = self._session.get(DealerRow, code)
        if row is None:
            return None
        arrears, since, _ = self._late(code, today)
        last = self._session.execute(
            select(Order.paid, Order.paid_on)
            .where(Order.dealer == code, Order.paid_on.is_not(None))
            .order_by(Order.paid_on.desc(), Order.id.desc())
            .limit(1)
        ).one_or_none()
        days = (today - since).days if since is not None else 0
        return Account(
            credit=row.credit,
            outstanding=row.outstanding,
            left=max(NOTHING, row.credit - row.outstanding),
            arrears=arrears,
            days=days,
            blocked=days > row.patience,
            payment=last.paid if last is not None else NOTHING,
            paid_on=last.paid_on if last is not None else None,
        )

    def price(self, article: str, *, dealer: str) -> Priced | None:
        row, who = self._session.get(Article, article), self._session.get(DealerRow, dealer)
        cost = self._cost(article, who.tier if who is not None else "ordinary")
        if row is None or cost is None:
            return None
        return Priced(article=article, name=row.name, english=row.english or row.name, price=cost)

    def order(self, number: str, *, dealer: str, today: date) -> Placed | None:
        found = self._session.scalars(
            select(Order).where(Order.number == number, Order.dealer == dealer)
        ).one_or_none()
        return None if found is None else _placed(found, today)

    def recent(self, dealer: str, *, today: date, most: int) -> list[Placed]:
        rows = self._session.scalars(
            select(Order).where(Order.dealer == dealer).order_by(Order.placed.desc(), Order.id.desc())
        )
        return [_placed(row, today) for row in rows.fetchmany(most)]

    # -- an order -------------------------------------------------------------------------------------

    def post(self, quote: Quote, *, today: date, key: str) -> Digits:
        known = self._session.scalar(select(Order.number).where(Order.key == key))
        if known is not None:
            return known
        dealer = self._session.get(DealerRow, quote.dealer, populate_existing=True)
        if dealer is None or not dealer.active:
            raise Refused("blocked")
        self._check(quote, dealer.tier)
        arrears, since, _ = self._late(quote.dealer, today)
        days = (today - since).days if since is not None else 0
        if days > dealer.patience and not quote.excused:
            raise Refused("arrears", amount=arrears, days=days)
        self._charge(quote)
        order = Order(
            key=key,
            draft=quote.draft or None,
            dealer=quote.dealer,
            placed=today,
            goods=quote.goods,
            discount=quote.discount,
            rebate=quote.rebate,
            total=quote.total,
            due=today + timedelta(days=dealer.terms),
            policy=quote.policy,
            version=quote.version,
            approved_by=quote.approved_by,
            ship_by=today + timedelta(days=TO_SHIP),
            lines=[
                Line(article=one.article, cases=one.cases, price=one.price, amount=one.amount)
                for one in quote.lines
            ],
        )
        self._session.add(order)
        self._session.flush()
        order.number = f"{today:%y%m}{order.id:06d}"
        self._session.flush()
        return order.number

    def _check(self, quote: Quote, tier: str) -> None:
        """What was read back must be what it costs now, to the fen; an order is of whole cases, at least one."""
        if not quote.lines or any(one.cases < 1 for one in quote.lines):
            raise Refused("changed")
        lines = []
        for one in quote.lines:
            cost = self._cost(one.article, tier)
            if cost is None or cost != one.price:
                raise Refused("changed")
            lines.append(line(one.article, one.name, one.cases, cost))
        goods = Sums(lines, None).goods
        if goods != quote.goods or quote.total != goods - quote.discount or not quote.total >= NOTHING:
            raise Refused("changed")

    def _charge(self, quote: Quote) -> None:
        """Onto the account, if limit and allowance bear it: in one statement, so that two calls can't share a rest."""
        done = self._session.execute(
            update(DealerRow)
            .where(
                DealerRow.code == quote.dealer,
                DealerRow.outstanding + quote.total <= DealerRow.credit + quote.allowance,
            )
            .values(outstanding=DealerRow.outstanding + quote.total)
            .execution_options(synchronize_session=False)
        )
        if getattr(done, "rowcount", 0) == 1:
            return
        row = self._session.get_one(DealerRow, quote.dealer, populate_existing=True)
        left = max(NOTHING, row.credit + quote.allowance - row.outstanding)
        raise Refused("credit", left=left, total=quote.total, short=quote.total - left)

    def _cost(self, article: str, tier: str) -> Decimal | None:
        for one in (tier, "ordinary"):
            found = self._session.get(Price, (article, one))
            if found is not None:
                return found.price
        return None

    # -- supervision ----------------------------------------------------------------------------------

    def overdue(self, *, region: str, today: date) -> list[Overdue]:
        rows = self._session.execute(
            select(
                DealerRow.code,
                DealerRow.name,
                DealerRow.region,
                func.sum(Order.total - Order.paid, type_=Order.total.type).label("amount"),
                func.min(Order.due).label("since"),
                func.count(Order.id).label("orders"),
            )
            .join(Order, Order.dealer == DealerRow.code)
            .where(*_late(today), *_of(region))
            .group_by(DealerRow.code, DealerRow.name, DealerRow.region)
        )
        found = [
            Overdue(
                dealer=row.code,
                name=row.name,
                region=row.region,
                amount=row.amount,
                days=(today - row.since).days,
                orders=row.orders,
            )
            for row in rows
        ]
        return sorted(found, key=lambda one: (-one.amount, one.dealer))

    def unshipped(self, *, region: str, today: date) -> list[Unshipped]:
        rows = self._session.execute(
            select(Order, DealerRow)
            .join(DealerRow, DealerRow.code == Order.dealer)
            .where(Order.ship_by < today, Order.state.not_in(SHIPPED), *_of(region))
            .order_by(Order.ship_by, Order.id)
        )
        return [
            Unshipped.model_validate(
                {
                    "number": order.number or "0",
                    "dealer": order.dealer,
                    "name": dealer.name,
                    "region": dealer.region,
                    "ship_by": order.ship_by,
                    "days": (today - order.ship_by).days,
                    "total": order.total,
                    "cause": order.cause,
                    "person": order.person,
                }
            )
            for order, dealer in rows
        ]

    def figures(self, *, region: str, today: date) -> Figures:
        def sums(since: date) -> tuple[int, Decimal]:
            count, total = self._session.execute(
                select(func.count(Order.id), func.sum(Order.total, type_=Order.total.type))
                .join(DealerRow, DealerRow.code == Order.dealer)
                .where(Order.placed >= since, Order.placed <= today, Order.state != "cancelled", *_of(region))
            ).one()
            return count, total or NOTHING

        count, total = sums(today)
        late = self.overdue(region=region, today=today)
        return Figures(
            orders_today=count,
            total_today=total,
            total_month=sums(today.replace(day=1))[1],
            overdue=len(late),
            overdue_amount=sum((one.amount for one in late), NOTHING),
            unshipped=len(self.unshipped(region=region, today=today)),
        )

    def _late(self, code: str, today: date) -> tuple[Decimal, date | None, int]:
        """What a dealer has not paid in time, since when the oldest was due, and how many orders that are."""
        amount, since, count = self._session.execute(
            select(
                func.sum(Order.total - Order.paid, type_=Order.total.type),
                func.min(Order.due),
                func.count(Order.id),
            ).where(Order.dealer == code, *_late(today))
        ).one()
        return amount or NOTHING, since, count


class SqlPolicies:
    """The regions' policies."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def policy(self, region: str, *, today: date) -> Policy | None:
        row = self._session.scalars(
            select(PolicyRow)
            .where(PolicyRow.region == region, PolicyRow.since <= today, PolicyRow.until >= today)
            .order_by(PolicyRow.since.desc(), PolicyRow.version.desc())
            .limit(1)
        ).one_or_none()
        return None if row is None else Policy.model_validate(_taken(row, Policy))


def _late(today: date) -> tuple[ColumnElement[bool], ...]:
    return (Order.due < today, Order.paid < Order.total, Order.state != "cancelled")


def _of(region: str) -> tuple[ColumnElement[bool], ...]:
    return (DealerRow.region == region,) if region else ()


def _taken(row: object, record: type[Dealer] | type[Policy]) -> dict[str, object]:
    return {name: getattr(row, name) for name in record.model_fields}


def _placed(order: Order, today: date) -> Placed:
    late = order.state not in SHIPPED and order.ship_by < today
    return Placed.model_validate(
        {
            "number": order.number or "0",
            "placed": order.placed,
            "cases": sum(one.cases for one in order.lines),
            "total": order.total,
            "paid": order.paid,
            "paid_on": order.paid_on,
            "due": order.due,
            "state": order.state,
            "ship_by": order.ship_by,
            "shipped_on": order.shipped_on,
            "late_days": (today - order.ship_by).days if late else 0,
            "cause": order.cause,
            "waybill": order.waybill,
        }
    )
