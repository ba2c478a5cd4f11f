"""What a talk asks of the layers above the calls: who is meant by a target, what an agent hears, who is taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from engine.acd.engaged import Engaged
from engine.calls.call import Call
from engine.calls.talking import Asker, Target
from engine.errors import DialRefused, NotFound, WrongState
from engine.esl.commands import LoopbackDial, PhoneDial
from engine.flows.consulting import Consultation, consult_queue
from engine.flows.services import Services

_KINDS: Final = ("agent", "extension", "number", "queue", "flow")


class TalkDesk:
    """The desk of all talks (an ``engine.calls.talking.Desk``)."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def find(self, call: Call, word: str) -> Target:
        word = word.strip()
        kind, colon, name = word.partition(":")
        if not colon:
            return self._by_number(call, word)
        match kind:
            case "agent":
                return self._agent(name)
            case "extension":
                return self._extension(name)
            case "queue":
                if name not in self._services.acd.config.queues:
                    raise NotFound(f"there is no queue {name}")
                return Target("queue", name, shown=f"queue {name}")
            case "flow":
                if not self._has_flow(name):
                    raise NotFound(f"there is no flow {name}")
                return Target("flow", name, shown=f"flow {name}")
            case "number":
                return self._number(call, name)
        raise NotFound(
            f"{kind!r} is nobody to transfer to: {', '.join(_KINDS)}, or a number as it is dialled"
        )

    def _by_number(self, call: Call, word: str) -> Target:
        """As on a phone: an agent's number first, then a queue's, the numbers of the house, a number outside."""
        if not word:
            raise NotFound("to whom?")
        config = self._services.acd.config
        if word in config.agents:
            return self._agent(word)
        for name, queue in config.queues.items():
            if queue.number == word:
                return Target("queue", name, shown=f"queue {name}")
        route = self._services.route
        match = route(word, call.number, call.origin) if route is not None else None
        if match is not None and match.kind == "flow":
            return Target("flow", match.flow, shown=f"flow {match.flow}")
        if match is not None and match.kind == "extension":
            return self._extension(match.extension)
        if match is not None:
            raise WrongState(f"the dialplan denies this caller {word}")
        return self._number(call, word)

    def _agent(self, agent_id: str) -> Target:
        self._services.acd.agent(agent_id)  # NotFound
        return Target("agent", agent_id, shown=agent_id)

    def _extension(self, extension: str) -> Target:
        if not extension.isdecimal() or not 2 <= len(extension) <= 10:
            raise NotFound(f"{extension!r} is no extension")
        agent = self._services.acd.agent_on(extension)
        return self._agent(agent.id) if agent is not None else Target("extension", extension, shown=extension)

    def _number(self, call: Call, number: str) -> Target:
        outbound = self._services.outbound
        if outbound is None:
            raise NotFound("nobody may be rung outside")
        if why := outbound.check(number, dialled=call.dialled):
            raise WrongState(why)
        return Target("number", number, shown=number)

    def _has_flow(self, name: str) -> bool:
        current = self._services.current_flows
        return current is not None and current().get(name) is not None

    def dial(self, call: Call, target: Target) -> Target:
        shown = call.number if call.number.removeprefix("+").isdigit() else ""
        match target.kind:
            case "agent":
                agent = self._services.acd.agent(target.name)
                return replace(target, dial=PhoneDial(agent.phone), caller=shown)
            case "extension":
                return replace(target, dial=PhoneDial(target.name), caller=shown)
            case "number":
                if self._services.outbound is None:
                    raise DialRefused("unlisted", "nobody may be rung outside")
                allowed = self._services.outbound.dial(
                    target.name,
                    purpose="transfer",
                    call=call.id,
                    dialled=call.dialled,
                    caller="" if call.hidden else call.number,
                    private=call.hidden,
                )
                return replace(target, dial=allowed.dial, caller=allowed.caller, shown=allowed.number)
            case "flow":
                # Its own call, which this one's agent talks to; no number of ours is a way into the dialplan here.
                variables = {
                    "il_asks": f"{target.name}~{call.id}",
                    "loopback_export": "il_asks",
                    "loopback_bowout": "false",
                }
                number = call.dialled if call.dialled.isdecimal() else "0"
                dial = LoopbackDial(number, context="internal")
                return replace(target, dial=dial, caller=shown, variables=variables)
        raise WrongState(f"nobody can be rung in a {target.kind}")

    def engage(self, target: Target, call: Call) -> Engaged | None:
        agent = self._services.acd.config.agents.get(target.agent)
        if agent is not None and agent.site is not None and agent.site in call.away:
            raise WrongState(f"this call is kept away from site {agent.site}")
        return self._services.acd.engage(target.agent, call.id, call.queue) if target.agent else None

    def ask(
        self, call: Call, queue: str, by: str, asker: Asker, *, began: float | None = None, leg: str = ""
    ) -> Consultation:
        return consult_queue(self._services, call, queue, by, asker, began=began, leg=leg)

    def held(self, agent: str, on: bool) -> None:
        try:
            self._services.acd.on_hold(agent, on)
        except (NotFound, WrongState):
            return  # its part is over already

    def words(self, key: str, call: Call, agent: str, values: Mapping[str, Any] | None = None) -> str:
        services = self._services
        config = services.acd.config.agents.get(agent)
        language = config.languages[0] if config is not None and config.languages else call.language
        return services.prompts.utterance(key, values or {}, language, "").playback

    def music(self, call: Call, queue: str = "") -> str:
        config = self._services.acd.config.queues.get(queue or call.queue)
        return self._services.music_for(config.music if config is not None else "default")

    def recorded(self, call: Call, agent: str) -> None:
        if call.recording:
            self._services.recordings.talked(call.recording, agent)


__all__ = ["TalkDesk"]
