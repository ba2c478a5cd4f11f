"""How long something is late, as people say it: 45 hours are a day and 21 hours."""

from __future__ import annotations

from engine.api import Format


def chinese(hours: int) -> str:
    days, rest = _parted(hours)
    return (f"{days}天" if days else "") + (f"{rest}小时" if rest or not days else "")


def english(hours: int) -> str:
    days, rest = _parted(hours)
    said = [_counted(days, "day")] if days else []
    if rest or not days:
        said.append(_counted(rest, "hour"))
    return " and ".join(said)


def _parted(hours: int) -> tuple[int, int]:
    if hours < 0:
        raise ValueError("nothing is late by less than nothing")
    return divmod(hours, 24)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


LATENESS = Format("logistics_lateness", accepts=(int,), words={"zh-CN": chinese, "en": english})
