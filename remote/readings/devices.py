"""What a run can name as its device on this host."""

import platform
import sys
from pathlib import Path


def devices(dev: Path = Path("/dev")) -> list[str]:
    """What a run can name as its device, by what the system shows without loading a driver's library.

    PyTorch calls AMD's devices (`/dev/kfd`) and those of WSL (`/dev/dxg`) cuda too; neither was tried.
    """
    found = ["cpu"]
    if sys.platform == "darwin" and platform.machine() == "arm64":
        found.append("mps")
    numbers = sorted(int(path.name[6:]) for path in dev.glob("nvidia[0-9]*") if path.name[6:].isdigit())
    if not numbers and (dev / "kfd").exists():
        numbers = list(range(len(list(dev.glob("dri/renderD*")))))
    if not numbers and (dev / "dxg").exists():
        numbers = [0]
    return found + [f"cuda-{number}" for number in numbers]
