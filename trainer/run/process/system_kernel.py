"""The reader of the machine that this runs on."""

import sys
from functools import cache

from trainer.run.process.kernel import ProcessReader
from trainer.run.process.kernel_linux import LinuxReader
from trainer.run.process.kernel_macos import MacReader
from trainer.run.run_errors import RunError


@cache
def system_reader() -> ProcessReader:
    """The reader of the machine that this runs on.

    Raises:
        RunError: neither Linux nor macOS.
    """
    platform: str = sys.platform
    if platform.startswith("linux"):
        return LinuxReader()
    if platform == "darwin":
        return MacReader()
    raise RunError(f"Photinus hosts are Linux or macOS, not {platform}")
