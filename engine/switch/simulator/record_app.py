"""``record PATH [SECONDS [THRESHOLD [SILENCE]]]``: a clip of what the far end says.

As on the switch (seen, and read in switch_ivr_record_file_event of switch_ivr_play_say.c):

- it is ended by a key among ``playback_terminators``, by a break, by the hang-up, by SILENCE seconds (3 when left out)
  below the THRESHOLD, wherever in the clip they are, and by its limit: the switch counts whole seconds of the wall
  clock, so a limit of two lasts between two and three
- other keys are eaten; the clip has one channel, whatever ``RECORD_STEREO`` says, and is some 60 ms shorter than the
  time it took
- ``silence_hits_exhausted`` says whether silence ended it, ``playback_terminator_used`` the key; RECORD_STOP comes
  before CHANNEL_EXECUTE_COMPLETE, without a cause of completion
- a file that can't be opened hangs the call up: DESTINATION_OUT_OF_ORDER
"""

from __future__ import annotations

import math

import structlog

from engine.clock import Timer
from engine.switch.simulator.media import integer
from engine.switch.simulator.recording import Recording
from engine.switch.simulator.running import Running, terminators

SILENCE = 3  # seconds, when a threshold is given and no length of silence

log = structlog.get_logger(__name__)


class RecordApp(Running):
    """The application, from its start to what ends it."""

    def start(self) -> None:
        channel = self.channel
        words = [*self.arg.split(), "", "", "", ""]
        self._path = words[0]
        self._limit: Timer | None = None
        self._quiet: Timer | None = None
        channel.set("playback_terminator_used", None)
        if not channel.ready or not self._path or self._path in channel.recordings:
            channel.finish(self)
            return
        limit, threshold = integer(words[1].removeprefix("+")), integer(words[2])
        self._silence = float(integer(words[3]) or SILENCE) if threshold > 0 else 0.0
        channel.set("silence_hits_exhausted", "false")
        try:
            recording = Recording(channel, self._path, 0, dictated=True)
        except OSError as error:
            log.warning("clip not begun", path=self._path, error=str(error))
            channel.hangup("DESTINATION_OUT_OF_ORDER")
            return
        channel.recordings[self._path] = recording
        recording.on_speech = self._spoken
        if limit > 0:
            epoch = channel.switch.scheduler.epoch()
            self._limit = channel.clock.after(math.floor(epoch) + limit + 1 - epoch, self._done)
        self._spoken(channel.party.speaking)
        channel.party.dictates()

    def _spoken(self, speaking: bool) -> None:
        """Silence is counted from its beginning; speech takes it back."""
        if self._quiet is not None:
            self._quiet.cancel()
            self._quiet = None
        if not speaking and self._silence:
            self._quiet = self.channel.clock.after(self._silence, self._exhausted)

    def _exhausted(self) -> None:
        self.channel.set("silence_hits_exhausted", "true")
        self._done()

    def _done(self) -> None:
        self._stop()
        self.resume()

    def resume(self) -> None:
        channel = self.channel
        if self._path not in channel.recordings and channel.stack and channel.stack[-1] is self:
            channel.finish(self)

    def _stop(self) -> None:
        for timer in (self._limit, self._quiet):
            if timer is not None:
                timer.cancel()
        self._limit = self._quiet = None
        one = self.channel.recordings.get(self._path)
        if one is not None:
            one.on_speech = None
            one.stop()

    def breakable(self) -> bool:
        return True

    def broken(self, flag: int) -> None:
        self._done()

    def take_keys(self) -> None:
        digit = self.channel.take_key()
        if digit in terminators(self.channel):
            self.channel.set("playback_terminator_used", digit)
            self._done()

    def abort(self) -> str | None:
        self._stop()
        return None
