"""``messages``: somebody of the house hears the messages of a box."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import model_validator

from engine.errors import NotFound
from engine.esl.commands import Digits
from engine.flows.asking import Asked, Given, ask
from engine.flows.moves import Go
from engine.flows.step import Step
from engine.flows.values import Val
from engine.records.messages import NEW, Message
from engine.schema.fields import Duration, Flag, Key, PromptRef, Target
from engine.schema.shapes import Shape, wrong

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run

COUNT, ENTRY, KEYS = "messages_count", "messages_entry", "messages_keys"
DELETED, END = "messages_deleted", "messages_end"


class MessageKeys(Shape):
    """What the keys do while a message is heard, and behind it."""

    again: Key = "1"
    """Hears the message again."""
    next: Key = "2"
    """Leaves it as it is."""
    delete: Key = "3"
    """Deletes it."""
    keep: Key = "4"
    """Keeps it as heard."""
    stop: Key = "*"
    """Ends."""

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if len({self.again, self.next, self.delete, self.keep, self.stop}) < 5:
            raise wrong("keys", "one key means two things")
        return self


class HearMessages(Step):
    """New messages come first, the oldest of them first. Ask for a PIN before it: the step does not."""

    kind = "messages"
    waits = True

    box: Val
    """A box, or a list of boxes."""
    by: Val | None = None
    """Who hears them; it stands with each message."""
    old: Flag = True
    """Also those that somebody heard before?"""
    count: PromptRef | None = None
    """Says how many there are (`new`, `old`)."""
    entry: PromptRef | None = None
    """Said before each message (`number`, `left`)."""
    offer: PromptRef | None = None
    """Said behind each message: what the keys do."""
    keys: MessageKeys = MessageKeys()
    """What the keys do."""
    first: Duration = 6.0
    """How long to wait for a key behind a message."""
    none: Target | None = None
    """Where no message leads; the next step when left out."""

    def run(self, run: Run) -> Move:
        boxes = self.box.get(run.scope)
        names = [str(box) for box in boxes] if isinstance(boxes, (list, tuple)) else [str(boxes)]
        found = run.services.messages.listed(names)
        if not self.old:
            found = [one for one in found if one.state == NEW]
        if not found:
            return None if self.none is None else Go(self.none, way="none")
        new = sum(one.state == NEW for one in found)
        run.speak(
            self.count or COUNT, {"new": new, "old": len(found) - new, "count": len(found)}, interrupt=True
        )
        for number, message in enumerate(found, start=1):
            if not self._heard(run, message, number, len(found)):
                return None
        run.speak(END, interrupt=True)
        return None

    def _heard(self, run: Run, message: Message, number: int, count: int) -> bool:
        """One message, as often as wanted; False when the caller wants no more."""
        messages, keys = run.services.messages, self.keys
        by = "" if self.by is None else str(self.by.get(run.scope))
        wanted = (keys.again, keys.next, keys.delete, keys.keep, keys.stop)
        digits = Digits(minimum=1, maximum=1, first=self.first, terminators="")
        about = {
            "number": number,
            "count": count,
            "caller": message.number.lstrip("+"),
            "left": message.left,
            "seconds": message.seconds,
            "box": message.box,
        }
        run.speak(self.entry or ENTRY, about, interrupt=True)
        pressed: Given | None = None
        while pressed is None or pressed.value == keys.again:
            if not run.typed_ahead:
                try:
                    file = messages.file(message.id)
                except NotFound:
                    return True  # somebody deleted it meanwhile
                run.sound(str(file), message.seconds, interrupt=True)
            messages.heard(message.id, by)
            question = Asked(self.label, self.offer or KEYS, attempts=2)
            pressed = ask(run, question, digits, lambda key: Given(key) if key in wanted else None)
            if pressed is None or pressed.value == keys.stop:
                return False  # who presses nothing has put the receiver beside the phone
        if pressed.value == keys.delete:
            messages.delete(message.id, by)
            run.speak(DELETED, interrupt=True)
        return True
