"""One engine leads a switch: a lease that lives in the switch itself.

The lease is one key of the switch's hash; ``insert_ifempty`` lets exactly one of many racers have it. It
expires by a task that the switch itself runs (``sched_api … hash delete_ifmatch``), so that an engine
that died, or was stopped, loses it without anybody's help. Renewing adds the next expiry before it
deletes the last one: there is never a moment without. The value names the engine (host, process,
generation), so that one that restarts on the same machine needn't wait for the expiry of its dead
predecessor's lease.

Whoever holds it also tells the dialplan so (``il_led``): a call that comes in then needs no timer of its own that
takes it to the fallback, which an engine would only have to cancel. That, too, expires by itself, and sooner.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

import psutil
import structlog

from engine.clock import Clock
from engine.errors import SwitchError
from engine.esl import commands
from engine.esl.commands import Command

log = structlog.get_logger(__name__)

REALM = "il"
TTL = 6
"""Seconds that the lease outlives the last renewal."""
RENEW = 1.5
"""Seconds between renewals, and between the tries of an engine that waits."""
LED = "il_led"
"""The switch's global variable that is ``true`` while an engine leads: see freeswitch/dialplan/calls.xml."""
LED_TTL = 3
"""Seconds that it outlives the last renewal: calls that come in then and find no engine wait for rescue.lua."""


def engine_name(generation: str) -> str:
    """This engine's name in the lease: host, process and generation; letters, digits, ``-`` and ``.`` only."""
    host = "".join(c if c.isalnum() else "-" for c in socket.gethostname())[:40] or "host"
    return f"{host}.{os.getpid()}.{generation}"


class Lease:
    """The lease of one engine on one switch. Its calls belong to one greenlet."""

    def __init__(self, clock: Clock, ask: Callable[[Command], str], name: str, *, key: str = "lease") -> None:
        self._clock = clock
        self._ask = ask
        self._name = name
        self._key = key
        self._turn = 0
        self.held = False

    def holder(self) -> str:
        """Who leads now, "" when nobody does."""
        answer = self._ask(commands.hash_select(REALM, self._key)).strip()
        return "" if answer.startswith("-ERR") else answer

    def try_acquire(self) -> bool:
        """Take the lease if nobody (alive, on this machine) has it."""
        holder = self.holder()
        if holder and holder != self._name and self._is_dead(holder):
            log.info("lease.predecessor_dead", holder=holder)
            self._quietly(commands.hash_delete_ifmatch(REALM, self._key, holder))
        if holder != self._name:
            self._quietly(commands.hash_insert_ifempty(REALM, self._key, self._name))
        self.held = self.holder() == self._name
        if self.held:
            self._arm()
        return self.held

    def renew(self) -> bool:
        """Put the expiry off; False (and no longer ``held``) when the lease is somebody else's, or gone."""
        self.held = self.holder() == self._name
        if self.held:
            self._arm()
        return self.held

    def release(self) -> None:
        """Give the lease back."""
        if self.held:
            self.held = False
            self._quietly(commands.global_setvar(LED, "false"))
            self._quietly(commands.hash_delete_ifmatch(REALM, self._key, self._name))

    def _arm(self) -> None:
        group = f"il_{self._key}_{self._name}_{self._turn % 2}"
        former = f"il_{self._key}_{self._name}_{(self._turn + 1) % 2}"
        self._turn += 1
        expiry = commands.hash_delete_ifmatch(REALM, self._key, self._name)
        self._ask(commands.sched_api(TTL, group, expiry))
        self._ask(commands.sched_api(LED_TTL, group, commands.global_setvar(LED, "false")))
        self._quietly(commands.sched_del(former))
        self._ask(commands.global_setvar(LED, "true"))

    def _quietly(self, command: Command) -> None:
        """Ask for what the switch may rightly refuse (the key is there already, the task has run)."""
        try:
            self._ask(command)
        except SwitchError as error:
            log.debug("lease.refused", command=command.name, error=str(error))

    def _is_dead(self, holder: str) -> bool:
        host, _, rest = holder.partition(".")
        pid, _, _ = rest.partition(".")
        ours, _, _ = self._name.partition(".")
        return host == ours and pid.isdigit() and int(pid) != os.getpid() and not psutil.pid_exists(int(pid))
