"""The control API's server: HTTP over a Unix socket that only the engine's own user may open."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from gevent import socket
from gevent.pywsgi import WSGIServer

from engine.errors import ConfigError
from engine.web.place import make_folder, reachable

log = structlog.get_logger(__name__)

_BACKLOG = 64


class Server:
    """Serves a WSGI application on the socket ``path`` (or, where that is too long for one, on
    ``reachable(path)``) from :meth:`start` to :meth:`stop`."""

    def __init__(self, application: Callable[..., Any], path: Path) -> None:
        self.path = reachable(path)
        self._application = application
        self._server: WSGIServer | None = None

    def start(self) -> None:
        """Listen. :class:`ConfigError` when another engine answers there already."""
        listener = _listen(self.path)
        self._server = WSGIServer(
            listener, self._application, log=None, error_log=logging.getLogger("engine.web")
        )
        self._server.start()
        log.debug("web.listening", path=str(self.path))

    def stop(self, timeout: float = 1.0) -> None:
        """Answer what is being asked within ``timeout`` seconds, and take the socket away."""
        if self._server is not None:
            self._server.stop(timeout=timeout)
            self._server = None
            self.path.unlink(missing_ok=True)


def _listen(path: Path) -> Any:
    make_folder(path)
    if path.is_symlink() or (path.exists() and not path.is_socket()):
        raise ConfigError(f"{path} is in the way: it is no socket")
    refuse_a_second_engine(path)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # The mode is right from the first moment on: nothing runs between these lines.
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    except OSError as error:
        listener.close()
        raise ConfigError(f"{path} can't be listened on: {error.strerror}") from error
    finally:
        os.umask(before)
    listener.listen(_BACKLOG)
    return listener


def refuse_a_second_engine(path: Path) -> None:
    """:class:`ConfigError` when an engine answers on the socket ``path``."""
    if not path.exists():
        return
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        probe.connect(str(path))
    except OSError as error:
        if error.errno in (errno.ECONNREFUSED, errno.ENOENT):
            return  # left behind by an engine that was killed
        raise ConfigError(f"{path} can't be used: {error.strerror}") from error
    finally:
        probe.close()
    ends = "Ctrl-C or SIGTERM ends it when its calls are over"
    raise ConfigError(f"an engine runs in this home already (it answers on {path}); {ends}")
