"""Whose a file is, asked before it is used: what another user could have planted is not trusted."""

import contextlib
import grp
import os
import pwd
import stat
from itertools import islice
from pathlib import Path

from trainer.run.locks import is_free
from trainer.run.run_errors import HomeError

LOCKS_MAX = 10_000
_VARIABLE = "PHOTINUS_HOME"


def why_untrusted(path: Path, found: os.stat_result | None = None) -> str:
    """Why another user may have made or changed what is there, with the remedy; empty where none can have.

    As OpenSSH asks of its configuration: it is ours or root's, and nobody else may write to it. `found` is
    of a file that is open already; else the file or folder at `path` is looked at, through links.

    Raises:
        OSError: it cannot be looked at.
    """
    found = found or path.stat()
    if found.st_uid not in (os.geteuid(), 0):
        return (
            f"{path} belongs to user {found.st_uid}, not to you: look at it, then take it over or remove it"
        )
    if found.st_mode & 0o022 and not (stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX):
        return f"{path} may be written by other users: look at it, then run: chmod go-w {path}"
    return ""


def why_place_untrusted(folder: Path) -> str:
    """Why another user may put something of theirs into `folder`, or in its place; empty where none can.

    The folders above it may be writable by the group that is this user's alone, as umask 002 leaves them.

    Raises:
        OSError: one of them cannot be looked at.
    """
    real = folder.resolve()
    found = real.stat()
    if found.st_uid != os.geteuid():
        return f"{real} belongs to user {found.st_uid}, not to you: remove it or name another place"
    if why := why_untrusted(real, found):
        return why
    for place in real.parents:
        found = place.stat()
        is_alone = found.st_mode & 0o022 == 0o020 and _is_own_group(found.st_gid)
        if (why := why_untrusted(place, found)) and not (is_alone and found.st_uid in (os.geteuid(), 0)):
            return why
    return ""


def _is_own_group(gid: int) -> bool:
    try:
        user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(gid)
    except KeyError:
        return False
    return gid == user.pw_gid and group.gr_name == user.pw_name and set(group.gr_mem) <= {user.pw_name}


def check_root(root: Path) -> None:
    """A state root that exists is a folder of our own that nobody else may look into.

    Raises:
        HomeError: it is a symlink, another user's, or open to others; the message has the remedy.
    """
    try:
        found = root.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return  # whoever needs it makes it, or says why it cannot be made
    except OSError as error:
        raise HomeError(
            f"cannot use {root}: {error.strerror} (set {_VARIABLE} to a local folder of yours)"
        ) from error
    if stat.S_ISLNK(found.st_mode):
        if not root.exists():
            raise HomeError(
                f"{root} is a symbolic link to {root.readlink()}, which does not exist; "
                f"remove the link, or set {_VARIABLE} to a folder"
            )
        raise HomeError(f"{root} is a symbolic link; set {_VARIABLE} to the real folder")
    if not stat.S_ISDIR(found.st_mode):
        raise HomeError(f"cannot use {root}: it is not a folder; set {_VARIABLE} to one")
    if found.st_uid != os.geteuid():
        raise HomeError(
            f"{root} belongs to user {found.st_uid}, not to you; set {_VARIABLE} to your own folder"
        )
    if found.st_mode & 0o077:
        raise HomeError(f"{root} is open to other users{_goes_on(root)}; run: chmod 700 {root}")


def _goes_on(root: Path) -> str:
    """What is going on in a root that is not read: somebody holds the locks of so many runs."""
    held = 0
    with contextlib.suppress(OSError):
        for lock in islice(root.glob("runs/*/lock"), LOCKS_MAX):
            with contextlib.suppress(OSError):
                held += not is_free(lock)
    what = "a run in it goes" if held == 1 else f"{held} runs in it go"
    return f", and {what} on meanwhile" if held else ""
