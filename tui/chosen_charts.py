"""Which metrics somebody put onto charts, by the kind of run: a small file of the client's."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from remote.hosts.client_state import client_folder, make_client_folder
from remote.protocol.sanitise import clean_line
from trainer.run.disk.atomic import write_json
from trainer.run.disk.small_record import read_record
from trainer.run.run_errors import RecordError

FILE = "charts.json"
VERSION = 1
FILE_MAX = 1 << 18
KINDS_MAX, NAMES_MAX, NAME_MAX = 200, 12, 100


class ChosenCharts:
    """The charts that were chosen, in memory; read once, and written with each change.

    Attributes:
        trouble: why the file is left out, or could not be written; empty where all is well.
    """

    def __init__(self) -> None:
        self._chosen, self.trouble = load(client_folder(FILE))

    def of(self, kind: str) -> Sequence[str]:
        """The metrics that runs of a kind have on charts; none where nobody chose."""
        return self._chosen.get(_fit(kind), ())

    def put(self, kind: str, names: Sequence[str]) -> None:
        """Remember these for runs of this kind, beside what another cockpit wrote; none forgets it."""
        path = client_folder(FILE)
        written, self.trouble = load(path)
        self._chosen = {**self._chosen, **written}
        self._chosen.pop(_fit(kind), None)
        if names:
            self._chosen[_fit(kind)] = tuple(map(_fit, names[:NAMES_MAX]))
        newest = dict(list(self._chosen.items())[-KINDS_MAX:])
        try:
            make_client_folder()
            write_json(path, {"version": VERSION, "charts": newest})
            self.trouble = ""
        except OSError as error:
            self.trouble = (
                f"{path} could not be written ({error.strerror or error}): it lasts until you leave"
            )


def load(path: Path) -> tuple[dict[str, tuple[str, ...]], str]:
    """What a file of charts says, bounded and cleaned; and why it is left out, empty where it is not."""
    try:
        record = read_record(path, FILE_MAX)
    except RecordError as error:
        return {}, f"{error}: your choice of charts is left out until you choose again"
    if record is None:
        return {}, ""
    if (
        not isinstance(record, dict)
        or record.get("version") != VERSION
        or not isinstance(record.get("charts"), dict)
    ):
        return {}, f"{path} is no file of charts of this version: it is left out until you choose again"
    return dict(_sound(record["charts"])), ""


def _sound(charts: dict[object, object]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The entries that make sense; another one costs itself."""
    for kind, names in list(charts.items())[-KINDS_MAX:]:
        if isinstance(kind, str) and isinstance(names, list):
            kept = tuple(_fit(name) for name in names[:NAMES_MAX] if isinstance(name, str))
            if kept:
                yield _fit(kind), kept


def _fit(text: str) -> str:
    return clean_line(text[:NAME_MAX])
