"""A remote twin: a real http server on this machine that serves an adapter of a department as JSON.

So every department can be tried over http, without a line of its own: ``POST <base>/<method>`` with the arguments as a
JSON object, the answer as JSON, a refusal as 409. It keeps idempotency keys, as a remote system must: the same key is
answered the same, and done once. And it can be made to fail in the ways in which remote systems do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any, get_type_hints

from gevent.pywsgi import WSGIHandler, WSGIServer
from gevent.socket import wait_read
from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from engine.clock import Clock, VirtualClock
from engine.errors import Refused
from engine.hooks.http import KEY_HEADER

Answer = tuple[int, bytes]


class _Handler(WSGIHandler):
    """Lets the application see the socket, to notice a client that gave up."""

    def get_environ(self) -> dict[str, Any]:
        return {**super().get_environ(), "insideline.socket": self.socket}


class Twin:
    """Serves ``system`` (a contract's adapter) at ``url``. ``opened`` gives it for one request: a context manager, in
    which a session may be open, that commits when it is left well."""

    def __init__(
        self, contract: Any, opened: Callable[[], AbstractContextManager[Any]], clock: Clock
    ) -> None:
        self.contract = contract
        self._opened = opened
        self._clock = clock
        self._answers: dict[str, Answer] = {}
        self._before: list[Callable[[dict[str, Any]], Answer | None]] = []
        self._after: list[Callable[[dict[str, Any]], Answer | None]] = []
        self._over = clock.event()
        self.seen: list[tuple[str, str]] = []  # method and key of each request that came
        self.did: list[tuple[str, str]] = []  # of each that was carried out
        self._server = self._listen(0)
        self.port = int(self._server.server_port or 0)

    @property
    def url(self) -> str:
        """Its base address."""
        return f"http://127.0.0.1:{self.port}"

    def keep(self, clock: Clock) -> Twin:
        """Go by this clock from now on: that of the engine that it serves."""
        self._clock, self._over = clock, clock.event()
        return self

    def close(self) -> None:
        """Go away for good."""
        self.back()
        self._server.stop(timeout=0)

    # -- trouble --------------------------------------------------------------------------------------

    def dead(self) -> Twin:
        """Nobody listens there."""
        self._server.stop(timeout=0)
        return self

    def hangs(self) -> Twin:
        """Requests arrive, nothing is done, and no answer comes."""
        self._before = [self._hang]
        return self

    def accepts_then_hangs(self, times: int | None = None) -> Twin:
        """It does what it is told, and no answer comes."""
        self._after = [self._counted(self._hang, times)]
        return self

    def fails(self, status: int = 503, times: int | None = None) -> Twin:
        """It does nothing, and answers with an error."""
        self._before = [self._counted(lambda request: (status, b"{}"), times)]
        return self

    def accepts_then_fails(self, status: int = 500, times: int | None = None) -> Twin:
        """It does what it is told, and answers with an error."""
        self._after = [self._counted(lambda request: (status, b"{}"), times)]
        return self

    def raises(self, refusal: Refused) -> Twin:
        """It refuses everything."""
        answer = _refused(refusal)
        self._before = [lambda request: answer]
        return self

    def after(self, seconds: float) -> Twin:
        """It takes so long."""
        self._before = [lambda request: self._pause(request, seconds)]
        return self

    def back(self) -> Twin:
        """It works again."""
        self._before, self._after = [], []
        self._over.set()
        self._over = self._clock.event()
        if not self._server.started:
            self._server = self._listen(self.port)
        return self

    # -- serving --------------------------------------------------------------------------------------

    def _listen(self, port: int) -> WSGIServer:
        server = WSGIServer(("127.0.0.1", port), self._serve, log=None, handler_class=_Handler)
        server.start()
        return server

    def _serve(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        method = environ["PATH_INFO"].strip("/")
        key = environ.get("HTTP_" + KEY_HEADER.upper().replace("-", "_"), "")
        self.seen.append((method, key))
        status, body = self._answer(environ, method, key, environ["wsgi.input"].read())
        start(f"{status} -", [("Content-Type", "application/json"), ("Connection", "close")])
        return [body]

    def _answer(self, environ: dict[str, Any], method: str, key: str, body: bytes) -> Answer:
        for trouble in self._before:
            if (answer := trouble(environ)) is not None:
                return answer
        answer = self._answers.get(key) if key else None
        if answer is None:
            answer = self._do(method, key, body)
            if key and answer[0] < 400:  # a refusal is no deed: asked again, it is looked at again
                self._answers[key] = answer
        for trouble in self._after:
            if (instead := trouble(environ)) is not None:
                return instead
        return answer

    def _do(self, method: str, key: str, body: bytes) -> Answer:
        function = getattr(self.contract, method, None)
        if method.startswith("_") or function is None:
            return 404, b"{}"
        hints = get_type_hints(function, include_extras=True)
        returns = hints.pop("return", Any)
        try:
            said = from_json(body) if body else {}
            arguments = {
                name: TypeAdapter(hints[name]).validate_python(value) for name, value in said.items()
            }
        except (ValidationError, ValueError, KeyError, AttributeError):
            return 400, b"{}"
        if "key" in hints:
            if not key:
                return 400, b"{}"
            arguments["key"] = key
        try:
            with self._opened() as system:
                result = getattr(system, method)(**arguments)
                answer = 200, TypeAdapter(returns).dump_json(result)
        except Refused as refusal:
            return _refused(refusal)
        self.did.append((method, key))
        return answer

    # -- trouble, inside ------------------------------------------------------------------------------

    def _counted(
        self, trouble: Callable[[dict[str, Any]], Answer | None], times: int | None
    ) -> Callable[[dict[str, Any]], Answer | None]:
        left: list[int | None] = [times]

        def run(request: dict[str, Any]) -> Answer | None:
            if left[0] is not None:
                if left[0] == 0:
                    return None
                left[0] -= 1
            return trouble(request)

        return run

    def _hang(self, request: dict[str, Any]) -> Answer | None:
        over = self._over
        self._wait(request, over.wait)
        return 504, b"{}"

    def _pause(self, request: dict[str, Any], seconds: float) -> Answer | None:
        self._wait(request, lambda: self._clock.sleep(seconds))
        return None

    def _wait(self, request: dict[str, Any], until: Callable[[], object]) -> None:
        """Until ``until`` returns or the client gives up; a virtual clock goes on meanwhile."""
        clock, done = self._clock, self._clock.event()
        watch = clock.spawn(_gave_up, request["insideline.socket"], done.set)
        wait = clock.spawn(_then, until, done.set)
        if isinstance(clock, VirtualClock):
            clock.outside_hangs()
        try:
            done.wait()
        finally:
            if isinstance(clock, VirtualClock):
                clock.outside_returns()
            watch.kill(block=False)
            wait.kill(block=False)


def _gave_up(socket: Any, tell: Callable[[], object]) -> None:
    wait_read(socket.fileno())
    tell()


def _then(first: Callable[[], object], then: Callable[[], object]) -> None:
    first()
    then()


def _refused(refusal: Refused) -> Answer:
    return 409, to_json({"reason": refusal.reason, "details": refusal.details}, serialize_unknown=True)
