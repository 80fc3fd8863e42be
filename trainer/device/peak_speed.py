"""How fast a device could be: the makers' dense peaks, which a share of (MFU) is told."""

import re
from typing import Any

_PEAKS: tuple[tuple[str, float, float], ...] = (
    (r"\bB200\b", 2250.0, 1100.0),
    (r"\bGH200\b|\bH200\b|\bH100 80GB HBM3\b|\bH100 SXM", 989.4, 494.7),
    (r"\bH100 NVL\b", 835.0, 417.0),
    (r"\bH100\b", 756.0, 378.0),
    (r"\bH800\b", 989.4, 494.7),
    (r"\bA100\b|\bA800\b", 312.0, 156.0),
    (r"\bA30\b", 165.0, 82.0),
    (r"\bA40\b", 149.7, 74.8),
    (r"\bA10G\b", 70.0, 35.0),
    (r"\bA10\b", 125.0, 62.5),
    (r"\bL40S\b", 362.0, 183.0),
    (r"\bL40\b", 181.0, 90.5),
    (r"\bL4\b", 121.0, 60.0),
    (r"\bRTX 4090\b", 165.2, 82.6),
    (r"\bRTX 3090\b", 71.0, 35.6),
    (r"\bV100\b", 125.0, 15.7),
    (r"\bT4\b", 65.0, 8.1),
)
"""Name, TFLOP/s in bf16 (fp16 on V100 and T4), and in TF32 (float32 there).

Without sparsity, at the boost clock, 16-bit with float32 accumulation; from NVIDIA's data sheets and
architecture white papers of each card (H100 SXM: 1,979 of its data sheet are with sparsity). The first
pattern in the device's name counts.
"""


def peak_tflops(facts: dict[str, Any], autocast: str, tf32: bool) -> float | None:
    """Return the peak of a device for the arithmetic of a run; None where it is not known.

    Args:
        facts: of the device, as `Device.facts` has them.
        autocast: `off`, `bf16` or `fp16`. tf32: whether float32 is multiplied in TF32.
    """
    name = str(facts.get("name", ""))
    for pattern, half, single in _PEAKS:
        if re.search(pattern, name):
            if autocast != "off":
                return half
            return single if tf32 else None  # plain float32 leaves the units that these are of idle
    return None
