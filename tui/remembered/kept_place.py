"""Where somebody is in the cockpit: a screen, and the run opened last. A page loaded again goes there."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from trainer.run.disk.atomic import write_json
from trainer.run.disk.small_record import read_record
from trainer.run.run_errors import RecordError

VERSION = 1
PLACE_MAX = 1 << 12
WORD_MAX = 200


@dataclass(frozen=True, slots=True)
class CockpitPlace:
    """A screen by its name in the table of keys, and the run that is open (both empty: none)."""

    where: str
    host: str = ""
    run_id: str = ""


class KeptPlace:
    """A file with the place; it is written when the place has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last: CockpitPlace | None = None

    def read(self) -> CockpitPlace | None:
        """The place that was kept last; None where there is none, or something else is in the file."""
        with contextlib.suppress(RecordError):
            record = read_record(self._path, PLACE_MAX)
            if isinstance(record, dict) and record.get("version") == VERSION:
                return CockpitPlace(*(_word(record.get(name)) for name in ("where", "host", "run")))
        return None

    def keep(self, place: CockpitPlace) -> None:
        """Keep this one; on a full disk the one before stays."""
        if place == self._last:
            return
        self._last = place
        with contextlib.suppress(OSError):
            fields = {"where": place.where, "host": place.host, "run": place.run_id}
            write_json(self._path, {"version": VERSION, **fields})


def _word(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= WORD_MAX else ""


PAGE_VARIABLE = "PHOTINUS_PAGE"  # the file with the place: set by `photinus serve` for the cockpit of a page


def page_place() -> KeptPlace | None:
    """The kept place where this program is the cockpit of a page; runs inherit the variable no further."""
    path = os.environ.pop(PAGE_VARIABLE, "")
    return KeptPlace(Path(path)) if path else None
