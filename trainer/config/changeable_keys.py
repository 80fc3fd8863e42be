"""What a resume may change: keys that leave the arithmetic of the steps already done as it is."""

from collections.abc import Iterable

FREE = (
    "checkpoint.", "eval.", "log.", "probe.", "profile.", "guard.", "data.", "parallel.",
    "steps", "device", "threads", "optim.horizon", "optim.amp", "kernels", "init_from",
)  # fmt: skip
"""What may change: it does not touch the arithmetic, or is compared as what it came to (data by fingerprint,
device by kind, threads, processes, precision and kernels as decided once)."""

ON_REQUEST = ("optim.lr", "optim.min_lr_ratio", "optim.weight_decay", "optim.clip")
"""What may change where somebody asks for it by name: how the next steps are taken."""


def fixed_keys(changed: Iterable[str]) -> list[str]:
    """Those of the keys that no resume may change; in order."""
    return sorted(key for key in changed if not key.startswith(FREE) and key not in ON_REQUEST)
