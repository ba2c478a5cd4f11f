"""The keys that an agent presses during a talk.

They are bound to the agent's own leg (``bind_digit_action``), so that the switch swallows them in mid-bridge: the
other party hears nothing, and the engine is told by an ``il::key`` event. A binding lives as long as the leg, whoever
it is bridged with, and outlives the engine. It is sent right before the bridge: the switch does what waits for the
second leg of a ``uuid_bridge`` before the two talk, and looks at nothing else in the first 0.2 s of a bridge.

The target of a transfer or a consultation is typed after its key, ended by ``#``. For that the switch itself, in the
moment of the key, changes to a realm of bindings in which each key is told by itself: however fast they come, none is
lost while the legs part, and the caller hears none. The talk gathers them, and gives the leg its ordinary keys back.
"""

from __future__ import annotations

from typing import Annotated, Final, Self

from pydantic import PlainValidator, WithJsonSchema, model_validator

from engine.esl import commands
from engine.esl.commands import Command
from engine.schema.fields import text_of
from engine.schema.shapes import Shape, wrong

KEY_EVENT: Final = "il::key"
KEY_FIELD: Final = "il_key"
APPLICATION: Final = "digit_action_set_realm"  # its end tells of a key that a target follows
TYPED: Final = "typed"  # in KEY_FIELD: a key of a target
TARGETED: Final = ("transfer", "consult")  # each the name of its realm, too
TALK: Final = "talk"  # the ordinary realm
ACTIONS: Final = ("hold", "transfer", "consult", "conference", "back")


def _sequence(value: object) -> str | None:
    text = text_of(value, "keys of the phone")
    if text == "none":
        return None
    if not (2 <= len(text) <= 4 and text[0] in "*#" and text[1:].isdecimal()):
        raise wrong(
            "keys", f"`{text}` can't be keys of a talk", 'write a star and a digit, as in "*1"; none: no keys'
        )
    return text


_SCHEMA = WithJsonSchema({"type": "string", "pattern": r"^([*#][0-9]{1,3}|none)$"})
Sequence = Annotated[str | None, PlainValidator(_sequence), _SCHEMA]


class KeyPlan(Shape):
    """``keys:`` of conf/engine.yaml: what an agent presses during a talk. ``none`` takes an action off the phone."""

    hold: Sequence = "*1"  # and back; in a consultation: to the caller, and back
    transfer: Sequence = (
        "*2"  # then the target and #; in a consultation: the two of them talk, the agent is free
    )
    conference: Sequence = "*3"  # in a consultation: all three
    back: Sequence = "*4"  # to the caller, without the third
    consult: Sequence = "*5"  # then the target and #

    @model_validator(mode="after")
    def _apart(self) -> Self:
        taken: dict[str, str] = {}
        for action, keys in self.bound().items():
            for other, those in taken.items():
                if keys.startswith(those) or those.startswith(keys):
                    raise wrong(
                        "keys", f"{action} and {other} begin alike", "give each keys of its own", at=action
                    )
            taken[action] = keys
        return self

    def bound(self) -> dict[str, str]:
        """Action -> keys, of those that have any."""
        return {action: keys for action in ACTIONS if (keys := getattr(self, action)) is not None}


def bind(leg: str, plan: KeyPlan) -> list[Command]:
    """The commands that give an agent's leg its keys; harmless twice."""
    bound = plan.bound()
    if not bound:
        return []
    typing = [
        commands.bind_digit_action(leg, commands.ANY_KEY, KEY_EVENT, {KEY_FIELD: TYPED}, realm=action)
        for action in TARGETED
        if action in bound
    ]
    ordinary = [
        commands.bind_digit_realm(leg, keys, action, realm=TALK)
        if action in TARGETED
        else commands.bind_digit_action(leg, keys, KEY_EVENT, {KEY_FIELD: action}, realm=TALK)
        for action, keys in bound.items()
    ]
    return [*typing, *ordinary, give_back(leg)]


def give_back(leg: str) -> Command:
    """The command after which the ordinary keys of a talk count (again)."""
    return commands.digit_action_set_realm(leg, TALK)


__all__ = [
    "ACTIONS",
    "APPLICATION",
    "KEY_EVENT",
    "KEY_FIELD",
    "TALK",
    "TARGETED",
    "TYPED",
    "KeyPlan",
    "bind",
    "give_back",
]
