"""What a command for the event socket is, and how it goes over the wire (see :mod:`engine.esl.commands`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain

from engine.errors import UnsafeText
from engine.esl import text

# An argument that may stand in a header: no line can end in it, and the switch strips nothing from it.
_SHORT = re.compile(r"[A-Za-z0-9_=.-]{1,26}\Z")


@dataclass(frozen=True, slots=True)
class Command:
    """One command for the event socket. ``name`` is what logs call it; ``secret`` keeps the rest out."""

    name: str
    line: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    secret: bool = False

    def __post_init__(self) -> None:
        # The last guard, whoever built the parts: no value can end its line or cut the body short.
        # Looked through as one: a search for each part would be a third of what a command costs.
        text.plain("".join((self.line, self.body, *chain.from_iterable(self.headers))), self.name)
        # The switch searches the whole line of a command for these words, and when it finds them unloads
        # or reloads its event socket instead of doing what was asked.
        if "mod_event_socket" in self.line and self.name != "raw":
            raise UnsafeText(f"{self.name} names mod_event_socket, which would close the connection")

    @property
    def api(self) -> str | None:
        """Command and arguments behind ``api``; None for a command of another kind."""
        return self.line[4:] if self.line.startswith("api ") else None

    def background(self, job: str) -> Command:
        """The same API command as a background job with a UUID of our choosing, so that its result can't
        arrive before we know its name."""
        if self.api is None:
            raise UnsafeText(f"{self.name} can't run as a background job")
        return Command(self.name, f"bgapi {self.api}", (("Job-UUID", text.uuid(job, "job uuid")),))

    def wire(self) -> bytes:
        """The bytes, with the blank line that ends a command. Content-Length counts bytes."""
        if not self.headers:
            return f"{self.line}\n\n".encode()
        # The switch reads lines byte by byte, about 2 us each, and a body at once: no blank behind the colon, and what
        # is longer than the two headers that a body needs goes as one.
        head = self.line + "".join(f"\n{key}:{value}" for key, value in self.headers)
        if not self.body:
            return f"{head}\n\n".encode()
        if _SHORT.match(self.body):
            return f"{head}\nexecute-app-arg:{self.body}\n\n".encode()
        body = self.body.encode()
        return f"{head}\ncontent-type:text/plain\ncontent-length:{len(body)}\n\n".encode() + body

    def __str__(self) -> str:
        return self.name if self.secret else f"{self.line} {self.body}".strip()

    def __repr__(self) -> str:
        return f"<Command {self}>"


def api(name: str, *arguments: str) -> Command:
    """An API command from parts that were checked."""
    return Command(name, " ".join(("api", name, *arguments)))


def group(group: str) -> str:
    """A group of the scheduler; :class:`UnsafeText` for one that it would take for a task id."""
    if group.isdigit():
        raise UnsafeText("a scheduler group of digits alone would be taken for a task id")
    return text.token(group, "group")


def seconds(seconds: int) -> int:
    """A sensible number of seconds from now; :class:`UnsafeText` for another one."""
    if not 0 < int(seconds) <= 86_400 * 366:
        raise UnsafeText(f"{seconds} is no sensible number of seconds")
    return int(seconds)


def one_of(value: str, *allowed: str) -> str:
    """``value``, when it is one of these; :class:`UnsafeText` otherwise."""
    if value not in allowed:
        raise UnsafeText(f"{value!r} is not one of {', '.join(allowed)}")
    return value
