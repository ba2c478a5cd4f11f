"""``play_and_get_digits`` and ``read``: a prompt, then keys, with the switch's own ideas of success.

Source: switch_play_and_get_digits and switch_ivr_read (switch_ivr_play_say.c),
switch_ivr_collect_digits_count (switch_ivr.c).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.clock import Timer
from engine.switch.simulator.arguments import split
from engine.switch.simulator.media import integer
from engine.switch.simulator.running import Player, Running

if TYPE_CHECKING:
    from engine.switch.simulator.channels import Channel

BUFFER = 128  # bytes that the switch keeps for keys


@dataclass(slots=True)
class Wanted:
    """The arguments of a digit collection. Times in seconds."""

    least: int = 0
    most: int = 0
    tries: int = 1
    first: float = 1.0
    between: float = 0.0
    terminators: str = "#"
    prompt: str = ""
    wrong: str = ""
    variable: str = ""
    pattern: str = ""
    on_failure: str = ""


def pagd_arguments(text: str) -> Wanted:
    """``min max tries timeout terminators file invalid_file var regexp digit_timeout [transfer]``."""
    words = split(text, 11)
    word = dict(enumerate(words))
    least = max(0, integer(word.get(0, "")))
    wanted = Wanted(
        least=least,
        most=max(least, integer(word.get(1, ""))),
        tries=integer(word.get(2, "")),
        first=max(1000, integer(word.get(3, "1000"))) / 1000,
        terminators=word.get(4, "") or "#",
        prompt=word.get(5, ""),
        wrong=word.get(6, ""),
        variable=word.get(7, ""),
        pattern=word.get(8, ""),
        between=integer(word.get(9, "0")) / 1000,
        on_failure=word.get(10, ""),
    )
    wanted.between = wanted.between or wanted.first
    return wanted


def read_arguments(text: str) -> Wanted:
    """``min max file var timeout terminators [digit_timeout]``."""
    word = dict(enumerate(split(text, 7)))
    least = max(0, integer(word.get(0, "")))
    wanted = Wanted(
        least=least,
        most=max(least, integer(word.get(1, ""))),
        prompt=word.get(2, ""),
        variable=word.get(3, ""),
        first=max(1000, integer(word.get(4, "1000"))) / 1000,
        terminators=word.get(5, "") or "#",
        between=integer(word.get(6, "0")) / 1000,
    )
    wanted.between = wanted.between or wanted.first
    return wanted


class Collect(Running):
    """One digit collection. Keys during the prompt end it (barge-in) and count."""

    def __init__(
        self, channel: Channel, app: str, arg: str, uuid: str, wanted: Wanted, *, checks: bool
    ) -> None:
        super().__init__(channel, app, arg, uuid)
        self._want = wanted
        self._checks = checks  # play_and_get_digits checks and asks again; read does not
        self._left = wanted.tries if checks else 1
        self._digits = ""
        self._terminator = ""
        self._phase = "prompt"  # prompt | keys | wrong
        self._player: Player | None = None
        self._timer: Timer | None = None
        self._due = 0.0

    def start(self) -> None:
        want, channel = self._want, self.channel
        if not channel.ready:
            channel.finish(self)
            return
        if self._checks and want.pattern and want.variable:
            channel.set(f"{want.variable}_invalid", None)
        self._try()

    def _try(self) -> None:
        if self._left <= 0:
            self._give_up()
            return
        want, channel = self._want, self.channel
        self._digits = self._terminator = ""
        channel.set("read_result", None)
        if want.variable:
            channel.set(want.variable, None)
        if want.most > BUFFER:
            self._judge("false", ended_early=True)
            return
        if not want.prompt or want.prompt.lower() == "silence":
            self._listen()
            return
        self._phase = "prompt"
        self._player = Player(channel, want.prompt, waits_for_keys=True)
        if not self._player.start(self._listen):
            self._player = None
            self._judge("notfound", ended_early=True)

    def _listen(self) -> None:
        """The prompt is over, or a key ended it: wait for (more) keys."""
        want = self._want
        self._player = None
        self._phase = "keys"
        if not (len(self._digits) < want.most or (want.least and len(self._digits) < want.least)):
            self._judge("success")
            return
        if self._digits and self._digits in want.terminators:
            self._terminator, self._digits = self._digits, ""
            self._judge("success")
            return
        if want.most <= 0:
            self._judge("false")
            return
        self._arm(want.between if self._digits else want.first)
        self.channel.party.asked(self._due - self.channel.clock.monotonic())
        if self.channel.keys:
            self.channel.wake()

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._due = self.channel.clock.monotonic() + seconds
        self._timer = self.channel.clock.after(seconds, self._silent)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _silent(self) -> None:
        self._timer = None
        self._judge("timeout")

    def take_keys(self) -> None:
        if self._phase == "keys":
            self._take_all()
        elif self._phase == "prompt":
            digit = self.channel.take_key()
            self._digits = digit
            player = self._player
            if player is not None:
                player.stop(broken=True)
            self._listen()
            if self._phase == "keys" and not self.over and self.channel.keys:
                self._take_all()

    def _take_all(self) -> None:
        want = self._want
        self._arm(want.between)
        for _ in range(want.most + 1):
            if not self.channel.keys:
                return
            digit = self.channel.take_key()
            if digit in want.terminators:
                self._terminator = digit
                self._judge("success")
                return
            self._digits += digit
            if len(self._digits) >= min(want.most, BUFFER):
                self._judge("success")
                return

    def _judge(self, status: str, *, ended_early: bool = False) -> None:
        """The end of switch_ivr_read, then that of one round of switch_play_and_get_digits."""
        want, channel = self._want, self.channel
        self._disarm()
        if not ended_early:
            status = self._status_of_read(status)
            channel.set("read_result", status if status in ("success", "timeout") else "failure")
        if (
            status != "restart"
            and want.most == 1
            and len(self._digits) == 1
            and self._digits in want.terminators
        ):
            self._digits = ""
        if want.variable and self._digits:
            channel.set(want.variable, self._digits)
        if not self._checks:
            channel.finish(self)
            return
        if status == "restart":
            channel.finish(self)
            return
        if status == "timeout" and len(self._digits) >= want.least:
            status = "success"
        if want.least == 0 and not self._digits and channel.get("read_terminator_used"):
            channel.finish(self)
            return
        if status == "success" and self._digits:
            if not want.pattern or _matches(want.pattern, self._digits):
                channel.finish(self)
                return
            channel.set(want.variable, None)
            if want.variable:
                channel.set(f"{want.variable}_invalid", self._digits)
        self._wrong()

    def _status_of_read(self, status: str) -> str:
        want, channel = self._want, self.channel
        if self._terminator:
            channel.set("read_terminator_used", self._terminator)
            index = want.terminators.find(self._terminator)
            before = want.terminators[index - 1] if index >= 1 else ""
            if before in ("+", "x"):
                self._digits += self._terminator
                if before == "x":
                    status = "restart"
        elif want.terminators.startswith("="):
            status = "too_small"
        if want.least and len(self._digits) < want.least:
            status = "too_small"
        return status

    def _wrong(self) -> None:
        self._phase = "wrong"
        self._player = Player(self.channel, self._want.wrong) if self._want.wrong else None
        if self._player is None or not self._player.start(self._next):
            self._next()

    def _next(self) -> None:
        self._player = None
        self._left -= 1
        self._try()

    def _give_up(self) -> None:
        if self._want.on_failure:
            words = [*self._want.on_failure.split(" "), "", ""]
            self.channel.switch.transfer(self.channel, words[0], words[1], words[2])
        self.channel.finish(self)

    def suspend(self) -> None:
        if self._player is not None:
            self._player.suspend()
        elif self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def resume(self) -> None:
        if self._player is not None:
            self._player.resume()
        elif self._phase == "keys":
            self._arm(max(0.0, self._due - self.channel.clock.monotonic()))

    def breakable(self) -> bool:
        return self._player is not None  # waiting for keys does not look at breaks

    def broken(self, flag: int) -> None:
        assert self._player is not None
        self._player.stop(broken=True)
        if self._phase == "prompt":
            self._listen()
        else:
            self._next()

    def abort(self) -> str | None:
        self._disarm()
        if self._player is not None:
            self._player.stop(broken=False)
        return None


def _matches(pattern: str, digits: str) -> bool:
    """The switch searches (it does not anchor) with PCRE; digits are all that is matched."""
    try:
        return re.search(pattern, digits) is not None
    except re.error:
        return False
