"""What somebody chose for charts and logs, by the kind of run: a small file of the client's."""

from collections.abc import Iterator
from pathlib import Path

from remote.hosts.client_state import client_folder, make_client_folder
from remote.protocol.sanitise import clean_line
from trainer.run.disk.atomic import write_json
from trainer.run.disk.small_record import read_record
from trainer.run.run_errors import RecordError
from tui.store.metrics.axis import ALONG
from tui.store.metrics.grid_choice import AS_IT_COMES, COLUMNS_MAX, GridChoice

FILE = "charts.json"
VERSION = 2
NAMES_ALONE = 1  # the version that knew nothing but names
FILE_MAX = 1 << 20
KINDS_MAX, NAMES_MAX, NAME_MAX, SMOOTHING_MAX, LEVEL_MAX = 200, 60, 100, 20, 2


class ChosenCharts:
    """The choices, in memory; read once, and written with each change.

    Attributes:
        trouble: why the file is left out, or could not be written; empty where all is well.
    """

    def __init__(self) -> None:
        self._chosen, self.trouble = load(client_folder(FILE))

    def of(self, kind: str) -> GridChoice:
        """What was chosen for runs of a kind."""
        return self._chosen.get(_fit(kind), AS_IT_COMES)

    def put(self, kind: str, choice: GridChoice) -> None:
        """Remember it for runs of this kind, beside what another cockpit wrote; the usual one forgets."""
        path = client_folder(FILE)
        written, self.trouble = load(path)
        self._chosen = {**self._chosen, **written}
        self._chosen.pop(_fit(kind), None)
        if choice != AS_IT_COMES:
            self._chosen[_fit(kind)] = choice
        newest = list(self._chosen.items())[-KINDS_MAX:]
        try:
            make_client_folder()
            write_json(path, {"version": VERSION, "charts": {name: _record(one) for name, one in newest}})
            self.trouble = ""
        except OSError as error:
            self.trouble = (
                f"{path} could not be written ({error.strerror or error}): it lasts until you leave"
            )


def load(path: Path) -> tuple[dict[str, GridChoice], str]:
    """What a file of charts says, bounded and cleaned; and why it is left out, empty where it is not."""
    try:
        record = read_record(path, FILE_MAX)
    except RecordError as error:
        return {}, f"{error}: your choice of charts is left out until you choose again"
    if record is None:
        return {}, ""
    if (
        not isinstance(record, dict)
        or record.get("version") not in (NAMES_ALONE, VERSION)
        or not isinstance(record.get("charts"), dict)
    ):
        return {}, f"{path} is no file of charts of this version: it is left out until you choose again"
    return dict(_sound(record["charts"])), ""


def _sound(charts: dict[object, object]) -> Iterator[tuple[str, GridChoice]]:
    """The entries that make sense; another one costs itself."""
    for kind, said in list(charts.items())[-KINDS_MAX:]:
        record = {"names": said} if isinstance(said, list) else said
        if isinstance(kind, str) and isinstance(record, dict):
            choice = _choice(record)
            if choice != AS_IT_COMES:
                yield _fit(kind), choice


def _choice(record: dict[str, object]) -> GridChoice:
    """One entry; a part of it that makes no sense is as it would come by itself."""
    names, along = record.get("names"), record.get("along")
    kept = names[:NAMES_MAX] if isinstance(names, list) else ()
    return GridChoice(
        tuple(_fit(name) for name in kept if isinstance(name, str)),
        _within(record.get("columns"), 0, COLUMNS_MAX),
        next((one for one in ALONG if one == along), "step"),
        _within(record.get("smoothing"), -1, SMOOTHING_MAX),
        record.get("alone") is True,
        _fit(text) if isinstance(text := record.get("log_text"), str) else "",
        _within(record.get("log_level"), 0, LEVEL_MAX),
        record.get("log_wraps") is True,
    )


def _within(value: object, least: int, most: int) -> int:
    return value if type(value) is int and least <= value <= most else least


def _record(choice: GridChoice) -> dict[str, object]:
    return {
        "names": list(map(_fit, choice.names[:NAMES_MAX])),
        "columns": choice.columns,
        "along": choice.along,
        "smoothing": choice.smoothing,
        "alone": choice.alone,
        "log_text": _fit(choice.log_text),
        "log_level": choice.log_level,
        "log_wraps": choice.log_wraps,
    }


def _fit(text: str) -> str:
    return clean_line(text[:NAME_MAX])
