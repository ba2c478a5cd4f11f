"""What the installation says about its switch: ports, addresses, phones, trunks, the fallback.

Shapes only. Where they are written (conf/engine.yaml, conf/trunks.yaml, conf/agents.yaml) and how the
files are read is not known here. Values that reach the switch's configuration are narrow on purpose:
what can't be expressed can't be injected.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints, model_validator

from engine.calls.outbound import OutboundRules
from engine.schema.fields import Duration, Flag, whole
from engine.schema.shapes import FileShape, Shape, wrong


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise wrong("address", f"`{text}` is no IP address", "write one such as 192.0.2.10") from None


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise wrong(
            "address", f"`{text}` is no address or network", "write 192.0.2.10 or 192.0.2.0/24"
        ) from None


def _path(value: Any) -> Path:
    # The path meets a dialplan, where these would mean something.
    text = str(value)
    if any(char in text for char in "${}'\"\\") or not text.isprintable():
        raise wrong("path", "a path given to the switch can't hold $ { } quotes or a backslash")
    return Path(text)


def _words(text: str) -> str:
    if "$" in text or not text.isprintable():
        raise wrong("name", "a name shown on phones can't hold $ or control characters")
    return text


Port = Annotated[int, whole(1024, 65535)[0]]
Address = Annotated[str, AfterValidator(_address)]
Network = Annotated[str, AfterValidator(_network)]
SwitchPath = Annotated[Path, BeforeValidator(_path)]
Extension = Annotated[str, StringConstraints(pattern=r"^[0-9]{2,10}$")]
TrunkName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,30}$")]
Number = Annotated[str, StringConstraints(pattern=r"^\+?[0-9]{1,20}$")]
Host = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$|^[0-9a-fA-F:]{2,39}$")
]
Codec = Literal["PCMA", "PCMU", "OPUS"]


class SipSide(Shape):
    """Where the switch listens for phones, or for trunks."""

    ip: Address = "127.0.0.1"
    port: Port
    public_ip: Address | None = None  # what to announce when the switch stands behind NAT
    codecs: tuple[Codec, ...] = Field(default=("PCMA", "PCMU"), min_length=1)


class PhonesSide(SipSide):
    """The internal profile: agents' phones."""

    port: Port = 5060
    codecs: tuple[Codec, ...] = Field(default=("PCMA", "PCMU", "OPUS"), min_length=1)
    ping: Annotated[Duration, Field(ge=1, le=300)] = 10.0  # seconds between two "are you there?"
    silence: Annotated[Duration, Field(ge=1, le=32)] = 4.0  # seconds without an answer: the phone is gone


class TrunksSide(SipSide):
    """The external profile: carriers, PBXs, branches."""

    port: Port = 5080


class SoundPorts(Shape):
    """UDP ports for the sound (RTP); two for each leg of a call."""

    first: Port = 16384
    last: Port = 32767

    @model_validator(mode="after")
    def _enough(self) -> Self:
        if self.last - self.first < 19:
            raise wrong("ports", "the sound needs at least 20 ports", at="last")
        return self


class Fallback(Shape):
    """What happens to a call that no engine leads."""

    after: Annotated[Duration, Field(ge=2, le=120)] = 8.0  # seconds that an arriving call waits for an engine
    silence: Annotated[Duration, Field(ge=10, le=600)] = (
        15.0  # of an engine, until its calls are taken from it
    )
    apology: SwitchPath | None = None  # a WAV; without one, a tone
    number: Number | None = None  # call this instead of the apology …
    trunk: TrunkName | None = None  # … through this trunk

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.number is None) != (self.trunk is None):
            raise wrong("fallback", "a fallback number and its trunk go together", at="number")
        return self


class SwitchSettings(Shape):
    """How the engine runs its own FreeSWITCH."""

    event_socket: Port = 8021  # always on 127.0.0.1
    phones: PhonesSide = PhonesSide()
    trunks: TrunksSide = TrunksSide()
    sound: SoundPorts = SoundPorts()
    fallback: Fallback = Fallback()
    music: SwitchPath | None = None  # a folder of 8 kHz WAVs; without one, a quiet loop made here
    max_sessions: Annotated[int, whole(10, 65000)[0]] = 4000  # legs at once
    sessions_per_second: Annotated[int, whole(1, 5000)[0]] = 400  # new legs
    dead_line: Annotated[Duration, Field(ge=10, le=7200)] = 300.0  # seconds without a packet of sound
    log: Literal["warning", "notice", "info", "debug"] = "warning"
    binary: SwitchPath | None = None
    allow_remote: Flag = False  # accept a running switch whose event socket others can reach
    start_within: Annotated[Duration, Field(gt=0, le=300)] = 30.0
    stop_within: Annotated[Duration, Field(gt=0, le=300)] = 10.0

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if (self.phones.ip, self.phones.port) == (self.trunks.ip, self.trunks.port):
            raise wrong(
                "ports",
                f"phones and trunks can't both listen on {self.phones.ip}:{self.phones.port}",
                at="trunks",
            )
        return self


class Trunk(Shape):
    """One line to the outside: a carrier, a PBX, a branch."""

    name: TrunkName
    host: Host  # where calls go out to
    port: Port = 5060
    transport: Literal["udp", "tcp"] = "udp"
    addresses: tuple[Network, ...] = ()  # who may call in through it; empty: `host`, when it is an address
    registers: Flag = Field(default=False, alias="register")
    username: Annotated[str, StringConstraints(pattern=r"^[\w.+@-]{0,64}$")] = ""
    password: SecretStr = SecretStr("")
    realm: Host | None = None
    show_caller: Flag = True  # the caller's number in From, where the carrier lets us
    ping: Annotated[Duration, Field(ge=5, le=300)] = 25.0

    @property
    def allowed(self) -> tuple[str, ...]:
        """The networks that calls of this trunk come from."""
        if self.addresses:
            return self.addresses
        try:
            return (_network(self.host),)
        except ValueError:
            return ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.registers and not (self.username and self.password.get_secret_value()):
            raise wrong("trunk", "a trunk that registers needs a username and a password", at="register")
        for network in self.allowed:
            if ipaddress.ip_network(network).prefixlen == 0:
                raise wrong(
                    "trunk", "a trunk open to every address is no trunk", "name its addresses", at="addresses"
                )
        return self


class TrunksFile(FileShape):
    """conf/trunks.yaml."""

    grammar: Literal["1"]
    trunks: tuple[Trunk, ...] = ()
    outbound: OutboundRules = OutboundRules()  # who may be rung through them

    @model_validator(mode="after")
    def _once(self) -> Self:
        names = [trunk.name for trunk in self.trunks]
        if self.outbound.trunk is not None and self.outbound.trunk not in names:
            raise wrong("trunk", f"there is no trunk {self.outbound.trunk}", at="outbound")
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise wrong("trunk", f"two trunks are called {twice}", at="trunks")
        return self


class Phone(Shape):
    """A phone that may register: an agent's extension."""

    extension: Extension
    name: Annotated[str, AfterValidator(_words)] = ""
    sip_password: SecretStr | None = None  # None: the engine makes one up and keeps it in the run folder
