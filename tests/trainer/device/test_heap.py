"""What a process frees stays with it, where its heap is told so; and does not, where it is not."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="glibc's heap")

AGAIN = """
import resource, sys
from trainer.device.heap import keep_freed_memory

kept = sys.argv[1] == "kept" and keep_freed_memory()

def take():
    blocks = [bytearray(16 << 20) for _ in range(6)]
    for block in blocks:
        block[::4096] = b"x" * len(block[::4096])

for _ in range(3):
    take()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
take()
print(int(kept), resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _taken_again(how: str, **environment: str) -> tuple[bool, int]:
    """Whether the heap was told, and how many pages the kernel had to give for what had been freed before."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("GLIBC_", "MALLOC_"))}
    command = [sys.executable, "-c", AGAIN, how]
    done = subprocess.run(command, env={**own, **environment}, capture_output=True, text=True, check=True)
    kept, pages = done.stdout.split()
    return kept == "1", int(pages)


def test_what_is_freed_is_taken_again_without_the_kernel() -> None:
    told, pages = _taken_again("kept")
    if not told:
        pytest.skip("no glibc here")
    handed_back = _taken_again("as it is")[1]
    assert handed_back > 20  # of 96 MiB; more where pages are small
    assert 10 * pages < handed_back


def test_an_allocator_that_the_environment_sets_is_left_alone() -> None:
    told, _ = _taken_again("kept", GLIBC_TUNABLES="glibc.malloc.trim_threshold=131072")
    assert not told
