"""What is sound in something that a shape refused: so that a wrong duration hides no misspelt prompt beside it.

What was refused is taken out, what is missing is left out, and the rest is held against the same shape again. What
comes of it is looked at by the passes that look things up; it is never run.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, Field, TypeAdapter, ValidationError, create_model

from engine.schema.faults import suggest
from engine.schema.shapes import _along, _walk_of, keys_of
from engine.schema.source import Path_

M = TypeVar("M", bound=BaseModel)
_ROUNDS = 8
_GONE: Any = object()


class Salvaged(NamedTuple, Generic[M]):
    """``model`` may lack (as None) what the shape demands. ``hurt`` are the keys, as written, below which something was
    taken out or is missing. ``moved`` says of each list (by its path in the model) what the numbers of its items were.
    """

    model: M
    hurt: frozenset[str]
    moved: Mapping[Path_, list[int]]

    def path(self, path: Path_) -> Path_:
        """A path within the model as the path of what was written."""
        if not self.moved:
            return path
        found: list[str | int] = []
        for at, part in enumerate(path):
            before = self.moved.get(path[:at]) if isinstance(part, int) else None
            found.append(before[int(part)] if before is not None and int(part) < len(before) else part)
        return tuple(found)

    def is_plain(self) -> bool:
        """Does all that is hurt refer to nothing and lead nowhere (a duration, a number of attempts)? Then the rest is
        as it was meant."""
        kind = type(self.model)
        if not _is_whole(kind):
            return False
        by_key = {field.alias or name: field for name, field in kind.model_fields.items()}
        for key in self.hurt:
            field = by_key.get(key) or by_key.get(suggest(key, keys_of(kind)))
            if field is None or field.is_required():
                return False
            if _walk_of(field.annotation, tuple(field.metadata)) is not None:
                return False
        return True


def salvage(kind: type[M], tree: Any) -> Salvaged[M] | None:
    """What can be saved of ``tree``, which ``kind`` refuses; None when nothing can."""
    made: type[M] = kind
    hurt: set[str] = set()
    kept, moved = tree, dict[Path_, list[int]]()
    for _ in range(_ROUNDS):
        try:
            return Salvaged(made.model_validate(kept), frozenset(hurt), moved)
        except ValidationError as error:
            paths, missing = _wrong(kept, error)
        except (AttributeError, TypeError):  # a validator of the whole model met what is missing
            return None
        if missing and _is_whole(made):
            made = _lacking(kind)
            hurt |= missing
        elif missing or not paths:
            return _piecemeal(made, kept, hurt | missing, moved)
        hurt |= {str(path[0]) for path in paths}
        kept = _without(kept, paths, (), (), moved)
    return None


def _piecemeal(kind: type[M], tree: Any, hurt: set[str], moved: dict[Path_, list[int]]) -> Salvaged[M] | None:
    """Each field by itself, where it is the whole that is refused (a command without an ``id``)."""
    if not isinstance(tree, dict):
        return None
    values: dict[str, Any] = {}
    for name, (key, adapter) in _fields(kind).items():
        if key in tree:
            try:
                values[name] = adapter.validate_python(tree[key])
            except ValidationError:
                return None
    lacks = {name: None for name, field in kind.model_fields.items() if field.is_required()}
    made = kind.model_construct(set(values), **{**lacks, **values})
    return Salvaged(made, frozenset(hurt | {""}), moved)


@cache
def _fields(kind: type[BaseModel]) -> dict[str, tuple[str, TypeAdapter[Any]]]:
    return {
        name: (
            field.alias or name,
            TypeAdapter[Any](
                Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation  # type: ignore[arg-type]
            ),
        )
        for name, field in kind.model_fields.items()
    }


def _wrong(tree: Any, error: ValidationError) -> tuple[set[Path_], set[str]]:
    """Where something has to be taken out, and what is missing at the top."""
    paths: set[Path_] = set()
    missing: set[str] = set()
    for detail in error.errors(include_url=False, include_input=False):
        loc = detail["loc"]
        if detail["type"] == "missing" and len(loc) == 1:
            missing.add(str(loc[0]))
            continue
        path = _along(tree, loc[:-1] if detail["type"] == "missing" else loc)[0]
        at = (detail.get("ctx") or {}).get("at")
        if at and _along(tree, (*path, at))[0] == (*path, at):
            path = (*path, at)
        if path:
            paths.add(path)
    return paths, missing


def _without(tree: Any, gone: set[Path_], here: Path_, now: Path_, moved: dict[Path_, list[int]]) -> Any:
    """A copy without what stands at some paths; ``here`` is its path in what was written, ``now`` in the copy."""
    if here in gone:
        return _GONE
    if isinstance(tree, dict):
        made = {key: _without(item, gone, (*here, key), (*now, key), moved) for key, item in tree.items()}
        return {key: item for key, item in made.items() if item is not _GONE}
    if isinstance(tree, list):
        items: list[Any] = []
        numbers: list[int] = []
        before = moved.get(now, list(range(len(tree))))
        for index, item in enumerate(tree):
            kept = _without(item, gone, (*here, index), (*now, len(items)), moved)
            if kept is not _GONE:
                items.append(kept)
                numbers.append(before[index])
        if len(items) < len(tree):
            moved[now] = numbers
        return items
    return tree


def _is_whole(kind: type[BaseModel]) -> bool:
    return not kind.__dict__.get("__lacking__", False)


@cache
def _lacking(kind: type[M]) -> type[M]:
    """The same shape, demanding nothing."""
    fields: dict[str, Any] = {
        name: (
            Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation,
            Field(default=None, alias=field.alias),
        )
        for name, field in kind.model_fields.items()
        if field.is_required()
    }
    made = create_model(kind.__name__, __base__=kind, **fields)
    made.__lacking__ = True  # type: ignore[attr-defined]
    return made
