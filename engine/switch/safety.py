"""Refuse a switch that would make a telephone call a way into the machine (freeswitch/README.md says why).

Asked of the live switch, not of its files: what counts is what runs.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable

import psutil

from engine.errors import SwitchUnsafe
from engine.esl import commands
from engine.esl.commands import Command

SHIPPED_PASSWORD = "ClueCon"  # what FreeSWITCH uses when nobody chose one


def check_safety(
    api: Callable[[Command], str], *, host: str, port: int, password: str, allow_remote: bool = False
) -> None:
    """Raise :class:`SwitchUnsafe`, naming everything that is wrong, unless this switch can be trusted.

    ``api`` sends one API command and returns the answer; ``allow_remote`` accepts an event socket that
    listens on more than the loopback (behind a firewall that is the administrator's business).
    """
    wrong = []
    if password == SHIPPED_PASSWORD:
        wrong.append("its event socket has FreeSWITCH's shipped password: choose another (event_socket.conf)")
    if commands.expands(api(commands.expand_probe())):
        wrong.append(
            "it runs commands found in call data: set api-expansion to false (switch.conf) and restart it"
        )
    if not allow_remote and (where := open_to_others(host, port)):
        wrong.append(f"its event socket listens on {where}, for others to reach: bind it to 127.0.0.1")
    if wrong:
        raise SwitchUnsafe(f"this switch ({host}:{port}) is not safe to run on: " + "; ".join(wrong))


def open_to_others(host: str, port: int) -> str | None:
    """The address, other than the loopback, that the event socket at ``host:port`` listens on; else None.

    A switch on another machine is reached over the network, so its socket is open by definition. On this
    machine the operating system knows what listens, also when we came in by 127.0.0.1.
    """
    if not _loopback(host):
        return host
    try:
        listening = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:  # some systems tell only root; then the address we use has to do
        return None
    for connection in listening:
        if connection.status != psutil.CONN_LISTEN or not connection.laddr or connection.laddr.port != port:
            continue
        if not _loopback(connection.laddr.ip):
            return str(connection.laddr.ip)
    return None


def _loopback(host: str) -> bool:
    try:
        addresses = {ipaddress.ip_address(host)}
    except ValueError:
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except OSError:
            return False
        addresses = {ipaddress.ip_address(item[4][0]) for item in found}
    return bool(addresses) and all(address.is_loopback for address in addresses)
