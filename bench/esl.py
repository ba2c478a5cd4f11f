"""CPU for an event: from the socket to eight header reads in a handler, ours against other clients.

The same events reach each client over TCP from a process of its own (:mod:`bench.feeder`), in the format that
the client can read: greenswitch and python-ESL plain, ours JSON. What is measured is the CPU time of this
process from the subscription to the last event; the best of several rounds, taken in turn, since other work on
the machine only ever adds.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable

from greenswitch.esl import InboundESL

from bench.feeder import END, events
from bench.table import Report
from engine.clock import Clock
from engine.esl.connection import Connection, Event

COUNT = 20_000
ROUNDS = 4
LIMIT = 120  # seconds for one round

# What the dispatcher of the engine looks at, and one that is not there.
HEADERS = (
    "Event-Name",
    "Unique-ID",
    "Application-UUID",
    "Hangup-Cause",
    "Channel-State",
    "variable_il_call",
    "variable_il_done",
    "Event-Subclass",
)


def run(report: Report) -> None:
    feeder = subprocess.Popen(
        [sys.executable, "-m", "bench.feeder", str(COUNT)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert feeder.stdout is not None
        port = int(feeder.stdout.readline())
        clients: dict[str, Callable[[int], float]] = {"ours": _ours, "greenswitch": _greenswitch}
        try:
            import ESL  # noqa: F401 - is it there
        except ImportError:
            missing = "no module ESL can be imported (FreeSWITCH's own build makes it)"
        else:
            missing = ""
            clients["python-ESL"] = _python_esl
        best = dict.fromkeys(clients, float("inf"))
        for _ in range(ROUNDS):
            for name, client in clients.items():
                best[name] = min(best[name], client(port) / COUNT * 1e6)
    finally:
        feeder.kill()
        feeder.wait()
    size = sum(len(event) for event in events()) / len(events())
    name = f"event of {size:.0f} headers, 8 read"
    report.compare(name, best["ours"], best["greenswitch"], "greenswitch 0.0.19", "us", at_least=7)
    if missing:
        report.left_out(name + " (python-ESL)", missing)
    else:
        report.compare(name, best["ours"], best["python-ESL"], "python-ESL (C)", "us")


class _Stopwatch:
    """CPU time from the subscription to the last event (some clients read everything before they hand over
    the first)."""

    def __init__(self, clock: Clock) -> None:
        self.done = clock.event()
        self.began = time.process_time()
        self.seconds = 0.0
        self.count = 0

    def turn(self, name: str | None) -> None:
        self.count += 1
        if name == END:
            self.seconds = time.process_time() - self.began
            self.done.set()

    def result(self) -> float:
        if not self.done.wait(LIMIT) or self.count != COUNT + 1:
            raise RuntimeError(f"{self.count} events of {COUNT + 1} came")
        return self.seconds


def _ours(port: int) -> float:
    clock = Clock()
    watch = _Stopwatch(clock)

    def on_event(event: Event) -> None:
        for header in HEADERS:
            event.get(header)
        watch.turn(event.name)

    connection = Connection("127.0.0.1", port, "x", clock=clock, on_event=on_event)
    connection.start()
    try:
        return watch.result()
    finally:
        connection.stop()


def _greenswitch(port: int) -> float:
    clock = Clock()

    def on_event(event: object) -> None:
        headers = event.headers  # type: ignore[attr-defined]
        for header in HEADERS:
            headers.get(header)
        watch.turn(headers.get("Event-Name"))

    client = InboundESL("127.0.0.1", port, "x")
    client.connect()
    client.register_handle("*", on_event)
    watch = _Stopwatch(clock)
    client.send("event plain ALL")
    try:
        return watch.result()
    finally:
        client._run = False  # its own stop waits for a reader that never ends
        client.sock.shutdown(socket.SHUT_RDWR)
        client.sock.close()


def _python_esl(port: int) -> float:
    import ESL

    client = ESL.ESLconnection("127.0.0.1", str(port), "x")
    watch = _Stopwatch(Clock())
    client.events("plain", "ALL")
    while not watch.done.is_set():
        event = client.recvEvent()
        for header in HEADERS:
            event.getHeader(header)
        watch.turn(event.getHeader("Event-Name"))
    client.disconnect()
    return watch.result()
