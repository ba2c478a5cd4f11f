"""What a script of the simulator may hold (``conf/simulator.yaml``): who phones in, and how phones behave.

    grammar: 1
    phones:
      1001: {answer_after: 2s-6s, talk_for: 15s-40s, misses: 10%}
    callers:
      - title: asks for a shipment
        dials: "8004"
        from: ["+8613800000001", "+8613800000002"]
        first: 2s                     # the first call, after the start
        every: 20s-40s                # then again and again
        times: 50                     # but not more often than this (left out: for ever)
        patience: 45s-90s             # hangs up when nobody talks to him for so long
        does:
          - press: "1"                # when the switch next waits for keys, after a moment's thought
          - {press: "44018008#", after: 1s-2s}
          - wait: 5s
          - talk                      # until a talk with an agent is over
          - hang_up

A time is one length or two (``2s-6s``: drawn anew each time, from the seed). When the steps are over the
caller listens until the call ends.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import Field, GetJsonSchemaHandler, PlainValidator, WithJsonSchema, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from engine.errors import ConfigError
from engine.schema.faults import Faults
from engine.schema.fields import Raw, Share, Text, parse_duration, text_of, whole
from engine.schema.shapes import FileShape, Shape, load_file, wrong
from engine.schema.source import Broken

_KEYS = frozenset("0123456789*#ABCD")


class Spread(NamedTuple):
    """A length of time between two, in seconds."""

    low: float
    high: float


def _spread(value: Any) -> Spread:
    if isinstance(value, Spread):
        return value
    text = text_of(value, "a length of time such as 5s or 2s-6s")
    low_text, has_high, high_text = text.partition("-")
    low = parse_duration(low_text.strip())
    high = parse_duration(high_text.strip()) if has_high else low
    if high < low:
        raise wrong("spread", f"`{text}` ends before it begins", "write the shorter time first")
    return Spread(low, high)


def _keys(value: Any) -> str:
    text = text_of(value, "keys of a phone")
    if not text or not _KEYS.issuperset(text):
        raise wrong("keys", f"`{text}` can't be pressed on a phone", "write digits, * and #")
    return text


Time = Annotated[Spread, PlainValidator(_spread), WithJsonSchema({"type": "string", "examples": ["2s-6s"]})]
Keys = Annotated[str, PlainValidator(_keys), WithJsonSchema({"type": "string", "pattern": "^[0-9*#A-D]+$"})]
_TIMES = whole(1, 1_000_000)
Times = Annotated[int, _TIMES[0], _TIMES[1]]

_KINDS = ("press", "wait", "talk", "hang_up")


class Step(Shape):
    """One thing that a caller does; exactly one of press, wait, talk, hang_up."""

    press: Keys | None = None
    after: Time | None = None  # how long he thinks before he presses
    wait: Time | None = None
    talk: Literal["yes"] | None = None
    hang_up: Literal["yes"] | None = None

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """For editors: a step without a value may be its word alone."""
        return {"anyOf": [{"enum": ["talk", "hang_up"]}, handler(core)]}

    @model_validator(mode="before")
    @classmethod
    def _word(cls, value: Any) -> Any:
        if isinstance(value, str) and not isinstance(value, Broken):
            return {value: "yes"}
        return value

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(getattr(self, kind) is not None for kind in _KINDS) != 1:
            raise wrong("step", "a step is one of press, wait, talk, hang_up")
        if self.after is not None and self.press is None:
            raise wrong("step", "`after` belongs to `press`", at="after")
        return self


class CallerScript(Shape):
    """Somebody who phones in again and again."""

    title: Text
    dials: Raw
    from_: list[Raw] = Field(alias="from", min_length=1)
    name: Raw = ""
    first: Time = Spread(1.0, 5.0)
    every: Time | None = None
    times: Times | None = None
    patience: Time = Spread(60.0, 120.0)
    does: list[Step] = []


class PhoneScript(Shape):
    """How an agent's phone behaves by itself."""

    answer_after: Time = Spread(2.0, 6.0)
    talk_for: Time = Spread(15.0, 40.0)
    misses: Share = 0.0  # of the calls that ring, so many are not answered


class ScriptFile(FileShape):
    """The whole file."""

    grammar: Literal["1"]
    phones: dict[str, PhoneScript] = {}
    callers: list[CallerScript] = []


def load(path: Path, *, name: str | None = None) -> ScriptFile:
    """Read a script; raises ConfigError with every fault at its place."""
    file, found = load_file(path, ScriptFile, name=name)
    Faults(found).raise_errors()
    if file is None:
        raise ConfigError(f"{path}: can't be read")
    return file
