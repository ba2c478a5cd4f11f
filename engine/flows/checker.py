"""The checker: every fault of all flows in one run, and the compiled set when there is none.

In order: syntax and shape (while a file is read, ``loader``), references, names, types, paths. A flow set is compiled
whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from engine.flows.away import mark_away, stand_in
from engine.flows.known import Known
from engine.flows.loader import Draft, FlowSource, Head, find_flows, flow_of_draft, read_flow
from engine.flows.model import Declared, FlowSet, no_collections
from engine.flows.passes.environment import World
from engine.flows.passes.names import Names
from engine.flows.passes.paths import Paths
from engine.flows.passes.references import References
from engine.flows.passes.spoken import Spoken
from engine.flows.passes.types import TypeFaults
from engine.flows.passes.walk import Walk
from engine.flows.step import Step
from engine.flows.steps import STEPS
from engine.schema.faults import Faults, Position


class Checked(NamedTuple):
    """What came of a run: the set (None when there is any error), all faults, and what each flow says of itself (None
    where that could not be read), when there is no set or its flows are not built yet."""

    flows: FlowSet | None
    faults: Faults
    declared: Mapping[str, Declared | None]


def check(drafts: Iterable[Draft], known: Known) -> Checked:
    """Passes 3 and on over drafts; the set when no draft has an error."""
    faults = Faults()
    by_name: dict[str, Draft] = {}
    for draft in drafts:
        if (first := by_name.get(draft.name)) is not None:
            also = Position(first.document.file, 1, 1)
            draft.faults.append(
                draft.document.fault((), "duplicate-flow", f"there are two flows `{draft.name}`", also=also)
            )
            faults.extend(draft.faults)
            continue
        by_name[draft.name] = draft
    if known.away:
        for draft in by_name.values():
            mark_away(draft, known.away)
    world, spoken = World(known, by_name), Spoken(known)
    # Those with parameters last: their types come from the flows that run them, which are done with by then.
    for draft in sorted(
        by_name.values(), key=lambda draft: draft.head is not None and bool(draft.head.params)
    ):
        walk = Walk(draft, by_name)
        languages = tuple(draft.head.languages) if draft.head is not None else ()
        words = spoken.of(draft.name.partition("/")[0], languages)
        References(draft, known, by_name, walk, words).run()
        Names(draft, walk, words).run()
        TypeFaults(draft, world, words).run()
        Paths(draft, known, by_name, walk).run()
        draft.forget()
    for draft in by_name.values():
        faults.extend(draft.faults)
    if faults.errors:
        return Checked(None, faults, {name: _declared(draft.declared) for name, draft in by_name.items()})
    made = [flow_of_draft(draft) for draft in by_name.values() if not draft.away]
    away = [draft for draft in by_name.values() if draft.away]
    made += [stand_in(draft, by_name, known) for draft in away]
    return Checked(FlowSet.of(made, replaced=map(flow_of_draft, away)), faults, {})


def _declared(head: Head | None) -> Declared | None:
    return None if head is None else Declared(head.flow, tuple(head.params), tuple(head.languages))


def check_drafts(drafts: Iterable[Draft], known: Known) -> tuple[FlowSet | None, Faults]:
    """The set and the faults of :func:`check`."""
    checked = check(drafts, known)
    return checked.flows, checked.faults


def check_files(
    sources: Iterable[FlowSource], known: Known, steps: Mapping[str, type[Step]] = STEPS
) -> Checked:
    """Read, check and compile these files."""
    with no_collections():
        return check([read_flow(source, steps) for source in sources], known)


def compile_files(
    sources: Iterable[FlowSource], known: Known, steps: Mapping[str, type[Step]] = STEPS
) -> tuple[FlowSet | None, Faults]:
    """Read, check and compile these files: the flow set, or None, and all faults."""
    checked = check_files(sources, known, steps)
    return checked.flows, checked.faults


def compile_flows(
    plugins: Path,
    known: Known,
    *,
    more: Mapping[str, Path] | None = None,
    base: Path | None = None,
    steps: Mapping[str, type[Step]] = STEPS,
) -> tuple[FlowSet | None, Faults]:
    """Read, check and compile ``plugins/*/flows/*.yaml`` and the flow folders of ``more`` (department -> folder).

    ``base`` shortens the file names in faults. Raises nothing for what the files hold.
    """
    return compile_files(find_flows(plugins, more, base=base), known, steps)
