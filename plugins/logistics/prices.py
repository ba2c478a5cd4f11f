"""From a tariff to a price, line by line. Amounts in yuan, rounded to the fen line by line, so that the lines a caller
hears add up to the total that he hears."""

from __future__ import annotations

from collections.abc import Collection
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Literal, get_args

from engine.api import Record

from .tariffs import Tariff

LineKind = Literal[
    "pickup",
    "freight_weight",
    "freight_volume",
    "freight_minimum",
    "delivery",
    "entry",
    "crate",
    "insurance",
    "cod",
]
Extra = Literal["pickup", "delivery", "entry", "crate", "insurance", "cod"]
EXTRAS: Final[tuple[Extra, ...]] = get_args(Extra)

FEN: Final = Decimal("0.01")


class Line(Record):
    """One line of a quote."""

    kind: LineKind
    amount: Decimal


class Quote(Record):
    """A price: its lines, and their sum."""

    origin: str
    destination: str
    version: int
    weight: Decimal  # kg
    volume: Decimal  # m3
    lines: list[Line]
    total: Decimal


def quote(
    tariff: Tariff,
    *,
    weight: Decimal,
    volume: Decimal,
    extras: Collection[Extra] = (),
    insured: Decimal = Decimal(),
    collected: Decimal = Decimal(),
) -> Quote:
    """What the carriage of ``weight`` kg and ``volume`` m3 costs with these services; ``insured`` and ``collected`` are
    the insured value and the cash on delivery in yuan. ValueError for what is less than nothing.

    The freight goes by weight or by volume, whichever is more, and is never less than the minimum.
    """
    if min(weight, volume, insured, collected) < 0:
        raise ValueError("nothing weighs or costs less than nothing")
    by_weight, by_volume = fen(weight * tariff.heavy), fen(volume * tariff.light)
    freight = Line(
        kind="freight_weight" if by_weight >= by_volume else "freight_volume",
        amount=max(by_weight, by_volume),
    )
    if freight.amount < tariff.minimum:
        freight = Line(kind="freight_minimum", amount=fen(tariff.minimum))
    costs: dict[Extra, Decimal] = {
        "pickup": tariff.pickup,
        "delivery": tariff.delivery,
        "entry": tariff.entry,
        "crate": volume * tariff.crate,
        "insurance": insured * tariff.insurance / 1000,
        "cod": collected * tariff.cod / 1000,
    }
    wanted = [Line(kind=kind, amount=fen(costs[kind])) for kind in EXTRAS if kind in extras]
    lines = [line for line in wanted if line.kind == "pickup"] + [freight]
    lines += [line for line in wanted if line.kind != "pickup"]
    return Quote(
        origin=tariff.origin,
        destination=tariff.destination,
        version=tariff.version,
        weight=weight,
        volume=volume,
        lines=lines,
        total=sum((line.amount for line in lines), Decimal()),
    )


def fen(amount: Decimal) -> Decimal:
    """Rounded to the fen, half of one up."""
    return amount.quantize(FEN, ROUND_HALF_UP)
