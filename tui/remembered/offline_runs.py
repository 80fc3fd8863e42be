"""What was heard of runs, kept on this machine: `client/offline` of the state root, bounded and private."""

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue

from remote.hosts.client_state import client_folder, make_client_folder
from remote.protocol.errors import ProtocolError
from remote.protocol.views import RunView
from remote.session.updates import Bytes, RunChanged, RunsSeen, Update
from trainer.run.disk.atomic import write_bytes, write_json
from trainer.run.disk.small_record import open_plain, read_record
from trainer.run.layout import RUN_ID
from trainer.run.locks import Flock
from trainer.run.run_errors import RecordError
from tui.store.past.offline import OfflineRun, What

FOLDER, RECORD, VERSION = "offline", "run.json", 1
MOST_BYTES: dict[str, int] = {"events": 64 << 20, "log": 1 << 20}
RUNS_MAX, BYTES_MAX, RECORD_MAX = 200, 512 << 20, 1 << 16
WAITING_MAX = 256  # pieces of 64 kB; what comes while so many wait is left out
NOTE_S, TIDY_BYTES, PIECE, CLOSE_S = 30.0, 16 << 20, 1 << 16, 5.0
Key = tuple[str, str]


class OfflineRuns:
    """Writes on a thread of its own what is heard, and reads it when the cockpit opens.

    Of several cockpits the first one writes.

    Attributes:
        trouble: why nothing is written any more; empty where all is well.
    """

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self.trouble = ""
        self._wall = wall
        self._queue: SimpleQueue[tuple[str, Update] | None] = SimpleQueue()
        self._views: dict[Key, RunView] = {}
        self._noted: dict[Key, tuple[RunView, float]] = {}
        self._heard: dict[Key, float] = {}
        self._written = 0
        self._thread = threading.Thread(target=self._work, name="photinus-offline", daemon=True)
        self._thread.start()

    def take(self, host: str, update: Update) -> None:
        """Keep what a host said; returns at once."""
        if isinstance(update, Bytes | RunChanged | RunsSeen) and self._queue.qsize() < WAITING_MAX:
            self._queue.put((host, update))

    def close(self) -> None:
        """Write what waits, and end."""
        self._queue.put(None)
        self._thread.join(CLOSE_S)

    # Reading.

    def runs(self) -> Iterator[OfflineRun]:
        """Every run that is kept; a record that is none costs itself."""
        for path in sorted(client_folder(FOLDER).glob(f"*/*/{RECORD}")):
            with contextlib.suppress(RecordError, ProtocolError, OSError, KeyError, TypeError, ValueError):
                record = read_record(path, RECORD_MAX)
                if isinstance(record, dict) and record.get("version") == VERSION:
                    view = RunView.from_json(record["view"])
                    if view.run_id == path.parent.name and RUN_ID.fullmatch(view.run_id):
                        yield OfflineRun(path.parent.parent.name, view, float(record["at"]))

    def read(self, run: OfflineRun, what: What) -> Iterator[tuple[int, bytes]]:
        """The pieces of a file, each with its offset in the file of the host."""
        with contextlib.suppress(OSError, RecordError):
            found = _file_of(client_folder(FOLDER, *run.key), what)
            if found is not None:
                path, offset = found
                with os.fdopen(open_plain(path, ours=True), "rb") as file:
                    while data := file.read(PIECE):
                        yield offset, data
                        offset += len(data)

    # Writing, on the thread.

    def _work(self) -> None:
        try:
            lock = Flock.now(make_client_folder(FOLDER) / "lock")
        except OSError as error:
            self.trouble = f"nothing is kept for offline: {error}"
            return
        if lock is None:
            self.trouble = "another cockpit keeps runs for offline"
            return
        with lock:
            try:
                self._tidy()
                self._write_all()
            except OSError as error:  # a full disk: what was kept stays, the cockpit works on
                self.trouble = f"nothing more is kept for offline: {error}"

    def _write_all(self) -> None:
        while True:
            try:
                item = self._queue.get(timeout=NOTE_S)
            except Empty:
                self._note_all()
                continue
            if item is None:
                self._note_all()
                return
            host, update = item
            if isinstance(update, Bytes):
                self._bytes((host, update.run_id), update)
            elif isinstance(update, RunsSeen | RunChanged):
                views = update.runs if isinstance(update, RunsSeen) else (update.run,)
                for view in views:
                    self._views[host, view.run_id] = view

    def _bytes(self, key: Key, update: Bytes) -> None:
        view = self._views.get(key)
        if view is None or view.is_watched or not RUN_ID.fullmatch(key[1]) or update.what not in MOST_BYTES:
            return
        folder = make_client_folder(FOLDER, *key)
        put_piece(folder, update.what, update.offset, update.data, MOST_BYTES[update.what])
        self._heard[key] = self._wall()
        if key not in self._noted or self._heard[key] - self._noted[key][1] > NOTE_S:
            self._note(key)
        self._written += len(update.data)
        if self._written > TIDY_BYTES:
            self._written = 0
            self._tidy()

    def _note_all(self) -> None:
        for key in self._heard:
            if self._noted.get(key) != (self._views[key], self._heard[key]):
                self._note(key)

    def _note(self, key: Key) -> None:
        view, at = self._views[key], self._heard[key]
        record = {"version": VERSION, "at": at, "view": view.to_json()}
        write_json(make_client_folder(FOLDER, *key) / RECORD, record)
        self._noted[key] = view, at

    def _tidy(self) -> None:
        """Let go of the runs that were heard longest ago, beyond the bounds."""
        folders = sorted(client_folder(FOLDER).glob("*/*/"), key=_heard_at, reverse=True)
        total = 0
        for number, folder in enumerate(folders):
            total += sum(path.stat().st_size for path in folder.iterdir())
            if number >= RUNS_MAX or total > BYTES_MAX:
                shutil.rmtree(folder)


def put_piece(folder: Path, what: str, offset: int, data: bytes, most: int) -> None:
    """Put bytes of a host's file where they belong; its name says at which offset the file here begins.

    What does not join what is here begins anew, as does what differs from it: a file was replaced there.

    Raises:
        OSError: the disk refused.
    """
    found = _file_of(folder, what)
    size = found[0].stat().st_size if found is not None else 0
    if found is None or not found[1] <= offset <= found[1] + size:
        for path in folder.glob(f"{what}.*"):
            path.unlink()
        found = folder / f"{what}.{offset}", offset
    path, start = found
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "r+b") as file:
        before = os.pread(fd, len(data), offset - start)
        if not data.startswith(before):
            file.truncate(offset - start)
        if before != data:
            file.seek(offset - start)
            file.write(data)
            file.flush()
        size = os.fstat(fd).st_size
        if size <= most:
            return
        file.seek(size - most // 2)
        cut, rest = file.readline(), file.read()
    kept = start + size - most // 2 + len(cut)
    path.unlink()  # not both: what lies between would be told twice
    write_bytes(folder / f"{what}.{kept}", rest)


def _file_of(folder: Path, what: str) -> tuple[Path, int] | None:
    """The file here, and the offset in the host's file at which it begins."""
    for path in folder.glob(f"{what}.*"):
        start = path.name.rpartition(".")[2]
        if start.isdecimal() and len(start) < 18:
            return path, int(start)
    return None


def _heard_at(folder: Path) -> float:
    with contextlib.suppress(OSError):
        return (folder / RECORD).stat().st_mtime
    return 0.0
