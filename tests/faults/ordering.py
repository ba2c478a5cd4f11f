"""An order desk whose one command is carried out in its own tables, or by a remote system; and engines that die.

``Points`` counts every moment between two marks at which an engine may die with something half done: before and after
each transaction, before and after everything that is sent to the switch, and at the remote before and after it did
what it was told. At the moment that a test asks for, the engine dies there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import gevent
import pytest

from engine.clock import Clock
from engine.errors import Refused
from engine.esl.connection import Connection
from engine.hooks.loading import load_folder
from engine.store.jobs import Jobs
from engine.store.store import Store
from engine.testing.home import Home
from engine.testing.twin import Twin

PLUGIN = '''
"""Orders of the tests: in its own tables, or at a remote."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy import Column, Integer, MetaData, String, Table, insert

from engine.api import Adapter, Context, Department, Digits, HttpClient, Refused, command, hookimpl

models = MetaData()
orders = Table("orders_order", models, Column("id", Integer, primary_key=True), Column("draft", String))


class Orders(Protocol):
    def place(self, draft: str, *, key: str) -> str: ...


class SqlOrders:
    def __init__(self, session):
        self.session = session

    def place(self, draft, *, key):
        result = self.session.execute(insert(orders).values(draft=draft))
        return f"{70000 + result.inserted_primary_key[0]}"


class HttpOrders:
    def __init__(self, client: HttpClient):
        self.client = client

    def place(self, draft, *, key):
        return self.client.do("place", {"draft": draft}, str, key=key)


department = Department(
    "orders", tables="orders_", models=models, adapters=[Adapter(Orders, sql=SqlOrders, http=HttpOrders)]
)


@command(department, refusals=("credit",))
def place(ctx: Context, draft: Digits) -> Digits:
    return ctx.adapter(Orders).place(draft, key=ctx.key)


@hookimpl
def register_department():
    return department
'''

FLOW = """
greet:
  - answer
  - collect: {into: draft, as: digits, length: 4, end: none, prompt: Your draft?, give_up: bye}
  - confirm: {prompt: "To order, press 1.", yes: place, no: bye, give_up: bye}
place:
  - id: place
    command:
      do: orders.place
      with: {draft: "{draft}"}
      into: number
      once: "{draft}"
      within: 3s
      refused: {credit: refused}
      pending: later
      failed: sorry
  - say: ordered
  - go: bye
refused:
  - play: No credit.
  - go: bye
later:
  - play: We do not know yet.
  - go: bye
sorry:
  - play: That did not work.
  - go: bye
bye:
  - play: Goodbye.
  - hangup
"""

ENGINE = """\
grammar: 1
languages: [en]
departments:
  orders:
    adapters:
      Orders: {{kind: http, url: "{url}"}}
"""


class Remote:
    """The remote's own side."""

    def __init__(self) -> None:
        self.orders: list[str] = []

    def place(self, draft: str, *, key: str) -> str:
        if draft.startswith("4"):
            raise Refused("credit")
        self.orders.append(draft)
        return f"{90000 + len(self.orders)}"


class Desk:
    """A centre with the order desk on number 8000."""

    def __init__(self, centre: Any, twin: Twin | None, remote: Remote) -> None:
        self.centre = centre
        self.twin = twin
        self.remote = remote

    def orders(self, draft: str) -> int:
        """How many orders there are of this draft."""
        if self.twin is not None:
            return self.remote.orders.count(draft)
        return len(self.centre.rows("orders.order", draft=draft))

    def confirms(self, draft: str) -> Any:
        """A caller who has just pressed the confirming key."""
        caller = self.centre.caller().dials("8000")
        caller.hears("Your draft?").presses(draft)
        return caller.hears("To order, press 1.").presses("1")

    def hears_number(self, caller: Any) -> str:
        return str(caller.hears("ordered").values["number"])

    def settles(self, draft: str, seconds: float = 60.0) -> None:
        """Time for the outbox."""
        self.centre.clock.advance(seconds)


@contextmanager
def order_desk(home: Home, centre_of: Callable[[Any], Any], *, over: str) -> Iterator[Desk]:
    home.plugin("orders", PLUGIN).flow("orders/main", FLOW).number("8000", "orders/main")
    home.prompts(ordered="Your order is {number:digits}.")
    remote, twin = Remote(), None
    if over == "http":
        plugin = load_folder(home.folder / "plugins" / "orders")

        @contextmanager
        def opened() -> Iterator[Remote]:
            yield remote

        twin = Twin(plugin.Orders, opened, Clock())
        home.write("conf/engine.yaml", ENGINE.format(url=twin.url))
    centre = centre_of(home)
    if twin is not None:
        twin.keep(centre.virtual)
    try:
        yield Desk(centre, twin, remote)
    finally:
        if twin is not None:
            twin.close()


DEEDS = ((Store, "deed"),)
"""Before a deed, and once it is committed and nobody has heard of it."""
EVERYTHING = ((Jobs, "run"), (Connection, "post"), (Connection, "api"))
"""Before and after each transaction, and everything that is sent to the switch."""


class Points:
    """See the head of this file. ``armed(n)``: in this block the engine dies at its n-th point."""

    def __init__(
        self,
        centre: Any,
        twin: Twin | None,
        monkeypatch: pytest.MonkeyPatch,
        moments: Sequence[tuple[Any, str]] = EVERYTHING,
    ) -> None:
        self._centre = centre
        self._at = 0
        self._on = False
        self.count = 0
        self.names: list[str] = []
        self.died = False
        self._dying = False
        for owner, name in moments:
            monkeypatch.setattr(owner, name, self._around(getattr(owner, name), f"{owner.__name__}.{name}"))
        self._patch = monkeypatch
        if twin is not None:
            self.watch(twin)

    def watch(self, twin: Twin) -> None:
        """A further remote, before and after it did what it was told; what it is only asked changes nothing."""
        does = twin._do

        def do(method: str, key: str, body: bytes) -> Any:
            if not key:
                return does(method, key, body)
            self._point(f"remote: before {method}", remote=True)
            answer = does(method, key, body)
            self._point(f"remote: after {method}", remote=True)
            return answer

        self._patch.setattr(twin, "_do", do)

    @contextmanager
    def armed(self, at: int) -> Iterator[None]:
        self._at, self.count, self.died, self.names, self._on = at, 0, False, [], True
        try:
            yield
        finally:
            self._on = False

    def wait_dead(self) -> bool:
        """Whether the engine died; it is dead when this returns."""
        while self._dying:
            self._centre.virtual.sleep(0.01)
        return self.died

    def _around(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        def run(this: Any, *args: Any, **more: Any) -> Any:
            what = f"{name} {getattr(this, 'name', '')}"
            self._point(f"{what}: before")
            result = function(this, *args, **more)
            self._point(f"{what}: after")
            return result

        return run

    def _point(self, name: str, *, remote: bool = False) -> None:
        if self._dying and not remote:
            raise gevent.GreenletExit  # the dead do nothing more
        if not self._on or self.died:
            return
        self.count += 1
        self.names.append(name)
        if self.count == self._at:
            self.died = self._dying = True
            self._centre.virtual.spawn(self._kill)
            if not remote:
                raise gevent.GreenletExit

    def _kill(self) -> None:
        self._on = False
        self._centre.engine.kill()
        self._dying = False
