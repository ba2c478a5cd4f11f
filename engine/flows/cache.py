"""A compiled flow set kept in one file (``var/cache/flows``), so that an engine that starts again on the same files has
it at once.

The file is good for exactly one key: what the flows' files hold, everything that they may refer to (:class:`Known`),
the kinds of steps, and the code that read them. With any other key, a checksum that does not fit, or anything odd in
it, the flows are read and checked anew and the file is written again. Only a set without errors is kept, with its
warnings. A flow out of the cache is built when it is first asked for.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import astuple, fields
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import orjson
import structlog

from engine.flows.checker import Checked, check
from engine.flows.known import CommandType, Known, QueryType
from engine.flows.loader import FlowSource, draft_of, flow_of_tree
from engine.flows.model import GRAMMAR, Declared, Flow, FlowSet, no_collections
from engine.flows.types import of_annotation
from engine.flows.written import Kinds
from engine.schema.faults import Fault, Faults, Position
from engine.schema.source import MAX_BYTES, parse_bytes, read_document

log = structlog.get_logger(__name__)

_MAGIC: Final = b"insideline flows 2\n"
#: What decides how a flow is read and checked.
_CODE: Final = ("engine.flows", "engine.schema", "engine.hooks", "engine.prompts")


def compile_cached(sources: list[FlowSource], known: Known, steps: Kinds, file: Path) -> Checked:
    """Read, check and compile these files, or take what ``file`` keeps of an earlier time. Raises nothing for what the
    files hold, nor for a cache that can't be read or written."""
    contents = [_content(source.path) for source in sources]
    key = _key(sources, contents, known, steps)
    kept = _read(file, key, steps)
    if kept is not None:
        return kept
    with no_collections():
        drafts = []
        for source, data in zip(sources, contents, strict=True):
            usable = data is not None and len(data) <= MAX_BYTES
            document = (
                parse_bytes(data, source.shown)
                if usable and data is not None
                else read_document(source.path, name=source.shown)
            )
            drafts.append(draft_of(document, source.name, steps))
        checked = check(drafts, known)
    if checked.flows is not None:
        _write(file, key, checked)
    return checked


def _content(path: Path) -> bytes | None:
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError:
        return None


# -- the key ----------------------------------------------------------------------------------------


def _key(sources: list[FlowSource], contents: list[bytes | None], known: Known, steps: Kinds) -> str:
    digest = hashlib.sha256()
    for part in (_code(), _fingerprint(known), _kinds(steps)):
        digest.update(part.encode())
        digest.update(b"\n")
    for source, data in zip(sources, contents, strict=True):
        size = "gone" if data is None else str(len(data))
        digest.update(f"{source.name}\0{source.shown}\0{size}\0".encode())
        digest.update(data or b"")
    return digest.hexdigest()


@cache
def _code() -> str:
    """Which code reads flows: every module of it by size and time."""
    rows = [f"grammar {GRAMMAR}", sys.version]
    for package in _CODE:
        spec = find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
            for path in sorted(Path(folder).rglob("*.py")):
                stat = path.stat()
                rows.append(f"{path} {stat.st_size} {stat.st_mtime_ns}")
    return "\n".join(rows)


def _kinds(steps: Kinds) -> str:
    """The kinds of steps, those of departments with the file that they are in."""
    rows = []
    for word, kind in sorted(steps.items()):
        file = getattr(sys.modules.get(kind.__module__), "__file__", None)
        stamp = ""
        if file is not None and not kind.__module__.startswith("engine."):
            try:
                stat = os.stat(file)
                stamp = f"{file} {stat.st_size} {stat.st_mtime_ns}"
            except OSError:
                stamp = file
        rows.append(f"{word} {kind.__module__}.{kind.__qualname__} {stamp}")
    return "\n".join(rows)


def _fingerprint(known: Known) -> str:
    """Everything that flows may refer to, as text."""
    handled: list[tuple[str, QueryType | CommandType]] = [*known.queries.items(), *known.commands.items()]
    handlers = {
        name: [
            [[one.name, _type(one.type), one.required] for one in found.arguments.values()],
            _type(found.result),
            found.optional,
            getattr(found, "private", None),
            getattr(found, "refusals", None),
            None
            if found.fields is None
            else [[key, _type(one.type), one.optional, one.private] for key, one in found.fields.items()],
        ]
        for name, found in handled
    }
    rows: dict[str, Any] = {}
    for field in fields(known):
        value = getattr(known, field.name)
        if field.name in ("prompts", "texts", "queries", "commands", "tickets"):
            continue
        if isinstance(value, Mapping):
            rows[field.name] = {str(name): repr(one) for name, one in value.items()}
        else:
            rows[field.name] = None if value is None else sorted(value)
    rows["kinds"] = [sorted(known.queries), sorted(known.commands)]
    rows["handlers"] = handlers
    rows["tickets"] = {
        department: {
            name: [one.required(), {key: _type(of.type) for key, of in one.fields_by_name().items()}]
            for name, one in kinds.items()
        }
        for department, kinds in known.tickets.items()
    }
    rows["prompts"] = {
        language: {key: dict(values) for key, values in texts.items()}
        for language, texts in known.prompts.items()
    }
    rows["texts"] = {language: dict(texts) for language, texts in known.texts.items()}
    return hashlib.sha256(orjson.dumps(rows, option=orjson.OPT_SORT_KEYS, default=repr)).hexdigest()


@cache
def _type_text(annotation: Any) -> str:
    return f"{annotation!r} {of_annotation(annotation)!r}"


def _type(annotation: Any) -> str:
    try:
        return _type_text(annotation)
    except TypeError:
        return f"{annotation!r} {of_annotation(annotation)!r}"


# -- the file ---------------------------------------------------------------------------------------


class _Kept(Mapping[str, Flow]):
    """The flows of a cache, each built when it is first asked for."""

    def __init__(self, parts: Mapping[str, bytes], steps: Kinds) -> None:
        self._parts = parts
        self._steps = steps
        self._made: dict[str, Flow] = {}

    def __getitem__(self, name: str) -> Flow:
        made = self._made.get(name)
        if made is None:
            row = orjson.loads(self._parts[name])
            made = self._made[name] = flow_of_tree(row["tree"], row["file"], row["lines"], self._steps)
        return made

    def rows(self) -> list[Any]:
        """Everything, as it is kept, without building a flow."""
        return [orjson.loads(part) for part in self._parts.values()]

    def __contains__(self, name: object) -> bool:
        return name in self._parts

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and dict(self) == dict(other)

    __hash__ = None  # type: ignore[assignment]


def _write(file: Path, key: str, checked: Checked) -> None:
    assert checked.flows is not None
    flows = checked.flows.flows
    parts = {
        name: orjson.dumps({"file": flow.file, "tree": dict(flow.source), "lines": dict(flow.lines)})
        for name, flow in flows.items()
    }
    head = orjson.dumps(
        {
            "key": key,
            "hash": checked.flows.hash,
            "flows": [
                [name, len(part), list(flows[name].params), flows[name].languages]
                for name, part in parts.items()
            ],
            "faults": [astuple(fault) for fault in checked.faults],
        }
    )
    body = b"".join((str(len(head)).encode(), b"\n", head, *parts.values()))
    temporary = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(b"".join((_MAGIC, hashlib.sha256(body).digest(), body)))
        temporary.replace(file)
    except OSError as error:
        log.warning("flows.cache_not_written", file=str(file), error=str(error))
        return
    log.debug("flows.cache_written", file=str(file), flows=len(parts))


def _read(file: Path, key: str, steps: Kinds) -> Checked | None:
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        log.warning("flows.cache_unreadable", file=str(file), error=str(error))
        return None
    try:
        if not data.startswith(_MAGIC):
            raise ValueError("another version")
        view = memoryview(data)[len(_MAGIC) :]
        if hashlib.sha256(view[32:]).digest() != bytes(view[:32]):
            raise ValueError("the checksum does not fit")
        begin = data.index(b"\n", len(_MAGIC) + 32)
        size = int(data[len(_MAGIC) + 32 : begin])
        head = orjson.loads(data[begin + 1 : begin + 1 + size])
        if head["key"] != key:
            log.debug("flows.cache_outdated", file=str(file))
            return None
        at, parts, declared = begin + 1 + size, {}, {}
        for name, length, params, languages in head["flows"]:
            parts[name] = data[at : at + length]
            at += length
            declared[name] = Declared(name, tuple(params), tuple(languages))
        faults = [_fault(row) for row in head["faults"]]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        log.warning("flows.cache_rebuilt", file=str(file), why=str(error))
        return None
    return Checked(FlowSet(_Kept(parts, steps), head["hash"]), Faults(faults), declared)


def _fault(row: list[Any]) -> Fault:
    names = [field.name for field in fields(Fault)]
    given = dict(zip(names, row, strict=True))
    given["also"] = None if given["also"] is None else Position(*given["also"])
    return Fault(**given)
