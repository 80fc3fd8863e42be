"""What the host itself may do to a run: end it at logout, forbid its data, lack what training needs."""

import getpass
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from remote.agent.context import Context
from remote.agent.starts.environment import training_remedy
from remote.protocol.finding import Finding
from trainer.run.requirements import missing_for_training, torch_warning

LOGIND = ("usr/lib/systemd/logind.conf", "etc/systemd/logind.conf")
DROP_INS = ("usr/lib/systemd/logind.conf.d", "run/systemd/logind.conf.d", "etc/systemd/logind.conf.d")
FIRST_USER = 1000
PROTECTED = "Library/Application Support/com.apple.TCC"  # readable only with Full Disk Access


def check(ctx: Context, _deep: bool) -> Iterator[Finding]:
    """Findings about the machine."""
    yield from python()
    yield from drivers(ctx)
    if sys.platform == "darwin":
        yield from full_disk_access(Path.home())
    else:
        yield from logind()


def python() -> Iterator[Finding]:
    """What our trainer lacks; a command needs none of it."""
    if missing := missing_for_training():
        yield Finding(
            level="note",
            about="python",
            what=f"{sys.executable} lacks {', '.join(missing)}",
            why="presets cannot be trained here; commands of your own can be run",
            remedy=training_remedy(),
        )
    if "torch" not in missing and (warning := torch_warning()):
        yield Finding(
            level="warning",
            about="torch",
            what=warning,
            why="checkpoints and kernels were tried with the versions named",
            remedy="photinus hosts deploy HOST, or another python: in hosts.yaml",
        )


def drivers(ctx: Context) -> Iterator[Finding]:
    """NVIDIA devices that telemetry cannot be had of."""
    if not any(name.startswith("cuda-") for name in ctx.devices()):
        return
    try:
        import pynvml  # noqa: F401
    except ImportError:
        yield Finding(
            level="note",
            about="telemetry",
            what="the accelerators' load is not shown: nvidia-ml-py is missing",
            why="utilisation, memory, power and temperature come from it",
            remedy="pip install 'photinus[nvidia]' into the host's environment",
        )


def logind(
    root: Path = Path("/"), user: str = "", uid: int | None = None, env: Mapping[str, str] = os.environ
) -> Iterator[Finding]:
    """Whether systemd's logind ends a user's processes, or takes their shared memory, when they log out.

    A supervisor is in its own session, but still in the login's scope: that is what logind ends.
    """
    if not (root / "run/systemd/system").is_dir():
        return
    user = user or env.get("USER") or getpass.getuser()
    uid = os.getuid() if uid is None else uid
    settings = logind_settings(root)
    excluded = settings.get("KillExcludeUsers", "root").split()
    only = settings.get("KillOnlyUsers", "").split()
    kills = _is_yes(settings.get("KillUserProcesses", "no")) and user not in excluded
    if kills and (not only or user in only):
        yield Finding(
            level="problem",
            about="logout",
            what=f"logind ends every process of {user} at logout (KillUserProcesses=yes)",
            why="a run that was started over SSH would die with the connection; lingering does not spare it",
            remedy=f"sudo: set KillExcludeUsers=root {user} in /etc/systemd/logind.conf, then restart logind",
        )
    lingers = (root / "var/lib/systemd/linger" / user).exists()
    if not lingers and uid >= FIRST_USER and _is_yes(settings.get("RemoveIPC", "yes")):
        yield Finding(
            level="note",
            about="logout",
            what=f"logind removes shared memory of {user} at the last logout (RemoveIPC, no lingering)",
            why="data loaders that share tensors through /dev/shm lose them in the middle of a run",
            remedy=f"loginctl enable-linger {user}",
        )


def logind_settings(root: Path) -> dict[str, str]:
    """logind's configuration: the file, then its drop-ins by name; a later line wins."""
    drop_ins = {path.name: path for folder in DROP_INS for path in sorted((root / folder).glob("*.conf"))}
    found: dict[str, str] = {}
    for path in [*(root / name for name in LOGIND), *(drop_ins[name] for name in sorted(drop_ins))]:
        try:
            text = path.read_text(errors="replace")
        except OSError:
            continue
        found |= dict(re.findall(r"^\s*([A-Za-z]+)\s*=\s*(.*?)\s*$", text, re.MULTILINE))
    return found


def full_disk_access(home: Path) -> Iterator[Finding]:
    """macOS: whether this process may read protected folders. Not tried on a Mac."""
    try:
        os.listdir(home / PROTECTED)  # noqa: PTH208
    except PermissionError:
        yield Finding(
            level="warning",
            about="Full Disk Access",
            what="programs started over SSH may not read Documents, Desktop or Downloads on this Mac",
            why="a run whose data lies there fails: 'Operation not permitted' (check not tried on a Mac)",
            remedy="System Settings, Privacy & Security, Full Disk Access: allow sshd-keygen-wrapper",
        )
    except OSError:
        return


def _is_yes(text: str) -> bool:
    return text.strip().lower() in ("yes", "true", "on", "1")
