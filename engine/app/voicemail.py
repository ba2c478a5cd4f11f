"""Messages that callers leave, told to those who look after the box (``boxes`` of conf/notify.yaml)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import structlog

from engine.app.clips import Sounds
from engine.clock import Clock
from engine.errors import InsidelineError
from engine.records.messages import NEW, Message
from engine.records.records import Records

log = structlog.get_logger(__name__)

LEFT: Final = "message_left"
LEFT_BY: Final = "message_left_by"
MISSED: Final = timedelta(hours=1)
"""How far back a starting engine looks for messages whose notice the one before it did not come to write."""
_ONCE: Final = timedelta(days=400)


def tell_of_messages(sounds: Sounds, records: Records, clock: Clock) -> None:
    """From now on each message is told once to the group of its box; so are, whenever the engine begins to lead, those
    that an engine before it did not come to tell of."""

    def tell(left: Message) -> None:
        if group := records.notify_file.told_of(left.box):
            clock.spawn(_keep, records, group, left)

    def missed() -> None:
        since = clock.now() - MISSED
        if records.notify_file.boxes:
            for left in sounds.messages.listed(states=(NEW,)):
                if left.left >= since:
                    tell(left)

    sounds.messages.on_left = tell
    sounds.missed = missed


def _keep(records: Records, group: str, left: Message) -> None:
    values: dict[str, Any] = {
        "box": left.box,
        "left": left.left,
        "seconds": timedelta(seconds=max(1, round(left.seconds))),
    }
    prompt = LEFT
    if left.number:  # it is "" for a caller who is not to be known
        prompt, values["number"] = LEFT_BY, left.number

    def add(session: Any) -> str:
        return records.add_notice(
            session, group, prompt, values,
            level="info", key=f"message:{left.id}", window=_ONCE.total_seconds(), call=left.call,
        )  # fmt: skip

    try:
        records.work(add)
    except InsidelineError as error:
        log.error("message.not_told", message=left.id, box=left.box, error=str(error))
