"""Where recordings lie: ``YYYY/MM/DD/<call-id>-<part>.wav`` under one folder, named by the engine alone.

Nothing that a caller, a flow or a command says becomes part of a path. What comes from outside is an id,
and what is not exactly the name of a file that we could have made is not found: ``../``, absolute paths,
links and NUL among it.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from engine.errors import ConfigError, NotFound

_CALL = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_ID = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]{0,63})-([1-9][0-9]{0,3})")
_PATH = re.compile(r"[0-9]{4}/[0-9]{2}/[0-9]{2}/([A-Za-z0-9][A-Za-z0-9-]{0,70})\.wav")
_FOLDER = re.compile(
    r"[\w./@+=~%-]+"
)  # becomes an argument of the switch, where blanks and quotes are syntax


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that is about to be recorded. ``path`` is relative to the folder, ``file`` absolute."""

    id: str
    call: str
    part: int
    path: str
    file: str


class Files:
    """The folder of recordings."""

    def __init__(self, folder: Path) -> None:
        """:class:`ConfigError` for a folder that can't be named to the switch."""
        self.folder = folder.absolute()
        if _FOLDER.fullmatch(str(self.folder)) is None:
            raise ConfigError(
                f"recordings can't lie in {str(self.folder)!r}: letters, digits and . _ - @ + % = ~ / only"
            )

    def new(self, call: str, on: date) -> NewFile:
        """A name for the next recording of ``call``, and the folder for it. NotFound when ``call`` is no call's id."""
        if _CALL.fullmatch(call) is None:
            raise NotFound(f"{call!r} is not the id of a call")
        day = f"{on:%Y/%m/%d}"
        folder = self.folder / day
        folder.mkdir(parents=True, exist_ok=True)
        part = 1
        while os.path.lexists(folder / f"{call}-{part}.wav"):
            part += 1
        name = f"{call}-{part}"
        return NewFile(name, call, part, f"{day}/{name}.wav", str(folder / f"{name}.wav"))

    def id_of(self, file: str) -> str | None:
        """The id of the recording that the switch calls ``file``; None for a file that is not one of ours."""
        try:
            path = Path(file).relative_to(self.folder).as_posix()
        except ValueError:
            return None
        found = _PATH.fullmatch(path)
        return found[1] if found else None

    def call_of(self, id: str) -> tuple[str, int]:
        """The call and the part that an id means; :class:`NotFound` when it is no id."""
        found = _ID.fullmatch(id)
        if found is None:
            raise NotFound("there is no such recording")
        return found[1], int(found[2])

    def near(self, id: str, at: datetime) -> str | None:
        """The path of ``id`` if it was begun on the day of ``at`` or shortly before; None when it is not there."""
        self.call_of(id)
        for days in (0, 1, -1, 2):
            path = f"{at.date() - timedelta(days=days):%Y/%m/%d}/{id}.wav"
            if os.path.lexists(self.folder / path):
                return path
        return None

    def locate(self, path: str) -> Path:
        """The file of a recording by its path; :class:`NotFound` when it is not a plain file within the folder."""
        with self.open(path):
            return self.folder / path

    def open(self, path: str) -> BinaryIO:
        """Open a recording for reading. No link is followed anywhere below the folder, and nothing is opened
        that is not a plain file: :class:`NotFound`."""
        if _PATH.fullmatch(path) is None:
            raise NotFound("there is no such recording")
        try:
            return os.fdopen(self._descend(path), "rb")
        except OSError as error:
            raise NotFound("the file of this recording is not there") from error

    def delete(self, path: str) -> int:
        """Delete a recording's file and the folders that it leaves empty; its size, or -1 when it was gone."""
        if _PATH.fullmatch(path) is None:
            raise NotFound("there is no such recording")
        file = self.folder / path
        try:
            with self.open(path) as opened:
                size = os.fstat(opened.fileno()).st_size
            file.unlink()
        except (NotFound, FileNotFoundError):
            return -1
        for parent in list(file.parents)[:3]:
            try:
                parent.rmdir()
            except OSError:
                break  # not empty, which is the usual case
        return size

    def before(self, day: date) -> Iterator[str]:
        """The paths of all recordings on disk that were begun before ``day``, the oldest first."""
        limit = f"{day:%Y/%m/%d}"
        for year in _numbered(self.folder, 4):
            for month in _numbered(year, 2):
                for folder in _numbered(month, 2):
                    if f"{year.name}/{month.name}/{folder.name}" >= limit:
                        return
                    for file in sorted(folder.glob("*.wav")):
                        path = file.relative_to(self.folder).as_posix()
                        if _PATH.fullmatch(path):
                            yield path

    def _descend(self, path: str) -> int:
        """Open component by component, so that a link put in between at any moment is not followed."""
        *folders, name = path.split("/")
        here = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for folder in folders:
                inner = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
                os.close(here)
                here = inner
            file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=here)
        finally:
            os.close(here)
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise FileNotFoundError(path)
        return file


def _numbered(folder: Path, digits: int) -> list[Path]:
    """The folders in ``folder`` that are named by so many digits; links are none."""
    if not folder.is_dir():
        return []
    found = (path for path in folder.iterdir() if path.name.isdigit() and len(path.name) == digits)
    return sorted(path for path in found if path.is_dir() and not path.is_symlink())
