"""`alerts autostart`: this machine watches from every login on, by a systemd user unit or a LaunchAgent."""

import argparse
import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from remote.protocol.errors import CallError
from trainer.run.disk.atomic import put
from trainer.run.home import HOME_VARIABLE, state_root
from tui.commands.alerts.watch_units import (
    WATCH,
    begin_words,
    end_words,
    launchd_watch_files,
    systemd_watch_files,
)
from tui.commands.output import OK, answer
from tui.notices.notices_file import read_channels

BOOTED = Path("/run/systemd/system")
KEPT = (HOME_VARIABLE, "XDG_CONFIG_HOME")  # where the settings and the hosts lie
AGENT_NOTE = (
    "it has no ssh-agent of a terminal: a host whose key only such an agent holds, or asks a passphrase for, "
    "is told as one that asks; a key file without a passphrase, or the session's own agent, serves it"
)
CALL_S = 20.0


def _call(words: Sequence[str]) -> bool:
    """Run a command of the system in silence; whether it went well."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        return subprocess.run(words, capture_output=True, timeout=CALL_S, check=False).returncode == 0
    return False


@dataclass(frozen=True, slots=True)
class WatchGround:
    """The machine as far as this command must know it; a test makes its own."""

    platform: str = sys.platform
    user_home: Path = field(default_factory=Path.home)
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    booted: Path = BOOTED
    python: str = sys.executable
    call: Callable[[Sequence[str]], bool] = _call


def autostart(args: argparse.Namespace) -> int:
    """Install or remove it."""
    if not args.remove:
        read_channels()  # what it could not do is told here and now
    answer(arrange_watch(WatchGround(), remove=args.remove), args.json, _in_words)
    return OK


def arrange_watch(ground: WatchGround, *, remove: bool) -> dict[str, Any]:
    """Put the files there and begin, or end and take them away.

    Raises:
        CallError: `refused`: no systemd and no launchd, or a path that no unit can hold.
        OSError: a file could not be written.
    """
    kind = "launchd" if ground.platform == "darwin" else "systemd"
    if kind == "systemd" and not ground.booted.is_dir():
        words = " ".join((ground.python, *WATCH))
        raise CallError(
            "refused",
            "this machine does not run systemd: there is nothing that could watch from login on",
            f"have your session's start-up run it in the background: {words}",
        )
    root = str(state_root(ground.env))
    config = Path(ground.env.get("XDG_CONFIG_HOME") or ground.user_home / ".config")
    kept = {name: ground.env[name] for name in KEPT if ground.env.get(name)}
    try:
        if kind == "launchd":
            files = launchd_watch_files(ground.user_home, ground.python, root, kept)
        else:
            files = systemd_watch_files(config, ground.python, root, kept)
    except ValueError as error:
        raise CallError("refused", str(error), "move the environment of Photinus to a plain path") from error
    uid = os.getuid()
    if remove:
        there = [path for path in files if path.is_symlink() or path.exists()]
        for one in end_words(kind, root, uid) if there else ():
            ground.call(one)
        for path in there:
            path.unlink(missing_ok=True)
        return _answer(kind, files, bool(there), [])
    changed = [path for path, content in files.items() if put(path, content, 0o600)]
    if kind == "launchd":
        for one in end_words(kind, root, uid):
            ground.call(one)
    begun = all(ground.call(one) for one in begin_words(kind, root, next(iter(files)), uid))
    now = "it watches from now on" if begun else "it could not be begun now: it begins with your next login"
    return _answer(kind, files, bool(changed), [now, AGENT_NOTE])


def _answer(kind: str, files: Mapping[Path, object], changed: bool, notes: list[str]) -> dict[str, Any]:
    there = all(path.is_symlink() or path.exists() for path in files)
    return {
        "kind": kind,
        "installed": there,
        "changed": changed,
        "files": list(map(str, files)),
        "notes": notes,
    }


def _in_words(told: dict[str, Any]) -> str:
    state = "installed" if told["installed"] else "not installed"
    head = f"{told['kind']}: {state}{' (as before)' if not told['changed'] else ''}"
    return "\n".join([head, *(f"  {path}" for path in told["files"]), *told["notes"]])
