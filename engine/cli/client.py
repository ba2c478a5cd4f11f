"""The command line's end of the control API."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from engine.cli.failing import Failed
from engine.web.place import USUAL, reachable

if TYPE_CHECKING:
    import httpx

PATIENCE = 30.0  # seconds; a long poll takes up to 20


class NoEngine(Failed):
    """No engine runs in this home."""


def asked(home: Path, path: str, alone: Callable[[Any], Any], **wanted: Any) -> Any:
    """What the running engine has at ``path``; where none runs, what ``alone`` makes of ``engine.cli.offline``."""
    try:
        with Engine(home) as engine:
            return engine.get(path, **wanted)
    except NoEngine:
        from engine.cli import offline

        return alone(offline)


def socket_of(home: Path) -> Path:
    """The control socket of the engine of this home."""
    conf = home / "conf" / "engine.yaml"
    try:
        says = re.search(r"^[^#\n]*\bsocket\s*:", conf.read_text(encoding="utf-8"), re.M) is not None
    except (OSError, ValueError):
        says = False  # the engine itself refuses such a file, with its place
    if not says:
        return reachable(home / USUAL)
    from engine.cli.offline import settings_of  # reads the file by its rules, which takes a while

    return reachable(settings_of(home).folders(home).control_socket)


class Engine:
    """The running engine of a home. Every method raises :class:`Failed` with the engine's own words."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._client: httpx.Client | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            self._client.close()

    @property
    def runs(self) -> bool:
        """Whether an engine answers."""
        try:
            self.get("/news", after=2**53)
        except NoEngine:
            return False
        return True

    def get(self, path: str, **wanted: Any) -> Any:
        """What is at ``path``; ``wanted`` (without what is None or "") goes into the query."""
        return self._ask(
            "GET", path, params={key: value for key, value in wanted.items() if value not in (None, "")}
        )

    def post(self, path: str, **body: Any) -> Any:
        """Do something."""
        return self._ask("POST", path, json=body)

    def delete(self, path: str, **wanted: str) -> Any:
        """End something."""
        return self._ask("DELETE", path, params=wanted)

    def _ask(self, method: str, path: str, **more: Any) -> Any:
        import httpx

        if self._client is None:
            self._client = httpx.Client(
                # No TLS on it, so no certificates to read: that took a command longer than all it asks.
                transport=httpx.HTTPTransport(uds=str(socket_of(self.home)), verify=False),
                base_url="http://insideline",
                timeout=PATIENCE,
            )
        try:
            answer = self._client.request(method, path, **more)
        except httpx.ConnectError:
            raise NoEngine(f"no engine runs in {self.home} (`insideline run` starts one)") from None
        except httpx.TimeoutException:
            raise Failed(f"the engine did not answer within {PATIENCE:g} s") from None
        except httpx.HTTPError:
            raise Failed("the engine went away") from None
        try:
            said = answer.json()
        except ValueError:
            raise Failed(f"the engine answered {answer.status_code} without words") from None
        if answer.is_error:
            raise Failed(said["error"] if isinstance(said, dict) and "error" in said else str(said))
        return said
