"""The names that the steps of a hang-up (``on_hangup``) read, in the journal: the channel, which keeps all names of a
call, is gone with it, and an engine that comes later has the journal alone (docs/decisions/0057).

Only what these steps read is written, when it changed, and nothing that is private or secret; of a caller who is not to
be known nothing at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from engine.flows import keeping, packing
from engine.schema.shapes import references
from engine.types import JournalEntry

if TYPE_CHECKING:
    from engine.flows.model import Flow
    from engine.flows.run import Run
    from engine.prompts.catalogue import Catalogue

NAMES: Final = "flow.names"
"""The row of the journal with the names of a flow; the last one holds, and each has all of them."""


def leave_word(run: Run) -> None:
    """Write down what the flow's ``on_hangup`` would read now, when that is not what was written last."""
    frame = run.frame
    if run.deferred:
        return
    if frame.read_last is None:
        frame.read_last = read_by(frame.flow, run.services.prompts.catalogue)
    if not frame.read_last:
        return
    word = {name: value for name, value in keeping.kept(frame).items() if name in frame.read_last}
    if word != frame.word:
        frame.word = word
        run.call.journal(NAMES, flow=frame.flow.name, names=word)


def read_by(flow: Flow, catalogue: Catalogue) -> frozenset[str]:
    """The names that the steps of the flow's ``on_hangup`` may read."""
    found = set[str]()
    for step in flow.on_hangup:
        if step.when is not None:
            found.update(use.path[0] for use in step.when.uses)
        for kind, value, _ in references(step):
            if kind in ("value", "expression"):
                found.update(use.path[0] for use in value.uses)
            elif kind == "prompt":
                for language in flow.languages:
                    text = catalogue.find(value, language, flow.department)
                    found.update(slot.root for slot in (text.template.slots if text is not None else ()))
    return frozenset(found)


def word_of(entries: Iterable[JournalEntry]) -> dict[str, dict[str, Any]]:
    """The names that the journal of a call has, by flow."""
    found: dict[str, dict[str, Any]] = {}
    for entry in entries:
        if entry.kind == NAMES:
            found[str(entry.data.get("flow", ""))] = packing.unpack(entry.data.get("names", {}))
    return found


__all__ = ["NAMES", "leave_word", "read_by", "word_of"]
