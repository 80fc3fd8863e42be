"""Which files a command's line names, and whether they are what the attempt before ran."""

import hashlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from trainer.run.disk.atomic import read_json, write_json
from trainer.run.disk.small_record import open_plain
from trainer.run.layout import RunDir
from trainer.run.run_errors import RecordError

RECORD = "scripts.json"
WORDS_MAX = 32
FILES_MAX = 16
SIZE_MAX = 1 << 20  # a script, a configuration; not the interpreter, nor the data


def note_scripts(run: RunDir, attempt: int, argv: Sequence[str], cwd: str) -> str:
    """Note the scripts of an attempt; what is another text than in the attempt before, in words.

    Empty where nothing changed, where this is the first attempt, or where they cannot be noted.
    """
    now = {str(path): digest for path in _named(argv, Path(cwd or Path.home())) if (digest := _digest(path))}
    try:
        before = read_json(run.path / RECORD)
        write_json(run.path / RECORD, {"attempt": attempt, "files": now})
    except (RecordError, OSError):  # no evidence, and no reason not to start
        return ""
    was, files = (before.get("attempt"), before.get("files")) if isinstance(before, dict) else (None, None)
    if not isinstance(was, int) or not isinstance(files, dict) or was >= attempt:
        return ""
    changed = [Path(path).name for path, digest in now.items() if files.get(path, digest) != digest]
    return f"{', '.join(changed)} changed since attempt {was}" if changed else ""


def _named(argv: Sequence[str], folder: Path) -> list[Path]:
    """The small plain files among the words of a command line."""
    found = []
    for word in argv[:WORDS_MAX]:
        path = folder / word
        try:
            at = path.stat()
        except (OSError, ValueError):
            continue
        if stat.S_ISREG(at.st_mode) and at.st_size <= SIZE_MAX:
            found.append(path)
    return found[:FILES_MAX]


def _digest(path: Path) -> str:
    try:
        with os.fdopen(open_plain(path, follow=True), "rb") as file:
            return hashlib.sha256(file.read(SIZE_MAX)).hexdigest()
    except (RecordError, OSError):
        return ""
