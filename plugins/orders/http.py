"""The company's own systems over http: ``POST <address>/<method>`` with the method's arguments as a JSON object, the
answer as JSON (null: there is none), a refusal as 409 or 422 with its reason and details."""

from __future__ import annotations

from datetime import date

from engine.api import Digits, HttpClient

from .contracts import (
    Account,
    Dealer,
    Due,
    Figures,
    Held,
    Overdue,
    Placed,
    Policy,
    Priced,
    Quote,
    Settlement,
    Stock,
    Supplier,
    Unshipped,
    Wanted,
)


class HttpOrders:
    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def dealer(self, code: str) -> Dealer | None:
        found: Dealer | None = self._client.ask("dealer", {"code": code}, Dealer | None)
        return found

    def account(self, code: str, *, today: date) -> Account | None:
        found: Account | None = self._client.ask("account", {"code": code, "today": today}, Account | None)
        return found

    def price(self, article: str, *, dealer: str) -> Priced | None:
        found: Priced | None = self._client.ask(
            "price", {"article": article, "dealer": dealer}, Priced | None
        )
        return found

    def order(self, number: str, *, dealer: str, today: date) -> Placed | None:
        found: Placed | None = self._client.ask(
            "order", {"number": number, "dealer": dealer, "today": today}, Placed | None
        )
        return found

    def recent(self, dealer: str, *, today: date, most: int) -> list[Placed]:
        found: list[Placed] = self._client.ask(
            "recent", {"dealer": dealer, "today": today, "most": most}, list[Placed]
        )
        return found

    def post(self, quote: Quote, *, today: date, key: str) -> Digits:
        number: str = self._client.do("post", {"quote": quote, "today": today}, Digits, key=key)
        return number

    def overdue(self, *, region: str, today: date) -> list[Overdue]:
        found: list[Overdue] = self._client.ask("overdue", {"region": region, "today": today}, list[Overdue])
        return found

    def unshipped(self, *, region: str, today: date) -> list[Unshipped]:
        found: list[Unshipped] = self._client.ask(
            "unshipped", {"region": region, "today": today}, list[Unshipped]
        )
        return found

    def figures(self, *, region: str, today: date) -> Figures:
        found: Figures = self._client.ask("figures", {"region": region, "today": today}, Figures)
        return found


class HttpWarehouse:
    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def stock(self, article: str) -> Stock | None:
        found: Stock | None = self._client.ask("stock", {"article": article}, Stock | None)
        return found

    def reserve(self, lines: list[Wanted], *, key: str) -> str:
        made: str = self._client.do("reserve", {"lines": lines}, str, key=key)
        return made

    def held(self, reservation: str) -> Held | None:
        found: Held | None = self._client.ask("held", {"reservation": reservation}, Held | None)
        return found

    def confirm(self, reservation: str, number: str, *, key: str) -> None:
        self._client.do("confirm", {"reservation": reservation, "number": number}, None, key=key)

    def release(self, reservation: str, *, key: str) -> None:
        self._client.do("release", {"reservation": reservation}, None, key=key)


class HttpPolicies:
    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def policy(self, region: str, *, today: date) -> Policy | None:
        found: Policy | None = self._client.ask("policy", {"region": region, "today": today}, Policy | None)
        return found


class HttpSuppliers:
    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def supplier(self, code: str) -> Supplier | None:
        found: Supplier | None = self._client.ask("supplier", {"code": code}, Supplier | None)
        return found

    def due(self, code: str, *, today: date) -> list[Due]:
        found: list[Due] = self._client.ask("due", {"code": code, "today": today}, list[Due])
        return found

    def settlement(self, code: str, *, today: date) -> Settlement:
        found: Settlement = self._client.ask("settlement", {"code": code, "today": today}, Settlement)
        return found
