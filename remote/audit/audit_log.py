"""The audit log of both ends: who did what. Append-only, fsynced, private, one JSON object a line.

It never stands in the way: whoever writes to it goes on when the disk is full, a stop and a kill above all.
"""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from remote.protocol.views import AuditEntry
from trainer.run.disk.atomic import fsync_folder, open_append
from trainer.run.disk.small_record import open_plain
from trainer.run.run_errors import RecordError
from trainer.run.secrets import masked, masked_text

NAME = "audit.jsonl"
ROTATE_BYTES = 4 << 20
READ_MAX = 4 * ROTATE_BYTES
KEPT = 3
LINE_MAX = 8192
TEXT_MAX = 500
LOCK_S = 0.05
OF_A_SPEC = ("run_id", "name", "kind", "preset", "device", "shared_device", "cwd", "parent", "env_hash", "by")


def public(verb: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """A verb's arguments without what looks like a secret; of an environment the names."""
    shown: dict[str, Any] = {
        key: value for key, value in args.items() if isinstance(value, str | int | float | bool)
    }
    spec = args.get("spec")
    if verb == "start" and isinstance(spec, Mapping):
        shown |= {key: spec[key] for key in OF_A_SPEC if spec.get(key)}
        if isinstance(env := spec.get("env"), Mapping):
            shown["env"] = sorted(map(str, env))
        for name in ("argv", "resume_argv", "on_end"):
            if isinstance(words := spec.get(name), list | tuple) and words:
                shown[name] = masked([str(word) for word in words])
    return {key: _short(value) for key, value in shown.items()}


def run_of(args: Mapping[str, Any]) -> str:
    """The run that a verb's arguments name, if they name one."""
    spec = args.get("spec")
    found = args.get("run_id") or (spec.get("run_id") if isinstance(spec, Mapping) else "")
    return found[:TEXT_MAX] if isinstance(found, str) else ""


def entry(verb: str, args: Mapping[str, Any], who: str, **more: Any) -> AuditEntry:
    """What is to be written of a verb, now."""
    return AuditEntry(
        at=round(time.time(), 3),
        who=who[:TEXT_MAX],
        verb=verb,
        run=run_of(args),
        args=public(verb, args),
        **more,
    )


def append(path: Path, one: AuditEntry, rotate_bytes: int = ROTATE_BYTES) -> None:
    """Add a line, durably; a half-written one is taken back.

    Raises:
        OSError: it could not be written.
    """
    line = _line(one)
    fd = _open_locked(path, rotate_bytes)
    try:
        size = os.fstat(fd).st_size
        if size and not _ends_with_newline(path, size):
            line = b"\n" + line  # a line that a crash tore is closed, so that it costs no other
        try:
            if os.write(fd, line) != len(line):
                raise OSError(28, "the disk took half a line", str(path))
            os.fsync(fd)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(fd, size)
            raise
    finally:
        os.close(fd)


def read(path: Path, last: int = 100) -> tuple[list[AuditEntry], int]:
    """The newest `last` entries, oldest first, over rotated files; and how many lines were no entry."""
    lines: list[bytes] = []
    for one in (path, *(_older(path, number) for number in range(1, KEPT + 1))):
        if len(lines) >= last:
            break
        try:
            lines = _lines(one) + lines
        except RecordError:  # no file at all: one more that could not be read
            lines.insert(0, b"")
    parsed = [_parse(line) for line in lines[-last:]] if last > 0 else []
    found = [one for one in parsed if one is not None]
    return found, len(parsed) - len(found)


def _lines(path: Path) -> list[bytes]:
    """The lines of one file, of its last 16 MiB where it is longer; none where there is no such file.

    Raises:
        RecordError: it is no plain file, or cannot be read.
    """
    try:
        with os.fdopen(open_plain(path), "rb") as file:
            cut = max(0, os.fstat(file.fileno()).st_size - READ_MAX)
            file.seek(cut)
            lines = file.read(READ_MAX).splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror}") from error
    return lines[1:] if cut else lines


def _line(one: AuditEntry) -> bytes:
    values = asdict(one) | {"said": masked_text(one.said)[:TEXT_MAX]}
    line = json.dumps(values, separators=(",", ":"), default=str).encode("ascii") + b"\n"
    if len(line) <= LINE_MAX:
        return line
    return json.dumps(values | {"args": {"left_out": len(line)}}, separators=(",", ":")).encode() + b"\n"


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return masked_text(value)[:TEXT_MAX]
    return [str(word)[:TEXT_MAX] for word in value[:64]] if isinstance(value, list) else value


def _open_locked(path: Path, rotate_bytes: int) -> int:
    """A descriptor of the present file, rotated where it is long, under a lock that is waited for briefly."""
    while True:
        fd = open_append(path)
        is_locked = _lock(fd)
        try:
            named = path.stat()
            mine = os.fstat(fd)
            if (named.st_dev, named.st_ino) != (mine.st_dev, mine.st_ino):
                os.close(fd)  # somebody rotated it meanwhile
                continue
            if mine.st_size < rotate_bytes or not is_locked:
                return fd
            _rotate(path)
        except FileNotFoundError:
            pass
        except OSError:
            os.close(fd)
            raise
        os.close(fd)


def _lock(fd: int) -> bool:
    deadline = time.monotonic() + LOCK_S
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() >= deadline:
                return False  # a line is written whole all the same: O_APPEND
            time.sleep(0.002)
        else:
            return True


def _rotate(path: Path) -> None:
    for number in range(KEPT, 0, -1):
        newer = _older(path, number - 1) if number > 1 else path
        with contextlib.suppress(FileNotFoundError):
            newer.rename(_older(path, number))
    fsync_folder(path.parent)


def _older(path: Path, number: int) -> Path:
    return path.with_name(f"{path.stem}.{number}{path.suffix}")


def _ends_with_newline(path: Path, size: int) -> bool:
    with path.open("rb") as file:
        file.seek(size - 1)
        return file.read(1) in (b"\n", b"")


def _parse(line: bytes) -> AuditEntry | None:
    try:
        raw = json.loads(line)
        return AuditEntry(**{key: raw[key] for key in AuditEntry.__dataclass_fields__ if key in raw})
    except (ValueError, TypeError, RecursionError):
        return None
