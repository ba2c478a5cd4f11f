"""The parties that come with a department's sample: ``sample/parties.csv`` in its folder.

They are taken in together with the rest of the sample, once, in its transaction. A party that is there already (a
company's own, or another department's sample) stays as it is; a number that somebody has stays with them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import structlog

from engine.errors import ConfigError, WrongState
from engine.records.party_desk import read_csv
from engine.records.party_table import PartiesIn

log = structlog.get_logger(__name__)

FILE: Final = Path("sample") / "parties.csv"


def sample_file(folder: Path | None) -> Path | None:
    """The parties of the department in this folder; None when it brings none."""
    path = folder / FILE if folder is not None else None
    return path if path is not None and path.is_file() else None


def take_in(known: PartiesIn, path: Path) -> int:
    """Put the parties of a file in; how many were new. :class:`ConfigError` with the row that can't be used."""
    try:
        rows = read_csv(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, WrongState) as error:
        raise ConfigError(f"{path}: {error}") from error
    new = 0
    for number, row in enumerate(rows, 1):
        if row.pin:
            raise ConfigError(f"{path}: row {number}: a sample has pin_hash, no pin: to hash takes long")
        kind, code = row.values.get("kind", ""), row.values.get("code", "")
        if not code:
            raise ConfigError(f"{path}: row {number}: a party of a sample needs a code")
        if known.by_code(code, kind) is not None:
            continue
        free = [given for given in row.numbers if known.by_number(given) is None]
        if len(free) < len(list(row.numbers)):
            log.warning("sample.number_taken", file=str(path), row=number, kind=kind, code=code)
        try:
            known.keep(row._replace(numbers=free))
        except WrongState as error:
            raise ConfigError(f"{path}: row {number}: {error}") from None
        new += 1
    return new
