"""What a talk does to its legs on the switch: part them, join them, gather them, let one of them hear something.

``uuid_bridge`` takes a leg out of the bridge that it is in, and who is left over is parked, never hung up
(docs/decisions/0100). What a move has brought about is looked at, for no one event says it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import structlog

from engine.calls.leg import Leg
from engine.errors import SwitchError, WrongState
from engine.esl import commands

if TYPE_CHECKING:
    from engine.calls.call import Call
    from engine.calls.registry import Calls

log = structlog.get_logger(__name__)

SETTLED: Final = 0.2
"""Seconds from a bridge until a leg may be taken out of it. The switch hangs the second leg up when the first leaves
before the thread of the second is in the bridge, which takes a busy machine its time."""
MOVE_LIMIT: Final = 1.5  # seconds from a command to what it does on the switch
LOOK: Final = 0.02


class Moves:
    """The moves of one talk. All of them wait, in the talk's own greenlet, except for what is only heard."""

    def __init__(self, calls: Calls, call: Call) -> None:
        self._calls = calls
        self._call = call
        self._bridged = calls.clock.monotonic()  # when the last bridge was heard of

    # -- who is with whom -----------------------------------------------------------------------------

    def part(self, leg: Leg, *, music: bool = True) -> None:
        """Caller and ``leg`` let go of each other; both are parked."""
        call = self._call
        self._settle()
        leg.kept = True
        self._calls.ask(commands.uuid_transfer_to_park(call.id), 5.0)
        done = self.wait(
            lambda: (call.leg.parked or call.leg.gone is not None) and (leg.parked or leg.gone is not None)
        )
        if not done:
            log.warning("talk.not_parted", call=call.id, leg=leg.uuid)
        if music:
            self.music(call.leg)

    def free(self, leg: Leg) -> None:
        """``leg`` is parked, wherever it was."""
        leg.parked = False
        self._calls.ask(commands.uuid_transfer_to_park(leg.uuid), 5.0)
        self.wait(lambda: leg.parked or leg.gone is not None)

    def join(self, one: Leg, other: Leg, *, from_room: bool = False) -> bool:
        """Bridge two legs; whoever either talked to is parked. False when one of them is gone."""
        for attempt in (1, 2):
            if not from_room:
                # One that was just left is on its way into the park: to bridge it now would catch it in between.
                self.wait(lambda: all(leg.parked or leg.peer or leg.gone for leg in (one, other)), 0.5)
            self._settle()
            if one.gone is not None or other.gone is not None:
                return False
            self._calls.ask(commands.uuid_bridge(one.uuid, other.uuid), 5.0)
            if self.wait(lambda: one.peer == other.uuid or one.gone is not None or other.gone is not None):
                self._bridged = self._calls.clock.monotonic()
                return one.peer == other.uuid
            log.warning("bridge.limbo", call=self._call.id, one=one.uuid, other=other.uuid, attempt=attempt)
            # A transfer brings back whatever the broken bridge has left in limbo.
            line = self._calls.require_line()
            line.post(commands.uuid_transfer_to_park(one.uuid), commands.uuid_transfer_to_park(other.uuid))
            self.wait(lambda: one.parked and other.parked)
        return False

    def _settle(self) -> None:
        """Wait until both legs are in the bridge that was made last."""
        left = self._bridged + SETTLED - self._calls.clock.monotonic()
        if left > 0:
            self._calls.clock.sleep(left)

    def gather(self, room: str, legs: tuple[Leg, ...]) -> None:
        """All of them in one conference. SwitchError when the switch does not make it."""
        self._settle()
        for leg in legs:
            self._calls.require_line().post(commands.uuid_transfer_to_conference(leg.uuid, room))
        if not self.wait(
            lambda: any(leg.gone is not None for leg in legs) or self.all_in(room, legs), 2 * MOVE_LIMIT
        ):
            log.warning("talk.no_conference", call=self._call.id, room=room)
            raise SwitchError("the switch did not make the conference")
        for leg in legs:
            leg.parked = False  # the park that a broken bridge left behind

    def all_in(self, room: str, legs: Iterable[Leg]) -> bool:
        """Whether all of them are in that conference now."""
        try:
            inside = self._calls.ask(commands.conference(room, "list"), 5.0)
        except SwitchError:
            return False  # there is no such room yet
        return all(leg.uuid in inside for leg in legs)

    def wait(self, true: Callable[[], bool], limit: float = MOVE_LIMIT) -> bool:
        """Wait until the legs are as they should be."""
        clock = self._calls.clock
        end = clock.monotonic() + limit
        while not true():
            if clock.monotonic() >= end:
                return False
            clock.sleep(LOOK)
        return True

    # -- what is heard ----------------------------------------------------------------------------------

    def music(self, leg: Leg, queue: str = "") -> None:
        """The music of the caller's queue, or of ``queue``."""
        self.play(leg, self.desk.music(self._call, queue), endless=True)

    def say(self, leg: Leg, agent: str, key: str, values: Mapping[str, Any] | None = None) -> None:
        """Tell the agent something that nobody else hears."""
        words = self.desk.words(key, self._call, agent, values)
        if words:
            self.play(leg, words)

    def play(self, leg: Leg, sound: str, *, endless: bool = False) -> None:
        """Nobody waits for its end; over music that plays it nests, and the music goes on behind it."""
        if leg.gone is None:
            application = "endless_playback" if endless else "playback"
            self._calls.require_line().post(commands.execute(leg.uuid, application, sound))

    def hush(self, leg: Leg) -> None:
        """Nothing is to be heard any more."""
        if leg.gone is None:
            self._calls.require_line().post(commands.uuid_break(leg.uuid, all=True))

    @property
    def desk(self) -> Any:
        """The layers above; WrongState where there are none."""
        if self._calls.desk is None:
            raise WrongState("nobody can be found: the engine has no desk")
        return self._calls.desk


__all__ = ["MOVE_LIMIT", "Moves"]
