"""Files and folders to clean texts: whatever is no text is skipped, and said."""

import os
from collections.abc import Iterator
from pathlib import Path

from trainer.data.corpora.found import Found, Skipped
from trainer.data.corpora.gutenberg import label_of
from trainer.data.data_errors import BadFileError
from trainer.data.display_names import shown
from trainer.data.progress import Pulse
from trainer.data.sources.decompress import Bounds
from trainer.data.sources.file_formats import GIVE, READ, suffix_of, texts_of
from trainer.data.sources.text import clean, strip_gutenberg


def read_path(
    path: Path, field: str, pulse: Pulse, bounds: Bounds | None = None
) -> Iterator[Found | Skipped]:
    """Every text below `path` in sorted order, and a reason for everything that gave none.

    A file named by itself is read whatever its suffix, links are followed. In a folder hidden files and those
    of other suffixes are passed over in silence, links that lead out of it are skipped.
    """
    files = [path] if not path.is_dir() else []
    if path.is_dir():
        for one in _walk(path):
            if isinstance(one, Skipped):
                yield one
            else:
                files.append(one)
        if not files:
            yield Skipped(shown(path), f"there is no text file in it: {GIVE}")
    sizes = [_size(file) for file in files]
    total, done = sum(sizes), 0
    for file, size in zip(files, sizes, strict=True):
        pulse.beat("read", done, total)
        for found in read_file(file, field, bounds):
            pulse.beat("read", done, total)
            yield found
        done += size


def read_file(path: Path, field: str, bounds: Bounds | None = None) -> Iterator[Found | Skipped]:
    """The texts of one file; a bad line or member is skipped, its siblings are not."""
    if not path.is_file():
        yield Skipped(shown(path), "it is neither a file nor a folder: name one")
        return
    bad: list[BadFileError] = []
    try:
        for raw in texts_of(path, field, bad.append, bounds):
            yield from _skipped(bad, path)
            yield found_in(raw.text, shown(raw.where))
    except BadFileError as error:
        bad.append(error)
    yield from _skipped(bad, path)


def found_in(raw: str, where: str) -> Found | Skipped:
    """One raw text, cleaned; or that there is nothing in it."""
    whole = clean(raw)
    label = label_of(whole)
    text = strip_gutenberg(whole)
    if not text.strip():
        return Skipped(where, "it holds no text")
    return Found(text, where, shown(label.title), shown(label.author), label.number)


def _skipped(bad: list[BadFileError], path: Path) -> Iterator[Skipped]:
    while bad:
        yield Skipped(shown(path), str(bad.pop(0)))


def _walk(root: Path) -> Iterator[Path | Skipped]:
    refused: list[OSError] = []
    home = root.resolve()
    for folder, folders, names in os.walk(root, onerror=refused.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in folders:
            if Path(folder, name).is_symlink():
                yield Skipped(shown(Path(folder, name)), "it is a link to a folder: name that folder itself")
        for name in sorted(names):
            path = Path(folder, name)
            if name.startswith(".") or suffix_of(name) not in READ:
                continue
            if reason := _unfit(path, home):
                yield Skipped(shown(path), reason)
            else:
                yield path
    for error in refused:
        yield Skipped(
            shown(error.filename), f"cannot read the folder ({error.strerror}): check its permissions"
        )


def _unfit(path: Path, home: Path) -> str:
    """Why a file of a folder is not read; empty for one that is."""
    if path.is_symlink():
        try:
            target = path.resolve(strict=True)
        except (OSError, RuntimeError):  # dangling, or a loop
            return "it is a link that leads nowhere: remove it"
        if not target.is_relative_to(home):
            return "it is a link that leads out of the folder: name the file itself"
    return "" if path.is_file() else "it is no plain file: leave it out"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
