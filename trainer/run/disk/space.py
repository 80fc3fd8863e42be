"""Whether a disk has room for what is about to be written."""

import shutil
from pathlib import Path


def free_bytes(folder: Path) -> int:
    """Return what this user may still write there.

    Raises:
        OSError: there is no such folder.
    """
    return shutil.disk_usage(folder).free


def shortage(folder: Path, needed: int) -> str:
    """Return `disk 3.1 GB free, needs 6.2` where there is less than `needed` bytes, else ""."""
    free = free_bytes(folder)
    if free >= needed:
        return ""
    unit, name = next(
        ((size, name) for size, name in ((1e9, "GB"), (1e6, "MB")) if needed >= size), (1e3, "kB")
    )
    return f"disk {free / unit:.1f} {name} free, needs {needed / unit:.1f}"
