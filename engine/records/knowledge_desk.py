"""What people do with knowledge and certificates at a terminal, beside a running engine and without one.

Each deed takes and gives plain values, so that the control API can pass it on as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.errors import NotFound
from engine.records.certification import Certifications
from engine.records.knowledge import Library
from engine.records.knowledge_files import file_name, parse, render
from engine.types import KnowledgeView

Deed = Callable[[Library, Certifications, Mapping[str, Any]], Any]


def do(library: Library, certificates: Certifications, deed: str, told: Mapping[str, Any]) -> Any:
    """Carry out one of ``DEEDS``. :class:`NotFound`, :class:`WrongState`."""
    function = DEEDS.get(deed)
    if function is None:
        raise NotFound(f"nobody can {deed} knowledge")
    return function(library, certificates, told)


def _list(library: Library, certificates: Certifications, told: Mapping[str, Any]) -> list[KnowledgeView]:
    wanted = {name: str(told.get(name) or "") for name in ("topic", "department", "skill", "kind", "state")}
    return library.search(str(told.get("text") or ""), **wanted, limit=int(told.get("limit") or 100))


def _show(library: Library, certificates: Certifications, told: Mapping[str, Any]) -> dict[str, Any]:
    id, version = str(told["id"]), int(told.get("version") or 0)
    found = library.get(id, version) if version else library.get(id) or library.latest(id)
    if found is None:
        raise NotFound(f"there is no knowledge item {id}{f' v{version}' if version else ''}")
    return {"item": found, "versions": library.versions(id)}


def _write(library: Library, certificates: Certifications, told: Mapping[str, Any]) -> KnowledgeView:
    """A file's text: a new item, or the next version of one that there is; always as a draft."""
    item = parse(str(told.get("text") or ""), str(told.get("name") or "it"))
    values = {name: getattr(item, name) for name in _WRITTEN}
    by = str(told.get("by") or "")
    if library.latest(item.id) is None:
        title, answers = values.pop("title"), values.pop("answers")
        return library.draft(title, answers, id=item.id, by=by, **values)
    return library.edit(item.id, by=by, **values)


_WRITTEN: Final = (
    "title", "titles", "kind", "topic", "skill", "department", "owner", "answers", "spoken", "must_read", "quiz",
    "valid_from", "valid_until",
)  # fmt: skip


def _draft(library: Library, certificates: Certifications, told: Mapping[str, Any]) -> KnowledgeView:
    answers = {str(told.get("language") or "zh-CN"): str(told.get("answer") or "")}
    named: dict[str, Any] = {
        name: str(told.get(name) or "") for name in ("id", "topic", "skill", "department", "owner", "by")
    }
    return library.draft(str(told["title"]), answers, **named)


def _review(library: Library, certificates: Certifications, told: Mapping[str, Any]) -> KnowledgeView:
    return library.review(str(told["id"]), str(told.get("by") or ""))


def _publish(library: Library, certificates: Certifications, told: Mapping[str, Any]) -> KnowledgeView:
    return library.publish(str(told["id"]), str(told.get("by") or ""))


def _withdraw(library: Library, certificates: Certifications, told: Mapping[str, Any]) -> KnowledgeView:
    return library.withdraw(str(told["id"]), str(told.get("by") or ""), str(told.get("why") or ""))


def _import(library: Library, certificates: Certifications, told: Mapping[str, Any]) -> dict[str, int]:
    """Versions as files tell of them, with their states; what is there already stays."""
    kept = 0
    for name, text in dict(told.get("files") or {}).items():
        item = parse(text, name)
        if library.get(item.id, item.version) is None:
            library.put(item)
            kept += 1
    return {"kept": kept}


def _export(library: Library, certificates: Certifications, told: Mapping[str, Any]) -> dict[str, str]:
    """File name -> text: what holds today, or with ``all`` every version."""
    if told.get("all"):
        ids = [one.id for one in library.search(state="", limit=100_000)]
        items = [one for id in ids for one in library.versions(id)]
    else:
        items = library.search(department=str(told.get("department") or ""), limit=100_000)
    return {file_name(one): render(one) for one in items}


def _certificates(library: Library, certificates: Certifications, told: Mapping[str, Any]) -> list[Any]:
    return certificates.search(str(told.get("agent") or ""), str(told.get("id") or ""))


def _missing(library: Library, certificates: Certifications, told: Mapping[str, Any]) -> list[dict[str, Any]]:
    skills: dict[str, list[str]] = dict(told.get("skills") or {})
    return [
        {
            "agent": one.agent, "id": one.item.id, "version": one.item.version, "title": one.item.title,
            "skills": list(one.skills), "until": one.until,
        }
        for one in certificates.all_missing(skills)
    ]  # fmt: skip


def _read(library: Library, certificates: Certifications, told: Mapping[str, Any]) -> KnowledgeView:
    return certificates.read(str(told["agent"]), str(told["id"]))


def _answer(library: Library, certificates: Certifications, told: Mapping[str, Any]) -> Any:
    given = [int(one) for one in told.get("answers") or ()]
    return certificates.answer(
        str(told["agent"]), str(told["id"]), given, least=float(told.get("least") or 1.0)
    )


def _pass(library: Library, certificates: Certifications, told: Mapping[str, Any]) -> Any:
    return certificates.acknowledge(str(told["agent"]), str(told["id"]))


DEEDS: Final[Mapping[str, Deed]] = {
    "list": _list,
    "show": _show,
    "write": _write,
    "draft": _draft,
    "review": _review,
    "publish": _publish,
    "withdraw": _withdraw,
    "import": _import,
    "export": _export,
    "certificates": _certificates,
    "missing": _missing,
    "read": _read,
    "answer": _answer,
    "pass": _pass,
}
LOOKS: Final = frozenset({"list", "show", "export", "certificates", "missing"})
"""The deeds that change nothing."""

__all__ = ["DEEDS", "LOOKS", "do"]
