"""Databases by the thousand, and each statement compiled once.

SQLAlchemy keeps what it compiled by engine and dialect. Each centre of a test has engines of its own, so that half of
the time in its database went into compiling the same statements again. Within one run of tests the engines of one kind
share a dialect and what was compiled for it; their connections, transactions and threads are their own as ever.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.util import LRUCache

from engine.store import engines

_STATEMENTS = 2000  # of all tables of all tests; one engine keeps 500 by default


def share_compiled() -> None:
    """From now on, for the rest of the process."""
    shared: dict[str, tuple[Any, Any]] = {}
    create: Any = vars(engines)["create_engine"]

    def create_engine(*args: Any, **named: Any) -> Engine:
        made: Engine = create(*args, **named)
        known = shared.get(made.dialect.name)
        if known is not None:
            made.dialect, compiled = known
            made.update_execution_options(compiled_cache=compiled)
            return made
        own, compiled = made.dialect, LRUCache(_STATEMENTS)

        def share(_connection: object) -> None:
            # The dialect has asked the database by now what it is and can.
            shared.setdefault(own.name, (own, compiled))

        event.listen(made, "engine_connect", share, once=True)
        return made

    setattr(engines, create.__name__, create_engine)


__all__ = ["share_compiled"]
