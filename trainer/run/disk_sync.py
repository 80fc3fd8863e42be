"""What was written, on the disk itself. macOS's fsync stops at the drive, whose cache a power cut empties."""

import fcntl
import os

FULL_SYNC = getattr(fcntl, "F_FULLFSYNC", None)
"""macOS alone has it; not tried on a Mac."""


def sync_to_disk(fd: int) -> None:
    """Return when what was written to `fd` would survive a power cut.

    Raises:
        OSError: the disk refused.
    """
    if FULL_SYNC is not None:
        try:
            fcntl.fcntl(fd, FULL_SYNC)
        except OSError:  # a file system without it, such as one of a network: then as everywhere
            pass
        else:
            return
    os.fsync(fd)
