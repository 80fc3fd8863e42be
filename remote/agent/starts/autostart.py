"""The verb `autostart`: this host contacts its own runs when it starts, without any client."""

import contextlib
import getpass
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from remote.agent.context import Context
from remote.agent.starts.boot_units import launchd_files, launchd_notes, systemd_files, systemd_notes
from remote.protocol.arguments import AutostartArgs
from remote.protocol.errors import CallError
from remote.protocol.results import AutostartState
from trainer.run.disk.atomic import put

LINGER = Path("/var/lib/systemd/linger")
BOOTED = Path("/run/systemd/system")
FDESETUP = "/usr/bin/fdesetup"


@dataclass(frozen=True, slots=True)
class Ground:
    """The machine as far as this verb must know it; a test makes its own.

    Attributes:
        filevault: whether FileVault is on; None where that cannot be read. Not tried on a Mac.
    """

    platform: str = sys.platform
    user: str = ""
    user_home: Path = Path()
    linger: Path = LINGER
    booted: Path = BOOTED
    filevault: Callable[[], bool | None] = lambda: None

    @classmethod
    def real(cls) -> "Ground":
        """This machine."""
        return cls(user=getpass.getuser(), user_home=Path.home(), filevault=_filevault)


def autostart(ctx: Context, args: AutostartArgs) -> AutostartState:
    """The verb. `action`: `install` or `remove`.

    Raises:
        CallError: `refused`: this host has nothing that could do it.
    """
    return arrange(Ground.real(), args.action, sys.executable, str(ctx.home.root))


def renew(home: Path, ground: Ground | None = None, python: str = sys.executable) -> None:
    """Where this host contacts its runs at its start, it does so with the environment that now serves.

    Only a deployed environment of this very state root does so; whatever goes wrong, it serves all the same.
    """
    if not Path(python).is_relative_to(home / "envs"):
        return
    with contextlib.suppress(CallError, OSError, KeyError):
        ground = ground or Ground(user=getpass.getuser(), user_home=Path.home())
        arrange(ground, "refresh", python, str(home))


def arrange(ground: Ground, action: str, python: str, home: str) -> AutostartState:
    """Put the files there or take them away; the answer says what is there now and what it cannot do.

    `action`: `install`, `remove`, or `refresh`: install where it was installed already.

    Raises:
        CallError: `refused`: no systemd and no launchd, or a path that no unit can hold.
    """
    kind, files, notes = _plan(ground, python, home)
    if action == "remove":
        changed = [path for path in files if _remove(path)]
        return _answer(kind, files, changed, ())
    if action == "refresh" and not any(path.is_symlink() or path.exists() for path in files):
        return _answer(kind, files, [], ())
    changed = [path for path, content in files.items() if put(path, content, 0o644)]
    return _answer(kind, files, changed, notes)


def _plan(ground: Ground, python: str, home: str) -> tuple[str, Mapping[Path, bytes | Path], Sequence[str]]:
    if ground.platform == "darwin":
        return "launchd", launchd_files(ground.user_home, python, home), launchd_notes(ground.filevault())
    if not ground.booted.is_dir():
        raise CallError(
            "refused",
            "this host does not run systemd: there is nothing that could contact its runs at a start",
            f"have its start-up run, as you: {python} -I -m remote.agent --contact",
        )
    try:
        files = systemd_files(ground.user_home, python, home)
    except ValueError as error:
        raise CallError("refused", str(error), "give the host a plain `home:`") from error
    return "systemd", files, systemd_notes(ground.user, (ground.linger / ground.user).exists())


def _answer(
    kind: str, files: Mapping[Path, bytes | Path], changed: Sequence[Path], notes: Sequence[str]
) -> AutostartState:
    return AutostartState(
        kind=kind,
        installed=all(path.is_symlink() or path.exists() for path in files),
        files=[str(path) for path in files],
        changed=bool(changed),
        notes=list(notes),
    )


def _remove(path: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
        return True
    return False


def _filevault() -> bool | None:
    """Whether FileVault is on; None where that cannot be read."""
    try:
        output = subprocess.run(
            [FDESETUP, "status"],
            capture_output=True,
            text=True,
            timeout=5.0,
            check=False,
            env=dict(os.environ),
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    return "FileVault is On" in output if "FileVault is" in output else None
