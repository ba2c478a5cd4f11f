"""The staff directory: the department's own table as the built-in answer, and a company's system over http."""

from __future__ import annotations

from sqlalchemy.orm import Session

from engine.api import HttpClient

from .contracts import Staff
from .models import StaffMember


class SqlStaff:
    """People from the department's own table."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def person(self, number: str) -> Staff | None:
        found = self._session.get(StaffMember, number)
        return None if found is None or found.left else Staff.model_validate(found)


class HttpStaff:
    """People from the company's own system: ``POST person`` with ``{"number"}``, null for nobody."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def person(self, number: str) -> Staff | None:
        found: Staff | None = self._client.ask("person", {"number": number}, Staff | None)
        return found
