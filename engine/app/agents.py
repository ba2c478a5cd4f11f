"""The agents of a running engine: what they are told before a talk, who hears of their pauses, what came of calls.

The ACD knows neither prompts nor notices nor the store; what it asks and tells of them is answered here.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import orjson
import structlog

from engine.acd.agents import NO_ANSWER
from engine.acd.opening import HOURS
from engine.app.owed_at_closing import ONCE_IN, PROMPT, owed_at_closing
from engine.app.watching import keep_notice
from engine.calls.ring import CallFloor
from engine.errors import InsidelineError, SwitchError
from engine.esl import commands
from engine.records import closed_queues
from engine.store import tables
from engine.types import AgentState, AgentView, Briefing, Sound

if TYPE_CHECKING:
    from engine.app.app import App
    from engine.calls.outbound import Outbound

log = structlog.get_logger(__name__)

KEPT = 10_000  # dispositions of calls that still run
WINDOW = 300.0  # seconds in which the same news is told once
QUESTION = "agent_accept"
BEEP = Sound("tone_stream://%(400,200,660);loops=3", 1.8)  # where the question can't be spoken


class AgentNews:
    """What the ACD tells that is no hook's, and what it asks before it connects."""

    def __init__(self, app: App, floor: CallFloor, outbound: Outbound) -> None:
        self._app = app
        self._given: OrderedDict[str, str] = OrderedDict()
        floor.outbound = outbound
        app.acd.briefs(self.brief)

    # -- what is told -------------------------------------------------------------------------------

    def told(self, event: str, facts: Mapping[str, Any]) -> bool:
        """Take one event of the ACD; True when no hook hears of it."""
        if event == "disposed":
            self._disposed(str(facts["call"]), str(facts["disposition"]))
            return True
        if event in ("queue_closed", "queue_opened"):
            if facts["why"] != HOURS:
                closed_queues.keep(self._app.store, self._app.acd.closed_queues(), self._app.clock.now())
            if event == "queue_closed":
                self._app.clock.spawn(self._closed, str(facts["queue"]))
            return True
        if event == "alarm":
            self.alarm(str(facts["what"]), facts)
            return True
        if event == "agent_state_changed":
            agent: AgentView = facts["agent"]
            if agent.state is AgentState.PAUSED and agent.reason == NO_ANSWER:
                self._tell("agent_paused", {"agent": agent.id}, key=f"agent-paused:{agent.id}", call="")
        return False

    def alarm(self, what: str, facts: Mapping[str, Any]) -> None:
        """Something is wrong with the engine's own picture of queues and agents: somebody should know."""
        log.error("acd.alarm", what=what, **{name: value for name, value in facts.items() if name != "what"})
        self._tell(
            "acd_stalled",
            {"queue": str(facts.get("queue", ""))},
            key=f"acd-alarm:{what}",
            call=str(facts.get("call", "")),
            level="critical",
        )

    def _closed(self, queue: str) -> None:
        """A queue has closed: whom it owes a call is told to who may still do something about it."""
        count, _ = owed_at_closing(self._app, queue)
        group = self._app.acd.config.rules.tell
        if count and group is not None:
            config = self._app.acd.config.queues.get(queue)
            title = config.name_in(self._app.installation.settings.languages[0]) if config else queue
            values = {"queue": title, "count": count}
            keep_notice(self._app, group, PROMPT, values, key=f"queue-owes:{queue}", window=ONCE_IN)

    def _tell(
        self, prompt: str, values: Mapping[str, Any], *, key: str, call: str, level: str = "warning"
    ) -> None:
        group = self._app.acd.config.rules.tell
        if group is not None:
            self._app.clock.spawn(
                keep_notice, self._app, group, prompt, values,
                key=key, call=call, level=level, window=WINDOW,
            )  # fmt: skip

    # -- dispositions -------------------------------------------------------------------------------

    def _disposed(self, call: str, word: str) -> None:
        app = self._app
        if call in app.calls.calls:
            self._given[call] = word
            while len(self._given) > KEPT:
                self._given.popitem(last=False)
        else:
            app.store.change(tables.cdr, call, {"disposition": word})

    def disposition_of(self, call: str) -> dict[str, str]:
        """For the CDR of a call that ends: what an agent said came of it."""
        word = self._given.pop(call, "")
        return {"disposition": word} if word else {}

    # -- before a talk --------------------------------------------------------------------------------

    def brief(self, agent: AgentView, call_id: str, queue: str, waited: float) -> Briefing | None:
        """What is said once this agent has answered (an :data:`engine.acd.floor.Brief`)."""
        app = self._app
        config = app.acd.config.queues.get(queue)
        own = app.acd.config.agents.get(agent.id)
        call = app.calls.calls.get(call_id)
        spoken = app.installation.settings.languages
        mine = next((one for one in agent.languages if one in spoken), spoken[0])
        asks = bool(agent.trunk) and own is not None and own.away is not None and own.away.accept
        whisper = announce = None
        if config is not None and config.whisper is not None:
            values = {"queue": config.name_in(mine), "waited": timedelta(seconds=round(waited))}
            whisper = self._said(config.whisper, values, mine)
        if config is not None and config.announce_agent is not None and call is not None:
            announce = self._said(config.announce_agent, {"agent": agent.id}, call.language or spoken[0])
        accept = (self._said(QUESTION, {}, mine) or BEEP) if asks else None
        if accept is None and whisper is None and announce is None:
            return None
        return Briefing(accept=accept, whisper=whisper, announce=announce)

    def _said(self, prompt: str, values: Mapping[str, Any], language: str) -> Sound | None:
        try:
            said = self._app.prompts.utterance(prompt, dict(values), language, "")
        except (InsidelineError, KeyError, ValueError) as error:
            log.warning("briefing.not_said", prompt=prompt, language=language, error=str(error))
            return None
        return Sound(said.playback, said.seconds)


def phones_there(app: App) -> set[str]:
    """The extensions that are registered and, where the switch asks its phones, answer it.

    The core's own list goes on to hold a phone that has vanished for as long as that had registered for; the SIP
    profile's knows better, where it is ours.
    """

    def ask(command: commands.Command) -> str:
        return app.connection.api(command, 5.0)

    rows = orjson.loads(ask(commands.show_registrations())).get("rows", [])
    listed = {str(row["reg_user"]) for row in rows if row.get("reg_user")}
    if not listed:
        return listed
    try:
        rows = ElementTree.fromstring(ask(commands.sofia_registrations("internal"))).iter("registration")
        answering = {_user(row) for row in rows if row.findtext("ping-status") != "Unreachable"}
    except (SwitchError, ElementTree.ParseError) as error:
        log.debug("phones.not_asked", error=str(error))
        return listed
    return listed & answering


def _user(row: ElementTree.Element) -> str:
    return (row.findtext("user") or "").partition("@")[0]


__all__ = ["AgentNews", "phones_there"]
