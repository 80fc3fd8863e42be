"""How much memory of the host a run may still take: what the kernel calls available, within its cgroup."""

from pathlib import Path


def available_host_bytes(root: Path = Path("/")) -> int | None:
    """Return the bytes that this process may take without anything being swapped out; None where nobody says.

    Args:
        root: where `proc` and `sys` lie (a test gives its own).
    """
    found = [_kibibytes(root / "proc/meminfo", "MemAvailable:")]
    for line in _words(root / "proc/self/cgroup"):
        hierarchy, controllers, path = line.split(":", 2)
        if hierarchy == "0" and not controllers:
            parts = [part for part in path.split("/") if part]
            found += [
                _left(root.joinpath("sys/fs/cgroup", *parts[:count])) for count in range(len(parts) + 1)
            ]
    return min((one for one in found if one is not None), default=None)


def _left(cgroup: Path) -> int | None:
    """Return what its limit leaves, files that can be dropped not counted; None without a limit."""
    limit, used = _words(cgroup / "memory.max"), _words(cgroup / "memory.current")
    if not limit or not used or limit[0] == "max":
        return None
    stat = dict(line.split() for line in _words(cgroup / "memory.stat") if len(line.split()) == 2)
    return max(0, int(limit[0]) - int(used[0]) + int(stat.get("inactive_file", 0)))


def _kibibytes(path: Path, name: str) -> int | None:
    rows = [line.split() for line in _words(path)]
    return next((int(row[1]) * 1024 for row in rows if len(row) > 1 and row[0] == name), None)


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
