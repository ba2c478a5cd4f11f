"""``originate``: dial strings, the ringing leg, and why it may come to nothing.

Understood: ``{name=value,…}`` and ``[…]`` before ``sofia/internal/EXT%DOMAIN``, ``sofia/gateway/GW/NUMBER`` and
``loopback/NUMBER/CONTEXT``; ``user/EXT`` is refused as it is without api-expansion. No forking.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.switch.simulator import dialplan
from engine.switch.simulator.causes import cause_named
from engine.switch.simulator.channels import Channel
from engine.switch.simulator.loopback import Loop
from engine.switch.simulator.media import integer
from engine.switch.simulator.party import Party
from engine.switch.simulator.profile import Profile, Times

if TYPE_CHECKING:
    from engine.switch.simulator.switch import Callee, Switch

USAGE = (
    "-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>] [<cid_name>] "
    "[<cid_num>] [<timeout_sec>]\n"
)
_APPLICATION = re.compile(r"&(\w+)(?:\((.*)\))?$", re.DOTALL)
_DEFAULT_TIMEOUT = 60.0


@dataclass(slots=True)
class Order:
    """An originate command, read."""

    url: str
    target: str
    variables: dict[str, str] = field(default_factory=dict)
    dialplan: str = "XML"
    context: str = "default"
    caller_id_name: str = ""
    caller_id_number: str = ""
    timeout: float = _DEFAULT_TIMEOUT


def read(text: str) -> Order | None:
    """Read the words after ``originate``; None: the usage is the answer."""
    text = text.strip()
    variables: dict[str, str] = {}
    while text[:1] in ("{", "["):
        end = _closing(text)
        if end < 0:
            return None
        variables.update(_pairs(text[1:end]))
        text = text[end + 1 :].lstrip()
    words = _words(text)
    if len(words) < 2:
        return None
    url = words[0]
    while url[:1] == "[" and "]" in url:
        end = url.index("]")
        variables.update(_pairs(url[1:end]))
        url = url[end + 1 :]
    order = Order(url, words[1], variables)
    rest = dict(enumerate(words[2:]))
    order.dialplan = rest.get(0, "XML")
    order.context = rest.get(1, "default")
    order.caller_id_name = variables.get("origination_caller_id_name", _defined(rest.get(2, "")))
    order.caller_id_number = variables.get("origination_caller_id_number", _defined(rest.get(3, "")))
    if 4 in rest:
        order.timeout = float(integer(rest[4]) or _DEFAULT_TIMEOUT)
    if "originate_timeout" in variables:
        order.timeout = float(integer(variables["originate_timeout"]) or _DEFAULT_TIMEOUT)
    return order


def _defined(word: str) -> str:
    return "" if word == "undef" else word


def _closing(text: str) -> int:
    pair = {"{": "}", "[": "]"}
    opened, closed, depth = text[0], pair[text[0]], 0
    for index, char in enumerate(text):
        if char == opened:
            depth += 1
        elif char == closed:
            depth -= 1
            if not depth:
                return index
    return -1


def _pairs(text: str) -> dict[str, str]:
    """``a=b,c='d,e'``; ``^^:`` in front chooses another delimiter."""
    delimiter = ","
    if text.startswith("^^") and len(text) > 2:
        delimiter, text = text[2], text[3:]
    pairs: dict[str, str] = {}
    field_text, quoted, index = "", False, 0
    fields: list[str] = []
    while index < len(text):
        char = text[index]
        if char == "\\" and index + 1 < len(text) and text[index + 1] in (delimiter, "'", "\\"):
            field_text += text[index + 1]
            index += 2
            continue
        if char == "'":
            quoted = not quoted
        elif char == delimiter and not quoted:
            fields.append(field_text)
            field_text = ""
        else:
            field_text += char
        index += 1
    fields.append(field_text)
    for item in fields:
        name, has_value, value = item.partition("=")
        if has_value and name.strip():
            pairs[name.strip()] = value
    return pairs


def _words(text: str) -> list[str]:
    """Words at blanks; parentheses and apostrophes keep blanks together."""
    words, word, depth, quoted = [], "", 0, False
    for char in text:
        if char == "'":
            quoted = not quoted
            if not depth:
                continue
        if char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
        if char == " " and not depth and not quoted:
            if word:
                words.append(word)
            word = ""
        else:
            word += char
    return [*words, word] if word else words


class Originate:
    """One originate under way. ``done(text)`` is called once with ``+OK uuid`` or ``-ERR CAUSE``."""

    def __init__(
        self,
        switch: Switch,
        order: Order,
        done: Callable[[str], None],
        *,
        join: Callable[[Channel], None] | None = None,
    ) -> None:
        self._switch = switch
        self._join = join  # what happens to the leg that answered, instead of the order's target
        self._order = order
        self._done = done
        self._channel: Channel | None = None

    def start(self) -> None:
        """Look the destination up and let it ring."""
        url = self._order.url
        if "outbound" in self._switch.paused:
            self._fail("DESTINATION_OUT_OF_ORDER")
            return
        kind, _, rest = url.partition("/")
        if kind == "user":
            self._fail("SUBSCRIBER_ABSENT")  # ${sofia_contact} is refused without api-expansion
        elif kind == "loopback":
            number, _, more = rest.partition("/")
            context = more.partition("/")[0] or self._order.context
            self._ring(f"loopback/{number}-a", number, leg=Loop(self._switch, number, context))
        elif kind != "sofia":
            self._fail("CHAN_NOT_IMPLEMENTED")
        else:
            self._sofia(rest)

    def _sofia(self, rest: str) -> None:
        profile, _, destination = rest.partition("/")
        if profile == "gateway":
            gateway, _, number = destination.partition("/")
            if gateway not in self._switch.gateways:
                self._fail("INVALID_GATEWAY")
            else:
                self._ring(f"sofia/external/{number}", number, gateway=gateway)
        elif profile == "internal":
            extension = re.split("[%@]", destination)[0]
            if extension not in self._switch.registrations.known:
                self._switch.clock.after(0.001, self._unregistered, destination)
            else:
                self._ring(f"sofia/internal/{extension}", destination, extension=extension)
        else:
            self._fail("INVALID_PROFILE")

    def _channel_to(self, name: str, destination: str, party: Party | None = None) -> Channel:
        switch, order = self._switch, self._order
        now = round(switch.clock.now().timestamp() * 1_000_000)
        number = order.caller_id_number or "0000000000"
        profile = Profile(
            uuid=order.variables.get("origination_uuid") or switch.new_uuid(),
            direction="outbound",
            caller_id_name=order.caller_id_name,
            caller_id_number=number,
            orig_caller_id_name=order.caller_id_name,
            orig_caller_id_number=number,
            callee_id_name="Outbound Call",
            callee_id_number=destination,
            destination_number=destination,
            ani=order.caller_id_number,
            dialplan="",
            context=order.context,
            source="src/switch_ivr_originate.c",
            channel_name=name,
            times=Times(profile_created=now, created=now),
        )
        return Channel(switch, profile, party or Party())

    def _ring(
        self,
        name: str,
        destination: str,
        *,
        extension: str = "",
        gateway: str = "",
        leg: Callee | None = None,
    ) -> None:
        switch, order = self._switch, self._order
        endpoint = "sofia" if leg is None else "loopback"
        leg = leg or switch.callee(extension, gateway, destination)
        channel = self._channel_to(name, destination, leg.party)
        if channel.uuid in switch.channels:
            self._fail("DESTINATION_OUT_OF_ORDER")
            return
        leg.attach(channel, self)
        channel.originate = self
        self._channel = channel
        channel.variables.update(
            {
                "direction": "outbound",
                "is_outbound": "true",
                "uuid": channel.uuid,
                "call_uuid": channel.uuid,
                "session_id": switch.new_session(),
                "channel_name": name,
                "sofia_profile_name": "internal" if extension else "external",
                **({"sip_gateway_name": gateway} if gateway else {}),
                **order.variables,
                "originate_early_media": "true",
                "originate_endpoint": endpoint,
            }
        )
        switch.keep(channel)
        channel.state, channel.state_number = "CS_NONE", 1
        channel.fire("CHANNEL_OUTGOING", variables=False)
        channel.state, channel.state_number = "CS_INIT", 2
        channel.fire("CHANNEL_CREATE")
        channel.fire("CHANNEL_ORIGINATE")
        channel.set_state("CS_ROUTING")
        channel.set_state("CS_CONSUME_MEDIA")
        self._timer = switch.clock.after(order.timeout, self._no_answer)
        leg.called()

    # -- what the far end does --------------------------------------------------------------------

    def rings(self) -> None:
        """180 came."""
        channel = self._channel
        if channel is not None and not channel.hangup_cause:
            channel.profile.network_addr = "127.0.0.1"
            channel.ring()

    def answered(self) -> None:
        """200 came: the leg runs what it was made for."""
        channel, order = self._channel, self._order
        if channel is None or channel.hangup_cause:
            return
        self._timer.cancel()
        channel.originate = None
        channel.answer()
        channel.hit_dialplan = True
        channel.flip_caller_id()
        self._done(f"+OK {channel.uuid}\n")
        if self._join is not None:
            self._join(channel)
            return
        found = _APPLICATION.match(order.target)
        if found:
            channel.plan.append((found.group(1), found.group(2) or ""))
        else:
            plan = (
                dialplan.inline(order.target)
                if order.dialplan.lower() == "inline"
                else self._switch.plan_for(order.context, order.target)
            )
            if plan is None:
                channel.hangup("NO_ROUTE_DESTINATION")
                return
            channel.plan.extend(plan)
        channel.set_state("CS_EXECUTE")
        channel.follow_plan()

    def refused(self, cause: str) -> None:
        """A final answer other than 200 came, or none at all."""
        channel = self._channel
        if channel is not None:
            channel.hangup(cause)

    def cancel(self) -> None:
        """Nobody wants the leg any more."""
        if self._channel is not None:
            self._channel.hangup("ORIGINATOR_CANCEL")

    def over(self, cause: str) -> None:
        """The leg was hung up before it was answered."""
        self._timer.cancel()
        if self._channel is not None:
            self._channel.originate = None
        self._fail(cause)

    def _no_answer(self) -> None:
        if self._channel is not None:
            self._channel.hangup("NO_ANSWER")

    def _unregistered(self, destination: str) -> None:
        """A channel is made and destroyed before it ever got a state."""
        channel = self._channel_to(f"sofia/internal/{re.split('[%@]', destination)[0]}", destination)
        channel.state, channel.state_number = "CS_NONE", 0
        channel.fire("CHANNEL_DESTROY")
        self._fail("USER_NOT_REGISTERED")

    def _fail(self, cause: str) -> None:
        self._done(f"-ERR {cause_named(cause)}\n")
