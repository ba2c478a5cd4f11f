from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from gevent.monkey import get_original

from engine.clock import VirtualClock
from engine.prompts import Catalogue, Prompts, Voice, load_catalogue
from engine.prompts.sound import tone

YAML = {
    "prompts/zh-CN.yaml": """\
        bye: 再见。
        position: 您排在第{position:count}位，请等待。
        system_trouble: 系统故障。
        """,
    "prompts/en.yaml": """\
        bye: Goodbye.
        position: You are number {position:count}, please wait.
        system_trouble: Trouble.
        """,
    "orders/prompts/zh-CN.yaml": """\
        bye: 订货专线，再见。
        state: "{order.number:digits}已于{order.at:date}发往{order.city}。"
        """,
    "orders/prompts/en.yaml": """\
        bye: The order line, goodbye.
        state: "{order.number:digits} left for {order.city} on {order.at:date}."
        """,
}


class RowVoice:
    """A voice for tests: a tone of a tenth of a second for each character. ``slow`` is in real seconds, spent
    in the pool's thread."""

    def __init__(self, *, slow: float = 0.0, fails: bool = False, quick: bool = False) -> None:
        self.name = "row"
        self.quick = quick
        self.slow = slow
        self.fails = fails
        self.said: list[tuple[str, str]] = []

    def speaks(self, language: str) -> bool:
        return True

    def samples(self, text: str, language: str) -> array[int]:
        if self.slow:
            get_original("time", "sleep")(self.slow)
        self.said.append((language, text))
        if self.fails:
            raise RuntimeError("no voice today")
        return tone(0.1 * len(text))


@pytest.fixture
def row_voice() -> type[RowVoice]:
    return RowVoice


@pytest.fixture
def clock() -> Iterator[VirtualClock]:
    clock = VirtualClock()
    yield clock
    clock.close()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a file below the test's folder."""

    def put(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return put


@pytest.fixture
def catalogue(tmp_path: Path, write: Callable[[str, str], Path]) -> Catalogue:
    """Common prompts and those of a department ``orders``, in both languages."""
    for name, text in YAML.items():
        write(name, dedent(text))
    found, faults = load_catalogue(tmp_path / "prompts", {"orders": tmp_path / "orders"})
    assert not list(faults)
    return found


@pytest.fixture
def make(tmp_path: Path, clock: VirtualClock, catalogue: Catalogue) -> Iterator[Callable[..., Prompts]]:
    made: list[Prompts] = []

    def build(voice: Voice | None = None, **more: object) -> Prompts:
        prompts = Prompts(catalogue, voice or RowVoice(), tmp_path / "cache", clock, **more)  # type: ignore[arg-type]
        made.append(prompts)
        return prompts

    yield build
    for prompts in made:
        prompts.close()
