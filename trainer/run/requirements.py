"""What training needs beyond the base install, found without importing any of it."""

import importlib.util

PACKAGES = ("torch", "numpy", "safetensors")
REMEDY = "pip install 'photinus[train]' into this Python, or use `make setup` in a checkout"


def missing_for_training() -> list[str]:
    """The packages that this interpreter lacks for training; empty where it can train."""
    return [name for name in PACKAGES if importlib.util.find_spec(name) is None]
