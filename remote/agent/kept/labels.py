"""`labels.json` of a run: what people call it, and whether it is archived; the spec never changes."""

from dataclasses import asdict, dataclass
from pathlib import Path

from remote.protocol.sanitise import clean_line
from trainer.run.disk.atomic import read_json, write_json
from trainer.run.layout import RunDir
from trainer.run.run_errors import RunError

FILE = "labels.json"
NAME_MAX, NOTE_MAX, TAG_MAX, TAGS_MAX = 200, 2000, 40, 32
TIME_MAX = 253_402_300_799.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Words about a run.

    Attributes:
        name: instead of the spec's; empty: that one.
        archived: when it was put out of the list, epoch seconds; 0: it was not.
        trashed: when it went to the trash; it says nothing of a run that lies among the others.
    """

    name: str = ""
    tags: tuple[str, ...] = ()
    note: str = ""
    archived: float = 0.0
    trashed: float = 0.0


def labels_path(run: RunDir) -> Path:
    """Where they lie."""
    return run.path / FILE


def read_labels(run: RunDir) -> Labels:
    """The labels of a run. What cannot be read counts as none: a word about a run must not cost the run."""
    try:
        raw = read_json(labels_path(run))
    except (RunError, OSError):
        return Labels()
    if not isinstance(raw, dict):
        return Labels()
    tags = raw.get("tags")
    return Labels(
        name=_text(raw.get("name"), NAME_MAX),
        tags=tuple(_text(one, TAG_MAX) for one in tags[:TAGS_MAX]) if isinstance(tags, list) else (),
        note=_text(raw.get("note"), NOTE_MAX),
        archived=_time(raw.get("archived")),
        trashed=_time(raw.get("trashed")),
    )


def write_labels(run: RunDir, labels: Labels) -> None:
    """Replace them, at once and durably. The caller holds agent.lock.

    Raises:
        OSError: the disk refused; the old ones stand.
    """
    write_json(labels_path(run), asdict(labels))


def _text(raw: object, most: int) -> str:
    return clean_line(raw)[:most].strip() if isinstance(raw, str) else ""


def _time(raw: object) -> float:
    return float(raw) if isinstance(raw, int | float) and 0 < raw <= TIME_MAX else 0.0
