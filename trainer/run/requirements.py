"""What training needs beyond the base install, found without importing any of it."""

import importlib.util
import re
from collections.abc import Callable

PACKAGES = ("torch", "numpy", "safetensors")
TORCH_FROM, TORCH_BELOW = (2, 11), (2, 16)
REMEDY = "pip install 'photinus[train]' into this Python, or use `make setup` in a checkout"


def missing_for_training() -> list[str]:
    """The packages that this interpreter lacks for training; empty where it can train."""
    return [name for name in PACKAGES if importlib.util.find_spec(name) is None]


def installed_version(package: str) -> str:
    """The version of an installed package, without importing it; empty where there is none."""
    from importlib import metadata  # 25 ms, which an agent does not pay to start

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def torch_warning(version_of: Callable[[str], str] | None = None) -> str:
    """What to tell of a torch that is older or newer than those we are written for; "" of one of those."""
    from importlib import metadata  # 25 ms, which an agent does not pay to start

    try:
        version = (version_of or metadata.version)("torch")
    except metadata.PackageNotFoundError:  # a torch without metadata, built by hand
        return "this torch does not say which version it is"
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers and TORCH_FROM <= (int(numbers[1]), int(numbers[2])) < TORCH_BELOW:
        return ""
    least, below = (".".join(map(str, one)) for one in (TORCH_FROM, TORCH_BELOW))
    return (
        f"torch {version} is not one that Photinus is written for (from {least}, before {below}); it may "
        f"fail, or train otherwise: pip install 'torch>={least},<{below}'"
    )
