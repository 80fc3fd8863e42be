"""Which of the files that were found make up one run, and which tell its metrics: by their names alone."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from remote.protocol.results import FoundFile

LOGS = ("*.log", "*.out", "*.txt", "stdout*")
NO_LOGS = ("requirements*", "readme*", "license*", "vocab*", "merges*", "labels*", "classes*")
EVENT_FILES = "*tfevents*"
COUNTED = (
    *LOGS, EVENT_FILES, "*.jsonl", "*.csv", "trainer_state.json", "training_log.json", "metrics_history.json",
    "history.json", "metrics.json", "spec.json", "state.json", "args.yaml", "hparams.yaml", "ckpt.pt",
)  # fmt: skip
"""Names of files that count within an output folder."""

FRAMEWORKS = ("Hugging Face output", "Lightning logs", "Ultralytics run")
"""What knows what else lies in its folder; elsewhere each CSV, JSON lines or log is a run of its own."""

CHECKPOINT = "ckpt.pt"  # of nanoGPT, which prints its numbers: its folder is a run where a log lies in it
LOOSE = (".csv", ".jsonl")
_CHECKPOINT = re.compile(r"checkpoint-(\d+)\Z")
_DOCUMENTS = ("training_log.json", "metrics_history.json", "history.json", "metrics.json")
_FILES_MAX = 64  # of one run
COPIED_S = 60.0  # a folder that was copied has times that tell no order


@dataclass(frozen=True, slots=True)
class TrainingFiles:
    """The files of one run.

    Attributes:
        place: the file or the folder by which it is known.
        what: what it is, in two or three words.
        metrics: files that tell its numbers and are no text for eyes, in order; empty: its log tells them.
        log: its text; empty where there is none.
        is_ours: a run directory of Photinus, whose metrics are its events.
        bytes, at: size of all, and when one of them was written last, by the host's clock.
        folder: the folder that was asked for, where it lies in one.
    """

    place: str
    what: str
    metrics: tuple[str, ...] = ()
    log: str = ""
    is_ours: bool = False
    bytes: int = 0
    at: float = 0.0
    folder: str = ""


def training_files(found: Iterable[FoundFile]) -> list[TrainingFiles]:
    """Every run among these files, the one that was written last first."""
    alone: list[FoundFile] = []
    folders: dict[tuple[str, str], list[FoundFile]] = {}
    files = list(found)
    outputs = {_home_of(file) for file in files if _is_state(file) and file.folder}
    for file in files:
        if file.folder:
            folders.setdefault((file.folder, _home_of(file, outputs)), []).append(file)
        elif _is_event_file(file.path):
            folders.setdefault(("", _parent(file.path)), []).append(file)
        else:
            alone.append(file)
    runs = [_single(file) for file in alone]
    for (folder, place), inside in folders.items():
        runs += [replace(run, folder=folder) for run in _of_folder(place, inside)]
    return sorted(runs, key=lambda run: (-run.at, run.place))


def _single(file: FoundFile) -> TrainingFiles:
    name = PurePosixPath(file.path).name
    if name.endswith(".json"):
        what = "trainer_state.json" if name == "trainer_state.json" else "JSON history"
        return TrainingFiles(file.path, what, (file.path,), "", False, file.bytes, file.at)
    return TrainingFiles(file.path, "log", (), file.path, False, file.bytes, file.at)


def _home_of(file: FoundFile, outputs: Collection[str] = ()) -> str:
    """The folder that is a run's own: above its checkpoints, its log/, and runs/NAME/ of one of `outputs`."""
    path = PurePosixPath(file.path)
    place = path.parent
    below = (place.name == "log" and path.suffix == ".log") or _CHECKPOINT.fullmatch(place.name)
    if below and str(place) != file.folder:
        place = place.parent
    elif _is_event_file(path.name) and place.parent.name == "runs" and str(place.parent.parent) in outputs:
        place = place.parent.parent
    return str(place)


def _of_folder(place: str, files: Sequence[FoundFile]) -> Iterator[TrainingFiles]:
    """What lies in one run's folder; several logs without metrics are a run each."""
    here = {PurePosixPath(file.path).name: file for file in files if _parent(file.path) == place}
    logs = sorted((file for file in files if _is_log(file)), key=lambda file: (file.at, file.path))
    if "spec.json" in here and ("state.json" in here or "events.jsonl" in here):
        events = [here["events.jsonl"]] if "events.jsonl" in here else []
        own = [file for file in logs if _parent(file.path) == f"{place}/log"]
        yield _run(place, "run directory", events, own[-1:], is_ours=bool(events))
        return
    what, metrics = _metrics(place, here, files)
    if metrics:
        beside = logs if len(logs) == 1 else []
        yield _run(place, what, metrics, beside)
        logs = logs[len(beside) :]
    elif CHECKPOINT in here and len(logs) == 1:
        yield _run(place, "nanoGPT output", [], logs)
        return
    loose = [] if what in FRAMEWORKS else [file for name, file in here.items() if name.endswith(LOOSE)]
    yield from (_single(file) for file in [*loose, *logs] if file not in metrics)


def _metrics(
    place: str, here: dict[str, FoundFile], files: Sequence[FoundFile]
) -> tuple[str, list[FoundFile]]:
    """Which framework wrote it, and the files that tell its numbers."""
    states = [file for file in files if _is_state(file)]
    events = [file for file in files if _is_event_file(file.path)]
    events = sorted(events, key=lambda file: file.path)[-_FILES_MAX:]
    if states:
        newest = _newest_state(states, place)
        fresher = events and max(file.at for file in events) > newest.at + 1.0
        return "Hugging Face output", events if fresher else [newest]
    if "metrics.csv" in here:
        return "Lightning logs" if "hparams.yaml" in here else "metrics.csv", [here["metrics.csv"]]
    if "results.csv" in here and "args.yaml" in here:
        return "Ultralytics run", [here["results.csv"]]
    if events:
        return "TensorBoard run", events
    for name in ("metrics.jsonl", "log.jsonl", "history.jsonl", "train_log.jsonl", *_DOCUMENTS):
        if name in here:
            return name, [here[name]]
    return "", []


def _run(
    place: str, what: str, metrics: Sequence[FoundFile], logs: Sequence[FoundFile], *, is_ours: bool = False
) -> TrainingFiles:
    files = [*metrics, *logs]
    return TrainingFiles(
        place,
        what,
        tuple(file.path for file in metrics),
        logs[0].path if logs else "",
        is_ours,
        sum(file.bytes for file in files),
        max((file.at for file in files), default=0.0),
    )


def _newest_state(states: Sequence[FoundFile], place: str) -> FoundFile:
    """The state that goes furthest: by its checkpoint, unless another was written well after that."""
    last = max(states, key=lambda file: (_checkpoint_of(file.path, place), file.at))
    later = [file for file in states if file.at > last.at + COPIED_S]
    return max(later, key=lambda file: file.at, default=last)


def _checkpoint_of(path: str, place: str) -> int:
    """The number of the checkpoint that a state lies in; that of the end lies in none, and is the last."""
    found = _CHECKPOINT.fullmatch(PurePosixPath(path).parent.name)
    return int(found[1][:15]) if found and _parent(path) != place else 1 << 60


def _is_state(file: FoundFile) -> bool:
    return PurePosixPath(file.path).name == "trainer_state.json"


def _is_log(file: FoundFile) -> bool:
    name = PurePosixPath(file.path).name.lower()
    return any(fnmatchcase(name, one) for one in LOGS) and not any(fnmatchcase(name, one) for one in NO_LOGS)


def _is_event_file(path: str) -> bool:
    return "tfevents" in PurePosixPath(path).name


def _parent(path: str) -> str:
    return str(PurePosixPath(path).parent)
