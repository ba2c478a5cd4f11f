"""Values as they are said in Chinese (Mandarin).

The rules that a literal reading of the digits gets wrong:

- Two is 两 where things are counted (两个, 两百, 两千, 两万, 两点, 两元) and 二 elsewhere: 二十, 十二,
  一百零二, in ordinals (第二) and dates (二月二日).
- One is 幺 (yāo) in rows of digits, where 一 would be mistaken for 七.
- Gaps inside a number are one 零: 一千零一, 十万零五百.
- Money is 元 角 分, with 零 for a missing 角: 三元零五分.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from engine.prompts.phrases import (
    PAUSE,
    SLIP,
    Phrase,
    Setting,
    Spoken,
    groups,
    phone_groups,
    to_date,
    to_digits,
    to_number,
    to_parts,
    to_time,
)

_FIGURES = "零一二三四五六七八九"
_UNITS = {"day": "天", "hour": "小时", "minute": "分钟", "second": "秒"}

JOINER = ""
YES, NO, UNKNOWN = "是", "否", "未知"


def numeral(number: int, *, counting: bool = False) -> str:
    """``number`` (from 0, below 10**15) as a Chinese numeral; ``counting``: 两 where things are counted."""
    if number == 2 and counting:
        return "两"
    text = _large(number, counting=counting)
    return text.removeprefix("一") if text.startswith("一十") else text


def digits(value: object, setting: Setting) -> Spoken:
    row = to_digits(value)
    return _rows(groups(row), alone=len(row) == 1)


def phone(value: object, setting: Setting) -> Spoken:
    return _rows(phone_groups(value if isinstance(value, str) else to_digits(value, "phone")))


def count(value: object, setting: Setting) -> Spoken:
    number = to_number(value, "count")
    counting = not setting.before.endswith("第")  # 第二位, but 两位
    return Spoken.whole(_amount(number, counting=counting))


def money(value: object, setting: Setting) -> Spoken:
    amount = to_number(value, "money").quantize(Decimal("0.01"), ROUND_HALF_UP)
    cents = int(abs(amount) * 100)
    yuan, jiao, fen = cents // 100, cents // 10 % 10, cents % 10
    said = numeral(yuan, counting=True) + "元" if yuan or not cents else ""
    if jiao:
        said += numeral(jiao, counting=True) + "角"
    elif yuan and fen:
        said += "零"
    if fen:
        said += numeral(fen, counting=True) + "分"
    return Spoken.whole(("负" if amount < 0 else "") + said)


def date(value: object, setting: Setting) -> Spoken:
    day = to_date(value, setting)
    return Spoken.whole(_year(day.year, setting) + f"{numeral(day.month)}月{numeral(day.day)}日")


def month(value: object, setting: Setting) -> Spoken:
    day = to_date(value, setting, "month")
    return Spoken.whole(_year(day.year, setting) + f"{numeral(day.month)}月")


def time(value: object, setting: Setting) -> Spoken:
    at = to_time(value, setting)
    hour = at.hour
    part = (
        "凌晨" if hour < 5
        else "早上" if hour < 9
        else "上午" if hour < 12
        else "中午" if hour < 13
        else "下午" if hour < 18
        else "晚上"
    )  # fmt: skip
    clock = hour - 12 if hour > 12 else hour
    said = part + numeral(clock, counting=True) + "点"
    if at.minute == 30:
        said += "半"
    elif at.minute:
        said += ("零" if at.minute < 10 else "") + numeral(at.minute) + "分"
    return Spoken.whole(said)


def duration(value: object, setting: Setting) -> Spoken:
    return Spoken.whole(
        "".join(numeral(amount, counting=True) + _UNITS[unit] for amount, unit in to_parts(value))
    )


def _rows(cut: list[str], *, alone: bool = False) -> Spoken:
    """Groups of digits, each sign a phrase; 幺 for one, except for a sign that stands ``alone``."""
    named = [[_sign(sign, alone=alone) for sign in group] for group in cut]
    phrases = [
        Phrase(word, PAUSE if at == len(group) - 1 else SLIP)
        for group in named
        for at, word in enumerate(group)
    ]
    return Spoken(" ".join("".join(group) for group in named), tuple(phrases))


def _sign(sign: str, *, alone: bool) -> str:
    if sign == "1" and not alone:
        return "幺"
    return _FIGURES[int(sign)] if sign in "0123456789" else sign


def _year(year: int, setting: Setting) -> str:
    return "" if year == setting.today.year else "".join(_FIGURES[int(sign)] for sign in str(year)) + "年"


def _amount(number: Decimal, *, counting: bool) -> str:
    sign = "负" if number < 0 else ""
    whole, _, fraction = f"{abs(number):f}".partition(".")
    fraction = fraction.rstrip("0")
    if not fraction:
        return sign + numeral(int(whole), counting=counting)
    return sign + numeral(int(whole)) + "点" + "".join(_FIGURES[int(figure)] for figure in fraction)


def _large(number: int, *, counting: bool) -> str:
    for unit, name in ((10**8, "亿"), (10**4, "万")):
        if number >= unit:
            above, below = divmod(number, unit)
            head = "两" if above == 2 and counting else _large(above, counting=counting)
            gap = "零" if 0 < below < unit // 10 else ""
            return head + name + gap + (_large(below, counting=counting) if below else "")
    return _small(number, counting=counting)


def _small(number: int, *, counting: bool) -> str:
    """A number below 10,000, every 十 with its figure (一十); 0 is 零."""
    if number == 0:
        return "零"
    said, gap = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        figure, number = divmod(number, unit)
        if not figure:
            gap = bool(said)
            continue
        two = "两" if counting and unit >= 100 else "二"
        said += ("零" if gap else "") + (two if figure == 2 else _FIGURES[figure]) + name
        gap = False
    return said
