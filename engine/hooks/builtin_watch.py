"""A built-in plugin that watches over the centre itself, and tells the operators what they would find out too late.

Who they are, and from when on something is worth telling, stands in conf/notify.yaml (`operators:`); without that it
only writes a log line when an engine comes back after a death. What one agent's desk or one queue has to know is the
ACD's to tell (`rules: tell` in agents.yaml), and stays there.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Protocol

import structlog

from engine.clock import Clock, Timer
from engine.hooks.hookspecs import hookimpl
from engine.types import AgentState, AgentView, BlockedView, CallView, RecordingView

log = structlog.get_logger(__name__)

HOUR: Final = 3600.0
CRASHES: Final = 600.0  # seconds in which an engine that dies again and again is told once
LOOKS: Final = 4  # how often within the longest silence is looked whether it is quiet
NAMED: Final = 5  # agents in one notice
SOME: Final = 10.0  # seconds that a recording ran
LEAST: Final = 0.25  # … of which so much must be on disk: the switch never writes all of it


#: Causes for which a call ends because of the line and not because somebody wanted it to.
LINE_FAULTS: Final = frozenset(
    (
        "DESTINATION_OUT_OF_ORDER", "EXCHANGE_ROUTING_ERROR", "INCOMPATIBLE_DESTINATION", "MANDATORY_IE_MISSING",
        "MEDIA_TIMEOUT", "NETWORK_OUT_OF_ORDER", "NORMAL_CIRCUIT_CONGESTION", "NORMAL_TEMPORARY_FAILURE",
        "PROTOCOL_ERROR", "RECOVERY_ON_TIMER_EXPIRE", "SWITCH_CONGESTION",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From when on it is worth telling. Times in seconds."""

    blocked: float = 3.0  # nothing could run for so long
    failures: int = 5  # so many failed steps of one department, or calls that a fault of the line ended …
    within: float = 600.0  # … in so long
    unreachable: float = 120.0  # a phone of somebody who is logged in is gone for so long
    silence: float = 0.0  # no call came in for so long, in opening hours; 0: that is not watched


class Tell(Protocol):
    """Keeps a notice for the operators; never waits or raises. The same ``key`` is told once in ``window`` seconds."""

    def __call__(
        self, prompt: str, values: Mapping[str, Any], *, level: str, key: str = "", window: float = 0.0
    ) -> None: ...


class Spell:
    """Counts how often something went wrong lately. A spell begins with the ``most``-th time ``within`` seconds, and is
    over when it did not happen for as long."""

    def __init__(self, most: int, within: float) -> None:
        self._times: deque[float] = deque(maxlen=most)
        self._within = within
        self._on = False

    def again(self, now: float) -> bool:
        """It happened; True when a spell begins with it."""
        if self._times and now - self._times[-1] > self._within:
            self._times.clear()
            self._on = False
        self._times.append(now)
        if self._on or len(self._times) < (self._times.maxlen or 0) or now - self._times[0] > self._within:
            return False
        self._on = True
        return True


class Watch:
    """Takes note at once; what is to be told it hands on. At work between :meth:`begin` and :meth:`end`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._mark: Path | None = None
        self._tell: Tell | None = None
        self._limits = Thresholds()
        self._live: Callable[[], int] = lambda: 0
        self._listens: Callable[[], bool] = lambda: False
        self._over = clock.event()
        self._failed: dict[str, Spell] = {}  # by department: steps
        self._broken = Spell(2, 0.0)  # calls that a fault of the line ended
        self._gone: dict[
            str, tuple[AgentView, float]
        ] = {}  # agents without a phone, since when; not told of yet
        self._look: Timer | None = None
        self._heard = 0.0
        self._quiet = False  # the silence was told

    def begin(
        self,
        mark: Path,
        tell: Tell | None,
        limits: Thresholds,
        *,
        live: Callable[[], int],
        listens: Callable[[], bool],
    ) -> None:
        """Work for one engine. ``mark``: the file that is there while it runs; ``tell``: None when there are no
        operators; ``live``: how many calls there are; ``listens``: whether calls should come in now."""
        self.end()
        self._mark, self._tell, self._limits, self._live, self._listens = mark, tell, limits, live, listens
        self._over = self._clock.event()
        self._failed = defaultdict(lambda: Spell(limits.failures, limits.within))
        self._broken = Spell(limits.failures, limits.within)
        self._gone.clear()
        self._quiet = False

    def end(self) -> None:
        """Watch no more. The mark stays: only who is asked to stop takes it away."""
        self._over.set()
        self._tell = None
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def stopped(self) -> None:
        """The engine ends because somebody wanted it to. Safe at any stage, and twice."""
        if self._mark is not None:
            self._mark.unlink(missing_ok=True)
        self.end()

    # -- the engine itself ------------------------------------------------------------------------------

    @hookimpl
    def engine_started(self) -> None:
        """It came back after it died; and from now on calls should come in."""
        assert self._mark is not None
        now = self._clock.now()
        died = self._mark.exists()
        before = self._mark.read_text(encoding="utf-8").strip() if died else ""
        self._mark.write_text(f"{now.isoformat()}\n", encoding="utf-8")
        if died:
            log.warning("engine.had_died", started_before=before)
            self._say("engine_back", {"at": now}, level="critical", key="engine-back", window=CRASHES)
        self._heard = self._clock.monotonic()
        if self._tell is not None and self._limits.silence:
            self._clock.spawn(self._listen)

    @hookimpl
    def engine_stopping(self) -> None:
        """Somebody wanted that: the next start is no coming back. With callers on the line others should know, too."""
        calls = self._live()
        if calls:
            self._say("engine_stopped", {"at": self._clock.now(), "calls": calls}, level="warning")
        if self._mark is not None:
            self._mark.unlink(missing_ok=True)
        self._over.set()

    @hookimpl
    def engine_blocked(self, blocked: BlockedView) -> None:
        """The whole centre stood still for long."""
        if blocked.seconds >= self._limits.blocked:
            who = blocked.plugin or "engine"
            values = {
                "plugin": who,
                "seconds": timedelta(seconds=round(blocked.seconds)),
                "where": blocked.where,
            }
            self._say("engine_blocked", values, level="critical", key=f"engine-blocked:{who}", window=HOUR)

    # -- departments --------------------------------------------------------------------------------------

    @hookimpl
    def step_failed(self, call: CallView, step: str, why: str) -> None:
        """The steps of one department keep failing; told once, until none has failed for a while."""
        department = call.flow.partition("/")[0]
        if self._tell is None or not department:
            return
        if self._failed[department].again(self._clock.monotonic()):
            more = {"department": department, "flow": call.flow, "step": step, "why": why}
            self._say("steps_failing", {**self._often, **more}, level="critical")

    # -- phones and lines ---------------------------------------------------------------------------------

    @hookimpl
    def agent_state_changed(self, agent: AgentView) -> None:
        """A phone is gone, and does not come back: all that go together are told of together."""
        if agent.state is not AgentState.UNREACHABLE:
            self._gone.pop(agent.id, None)
            return
        if self._tell is None:
            return
        self._gone.setdefault(agent.id, (agent, self._clock.monotonic()))
        if self._look is None:
            self._look = self._clock.after(self._limits.unreachable, self._look_at_phones)

    def _look_at_phones(self) -> None:
        self._look = None
        now, limit = self._clock.monotonic(), self._limits.unreachable
        long = [agent for agent, since in self._gone.values() if now - since >= limit]
        for one in long:
            del self._gone[one.id]
        if long:
            names = ", ".join(f"{one.id} {one.name}" for one in long[:NAMED])
            values = {"count": len(long), "agents": f"{names} …" if len(long) > NAMED else names}
            key = "phones:" + ",".join(sorted(one.id for one in long))
            self._say("phones_unreachable", values, level="warning", key=key, window=HOUR)
        if self._gone:
            rest = min(since for _, since in self._gone.values()) + limit - now
            self._look = self._clock.after(rest, self._look_at_phones)

    @hookimpl
    def call_started(self) -> None:
        """There is somebody on a line: it works."""
        self._heard = self._clock.monotonic()
        self._quiet = False

    @hookimpl
    def call_ended(self, call: CallView, cause: str) -> None:
        """Calls keep being ended by the line: no sound comes in any more, the far end does not answer."""
        if self._tell is None or cause not in LINE_FAULTS:
            return
        if self._broken.again(self._clock.monotonic()):
            self._say(
                "calls_failing", {**self._often, "cause": cause, "number": call.dialled}, level="critical"
            )

    @hookimpl
    def recording_finished(self, recording: RecordingView) -> None:
        """A call that should be on disk is not: the disk is full, or no sound reaches the switch."""
        if self._tell is None or recording.ended is None:
            return
        lasted = (recording.ended - recording.began).total_seconds()
        if lasted >= SOME and recording.seconds < lasted * LEAST:
            values = {"recording": recording.id, "seconds": recording.seconds, "lasted": round(lasted)}
            self._say("recording_empty", values, level="critical", key="recording-empty", window=HOUR)

    def _listen(self) -> None:
        """Look now and then whether it is quiet though it should not be; told once for each silence."""
        longest = self._limits.silence
        over = self._over
        while not over.wait(longest / LOOKS):
            now = self._clock.monotonic()
            if not self._listens():
                self._heard, self._quiet = now, False
            elif now - self._heard >= longest and not self._quiet:
                self._quiet = True
                self._say("no_calls", {"silence": timedelta(seconds=longest)}, level="critical")

    @property
    def _often(self) -> dict[str, Any]:
        return {"count": self._limits.failures, "within": timedelta(seconds=self._limits.within)}

    def _say(
        self, prompt: str, values: Mapping[str, Any], *, level: str, key: str = "", window: float = 0.0
    ) -> None:
        if self._tell is not None:
            self._tell(prompt, values, level=level, key=key, window=window)
