"""The verb `files`: which plain files fit patterns, and when each was written last. Nothing is opened."""

import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from remote.agent.background import in_thread
from remote.agent.context import Context
from remote.agent.streams.path_search import PathSearch
from remote.agent.verb import Work
from remote.protocol.arguments import FilesArgs
from remote.protocol.errors import CallError
from remote.protocol.results import FilesFound, FoundFile
from remote.protocol.sanitise import clean_line

FILES_MAX = 512
TEXT_MAX = 400_000  # of all paths, so that an answer stays within a line
KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def find_files(ctx: Context, args: FilesArgs) -> Work[FilesFound]:
    """The verb: files by pattern, the newest first; of a folder those that `inside` names, some levels deep.

    Raises:
        CallError: `bad_request`: a pattern is no absolute path.
    """
    patterns = [_absolute(pattern) for pattern in args.patterns]
    runs = f"{ctx.home.runs_dir}/"
    return (yield from in_thread(lambda: _search(patterns, args.inside, runs)))


def _search(patterns: list[str], inside: list[str], runs: str) -> FilesFound:
    search = PathSearch()
    rows: dict[str, FoundFile] = {}
    for number, pattern in enumerate(patterns):
        for place in search.matches(pattern):
            for path, folder in _files(search, place, inside):
                if path.startswith(runs) and not pattern.startswith(runs):
                    continue  # a run of ours is shown as what it is
                if path not in rows and (row := _row(search, path, number, folder)) is not None:
                    rows[path] = row
    if search.is_cut:
        search.tell("there is more than is looked through: name narrower patterns")
    newest = sorted(rows.values(), key=lambda row: (-row.at, row.path))
    listed = list(_bounded(newest))
    left_out = len(newest) - len(listed)
    return FilesFound(files=listed, left_out=left_out, troubles=search.troubles, wall=time.time())


def _files(search: PathSearch, place: str, inside: list[str]) -> Iterator[tuple[str, str]]:
    """A path, and the folder in which it was found: empty for what was named itself."""
    if inside and Path(place).is_dir():
        for path in search.inside(place, inside):
            yield path, place
    else:
        yield place, ""


def _row(search: PathSearch, path: str, number: int, folder: str) -> FoundFile | None:
    if clean_line(path) != path:
        search.tell("a file whose name holds what no terminal shows is left out")
        return None
    try:
        found = os.stat(path)  # noqa: PTH116  a link is followed: `latest.log` is what a person would name
    except FileNotFoundError:
        return None  # a link to nothing, or gone meanwhile
    except OSError as error:
        search.tell(f"{path} cannot be looked at: {error.strerror or error}")
        return None
    if not stat.S_ISREG(found.st_mode):
        if not folder:
            what = next((word for is_so, word in KINDS if is_so(found.st_mode)), "no plain file")
            search.tell(f"{path} is {what}: only plain files are read")
        return None
    if not os.access(path, os.R_OK):
        search.tell(f"{path} may not be read by the user that Photinus runs as there")
        return None
    return FoundFile(path=path, bytes=found.st_size, at=found.st_mtime, pattern=number, folder=folder)


def _bounded(rows: list[FoundFile]) -> Iterator[FoundFile]:
    room = TEXT_MAX
    for row in rows[:FILES_MAX]:
        room -= len(row.path) + len(row.folder)
        if room < 0:
            return
        yield row


def _absolute(pattern: str) -> str:
    """A pattern from the root on; `~/` is the home of the user there."""
    try:
        path = Path(pattern).expanduser()
    except RuntimeError as error:
        raise CallError("bad_request", f"{pattern[:200]!r}: {error}", "name the path in full") from error
    if "\0" in pattern or not path.is_absolute():
        raise CallError("bad_request", f"{pattern[:200]!r} is no absolute path", "begin it with / or ~/")
    return os.path.normpath(path)
