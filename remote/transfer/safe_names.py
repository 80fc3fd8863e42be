"""Which names a host may give to what we write here: each becomes one part of a path, and nothing else."""

import re

from remote.protocol.errors import CallError
from trainer.run.checkpoints.manifest import MANIFEST, NAME
from trainer.run.layout import RUN_ID

FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,126}")
SHA256 = re.compile(r"[0-9a-f]{64}")
PART = ".part"
FILES_MAX = 4096


def check_run(text: object) -> str:
    """A run's id.

    Raises:
        CallError: `refused`.
    """
    return _checked(text, isinstance(text, str) and bool(RUN_ID.fullmatch(text)), "run id")


def check_checkpoint(text: object) -> str:
    """`step-NNNNNNNN`.

    Raises:
        CallError: `refused`.
    """
    fits = isinstance(text, str) and len(text) <= 24 and bool(NAME.fullmatch(text))
    return _checked(text, fits, "checkpoint's name")


def check_file(text: object) -> str:
    """A file of a checkpoint: no folder, not hidden, not one of our own names.

    Raises:
        CallError: `refused`.
    """
    fits = (
        isinstance(text, str)
        and bool(FILE_NAME.fullmatch(text))
        and not text.lower().endswith(PART)
        and text.lower() != MANIFEST
    )
    return _checked(text, fits, "file name")


def check_sha256(text: object) -> str:
    """64 hexadecimal digits.

    Raises:
        CallError: `refused`.
    """
    return _checked(text, isinstance(text, str) and bool(SHA256.fullmatch(text)), "SHA-256")


def check_distinct(names: list[str]) -> None:
    """Two names that differ in case are one file on a Mac.

    Raises:
        CallError: `refused`.
    """
    if len({name.lower() for name in names}) < len(names) or len(names) > FILES_MAX:
        raise CallError("refused", "the host lists a checkpoint's file twice, or too many of them")


def _checked(text: object, fits: bool, what: str) -> str:
    if not fits or not isinstance(text, str):
        raise CallError("refused", f"the host sent {str(text)[:80]!r} for a {what}", "look at that host")
    return text
