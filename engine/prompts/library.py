"""Prompts for live calls: a key and its values in, something that the switch can play out.

The words between the values and the values themselves are clips of their own (see docs/decisions): what
stands in a catalogue is rendered once for ever, digits are ten clips that all numbers share, and a private amount
lies in the cache without the sentence that says whose it is.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import structlog
from gevent.threadpool import ThreadPool

from engine.clock import Clock
from engine.errors import ConfigError
from engine.prompts.cache import ClipCache, Counts, Spec
from engine.prompts.catalogue import Catalogue, Recorded, Text
from engine.prompts.phrases import Phrase, Setting
from engine.prompts.render import Voice, VoicesState, voices_state
from engine.prompts.scripts import by_voice
from engine.prompts.spoken import LANGUAGES, clean, speak_anyhow
from engine.prompts.written import LINE, written
from engine.schema.fields import is_prompt_key
from engine.schema.templates import Slot, TemplateError, parse_template

log = structlog.get_logger(__name__)

_BREATH: Final = 0.15  # seconds for a comma between two clips
_STOP: Final = 0.35  # and for the end of a sentence
_LAST: Final = 0.1  # behind the last clip
_MOST_CLIPS: Final = 100  # the switch's file_string takes 127 and drops the rest without a word
_MARKS: Final = {**dict.fromkeys(",，、:：;；-—", _BREATH), **dict.fromkeys(".。!！?？…", _STOP)}
_AROUND: Final = re.escape("".join(_MARKS)) + r"\s\"'“”‘’()（）"
_EDGE: Final = re.compile(rf"([{_AROUND}]*)(.*?)([{_AROUND}]*)", re.DOTALL)
# In a path `!` parts clips, `@@` begins a position, a brace or bracket begins parameters; quotes, dollars and
# bars are syntax to one application of the switch or another. Blanks are escaped where a command is built.
_UNPLAYABLE = re.compile(r"[!$'\"\\<>|{}\[\]\x00-\x1f\x7f]|@@")


@dataclass(frozen=True, slots=True)
class Utterance:
    """A prompt as one caller hears it. Its words and values stay out of its ``repr``: they may be private."""

    key: str  # "orders/enter_pin", "bye" for a common one, "" for literal text
    text: str = field(repr=False)  # all that is said, as people read it
    language: str
    values: Mapping[str, Any] = field(repr=False)  # by placeholder, as they came
    clips: tuple[str, ...]  # absolute paths, in order
    playback: str  # what `playback` and `play_and_get_digits` take
    seconds: float  # how long it plays


@dataclass(frozen=True, slots=True)
class Warmed:
    """What ``Prompts.warm`` did."""

    prompts: int  # texts looked at
    recorded: int  # of their pieces, how many are recordings
    rendered: int  # clips made now
    cached: int  # clips that were there
    failed: int
    seconds: float  # of sound, all together


class Prompts:
    """The prompts of an installation, in one voice.

    ``cache_dir`` is made when it is missing. Its path, and those of recordings, become arguments of the switch:
    one with quotes, brackets, ``!``, ``$``, ``|`` or ``@@`` in it is a :class:`ConfigError`.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        voice: Voice,
        cache_dir: Path,
        clock: Clock,
        *,
        timezone: str = "Asia/Shanghai",
        limit_bytes: int = 256 << 20,
        remembered: int = 4096,
        pool: ThreadPool | None = None,
        formats: Mapping[str, Mapping[str, Callable[[Any], str]]] | None = None,
    ) -> None:
        self._pool = pool or ThreadPool(2)
        self._own_pool = pool is None
        self._clock = clock
        self._zone = ZoneInfo(timezone)
        self._formats = formats or {}  # of plugins: name -> language -> words
        self._remembered = remembered
        self._said: OrderedDict[str, Utterance] = OrderedDict()
        folder = cache_dir.absolute()
        _refuse_unplayable(str(folder))
        folder.mkdir(parents=True, exist_ok=True)
        self._cache = ClipCache(folder, voice, clock, self._pool, limit_bytes)
        self._catalogue = Catalogue()
        self.reload(catalogue)

    @property
    def catalogue(self) -> Catalogue:
        return self._catalogue

    @property
    def counts(self) -> Counts:
        """Hits and renderings since the start."""
        return self._cache.counts

    @property
    def voices(self) -> VoicesState:
        """What the voice speaks, for ``doctor``."""
        return voices_state(self._cache.voice)

    def known(self) -> Mapping[str, Mapping[str, Mapping[str, str]]]:
        """For the checker: language -> full key -> placeholder -> format."""
        return self._catalogue.known()

    def reload(self, catalogue: Catalogue) -> None:
        """Speak from another catalogue from now on."""
        for texts in catalogue.texts.values():
            for text in texts.values():
                for recorded in text.recorded:
                    if recorded is not None:
                        _refuse_unplayable(recorded.path)
        self._catalogue = catalogue

    def close(self) -> None:
        """Stop the threads, if they are its own."""
        if self._own_pool:
            self._clock.end_threads(self._pool)

    def utterance(
        self,
        prompt: str,
        values: Mapping[str, Any] | None = None,
        language: str = "zh-CN",
        department: str = "",
    ) -> Utterance:
        """``prompt`` (a key, or literal text) with its ``values`` in ``language``.

        ``values`` has the placeholders' dotted names, or their roots (``shipment`` for ``{shipment.at}``: a mapping
        or an object with these fields). May wait for a clip to be rendered, some 50 ms the first time. It never
        raises for what a call brings: an unknown key, a value that does not fit or a voice that fails is logged,
        and something sensible is said.
        """
        text = self._find(prompt, language, department)
        # Not `values or {}`: to count the names of a call takes longer than all the rest of this.
        parts, found, words = self._compose(text, {} if values is None else values)
        utterance = self._join(text, found, words, parts)
        self._remember(utterance)
        return utterance

    def wording(
        self,
        prompt: str,
        values: Mapping[str, Any] | None = None,
        language: str = "zh-CN",
        department: str = "",
    ) -> str:
        """The words of ``utterance`` for what is read and not heard (a fax): values as one writes them, ``¶`` is a
        new line, and nothing is rendered."""
        text = self._find(prompt, language, department)
        found: list[str] = []
        for piece in text.template.parts:
            if isinstance(piece, str):
                found.append(_behind(found, piece))
            else:
                value = _value({} if values is None else values, piece)
                found.append(self._written(value, piece, text.language))
        return "\n".join(line.strip() for line in "".join(found).split(LINE))

    def _written(self, value: Any, slot: Slot, language: str) -> str:
        if slot.format in self._formats:
            return speak_anyhow(value, slot.format, language, Setting(self._zone, formats=self._formats)).text
        return written(value, slot.format, language, self._zone, forms=slot.forms)

    def describe(self, playback: str) -> Utterance | None:
        """What was said with exactly this ``playback``, for tests and for a person at the terminal; None when
        it was not said here, or too long ago."""
        return self._said.get(playback)

    def warm(
        self,
        languages: Iterable[str] | None = None,
        literals: Iterable[tuple[str, str]] = (),
        *,
        gently: bool = False,
    ) -> Warmed:
        """Render all that can be rendered before a call asks for it: the words of every prompt, and the digits.
        ``literals`` are texts without a key, each with its language.
        Waits until it is done; ``insideline prompts build`` and the start of the engine use it. ``gently``: rest
        as long as it works, since calls are being led beside it."""
        before, prompts, recorded = self._cache.counts.failed, 0, 0
        specs: list[Spec] = []
        wanted = [one for one in languages or self._catalogue.languages if one in LANGUAGES]
        began = self._clock.monotonic()
        for text in self._all_texts(wanted, literals):
            prompts += 1
            for part in self._compose(text, None)[0]:
                if isinstance(part, Spec):
                    specs.append(part)
                elif isinstance(part, Recorded):
                    recorded += 1
            if gently and (took := self._clock.monotonic() - began) > 0.005:
                self._clock.sleep(took)
                began = self._clock.monotonic()
        for language in wanted:
            for row in (*(digit * 2 for digit in "0123456789"), "1"):
                specs.extend(_value_specs(speak_anyhow(row, "digits", language).phrases, language))
        specs = list(dict.fromkeys(specs))
        missing = self._cache.missing(specs)
        seconds = 0.0
        step = 2 if gently else 16
        for at in range(0, len(specs), step):
            began = self._clock.monotonic()
            seconds += sum(clip.seconds for clip in self._cache.clips(specs[at : at + step], patience=120.0))
            if gently and (took := self._clock.monotonic() - began) > 0.001:
                self._clock.sleep(took)
        failed = self._cache.counts.failed - before
        return Warmed(prompts, recorded, len(missing) - failed, len(specs) - len(missing), failed, seconds)

    def _all_texts(self, languages: list[str], literals: Iterable[tuple[str, str]]) -> Iterator[Text]:
        for language in languages:
            yield from self._catalogue.texts.get(language, {}).values()
        for language, text in literals:
            if language in languages:
                yield _literal(text, language)

    # -- words ---------------------------------------------------------------------------------

    def _find(self, prompt: str, language: str, department: str) -> Text:
        if language not in LANGUAGES:
            log.error("prompt_language_unknown", prompt=prompt[:80], language=language)
            language = next(iter(self._catalogue.languages), next(iter(LANGUAGES)))
        if not is_prompt_key(prompt):
            return _literal(prompt, language)
        for each in (language, *self._catalogue.languages):
            if (text := self._catalogue.find(prompt, each, department)) is not None:
                if each != language:
                    log.error("prompt_missing", prompt=prompt, language=language, department=department)
                return text
        log.error("prompt_missing", prompt=prompt, language=language, department=department)
        trouble = self._catalogue.find("system_trouble", language)
        return trouble or _literal("…", language)

    def _compose(
        self, text: Text, values: Mapping[str, Any] | None
    ) -> tuple[list[Spec | Recorded], dict[str, Any], str]:
        """What is played for ``text``, in order, the placeholders' values, and all its words. With ``None`` for
        values only what stands between them."""
        parts: list[Spec | Recorded] = []
        found: dict[str, Any] = {}
        said: list[str] = []
        pieces, literal, before = text.template.parts, 0, ""
        today = self._clock.now().astimezone(self._zone).date()
        for at, piece in enumerate(pieces):
            if isinstance(piece, str):
                recording = text.recorded[literal] if literal < len(text.recorded) else None
                if recording is not None:
                    parts.append(recording)
                else:
                    parts.extend(_piece(text, piece, literal, first=at == 0, last=at == len(pieces) - 1))
                said.append(_behind(said, piece))
                before, literal = piece.rstrip(), literal + 1
            elif values is not None:
                value = found[piece.name] = _value(values, piece)
                setting = Setting(self._zone, today, before, piece.forms, self._formats)
                spoken = speak_anyhow(value, piece.format, text.language, setting)
                parts.extend(_value_specs(spoken.phrases, text.language))
                said.append(spoken.text)
                before = ""
        return parts, found, "".join(said)

    # -- sound ---------------------------------------------------------------------------------

    def _join(
        self, text: Text, values: Mapping[str, Any], words: str, parts: list[Spec | Recorded]
    ) -> Utterance:
        if len(parts) > _MOST_CLIPS:
            parts = [Spec(_owner(text, 0), text.language, clean(words), 0.0, _LAST)]
        elif not parts:
            parts = [Spec("pause", text.language, "", 0.0, _LAST)]
        rendered = iter(self._cache.clips([part for part in parts if isinstance(part, Spec)]))
        clips = [part if isinstance(part, Recorded) else next(rendered) for part in parts]
        paths = tuple(clip.path for clip in clips)
        return Utterance(
            key=text.key,
            text=words,
            language=text.language,
            values=values,
            clips=paths,
            playback=paths[0] if len(paths) == 1 else "file_string://" + "!".join(paths),
            seconds=round(sum(clip.seconds for clip in clips), 3),
        )

    def _remember(self, utterance: Utterance) -> None:
        self._said[utterance.playback] = utterance
        self._said.move_to_end(utterance.playback)
        while len(self._said) > self._remembered:
            self._said.popitem(last=False)


def _literal(text: str, language: str) -> Text:
    try:
        return Text("", language, parse_template(text))
    except TemplateError:
        return Text("", language, parse_template(text.replace("{", "{{").replace("}", "}}")))


def _behind(said: list[str], piece: str) -> str:
    """A literal behind what was said before: "at two p.m." ends its sentence already."""
    return piece[1:] if piece.startswith(".") and "".join(said[-1:]).endswith(".") else piece


def _value(values: Mapping[str, Any], slot: Slot) -> Any:
    """A placeholder's value: by its dotted name, or by its fields from its root; None when it is not there."""
    if slot.name in values:
        return values[slot.name]
    found: Any = values.get(slot.root)
    for part in slot.name.split(".")[1:]:
        found = found.get(part) if isinstance(found, Mapping) else getattr(found, part, None)
    return None if callable(found) else found


def _piece(text: Text, piece: str, number: int, *, first: bool, last: bool) -> list[Spec]:
    """The clips of the words between two values, mostly one; the punctuation at their ends becomes silence."""
    found = by_voice(piece, text.language)
    if not found:
        pause = 0.0 if first or last else _pause(piece)
        return [Spec("pause", text.language, "", 0.0, pause)] if pause else []
    specs = []
    for at, (language, words) in enumerate(found):
        head, core, tail = _edges(words)
        before = 0.0 if at or first else _pause(head)
        after = _pause(tail) if at < len(found) - 1 or not last else _LAST
        specs.append(Spec(_owner(text, number), language, clean(core), before, after))
    return specs


def _value_specs(phrases: Iterable[Phrase], language: str) -> list[Spec]:
    specs = []
    for phrase in phrases:
        cut = by_voice(phrase.text, language) or [(language, phrase.text)]
        for at, (voice, words) in enumerate(cut):
            specs.append(
                Spec("value", voice, words.strip(), 0.0, phrase.pause if at == len(cut) - 1 else 0.0)
            )
    return specs


def _edges(words: str) -> tuple[str, str, str]:
    found = _EDGE.fullmatch(words)
    return (found[1], found[2], found[3]) if found is not None else ("", words, "")


def _pause(marks: str) -> float:
    return max((_MARKS.get(mark, 0.0) for mark in marks), default=0.0)


def _owner(text: Text, number: int) -> str:
    return f"{text.key.replace('/', '.')}.{number}" if text.key else "text"


def _refuse_unplayable(path: str) -> None:
    if (found := _UNPLAYABLE.search(path)) is not None:
        raise ConfigError(
            f"{path}: the switch can't play files from a folder with {found.group()!r} in its path"
        )
