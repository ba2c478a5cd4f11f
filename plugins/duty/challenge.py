"""Two digits that are read out and must be typed: nobody closes an office with a phone in a pocket."""

from __future__ import annotations

from zlib import crc32

from engine.api import Attempts, Conversation, Prompt, Step, Target


class Challenge(Step):
    """``prompt`` is given the digits as ``{code}``; others of their kind for each call and each try. ``give_up``
    follows when they were not typed, and ``failed`` when something went wrong."""

    kind = "duty_challenge"
    waits = True
    lends = frozenset({"code"})

    prompt: Prompt
    attempts: Attempts = 2
    give_up: Target
    failed: Target | None = None

    def act(self, call: Conversation) -> str | None:
        for attempt in range(self.attempts):
            code = f"{crc32(f'{call.view.id} {attempt}'.encode()) % 90 + 10}"
            if call.ask(self.prompt, length=2, code=code) == code:
                return None
            call.journal("wrong", attempt=attempt + 1)
        return self.give_up
