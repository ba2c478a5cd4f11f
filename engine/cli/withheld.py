"""Skills that bring their agents no calls, because a certificate is missing: for ``insideline conf check``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.cli.offline import LOOK, store_of
from engine.errors import StoreError
from engine.records.certification import Certifications
from engine.records.knowledge import Library
from engine.schema.faults import Fault
from engine.types import LackView

if TYPE_CHECKING:
    from engine.app.installation import Installation


def withheld(made: Installation) -> list[Fault]:
    """A warning for each such skill, where conf/agents.yaml gives it. None as long as there is no database."""
    from engine.clock import Clock

    file = made.acd.agents_file if made.acd is not None else None
    if file is None:
        return []
    now = Clock().now()

    def work(session: Any) -> list[LackView]:
        library = Library(session, now=now, today=now.astimezone(made.settings.zone).date())
        certificates = Certifications(session, library, now=now, grace=made.settings.certification.grace)
        skills = {id: list(one.skills) for id, one in file.agents.items() if one.skills}
        return [one for one in certificates.all_missing(skills) if one.until is None]

    try:
        with store_of(made.home) as store:
            lacking = store.read(work, LOOK)
    except StoreError:
        return []  # nobody was certified yet, or `insideline doctor` says what is wrong with it
    return [
        file.fault(
            ("agents", lack.agent, "skills", skill),
            "skill-withheld",
            f"`{lack.agent}` gets no calls for the skill `{skill}`: {lack.why()}",
            f"insideline certification read {lack.agent} {lack.item.id}",
            key=True,
            severity="warning",
        )
        for lack in lacking
        for skill in lack.skills
    ]


__all__ = ["withheld"]
