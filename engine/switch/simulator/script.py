"""Plays a script: callers who phone in over time, phones that answer by themselves.

Everything is drawn from one seed and runs on the clock's timers, so a script plays the same way twice,
and a simulated day of it costs seconds. The file's format is told in :mod:`script_file`.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from engine.clock import Timer
from engine.switch.simulator.party import Playback
from engine.switch.simulator.script_file import CallerScript, PhoneScript, ScriptFile, Spread

if TYPE_CHECKING:
    from engine.switch.simulator.people import SimCaller
    from engine.switch.simulator.simulator import Simulator

THOUGHT = Spread(0.6, 2.0)  # seconds from the beginning of a question to the first key
REFRESH = 1800.0  # seconds after which the phones register again: half of their registrations' time
REFRESHING = -1  # whose timer that is; the others are the callers'


class ScriptPlayer:
    """A script that is being played. ``calls`` counts the calls begun."""

    def __init__(self, simulator: Simulator, script: ScriptFile, *, seed: int = 0) -> None:
        self._simulator = simulator
        self._script = script
        self._random = random.Random(seed)
        self._timers: dict[int, Timer] = {}
        self._playing = False
        self.calls = 0

    def start(self) -> None:
        """Register the phones and let the first callers come."""
        self._playing = True
        for extension, behaviour in self._script.phones.items():
            self._phone(extension, behaviour)
        self._refresh_later()
        for number, caller in enumerate(self._script.callers):
            self._later(number, self.draw(caller.first), caller, 0)

    def stop(self) -> None:
        """No more calls come; those that are there go on."""
        self._playing = False
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def draw(self, spread: Spread) -> float:
        """A length of time, in seconds."""
        return self._random.uniform(spread.low, spread.high)

    def _phone(self, extension: str, behaviour: PhoneScript) -> None:
        def answers() -> float | None:
            if self._random.random() < behaviour.misses:
                return None
            return self.draw(behaviour.answer_after)

        self._simulator.phone(extension).auto(
            answer_after=answers, talk_for=lambda: self.draw(behaviour.talk_for)
        )

    def _refresh_later(self) -> None:
        self._timers[REFRESHING] = self._simulator.clock.after(REFRESH, self._refresh)

    def _refresh(self) -> None:
        for extension in self._script.phones:
            self._simulator.phone(extension).refresh()
        self._refresh_later()

    def _later(self, number: int, seconds: float, caller: CallerScript, made: int) -> None:
        self._timers[number] = self._simulator.clock.after(seconds, self._call, number, caller, made)

    def _call(self, number: int, caller: CallerScript, made: int) -> None:
        if not self._playing:
            return
        self.calls += 1
        person = self._simulator.call(
            caller.dials, caller=self._random.choice(caller.from_), name=caller.name
        )
        Actor(self, person, caller).start()
        if caller.every is not None and (caller.times is None or made + 1 < caller.times):
            self._later(number, self.draw(caller.every), caller, made + 1)


class Actor:
    """One caller who goes through his steps."""

    def __init__(self, player: ScriptPlayer, person: SimCaller, script: CallerScript) -> None:
        self._player = player
        self._person = person
        self._script = script
        self._clock = person.clock
        self._steps = iter(script.does)
        self._keys = ""
        self._thought = THOUGHT
        self._question = False  # the switch waits for keys, and got none yet
        self._thinking = False
        self._talking = False
        self._waits_for_talk = False
        self._patience: Timer | None = None

    def start(self) -> None:
        """Listen, and begin with the first step."""
        person = self._person
        person.on_playback = self._hears
        person.on_asked = self._asked
        person.on_bridged = self._talk_begins
        person.on_unbridged = self._talk_ends
        person.on_ended = self._over
        self._be_patient()
        self._next()

    def _next(self) -> None:
        if self._person.ended is not None:
            return
        step = next(self._steps, None)
        if step is None:
            return
        if step.press is not None:
            self._keys = step.press
            self._thought = step.after or THOUGHT
            self._consider()
        elif step.wait is not None:
            self._clock.after(self._player.draw(step.wait), self._next)
        elif step.talk is not None:
            self._waits_for_talk = True
        else:
            self._person.hang_up()

    # -- what he hears ----------------------------------------------------------------------------

    def _hears(self, playback: Playback) -> None:
        if playback.waits_for_keys:
            self._question = True
            self._consider()

    def _asked(self, _seconds: float = 0.0) -> None:
        self._question = True
        self._consider()

    def _consider(self) -> None:
        if self._question and self._keys and not self._thinking:
            self._thinking = True
            self._clock.after(self._player.draw(self._thought), self._press)

    def _press(self) -> None:
        self._thinking = False
        keys, self._keys = self._keys, ""
        if self._person.ended is not None:
            return
        self._question = False
        self._person.press(keys)
        # The next question is one that comes after the last of these keys.
        self._clock.after(0.25 * len(keys), self._pressed)

    def _pressed(self) -> None:
        self._question = False
        self._next()

    # -- talks, and patience ----------------------------------------------------------------------

    def _talk_begins(self, other: str) -> None:
        self._talking = True
        self._stop_waiting()

    def _talk_ends(self) -> None:
        self._talking = False
        self._be_patient()
        if self._waits_for_talk:
            self._waits_for_talk = False
            self._next()

    def _be_patient(self) -> None:
        self._stop_waiting()
        self._patience = self._clock.after(self._player.draw(self._script.patience), self._gives_up)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _gives_up(self) -> None:
        self._patience = None
        self._person.hang_up()

    def _over(self, cause: str) -> None:
        self._stop_waiting()
