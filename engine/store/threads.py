"""What has to be so before native threads may use SQLAlchemy under gevent.

After ``patch_all`` every lock made by ``threading`` is gevent's. Such a lock may be *held* in a thread of a
pool, but when two threads meet in one, the second waits for a message to the first one's hub, and that
hub does not run: the thread waits for ever (seen: SQLAlchemy's first connection, in four threads at once).

So no lock of gevent's may be waited for in our threads:
- SQLAlchemy counts sessions and loads under a lock; ``itertools.count`` counts without one.
- What it does once per engine, under a lock, is done before there are threads (``Connections.warm``).
- Mappers are configured, and Alembic is imported, on the hub (``Store.open``).
- Nothing is logged from a thread; the spool leaves notes, and the hub logs them.
A test watches every lock that is taken in a thread.
"""

from __future__ import annotations

from itertools import count

from sqlalchemy.orm import loading, session


def settle_locks() -> None:
    """Make SQLAlchemy's counters need no lock. Harmless when done again."""
    for module, name in ((session, "_new_sessionid"), (loading, "_new_runid")):
        if not isinstance(getattr(module, name), type(count().__next__)):
            # A counter that begins anew could give a number twice: begin above whatever was given before.
            setattr(module, name, count(getattr(module, name)() + 1).__next__)
