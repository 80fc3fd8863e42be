"""The C library's heap, told to keep what a step frees: the next step asks for the same again."""

import ctypes
import os
import sys

LARGEST = 32 << 20
"""Blocks up to this many bytes come from the heap; glibc takes no more here."""
KEPT = 512 << 20
"""Free bytes at the end of the heap that stay with the process."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_OWN_WORDS = ("GLIBC_TUNABLES", "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_")


def keep_freed_memory() -> bool:
    """Keep up to `KEPT` freed bytes instead of handing them back, and say whether that was done.

    A training step frees what it took and takes it again. By default glibc returns it to the kernel between,
    which then has to clear thousands of pages a step. Left alone: other C libraries, and a process whose
    environment sets the allocator itself.
    """
    if sys.platform != "linux" or any(os.environ.get(name) for name in _OWN_WORDS):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, LARGEST)) and bool(mallopt(_M_TRIM_THRESHOLD, KEPT))
