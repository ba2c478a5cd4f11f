"""A caller on a real FreeSWITCH who waits for each question, and answers it by RFC 4733 keys or by voice."""

from __future__ import annotations

from typing import Any

from tests.e2e.house import House
from tests.sip.phone import Call, Telephone

VOICE = 600
"""Hz: what is dictated."""


class Keyed:
    """One call. Steps are named as ``insideline call list`` shows them: ``main[1] menu``."""

    def __init__(self, house: House, phone: Telephone, dialled: str, *, name: str = "") -> None:
        self.house = house
        before = {one["id"] for one in house.calls()}
        self.call: Call = phone.dial(dialled, name=name).wait_answered(20)
        self.id = str(
            house.wait_for(
                lambda: next((one["id"] for one in house.calls() if one["id"] not in before), ""),
                "no call",
                20,
            )
        )

    def view(self) -> dict[str, Any]:
        """The call as the engine sees it; {} once it is over."""
        return next((one for one in self.house.calls() if one["id"] == self.id), {})

    def reaches(self, step: str, within: float = 60.0) -> Keyed:
        """Wait until the call is in a step."""
        self.house.wait_for(
            lambda: str(self.view().get("step", "")).startswith(step),
            f"never came to {step}",
            within,
        )
        return self

    def at(self, step: str, keys: str) -> Keyed:
        """In this step the switch collects keys; they are pressed."""
        self.reaches(step)
        self._doing("play_and_get_digits")
        self._press(keys)
        return self

    def secret(self, step: str, keys: str) -> Keyed:
        """As :meth:`at`, once the switch takes keys that are nobody else's to see."""
        self.reaches(step)
        self._has("sensitive_dtmf", "true")
        self._doing("play_and_get_digits")
        self._press(keys)
        return self

    def dictates(self, step: str, *, hz: float = VOICE, seconds: float = 2.5) -> Keyed:
        """Say something once it is recorded, and accept it."""
        self.reaches(step)
        self._doing("record")
        self.call.say_tone(hz, seconds)
        self.house.clock.sleep(seconds + 0.5)
        self.call.press("#")
        self._doing("play_and_get_digits")
        self._press("3")
        self.house.wait_for(
            lambda: not str(self.view().get("step", "")).startswith(step),
            f"{step} goes on",
            60,
        )
        return self

    def ends(self, within: float = 60.0) -> None:
        """The call is over, by whomever, and nothing of it is live."""
        self.call.wait_over(within)
        self.house.wait_for(lambda: not self.view(), "the call did not end")

    def hangs_up(self) -> None:
        """Put the receiver down."""
        self.call.hang_up()
        self.house.wait_for(lambda: not self.view(), "the call did not end")

    def _press(self, keys: str) -> None:
        self.house.clock.sleep(0.4)  # what was asked before is over, and the question has begun
        self.call.press(keys)

    def _doing(self, application: str) -> None:
        self._has("current_application", application)

    def _has(self, variable: str, value: str) -> None:
        self.house.wait_for(
            lambda: self.house.switch(f"uuid_getvar {self.id} {variable}").strip() == value,
            f"{variable} is not {value}",
            60,
        )


def acknowledged(house: House, phone: Telephone, prompt: str) -> dict[str, Any]:
    """The phone rings, says a notice, and its key is pressed; the notice."""

    def told() -> list[dict[str, Any]]:
        rows = [one for one in house.get("/notices") or [] if one["prompt"] == prompt]
        return [one for one in rows if one["state"] == "acknowledged"]

    ring = phone.wait_ring(40)
    ring.answer()
    for _ in range(40):
        house.clock.sleep(1.0)
        if found := told():
            return dict(found[0])
        if not ring.over:
            ring.press("1")
    raise AssertionError("nobody heard the key")
