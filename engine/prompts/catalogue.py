"""The texts that callers hear, by key and language, and the recordings that take their place.

``prompts/<lang>.yaml`` holds what all departments share, ``plugins/<department>/prompts/<lang>.yaml`` what one of
them says. Each is a mapping ``key: text with {values:format}``. Beside it, ``audio/<lang>/<key>.wav`` is a recording
that is played instead; a text with values is recorded in pieces, ``<key>.1.wav``, ``<key>.2.wav`` … for the words
between the values, in order.

A prompt is looked up in its department first, then among the common ones. ``orders/enter_pin`` names a department's
prompt from anywhere, ``common/bye`` a common one.
"""

from __future__ import annotations

import wave
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from engine.prompts.plurals import wrong
from engine.prompts.spoken import FORMATS, LANGUAGES
from engine.schema.faults import Fault, Faults, did_you_mean
from engine.schema.fields import is_prompt_key
from engine.schema.source import Cut, Document, read_document
from engine.schema.templates import Slot, Template, TemplateError, parse_template

COMMON: Final = "common"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded WAV: its absolute path and length in seconds."""

    path: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Text:
    """One prompt in one language."""

    key: str  # "orders/enter_pin"; a common prompt has no department in front: "bye"
    language: str
    template: Template
    recorded: tuple[Recorded | None, ...] = ()  # for each literal piece of the template, in order

    @property
    def slots(self) -> Mapping[str, str]:
        """Placeholders: dotted name -> format ("" when none is named)."""
        return {slot.name: slot.format for slot in self.template.slots}


@dataclass(frozen=True)
class Catalogue:
    """All prompts of an installation. Immutable: a reload makes a new one."""

    texts: Mapping[str, Mapping[str, Text]] = field(default_factory=dict)  # language -> full key -> Text

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(self.texts)

    def find(self, prompt: str, language: str, department: str = "") -> Text | None:
        """The text of ``prompt`` as a flow of ``department`` means it, or None."""
        texts = self.texts.get(language, {})
        if "/" in prompt:
            return texts.get(prompt.removeprefix(f"{COMMON}/"))
        return texts.get(f"{department}/{prompt}") or texts.get(prompt)

    def known(self) -> Mapping[str, Mapping[str, Mapping[str, str]]]:
        """For the checker: language -> full key -> placeholder -> format."""
        return {
            language: {key: text.slots for key, text in texts.items()}
            for language, texts in self.texts.items()
        }

    def words(self) -> Mapping[str, Mapping[str, str]]:
        """For the checker: language -> full key -> the text as it is written."""
        return {
            language: {key: text.template.text for key, text in texts.items()}
            for language, texts in self.texts.items()
        }


def load_catalogue(
    common: Path, departments: Mapping[str, Path] | None = None, *, formats: Collection[str] = FORMATS.keys()
) -> tuple[Catalogue, Faults]:
    """Read the common prompts (the folder ``prompts/``) and those of the departments (name -> folder of the
    plugin). ``formats`` are the names of those that values may be said in. What can be read is in the catalogue, every
    mistake among the faults; nothing is raised."""
    faults = Faults()
    texts: dict[str, dict[str, Text]] = {language: {} for language in LANGUAGES}
    _Folder("", common, common / "audio", faults, formats).read_into(texts)
    for name, folder in sorted((departments or {}).items()):
        if (folder / "prompts").is_dir():
            _Folder(name, folder / "prompts", folder / "audio", faults, formats).read_into(texts)
    frozen = {language: MappingProxyType(found) for language, found in texts.items() if found}
    return Catalogue(MappingProxyType(frozen)), faults


def load_say_as(common: Path) -> tuple[Mapping[str, Mapping[str, str]], Faults]:
    """``prompts/say_as/<lang>.yaml``: how the speech engine is to pronounce what it gets wrong."""
    faults, found = Faults(), {}
    for path in sorted((common / "say_as").glob("*.yaml")):
        document = read_document(path)
        faults.extend(document.faults)
        found[path.stem] = {written: said for written, said, _ in _pairs(document, faults)}
    return found, faults


class _Folder:
    """One department's (or the common) files in all languages."""

    def __init__(
        self, department: str, prompts: Path, audio: Path, faults: Faults, formats: Collection[str]
    ) -> None:
        self.department = department
        self.prompts = prompts
        self.audio = audio
        self.faults = faults
        self.formats = formats
        self.documents: dict[str, Document] = {}
        self.found: dict[str, dict[str, tuple[Template, Document]]] = {}

    def read_into(self, texts: dict[str, dict[str, Text]]) -> None:
        for path in sorted(self.prompts.glob("*.yaml")):
            document = read_document(path)
            self.faults.extend(document.faults)
            if path.stem not in LANGUAGES:
                self.faults.add(
                    Fault(
                        document.file, 1, 1, "unknown-language",
                        f"there are no rules for speaking values in {path.stem!r}",
                        did_you_mean(path.stem, LANGUAGES), source=document.line(1),
                    )
                )  # fmt: skip
                continue
            self.documents[path.stem] = document
            self.found[path.stem] = self._read(document, path.stem)
        self._compare()
        for language, found in self.found.items():
            recorded = self._recordings(language)
            for key, (template, document) in found.items():
                full = f"{self.department}/{key}" if self.department else key
                pieces = self._pieces(key, template, recorded, document)
                texts[language][full] = Text(full, language, template, pieces)
            for key, path in sorted(recorded.items()):
                self._fault_at(path, "unused-recording", f"no prompt of {language} is called {key!r}",
                               did_you_mean(key.split(".")[0], found))  # fmt: skip

    def _read(self, document: Document, language: str) -> dict[str, tuple[Template, Document]]:
        found: dict[str, tuple[Template, Document]] = {}
        for key, text, path in _pairs(document, self.faults):
            if not is_prompt_key(key) or "/" in key:
                self.faults.add(
                    document.fault(path, "prompt-key", f"{key!r} is no key of a prompt",
                                   "a key has lower-case letters, digits and _", key=True)
                )  # fmt: skip
                continue
            try:
                template = parse_template(text)
            except TemplateError as error:
                self.faults.add(document.fault(path, "template", str(error), offset=error.offset))
                continue
            for slot in template.slots:
                if slot.format and slot.format not in self.formats:
                    self.faults.add(
                        document.fault(path, "unknown-format", f"{slot.format!r} is no format of values",
                                       did_you_mean(slot.format, self.formats), offset=slot.offset)
                    )  # fmt: skip
                elif (told := wrong(slot.format, slot.forms, language)) is not None:
                    self.faults.add(document.fault(path, "plural", *told, offset=slot.offset))
            found[key] = (template, document)
        return found

    def _compare(self) -> None:
        """Every key in every language of this folder, with the same values."""
        for language, document in self.documents.items():
            here = self.found[language]
            for other in self.found:
                for key in self.found[other].keys() - here.keys():
                    at = self.found[other][key][1].position((key,), key=True)
                    # A text that is there but faulty has been reported already.
                    if not document.has((key,)):
                        self.faults.add(
                            document.fault((), "missing-prompt", f"{key!r} is missing in {language}",
                                           f"it is in {at}", also=at)
                        )  # fmt: skip
        first, *others = self.found or [""]
        for other in others:
            for key in self.found[first].keys() & self.found[other].keys():
                (one, one_document), (two, document) = self.found[first][key], self.found[other][key]
                if (wanted := _names(one.slots)) != (has := _names(two.slots)):
                    self.faults.add(
                        document.fault(
                            (key,), "placeholders",
                            f"{key!r} has the values {_listed(has)} here, but {_listed(wanted)} in {first}",
                            also=one_document.position((key,)),
                        )
                    )  # fmt: skip

    def _recordings(self, language: str) -> dict[str, Path]:
        folder = self.audio / language
        return (
            {path.name.removesuffix(".wav"): path for path in folder.glob("*.wav")} if folder.is_dir() else {}
        )

    def _pieces(
        self, key: str, template: Template, recorded: dict[str, Path], document: Document
    ) -> tuple[Recorded | None, ...]:
        """The recordings of a text, one for each literal piece; taken out of ``recorded``."""
        literals = sum(1 for piece in template.parts if isinstance(piece, str))
        if not template.slots:
            path = recorded.pop(key, None)
            return (self._recording(path),) if path is not None else ()
        if key in recorded:
            path = recorded.pop(key)
            self._fault_at(path, "recording-of-values", f"{key!r} has values, so one recording can't say it",
                           f"record its {literals} pieces as {key}.1.wav … {key}.{literals}.wav")  # fmt: skip
        names = [f"{key}.{number}" for number in range(1, literals + 1)]
        if not any(name in recorded for name in names):
            return ()
        return tuple(self._recording(recorded.pop(name, None)) for name in names)

    def _recording(self, path: Path | None) -> Recorded | None:
        if path is None:
            return None
        try:
            with wave.open(str(path), "rb") as sound:
                seconds = sound.getnframes() / sound.getframerate()
        except (OSError, EOFError, wave.Error, ZeroDivisionError) as error:
            self._fault_at(path, "recording", f"this is no WAV that the switch can play: {error}",
                           "save it as PCM, mono, 16 bits, 8000 Hz")  # fmt: skip
            return None
        return Recorded(str(path.absolute()), seconds)

    def _fault_at(self, path: Path, code: str, message: str, hint: str = "") -> None:
        self.faults.add(Fault(str(path), 0, 0, code, message, hint))


def _pairs(document: Document, faults: Faults) -> Iterable[tuple[str, str, tuple[str | int, ...]]]:
    """Keys and texts of a flat file; what is not flat is a fault."""
    if document.tree is None:
        return
    if not isinstance(document.tree, dict):
        faults.add(document.fault((), "shape", "this file must be a mapping of keys to texts"))
        return
    for key, text in document.tree.items():
        if not isinstance(text, str):
            faults.add(document.fault((key,), "shape", f"the value of {key!r} must be a text"))
        elif isinstance(text, Cut):
            faults.add(
                document.fault((key,), "cut-off", "the text ends before ` #`, the rest is a comment",
                               "quote the text, or move the comment")
            )  # fmt: skip
        elif text.strip():
            yield key, " ".join(text.split()), (key,)
        elif type(text) is str:
            faults.add(document.fault((key,), "empty-text", f"{key!r} has no text"))


def _names(slots: Iterable[Slot]) -> frozenset[str]:
    return frozenset(slot.name for slot in slots)


def _listed(names: frozenset[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names)) or "none"
