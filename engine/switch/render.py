"""Fill the templates of ``freeswitch/`` and write them into a run folder.

A template is XML with ``@{name}`` where a value goes. Every value is escaped for XML; ``$`` becomes a
character reference, because FreeSWITCH's preprocessor replaces ``$${…}`` in the raw text of its files;
control characters are refused. A piece that is XML already (rendered from another template) is an
:class:`Xml` and goes in as it is. Nothing else can.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.sax.saxutils import escape

from engine.errors import ConfigError, UnsafeText
from engine.switch.settings import Phone, SwitchSettings, Trunk

DOMAIN = "local"  # the domain of every phone, whatever it calls itself (architecture: `1001%local`)
TONE = "tone_stream://%(250,150,440);%(250,150,415);%(500,300,392);loops=3"

_HOLE = re.compile(r"@\{([a-z0-9_]+)\}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]")


class Xml(str):
    """Text that is XML already: made by :func:`fill` from a template."""

    __slots__ = ()


def escaped(value: str) -> str:
    """``value`` as it may stand in an attribute of FreeSWITCH's XML; :class:`UnsafeText` for control characters."""
    if _CONTROL.search(value):
        raise UnsafeText(f"control characters can't go into the switch's configuration: {value!r}")
    return escape(value, {'"': "&quot;", "'": "&apos;", "$": "&#36;"})


def fill(template: str, values: Mapping[str, str | int]) -> Xml:
    """The template with its holes filled; KeyError for a hole without a value."""

    def put(hole: re.Match[str]) -> str:
        value = values[hole[1]]
        return value if isinstance(value, Xml) else escaped(str(value))

    return Xml(_HOLE.sub(put, template))


def digest_hash(extension: str, password: str) -> str:
    """What SIP digest authentication calls HA1 (RFC 2617, 3.2.2.2), which the directory keeps."""
    return hashlib.md5(f"{extension}:{DOMAIN}:{password}".encode(), usedforsecurity=False).hexdigest()


class Templates:
    """The folder ``freeswitch/`` of the installation."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not (folder / "freeswitch.xml").is_file():
            raise ConfigError(f"{folder}: no freeswitch.xml here; this is not the configuration's folder")

    def text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def part(self, name: str, **values: str | int) -> Xml:
        return fill(self.text(f"parts/{name}.xml"), values)

    def parts(self, name: str, rows: Iterable[Mapping[str, str | int]]) -> Xml:
        text = self.text(f"parts/{name}.xml")
        return Xml("".join(fill(text, row) for row in rows))

    def names(self) -> list[str]:
        """Every file that is rendered, relative to the folder."""
        found = [p for p in self.folder.rglob("*.xml") if p.parent.name != "parts"]
        return sorted(str(p.relative_to(self.folder)) for p in found)


def acl_name(trunk: str) -> str:
    """The list of addresses of a trunk. The dialplan reads the trunk's name off it, so it IS the name."""
    return trunk


def directory(templates: Templates, phones: Iterable[Phone], passwords: Mapping[str, str]) -> Xml:
    """``directory/phones.xml``: who may register. ``passwords`` are by extension."""
    users = templates.parts(
        "user",
        (
            {
                "extension": phone.extension,
                "a1_hash": digest_hash(phone.extension, passwords[phone.extension]),
                "name": phone.name or phone.extension,
            }
            for phone in phones
        ),
    )
    return fill(templates.text("directory/phones.xml"), {"users": users})


def render(
    templates: Templates,
    folder: Path,
    settings: SwitchSettings,
    *,
    phones: Iterable[Phone],
    passwords: Mapping[str, str],
    trunks: Iterable[Trunk],
    socket_password: str,
) -> None:
    """Write the whole configuration into ``folder`` (``conf/`` and ``scripts/`` below it)."""
    trunks = list(trunks)
    values = _values(templates, folder, settings, trunks, socket_password)
    conf = folder / "conf"
    if conf.exists():
        shutil.rmtree(conf)
    for name in templates.names():
        if name == "sip_profiles/external.xml" and not trunks:
            continue  # no trunk: nothing listens for one
        if name == "directory/phones.xml":
            text = directory(templates, phones, passwords)
        else:
            text = fill(templates.text(name), values)
        write_private(conf / name, text)
    for script in sorted((templates.folder / "scripts").glob("*.lua")):
        write_private(folder / "scripts" / script.name, script.read_text(encoding="utf-8"))


def _values(
    templates: Templates, folder: Path, settings: SwitchSettings, trunks: list[Trunk], socket_password: str
) -> dict[str, str | int]:
    phones, outside = settings.phones, settings.trunks
    return {
        "event_socket_port": settings.event_socket,
        "event_socket_password": socket_password,
        "switch_name": "insideline",
        "max_sessions": settings.max_sessions,
        "sessions_per_second": settings.sessions_per_second,
        "log_level": settings.log,
        "log_file": str(folder / "log" / "freeswitch.log"),
        "rtp_first": settings.sound.first,
        "rtp_last": settings.sound.last // 2 * 2,  # the switch wants an even one
        "sounds": str(folder / "sounds"),
        "music": str(settings.music.absolute() if settings.music else folder / "music"),
        "phones_ip": phones.ip,
        "phones_port": phones.port,
        "phones_public_ip": phones.public_ip or phones.ip,
        "phones_codecs": ",".join(phones.codecs),
        "phone_ping": round(phones.ping),
        "phone_silence_ms": _silence(phones.silence),
        "trunks_ip": outside.ip,
        "trunks_port": outside.port,
        "trunks_public_ip": outside.public_ip or outside.ip,
        "trunks_codecs": ",".join(outside.codecs),
        "gateways": templates.parts("gateway", (_gateway(trunk) for trunk in trunks)),
        "apply_acl": templates.parts("apply_acl", ({"name": acl_name(t.name)} for t in trunks)),
        "acl_lists": _acl_lists(templates, trunks),
        "mark_internal": _mark(templates, settings, "il_origin=internal"),
        "mark_trunk": _mark(templates, settings, "il_origin=trunk il_gateway=${sip_acl_authed_by}"),
        "park": templates.part("park", fallback_after=round(settings.fallback.after)),
        "fallback_actions": _fallback(templates, settings, trunks),
    }


UNREAD = (
    "video_media_flow text_media_flow audio_media_flow remote_video_media_flow remote_text_media_flow "
    "remote_audio_media_flow sip_local_network_addr sip_invite_stamp sip_received_port sip_authorized "
    "sip_from_user_stripped sip_from_port sip_full_via sip_req_port sip_req_host sip_to_port "
    "sip_contact_port sip_contact_host sip_via_host sip_via_port sofia_profile_url recovery_profile_name "
    "rtp_audio_recv_pt rtp_use_codec_string rtp_use_codec_channels rtp_last_audio_codec_string read_codec "
    "read_rate write_codec write_rate DP_MATCH"
)
"""Variables of an incoming call that neither the switch nor the engine ever reads again: they are taken off when it
comes, for each of the twenty events of a call carries them all. What people look for in a trace stays."""


def _mark(templates: Templates, settings: SwitchSettings, origin: str) -> Xml:
    return templates.part(
        "mark",
        origin=origin,
        unread=UNREAD,
        media_timeout_ms=round(settings.dead_line * 1000),
    )


def _silence(seconds: float) -> int:
    """The profile asks phones, and looks for expired ones, once a second in the same breath. A question that
    times out on a whole second meets that look, and the registration goes without ``sofia::expire`` (seen in
    2 of 3 cases); between two looks it does not."""
    return int(max(1.0, seconds)) * 1000 - 500


def _gateway(trunk: Trunk) -> dict[str, str | int]:
    host = f"[{trunk.host}]" if ":" in trunk.host else trunk.host
    return {
        "name": trunk.name,
        "proxy": f"{host}:{trunk.port}",
        "realm": trunk.realm or host,
        "register": "true" if trunk.registers else "false",
        "username": trunk.username or "insideline",
        "password": trunk.password.get_secret_value() or "none",
        "transport": trunk.transport,
        "caller_id_in_from": "true" if trunk.show_caller else "false",
        "ping": round(trunk.ping),
    }


def _acl_lists(templates: Templates, trunks: list[Trunk]) -> Xml:
    rows = []
    for trunk in trunks:
        nodes = templates.parts("acl_node", ({"cidr": network} for network in trunk.allowed))
        rows.append({"name": acl_name(trunk.name), "nodes": nodes})
    return templates.parts("acl", rows)


def _fallback(templates: Templates, settings: SwitchSettings, trunks: list[Trunk]) -> Xml:
    fallback = settings.fallback
    apology = templates.part(
        "apology", apology=str(fallback.apology.absolute()) if fallback.apology else TONE
    )
    if fallback.number is None or fallback.trunk is None:
        return apology
    if fallback.trunk not in {trunk.name for trunk in trunks}:
        raise ConfigError(f"the fallback's trunk {fallback.trunk!r} is none of the trunks")
    # Nobody answers there either: then the apology.
    return Xml(templates.part("elsewhere", trunk=fallback.trunk, number=fallback.number) + apology)


def write_private(path: Path, text: str) -> None:
    """Write ``path`` whole or not at all, readable by this user only (0600, its folder 0700)."""
    for folder in reversed([f for f in path.parents if not f.exists()]):
        folder.mkdir(mode=0o700, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(beside, path)
