"""From files to flows: finding them, reading them, and the first two passes of the checker (syntax, shape).

A flow's name is ``<department>/<file stem>``: ``plugins/logistics/flows/main.yaml`` is ``logistics/main``, and its
``flow:`` must say the same. What comes out is a :class:`Draft`: the steps that could be read, the faults of
those that could not, and the document, so that later passes find the place of everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field, ValidationError
from yaml.nodes import MappingNode, SequenceNode

from engine.flows.model import GRAMMAR, Block, Flow, flow_hash
from engine.flows.step import Step, Way, ways_in
from engine.flows.written import Kinds, StepError, normalise, place_in
from engine.schema.faults import Fault
from engine.schema.fields import FlowName, Ident, Language, Name, Positive, Share, Text
from engine.schema.salvage import Salvaged, salvage
from engine.schema.shapes import FileShape, Reference, parse_shape, references
from engine.schema.source import Broken, Document, Path_, parse_text, read_document, yaml_files

ON_HANGUP = "on_hangup"
#: In a step's ``__dict__``: what it is without what could not be read of it, and that refers to nothing.
MENDED = "mended"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_NAMES = re.compile(r"\b[a-z][a-z0-9_]*")


class FlowSource(NamedTuple):
    """A file that holds a flow: what the flow must be called, where it is, how faults name the file."""

    name: str
    path: Path
    shown: str


def find_flows(
    plugins: Path, more: Mapping[str, Path] | None = None, *, base: Path | None = None
) -> list[FlowSource]:
    """The flows of all departments: ``plugins/*/flows/*.yaml``, and those of ``more`` (department -> its flows
    folder, for plugins that are installed packages). ``base`` shortens the names that faults show."""
    folders = {folder.name: folder / "flows" for folder in _folders(plugins)}
    folders.update(more or {})
    found = []
    for department, folder in sorted(folders.items()):
        for path in yaml_files(folder):
            shown = path
            if base is not None and path.is_relative_to(base):
                shown = path.relative_to(base)
            found.append(FlowSource(f"{department}/{path.stem}", path, str(shown)))
    return found


def _folders(plugins: Path) -> list[Path]:
    if not plugins.is_dir():
        return []
    return sorted(
        path for path in plugins.iterdir() if path.is_dir() and not path.name.startswith((".", "_"))
    )


class Head(FileShape):
    """What a flow says before its blocks."""

    grammar: Positive
    flow: FlowName
    revision: Positive = 1
    title: Text
    owner: Ident = ""
    goal: dict[Name, Share] = Field(default_factory=dict)
    languages: list[Language]
    params: list[Name] = Field(default_factory=list)
    returns: list[Name] = Field(default_factory=list)
    outcomes: list[Name] = Field(default_factory=list)
    start: Name
    on_hangup: Any = None
    blocks: Any


def may_bear(tree: Any) -> Iterable[str]:
    """The names that a step that could not be read would bear: what stands at ``into``, and keys of ``set``."""
    if isinstance(tree, Broken):
        yield from _NAMES.findall(tree)  # it could not be parsed: any word in it
    elif isinstance(tree, list):
        for item in tree:
            yield from may_bear(item)
    elif isinstance(tree, dict):
        for key, item in tree.items():
            if key == "into" and isinstance(item, str):
                yield str(item)
            elif key == "set" and isinstance(item, dict):
                yield from item
            else:
                yield from may_bear(item)


class Facts(NamedTuple):
    """What the passes want to know of a step."""

    references: list[Reference]
    ways: tuple[Way, ...]
    born: tuple[Reference, ...]
    reads: tuple[Reference, ...]  # expressions, values and prompts: what may read names


#: A step with its facts; None twice where a step could not be read.
Walked = tuple[Step | None, Facts | None]
_READS = frozenset({"expression", "value", "prompt"})


def _facts(step: Step) -> Facts:
    like: Step | None = step.__dict__.get("like")
    if like is None:
        return _facts_of(step)
    # What a step refers to does not depend on where it stands.
    found: Facts | None = like.__dict__.get("facts")
    if found is None:
        found = like.__dict__["facts"] = _facts_of(like)
    return found


def _facts_of_some(step: Step) -> Facts:
    """What a step refers to that may lack anything; where it leads and what it bears is not known."""
    refers = references(step)
    return Facts(refers, (), (), tuple([reference for reference in refers if reference.kind in _READS]))


def _facts_of(step: Step) -> Facts:
    refers = references(step)
    own = type(step).ways is not Step.ways
    born = type(step).born is not Step.born
    return Facts(
        refers,
        tuple(step.ways() if own else ways_in(refers)),
        tuple(step.born() if born else [reference for reference in refers if reference.kind == "into"]),
        tuple([reference for reference in refers if reference.kind in _READS]),
    )


@dataclass(slots=True)
class Draft:
    """A flow on its way through the checker. ``steps`` has None where a step could not be read."""

    name: str
    document: Document
    head: Head | None = None
    blocks: dict[str, list[Step | None]] = field(default_factory=dict)
    on_hangup: list[Step | None] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    hurt: frozenset[str] = frozenset()  # keys of the head that could not be read
    away: str = ""  # the department that was kept out and that it can't run without
    _partial: dict[tuple[str, int], Salvaged[Step]] = field(default_factory=dict)
    _walked: dict[str, list[Walked]] = field(default_factory=dict)
    _births: dict[str, list[Step | None]] | None = None

    @property
    def declared(self) -> Head | None:
        """The head as other flows may rely on it: None when anything in it could not be read."""
        return None if self.hurt else self.head

    def partial(self, block: str, index: int) -> tuple[Step, Facts] | None:
        """What could be saved of a step that could not be read, and what that refers to. It may lack anything."""
        saved = self._partial.get((block, index))
        return None if saved is None else (saved.model, _facts_of_some(saved.model))

    def is_whole(self, step: Step) -> bool:
        """Could all of a step be read?"""
        return (step.block, step.index) not in self._partial and MENDED not in step.__dict__

    def says_all(self, step: Step) -> bool:
        """Is it known what values a step gives its prompts?"""
        if not self._partial:
            return True
        saved = self._partial.get((step.block, step.index))
        return saved is None or ("values" not in saved.hurt and type(step).lent is Step.lent)

    def partials(self) -> Iterable[tuple[Step, Facts, frozenset[str]]]:
        """What could be saved of all steps that could not be read, with the keys that are hurt."""
        for saved in self._partial.values():
            yield saved.model, _facts_of_some(saved.model), saved.hurt

    def walk(self, block: str) -> list[Walked]:
        """The steps of a block (or of ``on_hangup``) with what they refer to, lead to and bear; looked at by every
        pass, and so found once."""
        found = self._walked.get(block)
        if found is None:
            steps = self.on_hangup if block == ON_HANGUP else self.blocks[block]
            found = self._walked[block] = [(step, None if step is None else _facts(step)) for step in steps]
        return found

    def all_walked(self) -> Iterable[tuple[Step, Facts]]:
        """Every step that could be read with its facts, those of ``on_hangup`` last."""
        for block in (*self.blocks, ON_HANGUP):
            for step, facts in self.walk(block):
                if step is not None and facts is not None:
                    yield step, facts

    def births(self) -> dict[str, list[Step | None]]:
        """Every name that is born somewhere in the flow, with the steps that bear it (None: a parameter, or a step
        that could not be read)."""
        if self._births is None:
            made = self._births = {}
            for block in (*self.blocks, ON_HANGUP):
                for index, (step, facts) in enumerate(self.walk(block)):
                    if facts is None:
                        for name in may_bear(self.unread(block, index)):
                            made.setdefault(name, []).append(None)
                    elif facts.born:
                        # A step whose form could not be read bears a name of no known type.
                        producer = None if step is None or MENDED in step.__dict__ else step
                        for reference in facts.born:
                            made.setdefault(reference.value, []).append(producer)
            for name in self.head.params if self.head is not None else ():
                made.setdefault(name, [])
        return self._births

    def facts(self, step: Step) -> Facts:
        """What one step refers to, leads to and bears."""
        found = self.walk(step.block)[step.index][1]
        assert found is not None
        return found

    def forget(self) -> None:
        """Let go of what only the passes needed."""
        self._walked.clear()

    def all_steps(self) -> Iterable[Step]:
        """Every step that could be read, those of ``on_hangup`` last."""
        for steps in self.blocks.values():
            yield from (step for step in steps if step is not None)
        yield from (step for step in self.on_hangup if step is not None)

    def unread(self, block: str, index: int) -> Any:
        """A step that could not be read, as it is written: its words may still tell where it would lead."""
        base: Path_ = (ON_HANGUP,) if block == ON_HANGUP else ("blocks", block)
        whole = self.document.value(base)
        return whole if isinstance(whole, Broken) else self.document.value((*base, index))

    def path(self, step: Step, inner: Path_ = ()) -> Path_:
        """The path in the document of something within a step."""
        base: Path_ = (ON_HANGUP,) if step.block == ON_HANGUP else ("blocks", step.block)
        base = (*base, step.index)
        if (saved := self._partial.get((step.block, step.index)) or step.__dict__.get(MENDED)) is not None:
            inner = saved.path(inner)
        return base + place_in(self.document.value(base), type(step))(inner)

    def add(
        self,
        step: Step,
        inner: Path_,
        code: str,
        message: str,
        hint: str = "",
        *,
        key: bool = False,
        **more: Any,
    ) -> None:
        """A fault at something within a step."""
        self.faults.append(self.document.fault(self.path(step, inner), code, message, hint, key=key, **more))


def read_flow(source: FlowSource, kinds: Kinds) -> Draft:
    """Read one file into a draft; raises nothing for what it holds."""
    return draft_of(read_document(source.path, name=source.shown), source.name, kinds)


def parse_flow(text: str, name: str, kinds: Kinds, *, file: str = "") -> Draft:
    """A draft from a text that is not in a file (an editor's, a test's)."""
    return draft_of(parse_text(text, file or f"{name}.yaml"), name, kinds)


def draft_of(document: Document, name: str, kinds: Kinds) -> Draft:
    """Passes 1 and 2: the document's own faults, then the shape of the head and of every step."""
    draft = Draft(name, document)
    draft.faults += document.faults
    tree = document.tree
    if tree is None or isinstance(tree, Broken):
        return draft
    head, faults = parse_shape(document, Head)
    draft.faults += faults
    if not isinstance(tree, dict):
        return draft
    if head is None:
        head = _saved_head(draft, tree)
    draft.head = head
    if head is not None:
        head._document = document
        _check_head(draft, head)
    blocks = tree.get("blocks")
    if isinstance(blocks, dict):
        for block, steps in blocks.items():
            if _NAME.fullmatch(block) is None:
                draft.faults.append(
                    document.fault(
                        ("blocks", block),
                        "name",
                        f"`{block}` is not a name",
                        "names are lower-case letters, digits and _",
                        key=True,
                    )
                )
            draft.blocks[block] = _read_steps(draft, ("blocks", block), block, steps, kinds)
    elif blocks is not None and not isinstance(blocks, Broken):
        draft.faults.append(document.fault(("blocks",), "shape", "a mapping of blocks is wanted here"))
    if (last := tree.get(ON_HANGUP)) is not None:
        draft.on_hangup = _read_steps(draft, (ON_HANGUP,), ON_HANGUP, last, kinds)
    _number_lines(draft)
    document.release()
    return draft


def _saved_head(draft: Draft, tree: dict[str, Any]) -> Head | None:
    """As much of a head as can be read, so that what is behind it can be looked at."""
    saved = salvage(Head, tree)
    if saved is None:
        return None
    draft.hurt = saved.hurt or frozenset(("",))
    head, instead = saved.model, dict[str, Any]()
    if head.languages is None:
        instead["languages"] = []
    if head.start is None:
        blocks = tree.get("blocks")
        instead["start"] = next(iter(blocks), "") if isinstance(blocks, dict) else ""
    if "params" in draft.hurt:
        instead["params"] = sorted({*_NAMES.findall(str(tree.get("params", ""))), *head.params})
    return head.model_copy(update=instead)


def _check_head(draft: Draft, head: Head) -> None:
    if "grammar" not in draft.hurt and head.grammar != GRAMMAR:
        draft.faults.append(
            head.fault(("grammar",), "grammar", f"this engine reads grammar {GRAMMAR}, not {head.grammar}")
        )
    if "flow" not in draft.hurt and head.flow != draft.name:
        draft.faults.append(
            head.fault(
                ("flow",),
                "flow-name",
                f"the flow of this file is `{draft.name}`, not `{head.flow}`",
                "a flow is called <department>/<file>",
            )
        )
    if "languages" not in draft.hurt and not head.languages:
        draft.faults.append(head.fault(("languages",), "languages", "a flow speaks at least one language"))


# -- steps as they are written ----------------------------------------------------------------------


def _read_steps(draft: Draft, path: Path_, block: str, tree: Any, kinds: Kinds) -> list[Step | None]:
    document = draft.document
    if isinstance(tree, Broken):
        return [None]
    if not isinstance(tree, list) or not tree:
        draft.faults.append(
            document.fault(path, "shape", f"`{block}` must be a list of steps", "- answer", key=True)
        )
        return [None]
    steps: list[Step | None] = []
    for index, written in enumerate(tree):
        step, args = None, None
        try:
            step = _short_step(written, kinds)
            if step is None:
                kind, args = normalise(written, kinds)
                step = kind.model_validate(args)
        except StepError as error:
            if error.code:
                at: Path_ = (*path, index, error.key) if error.key else (*path, index)
                draft.faults.append(
                    document.fault(at, error.code, error.message, error.hint, key=bool(error.key))
                )
        except ValidationError:
            _, faults = parse_shape(document, kind, (*path, index), args, place=place_in(written, kind))
            draft.faults += faults
            step = _saved(draft, block, index, kind, args)
        else:
            step.stands(block, index, 0)
        steps.append(step)
    return steps


def _saved(draft: Draft, block: str, index: int, kind: type[Step], args: Any) -> Step | None:
    """A step that was refused for something that changes neither its ways nor its names, without that. Of any other,
    what can be saved is kept beside the flow."""
    saved = salvage(kind, args)
    if saved is None:
        return None
    saved.model.stands(block, index, 0)
    if saved.is_plain():
        saved.model.__dict__[MENDED] = saved
        return saved.model
    draft._partial[block, index] = saved
    return None


def _short_step(written: Any, kinds: Kinds) -> Step | None:
    """A step written as a word, or as a word with one text: ``- hangup``, ``- go: bye``. There are many of them and
    few different ones, so each is read once and then copied. None for any other, and for one with a fault."""
    if type(written) is str:
        word, text = written, None
    elif type(written) is dict and len(written) == 1:
        ((word, text),) = written.items()
        if type(text) is not str:
            return None
    else:
        return None
    kind = kinds.get(word)
    if kind is None or not (kind.bare if text is None else kind.short):
        return None
    found = _written_short(kind, text)
    if found is None:
        return None
    return _copied(found)


def _copied(step: Step) -> Step:
    """A copy that may stand elsewhere. As pydantic's own ``__copy__`` makes it, which also looks after what no step has
    (private attributes, extra fields) and takes four times as long."""
    made = type(step).__new__(type(step))
    give = object.__setattr__
    give(made, "__dict__", {**step.__dict__, "like": step})
    give(made, "__pydantic_fields_set__", step.__pydantic_fields_set__)
    give(made, "__pydantic_extra__", None)
    give(made, "__pydantic_private__", None)
    return made


@lru_cache(maxsize=8192)
def _written_short(kind: type[Step], text: str | None) -> Step | None:
    try:
        return kind.model_validate({} if text is None else {kind.short: text})
    except ValidationError:
        return None


# -- lines and hashes -------------------------------------------------------------------------------


def _number_lines(draft: Draft) -> None:
    """Tell each step its line, walking the nodes once."""
    root = draft.document.nodes()
    if not isinstance(root, MappingNode):
        return
    for key, node in root.value:
        if key.value == "blocks" and isinstance(node, MappingNode):
            for block, listed in node.value:
                _number(draft.blocks.get(block.value, []), listed)
        elif key.value == ON_HANGUP:
            _number(draft.on_hangup, node)


def _number(steps: list[Step | None], node: Any) -> None:
    if isinstance(node, SequenceNode):
        for step, item in zip(steps, node.value, strict=False):
            if step is not None:
                step.stands(step.block, step.index, item.start_mark.line + 1)


def flow_of_draft(draft: Draft) -> Flow:
    """The compiled flow of a draft without faults."""
    assert draft.head is not None
    tree = draft.document.tree
    assert isinstance(tree, dict)
    return _flow(draft.head, draft.blocks, draft.on_hangup, tree, draft.document.file)


def flow_of_tree(tree: Any, file: str, lines: Mapping[str, list[int]], kinds: Kinds) -> Flow:
    """A compiled flow from its plain tree, as a kept flow set has it. Raises ValueError."""
    try:
        head = Head.model_validate(tree)
        blocks: dict[str, list[Step | None]] = {}
        for block, written in [*tree["blocks"].items(), (ON_HANGUP, tree.get(ON_HANGUP, []))]:
            numbers = lines.get(block, ())
            steps: list[Step | None] = []
            for index, item in enumerate(written):
                step = _short_step(item, kinds)
                if step is None:
                    kind, args = normalise(item, kinds)
                    step = kind.model_validate(args)
                step.stands(block, index, numbers[index] if index < len(numbers) else 0)
                steps.append(step)
            blocks[block] = steps
    except (ValidationError, StepError, KeyError, AttributeError, TypeError) as error:
        raise ValueError(f"{file}: a kept flow can't be read: {error}") from error
    on_hangup = blocks.pop(ON_HANGUP)
    return _flow(head, blocks, on_hangup, tree, file)


def _flow(
    head: Head,
    blocks: Mapping[str, list[Step | None]],
    on_hangup: list[Step | None],
    tree: Mapping[str, Any],
    file: str,
) -> Flow:
    made = {
        name: Block(name, tuple(step for step in steps if step is not None), steps[0].line if steps[0] else 0)
        for name, steps in blocks.items()
    }
    lines = {name: [step.line for step in block.steps] for name, block in made.items()}
    last = tuple(step for step in on_hangup if step is not None)
    lines[ON_HANGUP] = [step.line for step in last]
    return Flow(
        name=head.flow,
        revision=head.revision,
        title=head.title,
        owner=head.owner,
        languages=tuple(head.languages),
        start=head.start,
        blocks=made,
        on_hangup=last,
        params=tuple(head.params),
        returns=tuple(head.returns),
        outcomes=tuple(head.outcomes),
        goal=dict(head.goal),
        file=file,
        hash=flow_hash(tree),
        source=tree,
        lines=lines,
    )
