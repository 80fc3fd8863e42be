"""A run in a project of trackio, written by its own store: nothing leaves this machine."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tui.commands.exports.missing_library import needs
from tui.commands.exports.recorded_run import RecordedRun, numbers
from tui.commands.exports.table_files import moment

PROJECT = "photinus"


def write_trackio(run: RecordedRun, folder: Path) -> None:
    """Fill a folder that `TRACKIO_DIR=FOLDER trackio show` opens: a row a row, and the configuration.

    Raises:
        CallError: trackio is not installed.
    """
    home = Path(tempfile.mkdtemp(prefix="trackio-"))
    before = os.environ.get("TRACKIO_DIR")
    os.environ["TRACKIO_DIR"] = str(home)  # it is read once, at the import
    try:
        try:
            from trackio import sqlite_storage
        except ImportError as error:
            raise needs("trackio", "trackio", error) from error
        sqlite_storage.TRACKIO_DIR = home
        sqlite_storage.SQLiteStorage.bulk_log(
            PROJECT,
            run.name,
            [dict(numbers(row)) for row in run.rows],
            steps=[row.step or 0 for row in run.rows],
            timestamps=list(_times(run)),
            config=dict(run.config),
        )
        for written in home.glob("*.db*"):
            shutil.copyfile(written, folder / written.name)
    finally:
        os.environ.pop("TRACKIO_DIR")
        if before is not None:
            os.environ["TRACKIO_DIR"] = before
        shutil.rmtree(home, ignore_errors=True)


def _times(run: RecordedRun) -> Iterator[str]:
    """A time of each row, by which trackio orders them: that of the row before where it has none."""
    at = next((row.t for row in run.rows if row.t), 0.0) or time.time()
    for row in run.rows:
        at = row.t or at
        yield moment(at)
