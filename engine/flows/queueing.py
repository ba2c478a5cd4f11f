"""The queue step at work: music, announcements, keys, and the news of the caller's place.

The place's news arrive in the caller's own mailbox, between keys and hang-up, so that the one greenlet that leads
the call sees everything in its order. An announcement is laid over the music (it nests, and the music goes on
behind it) and nobody waits for it: it never delays an agent who has answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING, Any

import structlog

from engine.acd.places import (
    Connecting,
    Leaving,
    Left,
    Moved,
    Over,
    Place,
    Raised,
    Request,
    Stage,
    Talking,
    Unconnected,
)
from engine.calls.signals import Done, Key, Parked
from engine.calls.talking import Mode, TalkOver, Target
from engine.errors import HungUp, NoSuchCall, NotFound
from engine.esl import commands
from engine.flows import packing
from engine.flows.asking import told
from engine.flows.kept_offer import offer_place, promise_of
from engine.flows.moves import Go, Move
from engine.flows.onward import Talked, take_onward
from engine.flows.overflowing import last_agent, overflow
from engine.flows.ranking import ranked_agents
from engine.flows.resumed_talk import found_talk, take_up_talk
from engine.flows.screen import screen
from engine.types import CallState, TalkEnd

if TYPE_CHECKING:
    from engine.flows.run import Run
    from engine.flows.steps.queue import Queue

log = structlog.get_logger(__name__)

AT_THE_FRONT = 1000
"""Priority of a caller who has talked already and was left alone."""
REPEATED = 8
"""How often the music is in one playback, half a minute each, where keys are taken."""
PARK_LIMIT = 2.0
"""Seconds from the end of a talk to the caller's CHANNEL_PARK."""


def wait_for_agent(run: Run, step: Queue) -> Move:
    """Wait in the queue, talk, and go on."""
    return Waiting(run, step).wait()


class Waiting:
    """One caller in one queue step."""

    def __init__(self, run: Run, step: Queue) -> None:
        self.run = run
        self.step = step
        self.call = run.call
        self.clock = run.clock
        self.place: Place
        self.music = ""  # the Event-UUID of the music that plays
        self.taken = False  # an agent has answered: no more keys, no more announcements
        self.talk_began: float | None = None
        self.joined = self.clock.monotonic()
        self.queue = step.name  # where it waits: that of the step, unless an agent transferred the caller
        self.left: dict[str, Any] = {}  # the place that it left by a key, for a callback that keeps it
        self.front = False  # ahead of all others: whoever it talked with is gone
        self.own_priority = 0  # of flow, dialplan and plugins; its place may have more

    def wait(self) -> Move:
        call, run = self.call, self.run
        call.answer()
        resumption, run.resumption = run.resumption, None
        talked = bool(run.queue_place.get("a"))
        self.queue = (
            str(run.queue_place.get("Q") or self.step.name) if resumption is not None else self.step.name
        )
        self.front = bool(run.queue_place.get("F")) if resumption is not None else False
        left = found_talk(run, resumption) if resumption is not None and "b" in run.queue_place else None
        if resumption is not None and talked and not resumption.bridged_to and left is None:
            return self._talk_ended_meanwhile()
        if left is not None and left.queue and left.mode is Mode.TALKING:
            self.queue = left.queue
        request = self._request(resumed=resumption is not None)
        call.queue = self.queue
        if call.callback:
            call.came_to = "nobody"  # until somebody has talked with it
        if left is not None:
            self.taken = True
            self.place = take_up_talk(run, request, left)
        elif resumption is not None:
            self._take_up_music(resumption.bridged_to)
            self.place = self._take_up(request, resumption.bridged_to, resumption.agent_legs)
        elif (standing := run.standing) is not None:
            run.standing = None
            self.place = standing.hand_over(request, call.leg.inbox)
        else:
            self.place = self._called_back() or run.services.acd.enter(self._instead(request))
        if left is None:
            self._note_claims()
        call.listen_for_keys(bool(self.step.waiting.keys))
        try:
            move = self._until_over()
        except HungUp:
            self._hung_up()
            raise
        except BaseException:
            # This engine must let go of the call: the place is given back, and a ring for it ends.
            self.place.leave(Leaving.STOPPING)
            raise
        call.listen_for_keys(False)
        run.queue_place = {"L": self.left} if self.left else {}
        return move

    def _request(self, *, resumed: bool) -> Request:
        run, step, call = self.run, self.step, self.call
        now = self.clock.now().timestamp()
        entered = float(run.queue_place.get("t", now)) if resumed else now
        self.joined -= max(0.0, now - float(run.queue_place.get("T", entered)) if resumed else 0.0)
        run.queue_place = {**(run.queue_place if resumed else {}), "t": round(entered, 1)}
        call.told = packing.pack(told(run, step.tell))
        view = call.view()
        answers = run.services.answers
        more = 0
        ranked: tuple[str, ...] = ()
        if answers is not None:
            view = replace(view, queue=self.queue)
            more = answers.first("queue_priority", int, call=view, queue=self.queue) or 0
            ranked = ranked_agents(run.services, step.name, step.asked(run.scope), view)
            call.popped = {**screen(run), **_shown(answers.all("screen_pop", call=view))}
        self.own_priority = step.priority + run.priority + more + (AT_THE_FRONT if self.front else 0)
        preferred = step.agent.get(run.scope) if step.agent is not None else ""
        away = str(step.away_from.get(run.scope) or "") if step.away_from is not None else ""
        call.away = (away,) if away else ()
        return Request(
            call_id=call.id,
            number=call.number,
            queue=self.queue,
            skills=step.asked(run.scope) if self.queue == step.name else {},
            priority=self.own_priority + int(run.queue_place.get("P", 0)),
            since=max(0.0, now - entered),
            agent=str(preferred or ""),
            ranked=ranked,
            tell={**call.popped, **call.told},
            language=call.language,
            longest=float(run.queue_place["X"]) if "X" in run.queue_place else step.longest,
            resumed=resumed,
            here=max(0.0, now - float(run.queue_place["H"])) if resumed and "H" in run.queue_place else None,
            tier=run.party.tier if run.party is not None and not run.deferred else "",
            site=run.party.site if run.party is not None and not run.deferred else "",
            away=call.away,
            last_agent="" if preferred else last_agent(run, self.queue),
            news=call.leg.inbox,
        )

    def _note_claims(self) -> None:
        """Keep on the call, for an engine after this one, what its place has beyond the step's own: priority (``P``)
        and how long it may wait (``X``)."""
        run, asked = self.run, self.place.request
        claims: dict[str, Any] = {}
        if more := asked.priority - self.own_priority:
            claims["P"] = more
        if asked.longest is not None and asked.longest != self.step.longest:
            claims["X"] = round(asked.longest)
        run.queue_place = {
            **{name: value for name, value in run.queue_place.items() if name not in ("P", "X")},
            **claims,
        }

    def _take_up(self, request: Request, bridged_to: str, legs: tuple[tuple[str, str], ...]) -> Place:
        """Find the caller's place again after a restart: in a talk, at a ringing phone, or in the line."""
        acd = self.run.services.acd
        place: Place | None = None
        for leg, agent in legs:
            try:
                if leg == bridged_to:
                    return acd.resume_talk(request, agent, leg)
                if not bridged_to:
                    place = acd.resume_offer(request, agent, leg)  # of many phones: each of them
            except (NotFound, NoSuchCall) as error:
                log.warning("queue.leg_not_resumed", call=self.call.id, leg=leg, error=str(error))
        return place or acd.enter(request)

    def _called_back(self) -> Place | None:
        """The place of a caller who was called back and had kept it."""
        run, kept = self.run, self.run.services.kept
        if kept is None or not self.call.callback:
            return None
        standing = kept.take(self.call)
        if standing is None:
            return self._dialled_before()
        self.taken = False
        run.queue_place = {**run.queue_place, "t": round(standing.owed.since.timestamp(), 1)}
        self.call.promise = promise_of(standing.owed, self.clock.now())
        return standing.place

    def _dialled_before(self) -> Place | None:
        """The same when the engine that dialled it died in its greeting: the agent may be on the line still."""
        run, calls = self.run, self.run.services.calls
        callbacks = run.services.records.callbacks if run.services.records is not None else None
        owed = (
            callbacks.of(self.call.id) or callbacks.load(self.call.callback)
            if callbacks is not None
            else None
        )
        if owed is None or owed.place is None:
            return None
        run.queue_place = {**run.queue_place, "t": round(owed.since.timestamp(), 1)}
        self.call.promise = promise_of(owed, self.clock.now())
        legs = tuple((leg.uuid, leg.agent) for leg in calls.legs.values() if leg.owner == self.call.id)
        waited = max(0.0, (self.clock.now() - owed.since).total_seconds())
        request = replace(
            self._request(resumed=True), priority=owed.place.priority, since=waited, longest=waited + 600
        )
        return self._take_up(request, "", legs)

    def _instead(self, request: Request) -> Request:
        """Who is owed a call and calls in again may have the place that is kept."""
        owed = offer_place(self.run, self.queue)
        if owed is None:
            return request
        since = max(0.0, (self.clock.now() - owed.since).total_seconds())
        self.run.queue_place = {**self.run.queue_place, "t": round(owed.since.timestamp(), 1)}
        place = owed.place
        assert place is not None
        longest = request.longest
        if longest is None and (queue := self.run.services.acd.config.queues.get(self.queue)) is not None:
            longest = queue.longest
        return replace(
            request,
            since=since,
            here=since,
            priority=max(request.priority, place.priority),
            max_length=10**9,
            longest=None if longest is None else since + longest,
        )

    def _until_over(self) -> Move:
        call, clock, waiting = self.call, self.clock, self.step.waiting
        due = clock.monotonic() + waiting.every
        while True:
            if not self.music and not self.taken:
                self._play_music()
                call.become(CallState.QUEUED, queue=self.queue)
            quiet = self.taken or waiting.say is None
            signal = call.next_signal(None if quiet else max(0.0, due - clock.monotonic()))
            match signal:
                case None:
                    due = clock.monotonic() + self._announce() + waiting.every
                case Key():
                    for key in call.take_keys():
                        target = waiting.keys.get(key)
                        if target is not None and not self.taken and self.place.leave(Leaving.KEY):
                            call.journal("queue.key", key=key)
                            self._stop_music()
                            self._count_wait()
                            self.left = self._left()
                            return Go(target, way=f"waiting.keys.{key}")
                case Done(event_uuid) if event_uuid == self.music:
                    self.music = ""
                case Parked() if self.talk_began is None:
                    # A bridge that failed has ended the music: the caller waits on.
                    self.music, self.taken = "", False
                case Connecting():
                    self.taken = True
                case Unconnected():
                    self.taken = False
                case Raised():
                    self._note_claims()
                    self.run.checkpoint()
                    self.run.flush()
                case Talking():
                    self._talking(signal)
                case Over():
                    if call.talk is None or not call.talk.outlives:
                        return self._over(signal)
                case TalkOver(agent, by, seconds):
                    return self._over(Over(agent, by, seconds))
                case Moved(queue):
                    self._moved(queue)
                case Left(reason, to):
                    self._stop_music()
                    self._count_wait()
                    if reason is Leaving.CALLER:
                        raise HungUp(call.leg.gone or "NORMAL_CLEARING")
                    if reason is Leaving.OVERFLOW:
                        return overflow(self.run, to, self._way(reason))
                    return Go(self._way(reason), way=str(reason))

    def _moved(self, queue: str) -> None:
        """The place goes on in another queue, with the music of that one."""
        before, self.queue, self.call.queue = self.music_name, queue, queue
        run = self.run
        run.queue_place = {**run.queue_place, "Q": queue, "H": round(self.clock.now().timestamp(), 1)}
        if self.taken:
            return
        if self.music_name == before:
            run.checkpoint()
            run.flush()
            self.call.become(CallState.QUEUED, queue=queue)
        else:
            self._stop_music()  # which is played anew, for the queue it is in now

    def _left(self) -> dict[str, Any]:
        """The place that the caller leaves, short enough for its channel."""
        asked = self.place.request
        t = self.clock.now().timestamp() - (self.clock.monotonic() - self.place.joined)
        left = {"q": self.queue, "t": round(t, 1), "p": asked.priority, "s": dict(asked.skills)}
        left |= {"A": asked.agent, "l": asked.last_agent, "T": asked.tier, "S": asked.site}
        left["W"] = list(asked.away)
        return {name: value for name, value in left.items() if value}

    # -- what is heard ------------------------------------------------------------------------------

    @property
    def music_name(self) -> str:
        """What is heard while waiting where the caller waits now."""
        return self.step.waiting.music or self.run.services.acd.config.queues[self.queue].music

    def _play_music(self) -> None:
        music = self.run.services.music_for(self.music_name)
        # Without the lock: announcements nest in it.
        if self.step.waiting.keys:
            # In endless_playback the switch takes no keys: no DTMF event comes (mod_dptools.c plays it without a
            # callback). So a long piece, which is begun again at its end; without an engine it outlasts the rescue.
            self.music = self.call.start("playback", _long(music), lock=False)
        else:
            self.music = self.call.start("endless_playback", music, lock=False)
        self.run.queue_place = {**self.run.queue_place, "m": self.music}
        self.run.checkpoint()

    def _take_up_music(self, bridged_to: str) -> None:
        """Music that an earlier engine started plays on; a break would end a talk, too."""
        music = str(self.run.queue_place.get("m", ""))
        self.taken = bool(bridged_to)
        if music and not bridged_to:
            self.music = self.call.leg.music = music
            self.call.leg.awaited.add(music)

    def _stop_music(self) -> None:
        if self.music:
            self.call.later(commands.uuid_break(self.call.id, all=True))
            self.call.wait_done(self.music, PARK_LIMIT)
            self.music = ""

    def _announce(self) -> float:
        """Tell the caller its position, over the music; answers how many seconds it takes."""
        position = self.place.position()
        if self.step.waiting.say is None or position < 1:
            return 0.0
        wait = self.place.expected_wait()
        # Nobody believes seconds: whole minutes, rounded up.
        minutes = None if wait is None else timedelta(minutes=max(1, ceil(wait / 60)))
        values: dict[str, Any] = {"position": position, "wait": minutes}
        said = self.run.utterance(self.step.waiting.say, values)
        if self.place.stage not in (Stage.WAITING, Stage.OFFERED):
            return 0.0  # somebody has answered while the words were made: they would be heard in the talk
        self.call.leg.spoken = self.clock.monotonic()
        self.call.run("playback", said.playback)
        return said.seconds

    # -- what happens -------------------------------------------------------------------------------

    def _talking(self, news: Talking) -> None:
        call, run = self.call, self.run
        self.taken = True
        self.music = ""  # the bridge ended it
        if self.talk_began is not None:
            return
        call.listen_for_keys(False)
        self.talk_began = self.clock.monotonic()
        call.agent, call.agent_leg = news.agent.id, news.leg
        began = run.queue_place.get("b") if news.resumed else None
        if began is None:
            self._count_wait()
        else:
            # The engine before this one has counted the wait, and knew when the talk began.
            self.talk_began -= max(0.0, self.clock.now().timestamp() - float(began))
        run.queue_place = {
            **{name: run.queue_place[name] for name in ("t", "Q", "F", "T") if name in run.queue_place},
            "a": news.agent.id,
            "b": began or round(self.clock.now().timestamp(), 1),
        }
        run.checkpoint()
        run.flush()
        call.become(CallState.TALKING, agent=news.agent.id)
        if run.recorded:
            run.services.recordings.talked(run.recorded, news.agent.id)

    def _over(self, news: Over) -> Move:
        call = self.call
        began = self.talk_began if self.talk_began is not None else self.clock.monotonic() - news.seconds
        seconds = self.clock.monotonic() - began  # of the whole talk, also when an earlier engine began it
        call.talked += seconds
        self.talk_began = None
        if call.talk is not None:
            call.talk.close()
        end = self.clock.monotonic() + PARK_LIMIT
        while not call.leg.parked and (left := end - self.clock.monotonic()) > 0:
            call.next_signal(left)
        self._keep(news.agent_id, seconds, news.by)
        call.agent_leg = ""
        if call.queue in self.run.services.acd.config.queues:
            self.queue = call.queue  # whoever talked with it last may have come from another one
        where = take_onward(self.run)
        if isinstance(where, Talked):
            self._keep(where.agent, where.result.seconds, where.result.by)
        elif where is not None and where.kind == "flow":
            return Go(where.name)
        elif where is not None:
            return self._again(where)
        return self._onward()

    def _again(self, where: Target) -> Move:
        """Wait once more: in the queue that an agent transferred the caller to, or at the front of the one that it came
        from. What it has waited already counts."""
        call, run = self.call, self.run
        now = self.clock.now().timestamp()
        self.queue, self.front = (where.name, False) if where.kind == "queue" else (self.queue, True)
        self.music, self.taken, self.talk_began = "", False, None
        run.queue_place = {"t": round(now - call.waited, 1), "T": round(now, 1), "Q": self.queue}
        if self.front:
            run.queue_place["F"] = 1
        self.joined = self.clock.monotonic()
        call.queue, call.agent = self.queue, ""
        request = self._request(resumed=True)
        limit = self.step.longest if self.queue == self.step.name else None
        queue = run.services.acd.config.queues.get(self.queue)
        longest = limit if limit is not None else (queue.longest if queue is not None else 600.0)
        request = replace(request, resumed=self.front, longest=longest + call.waited)
        if where.asked is not None:
            # In the very place in which an agent waited to ask somebody about it.
            self.place = where.asked.hand_over(request, call.leg.inbox)
        else:
            self.place = run.services.acd.enter(request)
        self._note_claims()
        call.listen_for_keys(bool(self.step.waiting.keys))
        return self._until_over()

    def _talk_ended_meanwhile(self) -> Move:
        """The agent hung up while no engine was there; what follows the talk is due. Nobody knows when that was:
        not long ago, or the switch's fallback would have the caller by now."""
        call, place = self.call, self.run.queue_place
        now = self.clock.now().timestamp()
        seconds = max(0.0, now - float(place.get("b", now)))
        call.agent, call.queue = str(place["a"]), self.step.name
        call.talked += seconds
        self._keep(call.agent, seconds, TalkEnd.AGENT)
        self.run.queue_place = {}
        return self._onward()

    def _keep(self, agent: str, seconds: float, by: TalkEnd) -> None:
        """What the flow may know of the talk."""
        if self.step.into is not None:
            self.run.bear(self.step.into, {"agent": agent, "seconds": round(seconds, 1), "by": str(by)})

    def _onward(self) -> Move:
        self.call.become(CallState.FLOW)
        return Go(self.step.done, way="done") if self.step.done is not None else None

    def _way(self, reason: Leaving) -> str:
        step = self.step
        match reason:
            case Leaving.FULL:
                return step.full
            case Leaving.TOO_LONG:
                return step.too_long
            case Leaving.CLOSED:
                return step.closed or step.no_agents
            case Leaving.NO_AGENTS:
                return step.no_agents
        return step.failed or step.no_agents

    def _count_wait(self) -> None:
        self.call.waited += self.clock.monotonic() - self.joined
        self.joined = self.clock.monotonic()

    def _hung_up(self) -> None:
        if self.talk_began is not None:
            self.call.talked += self.clock.monotonic() - self.talk_began
        elif not self.taken:
            self._count_wait()
            self.call.abandoned = True
        self.place.leave(Leaving.CALLER)


def _long(music: str) -> str:
    """``music`` some minutes long, as one playback."""
    return music if "://" in music else "file_string://" + "!".join([music] * REPEATED)


def _shown(popped: Mapping[str, Any]) -> dict[str, Any]:
    """What plugins add to the desk, as far as it can be shown."""
    shown = {}
    for name, value in popped.items():
        try:
            shown[name] = packing.pack(value)
        except TypeError as error:
            log.warning("screen_pop.not_shown", name=name, error=str(error))
    return shown
