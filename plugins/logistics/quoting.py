"""What does it cost: a price in lines, and the lead that a quote without an order is."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from engine.api import Context, Digits, Record, command, query

from .customers import Customers, Who
from .department import department
from .prices import EXTRAS, Extra, Quote, quote
from .tariffs import Place, Tariffs

#: The keys by which callers choose what they want beside the carriage.
KEYS: dict[str, Extra] = dict(zip("123456", EXTRAS, strict=True))


class Kept(Record):
    """A quote that was kept."""

    id: int


@query(department, over=Tariffs)
def city(ctx: Context, code: Digits) -> Place | None:
    """``logistics.city``: the city of an area code; a leading 0 may be left out."""
    tariffs = ctx.adapter(Tariffs)
    return tariffs.city(code) or (None if code.startswith("0") else tariffs.city("0" + code))


@query(department, over=Tariffs)
def price(
    ctx: Context,
    origin: str,
    destination: str,
    weight: Decimal,
    volume: Decimal,
    extras: Digits,
    insured: Decimal = Decimal(),
    collected: Decimal = Decimal(),
) -> Quote | None:
    """``logistics.price``: the price of carriage by today's tariff; None where there is no tariff. ``extras`` are the
    keys of KEYS that were pressed, ``0`` for none."""
    tariff = ctx.adapter(Tariffs).tariff(origin, destination, on=ctx.today)
    if tariff is None:
        return None
    wanted = {KEYS[key] for key in extras if key in KEYS}
    return quote(tariff, weight=weight, volume=volume, extras=wanted, insured=insured, collected=collected)


@command(department, over=Customers)
def keep_quote(ctx: Context, quote: Quote, caller: str, name: str = "", tier: str = "ordinary") -> Kept:
    """``logistics.keep_quote``: a quote is told. As long as no order comes of it, the caller is a lead who is called on
    a day."""
    call_on = ctx.today + timedelta(seconds=ctx.settings.lead)
    who = Who(number=caller, name=name, tier=tier or "ordinary")
    return Kept(id=ctx.adapter(Customers).keep_quote(quote, who, now=ctx.now, call_on=call_on, key=ctx.key))
