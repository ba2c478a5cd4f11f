"""The warehouse and the suppliers' ledger on the desk's own tables, or on a company's database."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from engine.api import Refused

from .contracts import Due, Held, Settlement, Stock, Supplier, Wanted
from .models import Article, Bill, Delivery, Part, Reservation, SupplierRow
from .pricing import NOTHING


class SqlWarehouse:
    """Stock, and what of it is kept back for orders. ``reserved`` is never below 0 nor above ``stock``: each change is
    one statement that says so."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def stock(self, article: str) -> Stock | None:
        row = self._session.get(Article, article, populate_existing=True)
        if row is None:
            return None
        return Stock(article=article, cases=max(0, row.stock - row.reserved), restock=row.restock)

    def reserve(self, lines: list[Wanted], *, key: str) -> str:
        known = self._session.scalar(select(Reservation.id).where(Reservation.key == key))
        if known is not None:
            return str(known)
        wanted: dict[str, int] = {}
        for one in lines:
            if one.cases < 1:
                raise Refused("stock", article=one.article, name=one.article, left=0)
            wanted[one.article] = wanted.get(one.article, 0) + one.cases
        taken: list[tuple[str, int]] = []
        # Always in one order, so that two orders never wait for each other.
        for article, cases in sorted(wanted.items()):
            try:
                self._take(article, cases)
            except Refused:
                for one in taken:
                    self._give_back(*one)
                raise
            taken.append((article, cases))
        made = Reservation(
            key=key, parts=[Part(article=article, cases=cases) for article, cases in sorted(wanted.items())]
        )
        self._session.add(made)
        self._session.flush()
        return str(made.id)

    def held(self, reservation: str) -> Held | None:
        row = self._session.get(Reservation, int(reservation), populate_existing=True)
        return None if row is None else _state(row.state)

    def confirm(self, reservation: str, number: str, *, key: str) -> None:
        self._session.execute(
            update(Reservation)
            .where(Reservation.id == int(reservation), Reservation.state == "held")
            .values(state="confirmed", number=number)
            .execution_options(synchronize_session=False)
        )

    def release(self, reservation: str, *, key: str) -> None:
        done = self._session.execute(
            update(Reservation)
            .where(Reservation.id == int(reservation), Reservation.state == "held")
            .values(state="released")
            .execution_options(synchronize_session=False)
        )
        if getattr(done, "rowcount", 0) != 1:
            return
        parts = select(Part).where(Part.reservation == int(reservation)).order_by(Part.article)
        for part in self._session.scalars(parts).all():
            self._give_back(part.article, part.cases)

    def _give_back(self, article: str, cases: int) -> None:
        self._session.execute(
            update(Article)
            .where(Article.code == article)
            .values(reserved=Article.reserved - cases)
            .execution_options(synchronize_session=False)
        )

    def _take(self, article: str, cases: int) -> None:
        done = self._session.execute(
            update(Article)
            .where(Article.code == article, Article.stock - Article.reserved >= cases)
            .values(reserved=Article.reserved + cases)
            .execution_options(synchronize_session=False)
        )
        if getattr(done, "rowcount", 0) == 1:
            return
        row = self._session.get(Article, article, populate_existing=True)
        left = max(0, row.stock - row.reserved) if row is not None else 0
        raise Refused("stock", article=article, name=row.name if row is not None else article, left=left)


class SqlSuppliers:
    """Suppliers, what they deliver, what they are paid."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def supplier(self, code: str) -> Supplier | None:
        row = self._session.get(SupplierRow, code)
        return None if row is None else Supplier(code=row.code, name=row.name, region=row.region)

    def due(self, code: str, *, today: date) -> list[Due]:
        rows = self._session.scalars(
            select(Delivery)
            .where(Delivery.supplier == code, Delivery.came.is_(None))
            .order_by(Delivery.due, Delivery.id)
        )
        return [
            Due(
                goods=row.goods,
                cases=row.cases,
                warehouse=row.warehouse,
                due=row.due,
                late_days=max(0, (today - row.due).days),
            )
            for row in rows
        ]

    def settlement(self, code: str, *, today: date) -> Settlement:
        open_ = (Bill.supplier == code, Bill.paid_on.is_(None))
        amount, bills, next_on = self._session.execute(
            select(
                func.sum(Bill.amount, type_=Bill.amount.type), func.count(Bill.id), func.min(Bill.pay_on)
            ).where(*open_)
        ).one()
        coming = self._session.scalar(
            select(func.sum(Bill.amount, type_=Bill.amount.type)).where(*open_, Bill.pay_on == next_on)
        )
        last = self._session.execute(
            select(Bill.amount, Bill.paid_on)
            .where(Bill.supplier == code, Bill.paid_on.is_not(None))
            .order_by(Bill.paid_on.desc(), Bill.id.desc())
            .limit(1)
        ).one_or_none()
        return Settlement(
            open=amount or NOTHING,
            bills=bills,
            next_amount=coming or NOTHING,
            next_on=next_on,
            last_amount=last.amount if last is not None else NOTHING,
            last_on=last.paid_on if last is not None else None,
        )


def _state(state: str) -> Held:
    return "confirmed" if state == "confirmed" else "released" if state == "released" else "held"
