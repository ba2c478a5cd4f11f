"""Ask a switch a few questions over a socket of one's own, and hang up.

For the launcher and the safety check, which run before the engine's lasting connection exists and must
not depend on its reconnecting. Blocks the calling greenlet only (sockets are patched), within a limit.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence

from engine.clock import Clock, TimeUp
from engine.errors import CommandTimeout, NotConnected, SwitchError
from engine.esl import commands
from engine.esl.commands import Command
from engine.esl.wire import Decoder, Frame, WireError


def ask(
    host: str, port: int, password: str, questions: Sequence[Command], *, clock: Clock, within: float = 5.0
) -> list[str]:
    """The answers to API commands, in order.

    :class:`NotConnected` when nothing listens or the password is wrong, :class:`CommandTimeout` when the
    whole takes longer than ``within`` seconds.
    """
    try:
        with clock.timeout(within) as mine, clock.outside(), _Line(host, port) as line:
            line.greet(password)
            return [line.api(question) for question in questions]
    except TimeUp as up:
        if up is not mine:
            raise
        raise CommandTimeout(f"the switch at {host}:{port} did not answer within {within:g} s") from None
    except WireError as error:
        raise SwitchError(f"what answers at {host}:{port} is no event socket ({error})") from None
    except OSError as error:
        raise NotConnected(f"no event socket at {host}:{port} ({error.strerror or error})") from None


class _Line:
    def __init__(self, host: str, port: int) -> None:
        self._where = f"{host}:{port}"
        self._socket = socket.create_connection((host, port))
        self._decoder = Decoder()

    def __enter__(self) -> _Line:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def greet(self, password: str) -> None:
        hello = self._frame()
        if hello.headers.get("Content-Type") != "auth/request":
            raise NotConnected(
                f"{self._where} turned us away ({hello.body.decode(errors='replace').strip()})"
            )
        self._socket.sendall(commands.auth(password).wire())
        if not self._frame().headers.get("Reply-Text", "").startswith("+OK"):
            raise NotConnected(f"{self._where} refused the password")

    def api(self, question: Command) -> str:
        self._socket.sendall(question.wire())
        while True:
            frame = self._frame()
            if frame.headers.get("Content-Type") == "api/response":
                return frame.body.decode(errors="replace")

    def _frame(self) -> Frame:
        while (frame := self._decoder.next()) is None:
            data = self._socket.recv(65536)
            if not data:
                raise NotConnected(f"{self._where} closed the connection")
            self._decoder.feed(data)
        return frame
