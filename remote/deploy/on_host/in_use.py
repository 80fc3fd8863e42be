"""Who lives in an environment: processes whose program or mapped files lie in it, units that name it."""

import contextlib
import os
import sys
from pathlib import Path

import psutil

UNITS = (
    (".config/systemd/user", "photinus-contact-*.service"),
    ("Library/LaunchAgents", "dev.photinus.contact.*.plist"),
)
"""Folder and pattern of what `remote.agent.starts.boot_units` writes, one for each state root."""


def residents(envs: Path) -> dict[str, list[int]]:
    """Hash of an environment below `envs` -> pids of our own uid that use it."""
    prefix = os.fsencode(envs) + b"/"
    found: dict[str, list[int]] = {}
    for pid in psutil.pids():
        for name in _named_in(_traces(pid), prefix):
            found.setdefault(name, []).append(pid)
    return found


def unit_texts(home: Path | None = None) -> list[str]:
    """The texts of what contacts this host's runs at its start."""
    texts = []
    for folder, pattern in UNITS:
        for path in sorted(Path(home or Path.home(), folder).glob(pattern)):
            with contextlib.suppress(OSError, UnicodeDecodeError):
                texts.append(path.read_text())
    return texts


def _traces(pid: int) -> bytes:
    """A process's command line and, on Linux, its mapped files; empty where it is another user's, or gone."""
    with contextlib.suppress(OSError, psutil.Error):
        if sys.platform != "linux":
            return b"\0".join(os.fsencode(word) for word in psutil.Process(pid).cmdline())
        folder = Path(f"/proc/{pid}")
        if folder.stat().st_uid == os.getuid():
            return (folder / "cmdline").read_bytes() + b"\0" + (folder / "maps").read_bytes()
    return b""


def _named_in(traces: bytes, prefix: bytes) -> set[str]:
    names, start = set(), traces.find(prefix)
    while start >= 0:
        start += len(prefix)
        names.add(os.fsdecode(traces[start : start + 256].split(b"/", 1)[0].split(b"\0", 1)[0]))
        start = traces.find(prefix, start)
    return names
