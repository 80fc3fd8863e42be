"""The folder of a corpus, held by one process while it is changed."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from trainer.data.corpora.corpus_manifest import MANIFEST, is_corpus, load
from trainer.data.corpora.named import no_corpus
from trainer.data.data_errors import DataError
from trainer.data.display_names import shown
from trainer.run.locks import Flock
from trainer.user_error import UserError

LOCK = ".lock"


class HeldError(UserError):
    """Another process is changing that corpus."""

    exit_code = 4


@contextlib.contextmanager
def held(folder: Path, *, is_new: bool) -> Iterator[None]:
    """Hold a corpus that is there, or a new one; one that is empty at the end is not left behind.

    A new one may be there if its gathering was not carried to its end.

    Raises:
        HeldError: another process holds it.
        DataError: there is none, or (`is_new`) there is one already, or something else.
        OSError: the folder cannot be made.
    """
    if not is_new and not is_corpus(folder):
        raise no_corpus(folder.name)
    folder.parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # a state root made here is private
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    if is_new:
        _refuse_strangers(folder)
    lock = Flock.now(folder / LOCK)
    if lock is None:
        raise HeldError(f"another process is gathering the corpus {folder.name}; let it finish first")
    with lock:
        try:
            if is_new:
                _refuse_another(folder)
            yield
        finally:
            _discard_empty(folder)


def _refuse_strangers(folder: Path) -> None:
    strangers = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    if strangers and not is_corpus(folder):
        raise DataError(
            f"{shown(folder)} is no corpus, it holds {shown(strangers[0])}",
            "take another name, or move it away",
        )


def _refuse_another(folder: Path) -> None:
    there = load(folder)
    count = sum(1 for _ in there.documents)
    if count and not there.unfinished:
        raise DataError(
            f"there is a corpus {folder.name} of {count:,} documents already",
            f"`corpus add {folder.name}` adds to it; to begin anew remove {shown(folder)}",
        )


def _discard_empty(folder: Path) -> None:
    if any(path.stat().st_size for path in folder.glob("texts-*")):
        return
    (folder / MANIFEST).unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # something else lies in it
        for name in (LOCK, ".texts.part"):
            (folder / name).unlink(missing_ok=True)
        folder.rmdir()
