"""The kinds of tickets that a department declares: what is written down in one, and what is usual for it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from engine.errors import PluginError, WrongState
from engine.hooks.kinds import FieldType, Record, holds_private, record_fields, why_unknown

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")


@dataclass(frozen=True, slots=True)
class TicketKind:
    """One kind of ticket: ``TicketKind("late", fields=LateFields, title={"en": "late delivery"}, …)``.

    ``fields`` is a :class:`~engine.hooks.kinds.Record`: what a ticket of this kind says, with its types. ``title`` is
    how callers hear the kind named, by language. ``group``, ``within`` (open time of ``calendar``) and ``escalate`` (a
    group of conf/notify.yaml) hold where whoever opens a ticket says nothing else.
    """

    name: str
    fields: type[Record] | None = None
    title: Mapping[str, str] = field(default_factory=dict)
    group: str = ""
    within: timedelta | None = None
    calendar: str = ""
    escalate: str = ""

    def __post_init__(self) -> None:
        if not _NAME.match(self.name):
            raise PluginError(f"a kind of ticket is lower-case letters, digits and _, not {self.name!r}")
        if self.fields is None:
            return
        if not (inspect.isclass(self.fields) and issubclass(self.fields, Record)):
            raise PluginError(f"ticket {self.name}: fields is a class of Record, not {self.fields!r}")
        if holds_private(self.fields):
            raise PluginError(f"ticket {self.name}: what is private can't be written into a ticket")
        for name, info in self.fields.model_fields.items():
            if why := why_unknown(info.annotation):
                raise PluginError(f"ticket {self.name}: {name}: {why}")

    def fields_by_name(self) -> Mapping[str, FieldType]:
        """The fields with their types; empty when the kind declares none."""
        return (record_fields(self.fields) or {}) if self.fields is not None else {}

    def required(self) -> list[str]:
        """The fields that every ticket of this kind must say."""
        fields = self.fields.model_fields if self.fields is not None else {}
        return [name for name, info in fields.items() if info.is_required()]

    def checked(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """``data`` as JSON can hold it. :class:`WrongState` naming the fields that do not fit, never their values."""
        if self.fields is None:
            return dict(data)
        try:
            read = self.fields.model_validate(dict(data))
        except ValidationError as error:
            wrong = "; ".join(
                f"{'.'.join(map(str, one['loc']))}: {one['msg'].lower()}"
                for one in error.errors(include_input=False, include_url=False, include_context=False)
            )
            raise WrongState(f"a ticket {self.name} can't be opened with this: {wrong}") from None
        return read.model_dump(mode="json", exclude_none=True)


def by_name(department: str, kinds: Iterable[TicketKind]) -> dict[str, TicketKind]:
    """The kinds of a department by their names. :class:`PluginError` when two have one name."""
    found: dict[str, TicketKind] = {}
    for one in kinds:
        if one.name in found:
            raise PluginError(f"{department}: two kinds of ticket are called {one.name}")
        found[one.name] = one
    return found
