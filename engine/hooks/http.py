"""Speaking to a company's system over http, so that a department's adapter is a few lines.

::

    class HttpWaybills:
        def __init__(self, client: HttpClient) -> None:
            self._client = client

        def track(self, number: str) -> Shipment | None:
            return self._client.ask("track", {"number": number}, Shipment | None)

        def order_pickup(self, goods: str, *, key: str) -> int:
            return self._client.do("pickups", {"goods": goods}, int, key=key)

Rules that hold:
- What is said goes in the body of a POST, as JSON: no argument stands in an address, where logs would keep it.
- Reads are tried again, commands never here: the outbox does that, with the same key.
- Nothing of a body or a header is logged or put into an error.
- Redirections are not followed, an answer has a limit of size, every request one of time.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import structlog
from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from engine.clock import Clock, TimeUp
from engine.errors import PluginError, Refused, RemoteFailed
from engine.hooks.breaker import Breaker

if TYPE_CHECKING:
    import httpx

log = structlog.get_logger(__name__)

KEY_HEADER: Final = "Idempotency-Key"
MOST_BYTES: Final = 4 << 20
PAUSES: Final = (0.1, 0.4)  # seconds before a read is tried again
LONGEST_PAUSE: Final = 2.0  # that a read, for which somebody waits, makes when the remote asks for one
_PLAIN = re.compile(r"[\x21-\x7e]{1,200}\Z")
_HEADER = re.compile(r"([A-Za-z0-9-]+):[ \t]*([\x20-\x7e]+)\Z")


def header_key(key: str) -> str:
    """``key`` as a header can carry it: itself, or its SHA-256 where it has blanks or other scripts."""
    return key if _PLAIN.match(key) else hashlib.sha256(key.encode()).hexdigest()


class HttpClient:
    """A company's system at a base address. One for each adapter, shared by all calls.

    ``limit``: seconds that one request may take. ``secret_file``: lines ``Header: value``, or one line with a bearer
    token; it is read again when it changes. ``ca_file``: whom to trust instead of the usual authorities.
    """

    def __init__(
        self,
        base_url: str,
        *,
        clock: Clock | None = None,
        name: str = "",
        limit: float = 10.0,
        secret_file: Path | None = None,
        ca_file: Path | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        import httpx

        for noisy in ("httpx", "httpcore"):
            logging.getLogger(noisy).setLevel(logging.WARNING)  # they would log whole addresses
        self.base_url = base_url.rstrip("/") + "/"
        self.name = name or httpx.URL(base_url).host
        self.breaker = breaker
        self._clock = clock or Clock()
        self._limit = limit
        self._secret_file = secret_file
        self._secret: tuple[int, dict[str, str]] = (-1, {})
        self._client = httpx.Client(
            base_url=self.base_url,
            timeout=httpx.Timeout(None, connect=min(5.0, limit)),  # the clock has the others
            verify=_trust(base_url, ca_file),
            trust_env=False,
            headers={"Accept": "application/json", "User-Agent": "insideline"},
        )

    def ask(self, path: str, body: Any = None, returns: Any = Any) -> Any:
        """Read something: POST ``body``, the answer as ``returns``. Tried again when it fails on the way.

        404 is None where ``returns`` may be None. Raises :class:`RemoteFailed`, and :class:`Refused` for 409 and 422.
        """
        return self._read("POST", path, returns, json=body)

    def get(self, path: str, returns: Any = Any, **params: str | int) -> Any:
        """As :meth:`ask`, by GET; ``params`` stand in the address, so nothing private may be among them."""
        return self._read("GET", path, returns, params=params)

    def do(self, path: str, body: Any = None, returns: Any = Any, *, key: str, method: str = "POST") -> Any:
        """Change something, with ``key`` as the remote's idempotency key: for one key it does it once, and answers
        the same whenever it is asked again.

        :class:`Refused` when it says 409 or 422: ``{"reason": "credit", "details": {…}}``. :class:`RemoteFailed`
        for everything else that is no answer; it says whether the remote may have done it.
        """
        if not key:
            raise PluginError("a command to a remote system needs its key: pass key=ctx.key")
        response = self._guarded(method, path, json=body, headers={KEY_HEADER: header_key(key)})
        return self._result(response, returns)

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    # -- inside -------------------------------------------------------------------------------------

    def _read(self, method: str, path: str, returns: Any, **what: Any) -> Any:
        for pause in (*PAUSES, None):
            try:
                response = self._guarded(method, path, **what)
                break
            except RemoteFailed as failed:
                wait = failed.retry_after or pause
                if pause is None or wait is None or failed.lasting or wait > LONGEST_PAUSE:
                    raise
                self._clock.sleep(wait)
        if response[0] == 404 and _may_be_none(returns):
            return None
        return self._result(response, returns)

    def _guarded(self, method: str, path: str, **what: Any) -> tuple[int, bytes]:
        breaker = self.breaker
        if breaker is not None and not breaker.admits():
            raise RemoteFailed(
                f"{self.name} rests: it failed too often", sent=False, retry_after=breaker.rest_left + 0.1
            )
        try:
            answer = self._request(method, path, **what)
        except RemoteFailed as failed:
            if breaker is not None:
                breaker.bad(str(failed))
            log.warning("remote.failed", system=self.name, path=path, why=str(failed), sent=failed.sent)
            raise
        except BaseException:
            if breaker is not None:
                breaker.neither()
            raise
        if breaker is not None:
            breaker.good()
        return answer

    def _request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> tuple[int, bytes]:
        import httpx

        said = dict(self._secrets()) | dict(headers or {})
        if method != "GET":
            more["content"] = to_json(json, bytes_mode="base64")
            said["Content-Type"] = "application/json"
        try:
            with self._clock.timeout(self._limit) as mine, self._clock.outside():
                with self._client.stream(method, path.lstrip("/"), headers=said, **more) as response:
                    body = _within_limits(response)
        except TimeUp as up:
            if up is not mine:
                raise
            raise RemoteFailed(f"no answer within {self._limit:g} s") from None
        except (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.PoolTimeout,
            httpx.UnsupportedProtocol,
        ) as error:
            raise RemoteFailed(f"not reached ({type(error).__name__})", sent=False) from None
        except httpx.InvalidURL:
            raise RemoteFailed("its address can't be used", sent=False, lasting=True) from None
        except (httpx.HTTPError, OSError) as error:
            raise RemoteFailed(f"lost on the way ({type(error).__name__})") from None
        status = response.status_code
        if status >= 500 or status in (408, 425, 429):
            wait = response.headers.get("Retry-After", "")
            raise RemoteFailed(
                f"it answered {status}",
                sent=status != 429,
                retry_after=min(60.0, float(wait)) if wait.isdigit() else None,
            )
        return status, body

    def _result(self, response: tuple[int, bytes], returns: Any) -> Any:
        status, body = response
        if status in (409, 422):
            raise _refusal(body)
        if not 200 <= status < 300:
            raise RemoteFailed(f"it answered {status}", sent=False, lasting=True)
        try:
            return _adapter(returns).validate_json(body or b"null")
        except ValidationError as error:
            faults = error.errors(include_input=False, include_url=False, include_context=False)
            where = ".".join(map(str, faults[0]["loc"])) or "the answer"
            raise RemoteFailed(
                f"its answer does not fit: {where}: {faults[0]['type']}", lasting=True
            ) from None

    def _secrets(self) -> dict[str, str]:
        file = self._secret_file
        if file is None:
            return {}
        try:
            changed = file.stat().st_mtime_ns
            if self._secret[0] != changed:
                self._secret = (changed, _headers(file.read_text(encoding="utf-8"), file))
        except OSError as error:
            raise RemoteFailed(f"{file} can't be read: {error.strerror}", sent=False) from None
        return self._secret[1]


def _trust(base_url: str, ca_file: Path | None) -> Any:
    """Whom to trust. Nobody has to be for a plain address, and reading the authorities takes a while."""
    if not base_url.lower().startswith("https:"):
        return False
    import ssl

    return ssl.create_default_context(cafile=str(ca_file)) if ca_file else True


def _within_limits(response: httpx.Response) -> bytes:
    found = bytearray()
    for chunk in response.iter_bytes():
        found += chunk
        if len(found) > MOST_BYTES:
            raise RemoteFailed(f"its answer is longer than {MOST_BYTES >> 20} MB", lasting=True)
    return bytes(found)


def _headers(text: str, file: Path) -> dict[str, str]:
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if len(lines) == 1 and ":" not in lines[0]:
        return {"Authorization": f"Bearer {lines[0]}"}
    headers = {}
    for number, line in enumerate(lines, 1):
        found = _HEADER.match(line)
        if found is None:
            raise RemoteFailed(f"line {number} of {file} is no `Header: value`", sent=False, lasting=True)
        headers[found[1]] = found[2]
    return headers


def _refusal(body: bytes) -> Refused:
    """``{"reason": …, "details": {…}}`` as the refusal that a command may declare; "refused" for anything else."""
    try:
        said = from_json(body)
    except ValueError:
        said = None
    if not isinstance(said, dict) or not isinstance(said.get("reason"), str):
        return Refused("refused")
    details = said.get("details")
    safe = {str(name): value for name, value in details.items()} if isinstance(details, dict) else {}
    safe.pop("reason", None)
    return Refused(said["reason"], **safe)


@lru_cache(maxsize=512)
def _adapter(returns: Any) -> TypeAdapter[Any]:
    return TypeAdapter(returns)


@lru_cache(maxsize=512)
def _may_be_none(returns: Any) -> bool:
    try:
        _adapter(returns).validate_python(None)
    except ValidationError:
        return False
    return True
