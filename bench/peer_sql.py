"""What mod_callcenter asks its database to bring an agent and a caller together.

Where the module is installed its own statements are read from its file (:mod:`bench.module_sql`); else these here,
which are of our own, stand for them.

The module keeps three tables without an index (members, agents, tiers) and decides in one thread: it reads all members
who wait, those with the highest score first, and for each of them, in that order, the agents of its queue, ordered by
its strategy. The first agent that is available and at rest gets the member. Here are tables and two statements of the
same shape, reading as many columns; they are not its text. They run on
SQLite in memory, through Python's binding, whose own share is counted, too: some microseconds for each row.

The module knows no skills. So a skill is a queue here: an agent serves those that it has, a caller waits for one.
"""

from __future__ import annotations

import random
import sqlite3
import time

from bench.module_sql import Sql

TABLES = """
create table members (queue text, instance text, uuid text, session text, number text, name text,
    system_epoch integer, joined integer, rejoined integer, bridged integer, abandoned integer,
    base integer, extra integer, agent text, system text, state text);
create table agents (name text, instance text, uuid text, kind text, contact text, status text, state text,
    most_no_answers integer, wrap_up integer, rejected integer, busy integer, silent integer,
    bridge_began integer, bridge_ended integer, offered integer, changed integer, no_answers integer,
    answered integer, talked integer, ready integer, other_calls integer);
create table tiers (queue text, agent text, state text, level integer, position integer);
"""
MEMBERS = """
select queue, uuid, session, number, name, joined, ({now} - joined) + base + extra as score, state, abandoned, agent,
    instance
from members
where (state = 'Waiting' or state = 'Abandoned' or (agent = 'ring-all' and state = 'Trying'))
    and instance = 'one'
order by score desc
"""
AGENTS = """
select instance, name, status, contact, no_answers, most_no_answers, rejected, busy, silent, tiers.state,
    agents.bridge_ended, agents.wrap_up, agents.state, agents.ready, tiers.position, tiers.level, agents.kind,
    agents.uuid, other_calls
from agents left join tiers on (agents.name = tiers.agent)
where tiers.queue = '{queue}'
    and (agents.status = 'Available' or agents.status = 'On Break' or agents.status = 'On Demand')
order by level, agents.bridge_ended, position
"""
CLAIM = """
update members set agent = '{agent}', system = 'one', state = 'Trying'
where state = 'Waiting' and uuid = '{uuid}' and instance = 'one'
"""
BE = "update agents set state = '{state}' where name = '{agent}'"
SHAPE = Sql(
    name="SQL of mod_callcenter's shape",
    tables=TABLES,
    members=lambda now: MEMBERS.format(now=now),
    agents=lambda queue: AGENTS.format(queue=queue),
    claim=lambda agent, uuid: CLAIM.format(agent=agent, uuid=uuid),
    be=lambda state, agent: BE.format(state=state, agent=agent),
)
NOW = 1_700_000_000


class PeerTables:
    """So many callers who wait, and agents who all talk, in a fresh database."""

    def __init__(
        self, sql: Sql, waiting: int, agents: int, skills: tuple[str, ...], *, seed: int = 20261122
    ) -> None:
        self.sql = sql
        self.dice = random.Random(seed)
        self.skills = skills
        self.agents = [f"agent-{number}" for number in range(agents)]
        self.base = sqlite3.connect(":memory:", isolation_level=None)
        self.base.executescript(sql.tables)
        self.base.execute("begin")
        for number in range(waiting):
            self.base.execute(
                "insert into members values (?,'one',?,?,?,'',0,?,0,0,0,?,0,'','','Waiting')",
                (
                    self.dice.choice(skills), f"member-{number}", f"session-{number}", str(13900000000 + number),
                    NOW - waiting + number, self.dice.choices((0, 10, 50), (90, 8, 2))[0],
                ),
            )  # fmt: skip
        for name in self.agents:
            self.base.execute(
                "insert into agents values (?,'one','','callback',?,'Available','In a queue call',"
                "3,10,10,60,10,0,?,0,0,0,0,0,0,0)",
                (name, f"sofia/internal/{name}", NOW - self.dice.randrange(600)),
            )
            for skill in self.dice.sample(skills, self.dice.randint(2, 8)):
                self.base.execute(
                    "insert into tiers values (?,?,'Ready',?,1)",
                    (skill, name, self.dice.choice((1, 1, 1, 2))),
                )
        self.base.execute("commit")

    def decision(self) -> float:
        """Seconds of CPU from "this agent is free" until a pass that begins then has found its caller."""
        agent = self.dice.choice(self.agents)
        self._be(agent, "Waiting")
        began = time.process_time()
        member = self._pass(agent)
        spent = time.process_time() - began
        self._be(agent, "In a queue call")
        self.base.execute("update members set state = 'Waiting' where uuid = ?", (member,))
        return spent

    def _pass(self, agent: str) -> str:
        for queue, uuid, *_ in self.base.execute(self.sql.members(NOW)):
            for row in self.base.execute(self.sql.agents(queue)):
                if row[2] == "Available" and row[12] == "Waiting" and row[9] in ("Ready", "No Answer"):
                    self.base.execute(self.sql.claim(row[1], uuid))
                    self._be(agent, "Receiving")
                    return str(uuid)
        raise AssertionError("nobody waits for what this agent has")

    def one_member(self) -> float:
        """Seconds of CPU of the statement that each waiting member costs in a pass, whoever is free."""
        queue = self.dice.choice(self.skills)
        began = time.process_time()
        self.base.execute(self.sql.agents(queue)).fetchall()
        return time.process_time() - began

    def all_members(self) -> float:
        """Seconds of CPU of the statement that each pass begins with."""
        began = time.process_time()
        self.base.execute(self.sql.members(NOW)).fetchall()
        return time.process_time() - began

    def _be(self, agent: str, state: str) -> None:
        self.base.execute(self.sql.be(state, agent))
