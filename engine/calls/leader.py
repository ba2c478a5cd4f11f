"""Who leads the switch, and what the leader owes it.

One greenlet: it takes the lease and renews it, writes the sign of life that the dead man's switch in
FreeSWITCH looks for, brings the registry in line with the switch when leadership or the event socket comes
back, and now and then looks for what the events did not say (the reaper).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import orjson
import structlog

from engine.calls.lease import RENEW, TTL, Lease
from engine.calls.registry import Calls
from engine.calls.resync import ON_ITS_WAY, channel_of, resync
from engine.errors import SwitchError
from engine.esl import commands
from engine.esl.commands import Command

log = structlog.get_logger(__name__)

GUARD_EVERY = 5
"""Seconds between two runs of the dead man's switch in FreeSWITCH."""
GUARD_LIMIT = 15
"""Seconds without a sign of life after which it hands unbridged calls to the fallback, unless told otherwise."""
REAP_EVERY = 10.0
"""Seconds between two looks for what events did not say: lost hang-ups, calls nobody leads."""
BREATH = 0.05
"""Seconds between two turns at the least."""
ANSWER = 5.0
"""Seconds within which the switch answers."""
SECOND_LOOK = 1.0
"""Seconds until the second snapshot: ``show channels`` lags 0.3 s behind, so one alone misses calls."""


class Leader:
    """Keeps one engine in charge of one switch, and in line with it."""

    def __init__(
        self,
        calls: Calls,
        lease: Lease,
        *,
        on_settled: Callable[[], None] | None = None,
        refuses: Callable[[], str] | None = None,
        look_every: float = REAP_EVERY,
        silence: float = GUARD_LIMIT,
    ) -> None:
        """``on_settled`` is told when every call on the switch is known (again); ``refuses`` says why this switch
        must not be led ("" when it may); ``look_every`` seconds the facts of live calls are compared with the
        switch's (every ten when there are none); after ``silence`` seconds without an engine the switch takes the calls
        that are in no talk."""
        self.look_every = look_every
        self._silence = silence
        self._on_settled = on_settled
        self._refuses = refuses
        self.refusal = ""
        self._calls = calls
        self._clock = calls.clock
        self._lease = lease
        self._wake = calls.clock.event()
        self._resync_at: list[float] = []
        self._reconcile = False
        self._reap_at = math.inf
        self._greenlet: Any = None
        self.adopted = 0

    def start(self) -> None:
        self._greenlet = self._clock.spawn(self._run)

    def stop(self) -> None:
        """Stop leading; the lease is given back so that another engine needn't wait for its expiry."""
        if self._greenlet is not None:
            self._greenlet.kill()
            self._greenlet = None
        self._calls.leading = False
        try:
            self._lease.release()
        except SwitchError as error:
            log.info("lease.not_released", error=str(error))

    def socket_up(self, restarted: bool) -> None:
        """The event socket is subscribed (again)."""
        if restarted:
            self._lease.held = False
            self._calls.switch_restarted()
        self._look_soon()
        self._wake.set()

    def socket_down(self) -> None:
        """The event socket is gone: nothing may be sent until the lease was read again."""
        self._calls.line_down()

    def _look_soon(self) -> None:
        now = self._clock.monotonic()
        self._resync_at = [now, now + SECOND_LOOK]
        self._reconcile = True

    def _run(self) -> None:
        while True:
            try:
                self._turn()
            except SwitchError as error:
                log.info("leader.switch_silent", error=str(error))
            except Exception:
                log.exception("leader.crashed")
            self._wake.wait(self._pause())
            self._wake.clear()

    def _pause(self) -> float:
        """Seconds until the next turn; never none, so that what can't be done now is not tried without a breath."""
        calls, now = self._calls, self._clock.monotonic()
        if not calls.leading or calls.line is None or not calls.line.up:
            return RENEW  # looks that are due wait for the lease
        return max(BREATH, min([RENEW, *(at - now for at in self._resync_at)]))

    def _turn(self) -> None:
        calls = self._calls
        if calls.line is None or not calls.line.up:
            return
        asked = self._clock.monotonic()
        if calls.leading and self._lease.held:
            if not self._lease.renew():
                holder = self._lease.holder()
                log.error("lease.lost", holder=holder)
                calls.leading = False
                if not holder:
                    self._account_for_taken_back()
                calls.let_go("another engine leads" if holder else "the lease ran out")
                return
        elif self._refused():
            return
        elif self._lease.try_acquire():
            log.info("lease.taken")
            calls.leading = True
            self._arm_guard()
            self._look_soon()
        else:
            calls.leading = False
            return
        calls.may_send(asked + TTL - 0.5)
        self._ask(commands.hash_insert("il", "alive", str(int(self._clock.now().timestamp()))))
        self._look()

    def _account_for_taken_back(self) -> None:
        """Nobody led while this engine stood still, and the switch's fallback may have come to calls: that is what
        their CDRs are to say."""
        calls, over = self._calls, False
        for call in list(calls.calls.values()):
            try:
                channel = channel_of(self._ask(commands.uuid_dump(call.id)))
            except SwitchError as error:
                log.debug("channel.none", uuid=call.id, error=str(error))
                over = True
                continue
            if channel is not None and channel.handed_over and call.id in calls.calls:
                calls.handed_over(call, "the switch took it back")
        if over:
            self._clock.sleep(ON_ITS_WAY)  # the word of its end, which says so as well

    def _refused(self) -> bool:
        why = self._refuses() if self._refuses is not None else ""
        if why and why != self.refusal:
            log.error("switch.refused", why=why)
        self.refusal = why
        return bool(why)

    def abandon(self) -> None:
        """Stop without giving the lease back, as the process's death would."""
        if self._greenlet is not None:
            self._greenlet.kill()
            self._greenlet = None

    def _look(self) -> None:
        now = self._clock.monotonic()
        due = bool(self._resync_at) and self._resync_at[0] <= now
        if due:
            self._resync_at.pop(0)
        elif now < self._reap_at:
            return
        self._reap_at = now + (min(self.look_every, REAP_EVERY) if self._calls.legs else REAP_EVERY)
        reconcile = due and self._reconcile
        if due and not self._resync_at:
            self._reconcile = False
        adopted = resync(self._calls, self._channels(aside=not due), reconcile=reconcile)
        if adopted:
            self.adopted += adopted
            log.info("calls.adopted", count=adopted)
        if due and not self._resync_at and self._on_settled is not None:
            self._on_settled()

    def _channels(self, *, aside: bool) -> list[dict[str, str]]:
        """What ``show channels`` lists. ``aside``: as a job, since a thousand channels take the switch some 40 ms, in
        which it reads nothing from a connection that waits for them, and no agent who becomes free is rung."""
        command = commands.show_channels()
        line = self._calls.line
        assert line is not None
        text = line.bgapi(command).wait(ANSWER) if aside else self._ask(command)
        rows: list[dict[str, str]] = orjson.loads(text).get("rows", [])
        return rows

    def _arm_guard(self) -> None:
        try:
            self._ask(commands.sched_del("il_guard"))
        except SwitchError:
            pass  # none was armed yet
        self._ask(
            commands.sched_api(
                GUARD_EVERY, "il_guard", commands.rescue(round(self._silence)), repeat=True, thread=True
            )
        )
        self._reap_at = self._clock.monotonic() + REAP_EVERY

    def _ask(self, command: Command) -> str:
        # Not through Calls.require_line: that is what waits for this greenlet's word.
        line = self._calls.line
        assert line is not None
        return line.api(command, ANSWER)
