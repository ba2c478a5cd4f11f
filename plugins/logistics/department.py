"""The department itself, for the modules that declare its queries and commands."""

from __future__ import annotations

from hashlib import sha256
from typing import Protocol

from sqlalchemy.orm import Session

from engine.api import Adapter, Context, Department, Duration, Settings

from .adapters import HttpWaybills, SqlWaybills, WaybillSystem
from .branches import Branches, HttpBranches, SqlBranches
from .customers import Customers, HttpCustomers, SqlCustomers
from .kinds import ANSWER, COMPLAINTS, COMPLETE, EXCEPTIONS, TICKETS
from .models import Base
from .past import write
from .pickups import HttpPickups, Pickups, SqlPickups
from .seed import fill
from .tariffs import HttpTariffs, SqlTariffs, Tariffs


class Rules(Settings):
    """``departments: {logistics: …}`` in conf/engine.yaml."""

    apology: Duration = 24 * 3600.0  # a shipment that is later than this is apologised for
    overdue: Duration = 0.0  # the desk is told in the morning of what is later than this
    lane_days: Duration = 30 * 86400.0  # arrival windows are made of what arrived in so long
    answer: Duration = (
        ANSWER.total_seconds()
    )  # operations owe an answer about a last mile within this much open time
    lead: Duration = 86400.0  # a quote without an order is asked about so much later (whole days)
    diamond: Duration = 7 * 86400.0  # how often a customer is asked how things are
    gold: Duration = 30 * 86400.0
    ordinary: Duration = 90 * 86400.0
    complete: Duration = (
        COMPLETE.total_seconds()
    )  # the desk completes an order to pick something up within this
    exceptions: Duration = (
        EXCEPTIONS.total_seconds()
    )  # complaints of a late, lost or damaged shipment are answered
    complaints: Duration = (
        COMPLAINTS.total_seconds()
    )  # those of a fee or of manners are; an appeal is decided, too
    appeal: Duration = 3 * 86400.0  # how long a branch may appeal of a verdict
    hours: str = "office"  # the calendar of what operations and the groups owe


class Books(Protocol):
    """The department's own books: what was told and promised to callers. They stay with the centre, whatever systems
    the company has, because they are of one piece with its tickets and calls."""

    def open(self) -> Session:
        """The handler's own transaction."""


class SqlBooks:
    """They lie in the centre's database."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def open(self) -> Session:
        return self._session


def typed(ctx: Context, *words: object) -> str:
    """The key of a command that somebody types: the same words are the same deed, to be done once; others are another
    one, which puts the first right or is refused."""
    said = "\0".join(str(one) for one in words)
    return ctx.key or f"typed:{sha256(said.encode()).hexdigest()[:32]}"


department = Department(
    "logistics",
    title="Logistics",
    tables="logistics_",
    models=Base.metadata,
    adapters=[
        Adapter(WaybillSystem, sql=SqlWaybills, http=HttpWaybills),
        Adapter(Tariffs, sql=SqlTariffs, http=HttpTariffs),
        Adapter(Branches, sql=SqlBranches, http=HttpBranches),
        Adapter(Pickups, sql=SqlPickups, http=HttpPickups),
        Adapter(Customers, sql=SqlCustomers, http=HttpCustomers),
        Adapter(Books, sql=SqlBooks),
    ],
    sample=fill,
    history=write,
    settings=Rules,
    tickets=TICKETS,
)
