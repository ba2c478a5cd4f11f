"""The department as such: its settings, its company systems."""

from __future__ import annotations

from engine.api import Adapter, Department, Duration, Settings

from .contracts import OrderSystem, Policies, SupplierSystem, Warehouse
from .desk import Desk, SqlDesk
from .history import history
from .http import HttpOrders, HttpPolicies, HttpSuppliers, HttpWarehouse
from .kinds import KINDS
from .models import Base
from .seed import fill
from .sql import SqlOrders, SqlPolicies
from .stock import SqlSuppliers, SqlWarehouse


class Region(Settings):
    """Who supervises a region: an agent of conf/agents.yaml, and the group of conf/notify.yaml that is told."""

    supervisor: str
    agent: str
    group: str


class Rules(Settings):
    """``departments: {orders: …}`` in conf/engine.yaml."""

    regions: dict[str, Region] = {}
    answer: Duration = 4 * 3600.0  # open hours in which an exception is to be decided
    settle: Duration = 16 * 3600.0  # and a return or a report of goods sold across regions


department = Department(
    "orders",
    title="Distributors' order desk",
    tables="orders_",
    models=Base.metadata,
    # The desk's own work comes first: reports, commands and hooks run there unless they say otherwise.
    adapters=[
        Adapter(Desk, sql=SqlDesk),
        Adapter(OrderSystem, sql=SqlOrders, http=HttpOrders),
        Adapter(Warehouse, sql=SqlWarehouse, http=HttpWarehouse),
        Adapter(Policies, sql=SqlPolicies, http=HttpPolicies),
        Adapter(SupplierSystem, sql=SqlSuppliers, http=HttpSuppliers),
    ],
    sample=fill,
    history=history,
    settings=Rules,
    tickets=KINDS,
)
