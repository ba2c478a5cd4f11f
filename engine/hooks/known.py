"""What the checker of the flows may know of departments, without anything at work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.hooks.department import Argument, Department
from engine.hooks.kinds import FieldType, holds_private, record_fields
from engine.hooks.ticket_kinds import TicketKind


@dataclass(frozen=True, slots=True)
class QueryType:
    """What the checker may know of a query."""

    arguments: Mapping[str, Argument]
    result: Any
    optional: bool  # None is an answer, so the step needs `not_found`
    private: bool
    fields: Mapping[str, FieldType] | None  # of a record


@dataclass(frozen=True, slots=True)
class CommandType:
    """What the checker may know of a command."""

    arguments: Mapping[str, Argument]
    result: Any  # NoneType: it returns nothing
    optional: bool
    refusals: tuple[str, ...]
    fields: Mapping[str, FieldType] | None


@dataclass(frozen=True, slots=True)
class Known:
    """All queries and commands by their full names, and the kinds of tickets."""

    queries: Mapping[str, QueryType]
    commands: Mapping[str, CommandType]
    tickets: Mapping[str, Mapping[str, TicketKind]]  # by department; those that declare some


def known_of(departments: Iterable[Department]) -> Known:
    """What the checker may know of these departments, without anything at work."""
    queries, commands, known = {}, {}, list(departments)
    for department in known:
        for name, query in department.queries.items():
            result = query.result
            queries[name] = QueryType(
                query.arguments, result, query.optional, holds_private(result), record_fields(result)
            )
        for name, command in department.commands.items():
            commands[name] = CommandType(
                command.arguments,
                command.result,
                command.optional,
                command.refusals,
                record_fields(command.result),
            )
    return Known(queries, commands, {one.name: one.tickets for one in known if one.tickets})
