"""Whether the ports that a FreeSWITCH of ours wants are free."""

from __future__ import annotations

import socket

from engine.switch.freeswitch import HOST
from engine.switch.settings import SwitchSettings


def taken_ports(settings: SwitchSettings, *, trunks: bool) -> tuple[list[str], list[str]]:
    """The ports that somebody uses (or that we can't open, with why), and all that were looked at."""
    wanted = [
        ("event socket", HOST, settings.event_socket, socket.SOCK_STREAM),
        ("phones", settings.phones.ip, settings.phones.port, socket.SOCK_DGRAM),
    ]
    if trunks:
        wanted.append(("trunks", settings.trunks.ip, settings.trunks.port, socket.SOCK_DGRAM))
    taken, looked = [], []
    for what, host, port, kind in wanted:
        looked.append(f"{what} {host}:{port}")
        family = socket.AF_INET6 if ":" in str(host) else socket.AF_INET
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((str(host), port))
            except OSError as error:
                taken.append(f"{what} {host}:{port} ({error.strerror})")
    return taken, looked


__all__ = ["taken_ports"]
