"""The settings of an installation: what conf/engine.yaml may hold.

Shapes only, every key optional. Whoever composes the engine reads the file with ``engine.schema.load_file``
(which gives each mistake its place) into a subclass that names the shape of ``switch:``, a section that
belongs to a layer above this one::

    class EngineFile(Settings):
        switch: SwitchSettings = SwitchSettings()

YAML hands over text as typed; the types below read durations (``20s``), sizes (``256MB``), shares (``20%``)
and whole numbers out of it. A value that already has its type is taken as it is.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError


def _wrong(code: str, text: str, hint: str = "", *, at: str = "") -> PydanticCustomError:
    """An error in the form that ``engine.schema`` turns into a fault with its place."""
    return PydanticCustomError(code, "{text}", {"text": text, "hint": hint, "at": at, "offset": 0})


def _typed(value: Any, wanted: str) -> str:
    if not isinstance(value, str):
        raise _wrong("shape", f"{wanted} is wanted here")
    return value.strip()


def _seconds(value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if value < 0 or not math.isfinite(value):
            raise _wrong("duration", f"{value} is not a length of time")
        return float(value)
    text = _typed(value, "a length of time")
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)(ms|s|m|h|d)", text)
    if found is None:
        raise _wrong("duration", f"`{text}` is not a length of time", "write 500ms, 5s, 10m, 2h or 90d")
    return float(found[1]) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]


def _lasting(least: float, most: float, limits: str) -> Any:
    def check(value: Any) -> float:
        seconds = _seconds(value)
        if not least <= seconds <= most:
            raise _wrong("duration", f"`{value}` is not between {limits}")
        return seconds

    return PlainValidator(check)


def _size(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    text = _typed(value, "a size")
    found = re.fullmatch(r"([0-9]{1,6})(KB|MB|GB)", text)
    if found is None:
        raise _wrong("size", f"`{text}` is not a size", "write 512KB, 256MB or 2GB")
    return int(found[1]) << {"KB": 10, "MB": 20, "GB": 30}[found[2]]


def _share(value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    text = _typed(value, "a share")
    found = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,3})?)%", text)
    if found is None or float(found[1]) > 100:
        raise _wrong("share", f"`{text}` is not a share", "write 0% to 100%")
    return float(found[1]) / 100


def _whole(least: int, most: int) -> Any:
    def check(value: Any) -> int:
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}", value.strip()):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise _wrong("number", f"`{value}` is not a whole number")
        if not least <= value <= most:
            raise _wrong("number", f"{value} is not between {least} and {most}")
        return value

    return PlainValidator(check)


def _text(value: Any) -> str:
    text = _typed(value, "a text")
    if not text or not text.isprintable():
        raise _wrong("shape", "a text is wanted here, and not an empty one")
    return text


def _path(value: Any) -> Path:
    if isinstance(value, Path):
        return value
    text = _typed(value, "a path")
    if not text or not text.isprintable():
        raise _wrong("path", "a path is wanted here, and not an empty one")
    return Path(text).expanduser()


def _pattern(pattern: str, code: str, wanted: str, example: str) -> tuple[Any, Any]:
    def check(value: Any) -> str:
        text = _typed(value, wanted)
        if re.fullmatch(pattern, text) is None:
            raise _wrong(code, f"`{text}` is not {wanted}", f"write it as {example}")
        return text

    return PlainValidator(check), WithJsonSchema({"type": "string", "pattern": f"^(?:{pattern})$"})


_LENGTH_OF_TIME = WithJsonSchema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)$"})
_SITE = _pattern(r"[a-z0-9][a-z0-9-]{0,31}", "name", "the short name of a site", "gz-1")
_LANGUAGE = _pattern(r"[a-z]{2,3}(?:-[A-Z][A-Za-z]{1,3})?", "language", "a language", "zh-CN")
_REGION = _pattern(r"[A-Z]{2}", "region", "the two letters of a country", "CN")
_POLICY = _pattern(r"[a-z][a-z0-9_]{0,31}", "name", "the name of a policy", "service")

KeepTime = Annotated[float, _lasting(86400, 86400 * 36500, "1d and 36500d"), _LENGTH_OF_TIME]
OfferTime = Annotated[float, _lasting(3, 120, "3s and 2m"), _LENGTH_OF_TIME]
WrapUpTime = Annotated[float, _lasting(0, 3600, "0s and 1h"), _LENGTH_OF_TIME]
RetryTime = Annotated[float, _lasting(1, 86400, "1s and 1d"), _LENGTH_OF_TIME]
DrainTime = Annotated[float, _lasting(0, 86400, "0s and 1d"), _LENGTH_OF_TIME]
Size = Annotated[
    int, PlainValidator(_size), WithJsonSchema({"type": "string", "pattern": "^[0-9]+(KB|MB|GB)$"})
]
GraceTime = Annotated[float, _lasting(0, 90 * 86400, "0s and 90d"), _LENGTH_OF_TIME]
Share = Annotated[float, PlainValidator(_share), WithJsonSchema({"type": "string", "pattern": r"^[0-9.]+%$"})]
Text = Annotated[str, PlainValidator(_text), WithJsonSchema({"type": "string", "minLength": 1})]
Place = Annotated[Path, PlainValidator(_path), WithJsonSchema({"type": "string", "minLength": 1})]
SiteId = Annotated[str, _SITE[0], _SITE[1]]
Language = Annotated[str, _LANGUAGE[0], _LANGUAGE[1]]
Region = Annotated[str, _REGION[0], _REGION[1]]
PolicyName = Annotated[str, _POLICY[0], _POLICY[1]]


class Section(BaseModel):
    """A section of the file: unknown keys are refused, and a parsed one never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Site(Section):
    """Which installation this is, where several write to one database or one screen shows several."""

    id: SiteId = "main"
    name: Text = "Insideline"


class Database(Section):
    """Where everything is kept. ``sqlite:///<file>`` (relative to the home folder) or ``postgresql://…``."""

    url: Text = "sqlite:///var/insideline.db"

    @field_validator("url")
    @classmethod
    def _known(cls, url: str) -> str:
        if re.match(r"(sqlite:///.|postgresql(\+psycopg)?://)", url) is None:
            raise _wrong(
                "database", "this is no database", "write sqlite:///<file> or postgresql://user@host/name"
            )
        return url


class Control(Section):
    """The socket over which commands such as ``insideline status`` reach the running engine."""

    socket: Place = Path("var/insideline.sock")


class RecordingPolicy(Section):
    """Which share of the calls is recorded, and for how long a recording is kept."""

    share: Share = 1.0
    keep: KeepTime = 180 * 86400.0  # deleted by the daily sweep after this


_SERVICE = RecordingPolicy()
_NEVER = RecordingPolicy(share=0.0)


class Recording(Section):
    """What is recorded. A flow names a policy (``record: service``); ``never`` is always there."""

    folder: Place = Path("var/recordings")
    policy: PolicyName = "service"  # for a flow that says `record` and no more
    policies: dict[PolicyName, RecordingPolicy] = Field(
        default_factory=lambda: {"never": _NEVER, "service": _SERVICE}
    )

    keep_clips: KeepTime = 180 * 86400.0  # what callers dictated (`dictate`)
    keep_messages: KeepTime = 90 * 86400.0  # what they left in boxes (`voicemail`)

    @field_validator("policies")
    @classmethod
    def _with_never(cls, policies: dict[str, RecordingPolicy]) -> dict[str, RecordingPolicy]:
        if policies.get("never", _NEVER).share:
            raise _wrong("policy", "the policy `never` can't record anything")
        return {"never": _NEVER, **policies}

    @model_validator(mode="after")
    def _known_policy(self) -> Self:
        if self.policy not in self.policies:
            known = ", ".join(sorted(self.policies))
            raise _wrong("policy", f"there is no policy `{self.policy}`", f"known: {known}", at="policy")
        return self


class Prompts(Section):
    """The sound made of texts: rendered once, then taken from the cache."""

    cache: Place = Path("var/prompts")
    cache_size: Size = 256 << 20


class Fax(Section):
    """How faxes are written and sent. They go out through the trunks, as ``outbound`` of conf/trunks.yaml allows."""

    folder: Place = Path("var/faxes")
    font: Place | None = None  # a TrueType or OpenType file; without it, one of the distribution's
    station: Text | None = None  # our number as the far end's display shows it
    header: Text | None = None  # printed at the top of each page; the site's name without it
    lines: Annotated[int, _whole(1, 50)] = 2  # at once
    attempts: Annotated[int, _whole(1, 20)] = 4
    again: RetryTime = 300.0  # after an attempt that failed; longer each time
    t38: bool = False  # ask the carrier for T.38; without it, the tones go as sound


class Limits(Section):
    """Where the engine says no, so that one fault can't take everything with it."""

    calls: Annotated[int, _whole(1, 20_000)] = 1_500  # live calls; one more hears the apology
    steps: Annotated[int, _whole(50, 1_000_000)] = 5_000  # steps of one call; then it is let go with a word
    adoptions: Annotated[int, _whole(0, 100)] = 5  # restarts that one call is carried over; then the fallback
    failures: Annotated[int, _whole(1, 1000)] = (
        5  # in a row, until a query or command is left alone for `rest`
    )
    rest: Annotated[float, _lasting(1, 3600, "1s and 1h"), _LENGTH_OF_TIME] = 30.0
    blocked: Annotated[float, _lasting(0.05, 60, "50ms and 1m"), _LENGTH_OF_TIME] = (
        0.5  # then it is told who blocks
    )
    drain: DrainTime = 30.0  # how long a stopping engine waits for its calls


class Parties(Section):
    """Callers who say who they are by a code and a PIN. Each lock in a row lasts twice as long as the one before."""

    wrong_pins: Annotated[int, _whole(1, 99)] = (
        5  # in a row; then the party, and the caller's number, are locked
    )
    locked: DrainTime = 900.0
    longest: DrainTime = 86_400.0


class Certification(Section):
    """What must be read and passed (docs/certification.md)."""

    # Who passed the version before may go on with a new one for so long; for a new item that is everybody.
    grace: GraceTime = 604_800.0
    least: Share = 1.0  # of right answers, from which on a quiz is passed


class MappedTable(Section):
    """A table of somebody else's database: its name there (``schema.table``), and its columns by their names here."""

    name: Text
    columns: dict[Text, Text] = Field(default_factory=dict)


class SystemSection(Section):
    """Where a company system is. ``sql`` without ``url``: the department's own tables.

    ``secret_file`` holds what no other file should: headers, a token, or the password of the database.
    """

    kind: Literal["sql", "http"] = "sql"
    url: Text | None = None
    limit: Annotated[float, _lasting(0.1, 300, "100ms and 5m"), _LENGTH_OF_TIME] = 10.0  # of one request
    secret_file: Place | None = None
    ca_file: Place | None = None  # whom to trust instead of the usual authorities
    tables: dict[Text, MappedTable] = Field(default_factory=dict)  # by their names here

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind == "http" and not re.match(r"https?://[^\s/?#@]+(/|$)", self.url or ""):
            raise _wrong("url", "a system over http needs its address", "write https://host/path", at="url")
        if self.kind == "http" and self.tables:
            raise _wrong("shape", "tables are for kind: sql", at="tables")
        if self.kind == "sql" and self.url is None and (self.tables or self.secret_file):
            raise _wrong("url", "another database needs its url", "write postgresql://user@host/name")
        return self


class DepartmentSection(Section):
    """What is said of one department: where the company systems behind its contracts are, and its own settings, which
    are held against its own model once the plugins are loaded."""

    model_config = ConfigDict(extra="allow", frozen=True)

    adapters: dict[Text, SystemSection] = Field(default_factory=dict)


class Log(Section):
    """``console`` is for people, ``json`` for machines; ``auto`` looks whether it writes to a terminal."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "console", "json"] = "auto"


class Settings(Section):
    """conf/engine.yaml."""

    grammar: Literal["1"] = "1"
    site: Site = Site()
    var: Place = Path("var")  # everything that the engine writes, unless a key below says otherwise
    languages: tuple[Language, ...] = Field(default=("zh-CN", "en"), min_length=1)  # the first one greets
    region: Region = "CN"  # how a number without a country code is read
    timezone: Text = "Asia/Shanghai"
    database: Database = Database()
    switch: Any = Field(default_factory=dict)
    control: Control = Control()
    recording: Recording = Recording()
    prompts: Prompts = Prompts()
    fax: Fax = Fax()
    limits: Limits = Limits()
    # Of the thread that hears the switch and gives orders; auto: real-time like the switch's own threads, beside a
    # FreeSWITCH and where the system lets us; normal: as any program.
    priority: Literal["auto", "normal"] = "auto"
    parties: Parties = Parties()
    certification: Certification = Certification()
    departments: dict[Text, DepartmentSection] = Field(default_factory=dict)
    log: Log = Log()

    @field_validator("timezone")
    @classmethod
    def _real_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise _wrong("timezone", f"there is no time zone `{name}`", "write Asia/Shanghai") from None
        return name

    @field_validator("languages")
    @classmethod
    def _once(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(languages)) != len(languages):
            raise _wrong("language", "a language stands here twice")
        return languages

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the installation."""
        return ZoneInfo(self.timezone)

    def folders(self, home: Path) -> Folders:
        """Where things are, absolute, for an installation in ``home``."""
        home = home.expanduser().absolute()
        return Folders(
            home=home,
            var=home / self.var,
            conf=home / "conf",
            recordings=home / self.recording.folder,
            prompt_cache=home / self.prompts.cache,
            control_socket=home / self.control.socket,
            database_url=_absolute_url(self.database.url, home),
        )


@dataclass(frozen=True, slots=True)
class Folders:
    """The installation's places, all absolute."""

    home: Path
    var: Path
    conf: Path
    recordings: Path
    prompt_cache: Path
    control_socket: Path
    database_url: str


def _absolute_url(url: str, home: Path) -> str:
    prefix = "sqlite:///"
    if not url.startswith(prefix):
        return url
    return prefix + str(home / url.removeprefix(prefix))
