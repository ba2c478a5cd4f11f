"""The statements of an installed mod_callcenter, read from the module's own file when the benchmark runs.

A C program's texts stand in its file as they are, formats and all. Those that bring an agent and a caller together are
found by what they speak of; a module in which one of them is not found is not used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

MODULE = "mod_callcenter.so"
_TEXT = re.compile(rb"[\t\n\x20-\x7e]{20,}")
_FORMAT = re.compile(r"%(?:q|ld|d|s)")
INSTANCE = "one"  # what the rows of the benchmark are marked with


@dataclass(frozen=True, slots=True)
class Sql:
    """The tables, and the statements of one pass. ``name``: whose they are."""

    name: str
    tables: str
    members: Callable[[int], str]  # now (epoch): who waits, the highest score first
    agents: Callable[[str], str]  # queue: its agents, in the order of the strategy
    claim: Callable[[str, str], str]  # agent, member
    be: Callable[[str, str], str]  # state, agent


def module_sql(freeswitch: Path) -> Sql | None:
    """What the module beside this ``freeswitch`` asks its database; None when there is none that can be read."""
    prefix = freeswitch.resolve().parents[1]
    found = [path for path in prefix.glob(f"lib*/**/{MODULE}") if path.is_file()]
    return read(found[0].read_bytes()) if found else None


def read(data: bytes) -> Sql | None:
    """The statements in the bytes of a module."""
    texts = [text.decode("ascii") for text in _TEXT.findall(data)]
    try:
        tables = [_one(texts, rf"CREATE TABLE {name} \(.*") for name in ("members", "agents", "tiers")]
        members = _one(texts, r"SELECT queue.* AS score.* FROM members WHERE \(state.*ORDER BY score DESC")
        agents = _one(texts, r"SELECT (?!.*UNION).* FROM agents LEFT JOIN tiers .*ORDER BY %q")
        order = _one(texts, r"level, agents\.last_bridge_end, position")
        claim = _one(
            texts,
            r"UPDATE members SET serving_agent = '%q', serving_system = '%q', state = .*instance_id = '%q'",
        )
        be = _one(texts, r"UPDATE agents SET state = '%q' WHERE name = '%q'")
    except LookupError:
        return None
    return Sql(
        name="mod_callcenter's own SQL",
        tables="\n".join(tables),
        members=lambda now: fill(members, (now, "Waiting", "Abandoned", "Trying", "Trying", INSTANCE)),
        agents=lambda queue: fill(agents, (queue, "Available", "On Break", "Available (On Demand)", order)),
        claim=lambda agent, uuid: fill(claim, (agent, INSTANCE, "Trying", "Waiting", uuid, INSTANCE)),
        be=lambda state, agent: fill(be, (state, agent)),
    )


def fill(form: str, values: Iterable[object]) -> str:
    """A format of the module with its values; those that it has no place for are left over."""
    rest = iter(values)
    return _FORMAT.sub(lambda _: str(next(rest)).replace("'", "''"), form)


def _one(texts: list[str], pattern: str) -> str:
    wanted = re.compile(pattern, re.DOTALL)
    found = [text for text in texts if wanted.fullmatch(text)]
    if len(set(found)) != 1:
        raise LookupError(pattern)
    return found[0]
