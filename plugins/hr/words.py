"""How the words of pay, leave, benefits and requests are spoken, in both languages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.api import Format

_PAY = {
    "base": ("基本工资", "base pay"),
    "post": ("岗位津贴", "post allowance"),
    "posting": ("外派补贴", "posting allowance"),
    "overtime": ("加班费", "overtime"),
    "performance": ("绩效工资", "performance pay"),
    "pension": ("扣养老保险", "less pension insurance"),
    "medical": ("扣医疗保险", "less medical insurance"),
    "unemployment": ("扣失业保险", "less unemployment insurance"),
    "housing": ("扣住房公积金", "less housing fund"),
    "tax": ("扣个人所得税", "less income tax"),
}
_BENEFITS = {
    "medical": ("补充医疗", "additional medical cover"),
    "checkup": ("体检", "the medical check-up"),
    "travel": ("探亲路费", "travel home"),
    "study": ("学费补助", "study grants"),
    "festival": ("节日慰问", "festival allowances"),
}
_LEAVES = {
    "annual": ("年假", "annual leave"),
    "sick": ("带薪病假", "paid sick leave"),
    "home": ("探亲假", "home leave"),
    "compensatory": ("调休", "time off in lieu"),
    "childcare": ("育儿假", "childcare leave"),
}
_REQUESTS = {
    "employment": ("在职证明", "a certificate of employment"),
    "income": ("收入证明", "a certificate of income"),
    "correction": ("工资更正", "a correction of pay"),
    "claim": ("福利报销", "a benefit claim"),
    "hardship": ("困难求助", "a hardship request"),
}
_STATES = {
    "waiting": ("等待受理", "is waiting to be taken up"),
    "working": ("正在办理", "is being worked on"),
    "done": ("已办结", "is done"),
}
_TOPICS = {
    "conduct": ("管理作风", "the conduct of managers"),
    "hours": ("考勤和加班", "working hours"),
    "pay": ("薪资发放", "pay"),
    "safety": ("安全和卫生", "safety and health"),
    "other": ("其他问题", "something else"),
}


def _said(words: Mapping[str, tuple[str, str]], language: int) -> Callable[[Any], str]:
    def say(value: Any) -> str:
        try:
            return words[str(value)][language]
        except KeyError:
            raise ValueError(f"{value!r} is none of {', '.join(words)}") from None

    return say


def _format(name: str, words: Mapping[str, tuple[str, str]]) -> Format:
    return Format(name, accepts=(str,), words={"zh-CN": _said(words, 0), "en": _said(words, 1)})


FORMATS = [
    _format("hr_pay", _PAY),
    _format("hr_benefit", _BENEFITS),
    _format("hr_leave", _LEAVES),
    _format("hr_request", _REQUESTS),
    _format("hr_state", _STATES),
    _format("hr_topic", _TOPICS),
]
