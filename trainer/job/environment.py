"""What must be known or set before torch is imported: MPS limits, and the threads that the host grants."""

import math
import os
from collections.abc import MutableMapping
from pathlib import Path

FRAGMENTS = ("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF")
"""Either name sets CUDA's allocator; a micro-batch that is halved finds its memory in pieces without this."""
# Not tried on a Mac. Past the watermark MPS fails the allocation instead of swapping the whole machine.
MPS_WATERMARKS = {"PYTORCH_MPS_HIGH_WATERMARK_RATIO": "0.9", "PYTORCH_MPS_LOW_WATERMARK_RATIO": "0.8"}
CUBLAS_WORKSPACE = ("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
"""Without it cuBLAS gives other bits on another day, and torch refuses to promise the same ones."""


def prepare_environment(env: MutableMapping[str, str] = os.environ, *, deterministic: bool = False) -> None:
    """Set what torch reads only at its import; what the operator has set stands."""
    if deterministic:
        env.setdefault(*CUBLAS_WORKSPACE)
    for name, value in MPS_WATERMARKS.items():
        env.setdefault(name, value)
    if not any(name in env for name in FRAGMENTS):
        env[FRAGMENTS[0]] = "expandable_segments:True"


def granted_threads(root: Path = Path("/")) -> int:
    """Return how many CPU threads this process may use: the cgroup's quota, within affinity and cores.

    Args:
        root: where `proc` and `sys` lie (a test gives its own).
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _cgroup_quota(root)
    return max(1, min(cores, math.ceil(quota) if quota else cores))


def _cgroup_quota(root: Path) -> float | None:
    """Return the smallest CPU quota on the path of our cgroup, in cores; None without one."""
    quotas = []
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        below = path.lstrip("/")
        if not controllers:
            quotas += [_quota_v2(folder) for folder in _upward(root / "sys/fs/cgroup", below)]
        elif "cpu" in controllers.split(","):
            base = root / "sys/fs/cgroup" / controllers
            base = base if base.is_dir() else root / "sys/fs/cgroup/cpu"
            quotas += [_quota_v1(folder) for folder in _upward(base, below)]
    return min((quota for quota in quotas if quota), default=None)


def _upward(base: Path, below: str) -> list[Path]:
    parts = [part for part in below.split("/") if part]
    return [base.joinpath(*parts[:count]) for count in range(len(parts), -1, -1)]


def _quota_v2(folder: Path) -> float | None:
    words = _read(folder / "cpu.max").split()
    return int(words[0]) / int(words[1]) if len(words) == 2 and words[0] != "max" else None


def _quota_v1(folder: Path) -> float | None:
    quota, period = _read(folder / "cpu.cfs_quota_us").strip(), _read(folder / "cpu.cfs_period_us").strip()
    return int(quota) / int(period) if quota and period and int(quota) > 0 else None


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
