"""Who may be rung outside: the one guard that every call through a trunk passes.

A transfer, a callback, an invitation to a conference, a fax, an alert by phone: each asks :meth:`Outbound.dial`
for the typed dial string of a number and gets it, or :class:`~engine.errors.DialRefused` with the reason. Nothing
goes out that the installation has not allowed:

- only numbers that begin with one of ``allow``; ``deny`` is stronger; without ``allow`` nothing at all,
- never to a number of our own (``ours``, the dialplan's numbers, the number that the very call came in by):
  the call would come back to us, and again,
- ``per_hour`` calls by everything together, and ``per_number`` to the same number.

Attempts count, whether or not somebody answers: a burst of unanswered calls costs a carrier's patience, too. The
journal has each one (``outbound.dialled``, ``outbound.refused``), and what an earlier engine dialled within the
hour counts on (:meth:`Outbound.restore`).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal, Protocol

import structlog
from pydantic import Field, PlainValidator, StringConstraints, WithJsonSchema

from engine.clock import Clock
from engine.errors import DialRefused
from engine.esl.dial import GatewayDial
from engine.schema.fields import text_of, whole
from engine.schema.shapes import Shape, wrong
from engine.types import JournalEntry

log = structlog.get_logger(__name__)

HOUR: Final = 3600.0
DIALLED: Final = "outbound.dialled"
REFUSED: Final = "outbound.refused"

Why = Literal["malformed", "unlisted", "denied", "loop", "no_trunk", "too_many", "too_often"]


def _prefix(value: Any) -> str:
    text = text_of(value, "the beginning of a number").replace(" ", "")
    if re.fullmatch(r"\+[1-9][0-9]{0,14}|[0-9*#]{1,15}", text) is None:
        raise wrong(
            "number",
            f"`{text}` is not the beginning of a number",
            "write +8620 for numbers of Guangzhou, 955 for service numbers",
        )
    return text


_SCHEMA = WithJsonSchema({"type": ["string", "integer"], "pattern": r"^(\+[1-9][0-9]{0,14}|[0-9*#]{1,15})$"})
#: The beginning of a number in E.164 (``+8620``), or of a short one (``955``).
Prefix = Annotated[str, PlainValidator(_prefix), _SCHEMA]
_HOURLY = whole(1, 100_000)
PerHour = Annotated[int, _HOURLY[0], _HOURLY[1]]


class OutboundRules(Shape):
    """``outbound:`` of conf/trunks.yaml. As it stands without a word, nobody is rung outside."""

    trunk: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,30}$")] | None = (
        None  # the first one
    )
    allow: tuple[Prefix, ...] = ()
    deny: tuple[Prefix, ...] = ()  # stronger than `allow`, however long either is
    ours: tuple[Prefix, ...] = ()  # our own numbers (or their common beginning) as carriers know them
    caller: Prefix | None = None  # what is shown when the caller's own number can't be
    per_hour: PerHour = Field(default=120)
    per_number: PerHour = Field(default=10)  # to one and the same number within an hour


class Line(Protocol):
    """The part of a trunk that dialling needs."""

    @property
    def name(self) -> str: ...
    @property
    def show_caller(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Allowed:
    """A number that may be rung: the typed dial string, and what the other end is to see."""

    number: str  # as it is written down (E.164 where it can be read as such)
    trunk: str
    dial: GatewayDial
    caller: str  # the number to show, "" for the trunk's own


class Outbound:
    """The guard. One for each engine; safe from any greenlet, and never waits."""

    def __init__(
        self,
        rules: OutboundRules,
        trunks: Sequence[Line],
        *,
        clock: Clock,
        journal: Callable[[JournalEntry], None],
        read: Callable[[str], str] = str,
        is_ours: Callable[[str], bool] = lambda number: False,
    ) -> None:
        """``read`` turns a number as dialled into E.164 (``Numbers.e164``); ``is_ours`` knows the numbers that
        the dialplan answers."""
        self.rules = rules
        self._trunks = {trunk.name: trunk for trunk in trunks}
        self._first = rules.trunk or next(iter(self._trunks), "")
        self._clock = clock
        self._journal = journal
        self._read = read
        self._is_ours = is_ours
        self._dialled: deque[tuple[float, str]] = deque()  # (monotonic, number), oldest first

    def restore(self, entries: Iterable[JournalEntry], now: datetime) -> None:
        """Count what an earlier engine dialled: the ``outbound.dialled`` rows of the last hour, in any order."""
        known = [
            (self._clock.monotonic() - (now - entry.at).total_seconds(), str(entry.data.get("number", "")))
            for entry in entries
            if entry.kind == DIALLED and timedelta() <= now - entry.at < timedelta(hours=1)
        ]
        self._dialled = deque(sorted([*known, *self._dialled]))

    def dial(
        self,
        number: str,
        *,
        purpose: str,
        trunk: str = "",
        call: str = "",
        dialled: str = "",
        caller: str = "",
        private: bool = False,
        often: bool = False,
    ) -> Allowed:
        """The dial string for ``number``, which counts as dialled from now on; :class:`DialRefused` otherwise.

        ``purpose`` is a word for the journal (transfer, callback, fax …); ``call`` the call that it is for and
        ``dialled`` the number which that one came in by; ``caller`` the number to be shown to the other end,
        where the trunk lets us. ``private`` keeps the number out of the journal (a caller whose identity is
        deferred). ``often``: a number of the centre's own people, which may be rung again and again.
        """
        target = self._read(number)
        shown = "" if private else target
        try:
            line = self._judge(target, trunk, dialled, often)
        except DialRefused as refused:
            self._note(REFUSED, call, purpose=purpose, number=shown, why=refused.why)
            log.warning("outbound.refused", purpose=purpose, call=call, why=refused.why)
            raise
        self._dialled.append((self._clock.monotonic(), target))
        self._note(DIALLED, call, purpose=purpose, number=shown, trunk=line.name)
        mine = self.rules.caller or ""
        number_shown = caller if line.show_caller and caller.startswith("+") else mine
        return Allowed(target, line.name, GatewayDial(line.name, target), number_shown)

    def check(self, number: str, *, trunk: str = "", dialled: str = "") -> str:
        """Why ``number`` may not be rung now, one line; "" when it may. Counts nothing."""
        try:
            self._judge(self._read(number), trunk, dialled)
        except DialRefused as refused:
            return str(refused)
        return ""

    def _judge(self, target: str, trunk: str, dialled: str, often: bool = False) -> Line:
        rules = self.rules
        if re.fullmatch(r"\+[1-9][0-9]{6,14}|[0-9*#]{2,15}", target) is None:
            raise DialRefused("malformed", "this is no telephone number")
        line = self._trunks.get(trunk or self._first)
        if line is None:
            name = trunk or self._first
            raise DialRefused("no_trunk", f"there is no trunk {name}" if name else "there is no trunk")
        ours = self._read(dialled) if dialled else ""
        if target == ours or target.startswith(rules.ours) or self._is_ours(target):
            raise DialRefused("loop", "this is a number of our own: the call would come back")
        if target.startswith(rules.deny):
            raise DialRefused("denied", "conf/trunks.yaml denies this number (outbound: deny)")
        if not target.startswith(rules.allow):
            raise DialRefused("unlisted", "conf/trunks.yaml does not allow this number (outbound: allow)")
        self._forget()
        if len(self._dialled) >= rules.per_hour:
            raise DialRefused("too_many", f"{rules.per_hour} calls went out within an hour (per_hour)")
        if not often and sum(1 for _, known in self._dialled if known == target) >= rules.per_number:
            raise DialRefused(
                "too_often", f"this number was rung {rules.per_number} times within an hour (per_number)"
            )
        return line

    def _forget(self) -> None:
        edge = self._clock.monotonic() - HOUR
        while self._dialled and self._dialled[0][0] <= edge:
            self._dialled.popleft()

    def _note(self, kind: str, call: str, **data: Any) -> None:
        self._journal(JournalEntry(at=self._clock.now(), kind=kind, call=call, data=data))


__all__ = ["Allowed", "Outbound", "OutboundRules", "Prefix"]
