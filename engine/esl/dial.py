"""Dial strings: whom the switch may call, built from typed parts and never from text as it came.

``{ } [ ] < > , | ^ :`` and quotes are syntax of a dial string: a number such as ``1|sofia/gateway/x/900``
would ring somewhere else. So a number is digits, a gateway and a phone are plain names, and each kind of
target is a class of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.errors import UnsafeText
from engine.esl import text


@dataclass(frozen=True, slots=True)
class PhoneDial:
    """A registered phone. ``%`` looks it up in the profile's registrations; ``user/…`` would need
    ``${sofia_contact}``, which a switch with ``api-expansion=false`` refuses."""

    extension: str
    domain: str = "local"
    profile: str = "internal"

    def string(self) -> str:
        profile, domain = text.word(self.profile, "profile"), text.word(self.domain, "domain")
        return f"sofia/{profile}/{text.word(self.extension, 'extension')}%{domain}"


@dataclass(frozen=True, slots=True)
class GatewayDial:
    """A telephone number over a trunk."""

    gateway: str
    number: str

    def string(self) -> str:
        return f"sofia/gateway/{text.word(self.gateway, 'gateway')}/{text.number(self.number)}"


@dataclass(frozen=True, slots=True)
class LoopbackDial:
    """A leg that walks into a dialplan of this switch (tests, health checks, campaigns into a flow)."""

    number: str
    context: str = "default"
    dialplan: str = "XML"

    def string(self) -> str:
        context, dialplan = text.word(self.context, "context"), text.word(self.dialplan, "dialplan")
        return f"loopback/{text.number(self.number)}/{context}/{dialplan}"


Dial = PhoneDial | GatewayDial | LoopbackDial

# What a new leg may do once it is answered; each takes one argument of a known shape, or none.
_AFTER = ("park", "eavesdrop", "conference", "echo", "playback", "txfax")


@dataclass(frozen=True, slots=True)
class Originate:
    """A new leg: its UUID is ours, so that ``uuid_kill`` can cancel the ring before any reply came.

    ``timeout`` in seconds of ringing. ``app`` runs once it is answered: ``park``, ``eavesdrop`` (``arg`` the
    UUID to listen to), ``conference`` (``name@profile``), ``playback`` (media), ``txfax`` (a TIFF), ``echo``. Caller-ID
    name goes through :func:`engine.esl.text.display_text`, for it may be a stranger's.
    """

    uuid: str
    dial: Dial
    variables: Mapping[str, str] = field(default_factory=dict)
    timeout: int = 30
    caller_id_name: str = ""
    caller_id_number: str = ""
    app: str = "park"
    arg: str = ""

    def line(self) -> str:
        """The argument of ``originate``."""
        variables = {
            "origination_uuid": text.uuid(self.uuid),
            "originate_timeout": str(max(1, int(self.timeout))),
        }
        if name := text.display_text(self.caller_id_name):
            variables["origination_caller_id_name"] = name
        if self.caller_id_number:
            variables["origination_caller_id_number"] = text.number(self.caller_id_number, "caller id")
        for name, value in self.variables.items():
            if name in variables:
                raise UnsafeText(f"variable {name} is set twice in one originate")
            variables[text.variable(name)] = value
        if self.app not in _AFTER:
            raise UnsafeText(f"originate: {self.app!r} is not one of {', '.join(_AFTER)}")
        braces = ",".join(
            f"{name}={text.dial_value(value, name)}" for name, value in variables.items() if value
        )
        return f"{{{braces}}}{self.dial.string()} &{self.app}({self._argument()})"

    def _argument(self) -> str:
        if self.app == "eavesdrop":
            return text.uuid(self.arg, "uuid to listen to")
        if self.app == "conference":
            return text.destination(self.arg, "conference")
        if self.app == "txfax":
            path = text.path(self.arg, "fax")
            if "(" in path or ")" in path:
                raise UnsafeText("the path of a fax holds a bracket")
            return text.escape(path, blanks=True)
        if self.app == "playback":
            media = text.media(self.arg)
            if "(" in media or ")" in media:  # the switch cuts the argument at the first of them
                raise UnsafeText("media of an originate holds a bracket")
            return text.escape(media, blanks=True)
        if self.arg:
            raise UnsafeText(f"originate: {self.app} takes no argument")
        return ""
