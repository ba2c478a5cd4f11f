"""Applications that take time, each a small state machine that timers and frames move.

While one runs it may be suspended by another that a command starts inside it, and goes on when that
one is over. ``abort`` is how it ends when the channel is transferred, bridged or hung up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.clock import Timer
from engine.switch.simulator import media
from engine.switch.simulator.party import Playback

if TYPE_CHECKING:
    from engine.switch.simulator.channels import Channel
    from engine.switch.simulator.commands import Command

Deed = Callable[["Channel", str], "str | None"]


class Running:
    """An application on a channel's stack."""

    listens = True  # commands are looked at while it runs
    hasty = True  # all that wait, and not one in a frame
    deaf = False  # not even a transfer gets it out
    silent = False  # entered by a state: no CHANNEL_EXECUTE, no CHANNEL_EXECUTE_COMPLETE

    def __init__(self, channel: Channel, app: str, arg: str, uuid: str) -> None:
        self.channel = channel
        self.app = app
        self.arg = arg
        self.uuid = uuid
        self.command: Command | None = None
        self.began = 0.0
        self.starting = True
        self.over = False
        self.suspended = False

    def headers(self) -> dict[str, str]:
        """What its CHANNEL_EXECUTE says of it."""
        headers = {"Application": self.app}
        if self.arg:
            headers["Application-Data"] = self.arg
        headers["Application-UUID"] = self.uuid
        if self.command is not None and self.command.event_uuid_name:
            headers["Application-UUID-Name"] = self.command.event_uuid_name
        return headers

    def start(self) -> None:
        """Begin. May finish at once."""

    def suspend(self) -> None:
        """Another application runs inside this one now."""

    def resume(self) -> None:
        """The inner one is over."""

    def breakable(self) -> bool:
        """Whether it looks at ``uuid_break`` now."""
        return False

    def broken(self, flag: int) -> None:
        """``uuid_break`` (flag 1) or ``uuid_break … all`` (flag 2) reached it."""

    def take_keys(self) -> None:
        """Keys wait on the channel; take none, one or all of them."""

    def abort(self) -> str | None:
        """The channel leaves; say what CHANNEL_EXECUTE_COMPLETE answers (None: what it was)."""
        return None


def _nothing() -> None:
    """What a player does at the end of a sound that nobody waits for."""


class Player:
    """Plays one argument of ``playback`` inside an application, with its PLAYBACK events."""

    def __init__(
        self, channel: Channel, path: str, *, waits_for_keys: bool = False, skip: float = 0.0
    ) -> None:
        self.channel = channel
        self._skip = skip
        self.path = path
        self.waits_for_keys = waits_for_keys
        self.sound = media.resolve(path)
        self._finished: Callable[[], None] = _nothing
        self._timer: Timer | None = None
        self._left = 0.0
        self._since = 0.0
        self._playback: Playback | None = None
        self._sounds = False

    @property
    def active(self) -> bool:
        return self._playback is not None

    def start(self, finished: Callable[[], None]) -> bool:
        """Begin to play; False when there is nothing of that name. ``finished()`` is called at its end."""
        if self.sound is None:
            return False
        channel = self.channel
        self._finished = finished
        self._left = max(0.0, self.sound.seconds - self._skip)
        self._playback = Playback(self.path, channel.clock.monotonic(), waits_for_keys=self.waits_for_keys)
        channel.fire("PLAYBACK_START", self._headers())
        channel.party.hears(self._playback)
        self.resume()
        return True

    def _headers(self) -> dict[str, str]:
        assert self.sound is not None
        kind = {"Playback-File-Type": self.sound.kind} if self.sound.kind else {}
        return {**kind, "Playback-File-Path": self.path}

    def resume(self) -> None:
        """Go on from where it stopped."""
        if self._playback is None or self._sounds:
            return
        self._since = self.channel.clock.monotonic()
        self.channel.sounding(True)
        self._sounds = True
        if self._left != media.ENDLESS:
            self._timer = self.channel.clock.after(self._left, self._end)

    def suspend(self) -> None:
        """Stop for a while, without events."""
        if self._playback is None or not self._sounds:
            return
        self._sounds = False
        self.channel.sounding(False)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        passed = self.channel.clock.monotonic() - self._since
        self._playback.seconds += passed
        if self._left != media.ENDLESS:
            self._left = max(0.0, self._left - passed)

    def _end(self) -> None:
        self._timer = None
        self.stop(broken=False)
        self._finished()

    def stop(self, *, broken: bool) -> None:
        """End it, with its event. Harmless when it is not playing."""
        playback = self._playback
        if playback is None or self.sound is None:
            return
        channel = self.channel
        self.suspend()
        self._playback = None
        heard = playback.seconds
        playback.ended = channel.clock.monotonic()
        playback.broken = broken
        samples = round(heard * 8000)
        channel.set("playback_last_offset_pos", str(samples))
        channel.set("playback_seconds", str(samples // 8000))
        channel.set("playback_ms", str(samples // 8))
        channel.set("playback_samples", str(samples))
        channel.fire("PLAYBACK_STOP", {**self._headers(), "Playback-Status": "break" if broken else "done"})
        channel.party.heard(playback)


class Park(Running):
    """Wait for commands. Keys fire their events, one in a frame, and are gone."""

    def start(self) -> None:
        channel = self.channel
        timeout = channel.get("park_timeout")
        self._timer: Timer | None = None
        if timeout:
            seconds, _, cause = timeout.partition(":")
            channel.set("park_timeout", None)
            channel.set("park_after_bridge", None)
            self._timer = channel.clock.after(
                float(int(seconds or 0)), channel.hangup, cause or "NORMAL_CLEARING"
            )
        channel.fire("CHANNEL_PARK")

    def take_keys(self) -> None:
        self.channel.take_key()

    def abort(self) -> str | None:
        if self._timer is not None:
            self._timer.cancel()
        self.channel.fire("CHANNEL_UNPARK")
        return None


def terminators(channel: Channel) -> str:
    """The keys that end a playback or a clip: ``*`` unless ``playback_terminators`` says otherwise."""
    named = channel.get("playback_terminators")
    if named is None:
        return "*"
    return {"any": "1234567890*#", "none": ""}.get(named.lower(), named)


class PlaybackApp(Running):
    """``playback``: a key among ``playback_terminators`` (``*`` when unset) ends it."""

    def start(self) -> None:
        channel = self.channel
        path, _, skipped = self.arg.partition("@@")  # samples to leave out
        channel.set("playback_terminator_used", None)
        self._player = Player(channel, path, skip=media.integer(skipped) / 8000)
        if not channel.ready or not path:
            channel.finish(self, "PLAYBACK ERROR")
        elif not self._player.start(self._played):
            channel.finish(self, "FILE NOT FOUND")

    def _played(self) -> None:
        self.channel.finish(self, "FILE PLAYED")

    def suspend(self) -> None:
        self._player.suspend()

    def resume(self) -> None:
        self._player.resume()

    def breakable(self) -> bool:
        return True

    def broken(self, flag: int) -> None:
        self._player.stop(broken=True)
        self.channel.finish(self, "FILE PLAYED")

    def take_keys(self) -> None:
        digit = self.channel.take_key()
        if digit in terminators(self.channel):
            self.channel.set("playback_terminator_used", digit)
            self._player.stop(broken=True)
            self.channel.finish(self, "FILE PLAYED")

    def abort(self) -> str | None:
        self._player.stop(broken=False)
        return "PLAYBACK ERROR"


class EndlessPlayback(PlaybackApp):
    """``endless_playback``: the same sound again and again. Keys stay in the channel's queue: it has no callback that
    would take them, and so no DTMF event comes before another application does (mod_dptools.c)."""

    def take_keys(self) -> None:
        pass

    def _played(self) -> None:
        self.start()


class Sleep(Running):
    """``sleep MS``. Any key ends it and stays in the queue, unless ``sleep_eat_digits`` is set."""

    def start(self) -> None:
        self._until = self.channel.clock.monotonic() + max(0, media.integer(self.arg)) / 1000
        self._timer: Timer | None = None
        self.resume()

    def resume(self) -> None:
        left = self._until - self.channel.clock.monotonic()
        if left <= 0:
            self.channel.finish(self)
        else:
            self._timer = self.channel.clock.after(left, self._over)

    def suspend(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _over(self) -> None:
        self._timer = None
        self.channel.finish(self)

    def breakable(self) -> bool:
        return True

    def broken(self, flag: int) -> None:
        self.suspend()
        self.channel.finish(self)

    def take_keys(self) -> None:
        if self.channel.true("sleep_eat_digits"):
            self.channel.take_key()
            return
        self.suspend()
        self.channel.finish(self)

    def abort(self) -> str | None:
        self.suspend()
        return None


class Echo(Running):
    """``echo``: the caller hears himself until the channel leaves."""

    def take_keys(self) -> None:
        self.channel.take_key()


class Instant(Running):
    """An application that is over as soon as it began; ``deed`` says what CHANNEL_EXECUTE_COMPLETE answers."""

    def __init__(self, channel: Channel, app: str, arg: str, uuid: str, deed: Deed) -> None:
        super().__init__(channel, app, arg, uuid)
        self._deed = deed

    def start(self) -> None:
        response = self._deed(self.channel, self.arg)
        if self.channel.stack and self.channel.stack[-1] is self:
            self.channel.finish(self, response)
