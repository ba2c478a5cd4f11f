"""A person at a terminal as the caller on the simulator.

    POST   /dials                 {"number": "8004", "from": "13800000000"}  -> {"id": …}; from an agent's
                                  extension the call comes from the phone on that desk
    GET    /dials/<id>/events     ?after=<number>: what happened since; waits up to 20 s for something to happen
    POST   /dials/<id>/keys       {"keys": "12#"}
    DELETE /dials/<id>            hangs up; so does a minute in which nobody asks for events

Events are ``{"number", "at", "kind", "text"}``; ``kind`` is ``said`` (text as people read it; with its ``key``,
``language`` and ``clips``, the files in order), ``silence`` (the prompt is over, and a key is waited for: ``seconds``),
``music``, ``step``, ``state`` and at last ``ended``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import falcon
import structlog

from engine.clock import Empty
from engine.errors import HungUp, NotFound, WrongState
from engine.types import CallState, CallView
from engine.web.answers import say, told
from engine.web.parts import CallerPart, Parts

log = structlog.get_logger(__name__)

LONGEST_POLL = 20.0  # seconds
LOOK = 0.2  # seconds between two looks at the call's state
MOST_DIALS = 20
KEPT = 60.0  # seconds that the end of a call can still be asked for
PUT_DOWN = 60.0  # seconds without anybody listening, until the receiver is put down

_KEYS = re.compile(r"[0-9*#A-D]{1,64}\Z")
_NUMBER = re.compile(r"\+?[0-9*#]{1,20}\Z")
_STATES = {
    CallState.QUEUED: "you wait for {queue}",
    CallState.TALKING: "you talk to {agent}",
}


@dataclass(frozen=True, slots=True)
class DialEvent:
    """Something that the person at the terminal is shown."""

    number: int
    at: datetime
    kind: str
    text: str
    key: str = ""
    language: str = ""
    clips: tuple[str, ...] = ()
    seconds: float = 0.0


class Dial:
    """One call that a person at a terminal makes."""

    def __init__(self, parts: Parts, caller: CallerPart) -> None:
        self.caller = caller
        self.id = caller.uuid
        self._parts = parts
        self._events: list[DialEvent] = []
        self._more = parts.clock.event()
        self._shown = (CallState.RINGING, "", "")
        self._step = ""
        self._asked_at = parts.clock.monotonic()
        self.over = False
        caller.on_asked = lambda seconds: self._add("silence", "", seconds=round(seconds, 3))
        parts.clock.spawn(self._follow)

    def since(self, after: int, wait: float) -> list[DialEvent]:
        """The events after number ``after``; waits up to ``wait`` seconds when there are none."""
        if len(self._events) <= after and not self.over:
            self._more.clear()
            self._more.wait(wait)
        self._asked_at = self._parts.clock.monotonic()
        return self._events[after:]

    def _add(self, kind: str, text: str, **more: Any) -> None:
        self._events.append(DialEvent(len(self._events) + 1, self._parts.clock.now(), kind, text, **more))
        self._more.set()

    def _follow(self) -> None:
        clock = self._parts.clock
        while True:
            self._look()
            if clock.monotonic() - self._asked_at > PUT_DOWN:
                self.caller.hang_up()  # the terminal is gone; nobody would ever end this call
            try:
                self._heard(self.caller.next_playback(LOOK).path)
            except Empty:
                pass  # nothing new to hear; but the call may be somewhere else by now
            except HungUp as hung_up:
                cause = hung_up.cause
                break
        self.over = True
        self._add("ended", cause)

    def _heard(self, playback: str) -> None:
        said = self._parts.prompts.describe(playback)
        if said is not None:
            self._add(
                "said",
                said.text,
                key=said.key,
                language=said.language,
                clips=said.clips,
                seconds=round(said.seconds, 3),
            )
        elif playback.startswith("silence_stream:"):
            return
        elif playback.startswith(("tone_stream:", "local_stream:")) or "music" in playback:
            self._add("music", "music")
        else:
            self._add("music", playback.rpartition("/")[2])

    def _look(self) -> None:
        call = next((one for one in self._parts.calls.views() if one.id == self.id), None)
        if call is None:
            return
        if call.step != self._step:
            self._step = call.step
            self._add("step", f"{call.flow} {call.step}".strip())
        shown = (call.state, call.queue, call.agent)
        if shown != self._shown:
            self._shown = shown
            if call.state in _STATES:
                self._add("state", self._words(call))

    def _words(self, call: CallView) -> str:
        agent = call.agent
        if agent:
            try:
                agent = f"{agent} {self._parts.acd.agent(agent).name}".strip()
            except NotFound:
                log.debug("dial.agent_unknown", agent=agent)
        return _STATES[call.state].format(queue=call.queue, agent=agent or "an agent")


class Dials:
    """The calls of people at terminals."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._dials: dict[str, Dial] = {}

    def begin(self, number: str, caller: str) -> Dial:
        """Call in. :class:`WrongState` where the switch is no simulator."""
        simulator = self._parts.simulator
        if simulator is None:
            name = self._parts.switch().name
            raise WrongState(f"one can be the caller on the simulator only; this is {name}: use a phone")
        if len(self._dials) >= MOST_DIALS:
            raise WrongState(f"{MOST_DIALS} people dial in from terminals already")
        if not caller:
            made = simulator.call(number)
        elif any(agent.phone == caller for agent in self._parts.acd.agents()):
            made = simulator.call(number, caller=caller, gateway="")  # from the phone on a desk
        else:
            made = simulator.call(number, caller=caller)
        dial = Dial(self._parts, made)
        self._dials[dial.id] = dial
        self._parts.clock.spawn(self._forget_later, dial)
        return dial

    def find(self, name: str) -> Dial:
        """The call; :class:`NotFound` when it never was or is long over."""
        dial = self._dials.get(name)
        if dial is None:
            raise NotFound(f"nobody dials in as {name}")
        return dial

    def _forget_later(self, dial: Dial) -> None:
        while not dial.over:
            self._parts.clock.sleep(KEPT)
        self._parts.clock.sleep(KEPT)
        self._dials.pop(dial.id, None)


class DialsResource:
    """See the module."""

    def __init__(self, dials: Dials) -> None:
        self._dials = dials

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        body = told(req, "number", "from")
        for name, text in body.items():
            if not _NUMBER.match(text) and (text or name == "number"):
                raise falcon.HTTPBadRequest(description=f"{text!r} is no number")
        say(resp, {"id": self._dials.begin(body["number"], body["from"]).id})

    def on_get_what(self, req: falcon.Request, resp: falcon.Response, name: str, what: str) -> None:
        dial = self._dials.find(name)
        if what != "events":
            raise falcon.HTTPNotFound(description=f"a dial has no {what}")
        after = req.get_param_as_int("after", min_value=0, default=0)
        wait = req.get_param_as_float("wait", min_value=0, max_value=LONGEST_POLL, default=LONGEST_POLL)
        say(resp, dial.since(after, wait))

    def on_post_what(self, req: falcon.Request, resp: falcon.Response, name: str, what: str) -> None:
        dial = self._dials.find(name)
        if what != "keys":
            raise falcon.HTTPNotFound(description=f"a dial has no {what}")
        keys = told(req, "keys")["keys"]
        if not _KEYS.match(keys):
            raise falcon.HTTPBadRequest(description="a phone has the keys 0-9 * # A-D")
        try:
            dial.caller.press(keys)
        except HungUp as error:
            raise WrongState("the call is over") from error
        say(resp, {})

    def on_delete_one(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        dial = self._dials.find(name)
        dial.caller.hang_up()
        say(resp, {})
