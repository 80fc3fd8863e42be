"""Which environments and wheels of a host may go: never one that a run or a living process needs.

Kept are the last two, the one that asks, every one that a run that is not over was started in, that a process
lives in, or that contacts the host's runs at its start. Decided under agent.lock (so that no start slips in
between) and renamed there; deleted after it.
"""

import contextlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remote.audit.audit_log import NAME, append, entry
from remote.deploy.on_host.in_use import residents, unit_texts
from remote.deploy.on_host.installed import CAS, ENVS, LOCK, Installed, read_installed
from trainer.run.home import Home, open_home
from trainer.run.locks import Flock
from trainer.run.records import read_spec, read_state
from trainer.run.run_errors import RunError
from trainer.run.states import State

NEWEST = 2
TRASH = ".trash-"
WHEEL_REST_S, PART_REST_S = 3600.0, 86400.0
RESUMED_BY_ITSELF = frozenset({State.DIED, State.DIED_REBOOT})


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment on the host; `why` it is kept, a few words each: empty, and it may go."""

    path: Path
    installed: Installed | None
    at: float
    why: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its hash."""
        return self.path.name


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What a cleaning did, or would do: hashes that stay and go, wheels that go, bytes that become free."""

    kept: tuple[str, ...]
    removed: tuple[str, ...]
    wheels: tuple[str, ...]
    bytes: int
    dry_run: bool

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "kept": list(self.kept),
            "removed": list(self.removed),
            "wheels": list(self.wheels),
            "bytes": self.bytes,
            "dry_run": self.dry_run,
        }


def look(
    home: Home, own: str = "", found: Callable[[Path], Mapping[str, list[int]]] = residents
) -> list[Environment]:
    """Every environment of the host, the newest first, with the reasons to keep it.

    Args:
        own: hash of the environment that asks.
        found: which processes live below a folder of environments.
    """
    folder = home.root / ENVS
    if not folder.is_dir():
        return []
    listed = [_environment(path) for path in folder.iterdir() if path.is_dir() and path.name[:1] != "."]
    listed.sort(key=lambda one: (one.at, one.name), reverse=True)
    pinned, living, units = pins(home), found(folder), unit_texts()
    kept = []
    for place, one in enumerate(listed):
        why = ["one of the last two"] if place < NEWEST else []
        why += ["its agent is asked"] if one.name == own else []
        why += [f"run {run}" for run in pinned.get(one.name, [])[:3] + pinned.get("", [])[:1]]
        why += [f"process {pid}" for pid in living.get(one.name, [])[:3]]
        why += ["autostart"] if any(str(one.path) in text for text in units) else []
        kept.append(Environment(one.path, one.installed, one.at, tuple(why)))
    return kept


def pins(home: Home) -> dict[str, list[str]]:
    """Hash -> runs that are not over and were started in it; under "" those that cannot be read."""
    found: dict[str, list[str]] = {}
    for run in home.runs():
        try:
            spec, state = read_spec(run), read_state(run)
        except (RunError, OSError, ValueError):
            found.setdefault("", []).append(f"{run.run_id} (cannot be read)")
            continue
        over = state is not None and state.is_terminal
        resumes = state is not None and state.state in RESUMED_BY_ITSELF and spec.restart.policy != "never"
        if spec.env_hash and (not over or resumes):
            found.setdefault(spec.env_hash, []).append(run.run_id)
    return found


def clean(
    home: Home,
    own: str = "",
    *,
    dry_run: bool = False,
    now: float | None = None,
    found: Callable[[Path], Mapping[str, list[int]]] = residents,
) -> Cleaned:
    """Remove what may go; with `dry_run` only tell. While a deploy is at work nothing goes.

    Raises:
        OSError: the disk refused.
        RunError: agent.lock hangs.
    """
    with Flock(home.root / LOCK) as lock:
        is_busy = not dry_run and not lock.take(0.0)
        return _clean(home, own, dry_run=dry_run or is_busy, now=now, found=found)


def _clean(
    home: Home,
    own: str,
    *,
    dry_run: bool,
    now: float | None,
    found: Callable[[Path], Mapping[str, list[int]]],
) -> Cleaned:
    now = time.time() if now is None else now
    living = found(home.root / ENVS)
    with home.agent_section():
        environments = look(home, own, lambda _folder: living)
        doomed = [one.path for one in environments if not one.why]
        wheels = _spare_wheels(home, [one for one in environments if one.why], now)
        moved = [] if dry_run else [_set_aside(path) for path in doomed]
    rest = [] if dry_run else [path for path in (home.root / ENVS).glob(f"{TRASH}*") if path not in moved]
    freed = sum(size(path) for path in [*(doomed if dry_run else moved), *wheels])
    for path in () if dry_run else (*moved, *rest):
        shutil.rmtree(path, ignore_errors=True)
    for path in () if dry_run else wheels:
        path.unlink(missing_ok=True)
    return Cleaned(
        kept=tuple(one.name for one in environments if one.why),
        removed=tuple(path.name for path in doomed),
        wheels=tuple(path.name for path in wheels),
        bytes=freed,
        dry_run=dry_run,
    )


def size(path: Path) -> int:
    """Bytes of a file, or of all files below a folder."""
    if not path.is_dir():
        return path.stat().st_size if path.exists() else 0
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(Path(folder, name)).st_size
    return total


def tell_clean(home: str, keep: str, who: str) -> None:
    """What a deploy runs last, in the new environment; `remote.deploy.remote_python` reads its lines."""
    opened = open_home(Path(home))
    with contextlib.suppress(OSError):  # the host's own record of who did what
        append(opened.root / NAME, entry("deploy", {"env": keep}, who))
    done = clean(opened, keep)
    if done.removed:
        print("\nphotinus-deploy " + json.dumps({"say": sentence(done)}), flush=True)
    print("\nphotinus-deploy " + json.dumps({"done": done.to_json()}), flush=True)


def sentence(done: Cleaned) -> str:
    """What was removed, in words."""
    would = "would be removed" if done.dry_run else "removed"
    names = ", ".join(done.removed) or "no environment"
    return f"{would}: {names} ({done.bytes / 1e6:,.0f} MB); kept: {', '.join(done.kept) or 'none'}"


def _environment(path: Path) -> Environment:
    installed = read_installed(path)
    return Environment(path, installed, installed.at if installed else path.stat().st_mtime)


def _spare_wheels(home: Home, kept: Sequence[Environment], now: float) -> list[Path]:
    """Wheels of no environment that stays, and halves that nobody went on with."""
    wanted = {one.installed.wheel for one in kept if one.installed}
    spare = []
    for path in _files(home.root / CAS):
        rest_s = PART_REST_S if path.suffix == ".part" else WHEEL_REST_S
        if path.name.split(".")[0] not in wanted and now - path.stat().st_mtime > rest_s:
            spare.append(path)
    return spare


def _files(folder: Path) -> Iterable[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []


def _set_aside(path: Path) -> Path:
    return path.rename(path.with_name(f"{TRASH}{path.name}-{secrets.token_hex(4)}"))
