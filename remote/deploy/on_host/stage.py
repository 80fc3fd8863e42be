"""Runs on the host before our wheel is there: makes the folders, verifies what was uploaded. Python 3.11.

It is sent as text, with a call of one of its functions below it; `remote.deploy.remote_python` reads what
it answers.
"""

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any


def tell(**message: Any) -> None:
    """One line to the client."""
    sys.stdout.write("\nphotinus-deploy " + json.dumps(message) + "\n")
    sys.stdout.flush()


def refuse(message: str, remedy: str) -> None:
    """The last line: why it cannot be."""
    tell(error={"code": "refused", "message": message, "remedy": remedy})


def prepare(home: str, sha256: str) -> None:
    """Make what is missing of the state root, 0700; tell how much of the wheel is there already."""
    root = Path(home)
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("cas", "envs"):
            (root / name).mkdir(mode=0o700, exist_ok=True)
        found = root.lstat()
    except OSError as error:
        return refuse(f"the state root cannot be made: {error}", "give the host a `home:` that is yours")
    if root.is_symlink() or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        return refuse(f"{home} is not a private folder of yours", f"chmod 700 {home}, or another `home:`")
    final, part = _names(home, sha256)
    if _hash(final) == sha256:
        return tell(done={"there": True, "size": 0})
    return tell(done={"there": False, "size": _size(part)})


def accept(home: str, sha256: str) -> None:
    """Compare the hash of what was uploaded, and only then give it its name; what is wrong is removed."""
    final, part = _names(home, sha256)
    if _hash(final) == sha256:
        return tell(done={"good": True})
    if _hash(part) != sha256:
        part.unlink(missing_ok=True)
        return tell(done={"good": False})
    try:
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.chmod(0o600)
        part.rename(final)
    except FileNotFoundError:  # another client's was accepted meanwhile: it was the same file
        return tell(done={"good": _hash(final) == sha256})
    return tell(done={"good": True})


def stop(home: str, token: str) -> None:
    """Ask the build of that token to end."""
    Path(home, "envs", f".stop-{token}").touch(mode=0o600)
    tell(done={})


def _names(home: str, sha256: str) -> tuple[Path, Path]:
    final = Path(home, "cas", f"{sha256}.whl")
    return final, final.with_name(final.name + ".part")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
