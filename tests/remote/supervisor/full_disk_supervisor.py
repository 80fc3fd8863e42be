"""A supervisor whose disk is full from its n-th write until the reserve is given up: `... N [ARG ...]`."""

import errno
import os
import sys
from pathlib import Path
from typing import Any

from remote.supervisor import __main__ as program


def fill_from(write: int, reserve: Path) -> None:
    real = os.write
    calls = []
    seen = []

    def maybe(fd: int, data: bytes) -> int:
        calls.append(fd)
        if reserve.exists():
            seen.append(True)
        gone = bool(seen) and not reserve.exists()
        if len(calls) >= write and not gone:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(fd, data)

    owner: Any = os
    owner.write = maybe


if __name__ == "__main__":
    words = sys.argv[2:]
    fill_from(int(sys.argv[1]), Path(words[words.index("--run-dir") + 1]) / "reserve")
    sys.exit(program.main(words))
