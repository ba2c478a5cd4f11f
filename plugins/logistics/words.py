"""Formats of the department: how long something is late (45 hours are a day and 21 hours), and names of its things."""

from __future__ import annotations

from collections.abc import Callable, Mapping

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


#: What is done beside the carriage, as the field calls it.
SERVICES = {
    "pickup": ("接货", "pick-up"),
    "delivery": ("送货上门", "delivery to the door"),
    "entry": ("进仓", "warehouse entry"),
    "crate": ("打木架", "wooden crate"),
    "insurance": ("保价", "insurance"),
    "cod": ("代收货款", "cash on delivery"),
    "receipt": ("签收回单", "signed receipt"),
}


#: The lines of a quote.
LINES = {
    **SERVICES,
    "freight_weight": ("运费，按重量计算", "freight by weight"),
    "freight_volume": ("运费，按体积计算", "freight by volume"),
    "freight_minimum": ("运费，按最低收费", "the minimum freight"),
}


def _named(names: Mapping[str, tuple[str, str]], at: int) -> Callable[[str], str]:
    def said(word: str) -> str:
        if word not in names:
            raise ValueError(f"{word} has no name here")
        return names[word][at]

    return said


def naming(name: str, names: Mapping[str, tuple[str, str]]) -> Format:
    """A format for a word of the code: its name in Chinese and in English."""
    return Format(name, accepts=(str,), words={"zh-CN": _named(names, 0), "en": _named(names, 1)})


LATENESS = Format("logistics_lateness", accepts=(int,), words={"zh-CN": chinese, "en": english})
SERVICE = naming("logistics_service", SERVICES)
LINE = naming("logistics_line", LINES)
FORMATS = [LATENESS, SERVICE, LINE]
