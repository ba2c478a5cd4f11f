"""How bytes reach a session: a pipe in memory, or TCP."""

from __future__ import annotations

import socket
from collections import deque
from typing import TYPE_CHECKING

import gevent.server

from engine.clock import Clock
from engine.switch.simulator.session import Session

if TYPE_CHECKING:
    from engine.switch.simulator.switch import Switch


class Pipe:
    """The client's end of an event socket without a socket.

    ``sendall`` hands bytes to the switch and returns when it has taken them; ``recv`` waits on the
    clock, so that a virtual clock knows that nobody is busy.
    """

    def __init__(self, clock: Clock, switch: Switch, password: str) -> None:
        self._bytes: deque[bytes] = deque()
        self._size = 0
        self._ready = clock.event()
        self.ended = False
        self._broken = False
        self._held = False
        self._session = Session(switch, password, self._take, self._end)
        self._session.waiting = self._waiting

    def _waiting(self) -> int:
        return len(self._bytes)

    def _take(self, data: bytes) -> None:
        self._bytes.append(data)
        if not self._held:
            self._ready.set()

    def _end(self) -> None:
        self.ended = True
        self._ready.set()

    def sendall(self, data: bytes) -> None:
        """Send; raises BrokenPipeError when the connection is over."""
        if self.ended:
            raise BrokenPipeError("the event socket is closed")
        if not self._broken:
            self._session.feed(bytes(data))

    def send(self, data: bytes) -> int:
        """As ``socket.send``; always takes everything."""
        self.sendall(data)
        return len(data)

    def recv(self, size: int) -> bytes:
        """Up to ``size`` bytes; b"" when the connection is over and everything was read."""
        while not self._bytes or self._held:
            if self.ended and not self._held:
                return b""
            self._ready.clear()
            self._ready.wait()
        parts: list[bytes] = []
        room = size
        while self._bytes and room > 0:
            part = self._bytes.popleft()
            if len(part) > room:
                self._bytes.appendleft(part[room:])
                part = part[:room]
            parts.append(part)
            room -= len(part)
        return b"".join(parts)

    def close(self) -> None:
        """The client closes."""
        self._session.feed(b"")
        self._end()

    # -- faults, for tests ------------------------------------------------------------------------

    def cut(self) -> None:
        """The connection breaks, without a notice."""
        self._session.end()

    def silence(self, silent: bool = True) -> None:
        """A half-open connection: nothing arrives in either direction, and nobody is told."""
        self._broken = self._held = silent
        if not silent and (self._bytes or self.ended):
            self._ready.set()


class TcpServer:
    """The event socket on a TCP port."""

    def __init__(self, clock: Clock, switch: Switch, password: str, host: str, port: int) -> None:
        self._clock = clock
        self._switch = switch
        self._password = password
        self._connections: set[_TcpConnection] = set()
        self._server = gevent.server.StreamServer((host, port), self._serve)
        self._server.start()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port it listens on."""
        return str(self._server.server_host), int(self._server.server_port or 0)

    def _serve(self, sock: socket.socket, address: object) -> None:
        connection = _TcpConnection(self._clock, self._switch, self._password, sock)
        self._connections.add(connection)
        try:
            connection.read()
        finally:
            self._connections.discard(connection)

    def stop(self) -> None:
        """Close the port and all connections."""
        self._server.stop()
        for connection in list(self._connections):
            connection.drop()


class _TcpConnection:
    def __init__(self, clock: Clock, switch: Switch, password: str, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._out: deque[bytes] = deque()
        self._ready = clock.event()
        self._ending = False
        self._writer = clock.spawn(self._write)
        self._session = Session(switch, password, self._take, self._end)
        self._session.waiting = self._waiting

    def _waiting(self) -> int:
        return len(self._out)

    def _take(self, data: bytes) -> None:
        self._out.append(data)
        self._ready.set()

    def _end(self) -> None:
        self._ending = True
        self._ready.set()

    def read(self) -> None:
        """Feed the session until the client closes."""
        while not self._session.closed:
            try:
                data = self._sock.recv(65536)
            except OSError:
                data = b""
            self._session.feed(data)
        self._writer.join()

    def _write(self) -> None:
        try:
            while True:
                while self._out:
                    batch = b"".join(self._out)
                    self._out.clear()
                    self._sock.sendall(batch)
                if self._ending:
                    break
                self._ready.clear()
                self._ready.wait()
        except OSError:
            self._session.end()
        finally:
            self._sock.close()

    def drop(self) -> None:
        """The switch goes down."""
        self._session.end()
